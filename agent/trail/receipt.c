/* What came back from a store: a receipt is durable before anything is removed; other bytes under
 * a key of ours are never overwritten. */
#include "agent/trail/delivery.h"
#include "agent/trail/windows.h"

#include <stdio.h>
#include <string.h>

/* ---- it is there, and locked ---- */

static void
count_object(struct counts *counts, const struct hf_sealed *sealed,
             const struct hf_receipt *receipt)
{
    counts->objects++;
    counts->records += sealed->count;
    counts->locked += receipt->lock_mode != HF_LOCK_NONE && !receipt->advisory ? sealed->count : 0;
    counts->bytes += sealed->size;
    counts->repeated += receipt->repeated;
}

static void
object_received(struct trail *trail, const struct window *window, const struct hf_receipt *receipt)
{
    const struct hf_sealed *sealed = window->out.sealed;
    hf_owned(hf_freep) char *path = hf_strdup(window->out.path);
    count_object(&trail->counts, sealed, receipt);
    hf_log_info("object.delivered", HF_STR("trail", trail->name), HF_STR("key", sealed->key),
                HF_NUM("records", sealed->count), HF_NUM("bytes", sealed->size),
                HF_STR("confirmed", receipt->confirmed));
    trail_take(trail,
               &(struct step){
                   .kind = HF_STEP_RECEIPT,
                   .receipt = { .window = window->id,
                                .bucket = sealed->bucket,
                                .key = sealed->key,
                                .hash = *sealed->envelope_sha256 ? sealed->envelope_sha256
                                                                 : sealed->plain_sha256,
                                .stored_sha256 = sealed->sha256,
                                .plain_sha256 = sealed->plain_sha256,
                                .oldest_s = sealed->oldest_s,
                                .newest_s = sealed->newest_s,
                                .first_seq = sealed->first_seq,
                                .last_seq = sealed->last_seq,
                                .count = sealed->count,
                                .version_id = *receipt->version_id ? receipt->version_id : NULL,
                                .confirmed = receipt->confirmed,
                                .encryption = hf_encryption_text(sealed->encryption),
                                .lock_mode = hf_lock_mode_text(receipt->lock_mode),
                                .retain_until_s = receipt->retain_until_s,
                                .repeated = receipt->repeated,
                                .gaps = (const char *const *)sealed->gaps,
                                .gap_count = sealed->gap_count } });
    if (trail_sync(trail))
        trail_unlink_sealed(trail, path);
}

static void
key_received(struct trail *trail)
{
    /* what was put, whatever the configuration says by now */
    const struct hf_sealed *sealed = trail->chain.key.sealed;
    hf_owned(hf_freep) char *path = hf_strdup(trail->chain.key.path);
    char place[HF_SHA256_HEX_SIZE];
    chain_key_place(sealed->store, sealed->bucket, sealed->key, place);
    trail_take(trail, &(struct step){ .kind = HF_STEP_KEY_RECEIPT,
                                      .key_receipt = { .place = place, .key = sealed->key } });
    if (trail_sync(trail))
        trail_unlink_sealed(trail, path);
}

static void
digest_received(struct trail *trail, const struct hf_receipt *receipt)
{
    const struct digest_work *work = trail->chain.digest;
    const struct hf_sealed *sealed = work->out.sealed;
    hf_owned(hf_freep) char *path = hf_strdup(work->out.path);
    const char *lock_mode =
        receipt->lock_mode == HF_LOCK_NONE ? NULL : hf_lock_mode_text(receipt->lock_mode);
    trail->counts.digests++;
    hf_log_info("digest.delivered", HF_STR("trail", trail->name), HF_STR("key", sealed->key),
                HF_NUM("number", work->digest.number),
                HF_NUM("objects", work->digest.object_count));
    trail_take(trail, &(struct step){ .kind = HF_STEP_DIGEST_RECEIPT,
                                      .digest_receipt = { .number = work->digest.number,
                                                          .bucket = sealed->bucket,
                                                          .key = sealed->key,
                                                          .hash = sealed->plain_sha256,
                                                          .signature = sealed->signature,
                                                          .end_s = work->digest.end_s,
                                                          .retain_until_s = receipt->retain_until_s,
                                                          .lock_mode = lock_mode } });
    if (trail_sync(trail))
        trail_unlink_sealed(trail, path);
}

/* All is well only when no key of ours is taken any more; and when one that was has found another
 * at last, the next need not wait. */
static void
came_through(struct trail *trail, const struct window *window)
{
    const struct chain *chain = &trail->chain;
    bool taken =
        (chain->key.sealed && chain->key.foreign) || (chain->digest && chain->digest->out.foreign);
    for (const struct window *other = trail->outbox.windows; other; other = other->next)
        taken = taken || (other != window && other->out.foreign);
    if (!taken || (window && window->generation > GENERATIONS_MOST))
        outbox_moved_well(&trail->outbox, !taken);
    health_came_through(&trail->health, !taken);
}

/* ---- somebody else's bytes are there ---- */

/* With confirm: put an attempt of unknown outcome makes what lies there ours, by its lock alone:
 * a restart must know that it is not. */
static void
note_foreign(struct trail *trail, const struct outgoing *out)
{
    if (out->foreign)
        return;
    trail_take(trail, &(struct step){ .kind = HF_STEP_ATTEMPT,
                                      .attempt = { attempt_what(out), out->last_retain_s, true } });
    (void)trail_sync(trail);
}

/* The same body goes out again under the next generation's key; its file is durable before the
 * ledger says so, and the old one goes after that. */
static void
object_foreign(struct trail *trail, struct window *window)
{
    char new_key[HF_KEY_MAX];
    unsigned generation = window->generation + 1;
    struct hf_sealed *sealed;
    struct hf_error err;
    if (!outbox_may_move(&trail->outbox, generation)) {
        note_foreign(trail, &window->out);
        health_failed(&trail->health, &window->out.delivery.error);
        return;
    }
    health_count(&trail->health, HF_EFOREIGN);
    cut_window_key(trail, &window->range, window->time_s, generation,
                   hf_ends_with(window->key, ".cms.gz"), new_key);
    hf_log_error("object.foreign", HF_STR("trail", trail->name), HF_STR("key", window->key),
                 HF_STR("new_key", new_key));
    hf_owned(hf_freep) char *old_path = hf_strdup(window->out.path),
                            *new_path = outbox_path(&trail->outbox, window, generation);
    if (hf_sealed_rekey(old_path, new_key, generation, new_path, &sealed, &err) != HF_OK) {
        health_failed(&trail->health, &err);
        return;
    }
    trail_take(trail, &(struct step){ .kind = HF_STEP_FOREIGN,
                                      .foreign = { .window = window->id,
                                                   .key = window->key,
                                                   .generation = generation,
                                                   .new_key = new_key } });
    outbox_hold(&trail->outbox, &window->out, sealed);
    if (trail_sync(trail))
        trail_unlink_sealed(trail, old_path);
}

/* A digest's key is taken. The next check looks at what lies there: it may be a clone's. Without
 * the right to look there is nothing to wait for, and it goes on under another key. */
static bool
digest_went_on(struct trail *trail, struct outgoing *out)
{
    note_foreign(trail, out);
    if (out == &trail->chain.key) {
        hf_while(
            &out->delivery.error, HF_EFOREIGN,
            "the public key's place is taken: `holdfast key new` makes a key that has another");
        return false;
    }
    if (!trail->chain.unseen ||
        !outbox_may_move(&trail->outbox, trail->chain.digest->digest.foreign_count + 1))
        return false;
    health_count(&trail->health, HF_EFOREIGN);
    digest_move(trail);
    return true;
}

/* ---- it did not work ---- */

/* A sealed file that was damaged while it waited is made again: a window's from the journal, or it
 * is given up as a signed loss; a digest's from the ledger; the public key's from the key. */
static void
look_again(struct trail *trail, struct outgoing *out, struct window *window)
{
    struct hf_sealed *sealed = NULL;
    struct hf_error err;
    enum hf_status status = hf_sealed_open(out->path, true, &sealed, &err);
    hf_sealed_free(sealed);
    if (status != HF_ECORRUPT && status != HF_EFORMAT && status != HF_ENOTFOUND)
        return;
    hf_log_error("sealed.damaged", HF_STR("trail", trail->name), HF_STR("file", out->path),
                 HF_ERR(&err));
    if (out == &trail->chain.key)
        hf_sealed_free(hf_take(out->sealed)); /* no part of the spool */
    else
        outbox_release(&trail->outbox, out);
    if (window)
        window->state = WINDOW_CUT;
}

static void
put_failed(struct trail *trail, struct outgoing *out, struct window *window)
{
    const struct hf_delivery *delivery = &out->delivery;
    out->maybe_there = true; /* cheap to ask, and right whatever happened */
    if (trail->chain.digest && out == &trail->chain.digest->out)
        trail->chain.digest->looked = false; /* by the next attempt somebody may have written */
    if (delivery->unknown && delivery->status == HF_ETIMEOUT)
        out->not_before_ms = HF_MAX(out->not_before_ms, delivery->not_before_boot_ms);
    if (delivery->status == HF_EFOREIGN && window) {
        object_foreign(trail, window);
        return;
    }
    if (delivery->status == HF_EFOREIGN && digest_went_on(trail, out))
        return;
    if (out == &trail->chain.key && key_moved(trail)) {
        key_begin_anew(trail);
        (void)trail_rewrite(trail);
        return;
    }
    if (delivery->status == HF_ECORRUPT)
        look_again(trail, out, window);
    if (delivery->status != HF_ESTOPPED)
        health_put_failed(&trail->health, &delivery->error);
}

static void
put_returned(struct trail *trail, struct outgoing *out, struct window *window)
{
    const struct hf_delivery *delivery = &out->delivery;
    out->in_flight = false;
    if (delivery->status != HF_OK) {
        put_failed(trail, out, window);
        return;
    }
    out->foreign = false;
    trail->counts.last_delivery_s = delivery->receipt.delivered_s;
    came_through(trail, window);
    if (out == &trail->chain.key)
        key_received(trail);
    else if (window)
        object_received(trail, window, &delivery->receipt);
    else
        digest_received(trail, &delivery->receipt);
}

void
delivery_returned(struct trail *trail, struct hf_delivery *delivery)
{
    struct digest_work *digest = trail->chain.digest;
    if (delivery == &trail->chain.check) {
        look_returned(trail);
        return;
    }
    if (delivery == &trail->chain.key.delivery) {
        put_returned(trail, &trail->chain.key, NULL);
        return;
    }
    if (digest && delivery == &digest->out.delivery) {
        put_returned(trail, &digest->out, NULL);
        return;
    }
    for (struct window *window = trail->outbox.windows; window; window = window->next) {
        if (delivery == &window->out.delivery) {
            put_returned(trail, &window->out, window);
            return;
        }
    }
}
