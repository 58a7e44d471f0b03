/* A gzip member from a store. What comes out stays below the maximum, and packs and unpacks to the
 * same. */
#include "agent/seal/seal_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_isal(const struct hf_buf *plain, struct hf_buf *again)
{
    hf_owned(hf_seal_memory_done) struct hf_seal_memory memory = hf_seal_memory();
    if (!hf_compression_available(HF_COMPRESSION_ISAL))
        return;
    enum hf_status status = hf_buf_add(&memory.plain, plain->ptr, plain->size);
    hf_assert(status == HF_OK);
    status = gzip_window(&memory, HF_COMPRESSION_ISAL, NULL);
    hf_assert(status == HF_OK);
    status = hf_gunzip(hf_buf_slice(&memory.body), again, NULL);
    hf_assert(status == HF_OK && hf_slice_equal(hf_buf_slice(plain), hf_buf_slice(again)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hf_owned(hf_buf_done) struct hf_buf plain = HF_BUF(1u << 16), gzip = HF_BUF(1u << 18),
                                        again = HF_BUF(1u << 16);
    struct hf_error err;
    if (hf_gunzip(hf_slice(data, size), &plain, &err) != HF_OK) {
        hf_assert(plain.size == 0);
        return 0;
    }
    hf_assert(plain.size <= 1u << 16);
    enum hf_status status = hf_gzip(hf_buf_slice(&plain), (int)(size % 13), &gzip, &err);
    hf_assert(status == HF_OK);
    status = hf_gunzip(hf_buf_slice(&gzip), &again, &err);
    hf_assert(status == HF_OK && hf_slice_equal(hf_buf_slice(&plain), hf_buf_slice(&again)));
    try_isal(&plain, &again);
    return 0;
}
