/* ledger: one per trail; the durable steps from a cut to a digest's receipt (the table of steps in
 * agent/ledger/FORMAT.md). A step is durable before the next one begins, so that after a crash at
 * any place the first step without its successor is simply done: nothing is sent twice under two
 * keys, and nothing is removed that is not delivered. Append-only frames with a JSON document each, in two files of the same bytes: what is damaged in
 * one is taken from the other. Compacted by atomic replacement. The layout is drawn in
 * agent/ledger/FORMAT.md. One thread at a time.
 */
#ifndef HOLDFAST_LEDGER_H
#define HOLDFAST_LEDGER_H

#include <holdfast/base.h>
#include <jansson.h>

/* In the order of the table of steps. Sealed files are no steps: that the file is there is the
 * step. The numbers stand on disk. */
enum hf_step {
    HF_STEP_STATE = 1, /* a compacted ledger begins with it: chain, head, position */
    HF_STEP_CUT = 2,
    HF_STEP_ATTEMPT = 3,
    HF_STEP_RECEIPT = 4,
    HF_STEP_DIGEST_CUT = 5,
    HF_STEP_DIGEST_RECEIPT = 6,
    HF_STEP_KEY_RECEIPT = 7, /* the public key lies in the bucket */
    HF_STEP_FOREIGN =
        /* a key was taken by someone else's bytes; the window is sealed again under the next
         * generation */
    8,
    HF_STEP_DROPPED = 9, /* given up with a signed loss record */
    HF_STEP_LOSS = 11,   /* a loss to be listed in the next digest; 10 was never written */
    HF_STEP_LAST = HF_STEP_LOSS
};
const char *hf_step_name(enum hf_step step); /* "unknown" for any other number */

struct hf_ledger;

typedef enum hf_status (*hf_ledger_visitor)(void *context, enum hf_step step, const json_t *doc,
                                            struct hf_error *err);

/* What was wrong with one of the two files, and has been mended from the other one. */
struct hf_ledger_file_recovery {
    bool missing;            /* it was not there, and the other was */
    bool unreadable;         /* the disk gave an error */
    uint64_t repaired_steps; /* damaged here, whole in the other file */
    uint64_t repaired_byte;  /* of the first of them */
};
struct hf_ledger_recovery {
    struct hf_ledger_file_recovery file, copy;
    uint64_t torn_bytes; /* behind the last whole step: never synced, cut off */
};

/* Opens or makes `path` and `path`.copy, and calls `visit` for each step in order; `doc` is
 * borrowed for the call. What is damaged or missing in one of them is taken from the other, and
 * both are whole again before this returns HF_OK. HF_ECORRUPT, naming the byte: a step is
 * damaged in both, with later ones behind it, or the ledger has begun before and no step is
 * left. HF_EVERSION: written by a later version. Both leave the files as they are. */
enum hf_status hf_ledger_open(const char *path, bool has_begun, hf_ledger_visitor visit,
                              void *context, struct hf_ledger **ret_ledger,
                              struct hf_ledger_recovery *ret_recovery,
                              struct hf_error *err) hf_must_check;
/* The steps of both files together, without a change to either: the same visits and refusals. No
 * step where neither is there. */
enum hf_status hf_ledger_read(const char *path, hf_ledger_visitor visit, void *context,
                              struct hf_error *err) hf_must_check;
void hf_ledger_close(struct hf_ledger *ledger);
/* Adds a step; durable only after hf_ledger_sync(). A failed write or sync of either file makes
 * the ledger refuse everything until hf_ledger_rewrite(). */
enum hf_status hf_ledger_add(struct hf_ledger *ledger, enum hf_step step, const json_t *doc,
                             struct hf_error *err) hf_must_check;
enum hf_status hf_ledger_sync(struct hf_ledger *ledger, struct hf_error *err) hf_must_check;
uint64_t hf_ledger_bytes(const struct hf_ledger *ledger); /* of one file */
/* Replaces everything by these steps, atomically: old or new, whatever fails. */
enum hf_status hf_ledger_rewrite(struct hf_ledger *ledger, const enum hf_step *steps,
                                 json_t *const *docs, size_t count,
                                 struct hf_error *err) hf_must_check;
/* Removes both files, this one last. HF_ENOTFOUND when it is not there. */
enum hf_status hf_ledger_remove(const char *path, struct hf_error *err) hf_must_check;

#endif
