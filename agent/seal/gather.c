/* The plain text of an object, built in one buffer. The journal keeps a ',' behind each record, so
 * a batch that is selected as a whole is read to where it will stand and never touched again; only
 * what a selection or the range leaves out is closed up.
 *
 * The window was cut from the entry tables alone. What must come out is what was counted then: if
 * it does, spots in the range that cannot be read were known at the cut and hold nothing of this
 * window. */
#include "agent/seal/seal_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define OBJECT_BEGIN "{\"Records\":["
/* A spot that the disk cannot read is asked for again until the journal's reader gives it up. Its
 * loss is then journaled on the same disk: while that cannot be done either, nothing is given up.
 */
#define READ_ATTEMPTS 8

#define LOSS_PAYLOAD "the records cannot be read or do not have their checksum"
#define LOSS_MISSING "the journal's files do not hold them"

void
gather_done(struct gather *gather)
{
    hf_hasher_free(gather->hasher);
    for (size_t i = 0; i < gather->gap_count; i++)
        hf_freep(&gather->gaps[i]);
    hf_freep(&gather->gaps);
}

/* Losses up to here were journaled before. */
static uint64_t
known_to(const struct hf_seal_job *job)
{
    if (!job->skip_corrupt)
        return 0;
    return job->skip_corrupt_to ? job->skip_corrupt_to : UINT64_MAX;
}

/* Already called lost, all of it? */
static bool
are_lost(const struct hf_seal_job *job, uint64_t first_seq, uint64_t last_seq)
{
    for (size_t i = 0; i < job->lost_count; i++) {
        if (first_seq >= job->lost[i].first_seq && last_seq <= job->lost[i].last_seq)
            return true;
    }
    return false;
}

/* Keeps the first unknown one, cut to the range: the rest of it belongs to the window beside this
 * one. */
static void
note_loss(struct gather *gather, uint64_t first_seq, uint64_t last_seq, const char *reason)
{
    const struct hf_window *range = &gather->job->range;
    uint64_t known = known_to(gather->job);
    if (gather->lost || last_seq <= known)
        return;
    first_seq = HF_MAX(HF_MAX(first_seq, range->first_seq), known + 1);
    last_seq = HF_MIN(last_seq, range->last_seq);
    if (first_seq > last_seq || are_lost(gather->job, first_seq, last_seq))
        return;
    gather->lost = true;
    gather->loss = (struct hf_journal_loss){ .first_seq = first_seq, .last_seq = last_seq };
    snprintf(gather->loss.reason, sizeof(gather->loss.reason), "%s", reason);
}

static bool
wanted(const struct gather *gather, const struct hf_journal_batch *batch, uint32_t i)
{
    const struct hf_window *range = &gather->job->range;
    uint64_t seq = batch->first_seq + i;
    return seq >= range->first_seq && seq <= range->last_seq && !are_lost(gather->job, seq, seq) &&
           hf_selection_has(gather->job->selection, batch->entries[i].source);
}

static bool
wants_any(const struct gather *gather, const struct hf_journal_batch *batch)
{
    bool any = false;
    for (uint32_t i = 0; i < batch->count && !any; i++)
        any = wanted(gather, batch, i);
    return any;
}

static void
count_record(struct gather *gather, const struct hf_journal_entry *entry)
{
    int64_t time_s = entry->event_time_s;
    gather->oldest_s = gather->count ? HF_MIN(gather->oldest_s, time_s) : time_s;
    gather->newest_s = gather->count ? HF_MAX(gather->newest_s, time_s) : time_s;
    gather->count++;
}

/* Closes up the payload that begins at `start`: whole runs of wanted records are moved, nothing is
 * when all are wanted. */
static void
keep_wanted(struct gather *gather, const struct hf_journal_batch *batch, size_t start)
{
    uint8_t *bytes = gather->bytes->ptr;
    /* Kept up to `end`; [run, at) is wanted and not moved yet. */
    size_t end = start, run = start, at = start;
    for (uint32_t i = 0; i < batch->count; i++) {
        size_t size = (size_t)batch->entries[i].size + 1;
        if (wanted(gather, batch, i)) {
            count_record(gather, &batch->entries[i]);
            if (batch->entries[i].source == HF_SOURCE_SELF)
                gap_note(gather, batch->first_seq + i, hf_slice(bytes + at, size - 1));
        } else {
            if (end != run && run != at)
                memmove(bytes + end, bytes + run, at - run);
            end += at - run;
            run = at + size;
        }
        at += size;
    }
    if (end != run && run != at)
        memmove(bytes + end, bytes + run, at - run);
    gather->bytes->size = end + (at - run);
    bytes[gather->bytes->size] = '\0';
}

/* While the batch is in the processor's cache. The last byte may still become the array's end. */
static void
hash_kept(struct gather *gather)
{
    size_t end = gather->bytes->size - 1;
    hf_hasher_add(gather->hasher, gather->bytes->ptr + gather->hashed, end - gather->hashed);
    gather->hashed = end;
}

static enum hf_status
read_payload(struct gather *gather, struct hf_journal_reader *reader, struct hf_error *err)
{
    enum hf_status status = HF_EIO;
    for (int i = 0; i < READ_ATTEMPTS && status == HF_EIO; i++)
        status = hf_journal_reader_payload(reader, gather->bytes, err);
    return status;
}

static enum hf_status
read_table(struct hf_journal_reader *reader, struct hf_journal_batch *ret_batch,
           struct hf_journal_loss *ret_loss, struct hf_error *err)
{
    enum hf_status status = HF_EIO;
    for (int i = 0; i < READ_ATTEMPTS && status == HF_EIO; i++)
        status = hf_journal_reader_next(reader, ret_batch, ret_loss, err);
    return status;
}

static enum hf_status
take_batch(struct gather *gather, struct hf_journal_reader *reader,
           const struct hf_journal_batch *batch, struct hf_error *err)
{
    uint64_t last_seq = batch->first_seq + batch->count - 1;
    size_t start = gather->bytes->size;
    if (batch->first_seq > gather->next_seq)
        note_loss(gather, gather->next_seq, batch->first_seq - 1, LOSS_MISSING);
    gather->next_seq = last_seq + 1;
    if (!wants_any(gather, batch))
        return HF_OK;
    gather->bytes->max = HF_MAX(gather->bytes->max, start + batch->payload_bytes);
    enum hf_status status = read_payload(gather, reader, err);
    if (status == HF_ECORRUPT) {
        note_loss(gather, batch->first_seq, last_seq, LOSS_PAYLOAD);
        return HF_OK;
    }
    if (status != HF_OK)
        return status;
    hf_assert(gather->bytes->size == start + batch->payload_bytes);
    keep_wanted(gather, batch, start);
    hash_kept(gather);
    return HF_OK;
}

static enum hf_status
read_range(struct gather *gather, struct hf_journal_reader *reader, struct hf_error *err)
{
    uint64_t last_seq = gather->job->range.last_seq;
    while (gather->next_seq <= last_seq) {
        struct hf_journal_batch batch;
        struct hf_journal_loss loss;
        enum hf_status status = read_table(reader, &batch, &loss, err);
        if (status == HF_EFULL || (status == HF_OK && batch.first_seq > last_seq))
            return HF_OK;
        if (status == HF_ECORRUPT) {
            note_loss(gather, loss.first_seq, loss.last_seq, loss.reason);
            gather->next_seq = HF_MAX(gather->next_seq, HF_MIN(loss.last_seq, last_seq) + 1);
        } else if (status == HF_OK) {
            status = take_batch(gather, reader, &batch, err);
            if (status != HF_OK)
                return status;
        } else {
            return status;
        }
    }
    return HF_OK;
}

/* The last ',' becomes the array's end. */
static enum hf_status
close_object(struct gather *gather)
{
    gather->bytes->max = HF_MAX(gather->bytes->max, gather->bytes->size + 2);
    if (gather->count > 0)
        gather->bytes->size--;
    enum hf_status status = hf_buf_add(gather->bytes, "]}", 2);
    if (status != HF_OK)
        return status;
    uint8_t sha256[HF_SHA256_SIZE];
    hf_hasher_add(gather->hasher, gather->bytes->ptr + gather->hashed,
                  gather->bytes->size - gather->hashed);
    hf_hasher_finish(hf_take(gather->hasher), sha256, NULL);
    hf_hex(sha256, sizeof(sha256), gather->sha256);
    return HF_OK;
}

static enum hf_status
compare_with_cut(const struct gather *gather, struct hf_error *err)
{
    const struct hf_window *range = &gather->job->range;
    if (gather->count == range->count && gather->bytes->size == range->bytes)
        return HF_OK;
    bool less = gather->count < range->count && gather->bytes->size < range->bytes;
    if (less && gather->lost)
        return hf_fail(err, HF_ECORRUPT, "events %" PRIu64 " to %" PRIu64 " cannot be read: %s",
                       gather->loss.first_seq, gather->loss.last_seq, gather->loss.reason);
    /* What was lost may have been read, and counted, when the window was cut after a restart. */
    if (less && (gather->job->skip_corrupt || gather->job->lost_count > 0))
        return HF_OK;
    return hf_fail(err, HF_EINTERNAL,
                   "%" PRIu64 " records in %zu bytes were selected, %" PRIu64 " in %" PRIu64
                   " when the window was cut",
                   gather->count, gather->bytes->size, range->count, range->bytes);
}

enum hf_status
gather_range(struct gather *gather, struct hf_journal *journal, const struct hf_seal_job *job,
             struct hf_buf *bytes, struct hf_error *err)
{
    hf_assert(job->range.first_seq > 0 && job->range.first_seq <= job->range.last_seq);
    *gather = (struct gather){ .job = job,
                               .bytes = bytes,
                               .hasher = hf_hasher_new_sha256(),
                               .next_seq = job->range.first_seq };
    /* What a batch adds beyond the window is there only until it is closed up. */
    enum hf_status status = memory_reserve(bytes, job->range.bytes + HF_JOURNAL_BATCH_BYTES);
    if (status == HF_OK)
        status = hf_buf_add_text(gather->bytes, OBJECT_BEGIN);
    if (status != HF_OK)
        return hf_fail(err, status, "a window of %" PRIu64 " bytes", job->range.bytes);

    struct hf_journal_reader *reader = NULL;
    status = hf_journal_reader_open(journal, job->range.first_seq, &reader, err);
    if (status == HF_OK)
        status = read_range(gather, reader, err);
    else if (status == HF_EUSAGE)
        status =
            HF_OK; /* the journal ends before the window: its last blocks never reached the disk */
    hf_journal_reader_close(reader);
    if (status != HF_OK)
        return status;
    if (gather->next_seq <= job->range.last_seq)
        note_loss(gather, gather->next_seq, job->range.last_seq, LOSS_MISSING);
    status = close_object(gather);
    return status == HF_OK ? compare_with_cut(gather, err) : status;
}
