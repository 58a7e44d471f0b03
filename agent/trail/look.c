/* Before the first PUT after a start (and after each hold): is the bucket fit for this trail,
 * and is the newest digest under its prefix the one our ledger knows? A state directory that was
 * rolled back, copied or lost must not fork a chain. It is asked again before each digest goes: of
 * two copies of a state directory that run at the same time, the second that wants to sign is held. */
#include "agent/trail/delivery.h"
#include "agent/trail/inbox.h"

#include <string.h>

void
look_begin(struct trail *trail)
{
    const struct settings *s = &trail->plan->settings;
    hf_buf_done(&trail->chain.check.newest_digest);
    hf_freep(&trail->chain.check.newest_signature);
    chain_forget_strays(&trail->chain, &s->layout, trail->chain.head.end_s);
    trail->chain.check_sealed = trail->chain.digest && trail->chain.digest->out.sealed;
    trail->chain.check =
        (struct hf_delivery){ .kind = HF_JOB_CHECK,
                              .layout = &s->layout,
                              .bucket = s->bucket,
                              .sse_c_key_file =
                                  s->encryption == HF_ENCRYPT_SSE_C ? s->sse_c_key_file : NULL,
                              .needs_lock = s->lock_mode != HF_LOCK_NONE,
                              .skip = trail->chain.strays,
                              .skip_count = trail->chain.stray_count,
                              .done = message_delivered,
                              .context = trail };
    trail->chain.check_plan = plan_hold(trail->plan);
    trail->chain.foreign_end_s = 0;
    hf_deliverer_submit(trail_deliverer(trail, s->store), &trail->chain.check);
}

static enum hf_status
foreign(const struct trail *trail, const struct hf_digest *newest, const char *why,
        struct hf_error *err)
{
    return hf_fail(err, HF_EFOREIGN,
                   "'%s' is number %llu of chain %s, written by host '%s' (journal %s): %s. If "
                   "this is meant, `holdfast chain new --trail %s` starts a new chain",
                   trail->chain.check.newest_digest_key, (unsigned long long)newest->number,
                   newest->chain ? newest->chain : "unknown",
                   newest->host ? newest->host : "unknown",
                   newest->journal ? newest->journal : "unknown", why, trail->name);
}

/* Is it, byte for byte, the digest that this ledger knows under its number? Earlier ones are not
 * known any more. */
static bool
is_ours(const struct trail *trail, uint64_t number, struct hf_slice json)
{
    char hash[HF_SHA256_HEX_SIZE];
    hf_sha256_hex(json.ptr, json.size, hash);
    if (trail->chain.digest && number == trail->chain.digest->digest.number)
        return trail->chain.digest->out.sealed &&
               strcmp(trail->chain.digest->out.sealed->plain_sha256, hash) == 0;
    if (number == trail->chain.head.number)
        return strcmp(trail->chain.head.hash, hash) == 0;
    return number < trail->chain.head.number;
}

static enum hf_status
compare(struct trail *trail, const struct hf_digest *newest, struct hf_slice json,
        struct hf_error *err)
{
    const char *journal = trail->chain.journal;
    trail->chain.foreign_end_s = newest->end_s;
    if (!newest->journal || strcmp(newest->journal, journal) != 0)
        return foreign(
            trail, newest,
            "another agent writes under this prefix, or this one lost its state directory", err);
    if (strcmp(newest->chain, trail->chain.id) != 0) {
        if (trail->chain.head.number || trail->chain.digest)
            return foreign(trail, newest, "it is not the chain of this ledger", err);
        if (!trail->chain
                 .old_head) { /* the trail was drained or dropped here before, and begins anew */
            chain_follow(&trail->chain, trail->chain.check.newest_digest_key, hf_wall_s());
            (void)trail_rewrite(trail); /* before its first digest is cut */
        }
        return HF_OK;
    }
    if (!is_ours(trail, newest->number, json))
        return foreign(trail, newest,
                       "this state directory knows nothing of it: it was rolled back or copied",
                       err);
    if (newest->number < trail->chain.head.number)
        hf_log_error(
            "chain.head_missing", HF_STR("trail", trail->name),
            HF_STR("key", trail->chain.head.key),
            HF_STR("newest", trail->chain.check.newest_digest_key),
            HF_STR("hint",
                   "digests that were delivered are gone or hidden; run `holdfast validate`"));
    return HF_OK;
}

/* No digest of anyone's lies under the key of ours that is on its way: ours gets another key. */
static enum hf_status
get_out_of_its_way(struct trail *trail, const char *why, struct hf_error *err)
{
    if (trail->chain.digest->out.in_flight)
        return HF_OK; /* it comes back, and is looked at again */
    if (!outbox_may_move(&trail->outbox, trail->chain.digest->digest.foreign_count + 1))
        return hf_fail(err, HF_EFOREIGN,
                       "'%s' is taken: %s; the next digest goes under another key after a pause",
                       trail->chain.check.newest_digest_key, why);
    digest_move(trail);
    return stray_step_over(trail, why, err);
}

/* HF_EFULL: what was found is stepped over, and the one before it is to be asked for. */
static enum hf_status
compare_bytes(struct trail *trail, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX);
    struct hf_digest newest = { 0 };
    const char *key = trail->chain.check.newest_digest_key;
    enum hf_status status = hf_gunzip(hf_buf_slice(&trail->chain.check.newest_digest), &json, err);
    if (status == HF_OK)
        status = hf_digest_parse(hf_buf_slice(&json), &newest, err);
    const char *stray = status == HF_OK         ? stray_reason(trail, &newest, hf_buf_slice(&json))
                        : status != HF_EVERSION ? "it is no digest"
                                                : NULL;
    if (trail->chain.old_head && strcmp(trail->chain.old_head, key) == 0)
        status = HF_OK; /* the one that this chain was started after, whatever it is */
    else if (stray && trail->chain.digest && strcmp(trail->chain.digest->digest.key, key) == 0)
        status = get_out_of_its_way(trail, stray, err);
    else if (stray)
        status = stray_step_over(trail, stray, err);
    else if (status == HF_OK)
        status = compare(trail, &newest, hf_buf_slice(&json), err);
    else
        status = hf_fail(err, HF_EFOREIGN,
                         "the newest digest '%s' is of a later version of holdfast. If it must "
                         "stay, `holdfast chain new --trail %s` starts a new chain",
                         key, trail->name);
    hf_digest_done(&newest);
    return status;
}

/* The digest at hand may go: for the moment in which it was asked, nobody had written on in this
 * chain. A copy of this state directory that runs at the same time is found here: whoever signs
 * first goes on, the other one is held. */
bool
look_digest_may_go(struct trail *trail)
{
    const struct hf_digest *digest = &trail->chain.digest->digest;
    if (chain_knows_stray(&trail->chain, digest->key) &&
        outbox_may_move(&trail->outbox, digest->foreign_count + 1)) {
        digest_move(trail);
        return false; /* it has to be signed again */
    }
    if (!trail->chain.digest->looked && !trail->chain.check_plan)
        look_begin(trail);
    return trail->chain.digest->looked;
}

static void
checked_well(struct trail *trail)
{
    trail->chain.known = true;
    if (trail->chain.digest && trail->chain.check_sealed)
        trail->chain.digest->looked = true;
    health_checked(&trail->health);
}

void
look_returned(struct trail *trail)
{
    struct hf_delivery *check = &trail->chain.check;
    struct hf_error err = check->error;
    bool moved = trail->chain.check_plan != trail->plan;
    plan_let_go(hf_take(trail->chain.check_plan));
    trail->chain.unseen = check->chain_unseen;
    if (moved) { /* of a place that it has left since */
        health_check_anew(&trail->health);
        return;
    }
    enum hf_status status = check->status;
    if (status == HF_OK && *check->newest_digest_key)
        status = compare_bytes(trail, &err);
    else if (status == HF_OK && trail->chain.head.number && !check->chain_unseen)
        hf_log_warn(
            "chain.head_missing", HF_STR("trail", trail->name),
            HF_STR("key", trail->chain.head.key),
            HF_STR("hint", "the store shows no digest under the prefix; run `holdfast validate`"));
    if (status == HF_EFULL) {
        look_begin(trail);
    } else if (status == HF_OK) {
        checked_well(trail);
    } else if (status != HF_ESTOPPED) {
        err.status = status;
        health_failed(&trail->health, &err);
    }
}
