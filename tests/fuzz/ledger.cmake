hf_fuzz_target(ledger SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/ledger_fuzz.c" LINKS hf_ledger PkgConfig::jansson)
