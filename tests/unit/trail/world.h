/* Trails over a real journal and a real directory store, in a temporary folder of their own,
 * with a wall clock and a disk that a test can make wrong. */
#ifndef HOLDFAST_TESTS_TRAIL_WORLD_H
#define HOLDFAST_TESTS_TRAIL_WORLD_H

#include "tests/support/test.h"

#include <holdfast/crypto.h>
#include <holdfast/digest.h>
#include <holdfast/json.h>
#include <holdfast/seal.h>
#include <holdfast/trail.h>
#include <pthread.h>
#include <stdatomic.h>

struct world {
    char folder[256];
    struct hf_identity identity;
    struct hf_journal *journal;
    struct hf_trails *trails;
    _Atomic(struct hf_trails *) notify;
    /* What becomes of one of the agent's own events, on the trails' thread; NULL: none is
     * expected. */
    enum hf_status (*told)(struct world *world, const char *event_name, struct hf_error *err);
    atomic_uint own_events;
    atomic_bool unexpected; /* one that was not expected: world_stop() fails */
};

extern const char all_trail[], two_trail[]; /* lines for world_start() */

void world_new(struct world *world);
void world_start(struct world *world, const char *trails);
void world_start_config(struct world *world, struct hf_config *config); /* takes it */
/* What is in memory of each trail is what its ledger comes to when it is read again. */
void world_assert_replay(struct world *world);
void world_stop(struct world *world); /* ... also then */
void world_remove(struct world *world);
void world_on_commit(void *context, uint64_t durable_seq, bool room);
/* A `told` that takes JournalLoss, or ChainNew, and nothing else. */
enum hf_status world_loss_told(struct world *world, const char *event_name, struct hf_error *err);
enum hf_status world_chain_told(struct world *world, const char *event_name, struct hf_error *err);
enum hf_status world_own_event(void *context, const char *event_name, const char *details_json,
                               struct hf_error *err);
void
world_set_wall(int64_t offset_s); /* how far the wall clock is ahead; world_new() sets it right */
void world_set_synchronised(bool yes); /* what the kernel says of it; world_new(): no */
void world_set_wall_after(int reads,
                          int64_t offset_s); /* the reads-th time that somebody looks at it */
void world_sleep(
    int64_t
        /* the machine was suspended: wall and boot time go on, the monotonic clock does not */
        seconds);

struct hf_config *world_config(const struct world *world, const char *trails);
struct hf_config *world_config_parse(const struct world *world, const char *text);

/* `count` records of a source, numbered from `first`. */
void world_append(struct world *world, const char *source, unsigned first, unsigned count);

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
    char failed[512];
};
#define WAITING                                                                                    \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                     \
    }
void world_flushed(void *context, const char *failed);
void world_wait(struct waiting *waiting, char ret_failed[512]);
/* While nothing is under way, time passes at once until the next timer: a flush that cannot end well
 * takes its time by the clock of the trails, and none of ours. */
void world_flush(struct world *world, uint64_t timeout_ms, char ret_failed[512]);
void world_flush_well(struct world *world);
void world_chain_new(struct world *world, char ret_failed[512]);

/* A number of the first trail in what `holdfast status` shows. */
uint64_t world_number(struct world *world, const char *key);
/* A text, NULL where it is null; the caller's. */
char *world_text(struct world *world, const char *key);
/* Turns of the trails until all that was durable before has been looked at. */
void world_settle(struct world *world);

/* How often does `needle` stand in the objects under this prefix of bucket evidence? Digests are
 * counted apart. */
struct bucket {
    unsigned objects, digests, found, old_heads;
    uint64_t highest_number;
    uint64_t listed;       /* records of the objects in the digests */
    uint64_t lost;         /* sequences that the digests call lost */
    int64_t retain_most_s; /* latest date in a *.meta.json beside any file */
    unsigned keys;         /* public keys */
};
struct bucket bucket_of(const struct world *world, const char *prefix, const char *needle);
struct bucket bucket_in(const char *folder, const char *needle);

/* Each file below the folder; none when it is not there. Names in byte order, so digests come in
 * the order of their chain. */
void world_each_file(const char *folder, void (*visit)(void *context, const char *path),
                     void *context);
void world_each_digest(const struct world *world, const char *prefix,
                       void (*visit)(void *context, const struct hf_digest *digest), void *context);

bool world_has(const struct world *world, const char *name);
void world_wait_until_gone(const struct world *world, const char *name);

#endif
