/* Before the first PUT after a start (and after each hold): is the bucket fit for this trail,
 * and is the newest digest under its prefix the one our ledger knows? A state directory that was
 * rolled back, copied or lost must not fork a chain. It is asked again before each digest goes: of
 * two copies of a state directory that run at the same time, the second that wants to sign is held. */
#include "agent/trail/delivery.h"
#include "agent/trail/inbox.h"

#include <string.h>

/* With what is stepped over by now. */
static void
look_on(struct trail *trail)
{
    const struct settings *s = &trail->plan->settings;
    hf_buf_done(&trail->chain.check.newest_digest);
    hf_freep(&trail->chain.check.newest_signature);
    trail->chain.check_sealed = trail->chain.digest && trail->chain.digest->out.sealed;
    trail->chain.check =
        (struct hf_delivery){ .kind = HF_JOB_CHECK,
                              .last_s = trails_last_s(trail->trails),
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

void
look_begin(struct trail *trail)
{
    chain_forget_strays(&trail->chain, &trail->plan->settings.layout, trail->chain.head.end_s);
    look_on(trail);
}

static enum hf_status
foreign(const struct trail *trail, const struct hf_digest_outline *newest, const char *why,
        struct hf_error *err)
{
    return hf_fail(err, HF_EFOREIGN,
                   "'%s' is number %llu of chain %s, written by host '%s' (journal %s): %s. If "
                   "this is meant, `holdfast chain new --trail %s` starts a new chain",
                   trail->chain.check.newest_digest_key, (unsigned long long)newest->number,
                   *newest->chain ? newest->chain : "unknown",
                   *newest->host ? newest->host : "unknown",
                   *newest->journal ? newest->journal : "unknown", why, trail->name);
}

/* Is it, byte for byte, one that this ledger knows: its head, or the digest at hand? */
static bool
is_ours(const struct chain *chain, const struct hf_digest_outline *newest)
{
    const struct hf_sealed *sealed = chain->digest ? chain->digest->out.sealed : NULL;
    return (chain->head.number && strcmp(chain->head.hash, newest->sha256) == 0) ||
           (sealed && strcmp(sealed->plain_sha256, newest->sha256) == 0);
}

/* It is evidence. */
static enum hf_status
compare(struct trail *trail, const struct hf_digest_outline *newest, bool signed_by_us,
        struct hf_error *err)
{
    struct chain *chain = &trail->chain;
    chain->foreign_end_s = newest->end_s;
    if (newest->format > 1)
        return hf_fail(err, HF_EFOREIGN,
                       "the newest digest '%s' is of a later version of holdfast. If it must "
                       "stay, `holdfast chain new --trail %s` starts a new chain",
                       chain->check.newest_digest_key, trail->name);
    if (strcmp(newest->journal, chain->journal) != 0)
        return foreign(
            trail, newest,
            "another agent writes under this prefix, or this one lost its state directory", err);
    if (strcmp(newest->chain, chain->id) == 0)
        return foreign(trail, newest,
                       "this state directory knows nothing of it: it was rolled back or copied",
                       err);
    if (chain->head.number || chain->digest)
        return foreign(trail, newest, "it is not the chain of this ledger", err);
    if (!signed_by_us)
        return foreign(trail, newest, "this state directory has no chain yet, and did not sign it",
                       err);
    if (!chain->old_head) { /* the trail was drained or dropped here before, and begins anew */
        chain_follow(chain, chain->check.newest_digest_key, hf_wall_s());
        (void)trail_rewrite(trail); /* before its first digest is cut */
    }
    return HF_OK;
}

/* No digest of anyone's lies under the key of ours that is on its way: ours gets another key. */
static enum hf_status
get_out_of_its_way(struct trail *trail, const char *why, enum head_problem *ret_problem,
                   struct hf_error *err)
{
    if (trail->chain.digest->out.in_flight)
        return HF_OK; /* it comes back, and is looked at again */
    if (!outbox_may_move(&trail->outbox, trail->chain.digest->digest.foreign_count + 1))
        return hf_fail(err, HF_EFOREIGN,
                       "'%s' is taken: %s; the next digest goes under another key after a pause",
                       trail->chain.check.newest_digest_key, why);
    digest_move(trail);
    trail->chain.check_sealed = false; /* it is signed again, and looked for again */
    return stray_step_over(trail, why, ret_problem, err);
}

/* Nothing of it is built before it is known whose it is: whoever may write there can put anything.
 * HF_EFULL: what was found is stepped over, and the one before it is to be asked for. */
static enum hf_status
compare_bytes(struct trail *trail, enum head_problem *ret_problem, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX);
    struct hf_digest_outline newest = { .format = 0 };
    struct chain *chain = &trail->chain;
    const char *key = chain->check.newest_digest_key;
    enum hf_status status = hf_gunzip(hf_buf_slice(&chain->check.newest_digest), &json, err);
    if (status == HF_OK)
        status = hf_digest_outline(hf_buf_slice(&json), &newest, err);
    hf_buf_done(&json);
    if (status == HF_OK && is_ours(chain, &newest) && strcmp(newest.key, key) == 0)
        return HF_OK;
    bool signed_by_us = status == HF_OK && stray_is_signed_by_us(trail, &newest);
    const char *stray =
        status == HF_OK ? stray_reason(trail, &newest, signed_by_us) : "it is no digest";
    if (stray && chain->digest && strcmp(chain->digest->digest.key, key) == 0)
        return get_out_of_its_way(trail, stray, ret_problem, err);
    if (stray)
        return stray_step_over(trail, stray, ret_problem, err);
    return compare(trail, &newest, signed_by_us, err);
}

/* What is older than this ledger's head is evidence of nothing but that the head is not to be seen,
 * whatever it is: it is not even looked at. Else junk of an older date, which is no stray that is
 * kept, would be found again and again. */
static enum hf_status
look_at_newest(struct trail *trail, enum head_problem *ret_problem, struct hf_error *err)
{
    struct chain *chain = &trail->chain;
    const struct settings *s = &trail->plan->settings;
    const char *key = chain->check.newest_digest_key;
    int64_t end_s = 0;
    if (!*key || (hf_layout_is_digest(&s->layout, key, &end_s) && end_s < chain->head.end_s)) {
        if (chain_head_is_in(chain, s->bucket, &s->layout) && !chain->unseen)
            *ret_problem = HEAD_MISSING;
        return HF_OK;
    }
    if (chain->old_head && strcmp(chain->old_head, key) == 0)
        return HF_OK; /* the one that this chain was started after, whatever it is */
    return compare_bytes(trail, ret_problem, err);
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

/* Said when it begins; `status` says it for as long as it lasts. The trail delivers all the same:
 * the ledger knows what its head was. */
static void
say_problem(struct trail *trail, enum head_problem problem)
{
    struct chain *chain = &trail->chain;
    if (problem != HEAD_FINE && problem != chain->head_problem) {
        chain->head_problems++;
        hf_log_error("chain.head_missing", HF_STR("trail", trail->name),
                     HF_STR("key", chain->head.key), HF_STR("problem", head_problem_text(problem)),
                     HF_STR("newest", chain->check.newest_digest_key),
                     HF_STR("hint", "run `holdfast validate`; who may delete, or write, there?"));
    }
    chain->head_problem = problem;
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
    enum head_problem problem = HEAD_FINE;
    if (status == HF_OK)
        status = look_at_newest(trail, &problem, &err);
    if (status == HF_OK)
        say_problem(trail, problem);
    if (status == HF_EFULL) {
        look_on(trail);
    } else if (status == HF_OK) {
        checked_well(trail);
    } else if (status != HF_ESTOPPED) {
        err.status = status;
        health_failed(&trail->health, &err);
    }
}
