hf_fuzz_target(journal SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/journal_fuzz.c" "${PROJECT_SOURCE_DIR}/tests/fuzz/scratch.c"
               LINKS hf_journal)
