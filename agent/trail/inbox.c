/* The trails' inbox: everyone else only sends messages; nothing of a trail is touched from outside.
 *
 * The journal's commits arrive a thousand times a second under load: they only raise a flag,
 * which is looked at no more often than every JOURNAL_PACE_MS. */
#include "agent/trail/inbox.h"

#include <pthread.h>

#define JOURNAL_PACE_MS 25
/* a clock that is set, and the end of a suspend, are told by hf_trails_notify() */
#define WAIT_MOST_MS 3600000

struct inbox {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* CLOCK_MONOTONIC */
    struct message *first, **end;
    bool journal_moved;
    bool stop;
};

void
message_send(struct hf_trails *trails, struct message *message)
{
    struct inbox *inbox = trails->inbox;
    message->next = NULL;
    pthread_mutex_lock(&inbox->lock);
    *inbox->end = message;
    inbox->end = &message->next;
    pthread_cond_signal(&inbox->changed);
    pthread_mutex_unlock(&inbox->lock);
}

void
message_delivered(void *context, struct hf_delivery *delivery)
{
    struct trail *trail = context;
    struct message *message = hf_alloc(sizeof(*message));
    message->kind = MESSAGE_DELIVERED;
    message->trail = trail;
    message->delivery = delivery;
    message_send(trail->trails, message);
}

void
message_sealed(void *context, enum hf_status status, struct hf_sealed *sealed,
               const struct hf_journal_loss *loss, const struct hf_error *err)
{
    struct window *window = context;
    struct message *message = hf_alloc(sizeof(*message));
    message->kind = MESSAGE_SEALED;
    message->trail = window->trail;
    message->window = window;
    message->status = status;
    message->sealed = sealed;
    if (loss)
        message->loss = *loss;
    if (err)
        message->error = *err;
    message_send(window->trail->trails, message);
}

void
hf_trails_notify(struct hf_trails *trails)
{
    struct inbox *inbox = trails->inbox;
    pthread_mutex_lock(&inbox->lock);
    if (!inbox->journal_moved) {
        inbox->journal_moved = true;
        pthread_cond_signal(&inbox->changed);
    }
    pthread_mutex_unlock(&inbox->lock);
}

static void
wait_until(struct inbox *inbox, int64_t boot_ms)
{
    int64_t wait_ms = boot_ms == INT64_MAX ? WAIT_MOST_MS : boot_ms - (int64_t)hf_boot_ms();
    struct timespec at;
    hf_deadline_in((uint64_t)HF_MAX(HF_MIN(wait_ms, WAIT_MOST_MS), 0), &at);
    pthread_cond_timedwait(&inbox->changed, &inbox->lock, &at);
}

struct message *
inbox_take(struct inbox *inbox, int64_t wake_ms, bool *ret_stop)
{
    int64_t journal_ms = (int64_t)hf_boot_ms() + JOURNAL_PACE_MS;
    pthread_mutex_lock(&inbox->lock);
    for (;;) {
        int64_t now_ms = (int64_t)hf_boot_ms(),
                until_ms = inbox->journal_moved ? HF_MIN(wake_ms, journal_ms) : wake_ms;
        if (inbox->first || inbox->stop || now_ms >= until_ms)
            break;
        wait_until(inbox, until_ms);
        if (until_ms == INT64_MAX)
            wake_ms = INT64_MAX;
    }
    struct message *messages = inbox->first;
    inbox->first = NULL;
    inbox->end = &inbox->first;
    inbox->journal_moved = false;
    *ret_stop = inbox->stop;
    pthread_mutex_unlock(&inbox->lock);
    return messages;
}

/* ---- calls from other threads ---- */

struct waiting_call {
    void (*call)(struct hf_trails *trails, void *argument);
    void *argument;
    pthread_mutex_t lock;
    pthread_cond_t done_changed;
    bool done;
};

static void
run_waiting_call(struct hf_trails *trails, void *argument)
{
    struct waiting_call *waiting = argument;
    waiting->call(trails, waiting->argument);
    pthread_mutex_lock(&waiting->lock);
    waiting->done = true;
    pthread_cond_signal(&waiting->done_changed);
    pthread_mutex_unlock(&waiting->lock);
}

void
inbox_send_call(struct hf_trails *trails, void (*call)(struct hf_trails *trails, void *argument),
                void *argument)
{
    struct message *message = hf_alloc(sizeof(*message));
    message->kind = MESSAGE_CALL;
    message->call = call;
    message->argument = argument;
    message_send(trails, message);
}

void
inbox_call(struct hf_trails *trails, void (*call)(struct hf_trails *trails, void *argument),
           void *argument)
{
    struct waiting_call waiting = { .call = call,
                                    .argument = argument,
                                    .lock = PTHREAD_MUTEX_INITIALIZER,
                                    .done_changed = PTHREAD_COND_INITIALIZER };
    inbox_send_call(trails, run_waiting_call, &waiting);
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.done)
        pthread_cond_wait(&waiting.done_changed, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
}

/* ---- its life ---- */

struct inbox *
inbox_new(void)
{
    struct inbox *inbox = hf_alloc(sizeof(*inbox));
    pthread_condattr_t attributes;
    inbox->end = &inbox->first;
    pthread_mutex_init(&inbox->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&inbox->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return inbox;
}

void
inbox_run(struct hf_trails *trails, void *(*run)(void *trails))
{
    hf_assert(pthread_create(&trails->inbox->thread, NULL, run, trails) == 0);
}

void
inbox_stop(struct inbox *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->stop = true;
    pthread_cond_signal(&inbox->changed);
    pthread_mutex_unlock(&inbox->lock);
    pthread_join(inbox->thread, NULL);
}

void
inbox_free(struct inbox *inbox)
{
    pthread_mutex_destroy(&inbox->lock);
    pthread_cond_destroy(&inbox->changed);
    hf_freep(&inbox);
}
