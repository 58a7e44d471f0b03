#include "agent/ledger/ledger_impl.h"
#include <holdfast/json.h>
#include <string.h>

#define AT(field) offsetof(struct disk_frame, field)

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
    [HF_STEP_LOSS] = "loss",
};

const char *
hf_step_name(enum hf_step step)
{
    bool is_known = step >= HF_STEP_STATE && step <= HF_STEP_LAST && step_names[step];
    return is_known ? step_names[step] : "unknown";
}

static size_t
padding(size_t used)
{
    return (FRAME_ALIGN - used % FRAME_ALIGN) % FRAME_ALIGN;
}

/* `rest`: what stands behind the prefix, without the padding. */
static uint32_t
frame_crc(const uint8_t *prefix, struct hf_slice rest)
{
    return hf_crc32c(hf_crc32c(0, prefix, AT(crc)), rest.ptr, rest.size);
}

enum hf_status
frame_encode(enum hf_step step, const struct frame_stamp *stamp, const json_t *doc,
             struct hf_buf *buf, struct hf_error *err)
{
    static const uint8_t zeros[FRAME_ALIGN];
    hf_owned(hf_buf_done) struct hf_buf rest = HF_BUF(FRAME_DOC_MAX + FRAME_HEADER - FRAME_PREFIX);
    uint8_t prefix[FRAME_PREFIX], epoch[FRAME_HEADER - FRAME_PREFIX];
    hf_put_le64(epoch, stamp->epoch);
    enum hf_status status = hf_buf_add(&rest, epoch, sizeof(epoch));
    if (status == HF_OK)
        status = hf_doc_dump(doc, &rest);
    if (status != HF_OK)
        return hf_fail(err, HF_ELIMIT, "a %s step is larger than %u bytes", hf_step_name(step),
                       FRAME_DOC_MAX);
    hf_put_le32(prefix + AT(magic), FRAME_MAGIC);
    hf_put_le16(prefix + AT(step), (uint16_t)step);
    hf_put_le16(prefix + AT(version), FRAME_VERSION);
    hf_put_le64(prefix + AT(number), stamp->number);
    hf_put_le64(prefix + AT(durable), stamp->durable);
    hf_put_le32(prefix + AT(size), (uint32_t)rest.size);
    hf_put_le32(prefix + AT(crc), frame_crc(prefix, hf_buf_slice(&rest)));
    if (hf_buf_add(buf, prefix, sizeof(prefix)) != HF_OK ||
        hf_buf_add(buf, rest.ptr, rest.size) != HF_OK ||
        hf_buf_add(buf, zeros, padding(rest.size)) != HF_OK)
        return hf_fail(err, HF_ELIMIT, "the ledger would be larger than %zu bytes", buf->max);
    return HF_OK;
}

bool
frame_decode(struct hf_slice bytes, size_t offset, struct frame *ret_frame)
{
    if (offset > bytes.size || bytes.size - offset < FRAME_PREFIX)
        return false;
    const uint8_t *prefix = bytes.ptr + offset;
    size_t rest_size = hf_get_le32(prefix + AT(size));
    if (hf_get_le32(prefix + AT(magic)) != FRAME_MAGIC ||
        rest_size > FRAME_DOC_MAX + FRAME_HEADER - FRAME_PREFIX)
        return false;
    size_t used = FRAME_PREFIX + rest_size;
    if (bytes.size - offset < used + padding(used))
        return false;
    struct hf_slice rest = hf_slice(prefix + FRAME_PREFIX, rest_size);
    if (hf_get_le32(prefix + AT(crc)) != frame_crc(prefix, rest))
        return false;
    unsigned version = hf_get_le16(prefix + AT(version));
    size_t doc_at = version == 0 ? FRAME_PREFIX : FRAME_HEADER;
    if (used < doc_at)
        return false;
    *ret_frame = (struct frame){ .version = version,
                                 .step = hf_get_le16(prefix + AT(step)),
                                 .epoch = version == 0 ? 0 : hf_get_le64(prefix + AT(epoch)),
                                 .number = hf_get_le64(prefix + AT(number)),
                                 .durable = hf_get_le64(prefix + AT(durable)),
                                 .doc = hf_slice(prefix + doc_at, used - doc_at),
                                 .used = used,
                                 .size = used + padding(used) };
    return true;
}
