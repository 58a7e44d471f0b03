/* `holdfast chain new`: a trail that is held because its store shows a chain that this ledger
 * does not know begins a chain of its own, on purpose. Its first digest names the head it came
 * after, so that the break is signed, not hidden. */
#include "agent/trail/trail_impl.h"
#include <holdfast/json.h>
#include <string.h>

#define FOREIGN_AHEAD_MOST_S 3600

static bool
anything_in_flight(const struct trail *trail)
{
    if (trail->check_in_flight || trail->key_out.in_flight ||
        (trail->digest && trail->digest->out.in_flight) || trail->trails->seals_in_flight)
        return true;
    for (const struct window *window = trail->windows; window; window = window->next) {
        if (window->out.in_flight)
            return true;
    }
    return false;
}

/* What a digest of the old chain would have listed, and nobody has seen, is listed by the new
 * one's first. */
static void
take_back_digest(struct trail *trail)
{
    struct digest_work *work = hf_take(trail->digest);
    if (!work)
        return;
    struct hf_digest *digest = &work->digest;
    size_t count = digest->object_count + trail->object_count;
    digest->objects = hf_realloc(digest->objects, (count + 1) * sizeof(*digest->objects));
    if (trail->object_count)
        memcpy(digest->objects + digest->object_count, trail->objects,
               trail->object_count * sizeof(*trail->objects));
    hf_freep(&trail->objects);
    trail->objects = hf_take(digest->objects);
    trail->object_count = count;
    trail->object_room = count + 1;
    digest->object_count = 0;
    for (size_t i = 0; i < digest->loss_count; i++)
        loss_add(trail, digest->losses[i].first_seq, digest->losses[i].last_seq,
                 digest->losses[i].reason);
    trail->digested_seq = digest->first_seq - 1;
    for (size_t i = 0; i < digest->foreign_count; i++) {
        trail->foreign =
            hf_realloc(trail->foreign, (trail->foreign_count + 1) * sizeof(*trail->foreign));
        trail->foreign[trail->foreign_count++] = hf_strdup(digest->foreign[i]);
    }
    if (work->out.sealed)
        trail->spool_bytes -= HF_MIN(trail->spool_bytes, work->out.sealed->size);
    struct hf_error err;
    enum hf_status status = hf_fs_unlink(work->out.path, &err);
    if (status != HF_OK && status != HF_ENOTFOUND)
        hf_log_warn("sealed.leftover", HF_STR("trail", trail->name), HF_ERR(&err));
    digest_work_free(work);
}

/* Its digests sort behind the foreign one, but not behind one that claims to come from the
 * future. */
void
chain_follow(struct trail *trail)
{
    trail->last_time_s = HF_MAX(trail->last_time_s, hf_wall_s());
    if (trail->foreign_end_s < trail->last_time_s + FOREIGN_AHEAD_MOST_S)
        trail->last_time_s = HF_MAX(trail->last_time_s, trail->foreign_end_s);
    trail->created_s = trail->last_time_s;
}

static void
begin(struct trail *trail)
{
    uint8_t id[16];
    char old_chain[HF_ID_SIZE];
    memcpy(old_chain, trail->chain, sizeof(old_chain));
    take_back_digest(trail);
    hf_random(id, sizeof(id));
    hf_hex(id, sizeof(id), trail->chain);
    hf_layout_chain_tag(trail->trails->options.identity->journal, trail->name, trail->chain,
                        trail->tag);
    trail_set_plan(trail, trail->plan);
    hf_freep(&trail->old_head);
    trail->old_head = hf_strdup(trail->check.newest_digest_key);
    hf_freep(&trail->head.signature);
    trail->head = (struct head){ 0 };
    chain_follow(trail);
    hf_log_warn("chain.new", HF_STR("trail", trail->name), HF_STR("chain", trail->chain),
                HF_STR("old_chain", old_chain), HF_STR("after", trail->old_head));
}

static enum hf_status
announce(struct trail *trail, struct hf_error *err)
{
    struct hf_trails *trails = trail->trails;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(8192);
    hf_owned(hf_doc_freep) json_t *details =
        json_pack("{s:s, s:s, s:s}", "trail", trail->name, "oldChain", trail->chain, "oldHead",
                  trail->check.newest_digest_key);
    enum hf_status status = hf_doc_dump(details, &text);
    return status == HF_OK ? trails->options.own_event(trails->options.context, "ChainNew",
                                                       hf_buf_text(&text), err)
                           : status;
}

enum hf_status
chain_new(struct trail *trail, struct hf_error *err)
{
    if (trail->state != TRAIL_HELD || trail->held_status != HF_EFOREIGN ||
        !*trail->check.newest_digest_key)
        return hf_fail(err, HF_EREFUSED,
                       "trail '%s' is not held because of a foreign chain: a new one would only "
                       "leave its own behind",
                       trail->name);
    if (!trail_may_cut(trail))
        return hf_fail(err, HF_ESKEW, "this host's clock cannot be right: set it first");
    if (anything_in_flight(trail))
        return hf_fail(err, HF_EFULL, "trail '%s' has something under way: ask again in a moment",
                       trail->name);
    enum hf_status status = announce(trail, err);
    if (status != HF_OK)
        return status;
    begin(trail);
    if (!snapshot_write(trail))
        return hf_fail(err, HF_EIO, "trail '%s': the new chain is not on disk yet; see the log",
                       trail->name);
    trail->retry_at_ms = 0;
    trail_move(trail, TRAIL_CHECKING, NULL);
    digest_schedule(trail);
    return HF_OK;
}
