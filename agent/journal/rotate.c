/* The next segment: a spare, or a new file, begun with header and snapshot before anything is
 * written to it. */
#include "agent/journal/journal_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

void
hf_journal_freeze(struct hf_journal *journal)
{
    if (!journal->files.current)
        return;
    hf_fs_close(&journal->files.current->fd);
    journal->files.current = NULL;
    hf_journal_release_held(journal);
}

static enum hf_status
create(struct hf_journal *journal, uint64_t bytes, struct hf_segment **ret_segment,
       struct hf_error *err)
{
    uint64_t number = journal->files.next_number++;

    hf_journal_unlock(journal);
    enum hf_status status = hf_segment_create(journal->directory, number, bytes, ret_segment, err);
    hf_journal_lock(journal);
    return status;
}

/* Spares are too small for this batch: their room goes to a file that is large enough. */
static void
give_up_spares(struct hf_journal *journal, uint64_t bytes)
{
    while (journal->files.spares.count > 0 &&
           hf_journal_total_bytes(journal) + bytes > journal->max_bytes) {
        struct hf_segment *spare = journal->files.spares.items[0];
        struct hf_error ignored; /* a file that stays is found at the next start */
        (void)!hf_segment_unlink(journal->directory, spare, &ignored);
        hf_segment_list_remove(&journal->files.spares, 0);
        hf_segment_free(spare);
    }
}

enum hf_status
hf_journal_no_room(struct hf_error *err)
{
    return hf_fail(err, HF_ENOSPC, "the disk is full: the room that is left is kept for delivery");
}

static enum hf_status
make(struct hf_journal *journal, uint64_t needed, struct hf_segment **ret_segment,
     struct hf_error *err)
{
    uint64_t bytes =
        HF_MAX(hf_journal_file_bytes(journal), hf_journal_file_bytes_for(journal, needed));
    enum hf_status status;

    give_up_spares(journal, bytes);
    /* The limit yields to a huge batch when nothing but the newest segment is left: no release
     * could ever make room. */
    bool yields = journal->files.held.count <= 1 && journal->files.released.count == 0 &&
                  needed > journal->segment_bytes / 2;
    if (!yields && hf_journal_total_bytes(journal) + bytes > journal->max_bytes)
        status = hf_fail(
            err, HF_EFULL,
            "the journal holds its limit of %llu bytes: deliver, or raise agent.journal.max_bytes",
            (unsigned long long)journal->max_bytes);
    else if (journal->hold_room)
        status = hf_journal_no_room(err);
    else
        status = create(journal, bytes, ret_segment, err);
    /* At the start a small one will do, even past the limit: there is something to report, and
     * delivery must go on. */
    if ((status == HF_EFULL || status == HF_ENOSPC) && needed == 0 && !journal->files.current)
        status =
            create(journal, hf_journal_file_bytes_for(journal, HF_SEGMENT_MIN), ret_segment, err);
    return status;
}

static enum hf_status
take(struct hf_journal *journal, uint64_t needed, struct hf_segment **ret_segment,
     struct hf_error *err)
{
    for (size_t i = 0; i < journal->files.spares.count; i++) {
        if (hf_journal_spare_room(journal, journal->files.spares.items[i]) < needed)
            continue;
        *ret_segment = journal->files.spares.items[i];
        return HF_OK;
    }
    return make(journal, needed, ret_segment, err);
}

static enum hf_status
begin(struct hf_journal *journal, struct hf_segment *segment, const struct hf_segment_head *head,
      struct hf_error *err)
{
    enum hf_status status = hf_segment_open(journal->directory, segment, err);

    if (status == HF_OK)
        status = hf_segment_begin(segment, head, &journal->state, err);
    if (status != HF_OK) {
        struct hf_error ignored; /* what failed is told; a file that stays holds nothing and is
                                    found at the next start */
        (void)!hf_segment_unlink(journal->directory, segment, &ignored);
    }
    return status;
}

/* A spare stays in its list until it has become something else, so that begin() counts its room
 * meanwhile. */
void
hf_journal_forget_spare(struct hf_journal *journal, const struct hf_segment *segment)
{
    for (size_t i = 0; i < journal->files.spares.count; i++)
        if (journal->files.spares.items[i] == segment) {
            hf_segment_list_remove(&journal->files.spares, i);
            return;
        }
}

static uint64_t
new_generation(void)
{
    uint64_t generation = 0;

    while (generation == 0) /* 0 is what an empty file has */
        if (getrandom(&generation, sizeof(generation), 0) != sizeof(generation))
            hf_assert(errno == EINTR);
    return generation;
}

enum hf_status
hf_journal_rotate(struct hf_journal *journal, uint64_t needed_bytes, struct hf_error *err)
{
    struct hf_segment *segment = NULL;
    enum hf_status status = take(journal, needed_bytes, &segment, err);

    if (status != HF_OK)
        return status;
    hf_assert(segment != NULL);
    struct hf_segment_head head = {
        .generation = new_generation(),
        .order = journal->files.next_order++,
        .first_seq = journal->durable_seq + 1,
        .released_seq = journal->released_seq,
        .stamp_ns = hf_wall_ns(),
        .file_bytes = segment->bytes,
    };
    hf_journal_unlock(journal);
    status = begin(journal, segment, &head, err);
    hf_journal_lock(journal);
    hf_journal_forget_spare(journal, segment);
    if (status != HF_OK) {
        hf_segment_free(segment);
        return status;
    }
    if (journal->files.current)
        hf_fs_close(&journal->files.current->fd);
    journal->files.current = segment;
    hf_buf_reset(&journal->repeat.changes); /* its snapshot says them again */
    journal->repeat.count = 0;
    hf_segment_list_add(&journal->files.held, segment);
    journal->recorded_seq = head.released_seq;
    hf_journal_release_held(journal);
    return HF_OK;
}
