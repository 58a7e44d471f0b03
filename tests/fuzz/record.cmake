hf_fuzz_target(record SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/record_fuzz.c" LINKS hf_record hf_json)
