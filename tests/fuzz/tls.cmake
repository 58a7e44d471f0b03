hf_fuzz_target(tls SOURCES "${PROJECT_SOURCE_DIR}/tests/fuzz/tls_fuzz.c" LINKS hf_crypto OpenSSL::Crypto)
