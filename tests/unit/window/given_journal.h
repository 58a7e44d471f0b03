/* A journal made of what the test says: batches with stamps and sizes, of which a part is visible,
 * and a floor. It stands in for the real one's reader at link time, because no real journal can be
 * given its clock or ten thousand shapes a second. */
#ifndef HOLDFAST_TESTS_WINDOW_GIVEN_JOURNAL_H
#define HOLDFAST_TESTS_WINDOW_GIVEN_JOURNAL_H

#include "tests/support/test.h"

#include <holdfast/window.h>

#define GIVEN_BATCHES 64
#define GIVEN_ENTRIES 12

struct given_batch {
    uint64_t first_seq;
    uint32_t count;
    uint64_t stamp_s;
    bool lost;
    struct hf_journal_entry entries[GIVEN_ENTRIES];
};

struct hf_journal {
    struct given_batch batches[GIVEN_BATCHES];
    size_t count;
    size_t visible; /* batches that are durable */
    uint64_t floor_s;
    uint64_t losses_reported;
};

struct hf_journal_reader {
    struct hf_journal *journal;
    size_t at;
    uint64_t from_seq;
};

void
hf_journal_info(struct hf_journal *journal, struct hf_journal_info *ret_info)
{
    *ret_info = (struct hf_journal_info){ .floor_ns = journal->floor_s * HF_NS_PER_S + 1 };
}

enum hf_status
hf_journal_reader_open(struct hf_journal *journal, uint64_t from_seq,
                       struct hf_journal_reader **ret_reader, struct hf_error *err)
{
    (void)err;
    *ret_reader = hf_alloc(sizeof(**ret_reader));
    **ret_reader = (struct hf_journal_reader){ .journal = journal, .from_seq = from_seq };
    return HF_OK;
}

void
hf_journal_reader_close(struct hf_journal_reader *reader)
{
    hf_freep(&reader);
}

enum hf_status
hf_journal_reader_next(struct hf_journal_reader *reader, struct hf_journal_batch *ret_batch,
                       struct hf_journal_loss *ret_loss, struct hf_error *err)
{
    struct hf_journal *journal = reader->journal;
    const struct given_batch *batch;
    uint64_t last_seq;

    do {
        if (reader->at >= journal->visible)
            return HF_EFULL;
        batch = &journal->batches[reader->at++];
        last_seq = batch->first_seq + batch->count - 1;
    } while (last_seq < reader->from_seq);
    if (batch->lost) {
        *ret_loss =
            (struct hf_journal_loss){ .first_seq = HF_MAX(batch->first_seq, reader->from_seq),
                                      .last_seq = last_seq };
        journal->losses_reported++;
        return hf_fail(err, HF_ECORRUPT, "lost");
    }
    *ret_batch = (struct hf_journal_batch){ .first_seq = batch->first_seq,
                                            .count = batch->count,
                                            .stamp_ns = batch->stamp_s * HF_NS_PER_S + 999999999,
                                            .entries = batch->entries };
    return HF_OK;
}

/* Adds a batch of records of this size from this source; the first one stands at sequence 1. */
static inline struct given_batch *
given_add(struct hf_journal *journal, uint64_t stamp_s, uint32_t count, uint32_t size,
          uint16_t source)
{
    assert_true(journal->count < GIVEN_BATCHES && count <= GIVEN_ENTRIES);
    struct given_batch *batch = &journal->batches[journal->count];
    const struct given_batch *before = journal->count ? batch - 1 : NULL;
    *batch = (struct given_batch){ .first_seq = before ? before->first_seq + before->count : 1,
                                   .count = count,
                                   .stamp_s = stamp_s };
    for (uint32_t i = 0; i < count; i++)
        batch->entries[i] = (struct hf_journal_entry){ .size = size,
                                                       .source = source,
                                                       .event_time_s = (int64_t)(stamp_s + i) };
    journal->count++;
    journal->visible = journal->count;
    return batch;
}

static inline uint64_t
given_last_seq(const struct hf_journal *journal)
{
    if (journal->visible == 0)
        return 0;
    const struct given_batch *batch = &journal->batches[journal->visible - 1];
    return batch->first_seq + batch->count - 1;
}

#endif
