/* The ring of objects that are looked at:
 *
 *              taken        begun             handed
 *                ▼            ▼                 ▼
 *   ... free │ done │ under way │ done │ waiting │ waiting │ free ...
 *                └─ the caller takes    └─ the next worker that has nothing to do
 *
 *   taken ≤ begun ≤ handed ≤ taken + slots. Looks end in any order; they are taken in this one.
 *
 * It cannot lock up: whoever waits for bytes waits for looks that are under way, which end, or for
 * what lies done. The caller takes that, for everything before it was begun before it. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/verify/workers.h"

struct slot {
    const struct hf_digest *digest;
    const struct hf_digest_object *object;
    bool versions_refused;
    bool done;
    size_t bytes; /* it holds, once it is done */
    struct looked looked;
};

struct worker {
    struct workers *workers;
    struct look look;
    pthread_t thread;
};

struct workers {
    const struct hf_verify_options *options;
    size_t room;
    struct worker *crew; /* the caller's thread alone changes these three */
    unsigned crew_count, crew_most;
    struct slot *slots;
    size_t slot_count;
    struct {
        pthread_mutex_t mutex;
        pthread_cond_t work, done; /* there may be something to begin; something may be done */
        uint64_t taken, begun, handed;
        size_t bytes, bytes_most;
        unsigned idle;
        bool stopping;
    } synced;
};

static struct slot *
slot_at(struct workers *workers, uint64_t at)
{
    return &workers->slots[at % workers->slot_count];
}

static bool
can_begin_synced(const struct workers *workers)
{
    return workers->synced.begun < workers->synced.handed &&
           workers->synced.bytes + workers->room <= workers->synced.bytes_most;
}

/* NULL: it is over. */
static struct slot *
begin_synced(struct workers *workers)
{
    workers->synced.idle++;
    while (!workers->synced.stopping && !can_begin_synced(workers))
        pthread_cond_wait(&workers->synced.work, &workers->synced.mutex);
    workers->synced.idle--;
    if (workers->synced.stopping)
        return NULL;
    workers->synced.bytes += workers->room;
    return slot_at(workers, workers->synced.begun++);
}

static void
end_synced(struct workers *workers, struct slot *slot)
{
    slot->bytes = slot->looked.content.capacity;
    slot->done = true;
    workers->synced.bytes -= workers->room - slot->bytes;
    pthread_cond_signal(&workers->synced.done);
    pthread_cond_signal(&workers->synced.work); /* there is more room */
}

static void *
work(void *argument)
{
    struct worker *worker = argument;
    struct workers *workers = worker->workers;
    struct slot *slot;

    pthread_mutex_lock(&workers->synced.mutex);
    while ((slot = begin_synced(workers)) != NULL) {
        pthread_mutex_unlock(&workers->synced.mutex);
        worker->look.versions_refused |= slot->versions_refused;
        object_look(&worker->look, slot->digest, slot->object, &slot->looked);
        pthread_mutex_lock(&workers->synced.mutex);
        end_synced(workers, slot);
    }
    pthread_mutex_unlock(&workers->synced.mutex);
    return NULL;
}

struct workers *
workers_new(const struct hf_verify_options *options, size_t room)
{
    struct workers *workers = hf_alloc(sizeof(*workers));
    unsigned most = options->workers ? options->workers : HF_VERIFY_WORKERS;

    hf_assert(most <= HF_VERIFY_WORKERS_MAX);
    *workers = (struct workers){
        .options = options,
        .room = room,
        .crew = hf_alloc(most * sizeof(*workers->crew)),
        .crew_most = most,
        .slots = hf_alloc(most * WORKERS_AHEAD * sizeof(*workers->slots)),
        .slot_count = (size_t)most * WORKERS_AHEAD,
        .synced.bytes_most = (most + 1) * room,
    };
    pthread_mutex_init(&workers->synced.mutex, NULL);
    pthread_cond_init(&workers->synced.work, NULL);
    pthread_cond_init(&workers->synced.done, NULL);
    return workers;
}

static enum hf_status
add_worker(struct workers *workers, struct hf_error *err)
{
    const struct hf_verify_options *options = workers->options;
    struct worker *worker = &workers->crew[workers->crew_count];
    struct hf_store *store = NULL;
    char name[16];
    enum hf_status status = options->open_store(options->context, &store, err);

    if (status != HF_OK)
        return hf_while(err, status, "opening the store for one more worker");
    *worker = (struct worker){
        .workers = workers,
        .look = { .options = options, .store = store, .room = workers->room },
    };
    errno = pthread_create(&worker->thread, NULL, work, worker);
    if (errno) {
        hf_store_close(store);
        return hf_fail_errno(err, HF_EIO, "starting a thread to look at objects");
    }
    snprintf(name, sizeof(name), "hf-look-%u", workers->crew_count++ % 100);
    (void)pthread_setname_np(worker->thread, name);
    return HF_OK;
}

bool
workers_are_full(const struct workers *workers)
{
    /* Only the caller's thread moves these two. */
    return workers->synced.handed - workers->synced.taken == workers->slot_count;
}

enum hf_status
workers_put(struct workers *workers, const struct hf_digest *digest,
            const struct hf_digest_object *object, bool versions_refused, struct hf_error *err)
{
    hf_assert(!workers_are_full(workers));
    pthread_mutex_lock(&workers->synced.mutex);
    *slot_at(workers, workers->synced.handed++) = (struct slot){
        .digest = digest,
        .object = object,
        .versions_refused = versions_refused,
    };
    bool all_busy = workers->synced.handed - workers->synced.begun > workers->synced.idle;
    pthread_cond_signal(&workers->synced.work);
    pthread_mutex_unlock(&workers->synced.mutex);
    return all_busy && workers->crew_count < workers->crew_most ? add_worker(workers, err) : HF_OK;
}

void
workers_take(struct workers *workers, struct looked *ret_looked)
{
    struct slot *slot = slot_at(workers, workers->synced.taken);

    hf_assert(workers->synced.taken < workers->synced.handed);
    pthread_mutex_lock(&workers->synced.mutex);
    while (!slot->done)
        pthread_cond_wait(&workers->synced.done, &workers->synced.mutex);
    *ret_looked = slot->looked;
    workers->synced.taken++;
    workers->synced.bytes -= slot->bytes;
    pthread_cond_signal(&workers->synced.work);
    pthread_mutex_unlock(&workers->synced.mutex);
}

void
workers_free(struct workers *workers)
{
    if (!workers)
        return;
    pthread_mutex_lock(&workers->synced.mutex);
    workers->synced.stopping = true;
    pthread_cond_broadcast(&workers->synced.work);
    pthread_mutex_unlock(&workers->synced.mutex);
    for (unsigned i = 0; i < workers->crew_count; i++) {
        pthread_join(workers->crew[i].thread, NULL);
        hf_store_close(workers->crew[i].look.store);
    }
    for (uint64_t at = workers->synced.taken; at < workers->synced.begun; at++)
        looked_done(&slot_at(workers, at)->looked);
    pthread_cond_destroy(&workers->synced.done);
    pthread_cond_destroy(&workers->synced.work);
    pthread_mutex_destroy(&workers->synced.mutex);
    free(workers->slots);
    free(workers->crew);
    free(workers);
}
