/* Attempts: what is sealed goes to its store, and before each PUT the ledger says so. */
#include "agent/trail/delivery.h"
#include "agent/trail/inbox.h"

#include <string.h>

const char *
attempt_what(const struct outgoing *out)
{
    switch (out->sealed->kind) {
    case HF_SEALED_DIGEST: return "digest";
    case HF_SEALED_KEY: return "key";
    case HF_SEALED_OBJECT: break;
    }
    return out->sealed->window;
}

/* Before a date is written down: a wrong one would stay for ever. */
static bool
clock_is_right(struct trail *trail, const struct outgoing *out, struct hf_deliverer *deliverer)
{
    struct hf_error err;
    bool known;
    if (hf_deliverer_clock(deliverer, trails_last_s(trail->trails), &known, &err) != HF_OK) {
        health_failed(&trail->health, &err);
        return false;
    }
    return known || out->sealed->lock_mode == HF_LOCK_NONE ||
           strcmp(out->sealed->store, trail->plan->settings.store) != 0; /* the check learns it */
}

static void
submit(struct trail *trail, struct outgoing *out, struct hf_deliverer *deliverer)
{
    hf_buf_done(&out->delivery.newest_digest);
    out->delivery = (struct hf_delivery){ .kind = HF_JOB_PUT,
                                          .sealed = out->sealed,
                                          .retain_until_s = out->last_retain_s,
                                          .first_retain_until_s = out->first_retain_s,
                                          .maybe_there = out->maybe_there,
                                          .foreign = out->foreign,
                                          .not_before_boot_ms = out->not_before_ms,
                                          .last_s = trails_last_s(trail->trails),
                                          .done = message_delivered,
                                          .context = trail };
    out->in_flight = true;
    hf_deliverer_submit(deliverer, &out->delivery);
}

/* Locks only grow: never before the last attempt's date, nor before what a digest must outlive. */
static bool
attempt_one(struct trail *trail, struct outgoing *out)
{
    struct hf_deliverer *deliverer = trail_deliverer(trail, out->sealed->store);
    /* Read first: a clock that is set in between is seen. */
    int64_t now_s = hf_deliverer_now_s(deliverer);
    if (!clock_is_right(trail, out, deliverer))
        return false;
    int64_t at_least_s = HF_MAX(out->sealed->lock_at_least_s, HF_MAX(out->last_retain_s, 0));
    int64_t retain_s =
        hf_retain_until(out->sealed->lock_mode, out->sealed->lock_days, now_s, at_least_s);
    bool again = out->first_retain_s >= 0;
    trail_take(trail, &(struct step){ .kind = HF_STEP_ATTEMPT,
                                      .attempt = { attempt_what(out), retain_s, out->foreign } });
    if (!trail_sync(trail))
        return false;
    trail->counts.puts++;
    trail->counts.puts_again += again;
    submit(trail, out, deliverer);
    return true;
}

static bool
can_go(const struct outgoing *out)
{
    return out->sealed && !out->in_flight;
}

/* After a failure one delivery is tried alone; when it has come through, the others follow. */
/* What is delivered has to have its place in the next digest. */
static bool
has_place(struct lists *lists, size_t flying)
{
    return lists->object_count + flying < OBJECTS_MOST &&
           lists_bytes(lists) + flying * LISTED_BYTES_MOST <
               LISTS_BYTES_MOST + 2 * IN_FLIGHT_MAX * LISTED_BYTES_MOST;
}

void
attempt_deliveries(struct trail *trail)
{
    struct digest_work *digest = trail->chain.digest;
    struct outgoing *key = &trail->chain.key;
    size_t room = trail->health.failures ? 1 : IN_FLIGHT_MAX,
           flying = outbox_in_flight(&trail->outbox) + key->in_flight +
                    (digest && digest->out.in_flight);
    if (trail->health.state != TRAIL_READY || trail->book.behind || trail->trails->stopping)
        return;
    if (flying < room && can_go(key) && attempt_one(trail, key))
        flying++;
    if (flying < room && digest && key_in_place(trail) && can_go(&digest->out) &&
        look_digest_may_go(trail) && attempt_one(trail, &digest->out))
        flying++;
    for (struct window *window = trail->outbox.windows;
         window && flying < room && has_place(&trail->lists, flying); window = window->next) {
        bool pauses = window->out.foreign && (int64_t)hf_boot_ms() < trail->outbox.move_at_ms;
        if (window->state == WINDOW_SEALED && can_go(&window->out) && !pauses) {
            if (!attempt_one(trail, &window->out))
                return;
            flying++;
        }
    }
}
