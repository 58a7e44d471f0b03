hf_fuzz_target(file_state SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/file_state_fuzz.c" LINKS hf_intake)
