hf_fuzz_target(sigv4 SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/sigv4_fuzz.c" LINKS hf_s3)
