# What a store has as a bucket's documents: XML, and the bucket policy's JSON.
hf_fuzz_target(bucket_document SOURCES "${CMAKE_CURRENT_LIST_DIR}/bucket_document_fuzz.c" LINKS hf_bucket hf_json)
