/* What is put on a bucket, in which order: the bucket with its Object Lock, which most stores cannot
 * add later; the default lock before anything that could be deleted; what the agent needs, the
 * bucket policy, last, so that nobody writes to a bucket that is half set up. A document that the
 * store refuses does not keep the others from it. */
#include "bucket_impl.h"

#include <holdfast/json.h>

struct apply {
    struct hf_store *store;
    void (*tell)(void *context, const struct hf_bucket_step *step);
    void *context;
};

enum hf_status
hf_bucket_make(struct hf_store *store, bool *ret_made, enum hf_lock_state *ret_state,
               struct hf_error *err)
{
    enum hf_lock_state state;
    enum hf_status status = hf_store_bucket_state(store, &state, err);
    bool missing = status == HF_OK && state == HF_BUCKET_MISSING;
    if (missing)
        status = hf_store_bucket_create(store, err);
    if (status != HF_OK)
        return status;
    *ret_made = missing;
    *ret_state = missing ? HF_BUCKET_LOCKED : state;
    return HF_OK;
}

/* Takes the outcome from the status where it was sent. */
static void
tell_sent(const struct apply *apply, struct hf_bucket_step *step, enum hf_status status)
{
    step->outcome = status == HF_OK ? HF_OUTCOME_SET : HF_OUTCOME_REFUSED;
    apply->tell(apply->context, step);
}

static void
put_part(const struct apply *apply, enum hf_bucket_part part, const json_t *doc)
{
    struct hf_bucket_step step = { .part = part };
    if (doc)
        tell_sent(apply, &step, document_put(apply->store, part, doc, &step.err));
}

/* A store that does not have the storage class refuses all of the lifecycle: then the rest of it
 * goes without the moves. */
static void
put_lifecycle(const struct apply *apply, const json_t *lifecycle, uint64_t lock_days)
{
    struct hf_bucket_step step = { .part = HF_PART_LIFECYCLE };
    if (!lifecycle)
        return;
    if (lifecycle_check(lifecycle, lock_days, &step.err) != HF_OK) {
        step.outcome = HF_OUTCOME_WITHHELD;
        apply->tell(apply->context, &step);
        return;
    }
    char *moves hf_owned(hf_freep) = lifecycle_moves(lifecycle);
    hf_owned(hf_doc_freep) json_t *rest = lifecycle_without_moves(lifecycle);
    enum hf_status status = document_put(apply->store, HF_PART_LIFECYCLE, lifecycle, &step.err);
    step.moves = moves;
    if (status == HF_EREFUSED && moves &&
        document_put(apply->store, HF_PART_LIFECYCLE, rest, NULL) == HF_OK) {
        step.outcome = HF_OUTCOME_PARTLY;
        apply->tell(apply->context, &step);
        return;
    }
    tell_sent(apply, &step, status);
}

/* Role after role, so that one whose principal or action the store refuses does not take the
 * others' rights with it. What is there is read once only: AWS may answer with what was there
 * before for a while. */
static void
put_policies(const struct apply *apply, json_t *const *wanted)
{
    struct hf_error unread = { 0 };
    hf_owned(hf_doc_freep) json_t *present = NULL;
    size_t roles = 0;
    for (size_t role = 0; role < HF_ROLE_COUNT; role++)
        roles += wanted[role] != NULL;
    if (roles == 0)
        return;
    enum hf_status readable = document_get(apply->store, HF_PART_POLICY, &present, &unread);
    for (size_t role = 0; role < HF_ROLE_COUNT; role++) {
        struct hf_bucket_step step = { .part = HF_PART_POLICY + role, .err = unread };
        if (!wanted[role])
            continue;
        hf_owned(hf_doc_freep) json_t *merged = policy_merge(present, wanted[role]);
        enum hf_status status =
            readable == HF_OK ? document_put(apply->store, step.part, merged, &step.err) : readable;
        if (status == HF_OK) {
            json_decref(present);
            present = json_incref(merged);
        }
        tell_sent(apply, &step, status);
    }
}

void
hf_bucket_apply(struct hf_store *store, const struct hf_bucket_plan *plan, enum hf_lock_state state,
                void (*tell)(void *context, const struct hf_bucket_step *step), void *context)
{
    struct apply apply = { .store = store, .tell = tell, .context = context };
    hf_assert(state != HF_BUCKET_MISSING && !hf_store_is_dir(store));
    if (state == HF_BUCKET_LOCKED)
        put_part(&apply, HF_PART_LOCK, plan->documents[HF_PART_LOCK]);
    put_lifecycle(&apply, plan->documents[HF_PART_LIFECYCLE], plan->lock_days);
    put_part(&apply, HF_PART_ENCRYPTION, plan->documents[HF_PART_ENCRYPTION]);
    put_part(&apply, HF_PART_TAGS, plan->documents[HF_PART_TAGS]);
    put_policies(&apply, &plan->documents[HF_PART_POLICY]);
}
