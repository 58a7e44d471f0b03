# README.md's table is the list of parsers: it has to be whole.
if(NOT HF_FUZZ)
    add_test(NAME fuzz.table COMMAND "${CMAKE_CURRENT_LIST_DIR}/run" --check)
    set_tests_properties(fuzz.table PROPERTIES LABELS "fuzz;lint" TIMEOUT 60)
endif()
