hf_fuzz_target(settings SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/settings_fuzz.c" "${PROJECT_SOURCE_DIR}/tests/fuzz/scratch.c" LINKS hf_trail)
