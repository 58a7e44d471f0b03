hf_fuzz_target(sealed_gzip SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/sealed_gzip_fuzz.c" LINKS hf_seal)
