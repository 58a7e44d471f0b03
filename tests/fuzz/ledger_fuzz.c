/* Two ledger files that anything may have happened to. The first byte chooses: the rest is both
 * files as they lie, parted where the second byte says, or it is cut into pieces at each newline
 * that are framed with right checksums, so that what lies behind them is reached too. */
#include "agent/ledger/ledger_impl.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum hf_status
count_step(void *context, enum hf_step step, const json_t *doc, struct hf_error *err)
{
    uint64_t *count = context;
    (void)err;
    hf_assert(strcmp(hf_step_name(step), "unknown") != 0);
    hf_assert(doc != NULL);
    ++*count;
    return HF_OK;
}

/* What two files come to comes to itself, alone and twice. */
static void
check_again(const struct merged *merged)
{
    struct hf_slice whole = hf_buf_slice(&merged->bytes);
    for (size_t i = 0; i < 3; i++) {
        struct hf_slice none = hf_slice(NULL, 0);
        struct hf_slice files[LEDGER_FILES] = { i == 1 ? none : whole, i == 2 ? none : whole };
        hf_owned(merged_done) struct merged again = { 0 };
        hf_assert(ledger_merge(files, &again, NULL) == HF_OK);
        hf_assert(again.count == merged->count && !again.has_hole);
        hf_assert(hf_slice_equal(hf_buf_slice(&again.bytes), whole));
        struct hf_ledger_file_recovery recovery = { 0 };
        ledger_compare(&again, whole, &recovery);
        hf_assert(recovery.repaired_steps == 0);
    }
}

static void
merge(struct hf_slice file, struct hf_slice copy)
{
    struct hf_slice files[LEDGER_FILES] = { file, copy };
    hf_owned(merged_done) struct merged merged = { 0 };
    struct hf_error err;
    uint64_t count = 0;
    if (ledger_merge(files, &merged, &err) != HF_OK)
        return;
    hf_assert(merged.bytes.size % FRAME_ALIGN == 0 && merged.unsynced_from <= merged.bytes.size);
    enum hf_status status = ledger_visit(hf_buf_slice(&merged.bytes), count_step, &count, &err);
    hf_assert(status == HF_ECORRUPT || (status == HF_OK && count == merged.count));
    check_again(&merged);
    struct hf_ledger_file_recovery recovery = { 0 };
    ledger_compare(&merged, file, &recovery);
    hf_assert(!merged.is_whole[0] || recovery.repaired_steps == 0);
}

static void
frame(struct hf_slice doc, const uint8_t *how, uint64_t number, struct hf_buf *file)
{
    static const uint8_t zeros[FRAME_ALIGN];
    uint8_t header[FRAME_HEADER];
    unsigned version = how[2] / 16 % 3;
    size_t header_size = version == 0 ? FRAME_PREFIX : FRAME_HEADER;
    hf_put_le32(header, FRAME_MAGIC);
    hf_put_le16(header + 4, how[2] % 16);
    hf_put_le16(header + 6, (uint16_t)version);
    hf_put_le64(header + 8, number);
    hf_put_le64(header + 16, how[1] % 16);
    hf_put_le32(header + 24, (uint32_t)(header_size - FRAME_PREFIX + doc.size));
    hf_put_le64(header + 32, how[1] / 16);
    uint32_t crc = hf_crc32c(0, header, 28);
    crc = hf_crc32c(crc, header + FRAME_PREFIX, header_size - FRAME_PREFIX);
    hf_put_le32(header + 28, hf_crc32c(crc, doc.ptr, doc.size));
    if (hf_buf_add(file, header, header_size) != HF_OK ||
        hf_buf_add(file, doc.ptr, doc.size) != HF_OK ||
        hf_buf_add(file, zeros, (8 - doc.size % 8) % 8) != HF_OK)
        hf_buf_reset(file);
}

/* Each line: how far the number goes on and which file gets it, durable and epoch, step and
 * version, and a document. */
static void
merge_framed(const uint8_t *data, size_t size)
{
    struct hf_buf files[LEDGER_FILES] = { HF_BUF(1u << 20), HF_BUF(1u << 20) };
    uint64_t number = 0;
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t line = end ? (size_t)(end - data) - at : size - at;
        if (line >= 3) {
            unsigned which = data[at] / 4 % 4;
            number += data[at] % 4;
            for (unsigned i = 0; i < LEDGER_FILES; i++) {
                if (which != i + 1)
                    frame(hf_slice(data + at + 3, line - 3), data + at, number, &files[i]);
            }
            if (which == 3 && files[1].size)
                files[1].ptr[files[1].size - 1] ^= 1;
        }
        at += line + 1;
    }
    merge(hf_buf_slice(&files[0]), hf_buf_slice(&files[1]));
    hf_buf_done(&files[0]);
    hf_buf_done(&files[1]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t part = (size - 2) * data[1] / 255;
    if (data[0] % 2)
        merge_framed(data + 2, size - 2);
    else
        merge(hf_slice(data + 2, part), hf_slice(data + 2 + part, size - 2 - part));
    return 0;
}
