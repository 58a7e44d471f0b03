hf_fuzz_target(credentials SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/credentials_fuzz.c" LINKS hf_s3)
