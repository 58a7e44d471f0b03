/* ledger: one per trail; the durable steps from a cut to a digest's receipt (ENGINE.md section 4). Append-only frames with a
 * JSON document each; compacted by atomic replacement. The layout is drawn in agent/ledger/FORMAT.md. One thread at a time.
 */
#ifndef HOLDFAST_LEDGER_H
#define HOLDFAST_LEDGER_H

#include <holdfast/base.h>
#include <jansson.h>

/* In the order of the table of steps. Sealed files are no steps: that the file is there is the step. */
enum hf_step {
    HF_STEP_STATE = 1,      /* a compacted ledger begins with it: chain, head, position */
    HF_STEP_CUT,
    HF_STEP_ATTEMPT,
    HF_STEP_RECEIPT,
    HF_STEP_DIGEST_CUT,
    HF_STEP_DIGEST_RECEIPT,
    HF_STEP_KEY_RECEIPT,    /* the public key lies in the bucket */
    HF_STEP_FOREIGN,        /* a key was taken by someone else's bytes; the window is sealed again under the next generation */
    HF_STEP_DROPPED,        /* given up with a signed loss record */
    HF_STEP_CHAIN,          /* `holdfast chain new` */
    HF_STEP_LOSS,           /* a loss to be listed in the next digest */
    HF_STEP_LAST = HF_STEP_LOSS
};
const char *hf_step_name(enum hf_step step);

struct hf_ledger;

/* Opens or makes the file and calls `visit` for each step in order; `doc` is borrowed for the call. A torn tail (bytes after the last
 * valid frame that no valid frame follows) is cut off and counted; a bad frame before valid ones is HF_ECORRUPT naming the byte. */
enum hf_status hf_ledger_open(const char *path,
                              enum hf_status (*visit)(void *context, enum hf_step step, const json_t *doc, struct hf_error *err),
                              void *context, struct hf_ledger **ret_ledger, uint64_t *ret_torn_bytes, struct hf_error *err) hf_must_check;
void hf_ledger_close(struct hf_ledger *ledger);
/* Adds a step; durable only after hf_ledger_sync(). A failed write or sync makes the ledger refuse everything until hf_ledger_rewrite(). */
enum hf_status hf_ledger_add(struct hf_ledger *ledger, enum hf_step step, const json_t *doc, struct hf_error *err) hf_must_check;
enum hf_status hf_ledger_sync(struct hf_ledger *ledger, struct hf_error *err) hf_must_check;
uint64_t hf_ledger_bytes(const struct hf_ledger *ledger);
/* Replaces the whole file by these steps, atomically: old or new, whatever fails. */
enum hf_status hf_ledger_rewrite(struct hf_ledger *ledger, const enum hf_step *steps, json_t *const *docs, size_t count, struct hf_error *err) hf_must_check;
/* The same over bytes, without a file; for fuzzing and tests. */
enum hf_status hf_ledger_scan(struct hf_slice bytes, enum hf_status (*visit)(void *context, enum hf_step step, const json_t *doc, struct hf_error *err),
                              void *context, size_t *ret_valid_bytes, struct hf_error *err) hf_must_check;

#endif
