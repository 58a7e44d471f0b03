hf_fuzz_target(config SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/config_fuzz.c" LINKS hf_config)
