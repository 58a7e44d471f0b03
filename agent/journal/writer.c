/* The writer thread. Batches go out back to back: while one is synced the next one fills, so that a
 * batch is as large as what waits.
 *
 *                 ┌───────────────── durable: publish, report ─────────────────┐
 *                 ▼                                                            │
 *   SLEEP ──▶ swap builders ──▶ (rotate when it does not fit) ──▶ pwrite ──▶ fdatasync
 *     ▲           ▲                                                  │         │
 *     │           │         failed: freeze the segment, no ack       │         │
 *     │           └── same batch, same sequences, another segment ◀──┴─────────┘
 *     │               (at once the first time, then every second)
 *     └── nothing to do: tidy, a mark when quiet, a fresh segment when wiping
 *
 * A failed fdatasync is never repeated on the same pages: the kernel may have marked them clean.
 */
#include "agent/journal/journal_impl.h"

enum job {
    JOB_SLEEP,  /* until woken or until a time */
    JOB_TIDY,   /* released segments, spares */
    JOB_WRITE,  /* the batch in flight, or what waits */
    JOB_ROTATE, /* leave a drained segment, so that it can be wiped */
    JOB_MARK,   /* cover the last batch, or record what was released */
    JOB_STOP,
};

static bool
has_work(const struct hf_journal *journal)
{
    return journal->flight || !hf_builder_empty(journal->waiting);
}

/* The newest segment, which has the state, is the current one, or frozen after a failure. */
static bool
is_drained(const struct hf_journal *journal)
{
    const struct hf_segment_list *held = &journal->files.held;
    const struct hf_segment *newest = held->count > 0 ? held->items[held->count - 1] : NULL;
    return newest && hf_segment_has_events(newest) && newest->last_seq <= journal->released_seq;
}

static bool
must_record(const struct hf_journal *journal)
{
    return journal->files.current && journal->files.released.count > 0 &&
           journal->released_seq > journal->recorded_seq;
}

/* `*until_ms`: when to look again although nobody wakes us; 0: never. */
static enum job
choose(const struct hf_journal *journal, uint64_t now_ms, uint64_t *until_ms)
{
    bool failing = journal->writer.attempts > 0;
    bool blocked = journal->flight && journal->writer.attempts > 1 &&
                   (now_ms < journal->writer.retry_ms || journal->stopping);
    bool leaves = journal->wipe && !has_work(journal) && is_drained(journal);
    uint64_t mark_ms = journal->writer.commit_ms + HF_JOURNAL_IDLE_MS;

    if (hf_journal_tidy_due(journal, now_ms))
        return JOB_TIDY;
    if (has_work(journal) && !blocked)
        return JOB_WRITE;
    if (leaves && now_ms >= journal->writer.retry_ms)
        return JOB_ROTATE;
    if (must_record(journal))
        return JOB_MARK;
    if (journal->writer.unmarked && !failing && (now_ms >= mark_ms || journal->stopping))
        return JOB_MARK;
    if (journal->stopping)
        return JOB_STOP;

    *until_ms = 0;
    if (blocked)
        *until_ms = journal->writer.retry_ms;
    else if (journal->writer.unmarked && !failing)
        *until_ms = mark_ms;
    if (leaves) /* it failed: plaintext must not stay until the next event comes */
        *until_ms =
            *until_ms ? HF_MIN(*until_ms, journal->writer.retry_ms) : journal->writer.retry_ms;
    if (journal->refused && hf_journal_needs_spare(journal))
        *until_ms = *until_ms ? HF_MIN(*until_ms, journal->writer.spare_retry_ms)
                              : journal->writer.spare_retry_ms;
    return JOB_SLEEP;
}

static void
wait_for_work(struct hf_journal *journal, uint64_t now_ms, uint64_t until_ms)
{
    if (until_ms == 0) {
        pthread_cond_wait(&journal->work, &journal->lock);
        return;
    }
    uint64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 1;
    struct timespec at;
    hf_deadline_in(left_ms, &at);
    pthread_cond_timedwait(&journal->work, &journal->lock, &at);
}

/* From here on the batch has its stamp and its sequences; what comes later goes to the other
 * builder. */
static void
swap_builders(struct hf_journal *journal)
{
    journal->flight = journal->waiting;
    journal->flight->stamp_ns = hf_wall_ns();
    hf_repeat_give(&journal->repeat, journal->flight);
    journal->writer.attempts = 0;
    journal->waiting = &journal->builders[journal->flight == &journal->builders[0]];
    hf_builder_reset(journal->waiting, ++journal->batch_number, journal->next_seq);
    pthread_cond_broadcast(&journal->progress);
}

/* Writes one batch at the end of the current segment. The lock is given up meanwhile. */
static enum hf_status
write_batch(struct hf_journal *journal, struct hf_builder *builder, uint64_t *ret_released_seq,
            struct hf_error *err)
{
    struct hf_segment *segment = journal->files.current;
    struct hf_batch_head head = {
        .generation = segment->generation,
        .durable_seq = journal->durable_seq,
        .released_seq = journal->released_seq,
    };

    hf_assert(builder->first_seq == journal->durable_seq + 1);
    hf_assert(segment->end + hf_builder_bytes(builder) <= segment->bytes);
    hf_journal_unlock(journal);
    enum hf_status status = hf_builder_write(builder, segment->fd, segment->end, &head, err);
    if (status == HF_OK)
        status = hf_fs_fdatasync(segment->fd, err);
    hf_journal_lock(journal);
    *ret_released_seq = head.released_seq;
    return status;
}

static void
publish(struct hf_journal *journal, uint64_t released_seq)
{
    struct hf_builder *flight = journal->flight;
    struct hf_segment *segment = journal->files.current;
    uint64_t last_seq = flight->first_seq + flight->event_count - 1;

    hf_segment_note_batch(segment, flight->first_seq, last_seq, segment->end);
    segment->end += hf_builder_bytes(flight);
    journal->writer.bytes += hf_builder_bytes(flight);
    hf_state_map_apply(&journal->state, hf_buf_slice(&flight->changes));
    journal->durable_seq = last_seq;
    journal->durable_number = flight->number;
    journal->recorded_seq = released_seq;
    journal->writer.commits++;
    journal->writer.events += flight->event_count;
    journal->writer.commit_ms = hf_boot_ms();
    journal->writer.unmarked = true;
    journal->writer.attempts = 0;
    hf_trouble_set(&journal->write_trouble, HF_OK, NULL);
    hf_repeat_take(&journal->repeat, flight);
    hf_builder_reset(flight, 0, 0);
    journal->flight = NULL;
}

static void
write_flight(struct hf_journal *journal)
{
    uint64_t needed = hf_builder_bytes(journal->flight);
    uint64_t released_seq = 0;
    struct hf_error err;
    enum hf_status status = HF_OK;

    if (hf_journal_current_room(journal) < needed)
        status = hf_journal_rotate(journal, needed, &err);
    if (status == HF_OK) {
        status = write_batch(journal, journal->flight, &released_seq, &err);
        if (status != HF_OK)
            hf_journal_freeze(journal);
    }
    if (status == HF_OK) {
        publish(journal, released_seq);
    } else {
        journal->writer.attempts++;
        journal->writer.retry_ms = hf_boot_ms() + HF_JOURNAL_RETRY_MS;
        hf_trouble_set(&journal->write_trouble, status, &err);
    }
    journal->writer.report = true;
    pthread_cond_broadcast(&journal->progress);
}

static void
write_mark(struct hf_journal *journal)
{
    hf_owned(hf_builder_done) struct hf_builder mark;
    uint64_t released_seq = journal->released_seq;
    struct hf_error err;

    journal->writer.unmarked = false;
    for (size_t i = 0; !has_work(journal) && i < HF_COUNT(journal->builders); i++)
        hf_builder_trim(&journal->builders[i]); /* nothing came for a while */
    if (!journal->files.current ||
        journal->files.current->end + HF_BATCH_HEAD > journal->files.current->bytes) {
        journal->recorded_seq =
            released_seq; /* not recorded, but room has to come from somewhere */
        return;
    }
    hf_builder_init(&mark);
    hf_builder_reset(&mark, 0, journal->durable_seq + 1);
    mark.stamp_ns = hf_wall_ns();
    if (hf_journal_current_room(journal) >=
        hf_builder_bytes_with(&mark, journal->repeat.changes.size))
        hf_repeat_give(&journal->repeat, &mark);
    mark.type = mark.repeat.count > 0 ? HF_BATCH_EVENTS
                                      : HF_BATCH_MARK; /* a mark is a header and no more */
    if (write_batch(journal, &mark, &released_seq, &err) != HF_OK) {
        hf_trouble_set(&journal->write_trouble, err.status, &err);
        hf_journal_freeze(journal); /* the next batch opens another segment */
        journal->writer.report = true;
        return;
    }
    journal->files.current->end += hf_builder_bytes(&mark);
    journal->recorded_seq = released_seq;
}

static void
leave_drained(struct hf_journal *journal)
{
    struct hf_error err;
    enum hf_status status = hf_journal_rotate(journal, 0, &err);

    if (status != HF_OK) {
        journal->writer.retry_ms =
            hf_boot_ms() + HF_JOURNAL_RETRY_MS; /* and when something is released */
        hf_trouble_set(&journal->space_trouble, status, &err);
    } else {
        journal->writer.unmarked = false; /* the new header covers all */
    }
}

/* Tells what became durable and whether there is room, without any lock. */
static void
report(struct hf_journal *journal)
{
    uint64_t durable_seq = journal->durable_seq;
    bool room = hf_journal_admits(journal);

    journal->writer.report = false;
    if (room)
        journal->refused = false;
    if (!journal->on_commit)
        return;
    hf_journal_unlock(journal);
    journal->on_commit(journal->context, durable_seq, room);
    hf_journal_lock(journal);
}

static bool
step(struct hf_journal *journal)
{
    uint64_t now_ms = hf_boot_ms(), until_ms = 0;
    enum job job = choose(journal, now_ms, &until_ms);

    /* First, so that the report can promise the room that this makes. */
    if (job == JOB_WRITE && !journal->flight)
        swap_builders(journal);
    if (journal->writer.report) {
        report(journal);
        return true;
    }
    switch (job) {
    case JOB_SLEEP: wait_for_work(journal, now_ms, until_ms); break;
    case JOB_TIDY: hf_journal_tidy(journal); break;
    case JOB_WRITE: write_flight(journal); break;
    case JOB_ROTATE: leave_drained(journal); break;
    case JOB_MARK: write_mark(journal); break;
    case JOB_STOP: return false;
    }
    return true;
}

void *
hf_journal_writer(void *argument)
{
    struct hf_journal *journal = argument;

    (void)pthread_setname_np(pthread_self(), "hf-journal");
    hf_journal_lock(journal);
    while (step(journal))
        ;
    hf_journal_unlock(journal);
    return NULL;
}
