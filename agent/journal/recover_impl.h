/* recovery, inside: recover.c reads one segment, open.c finds and orders them. */
#ifndef HOLDFAST_JOURNAL_RECOVER_IMPL_H
#define HOLDFAST_JOURNAL_RECOVER_IMPL_H

#include "agent/journal/journal_impl.h"

struct hf_pending { /* the last accepted batch, which nothing proves durable yet */
    bool present;
    bool changes_ok;
    uint64_t offset;
    struct hf_batch_head head;
};

struct hf_recover {
    struct hf_journal *journal;
    struct hf_journal_recovery *recovery;
    struct hf_view view; /* of the segment at hand */
    struct hf_pending pending;
    uint64_t expected; /* the next sequence */
    uint64_t cap;    /* the segment at hand ends before this sequence; UINT64_MAX for the newest */
    bool superseded; /* a later segment has a snapshot of the state */
    uint64_t released_seq; /* the highest one that is recorded */
    uint64_t batches;      /* accepted in the segment at hand */
};

/* last_seq = first_seq - 1: something is damaged, but no event. */
void hf_recover_lose(struct hf_recover *run, uint64_t first_seq, uint64_t last_seq,
                     const char *what);
/* Does it hold the snapshot that its use began with, in either copy? A crash can leave a header
 * without one. */
enum hf_status hf_recover_has_snapshot(struct hf_recover *run, const struct hf_segment *segment,
                                       bool *ret_has, struct hf_error *err) hf_must_check;
enum hf_status hf_recover_scan(struct hf_recover *run, struct hf_segment *segment,
                               struct hf_error *err) hf_must_check;
enum hf_status hf_recover_settle(struct hf_recover *run, struct hf_segment *segment,
                                 struct hf_error *err) hf_must_check;

#endif
