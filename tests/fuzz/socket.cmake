hf_fuzz_target(socket SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/socket_fuzz.c" LINKS hf_intake)
