hf_fuzz_target(control SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/control_fuzz.c" "${PROJECT_SOURCE_DIR}/tests/fuzz/scratch.c" LINKS hf_daemon hf_json PkgConfig::libevent)
