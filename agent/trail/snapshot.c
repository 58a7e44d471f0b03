/* The ledger written anew from memory: compaction, and the way out after a write to it failed.
 * Replaying the result gives the same structs: first what the digest under way lists, then its
 * cut, then what is still in the open. */
#include "agent/trail/trail_impl.h"
#include <holdfast/json.h>

struct steps {
    enum hf_step *steps;
    json_t **docs;
    size_t count, room;
};

static void
steps_add(struct steps *steps, enum hf_step step, json_t *doc)
{
    if (steps->count == steps->room) {
        steps->room = steps->room ? 2 * steps->room : 64;
        steps->steps = hf_realloc(steps->steps, steps->room * sizeof(*steps->steps));
        steps->docs = hf_realloc(steps->docs, steps->room * sizeof(*steps->docs));
    }
    steps->steps[steps->count] = step;
    steps->docs[steps->count++] = doc;
}

static void
steps_done(struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        json_decref(steps->docs[i]);
    hf_freep(&steps->steps);
    hf_freep(&steps->docs);
}

static void
add_attempts(struct steps *steps, const char *what, const struct outgoing *out)
{
    if (out->first_retain_s < 0)
        return;
    steps_add(steps, HF_STEP_ATTEMPT, step_attempt_doc(what, out->first_retain_s, out->foreign));
    if (out->last_retain_s != out->first_retain_s)
        steps_add(steps, HF_STEP_ATTEMPT, step_attempt_doc(what, out->last_retain_s, out->foreign));
}

static void
add_lists(struct steps *steps, const struct hf_digest_object *objects, size_t object_count,
          const struct hf_digest_loss *losses, size_t loss_count, char *const *foreign,
          size_t foreign_count)
{
    for (size_t i = 0; i < object_count; i++)
        steps_add(steps, HF_STEP_RECEIPT, step_receipt_doc(&objects[i], "", NULL));
    for (size_t i = 0; i < loss_count; i++)
        steps_add(steps, HF_STEP_LOSS, step_loss_doc(&losses[i], 0));
    for (size_t i = 0; i < foreign_count; i++)
        steps_add(steps, HF_STEP_FOREIGN, json_pack("{s:s, s:s}", "window", "", "key", foreign[i]));
}

static void
collect(struct trail *trail, struct steps *steps)
{
    steps_add(steps, HF_STEP_STATE, step_state_doc(trail));
    if (trail->key_out.sealed)
        add_attempts(steps, "key", &trail->key_out);
    if (trail->digest) {
        const struct hf_digest *digest = &trail->digest->digest;
        add_lists(steps, digest->objects, digest->object_count, digest->losses, digest->loss_count,
                  digest->foreign, digest->foreign_count);
        steps_add(steps, HF_STEP_DIGEST_CUT, step_digest_cut_doc(trail->digest));
        add_attempts(steps, "digest", &trail->digest->out);
    }
    add_lists(steps, trail->objects, trail->object_count, trail->losses, trail->loss_count,
              trail->foreign, trail->foreign_count);
    for (const struct window *window = trail->windows; window; window = window->next) {
        steps_add(steps, HF_STEP_CUT, step_cut_doc(window));
        add_attempts(steps, window->id, &window->out);
    }
}

static enum hf_status
rewrite(struct trail *trail, struct hf_error *err)
{
    struct steps steps = { 0 };
    collect(trail, &steps);
    enum hf_status status =
        hf_ledger_rewrite(trail->ledger, steps.steps, steps.docs, steps.count, err);
    if (status == HF_ENOSPC && trail->state == TRAIL_READY && reserve_give_ledgers(trail->trails))
        status = hf_ledger_rewrite(trail->ledger, steps.steps, steps.docs, steps.count, err);
    steps_done(&steps);
    trail->compact_bytes = hf_ledger_bytes(trail->ledger);
    return status;
}

bool
snapshot_write(struct trail *trail)
{
    struct hf_error err;
    enum hf_status status = rewrite(trail, &err);
    trail->ledger_trouble = status != HF_OK;
    if (status != HF_OK)
        trouble_say(trail, "ledger.failed", NULL, &err);
    return status == HF_OK;
}

/* The old file is as good, only longer: it is tried again when it has grown to twice its size. */
void
snapshot_compact(struct trail *trail)
{
    struct hf_error err;
    if (hf_ledger_bytes(trail->ledger) > LEDGER_COMPACT_BYTES + 2 * trail->compact_bytes &&
        rewrite(trail, &err) != HF_OK)
        trouble_say(trail, "ledger.long", NULL, &err);
}
