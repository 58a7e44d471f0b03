/* One turn of a trail: everything that can be done now, in the order of the table of steps. A turn
 * never waits for a store. */
#include "agent/trail/delivery.h"
#include "agent/trail/reserve.h"
#include "agent/trail/set.h"
#include "agent/trail/windows.h"

/* A digest or key that cannot be sealed (a full disk) must not hold back the windows that are:
 * their delivery is what makes room. */
static void
local_trouble(struct trail *trail, const struct hf_error *err)
{
    if (err->status == HF_ENOSPC && trail->health.state == TRAIL_READY &&
        reserve_give_ledgers(trail->trails))
        return;
    health_count(&trail->health, err->status);
    book_say(&trail->book, "seal.failed", NULL, err);
    chain_seal_failed(&trail->chain, err, (int64_t)hf_boot_ms());
}

/* The digest's own retry: what keeps it from being sealed says nothing about windows. */
static bool
may_seal_digest(const struct trail *trail)
{
    return trail->chain.seal_retry_ms <= (int64_t)hf_boot_ms();
}

static bool
owes_seal(const struct trail *trail)
{
    return trail->chain.digest && !trail->chain.digest->out.sealed;
}

static void
turn_digest(struct trail *trail)
{
    struct hf_error err;
    if (digest_due(trail))
        digest_cut(trail);
    if (!owes_seal(trail) || !may_seal_digest(trail))
        return;
    if (digest_seal(trail, &err) != HF_OK)
        local_trouble(trail, &err);
    else if (!owes_seal(trail))
        chain_sealed(&trail->chain);
}

/* Asked also when it is there already: then nothing is wrong with it any more. */
static void
turn_key(struct trail *trail)
{
    struct hf_error err;
    if (trail->health.state != TRAIL_READY || !may_seal_digest(trail))
        return;
    if (key_prepare(trail, &err) != HF_OK)
        local_trouble(trail, &err);
    else if (!owes_seal(trail))
        chain_sealed(&trail->chain);
}

/* A clock that cannot be right holds the trail; its check, asked for again and again, learns
 * when it is. A store that has not told its time yet is asked first. */
static void
turn_clock(struct trail *trail)
{
    struct hf_error err;
    bool known;
    if (trail->health.state != TRAIL_READY || trail->chain.check_plan)
        return;
    if (hf_deliverer_clock(trail_deliverer(trail, trail->plan->settings.store),
                           trails_last_s(trail->trails), &known, &err) != HF_OK)
        health_failed(&trail->health, &err);
    else if (!known)
        health_move(&trail->health, TRAIL_CHECKING, NULL);
}

static void
turn_store(struct trail *trail)
{
    health_turn(&trail->health);
    turn_clock(trail);
    if (health_may_check(&trail->health) && !trail->chain.check_plan)
        look_begin(trail);
    turn_key(trail);
    attempt_deliveries(trail);
}

/* It was made under a clock that was ahead, and has dated nothing. */
static void
turn_beginning(struct trail *trail)
{
    int64_t now_s = hf_wall_s();
    if (!trail_is_untouched(trail) || trail->chain.time_s <= now_s || !trail_may_cut(trail))
        return;
    chain_begin_now(&trail->chain, now_s);
    (void)trail_rewrite(trail);
    digest_schedule(trail);
}

/* Gone from the configuration: what was cut is delivered, a last digest signs it, then the
 * folder goes. */
static void
turn_draining(struct trail *trail)
{
    const struct chain *chain = &trail->chain;
    if (trail->outbox.windows || chain->digest)
        return;
    if (chain_owes_digest(chain, &trail->lists, trail->line.cut_seq))
        trail->chain.due_now = true;
    else if (!trail->line.changes && !chain->check_plan && !chain->key.in_flight)
        health_move(&trail->health, TRAIL_ENDED, NULL);
}

void
turn_trail(struct trail *trail)
{
    if (trail->book.damaged)
        return;
    bool behind = trail->book.behind &&
                  !trail_sync(trail); /* memory is ahead of the disk: nothing may leave */
    if (trail->trails->stopping)
        return;
    if (behind) {
        turn_store(trail); /* who may deliver may use the reserve */
        return;
    }
    change_turn(trail);
    if (trail->line.rule.gone)
        turn_draining(trail);
    if (trail->health.state == TRAIL_ENDED)
        return;
    turn_beginning(trail);
    cut_windows(trail);
    turn_digest(trail);
    turn_store(trail);
    trail_compact(trail);
}

int64_t
turn_wake_ms(const struct trail *trail)
{
    int64_t now_ms = (int64_t)hf_boot_ms(), wake_ms = INT64_MAX;
    if (trail->book.damaged)
        return wake_ms;
    if (!trail->chain.digest) /* one that is due and still not cut may not be cut yet */
        wake_ms = trail->chain.due_ms > now_ms ? trail->chain.due_ms : now_ms + 1000;
    int64_t due_s = hf_cutter_due_s(
        trail->line.cutter, hf_window_delay_s(trail->chain.journal, trail->line.rule.window_s));
    if (due_s) { /* a wall-clock time: whoever sets the clock wakes us */
        int64_t wait_ms = due_s * 1000 - (int64_t)(hf_wall_ns() / 1000000) + 5;
        wake_ms = HF_MIN(wake_ms, now_ms + HF_MAX(wait_ms, 50));
    }
    if (trail->health.state == TRAIL_WAITING || trail->health.state == TRAIL_HELD)
        wake_ms = HF_MIN(wake_ms, trail->health.retry_ms);
    if (trail->outbox.move_at_ms > now_ms)
        wake_ms = HF_MIN(wake_ms, trail->outbox.move_at_ms);
    if (trail->book.behind || trail->outbox.seal_retry_ms > (uint64_t)now_ms)
        wake_ms = HF_MIN(wake_ms, now_ms + 1000);
    else if (trail->chain.seal_retry_ms > now_ms)
        wake_ms = HF_MIN(wake_ms, trail->chain.seal_retry_ms);
    else if (owes_seal(trail)) /* it got another key just now */
        wake_ms = now_ms;
    return HF_MAX(wake_ms, now_ms + 1);
}
