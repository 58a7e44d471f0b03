/* Reads a segment in blocks with a read-ahead, and finds batches in it. It believes nothing: a
 * batch counts when its header verifies under the segment's generation and its bytes lie below the
 * limit.
 */
#include "agent/journal/segment_impl.h"

#include <string.h>

#define READ_AHEAD 65536u
#define KEEP_BYTES (1u << 20) /* a table larger than this does not keep its memory */
#define READ_TRIES 3
#define BAD_STEP   4096u

void
hf_view_init(struct hf_view *view, int fd, uint64_t limit)
{
    *view = (struct hf_view){ .fd = fd, .limit = limit };
}

void
hf_view_done(struct hf_view *view)
{
    hf_freep(&view->bytes);
    *view = (struct hf_view){ .fd = -1 };
}

void
hf_view_limit(struct hf_view *view, uint64_t limit)
{
    hf_assert(limit >= view->limit);
    view->limit = limit;
}

/* A sector that cannot be read costs the batch it lies in, not the journal. */
static enum hf_status
read_around(struct hf_view *view, uint8_t *bytes, size_t size, uint64_t offset, size_t *ret_size)
{
    for (size_t done = 0; done < size;) {
        size_t step = HF_MIN(size - done, BAD_STEP - (size_t)((offset + done) % BAD_STEP));
        size_t got = 0;
        struct hf_error ignored;
        if (hf_fs_pread(view->fd, bytes + done, step, (off_t)(offset + done), &got, &ignored) !=
            HF_OK) {
            memset(bytes + done, 0, step);
            got = step;
            view->bad = true;
        }
        done += got;
        *ret_size = done;
        if (got < step)
            break;
    }
    return HF_OK;
}

static enum hf_status
read_bytes(struct hf_view *view, uint8_t *bytes, size_t size, uint64_t offset, size_t *ret_size,
           struct hf_error *err)
{
    enum hf_status status = HF_OK;

    for (int i = 0; i < READ_TRIES; i++) {
        status = hf_fs_pread(view->fd, bytes, size, (off_t)offset, ret_size, err);
        if (status == HF_OK)
            return HF_OK;
    }
    return view->zero_bad ? read_around(view, bytes, size, offset, ret_size) : status;
}

/* Room for `size` bytes; a buffer that one large table needed is given back with the next block. */
static void
fit(struct hf_view *view, size_t size)
{
    size_t wanted = HF_MAX(size, READ_AHEAD);

    if (view->capacity >= wanted && (view->capacity <= KEEP_BYTES || wanted > KEEP_BYTES))
        return;
    view->bytes = hf_realloc(view->bytes, wanted);
    view->capacity = wanted;
}

enum hf_status
hf_view_at(struct hf_view *view, uint64_t offset, size_t size, const uint8_t **ret_bytes,
           struct hf_error *err)
{
    size_t got = 0;

    if (offset > view->limit || size > view->limit - offset)
        return hf_fail(err, HF_ECORRUPT, "it goes past the segment's end");
    if (offset < view->start || offset - view->start > view->size ||
        view->size - (offset - view->start) < size) {
        fit(view, size);
        view->size = 0;
        uint64_t wanted = HF_MIN(view->capacity, view->limit - offset);
        enum hf_status status = read_bytes(view, view->bytes, (size_t)wanted, offset, &got, err);
        if (status != HF_OK)
            return status;
        view->start = offset;
        view->size = got;
        if (got < size)
            return hf_fail(err, HF_ECORRUPT, "the segment is shorter than it was");
    }
    *ret_bytes = view->bytes + (offset - view->start);
    return HF_OK;
}

enum hf_status
hf_view_crc(struct hf_view *view, uint64_t offset, uint64_t size, uint32_t *crc,
            struct hf_error *err)
{
    while (size > 0) {
        size_t step = (size_t)HF_MIN(size, READ_AHEAD);
        const uint8_t *bytes;
        enum hf_status status = hf_view_at(view, offset, step, &bytes, err);
        if (status != HF_OK)
            return status;
        *crc = hf_crc32c(*crc, bytes, step);
        offset += step;
        size -= step;
    }
    return HF_OK;
}

static bool
fits_below_limit(const struct hf_view *view, uint64_t offset, const struct hf_batch_head *head)
{
    return hf_batch_bytes(head) <= view->limit - offset;
}

enum hf_status
hf_view_batch(struct hf_view *view, uint64_t offset, uint64_t generation,
              struct hf_batch_head *ret_head, struct hf_error *err)
{
    const uint8_t *bytes;
    enum hf_status status = hf_view_at(view, offset, HF_BATCH_HEAD, &bytes, err);

    if (status != HF_OK)
        return status;
    if (!hf_batch_head_decode(bytes, generation, ret_head) ||
        !fits_below_limit(view, offset, ret_head))
        return hf_fail(err, HF_ECORRUPT, "a batch header does not verify");
    return HF_OK;
}

/* At `bytes` a batch header could begin: cheap, because it is asked for each eight bytes of a
 * segment. */
static bool
looks_like_batch(const uint8_t *bytes, uint64_t generation)
{
    return hf_get_le32(bytes) == HF_BATCH_MAGIC &&
           (generation == 0 ||
            hf_get_le64(bytes + offsetof(struct hf_disk_batch, generation)) == generation);
}

enum hf_status
hf_view_find(struct hf_view *view, uint64_t offset, uint64_t generation, uint64_t min_seq,
             uint64_t *ret_offset, struct hf_batch_head *ret_head, struct hf_error *err)
{
    for (offset = (offset + 7) & ~7ull; offset + HF_BATCH_HEAD <= view->limit; offset += 8) {
        const uint8_t *bytes;
        enum hf_status status = hf_view_at(view, offset, HF_BATCH_HEAD, &bytes, err);
        if (status != HF_OK)
            return status == HF_ECORRUPT ? HF_ENOTFOUND
                                         : status; /* cut short: nothing more to find */
        if (!looks_like_batch(bytes, generation))
            continue;
        uint64_t of = generation ? generation
                                 : hf_get_le64(bytes + offsetof(struct hf_disk_batch, generation));
        /* Only a batch that says that all before it was durable proves that something is missing.
         */
        if (hf_batch_head_decode(bytes, of, ret_head) && fits_below_limit(view, offset, ret_head) &&
            ret_head->first_seq >= min_seq && ret_head->durable_seq + 1 == ret_head->first_seq) {
            *ret_offset = offset;
            return HF_OK;
        }
    }
    return HF_ENOTFOUND;
}
