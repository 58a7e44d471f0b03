hf_fuzz_target(sealed SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/sealed_fuzz.c" LINKS hf_seal)
