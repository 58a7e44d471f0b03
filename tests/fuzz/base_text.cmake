hf_fuzz_target(base_text SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/base_text_fuzz.c" LINKS hf_base)
