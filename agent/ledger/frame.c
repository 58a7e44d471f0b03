/*  0      4      8          16         24         28        32
 *  +------+------+----------+----------+----------+---------+--------------------+---------+
 *  | magic| step | number   | durable  | doc size | CRC-32C | doc: compact JSON  | 0 to 7  |
 *  |      | (u32)|          |          |          |         |                    | zeros   |
 *  +------+------+----------+----------+----------+---------+--------------------+---------+
 *  The CRC covers bytes 0 to 27 and the document.
 */
#include "agent/ledger/ledger_impl.h"
#include <holdfast/json.h>
#include <string.h>

static const char *const step_names[] = {
    [HF_STEP_STATE] = "state",
    [HF_STEP_CUT] = "cut",
    [HF_STEP_ATTEMPT] = "attempt",
    [HF_STEP_RECEIPT] = "receipt",
    [HF_STEP_DIGEST_CUT] = "digest-cut",
    [HF_STEP_DIGEST_RECEIPT] = "digest-receipt",
    [HF_STEP_KEY_RECEIPT] = "key-receipt",
    [HF_STEP_FOREIGN] = "foreign",
    [HF_STEP_DROPPED] = "dropped",
    [HF_STEP_CHAIN] = "chain",
    [HF_STEP_LOSS] = "loss",
};

const char *
hf_step_name(enum hf_step step)
{
    return step >= HF_STEP_STATE && step <= HF_STEP_LAST ? step_names[step] : "unknown";
}

static uint32_t
frame_crc(const uint8_t *header, struct hf_slice doc)
{
    return hf_crc32c(hf_crc32c(0, header, 28), doc.ptr, doc.size);
}

enum hf_status
frame_encode(enum hf_step step, uint64_t number, uint64_t durable, const json_t *doc,
             struct hf_buf *buf, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(FRAME_DOC_MAX);
    enum hf_status status = hf_doc_dump(doc, &text);
    if (status != HF_OK)
        return hf_fail(err, HF_ELIMIT, "a %s step is larger than %u bytes", hf_step_name(step),
                       FRAME_DOC_MAX);
    uint8_t header[FRAME_HEADER];
    hf_put_le32(header, FRAME_MAGIC);
    hf_put_le32(header + 4, (uint32_t)step);
    hf_put_le64(header + 8, number);
    hf_put_le64(header + 16, durable);
    hf_put_le32(header + 24, (uint32_t)text.size);
    hf_put_le32(header + 28, frame_crc(header, hf_buf_slice(&text)));
    static const uint8_t zeros[8];
    if (hf_buf_add(buf, header, sizeof(header)) != HF_OK ||
        hf_buf_add(buf, text.ptr, text.size) != HF_OK ||
        hf_buf_add(buf, zeros, (8 - text.size % 8) % 8) != HF_OK)
        return hf_fail(err, HF_ELIMIT, "the ledger would be larger than %zu bytes", buf->max);
    return HF_OK;
}

bool
frame_decode(struct hf_slice bytes, size_t offset, struct frame *ret_frame)
{
    if (offset > bytes.size || bytes.size - offset < FRAME_HEADER)
        return false;
    const uint8_t *header = bytes.ptr + offset;
    uint32_t doc_size = hf_get_le32(header + 24);
    if (hf_get_le32(header) != FRAME_MAGIC || doc_size > FRAME_DOC_MAX)
        return false;
    size_t size = FRAME_HEADER + doc_size + (8 - doc_size % 8) % 8;
    if (bytes.size - offset < size)
        return false;
    struct hf_slice doc = hf_slice(header + FRAME_HEADER, doc_size);
    if (hf_get_le32(header + 28) != frame_crc(header, doc))
        return false;
    *ret_frame = (struct frame){ .step = hf_get_le32(header + 4),
                                 .number = hf_get_le64(header + 8),
                                 .durable = hf_get_le64(header + 16),
                                 .doc = doc,
                                 .size = size };
    return true;
}
