/* A ledger file that anything may have happened to. The first byte chooses: the rest is the file as
 * it lies, or it is cut into pieces at each newline that are framed with right checksums, so that
 * what lies behind them is reached too. */
#include "agent/ledger/ledger_impl.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum hf_status
count_step(void *context, enum hf_step step, const json_t *doc, struct hf_error *err)
{
    uint64_t *count = context;
    (void)err;
    hf_assert(step >= HF_STEP_STATE && step <= HF_STEP_LAST);
    hf_assert(doc != NULL);
    ++*count;
    return HF_OK;
}

/* What is valid is valid on its own, and gives the same steps. */
static void
scan(struct hf_slice file)
{
    uint64_t count = 0, again = 0;
    size_t valid = 0, valid_again = 0;
    struct hf_error err;
    if (hf_ledger_scan(file, count_step, &count, &valid, &err) != HF_OK)
        return;
    hf_assert(valid <= file.size && valid % 8 == 0);
    enum hf_status status =
        hf_ledger_scan(hf_slice(file.ptr, valid), count_step, &again, &valid_again, &err);
    hf_assert(status == HF_OK && valid_again == valid && again == count);
}

static void
frame(struct hf_slice doc, uint8_t step, uint64_t number, uint64_t durable, struct hf_buf *file)
{
    uint8_t header[FRAME_HEADER];
    static const uint8_t zeros[8];
    hf_put_le32(header, FRAME_MAGIC);
    hf_put_le32(header + 4, step);
    hf_put_le64(header + 8, number);
    hf_put_le64(header + 16, durable);
    hf_put_le32(header + 24, (uint32_t)doc.size);
    hf_put_le32(header + 28, hf_crc32c(hf_crc32c(0, header, 28), doc.ptr, doc.size));
    if (hf_buf_add(file, header, sizeof(header)) != HF_OK ||
        hf_buf_add(file, doc.ptr, doc.size) != HF_OK ||
        hf_buf_add(file, zeros, (8 - doc.size % 8) % 8) != HF_OK)
        hf_buf_reset(file);
}

/* Each line: how far the number goes on, what is durable, the step, and a document. */
static void
scan_framed(const uint8_t *data, size_t size)
{
    hf_owned(hf_buf_done) struct hf_buf file = HF_BUF(1u << 20);
    uint64_t number = 0;
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t line = end ? (size_t)(end - data) - at : size - at;
        if (line >= 3) {
            number += data[at] % 3;
            frame(hf_slice(data + at + 3, line - 3), data[at + 2] % 16, number, data[at + 1] % 16,
                  &file);
        }
        at += line + 1;
    }
    scan(hf_buf_slice(&file));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 2)
        scan_framed(data + 1, size - 1);
    else
        scan(hf_slice(data + 1, size - 1));
    return 0;
}
