/* The beginning of a sealed file. An even first byte: the rest as it lies. An odd one: the rest is
 * its header, with size and checksum made right. What is read can be written, and reads as the same
 * again. */
#include "agent/seal/seal_impl.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
decode(struct hf_slice file)
{
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL, *again = NULL;
    hf_owned(hf_buf_done) struct hf_buf first = HF_BUF(SEALED_FRAME_MAX),
                                        second = HF_BUF(SEALED_FRAME_MAX);
    struct hf_error err;
    if (sealed_frame_decode(file, &sealed, &err) != HF_OK)
        return;
    hf_assert(sealed->body_offset <= file.size && sealed->body_offset <= SEALED_FRAME_MAX);
    /* Written by another hand it may be shorter than we write it (escapes, spaces). */
    if (sealed_frame_encode(sealed, &first, &err) != HF_OK)
        return;
    enum hf_status status = sealed_frame_decode(hf_buf_slice(&first), &again, &err);
    hf_assert(status == HF_OK);
    status = sealed_frame_encode(again, &second, &err);
    hf_assert(status == HF_OK && hf_slice_equal(hf_buf_slice(&first), hf_buf_slice(&second)));
}

static void
decode_framed(const uint8_t *json, size_t size)
{
    hf_owned(hf_buf_done) struct hf_buf file = HF_BUF(1u << 20);
    uint8_t number[4];
    hf_put_le32(number, (uint32_t)size);
    if (hf_buf_add_text(&file, SEALED_MAGIC) != HF_OK || hf_buf_add(&file, number, 4) != HF_OK ||
        hf_buf_add(&file, json, size) != HF_OK)
        return;
    hf_put_le32(number, hf_crc32c(0, file.ptr, file.size));
    if (hf_buf_add(&file, number, 4) == HF_OK)
        decode(hf_buf_slice(&file));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 2)
        decode_framed(data + 1, size - 1);
    else
        decode(hf_slice(data + 1, size - 1));
    return 0;
}
