hf_fuzz_target(steps
    SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/steps_fuzz.c" "${PROJECT_SOURCE_DIR}/tests/fuzz/scratch.c" "${PROJECT_SOURCE_DIR}/tests/unit/trail/life.c"
    LINKS hf_trail hf_digest hf_seal hf_window hf_layout hf_ledger hf_json hf_crypto PkgConfig::cmocka)
