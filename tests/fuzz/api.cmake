hf_fuzz_target(api SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/api_fuzz.c" LINKS hf_api hf_json)
