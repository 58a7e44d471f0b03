# What the command line reads of others: a store's XML, and the records of an object.
hf_fuzz_target(cli_text SOURCES "${CMAKE_CURRENT_LIST_DIR}/cli_text_fuzz.c" LINKS hf_cli hf_json)
