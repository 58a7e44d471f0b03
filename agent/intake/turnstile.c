/* One at a time, in the order of coming. A mutex alone would not do: who gives it back and takes it
 * again at once is quicker than those who wait for it, and a source that always has much to hand
 * over would keep the others out. Here it is handed to the one that is next. */
#include "agent/intake/intake_impl.h"

struct hf_turnstile_place {
    TAILQ_ENTRY(hf_turnstile_place) entry;
    pthread_cond_t called;
    bool is_called;
};

void
hf_turnstile_init(struct hf_turnstile *turnstile)
{
    pthread_mutex_init(&turnstile->lock, NULL);
    TAILQ_INIT(&turnstile->queue);
    turnstile->taken = false;
}

void
hf_turnstile_done(struct hf_turnstile *turnstile)
{
    hf_assert(!turnstile->taken && TAILQ_EMPTY(&turnstile->queue));
    pthread_mutex_destroy(&turnstile->lock);
}

static void
wait_in_queue(struct hf_turnstile *turnstile, bool in_front)
{
    struct hf_turnstile_place place = { .is_called = false };
    pthread_cond_init(&place.called, NULL);
    if (in_front)
        TAILQ_INSERT_HEAD(&turnstile->queue, &place, entry);
    else
        TAILQ_INSERT_TAIL(&turnstile->queue, &place, entry);
    while (!place.is_called)
        pthread_cond_wait(&place.called, &turnstile->lock);
    pthread_cond_destroy(&place.called);
}

void
hf_turnstile_enter(struct hf_turnstile *turnstile, bool in_front)
{
    pthread_mutex_lock(&turnstile->lock);
    if (turnstile->taken)
        wait_in_queue(turnstile, in_front);
    turnstile->taken = true;
    pthread_mutex_unlock(&turnstile->lock);
}

void
hf_turnstile_leave(struct hf_turnstile *turnstile)
{
    pthread_mutex_lock(&turnstile->lock);
    struct hf_turnstile_place *next = TAILQ_FIRST(&turnstile->queue);
    hf_assert(turnstile->taken);
    if (next) { /* it stays taken: nobody comes in between */
        TAILQ_REMOVE(&turnstile->queue, next, entry);
        next->is_called = true;
        pthread_cond_signal(&next->called);
    } else {
        turnstile->taken = false;
    }
    pthread_mutex_unlock(&turnstile->lock);
}
