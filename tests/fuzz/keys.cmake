hf_fuzz_target(keys SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/keys_fuzz.c" "${PROJECT_SOURCE_DIR}/tests/fuzz/scratch.c" LINKS hf_crypto)
