/* Before the first PUT after a start (and after each hold): is the bucket fit for this trail, and is the newest digest under its
 * prefix the one our ledger knows? A state directory that was rolled back, copied or lost must not fork a chain. */
#include "agent/trail/trail_impl.h"
#include <string.h>

void
chain_check(struct trail *trail)
{
    const struct settings *s = &trail->plan->settings;
    hf_buf_done(&trail->check.newest_digest);
    trail->check = (struct hf_delivery){.kind = HF_JOB_CHECK,
                                        .layout = &s->layout,
                                        .bucket = s->bucket,
                                        .sse_c_key_file = s->encryption == HF_ENCRYPT_SSE_C ? s->sse_c_key_file : NULL,
                                        .needs_lock = s->lock_mode != HF_LOCK_NONE,
                                        .done = message_delivered,
                                        .context = trail->trails};
    trail->check_in_flight = true;
    trail->foreign_end_s = 0;
    hf_deliverer_submit(trail_deliverer(trail, s->store), &trail->check);
}

static enum hf_status
foreign(const struct trail *trail, const struct hf_digest *newest, const char *why, struct hf_error *err)
{
    return hf_fail(err, HF_EFOREIGN, "'%s' is number %llu of chain %s, written by host '%s' (journal %s): %s. If this is meant, `holdfast chain new --trail %s` starts a new chain",
                   trail->check.newest_digest_key, (unsigned long long)newest->number, newest->chain ? newest->chain : "unknown",
                   newest->host ? newest->host : "unknown", newest->journal ? newest->journal : "unknown", why, trail->name);
}

/* Is it, byte for byte, the digest that this ledger knows under its number? Earlier ones are not known any more. */
static bool
is_ours(const struct trail *trail, uint64_t number, struct hf_slice json)
{
    char hash[HF_SHA256_HEX_SIZE];
    hf_sha256_hex(json.ptr, json.size, hash);
    if (trail->digest && number == trail->digest->digest.number)
        return trail->digest->out.sealed && strcmp(trail->digest->out.sealed->plain_sha256, hash) == 0;
    if (number == trail->head.number)
        return strcmp(trail->head.hash, hash) == 0;
    return number < trail->head.number;
}

static enum hf_status
compare(struct trail *trail, const struct hf_digest *newest, struct hf_slice json, struct hf_error *err)
{
    const char *journal = trail->trails->options.identity->journal;
    trail->foreign_end_s = newest->end_s;
    if (trail->old_head && strcmp(trail->old_head, trail->check.newest_digest_key) == 0)
        return HF_OK; /* the one that this chain was started after, on purpose */
    if (!newest->journal || strcmp(newest->journal, journal) != 0)
        return foreign(trail, newest, "another agent writes under this prefix, or this one lost its state directory", err);
    if (strcmp(newest->chain, trail->chain) != 0) {
        if (trail->head.number || trail->digest)
            return foreign(trail, newest, "it is not the chain of this ledger", err);
        if (!trail->old_head) /* the trail was drained or dropped here before, and begins anew */
            trail->old_head = hf_strdup(trail->check.newest_digest_key);
        return HF_OK;
    }
    if (!is_ours(trail, newest->number, json))
        return foreign(trail, newest, "this state directory knows nothing of it: it was rolled back or copied", err);
    if (newest->number < trail->head.number)
        hf_log_error("chain.head_missing", HF_STR("trail", trail->name), HF_STR("key", trail->head.key), HF_STR("newest", trail->check.newest_digest_key),
                     HF_STR("hint", "digests that were delivered are gone or hidden; run `holdfast validate`"));
    return HF_OK;
}

static enum hf_status
compare_bytes(struct trail *trail, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX);
    struct hf_digest newest = {0};
    enum hf_status status = hf_gunzip(hf_buf_slice(&trail->check.newest_digest), &json, err);
    if (status == HF_OK)
        status = hf_digest_parse(hf_buf_slice(&json), &newest, err);
    if (status == HF_OK)
        status = compare(trail, &newest, hf_buf_slice(&json), err);
    else if (trail->old_head && strcmp(trail->old_head, trail->check.newest_digest_key) == 0)
        status = HF_OK; /* junk, but `chain new` has been told so */
    else
        status = hf_fail(err, HF_EFOREIGN, "the newest digest '%s' cannot be read and is none of this agent's. If it must stay, `holdfast chain new --trail %s` starts a new chain",
                         trail->check.newest_digest_key, trail->name);
    hf_digest_done(&newest);
    return status;
}

void
chain_checked(struct trail *trail)
{
    struct hf_delivery *check = &trail->check;
    struct hf_error err = check->error;
    trail->check_in_flight = false;
    trail->chain_unseen = check->chain_unseen;
    if (check->layout != &trail->plan->settings.layout) { /* of a place that it has left since */
        trail_move(trail, TRAIL_CHECKING, NULL);
        return;
    }
    enum hf_status status = check->status;
    if (status == HF_OK && *check->newest_digest_key)
        status = compare_bytes(trail, &err);
    else if (status == HF_OK && trail->head.number && !check->chain_unseen)
        hf_log_warn("chain.head_missing", HF_STR("trail", trail->name), HF_STR("key", trail->head.key),
                    HF_STR("hint", "the store shows no digest under the prefix; run `holdfast validate`"));
    if (status == HF_OK) {
        trail->chain_known = true;
        trail_move(trail, TRAIL_READY, NULL);
    } else if (status != HF_ESTOPPED) {
        err.status = status;
        attempt_back_off(trail, &err);
    }
}
