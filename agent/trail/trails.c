/* The trails' thread: messages, then a turn of everyone, until the next timer. And what other
 * threads ask of it. */
#include "agent/trail/delivery.h"
#include "agent/trail/inbox.h"
#include "agent/trail/reserve.h"
#include "agent/trail/set.h"
#include "agent/trail/windows.h"

#include <pthread.h>
#include <string.h>

/* ---- the thread ---- */

static void
handle(struct hf_trails *trails, struct message *message)
{
    switch (message->kind) {
    case MESSAGE_SEALED:
        seal_returned(message->trail, message->window, message->status, message->sealed,
                      &message->loss, &message->error);
        break;
    case MESSAGE_DELIVERED: delivery_returned(message->trail, message->delivery); break;
    case MESSAGE_CALL: message->call(trails, message->argument); break;
    }
    hf_freep(&message);
}

static void
remove_ended(struct hf_trails *trails)
{
    for (struct trail **at = &trails->trails; *at;) {
        struct trail *trail = *at;
        if (trail->health.state != TRAIL_ENDED || trails->flushes || trails->seals_in_flight) {
            at = &trail->next;
            continue;
        }
        *at = trail->next;
        hf_log_info("trail.drained", HF_STR("trail", trail->name));
        folder_remove(trail->name, trail->folder);
        trail_free(trail);
    }
}

/* The journal may forget what every trail has sealed, once the ledger says so. */
static void
release_journal(struct hf_trails *trails)
{
    uint64_t sealed_seq = UINT64_MAX;
    for (const struct trail *trail = trails->trails; trail; trail = trail->next) {
        if (trail->book.behind)
            return;
        if (trail->health.state != TRAIL_ENDED &&
            !(trail->line.rule.gone && trail_sealed_seq(trail) >= trail->line.cut_seq))
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
        turn_trail(trail);
    trails_carry_on(trails);
    flush_turn(trails);
    seal_windows(trails); /* also what a flush has cut just now */
    release_journal(trails);
    remove_ended(trails);
    reserve_turn(trails);
    for (const struct trail *trail = trails->trails; trail; trail = trail->next)
        wake_ms = HF_MIN(wake_ms, turn_wake_ms(trail));
    if (!reserve_is_whole(trails))
        wake_ms = HF_MIN(wake_ms, trails->reserve.retry_ms);
    return HF_MIN(wake_ms, flush_wake_ms(trails));
}

void *
trails_run(void *context)
{
    struct hf_trails *trails = context;
    struct inbox *inbox = trails->inbox;
    pthread_setname_np(pthread_self(), "hf-trails");
    for (;;) {
        int64_t wake_ms = turn_all(trails);
        bool stop;
        struct message *messages = inbox_take(inbox, wake_ms, &stop);
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
    inbox_send_call(trails, run_status, call);
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
    inbox_send_call(trails, run_chain_new, call);
}

static void
run_flush(struct hf_trails *trails, void *argument)
{
    struct flush *flush = argument;
    for (struct trail *trail = trails->trails; trail && flush->count < TRAILS_MAX;
         trail = trail->next) {
        if (health_is_stuck(&trail->health))
            health_try_now(&trail->health);
        trail->outbox.move_at_ms = HF_MIN(trail->outbox.move_at_ms, 1);
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
    inbox_send_call(trails, run_flush, flush);
}
