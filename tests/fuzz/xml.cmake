hf_fuzz_target(xml SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/xml_fuzz.c" LINKS hf_s3)
