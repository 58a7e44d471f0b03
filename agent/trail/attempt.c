/* Outgoing files: an ATTEMPT is durable before each PUT, the receipt before anything is removed. */
#include "agent/trail/trail_impl.h"
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

/* Half of the time is fixed, half is random, so that a fleet does not come back in the same
 * second. */
static int64_t
back_off_ms(int64_t first_ms, unsigned failures)
{
    int64_t most = first_ms << HF_MIN(failures, 10u);
    most = HF_MIN(most, RETRY_MOST_MS);
    uint32_t random;
    hf_random(&random, sizeof(random));
    return most / 2 + random % (most / 2 + 1);
}

void
attempt_back_off(struct trail *trail, const struct hf_error *err)
{
    enum hf_next next = hf_status_next(err->status);
    bool away = next == HF_NEXT_WAIT;
    trail_failed(trail, err->status);
    trail->retry_at_ms = (int64_t)hf_boot_ms() +
                         back_off_ms(away ? RETRY_WAIT_MS : RETRY_HELD_MS, trail->failures++);
    trail_move(trail, away ? TRAIL_WAITING : TRAIL_HELD, err);
}

/* A store that changes whatever it is given would take one key after the other, and what lies
 * under each is locked. So past the first few there is one more after a pause, which grows. */
bool
attempt_may_move(struct trail *trail, size_t moves)
{
    int64_t now_ms = (int64_t)hf_boot_ms(),
            pause_ms =
                HF_MIN((int64_t)RETRY_MOST_MS << HF_MIN(trail->moves, 10u), MOVE_PAUSE_MOST_MS);
    if (moves <= GENERATIONS_MOST)
        return true;
    if (trail->move_at_ms && now_ms >= trail->move_at_ms) {
        trail->moves++;
        trail->move_at_ms = 0;
        return true;
    }
    if (!trail->move_at_ms)
        trail->move_at_ms = now_ms + pause_ms;
    return false;
}

static const char *
what_of(const struct outgoing *out)
{
    switch (out->sealed->kind) {
    case HF_SEALED_DIGEST: return "digest";
    case HF_SEALED_KEY: return "key";
    case HF_SEALED_OBJECT: break;
    }
    return out->sealed->window;
}

/* Locks only grow: never before the last attempt's date, nor before what a digest must outlive. */
static bool
attempt_one(struct trail *trail, struct outgoing *out)
{
    struct hf_deliverer *deliverer = trail_deliverer(trail, out->sealed->store);
    struct hf_error err;
    /* Before a date is written down: a wrong one would stay for ever. Read first: a clock that
     * is set in between is seen. */
    int64_t now_s = hf_deliverer_now_s(deliverer);
    bool known;
    if (hf_deliverer_clock(deliverer, &known, &err) != HF_OK) {
        attempt_back_off(trail, &err);
        return false;
    }
    if (!known && out->sealed->lock_mode != HF_LOCK_NONE &&
        strcmp(out->sealed->store, trail->plan->settings.store) == 0)
        return false; /* the check learns it */
    int64_t at_least_s = HF_MAX(out->sealed->lock_at_least_s, HF_MAX(out->last_retain_s, 0));
    int64_t retain_s =
        hf_retain_until(out->sealed->lock_mode, out->sealed->lock_days, now_s, at_least_s);
    bool again = out->first_retain_s >= 0;
    if (out->first_retain_s < 0)
        out->first_retain_s = retain_s;
    out->last_retain_s = retain_s;
    (void)step_record(trail, HF_STEP_ATTEMPT,
                      step_attempt_doc(what_of(out), retain_s, out->foreign));
    if (!step_sync(trail))
        return false;
    hf_buf_done(&out->delivery.newest_digest);
    out->delivery = (struct hf_delivery){ .kind = HF_JOB_PUT,
                                          .sealed = out->sealed,
                                          .retain_until_s = retain_s,
                                          .first_retain_until_s = out->first_retain_s,
                                          .maybe_there = out->maybe_there,
                                          .foreign = out->foreign,
                                          .not_before_boot_ms = out->not_before_ms,
                                          .done = message_delivered,
                                          .context = trail->trails };
    out->in_flight = true;
    trail->counts.puts++;
    trail->counts.puts_again += again;
    hf_deliverer_submit(deliverer, &out->delivery);
    return true;
}

static size_t
in_flight(const struct trail *trail)
{
    size_t count = trail->key_out.in_flight + (trail->digest && trail->digest->out.in_flight);
    for (const struct window *window = trail->windows; window; window = window->next)
        count += window->out.in_flight;
    return count;
}

static bool
can_go(const struct outgoing *out)
{
    return out->sealed && !out->in_flight && !out->done;
}

/* After a failure one delivery is tried alone; when it has come through, the others follow. */
void
attempt_deliveries(struct trail *trail)
{
    size_t room = trail->failures ? 1 : IN_FLIGHT_MAX, flying = in_flight(trail);
    if (trail->state != TRAIL_READY || trail->ledger_trouble || trail->trails->stopping)
        return;
    if (flying < room && can_go(&trail->key_out) && attempt_one(trail, &trail->key_out))
        flying++;
    if (flying < room && trail->digest && key_in_place(trail) && can_go(&trail->digest->out) &&
        chain_looked(trail) && attempt_one(trail, &trail->digest->out))
        flying++;
    for (struct window *window = trail->windows;
         window && flying < room && trail->object_count + flying < OBJECTS_MOST;
         window = window->next) {
        bool pauses = window->out.foreign && (int64_t)hf_boot_ms() < trail->move_at_ms;
        if (window->state == WINDOW_SEALED && can_go(&window->out) && !pauses) {
            if (!attempt_one(trail, &window->out))
                return;
            flying++;
        }
    }
}

static void
unlink_sealed(struct trail *trail, const char *path)
{
    struct hf_error err;
    enum hf_status status = hf_fs_unlink(path, &err);
    if (status != HF_OK && status != HF_ENOTFOUND) /* the next start removes it */
        hf_log_warn("sealed.leftover", HF_STR("trail", trail->name), HF_ERR(&err));
}

static void
object_received(struct trail *trail, struct window *window, const struct hf_receipt *receipt)
{
    const struct hf_sealed *sealed = window->out.sealed;
    struct hf_digest_object *object = object_add(trail);
    object->bucket = hf_strdup(sealed->bucket);
    object->key = hf_strdup(sealed->key);
    memcpy(object->hash, *sealed->envelope_sha256 ? sealed->envelope_sha256 : sealed->plain_sha256,
           sizeof(object->hash));
    memcpy(object->stored_sha256, sealed->sha256, sizeof(object->stored_sha256));
    memcpy(object->plain_sha256, sealed->plain_sha256, sizeof(object->plain_sha256));
    object->oldest_s = sealed->oldest_s;
    object->newest_s = sealed->newest_s;
    object->first_seq = sealed->first_seq;
    object->last_seq = sealed->last_seq;
    object->count = sealed->count;
    object->version_id = *receipt->version_id ? hf_strdup(receipt->version_id) : NULL;
    object->confirmed = hf_strdup(receipt->confirmed);
    object->encryption = hf_strdup(hf_encryption_text(sealed->encryption));
    object->lock_mode = hf_strdup(hf_lock_mode_text(receipt->lock_mode));
    object->retain_until_s = receipt->retain_until_s;
    object->repeated = receipt->repeated;
    for (size_t i = 0; i < sealed->gap_count; i++)
        gap_add(trail, sealed->gaps[i]);
    trail->counts.objects++;
    trail->counts.records += sealed->count;
    trail->counts.locked +=
        receipt->lock_mode != HF_LOCK_NONE && !receipt->advisory ? sealed->count : 0;
    trail->counts.bytes += sealed->size;
    trail->counts.repeated += receipt->repeated;
    trail->spool_bytes -= HF_MIN(trail->spool_bytes, sealed->size);
    (void)step_record(trail, HF_STEP_RECEIPT, step_receipt_doc(object, window->id, sealed));
    hf_log_info("object.delivered", HF_STR("trail", trail->name), HF_STR("key", sealed->key),
                HF_NUM("records", sealed->count), HF_NUM("bytes", sealed->size),
                HF_STR("confirmed", receipt->confirmed));
    hf_owned(hf_freep) char *path = hf_take(window->out.path);
    window_remove(trail, window);
    if (step_sync(trail))
        unlink_sealed(trail, path);
}

static void
key_received(struct trail *trail)
{
    const struct hf_sealed *sealed =
        trail->key_out.sealed; /* what was put, whatever the configuration says by now */
    key_place(sealed->store, sealed->bucket, sealed->key, trail->key_in_bucket);
    (void)step_record(trail, HF_STEP_KEY_RECEIPT,
                      json_pack("{s:s, s:s}", "place", trail->key_in_bucket, "key", sealed->key));
    if (step_sync(trail))
        unlink_sealed(trail, trail->key_out.path);
    outgoing_done(&trail->key_out);
    trail->key_out = (struct outgoing){ .trail = trail, .first_retain_s = -1, .last_retain_s = -1 };
}

static void
digest_received(struct trail *trail, const struct hf_receipt *receipt)
{
    struct digest_work *work = trail->digest;
    const struct hf_sealed *sealed = work->out.sealed;
    struct head head = { .number = work->digest.number,
                         .end_s = work->digest.end_s,
                         .retain_until_s = receipt->retain_until_s };
    snprintf(head.key, sizeof(head.key), "%s", sealed->key);
    snprintf(head.bucket, sizeof(head.bucket), "%s", sealed->bucket);
    memcpy(head.hash, sealed->plain_sha256, sizeof(head.hash));
    head.signature = hf_strdup(sealed->signature);
    hf_freep(&trail->head.signature);
    trail->head = head;
    trail->counts.digests++;
    trail->spool_bytes -= HF_MIN(trail->spool_bytes, sealed->size);
    (void)step_record(trail, HF_STEP_DIGEST_RECEIPT, step_digest_receipt_doc(&trail->head));
    hf_log_info("digest.delivered", HF_STR("trail", trail->name), HF_STR("key", head.key),
                HF_NUM("number", head.number), HF_NUM("objects", work->digest.object_count));
    hf_owned(hf_freep) char *path = hf_take(work->out.path);
    digest_work_free(hf_take(trail->digest));
    if (step_sync(trail))
        unlink_sealed(trail, path);
}

/* With confirm: put an attempt of unknown outcome makes what lies there ours, by its lock alone:
 * a restart must know that it is not. */
static void
note_foreign(struct trail *trail, struct outgoing *out)
{
    if (out->foreign)
        return;
    out->foreign = true;
    (void)step_record(trail, HF_STEP_ATTEMPT,
                      step_attempt_doc(what_of(out), out->last_retain_s, true));
    (void)step_sync(trail);
}

/* Someone else's bytes lie under our key: never overwritten. The same body goes out again under
 * the next generation's key; its file is durable before the ledger says so, and the old one goes
 * after that. */
static void
object_foreign(struct trail *trail, struct window *window)
{
    char unique[HF_UNIQUE_SIZE], new_key[HF_KEY_MAX];
    const struct settings *s = &trail->plan->settings;
    unsigned generation = window->generation + 1;
    struct hf_sealed *sealed;
    struct hf_error err;
    if (!attempt_may_move(trail, generation)) {
        note_foreign(trail, &window->out);
        attempt_back_off(trail, &window->out.delivery.error);
        return;
    }
    trail_failed(trail, HF_EFOREIGN);
    hf_layout_unique(trail->tag, trail->trails->options.identity->journal, trail->name,
                     window->range.first_seq, window->range.last_seq, generation, unique);
    hf_layout_object_key(&s->layout, window->time_s, unique, hf_ends_with(window->key, ".cms.gz"),
                         new_key);
    hf_log_error("object.foreign", HF_STR("trail", trail->name), HF_STR("key", window->key),
                 HF_STR("new_key", new_key));
    hf_owned(hf_freep) char *old_path = hf_strdup(window->out.path),
                            *new_path = window_path(window, generation);
    if (hf_sealed_rekey(old_path, new_key, generation, new_path, &sealed, &err) != HF_OK) {
        attempt_back_off(trail, &err);
        return;
    }
    hf_owned(hf_doc_freep) json_t *doc =
        json_pack("{s:s, s:s, s:i, s:s}", "window", window->id, "key", window->key, "generation",
                  (int)generation, "new_key", new_key);
    if (step_replay(trail, HF_STEP_FOREIGN, doc, &err) !=
        HF_OK) /* the same change that a restart makes */
        hf_log_error("ledger.failed", HF_STR("trail", trail->name), HF_ERR(&err));
    hf_sealed_free(window->out.sealed);
    window->out.sealed = sealed;
    (void)step_record(trail, HF_STEP_FOREIGN, json_incref(doc));
    if (step_sync(trail))
        unlink_sealed(trail, old_path);
}

/* A digest's key is taken. The next check looks at what lies there: it may be a clone's. Without
 * the right to look there is nothing to wait for, and it goes on under another key. */
static bool
digest_went_on(struct trail *trail, struct outgoing *out)
{
    note_foreign(trail, out);
    if (out == &trail->key_out) {
        hf_while(
            &out->delivery.error, HF_EFOREIGN,
            "the public key's place is taken: `holdfast key new` makes a key that has another");
        return false;
    }
    if (!trail->chain_unseen || !attempt_may_move(trail, trail->digest->digest.foreign_count + 1))
        return false;
    trail_failed(trail, HF_EFOREIGN);
    digest_move(trail);
    return true;
}

static struct window *
window_of(struct trail *trail, const struct outgoing *out)
{
    for (struct window *window = trail->windows; window; window = window->next) {
        if (&window->out == out)
            return window;
    }
    return NULL;
}

/* A sealed file that was damaged while it waited is sealed again, or given up as a signed loss. */
static void
look_again(struct trail *trail, struct window *window)
{
    struct hf_sealed *sealed = NULL;
    struct hf_error err;
    enum hf_status status = hf_sealed_open(window->out.path, true, &sealed, &err);
    hf_sealed_free(sealed);
    if (status != HF_ECORRUPT && status != HF_EFORMAT && status != HF_ENOTFOUND)
        return;
    hf_log_error("sealed.damaged", HF_STR("trail", trail->name), HF_STR("file", window->out.path),
                 HF_ERR(&err));
    trail->spool_bytes -= HF_MIN(trail->spool_bytes, window->out.sealed->size);
    hf_sealed_free(hf_take(window->out.sealed));
    window->state = WINDOW_CUT;
}

/* A delivery has come through. All is well only when no key of ours is taken any more; and when
 * one that was has found another at last, the next need not wait. */
static void
came_through(struct trail *trail, const struct window *window)
{
    trail->failures = 0;
    trail->put_failed = trail->key_out.foreign || (trail->digest && trail->digest->out.foreign);
    for (const struct window *other = trail->windows; other; other = other->next)
        trail->put_failed = trail->put_failed || (other != window && other->out.foreign);
    if (!trail->put_failed) {
        trail->moves = 0;
        trail->move_at_ms = 0;
    } else if (window && window->generation > GENERATIONS_MOST) {
        trail->move_at_ms = HF_MIN(trail->move_at_ms, 1);
    }
    if (trail->state != TRAIL_CHECKING && (trail->state != TRAIL_READY || *trail->held))
        trail_move(trail, TRAIL_READY, NULL);
}

static void
put_returned(struct trail *trail, struct outgoing *out)
{
    struct hf_delivery *delivery = &out->delivery;
    struct window *window = window_of(trail, out);
    out->in_flight = false;
    if (delivery->status == HF_OK) {
        out->foreign = false;
        trail->counts.last_delivery_s = delivery->receipt.delivered_s;
        came_through(trail, window);
        if (out == &trail->key_out)
            key_received(trail);
        else if (window)
            object_received(trail, window, &delivery->receipt);
        else
            digest_received(trail, &delivery->receipt);
        return;
    }
    out->maybe_there = true; /* cheap to ask, and right whatever happened */
    if (trail->digest && out == &trail->digest->out)
        trail->digest->looked = false; /* by the next attempt somebody may have written */
    if (delivery->unknown && delivery->status == HF_ETIMEOUT)
        out->not_before_ms = HF_MAX(out->not_before_ms, delivery->not_before_boot_ms);
    if (delivery->status == HF_EFOREIGN && window) {
        object_foreign(trail, window);
        return;
    }
    if (delivery->status == HF_EFOREIGN && digest_went_on(trail, out))
        return;
    if (out == &trail->key_out && key_moved(trail)) {
        key_begin_anew(trail);
        return;
    }
    if (delivery->status == HF_ECORRUPT && window)
        look_again(trail, window);
    if (delivery->status == HF_ESTOPPED)
        return;
    trail->put_failed = true;
    attempt_back_off(trail, &delivery->error);
}

void
attempt_returned(struct hf_delivery *delivery)
{
    if (delivery->kind == HF_JOB_CHECK) {
        chain_checked((struct trail *)((char *)delivery - offsetof(struct trail, check)));
        return;
    }
    struct outgoing *out =
        (struct outgoing *)((char *)delivery - offsetof(struct outgoing, delivery));
    put_returned(out->trail, out);
}
