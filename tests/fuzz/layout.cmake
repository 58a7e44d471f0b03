hf_fuzz_target(layout SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/layout_fuzz.c" LINKS hf_layout)
