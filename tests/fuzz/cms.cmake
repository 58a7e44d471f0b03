hf_fuzz_target(cms SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/cms_fuzz.c" "${PROJECT_SOURCE_DIR}/tests/fuzz/scratch.c" LINKS hf_crypto)
