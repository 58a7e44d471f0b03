/* What one sealer works in. It is kept from window to window: given back and asked for each time,
 * the kernel would clear each page anew for every object.
 *
 *              plain                        body
 *   none       the object's JSON            the gzip member, which is sent
 *   cms        the same, then the envelope  the same, then the envelope's stored member
 *
 * and a compressor, whose tables are as large as a small window.
 */
#include "agent/seal/seal_impl.h"

/* A body larger than this part of the plain text means data that does not compress. */
#define LARGE_PART 4
/* Windows differ by an event or two: room for one is room for the next. Only what is touched
 * becomes memory. */
#define STEP_BYTES ((size_t)1 << 20)

struct hf_seal_memory
hf_seal_memory(void)
{
    return (struct hf_seal_memory){ .plain = HF_BUF(SEALED_BODY_MAX),
                                    .body = HF_BUF(SEALED_BODY_MAX) };
}

void
hf_seal_memory_done(struct hf_seal_memory *memory)
{
    hf_buf_done(&memory->plain);
    hf_buf_done(&memory->body);
    gzip_compressor_free(memory->compressor);
    memory->compressor = NULL;
}

enum hf_status
memory_reserve(struct hf_buf *buf, size_t size)
{
    if (buf->capacity < size)
        hf_buf_done(buf); /* what it held is not needed: growing would copy it */
    hf_buf_reset(buf);
    buf->max = HF_MAX(buf->max, size);
    size_t steps = (size + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
    return hf_buf_reserve(buf, size < STEP_BYTES ? size : HF_MIN(steps, buf->max));
}

void
memory_trim(struct hf_seal_memory *memory)
{
    if (memory->body.size > memory->plain.capacity / LARGE_PART)
        hf_buf_done(&memory->plain);
}
