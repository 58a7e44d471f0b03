/* A trail and the set of trails. Everything here belongs to the trails' thread, but for the inbox.
 *
 *   inbox.c ──▶ trails.c (the thread) ──▶ turn.c, flush.c, set.c, status.c          what is done in which order
 *                                            │
 *                ┌──────────────┬────────────┼──────────────┬───────────────┐
 *                ▼              ▼            ▼              ▼               ▼
 *             change.c       cut.c        seal.c        attempt.c        look.c     what a trail does: a step each
 *                │              │           │           receipt.c       stray.c
 *                │              │           │           digest.c, key.c  chain_new.c
 *                ▼              ▼           ▼              ▼               ▼
 *              ┌──────────────────────────────────────────────────────────────┐
 *              │ trail.c: take, sync, rewrite ──▶ book: ledger                │
 *              │                                   └──▶ state: one apply each │
 *              └──────────────────────────────────────────────────────────────┘
 *                 │            │              │            │             │
 *                 ▼            ▼              ▼            ▼             ▼
 *               line         outbox         lists        chain        health        parts: each for itself
 *           cutter, rule,  windows, what   objects,    head, digest,  state, why,
 *           changes, pace  is under way    losses,     public key,    since, when
 *                                          foreign     last look      again
 *
 * Calls go down. A part knows no trail, and of the others only what it is made of (the digest on its
 * way is an outgoing file and lists). What happened comes up as a result, and health alone decides
 * whether the trail delivers, waits or is held, and when it tries again. What a crash leaves is in
 * the ledger and the sealed files: open.c makes the parts from them. */
#ifndef HOLDFAST_TRAIL_IMPL_H
#define HOLDFAST_TRAIL_IMPL_H

#include "agent/trail/book.h"
#include "agent/trail/health.h"
#include "agent/trail/plan.h"
#include "agent/trail/state.h"

#include <holdfast/deliver.h>
#include <holdfast/trail.h>

#define WINDOWS_UNSEALED_MAX 16 /* cut ahead of sealing */
#define TRAILS_MAX           64
#define DIGEST_OBJECTS_MOST  8000 /* listed by one digest, which then comes early */
/* delivered and not in a digest yet: past it deliveries wait for the digest */
#define OBJECTS_MOST (DIGEST_OBJECTS_MOST + 2 * IN_FLIGHT_MAX)

struct counts { /* since the start */
    uint64_t objects, records, locked, bytes, digests, puts, puts_again, repeated, lost;
    int64_t last_delivery_s;
};

struct trail {
    struct trail *next;
    struct hf_trails *trails;
    char *name, *folder, *sealed_folder;
    struct plan *plan;
    bool draining; /* gone from the configuration */

    struct book book;
    struct line line;
    struct outbox outbox;
    struct lists lists;
    struct chain chain;
    struct health health;
    struct counts counts;
};

/* ---- trail.c: its parts together ---- */
struct trail *trail_new(struct hf_trails *trails, struct plan *plan); /* takes the plan */
void trail_free(struct trail *trail);
struct state trail_state(struct trail *trail);
/* Writes the step into the ledger and applies it; durable after trail_sync(). */
void trail_take(struct trail *trail, const struct step *step);
bool trail_sync(struct trail *trail);    /* false: trouble, nothing may leave */
bool trail_rewrite(struct trail *trail); /* the ledger anew: after a change that has no step */
void trail_compact(struct trail *trail); /* the same, if it is worth it */
void trail_set_plan(struct trail *trail, struct plan *plan); /* takes it */
enum hf_status trail_new_cutter(struct trail *trail, struct hf_error *err) hf_must_check;
struct hf_deliverer *trail_deliverer(const struct trail *trail, const char *store);
bool trail_may_cut(const struct trail *trail); /* the clock guard */
bool trail_is_untouched(const struct trail *trail);
/* The newest time that was believed here: of any trail's steps, carried on by boot time, which
 * nobody sets; 0: none yet. */
int64_t trails_last_s(const struct hf_trails *trails);
void trails_carry_on(struct hf_trails *trails); /* after steps */
/* T for a step: never goes back; false: the clock is not to be believed now. */
bool trail_take_time(const struct trail *trail, int64_t *ret_time_s);
uint64_t trail_sealed_seq(const struct trail *trail);
void trail_unlink_sealed(const struct trail *trail, const char *path);
/* Counted, said, and not tried again at once; whatever is sealed goes on its way. */
void trail_seal_failed(struct trail *trail, const char *window, const struct hf_error *err);
bool trail_may_seal(const struct trail *trail); /* not too soon after it failed */

/* ---- the set ---- */

struct store_slot {
    struct store_slot *next;
    const struct hf_config_store *config;
    struct hf_deliverer *deliverer;
};

struct reserve { /* room on disk that only draining may use: reserve.c */
    char *path;
    uint64_t bytes, have;
    int64_t retry_ms;
};

struct flush_trail {
    struct trail *trail;
    enum { FLUSH_CUT, FLUSH_DELIVER, FLUSH_SIGN, FLUSH_DONE } stage;
    uint64_t digest_number;
};
struct flush {
    struct flush *next;
    uint64_t last_seq;
    int64_t deadline_ms;
    void (*done)(void *context, const char *failed);
    void *context;
    struct flush_trail trails[TRAILS_MAX];
    size_t count;
};

struct inbox;

struct hf_trails {
    struct hf_trails_options options;
    struct hf_config *config; /* in force: what the stores' slots point into */
    struct store_slot *stores;
    struct trail *trails;
    struct hf_sealers *sealers;
    unsigned seals_in_flight, seals_most;
    unsigned sealed_place; /* in the list: the trail whose window was taken last */
    struct flush *flushes;
    struct reserve reserve;
    int64_t last_clock_ms; /* trails_last_s() minus boot time; INT64_MIN: none yet */
    struct inbox *inbox;
    bool stopping;
};

#endif
