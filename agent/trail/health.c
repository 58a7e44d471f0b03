/* State, reason and retries of a trail. */
#include "agent/trail/health.h"

#include <holdfast/crypto.h>
#include <stdio.h>

const char *
health_text(enum trail_state state)
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

bool
health_is_stuck(const struct health *health)
{
    return health->state == TRAIL_HELD || health->state == TRAIL_WAITING;
}

/* One line for each kind of trouble, however often it is tried and whatever names and numbers
 * its text has by then. */
static void
say_stuck(struct health *health, const struct hf_error *why)
{
    uint64_t kind = UINT64_C(1) << why->status;
    bool held = health->state == TRAIL_HELD;
    if (!(health->said & kind))
        hf_log(held ? HF_LOG_ERROR : HF_LOG_WARN, held ? "trail.held" : "trail.waiting",
               HF_STR("trail", health->trail), HF_STR("reason", why->text));
    health->said |= kind;
}

/* After a PUT that failed a check proves nothing, the next PUT does. */
void
health_move(struct health *health, enum trail_state state, const struct hf_error *why)
{
    bool was_stuck = *health->why;
    health->state = state;
    health->status = why ? why->status : HF_OK;
    health->checked = state == TRAIL_READY || (state == TRAIL_WAITING && health->checked);
    if (health_is_stuck(health)) {
        if (!was_stuck) {
            health->since_s = hf_wall_s();
            health->since_ms = hf_boot_ms();
        }
        snprintf(health->why, sizeof(health->why), "%s", why->text);
        health->class = why->status;
        say_stuck(health, why);
    } else if (state == TRAIL_READY && was_stuck && !health->put_failed) {
        *health->why = '\0';
        health->said = 0;
        hf_log_info("trail.ready", HF_STR("trail", health->trail),
                    HF_NUM("after_s", (hf_boot_ms() - health->since_ms) / 1000));
    }
}

void
health_count(struct health *health, enum hf_status status)
{
    health->failed++;
    health->errors[status]++;
}

/* Half of the time is fixed, half is random, so that a fleet does not come back in the same
 * second. */
static int64_t
back_off_ms(int64_t first_ms, unsigned failures)
{
    int64_t most = HF_MIN(first_ms << HF_MIN(failures, 10u), RETRY_MOST_MS);
    uint32_t random;
    hf_random(&random, sizeof(random));
    return most / 2 + random % (most / 2 + 1);
}

void
health_failed(struct health *health, const struct hf_error *err)
{
    bool away = hf_status_next(err->status) == HF_NEXT_WAIT;
    health_count(health, err->status);
    health->retry_ms = (int64_t)hf_boot_ms() +
                       back_off_ms(away ? RETRY_WAIT_MS : RETRY_HELD_MS, health->failures++);
    health_move(health, away ? TRAIL_WAITING : TRAIL_HELD, err);
}

void
health_put_failed(struct health *health, const struct hf_error *err)
{
    health->put_failed = true;
    health_failed(health, err);
}

void
health_came_through(struct health *health, bool all)
{
    health->failures = 0;
    health->put_failed = !all;
    if (health->state != TRAIL_CHECKING && (health->state != TRAIL_READY || *health->why))
        health_move(health, TRAIL_READY, NULL);
}

void
health_checked(struct health *health)
{
    if (health->state == TRAIL_CHECKING || health->state == TRAIL_READY)
        health_move(health, TRAIL_READY, NULL);
}

void
health_check_anew(struct health *health)
{
    health->retry_ms = 0;
    health_move(health, TRAIL_CHECKING, NULL);
}

void
health_try_now(struct health *health)
{
    health->retry_ms = 0;
}

/* The reason stays: nothing has come through yet. */
void
health_turn(struct health *health)
{
    if (!health_is_stuck(health) || (int64_t)hf_boot_ms() < health->retry_ms)
        return;
    bool ready = health->state == TRAIL_WAITING && health->checked;
    health->state = ready ? TRAIL_READY : TRAIL_CHECKING;
}

bool
health_may_check(const struct health *health)
{
    return health->state == TRAIL_CHECKING && (int64_t)hf_boot_ms() >= health->retry_ms;
}
