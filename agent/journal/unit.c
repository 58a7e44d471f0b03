/* Producers: a unit is added to the waiting builder under the lock, which begin takes and commit or
 * abandon gives back. */
#include "agent/journal/journal_impl.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define KEY_MAX 4096

static enum hf_status
refuse(struct hf_journal *journal, struct hf_error *err)
{
    const struct hf_trouble *write = &journal->write_trouble, *space = &journal->space_trouble;

    if (journal->flight && journal->writer.attempts > 0 && write->status != HF_OK)
        return hf_fail(err, write->status == HF_ENOSPC ? HF_ENOSPC : HF_EFULL, "%s", write->text);
    if (!hf_journal_has_room(journal) && space->status != HF_OK)
        return hf_fail(err, space->status == HF_ENOSPC ? HF_ENOSPC : HF_EFULL, "%s", space->text);
    return hf_fail(err, HF_EFULL,
                   "a batch of the journal waits to be written: try again when it is");
}

enum hf_status
hf_journal_begin(struct hf_journal *journal, bool wait, struct hf_error *err)
{
    hf_journal_lock(journal);
    while (!journal->stopping && !hf_journal_admits(journal)) {
        if (!journal->refused) {
            journal->refused = true;
            pthread_cond_signal(&journal->work); /* it now has to look for room by itself */
        }
        if (!wait) {
            enum hf_status status = refuse(journal, err);
            hf_journal_unlock(journal);
            return status;
        }
        pthread_cond_wait(&journal->progress, &journal->lock);
    }
    if (journal->stopping) {
        hf_journal_unlock(journal);
        return hf_fail(err, HF_ESTOPPED, "the journal is closing");
    }
    hf_assert(!journal->unit.open);
    journal->unit.open = true;
    journal->unit.place = hf_builder_place(journal->waiting);
    journal->unit.seq = journal->next_seq;
    return HF_OK;
}

uint64_t
hf_journal_next_seq(const struct hf_journal *journal)
{
    hf_assert(journal->unit.open);
    return journal->next_seq;
}

enum hf_status
hf_journal_append_entry(struct hf_journal *journal, const struct hf_journal_entry *entry,
                        const struct hf_slice *parts, size_t part_count, uint64_t *ret_seq,
                        struct hf_error *err)
{
    /* A batch that no file could ever hold would wait for ever. */
    uint64_t max = HF_MIN(HF_JOURNAL_RECORD_MAX, journal->max_bytes / 4);
    struct hf_journal_entry whole = *entry;
    size_t size = 0;

    for (size_t i = 0; i < part_count; i++)
        size += parts[i].size;

    hf_assert(journal->unit.open);
    if (size == 0)
        return hf_fail(err, HF_EUSAGE, "a record has no bytes");
    if (size > max)
        return hf_fail(err, HF_ELIMIT, "a record has %zu bytes, the journal takes at most %llu",
                       size, (unsigned long long)max);
    if (entry->source >= HF_SOURCES_MAX)
        return hf_fail(err, HF_EUSAGE, "source %u is not one of the journal's", entry->source);
    if (entry->appended > HF_JOURNAL_APPENDED_MAX || entry->appended >= size)
        return hf_fail(err, HF_EUSAGE, "%u of a record's %zu bytes cannot have been appended",
                       entry->appended, size);
    if (entry->flags)
        return hf_fail(err, HF_EUSAGE, "an entry has no flags, not %#x", entry->flags);
    whole.size = (uint32_t)size;
    if (hf_builder_append(journal->waiting, &whole, parts, part_count) != HF_OK)
        return hf_fail(err, HF_ELIMIT, "a unit is too large for one batch: make it smaller");
    if (ret_seq)
        *ret_seq = journal->next_seq;
    journal->next_seq++;
    return HF_OK;
}

enum hf_status
hf_journal_append(struct hf_journal *journal, uint16_t source, int64_t event_time_s,
                  struct hf_slice payload, uint64_t *ret_seq, struct hf_error *err)
{
    const struct hf_journal_entry entry = { .source = source, .event_time_s = event_time_s };

    return hf_journal_append_entry(journal, &entry, &payload, 1, ret_seq, err);
}

/* What the changes of a batch that is not durable yet add at the most: a key that is changed several
 * times counts each time. Looks once at each of them, until another batch is durable. */
static size_t
growth_of(const struct hf_journal *journal, struct hf_builder *builder)
{
    struct hf_slice changes = hf_buf_slice(&builder->changes);
    struct hf_change change;

    if (builder->growth.beside != journal->durable_number)
        builder->growth.seen = builder->growth.bytes = 0;
    builder->growth.beside = journal->durable_number;
    if (builder->growth.seen > 0)
        changes = hf_slice(changes.ptr + builder->growth.seen, changes.size - builder->growth.seen);
    while (hf_change_next(&changes, &change)) {
        size_t size = hf_change_bytes(&change);
        size_t before = hf_state_map_size(&journal->state, change.key);
        if (!change.remove && size > before)
            builder->growth.bytes += size - before;
    }
    builder->growth.seen = builder->changes.size;
    return builder->growth.bytes;
}

/* The size of the key with its value behind these changes, and `before` them. */
static size_t
size_behind(const struct hf_builder *builder, struct hf_slice key, size_t before)
{
    struct hf_slice changes = hf_buf_slice(&builder->changes);
    struct hf_change change;

    while (hf_change_next(&changes, &change))
        if (hf_slice_equal(change.key, key))
            before = change.remove ? 0 : hf_change_bytes(&change);
    return before;
}

/* Slow, and only where it is close: a change is charged by what it adds. */
static bool
admits_change(struct hf_journal *journal, const struct hf_change *change)
{
    size_t known = hf_state_map_size(&journal->state, change->key);
    size_t size = hf_change_bytes(change), room = hf_journal_new_state_max(journal);
    size_t pending = growth_of(journal, journal->waiting);

    if (journal->flight)
        pending += growth_of(journal, journal->flight);
    size_t would_be = journal->state.bytes + pending + size;
    if (change->remove || (known > 0 && size <= known) || would_be - HF_MIN(known, size) <= room)
        return true;
    if (journal->flight)
        known = size_behind(journal->flight, change->key, known);
    known = size_behind(journal->waiting, change->key, known);
    return size <= known || (known > 0 && would_be - known <= HF_JOURNAL_STATE_MAX);
}

enum hf_status
hf_journal_set_state(struct hf_journal *journal, const char *key, struct hf_slice value,
                     struct hf_error *err)
{
    size_t key_bytes = strnlen(key, KEY_MAX + 1);
    size_t pending =
        journal->waiting->changes.size + (journal->flight ? journal->flight->changes.size : 0);
    const struct hf_change change = { .key = hf_slice(key, key_bytes),
                                      .value = value,
                                      .remove = value.size == 0 };

    hf_assert(journal->unit.open);
    if (key_bytes == 0 || key_bytes > KEY_MAX)
        return hf_fail(err, HF_EUSAGE, "a state key has 1 to %d bytes, not %zu", KEY_MAX,
                       key_bytes);
    bool far = journal->state.bytes + pending + hf_change_bytes(&change) <=
               hf_journal_new_state_max(journal);
    if (value.size > HF_JOURNAL_STATE_MAX || (!far && !admits_change(journal, &change)))
        return hf_fail(err, HF_ELIMIT,
                       "the journal's state would be over its maximum with '%.100s'", key);
    enum hf_status status =
        hf_change_add(&journal->waiting->changes, change.key, value, change.remove);
    if (status != HF_OK)
        return hf_fail(err, status, "the state change of '%.100s' does not fit into a batch", key);
    journal->waiting->change_count++;
    return HF_OK;
}

void
hf_journal_commit(struct hf_journal *journal)
{
    hf_assert(journal->unit.open);
    journal->unit.open = false;
    if (!hf_builder_empty(journal->waiting))
        pthread_cond_signal(&journal->work);
    hf_journal_unlock(journal);
}

void
hf_journal_abandon(struct hf_journal *journal)
{
    hf_assert(journal->unit.open);
    hf_builder_cut(journal->waiting, &journal->unit.place);
    journal->next_seq = journal->unit.seq;
    journal->unit.open = false;
    hf_journal_unlock(journal);
}

/* HF_OK: go on waiting. */
static enum hf_status
wait_for_progress(struct hf_journal *journal, const struct timespec *at, struct hf_error *err)
{
    if (journal->writer.attempts > 1) /* it failed on a fresh segment too, so it may take long */
        return hf_fail(err, journal->write_trouble.status, "%s", journal->write_trouble.text);
    if (pthread_cond_timedwait(&journal->progress, &journal->lock, at) == ETIMEDOUT)
        return hf_fail(err, HF_ETIMEOUT, "the journal's disk has not answered yet");
    return HF_OK;
}

enum hf_status
hf_journal_sync(struct hf_journal *journal, int64_t timeout_ms, struct hf_error *err)
{
    enum hf_status status = HF_OK;
    struct timespec at;

    hf_deadline_in((uint64_t)HF_MAX(timeout_ms, 0), &at);
    hf_journal_lock(journal);
    uint64_t target = journal->durable_number;
    if (!hf_builder_empty(journal->waiting))
        target = journal->waiting->number;
    else if (journal->flight)
        target = journal->flight->number;
    while (status == HF_OK && journal->durable_number < target)
        status = wait_for_progress(journal, &at, err);
    hf_journal_unlock(journal);
    return status;
}
