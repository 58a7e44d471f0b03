/* One turn of a trail: everything that can be done now, in the order of the table of steps. A
 * turn never waits for a store. */
#include "agent/trail/trail_impl.h"
#include <stdio.h>
#include <string.h>

const char *
trail_state_text(enum trail_state state)
{
    switch (state) {
    case TRAIL_CHECKING: return "checking"; /* asks the store whether it may deliver */
    case TRAIL_READY: return "ready";       /* delivers */
    case TRAIL_WAITING: return "waiting";   /* the store is away or busy: tries again by itself */
    case TRAIL_HELD: return "held"; /* someone has to mend something; tries again by itself, too */
    case TRAIL_ENDED: return "ended"; /* drained: everything is delivered and signed */
    }
    return "unknown";
}

/* One line for each kind of trouble, however often it is tried and whatever names and numbers
 * its text has by then. */
static void
say_stuck(struct trail *trail, const struct hf_error *why)
{
    uint64_t kind = UINT64_C(1) << why->status;
    bool held = trail->state == TRAIL_HELD;
    if (!(trail->said & kind))
        hf_log(held ? HF_LOG_ERROR : HF_LOG_WARN, held ? "trail.held" : "trail.waiting",
               HF_STR("trail", trail->name), HF_STR("reason", why->text));
    trail->said |= kind;
}

void
trail_failed(struct trail *trail, enum hf_status status)
{
    trail->counts.failures++;
    trail->counts.errors[status]++;
}

/* Trouble of this host that is tried again every second: said when it begins and when its kind
 * changes. */
void
trouble_say(struct trail *trail, const char *event, const char *window, const struct hf_error *err)
{
    if (trail->trouble != err->status)
        hf_log_error(event, HF_STR("trail", trail->name), HF_STR("window", window ? window : "-"),
                     HF_ERR(err));
    trail->trouble = err->status;
}

/* Ready does not mean well: after a PUT that failed a check proves nothing, the next PUT does. */
void
trail_move(struct trail *trail, enum trail_state state, const struct hf_error *why)
{
    bool was_stuck = *trail->held, stuck = state == TRAIL_HELD || state == TRAIL_WAITING;
    trail->state = state;
    trail->held_status = why ? why->status : HF_OK;
    trail->checked = state == TRAIL_READY || (state == TRAIL_WAITING && trail->checked);
    if (stuck) {
        if (!was_stuck) {
            trail->held_since_s = hf_wall_s();
            trail->held_since_ms = hf_boot_ms();
        }
        snprintf(trail->held, sizeof(trail->held), "%s", why->text);
        trail->held_class = why->status;
        say_stuck(trail, why);
    } else if (state == TRAIL_READY && was_stuck && !trail->put_failed) {
        *trail->held = '\0';
        trail->said = 0;
        hf_log_info("trail.ready", HF_STR("trail", trail->name),
                    HF_NUM("after_s", (hf_boot_ms() - trail->held_since_ms) / 1000));
    }
}

/* The clock guard: an object locked ten years too long cannot be undone. Cutting waits, intake
 * goes on. Until the store has told its time a clock that is far ahead of this trail's is not
 * believed: T would never come back from there. */
bool
trail_may_cut(struct trail *trail)
{
    bool known;
    if (trail->ledger_trouble ||
        hf_deliverer_clock(trail_deliverer(trail, trail->plan->settings.store), &known, NULL) !=
            HF_OK)
        return false;
    return known || hf_wall_s() - trail->last_time_s < UNTOLD_MOST_S;
}

/* Read before the guard looks, not after it: between the two somebody may set the clock. */
bool
trail_take_time(struct trail *trail, int64_t *ret_time_s)
{
    int64_t time_s = HF_MAX(trail->last_time_s, hf_wall_s());
    if (!trail_may_cut(trail))
        return false;
    trail->last_time_s = *ret_time_s = time_s;
    return true;
}

struct hf_deliverer *
trail_deliverer(struct trail *trail, const char *store)
{
    for (struct store_slot *slot = trail->trails->stores; slot; slot = slot->next) {
        if (strcmp(slot->config->name, store) == 0)
            return slot->deliverer;
    }
    hf_assert(false && "a store that something sealed names was let go");
    return NULL;
}

/* A digest or key that cannot be sealed (a full disk) must not hold back the windows that are:
 * their delivery is what makes room. */
static void
local_trouble(struct trail *trail, const struct hf_error *err)
{
    if (err->status == HF_ENOSPC && trail->state == TRAIL_READY &&
        reserve_give_ledgers(trail->trails))
        return;
    trail_failed(trail, err->status);
    trail->seal_retry_ms = hf_boot_ms() + 1000;
    trouble_say(trail, "seal.failed", NULL, err);
}

static bool
may_seal(const struct trail *trail)
{
    return (int64_t)trail->seal_retry_ms <= (int64_t)hf_boot_ms();
}

static void
turn_digest(struct trail *trail)
{
    struct hf_error err;
    if (digest_due(trail))
        digest_cut(trail);
    if (may_seal(trail) && digest_seal(trail, &err) != HF_OK)
        local_trouble(trail, &err);
}

/* A clock that cannot be right holds the trail; its check, asked for again and again, learns
 * when it is. A store that has not told its time yet is asked first. */
static void
turn_clock(struct trail *trail)
{
    struct hf_error err;
    bool known;
    if (trail->state != TRAIL_READY || trail->check_in_flight)
        return;
    if (hf_deliverer_clock(trail_deliverer(trail, trail->plan->settings.store), &known, &err) !=
        HF_OK)
        attempt_back_off(trail, &err);
    else if (!known)
        trail->state = TRAIL_CHECKING;
}

static void
turn_store(struct trail *trail)
{
    struct hf_error err;
    int64_t now_ms = (int64_t)hf_boot_ms();
    if (trail->state == TRAIL_WAITING && now_ms >= trail->retry_at_ms)
        trail->state = trail->checked ? TRAIL_READY : TRAIL_CHECKING;
    if (trail->state == TRAIL_HELD && now_ms >= trail->retry_at_ms)
        trail->state = TRAIL_CHECKING;
    turn_clock(trail);
    if (trail->state == TRAIL_CHECKING && !trail->check_in_flight && now_ms >= trail->retry_at_ms)
        chain_check(trail);
    if (trail->state == TRAIL_READY && may_seal(trail) && key_prepare(trail, &err) != HF_OK)
        local_trouble(trail, &err);
    attempt_deliveries(trail);
}

static bool
has_nothing_left(const struct trail *trail)
{
    return !trail->changes && !trail->windows && !trail->digest && !trail->object_count &&
           !trail->loss_count && trail->digested_seq >= trail->cut_seq;
}

/* Gone from the configuration: what was cut is delivered, a last digest signs it, then the
 * folder goes. */
static void
turn_draining(struct trail *trail)
{
    if (!trail->windows && !trail->digest &&
        (trail->object_count || trail->loss_count || trail->digested_seq < trail->cut_seq))
        trail->digest_now = true;
    if (!has_nothing_left(trail) || trail->check_in_flight || trail->key_out.in_flight)
        return;
    trail_move(trail, TRAIL_ENDED, NULL);
}

void
trail_turn(struct trail *trail)
{
    if (trail->damaged)
        return;
    bool behind = trail->ledger_trouble &&
                  !step_sync(trail); /* memory is ahead of the disk: nothing may leave */
    if (trail->trails->stopping)
        return;
    if (behind) {
        turn_store(trail); /* who may deliver may use the reserve */
        return;
    }
    change_turn(trail);
    if (trail->closed)
        turn_draining(trail);
    if (trail->state == TRAIL_ENDED)
        return;
    cut_windows(trail);
    turn_digest(trail);
    turn_store(trail);
    snapshot_compact(trail);
}

int64_t
trail_wake_ms(const struct trail *trail)
{
    int64_t now_ms = (int64_t)hf_boot_ms(), wake_ms = INT64_MAX;
    if (trail->damaged)
        return wake_ms;
    if (!trail->digest) /* one that is due and still not cut may not be cut yet */
        wake_ms = trail->digest_due_ms > now_ms ? trail->digest_due_ms : now_ms + 1000;
    int64_t due_s =
        hf_cutter_due_s(trail->cutter, hf_window_delay_s(trail->trails->options.identity->journal,
                                                         trail->rule.window_s));
    if (due_s) { /* a wall-clock time: whoever sets the clock wakes us */
        int64_t wait_ms = due_s * 1000 - (int64_t)(hf_wall_ns() / 1000000) + 5;
        wake_ms = HF_MIN(wake_ms, now_ms + HF_MAX(wait_ms, 50));
    }
    if (trail->state == TRAIL_WAITING || trail->state == TRAIL_HELD)
        wake_ms = HF_MIN(wake_ms, trail->retry_at_ms);
    if (trail->move_at_ms > now_ms)
        wake_ms = HF_MIN(wake_ms, trail->move_at_ms);
    if (trail->ledger_trouble || trail->seal_retry_ms > (uint64_t)now_ms)
        wake_ms = HF_MIN(wake_ms, now_ms + 1000);
    else if (trail->digest && !trail->digest->out.sealed) /* it got another key just now */
        wake_ms = now_ms;
    return HF_MAX(wake_ms, now_ms + 1);
}
