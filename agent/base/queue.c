/* A bounded ring between threads. A closed queue takes nothing more and still gives what is in it.
 */
#include <holdfast/base.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct hf_queue {
    char *name; /* for whoever looks at it in a debugger */
    size_t limit;
    pthread_mutex_t lock;
    pthread_cond_t has_item; /* or closed */
    pthread_cond_t has_room; /* or closed */
    struct {
        void **items; /* a ring of `limit` places */
        size_t first;
        size_t count;
        bool closed;
    } locked;
};

struct hf_queue *
hf_queue_new(const char *name, size_t limit)
{
    struct hf_queue *queue = hf_alloc(sizeof(*queue));
    pthread_condattr_t attr;

    hf_assert(limit > 0 && limit <= SIZE_MAX / sizeof(void *));
    queue->name = hf_strdup(name);
    queue->limit = limit;
    queue->locked.items = hf_alloc(limit * sizeof(void *));
    /* A wait must not grow or shrink when somebody sets the wall clock. */
    hf_assert(pthread_condattr_init(&attr) == 0);
    hf_assert(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    hf_assert(pthread_mutex_init(&queue->lock, NULL) == 0);
    hf_assert(pthread_cond_init(&queue->has_item, &attr) == 0);
    hf_assert(pthread_cond_init(&queue->has_room, &attr) == 0);
    pthread_condattr_destroy(&attr);
    return queue;
}

void
hf_queue_free(struct hf_queue *queue)
{
    if (!queue)
        return;
    pthread_cond_destroy(&queue->has_room);
    pthread_cond_destroy(&queue->has_item);
    pthread_mutex_destroy(&queue->lock);
    free(queue->locked.items);
    free(queue->name);
    free(queue);
}

static void
put_locked(struct hf_queue *queue, void *item)
{
    hf_assert(queue->locked.count < queue->limit);
    queue->locked.items[(queue->locked.first + queue->locked.count) % queue->limit] = item;
    queue->locked.count++;
    pthread_cond_signal(&queue->has_item);
}

bool
hf_queue_try_put(struct hf_queue *queue, void *item)
{
    hf_assert(item != NULL);
    pthread_mutex_lock(&queue->lock);
    bool fits = !queue->locked.closed && queue->locked.count < queue->limit;
    if (fits)
        put_locked(queue, item);
    pthread_mutex_unlock(&queue->lock);
    return fits;
}

bool
hf_queue_put(struct hf_queue *queue, void *item)
{
    hf_assert(item != NULL);
    pthread_mutex_lock(&queue->lock);
    while (!queue->locked.closed && queue->locked.count == queue->limit)
        pthread_cond_wait(&queue->has_room, &queue->lock);
    bool open = !queue->locked.closed;
    if (open)
        put_locked(queue, item);
    pthread_mutex_unlock(&queue->lock);
    return open;
}

/* Returns with an item, or closed, or late. */
static void
await_item_locked(struct hf_queue *queue, int64_t wait_ms)
{
    struct timespec until = { 0 };
    int result = 0;

    if (wait_ms > 0)
        hf_deadline_in((uint64_t)HF_MIN(wait_ms, INT64_C(86400000) * 365), &until);
    while (queue->locked.count == 0 && !queue->locked.closed && wait_ms != 0 &&
           result != ETIMEDOUT) {
        if (wait_ms < 0)
            result = pthread_cond_wait(&queue->has_item, &queue->lock);
        else
            result = pthread_cond_timedwait(&queue->has_item, &queue->lock, &until);
    }
}

void *
hf_queue_take(struct hf_queue *queue, int64_t wait_ms)
{
    void *item = NULL;

    pthread_mutex_lock(&queue->lock);
    await_item_locked(queue, wait_ms);
    if (queue->locked.count > 0) {
        item = queue->locked.items[queue->locked.first];
        queue->locked.first = (queue->locked.first + 1) % queue->limit;
        queue->locked.count--;
        pthread_cond_signal(&queue->has_room);
    }
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void
hf_queue_close(struct hf_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->locked.closed = true;
    pthread_cond_broadcast(&queue->has_item);
    pthread_cond_broadcast(&queue->has_room);
    pthread_mutex_unlock(&queue->lock);
}

size_t
hf_queue_size(struct hf_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t count = queue->locked.count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}
