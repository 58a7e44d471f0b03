hf_fuzz_target(identity SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/identity_fuzz.c" "${PROJECT_SOURCE_DIR}/tests/fuzz/scratch.c" LINKS hf_trail)
