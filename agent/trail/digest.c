/* Digests: cut when their time has come, signed and sealed, one after the other. */
#include "agent/trail/delivery.h"

#include <stdio.h>

/* The first boundary after what the last digest covers. One that passed while the agent was down
 * is made up for at once: else an agent that ends before every boundary never signs. Timers run
 * on boot time: a step of the wall clock neither hurries nor delays a digest. */
void
digest_schedule(struct trail *trail)
{
    struct chain *chain = &trail->chain;
    int64_t period_s = (int64_t)trail->plan->settings.digest_s,
            now_s = HF_MAX(chain->time_s, hf_wall_s());
    int64_t covered_s = chain->digest ? chain->digest->digest.end_s : chain_start_s(chain);
    int64_t due_s = covered_s - covered_s % period_s + period_s;
    chain->due_ms = (int64_t)hf_boot_ms() + HF_MAX(due_s - now_s, 0) * 1000;
}

/* A chain's first digest waits until the store was seen: it names what it follows. */
bool
digest_may_cut(const struct trail *trail)
{
    return !trail->chain.digest && (trail->chain.head.number || trail->chain.known) &&
           trail_may_cut(trail);
}

bool
digest_due(struct trail *trail)
{
    if (trail->lists.object_count >= DIGEST_OBJECTS_MOST || trail->lists.loss_count >= GAPS_MOST ||
        lists_bytes(&trail->lists) >=
            LISTS_BYTES_MOST) /* so that it always fits: early, as a flush's is */
        trail->chain.due_now = true;
    return digest_may_cut(trail) &&
           (trail->chain.due_now || (int64_t)hf_boot_ms() >= trail->chain.due_ms);
}

/* On the boundary that has just passed; for a flush, now. Always later than the one before. */
static int64_t
end_time_s(const struct trail *trail, int64_t time_s)
{
    if (!trail->chain.due_now)
        time_s -= time_s % (int64_t)trail->plan->settings.digest_s;
    return HF_MAX(time_s, chain_start_s(&trail->chain) + 1);
}

static struct step_pending *
pending(const struct outbox *outbox, size_t *ret_count)
{
    size_t count = 0;
    for (const struct window *window = outbox->windows; window; window = window->next)
        count++;
    struct step_pending *all = hf_alloc((count + 1) * sizeof(*all));
    count = 0;
    for (const struct window *window = outbox->windows; window; window = window->next)
        all[count++] = (struct step_pending){ .first_seq = window->range.first_seq,
                                              .last_seq = window->range.last_seq,
                                              .key = window->key };
    *ret_count = count;
    return all;
}

void
digest_cut(struct trail *trail)
{
    struct chain *chain = &trail->chain;
    int64_t time_s;
    char key[HF_KEY_MAX];
    size_t pending_count;
    if (!trail_take_time(trail, &time_s))
        return;
    int64_t end_s = end_time_s(trail, time_s);
    hf_owned(hf_freep) struct step_pending *all = pending(&trail->outbox, &pending_count);
    hf_layout_digest_key(&trail->plan->settings.layout, end_s, key);
    trail_take(trail, &(struct step){
                          .kind = HF_STEP_DIGEST_CUT,
                          .digest_cut = { .number = chain->head.number + 1,
                                          .start_s = chain_start_s(chain),
                                          .end_s = end_s,
                                          .bucket = trail->plan->settings.bucket,
                                          .key = key,
                                          .fingerprint = hf_signer_fingerprint(trail->plan->signer),
                                          .boot = trail->trails->options.identity->boot,
                                          .first_seq = chain->digested_seq + 1,
                                          .last_seq = trail->line.cut_seq,
                                          .object_count = trail->lists.object_count,
                                          .pending = all,
                                          .pending_count = pending_count } });
    chain->due_now = false;
    digest_schedule(trail);
    (void)trail_sync(trail);
}

static void
set_text(char **text, const char *value)
{
    hf_freep(text);
    *text = hf_strdup(value);
}

/* By the configuration in force, like a window's key: it may have changed since the cut. */
static void
fill_place(const struct trail *trail, struct hf_digest *digest)
{
    char key[HF_KEY_MAX];
    hf_layout_digest_key(&trail->plan->settings.layout, digest->end_s, key);
    set_text(&digest->bucket, trail->plan->settings.bucket);
    set_text(&digest->key, key);
    set_text(&digest->fingerprint, hf_signer_fingerprint(trail->plan->signer));
}

void
digest_move(struct trail *trail)
{
    struct digest_work *work = trail->chain.digest;
    struct hf_digest *digest = &work->digest;
    trail_unlink_sealed(trail, work->out.path);
    outbox_release(&trail->outbox, &work->out);
    chain_move_digest(&trail->chain);
    fill_place(trail, digest);
    hf_log_error("digest.foreign", HF_STR("trail", trail->name),
                 HF_STR("key", digest->foreign[digest->foreign_count - 1]),
                 HF_STR("new_key", digest->key));
    (void)trail_rewrite(trail);
}

/* What a digest says about its chain; the same after a restart. */
static void
fill_chain(const struct trail *trail, struct hf_digest *digest)
{
    const struct chain *chain = &trail->chain;
    digest->account = hf_strdup(trail->plan->settings.layout.account);
    digest->host = hf_strdup(trail->trails->options.identity->host);
    digest->journal = hf_strdup(chain->journal);
    digest->chain = hf_strdup(chain->id);
    digest->tag = hf_strdup(chain->tag);
    if (chain->head.number) {
        digest->previous_bucket = hf_strdup(chain->head.bucket);
        digest->previous_key = hf_strdup(chain->head.key);
        digest->previous_hash = hf_strdup(chain->head.hash);
        digest->previous_signature = hf_strdup(chain->head.signature);
        digest->previous_retain_until_s = chain->head.retain_until_s;
        if (chain->head.lock_mode != HF_LOCK_NONE)
            digest->previous_lock_mode = hf_strdup(hf_lock_mode_text(chain->head.lock_mode));
    } else {
        digest->old_head = hf_strdup(chain->old_head);
    }
}

static enum hf_status
seal(const struct trail *trail, struct digest_work *work, struct hf_sealed *sealed,
     struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX),
                                        signature = HF_BUF(2 * HF_SIGNATURE_MAX + 1),
                                        gzip = HF_BUF(HF_DIGEST_MAX);
    enum hf_status status =
        hf_digest_make(&work->digest, trail->plan->signer, &json, &signature, err);
    if (status == HF_OK)
        status = hf_gzip(hf_buf_slice(&json), 6, &gzip, err);
    if (status != HF_OK)
        return status;
    sealed->content_encoding = hf_strdup("gzip");
    sealed->window = hf_asprintf("digest-%llu", (unsigned long long)work->digest.number);
    sealed->signature = hf_strdup(hf_buf_text(&signature));
    sealed->signature_algorithm = hf_strdup(hf_signer_algorithm(trail->plan->signer));
    sealed->lock_at_least_s = work->retain_most_s;
    sealed->first_seq = work->digest.first_seq;
    sealed->last_seq = work->digest.last_seq;
    sealed->count = work->digest.object_count;
    sealed->plain_size = json.size;
    hf_sha256_hex(json.ptr, json.size, sealed->plain_sha256);
    return hf_seal_bytes(sealed, work->out.path, hf_buf_slice(&gzip), err);
}

enum hf_status
digest_seal(struct trail *trail, struct hf_error *err)
{
    struct digest_work *work = trail->chain.digest;
    if (!work || work->out.sealed || trail->book.behind)
        return HF_OK;
    fill_place(trail, &work->digest); /* the key may have been rotated since the cut, too */
    if (!work->digest.journal)
        fill_chain(trail, &work->digest);
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed =
        key_new_sealed(trail, HF_SEALED_DIGEST, work->digest.key, "application/json");
    enum hf_status status = seal(trail, work, sealed, err);
    if (status != HF_OK)
        return hf_while(err, status, "sealing digest %llu",
                        (unsigned long long)work->digest.number);
    outbox_hold(&trail->outbox, &work->out, hf_take(sealed));
    return HF_OK;
}
