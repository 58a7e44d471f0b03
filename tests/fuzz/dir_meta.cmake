hf_fuzz_target(dir_meta SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/dir_meta_fuzz.c" "${PROJECT_SOURCE_DIR}/tests/fuzz/scratch.c" LINKS hf_dir hf_json)
