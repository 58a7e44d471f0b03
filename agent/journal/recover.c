/* What lies in the directory becomes the journal again. Segments are read in the order of their
 * use; each ends where the next one begins, so that what a frozen segment holds of a batch that was
 * written again elsewhere does not count twice. At each place there is either
 *
 *   the expected batch: accepted. Its state changes count once something behind proves it durable;
 *   a bad spot, and behind it a batch that says that all before was durable: a loss, exact; and on;
 *   a bad spot with nothing behind it, in the newest segment: the torn tail. It is cut, and counted.
 */
#include "agent/journal/recover_impl.h"

#include <stdio.h>
#include <string.h>

void
hf_recover_lose(struct hf_recover *run, uint64_t first_seq, uint64_t last_seq, const char *what)
{
    struct hf_journal_recovery *recovery = run->recovery;
    struct hf_journal_loss loss = { .first_seq = first_seq, .last_seq = last_seq };

    snprintf(loss.reason, sizeof(loss.reason), "%s%s", what,
             run->view.bad ? " (the disk could not read it)" : "");
    recovery->losses = hf_realloc(recovery->losses, (recovery->loss_count + 1) * sizeof(loss));
    recovery->losses[recovery->loss_count++] = loss;
}

/* The pending batch was durable: what it says counts. */
static enum hf_status
cover(struct hf_recover *run, struct hf_error *err)
{
    struct hf_pending *pending = &run->pending;
    const uint8_t *changes;

    if (!pending->present)
        return HF_OK;
    pending->present = false;
    run->released_seq = HF_MAX(run->released_seq, pending->head.released_seq);
    run->recovery->last_stamp_ns = pending->head.stamp_ns;
    if (!pending->changes_ok || pending->head.type == HF_BATCH_MARK)
        return HF_OK;
    enum hf_status status =
        hf_view_at(&run->view, pending->offset + hf_batch_changes_at(&pending->head),
                   pending->head.change_bytes, &changes, err);
    if (status != HF_OK)
        return status;
    if (pending->head.type == HF_BATCH_STATE)
        hf_state_map_done(&run->journal->state);
    hf_state_map_apply(&run->journal->state, hf_slice(changes, pending->head.change_bytes));
    return HF_OK;
}

/* Whether the batch's bytes are those that were written. */
static enum hf_status
check_contents(struct hf_recover *run, uint64_t offset, const struct hf_batch_head *head,
               bool *ret_events_ok, bool *ret_changes_ok, struct hf_error *err)
{
    uint32_t seed = hf_batch_seed(head->generation), table = seed, payload = seed, changes = seed;
    uint64_t payload_at = hf_batch_payload_at(head), changes_at = hf_batch_changes_at(head);
    struct hf_view *view = &run->view;

    enum hf_status status =
        hf_view_crc(view, offset + HF_BATCH_HEAD, payload_at - HF_BATCH_HEAD, &table, err);
    if (status == HF_OK)
        status = hf_view_crc(view, offset + payload_at, head->payload_bytes, &payload, err);
    if (status == HF_OK)
        status = hf_view_crc(view, offset + changes_at, hf_batch_bytes(head) - changes_at, &changes,
                             err);
    if (status != HF_OK && status != HF_ECORRUPT)
        return status;
    *ret_changes_ok = status == HF_OK && changes == head->change_crc;
    *ret_events_ok = status == HF_OK && table == head->table_crc && payload == head->payload_crc;
    return HF_OK;
}

enum hf_status
hf_recover_has_snapshot(struct hf_recover *run, const struct hf_segment *segment, bool *ret_has,
                        struct hf_error *err)
{
    struct hf_batch_head head;
    uint64_t offset = HF_SEGMENT_DATA;
    bool events_ok, changes_ok;

    for (*ret_has = false; !*ret_has; offset += 8) {
        enum hf_status status = hf_view_find(&run->view, offset, segment->generation,
                                             segment->first_seq, &offset, &head, err);
        if (status == HF_OK && head.type == HF_BATCH_STATE)
            status = check_contents(run, offset, &head, &events_ok, &changes_ok, err);
        if (status == HF_ENOTFOUND || (status == HF_OK && head.type != HF_BATCH_STATE))
            return HF_OK; /* snapshots come first */
        if (status != HF_OK)
            return status;
        *ret_has = changes_ok;
    }
    return HF_OK;
}

/* A batch whose contents do not verify: HF_ECORRUPT when something proves that it was durable once,
 * HF_ENOTFOUND when not. */
static enum hf_status
judge_damaged(struct hf_recover *run, uint64_t offset, const struct hf_batch_head *head,
              struct hf_error *err)
{
    struct hf_batch_head behind;
    uint64_t at;

    /* A torn tail without events, of a crash before the last one: the start that cut it began the
     * next segment, whose snapshot has what it would have said. Only a batch with events is proved
     * by that segment: its sequences were not given out again. */
    bool torn_before = head->event_count == 0 && run->superseded;
    if (run->cap != UINT64_MAX && !torn_before)
        return HF_ECORRUPT; /* the next segment was begun behind it */
    enum hf_status status = hf_view_find(&run->view, offset + 8, head->generation,
                                         hf_batch_last_seq(head) + 1, &at, &behind, err);
    return status == HF_OK ? HF_ECORRUPT : status;
}

static void
lose_batch(struct hf_recover *run, const struct hf_batch_head *head, bool events_ok)
{
    if (!events_ok)
        hf_recover_lose(run, head->first_seq, hf_batch_last_seq(head), "a batch is damaged");
    else if (head->type == HF_BATCH_STATE)
        hf_recover_lose(run, head->first_seq, head->first_seq - 1,
                        "a snapshot of the state is damaged");
    else
        hf_recover_lose(run, head->first_seq, head->first_seq - 1,
                        "changes of the state are damaged");
}

/* Accepts the batch at `offset`, or reports it lost; HF_ENOTFOUND: the torn tail begins here. */
static enum hf_status
accept(struct hf_recover *run, struct hf_segment *segment, uint64_t offset,
       const struct hf_batch_head *head, struct hf_error *err)
{
    bool events_ok, changes_ok;
    enum hf_status status = check_contents(run, offset, head, &events_ok, &changes_ok, err);

    if (status == HF_OK && !(events_ok && changes_ok))
        status = judge_damaged(run, offset, head, err);
    if (status != HF_OK && status != HF_ECORRUPT)
        return status;
    if (status == HF_ECORRUPT)
        lose_batch(run, head, events_ok);
    status = cover(run, err);
    if (status != HF_OK)
        return status;
    run->pending = (struct hf_pending){ true, changes_ok, offset, *head };
    run->expected = hf_batch_last_seq(head) + 1;
    run->batches++;
    hf_segment_note_batch(segment, head->first_seq, hf_batch_last_seq(head), offset);
    segment->end = offset + hf_batch_bytes(head);
    return HF_OK;
}

/* Its events were written again in the next segment. What has none, a snapshot or a change of
 * the state, belongs to this one still: the next segment may begin at the same sequence, and
 * have lost its own snapshot. */
static bool
is_the_next_ones(const struct hf_recover *run, const struct hf_batch_head *head)
{
    return head->first_seq > run->cap ||
           (head->event_count > 0 && hf_batch_last_seq(head) >= run->cap);
}

/* The next batch that is to be accepted, at *offset or behind a bad spot; HF_ENOTFOUND: none that
 * this segment still owns. */
static enum hf_status
next_batch(struct hf_recover *run, const struct hf_segment *segment, uint64_t *offset,
           struct hf_batch_head *ret_head, struct hf_error *err)
{
    uint64_t at = *offset;
    enum hf_status status = hf_view_batch(&run->view, at, segment->generation, ret_head, err);

    if (status != HF_OK && status != HF_ECORRUPT)
        return status;
    bool expected = status == HF_OK && ret_head->first_seq == run->expected;
    if (!expected) {
        if (run->expected >= run->cap)
            return HF_ENOTFOUND; /* what follows was written again in the next segment */
        status =
            hf_view_find(&run->view, at, segment->generation, run->expected, &at, ret_head, err);
        if (status != HF_OK)
            return status;
    }
    if (is_the_next_ones(run, ret_head))
        return HF_ENOTFOUND;
    if (!expected)
        hf_recover_lose(run, run->expected, ret_head->first_seq - 1, "batches are damaged");
    run->expected = ret_head->first_seq;
    *offset = at;
    return HF_OK;
}

static void
count_torn(struct hf_recover *run, const struct hf_segment *segment)
{
    const uint8_t *bytes;
    struct hf_batch_head head;
    struct hf_error ignored;

    if (hf_view_at(&run->view, segment->end, HF_BATCH_HEAD, &bytes, &ignored) != HF_OK)
        return;
    if (hf_batch_head_decode(bytes, segment->generation, &head))
        run->recovery->torn_bytes += HF_MIN(hf_batch_bytes(&head), segment->bytes - segment->end);
    else if (hf_get_le32(bytes) == HF_BATCH_MAGIC || hf_get_le64(bytes + 8) == segment->generation)
        run->recovery->torn_bytes += HF_BATCH_HEAD;
}

enum hf_status
hf_recover_scan(struct hf_recover *run, struct hf_segment *segment, struct hf_error *err)
{
    uint64_t offset = HF_SEGMENT_DATA;
    struct hf_batch_head head;
    size_t losses = run->recovery->loss_count;
    enum hf_status status = HF_OK;

    run->batches = 0;
    while (status == HF_OK) {
        status = next_batch(run, segment, &offset, &head, err);
        if (status == HF_OK)
            status = accept(run, segment, offset, &head, err);
        offset = segment->end;
    }
    if (status != HF_ENOTFOUND)
        return status;
    if (run->cap != UINT64_MAX)
        return cover(run, err);
    count_torn(run, segment);
    if (run->view.bad && run->recovery->loss_count == losses)
        hf_recover_lose(run, run->expected, run->expected - 1, "the end of the newest segment");
    return HF_OK;
}

/* The newest batch has nothing behind it that proves it durable: it may stand in the page cache
 * only, or its fdatasync may have failed. Written again, the pages are dirty, and a sync means
 * something. */
enum hf_status
hf_recover_settle(struct hf_recover *run, struct hf_segment *segment, struct hf_error *err)
{
    const struct hf_pending *pending = &run->pending;
    uint64_t at = pending->offset, end = at + hf_batch_bytes(&pending->head);
    enum hf_status status = HF_OK;

    while (status == HF_OK && pending->present && pending->head.type == HF_BATCH_EVENTS &&
           at < end) {
        size_t step = (size_t)HF_MIN(end - at, HF_SEGMENT_BLOCK * 16);
        const uint8_t *bytes;
        status = hf_view_at(&run->view, at, step, &bytes, err);
        if (status == HF_OK)
            status = hf_fs_pwrite(run->view.fd, bytes, step, (off_t)at, err);
        at += step;
    }
    if (status == HF_OK)
        status = hf_fs_fdatasync(run->view.fd, err);
    if (status != HF_OK)
        return hf_while(err, status, "making the newest batch of segment %llu durable",
                        (unsigned long long)segment->number);
    return cover(run, err);
}
