hf_fuzz_target(scanner
    SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/scanner_fuzz.c" "${PROJECT_SOURCE_DIR}/tests/fuzz/scanner_check.c"
    LINKS hf_json)
