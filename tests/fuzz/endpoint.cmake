hf_fuzz_target(endpoint SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/endpoint_fuzz.c" LINKS hf_s3)
