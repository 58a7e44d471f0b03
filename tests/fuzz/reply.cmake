hf_fuzz_target(reply SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/reply_fuzz.c" LINKS hf_s3)
