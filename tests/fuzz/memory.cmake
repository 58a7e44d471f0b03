hf_fuzz_target(memory SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/memory_fuzz.c" "${PROJECT_SOURCE_DIR}/tests/fuzz/scratch.c" LINKS hf_cli hf_json hf_verify)
