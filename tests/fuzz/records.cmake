hf_fuzz_target(records SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/records_fuzz.c" LINKS hf_verify hf_cli)
