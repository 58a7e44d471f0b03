/* Whether a trail may deliver, why not, and when it is tried again. The parts say what happened;
 * nobody else decides.
 *
 *   CHECKING ──▶ READY ◀──▶ WAITING (store away)   READY ──▶ HELD (someone must mend) ──▶ CHECKING   any ──▶ ENDED (drained)
 *
 * READY does not mean well: the reason of the last trouble stays until something came through. */
#ifndef HOLDFAST_TRAIL_HEALTH_H
#define HOLDFAST_TRAIL_HEALTH_H

#include <holdfast/base.h>

#define RETRY_WAIT_MS 500  /* first retry when a store is away or busy; doubles */
#define RETRY_HELD_MS 2000 /* first retry when a person must mend something; doubles */
#define RETRY_MOST_MS 30000

struct health {
    const char *trail; /* its name, for the log; borrowed */
    enum trail_state { TRAIL_CHECKING, TRAIL_READY, TRAIL_WAITING, TRAIL_HELD, TRAIL_ENDED } state;
    bool checked;          /* since the last start or hold */
    char why[512];         /* it is HELD or WAITING, or was and nothing came through since; or "" */
    enum hf_status class;  /* of that text, also while it is tried again */
    enum hf_status status; /* of the state; HF_OK unless HELD or WAITING */
    uint64_t said;         /* kinds of trouble in the log since it was well: a bit per status */
    bool put_failed;       /* the last PUT: well is only who has put again */
    int64_t since_s;
    uint64_t since_ms; /* boot time: a clock that is set mends some holds */
    int64_t retry_ms;  /* boot time */
    unsigned failures; /* since something came through */
    uint64_t failed;   /* attempts, since the start */
    uint64_t errors[HF_STATUS_COUNT];
};

const char *health_text(enum trail_state state);
/* The only writer of the state; `why` for WAITING and HELD. */
void health_move(struct health *health, enum trail_state state, const struct hf_error *why);
void health_count(struct health *health, enum hf_status status); /* an attempt that failed */
/* ... and is tried again after a while: WAITING or HELD, by its status. */
void health_failed(struct health *health, const struct hf_error *err);
void health_put_failed(struct health *health, const struct hf_error *err); /* the same, of a PUT */
/* A PUT was confirmed; `all`: no key of ours is taken any more. */
void health_came_through(struct health *health, bool all);
void health_checked(struct health *health);    /* the store has nothing against it */
void health_check_anew(struct health *health); /* at once: what was known is of another place */
void health_try_now(struct health *health);    /* somebody asks, or has mended something */
void health_turn(struct health *health);       /* what is due is tried again */
bool health_may_check(const struct health *health);
bool health_is_stuck(const struct health *health); /* WAITING or HELD */

#endif
