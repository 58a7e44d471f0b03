hf_fuzz_target(digest SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/digest_fuzz.c" LINKS hf_digest)
