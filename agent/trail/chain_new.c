/* `holdfast chain new`: a trail begins a chain of its own, on purpose, that is held because its
 * store shows a chain that this ledger does not know, or because of so many days since the last
 * time it knows that nobody but the operator can say whether they have passed. Its first digest
 * names the head it came after, so that the break is signed, not hidden. */
#include "agent/trail/delivery.h"

#include <holdfast/json.h>
#include <string.h>

static bool
anything_in_flight(const struct trail *trail)
{
    const struct chain *chain = &trail->chain;
    return chain->check_plan || chain->key.in_flight ||
           (chain->digest && chain->digest->out.in_flight) || trail->trails->seals_in_flight ||
           outbox_in_flight(&trail->outbox);
}

/* Also while it is looked at again whether that is still so. */
static bool
is_held_for(const struct trail *trail, enum hf_status status)
{
    const struct health *health = &trail->health;
    if (health->state == TRAIL_CHECKING)
        return *health->why && health->class == status;
    return health->state == TRAIL_HELD && health->status == status;
}

static bool
is_foreign(const struct trail *trail)
{
    return is_held_for(trail, HF_EFOREIGN) && *trail->chain.check.newest_digest_key;
}

/* The guard would let it pass if it knew that it was this late. */
static bool
is_only_late(const struct trail *trail)
{
    struct hf_deliverer *deliverer = trail_deliverer(trail, trail->plan->settings.store);
    int64_t last_s = trails_last_s(trail->trails);
    bool known;
    return is_held_for(trail, HF_ESKEW) &&
           hf_deliverer_clock(deliverer, last_s, &known, NULL) != HF_OK &&
           hf_deliverer_clock(deliverer, hf_wall_s(), &known, NULL) == HF_OK && known;
}

/* What the new chain comes after; NULL: nothing was signed in the old one. */
static const char *
old_head(const struct trail *trail)
{
    const struct chain *chain = &trail->chain;
    if (is_foreign(trail))
        return chain->check.newest_digest_key;
    return chain->head.number ? chain->head.key : NULL;
}

static void
begin(struct trail *trail)
{
    struct chain *chain = &trail->chain;
    hf_owned(hf_freep) char *after = hf_strdup(old_head(trail));
    uint8_t random[16];
    char id[HF_ID_SIZE], old_id[HF_ID_SIZE];
    memcpy(old_id, chain->id, sizeof(old_id));
    hf_random(random, sizeof(random));
    hf_hex(random, sizeof(random), id);
    if (chain->digest) {
        outbox_release(&trail->outbox, &chain->digest->out);
        trail_unlink_sealed(trail, chain->digest->out.path);
    }
    chain_begin_anew(chain, &trail->lists, id);
    chain_follow(chain, after, hf_wall_s());
    trail_set_plan(trail, trail->plan);
    hf_log_warn("chain.new", HF_STR("trail", trail->name), HF_STR("chain", chain->id),
                HF_STR("old_chain", old_id), HF_STR("after", after ? after : "-"));
}

static enum hf_status
announce(struct trail *trail, struct hf_error *err)
{
    struct hf_trails *trails = trail->trails;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(8192);
    hf_owned(hf_doc_freep) json_t *details =
        json_pack("{s:s, s:s, s:s*}", "trail", trail->name, "oldChain", trail->chain.id, "oldHead",
                  old_head(trail));
    enum hf_status status = hf_doc_dump(details, &text);
    return status == HF_OK ? trails->options.own_event(trails->options.context, "ChainNew",
                                                       hf_buf_text(&text), err)
                           : status;
}

static enum hf_status
is_under_way(const struct trail *trail, struct hf_error *err)
{
    return hf_fail(err, HF_EFULL, "trail '%s' has something under way: ask again in a moment",
                   trail->name);
}

enum hf_status
chain_new(struct trail *trail, struct hf_error *err)
{
    bool is_late = is_only_late(trail);
    if (!is_late && is_held_for(trail, HF_ESKEW))
        return hf_fail(err, HF_ESKEW, "this host's clock cannot be right: set it first");
    if (trail->chain.check_plan && is_held_for(trail, HF_EFOREIGN))
        return is_under_way(trail, err);
    if (!is_late && !is_foreign(trail))
        return hf_fail(err, HF_EREFUSED,
                       "trail '%s' is not held because of a foreign chain: a new one would only "
                       "leave its own behind",
                       trail->name);
    if (!is_late && !trail_may_cut(trail))
        return hf_fail(err, HF_ESKEW, "this host's clock cannot be right: set it first");
    if (anything_in_flight(trail))
        return is_under_way(trail, err);
    enum hf_status status = announce(trail, err);
    if (status != HF_OK)
        return status;
    begin(trail);
    if (!trail_rewrite(trail))
        return hf_fail(err, HF_EIO, "trail '%s': the new chain is not on disk yet; see the log",
                       trail->name);
    health_check_anew(&trail->health);
    digest_schedule(trail);
    return HF_OK;
}
