hf_fuzz_target(metrics_request SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/metrics_request_fuzz.c" LINKS hf_daemon)
