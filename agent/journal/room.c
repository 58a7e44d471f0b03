/* How much the journal can still take. A unit is let in only when it and all before it will fit
 * into space that is allocated already: what was committed is written, never dropped. Everything
 * here needs the lock.
 */
#include "agent/journal/journal_impl.h"

static uint64_t
list_bytes(const struct hf_segment_list *list)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < list->count; i++)
        bytes += list->items[i]->bytes;
    return bytes;
}

uint64_t
hf_journal_total_bytes(const struct hf_journal *journal)
{
    return list_bytes(&journal->files.held) + list_bytes(&journal->files.released) +
           list_bytes(&journal->files.spares);
}

uint64_t
hf_journal_current_room(const struct hf_journal *journal)
{
    const struct hf_segment *current = journal->files.current;

    if (!current || current->bytes < current->end + HF_SEGMENT_TAIL)
        return 0;
    return current->bytes - current->end - HF_SEGMENT_TAIL;
}

uint64_t
hf_journal_new_state_max(const struct hf_journal *journal)
{
    return HF_MIN(HF_JOURNAL_STATE_MAX, journal->max_bytes / 16) / 8 * 7;
}

uint64_t
hf_journal_record_bytes_max(const struct hf_journal *journal)
{
    uint64_t bytes = hf_journal_file_bytes(journal), count = journal->max_bytes / bytes;
    /* a batch that does not fit goes to the next file, and leaves its end empty */
    uint64_t lost = hf_segment_prologue(&journal->state, bytes) + HF_SEGMENT_TAIL +
                    HF_MIN(HF_JOURNAL_BATCH_BYTES, bytes / 8);
    hf_assert(bytes > lost);
    /* of the oldest file all but the last record may be released */
    return (HF_MAX(count, 2ull) - 1) * (bytes - lost);
}

uint64_t
hf_journal_record_bytes(const struct hf_journal *journal)
{
    uint64_t bytes = list_bytes(&journal->files.held);

    return journal->files.current ? bytes - hf_journal_current_room(journal) : bytes;
}

/* By this much a snapshot may have grown when its turn comes. */
static uint64_t
pending_changes(const struct hf_journal *journal)
{
    return journal->waiting->changes.size + (journal->flight ? journal->flight->changes.size : 0);
}

uint64_t
hf_journal_spare_room(const struct hf_journal *journal, const struct hf_segment *spare)
{
    uint64_t used = hf_segment_prologue(&journal->state, spare->bytes) +
                    2 * pending_changes(journal) + HF_SEGMENT_TAIL;

    return spare->bytes > used ? spare->bytes - used : 0;
}

uint64_t
hf_journal_file_bytes_for(const struct hf_journal *journal, uint64_t needed)
{
    uint64_t twice = 2 * (HF_BATCH_HEAD + journal->state.bytes + pending_changes(journal) + 8);
    uint64_t bytes = HF_SEGMENT_DATA + twice + needed + HF_SEGMENT_TAIL;

    return (bytes + HF_SEGMENT_BLOCK - 1) / HF_SEGMENT_BLOCK * HF_SEGMENT_BLOCK;
}

uint64_t
hf_journal_file_bytes(const struct hf_journal *journal)
{
    return HF_MAX(journal->segment_bytes,
                  hf_journal_file_bytes_for(journal, journal->segment_bytes / 2));
}

bool
hf_journal_fits_as_spare(const struct hf_journal *journal, const struct hf_segment *segment)
{
    uint64_t bytes = hf_journal_file_bytes(journal);

    return segment->bytes >= bytes && segment->bytes <= 2 * bytes;
}

/* What a unit may add; one that adds more is written too, when its room was made. */
static uint64_t
unit_guess(const struct hf_segment *segment)
{
    return HF_MIN(HF_JOURNAL_BATCH_BYTES, segment->bytes / 8);
}

/* Of the batch that is filled, with what it will repeat of the one before it. */
static uint64_t
waiting_bytes(const struct hf_journal *journal)
{
    return hf_builder_bytes_with(journal->waiting, journal->flight ? journal->flight->changes.size
                                                                   : journal->repeat.changes.size);
}

uint64_t
hf_journal_spare_bytes(const struct hf_journal *journal)
{
    uint64_t waiting = waiting_bytes(journal);
    uint64_t bytes = hf_journal_file_bytes_for(journal, waiting);
    uint64_t guess = HF_MIN(HF_JOURNAL_BATCH_BYTES, bytes / 7 + HF_SEGMENT_BLOCK);

    return HF_MAX(hf_journal_file_bytes(journal),
                  hf_journal_file_bytes_for(journal, waiting + guess));
}

/* Lays the batch in flight, then the waiting one with one more unit, into the current segment and
 * the spares. */
bool
hf_journal_has_room(const struct hf_journal *journal)
{
    uint64_t flight = journal->flight ? hf_builder_bytes(journal->flight) : 0;
    uint64_t waiting = waiting_bytes(journal);
    bool flight_laid = flight == 0;

    for (size_t i = journal->files.current ? 0 : 1; i <= journal->files.spares.count; i++) {
        const struct hf_segment *segment =
            i == 0 ? journal->files.current : journal->files.spares.items[i - 1];
        uint64_t room =
            i == 0 ? hf_journal_current_room(journal) : hf_journal_spare_room(journal, segment);
        if (!flight_laid && room >= flight) {
            flight_laid = true;
            room -= flight;
        }
        if (flight_laid && room >= waiting + unit_guess(segment))
            return true;
    }
    return false;
}

bool
hf_journal_admits(const struct hf_journal *journal)
{
    bool failing = journal->flight && journal->writer.attempts > 0;

    return !failing && hf_builder_bytes(journal->waiting) < HF_JOURNAL_BATCH_BYTES &&
           hf_journal_has_room(journal);
}

void
hf_journal_release_held(struct hf_journal *journal)
{
    /* The newest stays: its snapshot and what follows is the only durable copy of the state. */
    for (size_t i = 0; i + 1 < journal->files.held.count;) {
        struct hf_segment *segment = journal->files.held.items[i];
        if (hf_segment_has_events(segment) && segment->last_seq > journal->released_seq) {
            i++;
            continue;
        }
        hf_segment_list_remove(&journal->files.held, i);
        hf_segment_list_add(&journal->files.released, segment);
    }
}
