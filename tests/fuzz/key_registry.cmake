hf_fuzz_target(key_registry SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/key_registry_fuzz.c" "${PROJECT_SOURCE_DIR}/tests/fuzz/scratch.c" LINKS hf_cli hf_json)
