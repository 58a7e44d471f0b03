/* What the writer does between batches: released segments become spares or go, spares are wiped
 * where they must be, and one is made before the current segment is used up.
 */
#include "agent/journal/journal_impl.h"

/* Reuse has to wait for the durable word that nothing in it is needed: else a crash in the middle
 * of the new header would look like a segment that was lost. Without a current segment nothing can
 * be written: then room goes first. */
static bool
may_go(const struct hf_journal *journal, const struct hf_segment *segment)
{
    return !hf_segment_has_events(segment) || segment->last_seq <= journal->recorded_seq ||
           !journal->files.current;
}

static struct hf_segment *
unwiped_spare(const struct hf_journal *journal)
{
    for (size_t i = 0; journal->wipe && i < journal->files.spares.count; i++)
        if (!journal->files.spares.items[i]->clean)
            return journal->files.spares.items[i];
    return NULL;
}

/* Somebody waits, and nothing is on its way that would make room: whatever the sizes below say, what
 * there is does not do. */
static bool
is_stuck(const struct hf_journal *journal)
{
    return journal->refused && !journal->flight && hf_builder_empty(journal->waiting) &&
           !hf_journal_has_room(journal);
}

bool
hf_journal_needs_spare(const struct hf_journal *journal)
{
    if (journal->stopping)
        return false;
    if (is_stuck(journal))
        return true;
    for (size_t i = 0; i < journal->files.spares.count; i++)
        if (hf_journal_spare_room(journal, journal->files.spares.items[i]) >=
            journal->segment_bytes / 4)
            return false;
    return !journal->files.current ||
           hf_journal_current_room(journal) < journal->files.current->bytes / 2;
}

bool
hf_journal_tidy_due(const struct hf_journal *journal, uint64_t now_ms)
{
    for (size_t i = 0; i < journal->files.released.count; i++)
        if (may_go(journal, journal->files.released.items[i]))
            return true;
    return unwiped_spare(journal) ||
           (hf_journal_needs_spare(journal) && now_ms >= journal->writer.spare_retry_ms);
}

/* Keeps the file as a spare, or takes it away. */
static void
settle(struct hf_journal *journal, struct hf_segment *segment, bool keep)
{
    bool wipe = journal->wipe && !segment->clean;
    struct hf_error err;
    enum hf_status status = HF_OK;

    hf_journal_unlock(journal);
    if (keep)
        status = hf_segment_open(journal->directory, segment, &err);
    if (keep && status == HF_OK && wipe)
        status = hf_segment_wipe(segment, &err);
    if (!keep || status != HF_OK) {
        keep = false;
        status = hf_segment_unlink(journal->directory, segment, &err);
    }
    hf_journal_lock(journal);

    if (keep) {
        hf_segment_list_add(&journal->files.spares, segment);
        return;
    }
    if (status != HF_OK) /* the file stays, its room is lost until the next start */
        hf_trouble_set(&journal->space_trouble, status, &err);
    hf_segment_free(segment);
}

static bool
settle_released(struct hf_journal *journal)
{
    bool any = false;

    for (size_t i = 0; i < journal->files.released.count;) {
        struct hf_segment *segment = journal->files.released.items[i];
        if (!may_go(journal, segment)) {
            i++;
            continue;
        }
        hf_segment_list_remove(&journal->files.released, i);
        settle(journal, segment,
               journal->files.spares.count < HF_JOURNAL_SPARES &&
                   hf_journal_fits_as_spare(journal, segment));
        any = true;
        i = 0; /* the list may have grown while the lock was given up */
    }
    return any;
}

/* The state has grown out of them. */
static void
drop_small_spares(struct hf_journal *journal)
{
    while (journal->files.spares.count > 0) {
        struct hf_segment *spare = journal->files.spares.items[0];
        hf_segment_list_remove(&journal->files.spares, 0);
        settle(journal, spare, false);
    }
}

static void
make_spare(struct hf_journal *journal)
{
    uint64_t bytes = hf_journal_spare_bytes(journal);
    struct hf_segment *segment = NULL;
    struct hf_error err;
    enum hf_status status;

    drop_small_spares(journal);
    /* As in rotate.c: where only the newest is left, no release could ever make room. */
    bool yields =
        is_stuck(journal) && journal->files.held.count <= 1 && journal->files.released.count == 0;
    if (!yields && hf_journal_total_bytes(journal) + bytes > journal->max_bytes) {
        status = hf_fail(&err, HF_EFULL,
                         "the journal holds %llu of at most %llu bytes: deliver, or raise "
                         "agent.journal.max_bytes",
                         (unsigned long long)hf_journal_total_bytes(journal),
                         (unsigned long long)journal->max_bytes);
    } else if (journal->hold_room) {
        status = hf_journal_no_room(&err);
    } else {
        uint64_t number = journal->files.next_number++;
        hf_journal_unlock(journal);
        status = hf_segment_create(journal->directory, number, bytes, &segment, &err);
        hf_journal_lock(journal);
    }
    hf_trouble_set(&journal->space_trouble, status, &err);
    if (status == HF_OK)
        hf_segment_list_add(&journal->files.spares, segment);
    else
        journal->writer.spare_retry_ms = hf_boot_ms() + HF_JOURNAL_RETRY_MS;
}

void
hf_journal_tidy(struct hf_journal *journal)
{
    bool freed = settle_released(journal);
    struct hf_segment *spare;

    while ((spare = unwiped_spare(journal)) != NULL) {
        hf_journal_forget_spare(journal, spare);
        settle(journal, spare, true);
    }
    if (freed)
        journal->writer.retry_ms = journal->writer.spare_retry_ms = 0;
    if (hf_journal_needs_spare(journal) && hf_boot_ms() >= journal->writer.spare_retry_ms)
        make_spare(journal);
    if (!hf_journal_needs_spare(journal))
        hf_trouble_set(&journal->space_trouble, HF_OK, NULL);
    journal->writer.report = true;
    pthread_cond_broadcast(&journal->progress);
}
