/* The trails' thread and its inbox. Everyone else only sends messages; nothing in trail_impl.h is
 * touched from outside.
 *
 * The journal's commits arrive a thousand times a second under load: they only raise a flag,
 * which is looked at no more often than every JOURNAL_PACE_MS. */
#include "agent/trail/trail_impl.h"
#include <pthread.h>
#include <string.h>

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
    struct message *message = hf_alloc(sizeof(*message));
    message->kind = MESSAGE_DELIVERED;
    message->delivery = delivery;
    message_send(context, message);
}

void
message_sealed(void *context, enum hf_status status, struct hf_sealed *sealed,
               const struct hf_journal_loss *loss, const struct hf_error *err)
{
    struct window *window = context;
    struct message *message = hf_alloc(sizeof(*message));
    message->kind = MESSAGE_SEALED;
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

/* ---- the thread ---- */

static void
handle(struct hf_trails *trails, struct message *message)
{
    switch (message->kind) {
    case MESSAGE_SEALED:
        seal_returned(message->window, message->status, message->sealed, &message->loss,
                      &message->error);
        break;
    case MESSAGE_DELIVERED: attempt_returned(message->delivery); break;
    case MESSAGE_CALL: message->call(trails, message->argument); break;
    }
    hf_freep(&message);
}

static void
remove_ended(struct hf_trails *trails)
{
    for (struct trail **at = &trails->trails; *at;) {
        struct trail *trail = *at;
        if (trail->state != TRAIL_ENDED || trails->flushes || trails->seals_in_flight) {
            at = &trail->next;
            continue;
        }
        *at = trail->next;
        hf_log_info("trail.drained", HF_STR("trail", trail->name));
        trail_remove_folder(trail);
        trail_free(trail);
    }
}

/* The journal may forget what every trail has sealed, once the ledger says so. */
static void
release_journal(struct hf_trails *trails)
{
    uint64_t sealed_seq = UINT64_MAX;
    for (const struct trail *trail = trails->trails; trail; trail = trail->next) {
        if (trail->ledger_trouble)
            return;
        if (trail->state != TRAIL_ENDED &&
            !(trail->closed && trail_sealed_seq(trail) >= trail->cut_seq))
            sealed_seq = HF_MIN(sealed_seq, trail_sealed_seq(trail));
    }
    if (sealed_seq != UINT64_MAX)
        hf_journal_release(trails->options.journal, sealed_seq);
}

static int64_t
turn_all(struct hf_trails *trails)
{
    int64_t wake_ms = INT64_MAX;
    for (struct trail *trail = trails->trails; trail; trail = trail->next)
        trail_turn(trail);
    flush_turn(trails);
    seal_windows(trails); /* also what a flush has cut just now */
    release_journal(trails);
    remove_ended(trails);
    reserve_turn(trails);
    for (const struct trail *trail = trails->trails; trail; trail = trail->next)
        wake_ms = HF_MIN(wake_ms, trail_wake_ms(trail));
    if (!reserve_is_whole(trails))
        wake_ms = HF_MIN(wake_ms, trails->reserve_retry_ms);
    return HF_MIN(wake_ms, flush_wake_ms(trails));
}

static void
wait_until(struct inbox *inbox, int64_t boot_ms)
{
    int64_t wait_ms = boot_ms == INT64_MAX ? WAIT_MOST_MS : boot_ms - (int64_t)hf_boot_ms();
    struct timespec at;
    hf_deadline_in((uint64_t)HF_MAX(HF_MIN(wait_ms, WAIT_MOST_MS), 0), &at);
    pthread_cond_timedwait(&inbox->changed, &inbox->lock, &at);
}

/* Waits for a message, for the journal (at its pace), or for the next timer; takes all messages. */
static struct message *
next_messages(struct inbox *inbox, int64_t wake_ms, int64_t journal_ms, bool *ret_stop)
{
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

static void *
run(void *context)
{
    struct hf_trails *trails = context;
    struct inbox *inbox = trails->inbox;
    pthread_setname_np(pthread_self(), "hf-trails");
    for (;;) {
        int64_t wake_ms = turn_all(trails);
        bool stop;
        struct message *messages =
            next_messages(inbox, wake_ms, (int64_t)hf_boot_ms() + JOURNAL_PACE_MS, &stop);
        if (!messages && stop)
            break;
        while (messages) {
            struct message *message = messages;
            messages = message->next;
            handle(trails, message);
        }
    }
    return NULL;
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

static void
send_call(struct hf_trails *trails, void (*call)(struct hf_trails *trails, void *argument),
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
    send_call(trails, run_waiting_call, &waiting);
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.done)
        pthread_cond_wait(&waiting.done_changed, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
}

struct status_call {
    void (*done)(void *context, json_t *status);
    void *context;
};

static void
run_status(struct hf_trails *trails, void *argument)
{
    struct status_call *call = argument;
    call->done(call->context, status_doc(trails));
    hf_freep(&call);
}

void
hf_trails_status(struct hf_trails *trails, void (*done)(void *context, json_t *status),
                 void *context)
{
    struct status_call *call = hf_alloc(sizeof(*call));
    *call = (struct status_call){ .done = done, .context = context };
    send_call(trails, run_status, call);
}

struct chain_call {
    char *trail;
    void (*done)(void *context, const char *failed);
    void *context;
};

static void
run_chain_new(struct hf_trails *trails, void *argument)
{
    struct chain_call *call = argument;
    struct hf_error err = { .text = "there is no trail of this name" };
    enum hf_status status = HF_ENOTFOUND;
    for (struct trail *trail = trails->trails; trail; trail = trail->next) {
        if (strcmp(trail->name, call->trail) == 0)
            status = chain_new(trail, &err);
    }
    call->done(call->context, status == HF_OK ? NULL : err.text);
    hf_freep(&call->trail);
    hf_freep(&call);
}

void
hf_trails_chain_new(struct hf_trails *trails, const char *trail,
                    void (*done)(void *context, const char *failed), void *context)
{
    struct chain_call *call = hf_alloc(sizeof(*call));
    *call = (struct chain_call){ .trail = hf_strdup(trail), .done = done, .context = context };
    send_call(trails, run_chain_new, call);
}

static void
run_flush(struct hf_trails *trails, void *argument)
{
    struct flush *flush = argument;
    for (struct trail *trail = trails->trails; trail && flush->count < TRAILS_MAX;
         trail = trail->next) {
        if (trail->state == TRAIL_HELD || trail->state == TRAIL_WAITING)
            trail->retry_at_ms = 0; /* someone asks now: do not wait for the next try */
        trail->move_at_ms = HF_MIN(trail->move_at_ms, 1);
        flush->trails[flush->count++] = (struct flush_trail){ .trail = trail };
    }
    flush->next = trails->flushes;
    trails->flushes = flush;
}

void
hf_trails_flush(struct hf_trails *trails, uint64_t last_seq, uint64_t timeout_ms,
                void (*done)(void *context, const char *failed), void *context)
{
    struct flush *flush = hf_alloc(sizeof(*flush));
    *flush = (struct flush){ .last_seq = last_seq,
                             .deadline_ms = (int64_t)(hf_boot_ms() + timeout_ms),
                             .done = done,
                             .context = context };
    send_call(trails, run_flush, flush);
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
inbox_run(struct hf_trails *trails)
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
