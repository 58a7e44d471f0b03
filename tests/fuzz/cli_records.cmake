# What the command line reads of others: the records of an object.
hf_fuzz_target(cli_records SOURCES "${CMAKE_CURRENT_LIST_DIR}/cli_records_fuzz.c" LINKS hf_cli)
