/* A gzip member from a store. What comes out stays below the maximum, and packs and unpacks to the
 * same. */
#include <holdfast/seal.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
    int compression = size % 14 < 13 ? (int)(size % 14) : HF_COMPRESSION_ISAL;
    if (compression == HF_COMPRESSION_ISAL && !hf_compression_available(compression))
        compression = HF_COMPRESSION_QUICK;
    enum hf_status status = hf_gzip(hf_buf_slice(&plain), compression, &gzip, &err);
    hf_assert(status == HF_OK);
    status = hf_gunzip(hf_buf_slice(&gzip), &again, &err);
    hf_assert(status == HF_OK && hf_slice_equal(hf_buf_slice(&plain), hf_buf_slice(&again)));
    return 0;
}
