/* The trails' thread and its inbox. Everyone else only sends messages; nothing in trail_impl.h is touched from outside.
 *
 * The journal's commits arrive a thousand times a second under load: they only raise a flag, which is looked at no more often
 * than every JOURNAL_PACE_MS. */
#include "agent/trail/trail_impl.h"
#include <errno.h>
#include <holdfast/json.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define JOURNAL_PACE_MS 25

struct inbox {
    pthread_t thread;
    bool running;
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
message_sealed(void *context, enum hf_status status, struct hf_sealed *sealed, const struct hf_journal_loss *loss, const struct hf_error *err)
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
        seal_returned(message->window, message->status, message->sealed, &message->loss, &message->error);
        break;
    case MESSAGE_DELIVERED:
        attempt_returned(message->delivery);
        break;
    case MESSAGE_CALL:
        message->call(trails, message->argument);
        break;
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

/* The journal may forget what every trail has sealed. */
static void
release_journal(struct hf_trails *trails)
{
    uint64_t sealed_seq = UINT64_MAX;
    for (const struct trail *trail = trails->trails; trail; trail = trail->next) {
        if (trail->state != TRAIL_ENDED && !(trail->draining && trail->close_now && trail_sealed_seq(trail) >= trail->cut_seq))
            sealed_seq = HF_MIN(sealed_seq, trail_sealed_seq(trail));
    }
    if (sealed_seq != UINT64_MAX)
        hf_journal_release(trails->options.journal, sealed_seq);
}

static bool
nothing_spooled(const struct hf_trails *trails)
{
    for (const struct trail *trail = trails->trails; trail; trail = trail->next) {
        if (trail->windows || trail->digest)
            return false;
    }
    return true;
}

static int64_t
turn_all(struct hf_trails *trails)
{
    int64_t wake_ms = INT64_MAX;
    for (struct trail *trail = trails->trails; trail; trail = trail->next)
        trail_turn(trail);
    flush_turn(trails);
    release_journal(trails);
    remove_ended(trails);
    if (trails->reserve_have < trails->reserve_bytes && nothing_spooled(trails))
        reserve_fill(trails);
    for (const struct trail *trail = trails->trails; trail; trail = trail->next)
        wake_ms = HF_MIN(wake_ms, trail_wake_ms(trail));
    return HF_MIN(wake_ms, flush_wake_ms(trails));
}

static void
wait_until(struct inbox *inbox, int64_t boot_ms)
{
    int64_t wait_ms = boot_ms == INT64_MAX ? 60000 : boot_ms - (int64_t)hf_boot_ms();
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    wait_ms = HF_MAX(HF_MIN(wait_ms, 60000), 0);
    at.tv_sec += wait_ms / 1000;
    at.tv_nsec += wait_ms % 1000 * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&inbox->changed, &inbox->lock, &at);
}

/* Waits for a message, for the journal (at its pace), or for the next timer; takes all messages. */
static struct message *
next_messages(struct inbox *inbox, int64_t wake_ms, int64_t journal_ms)
{
    pthread_mutex_lock(&inbox->lock);
    for (;;) {
        int64_t now_ms = (int64_t)hf_boot_ms(), until_ms = inbox->journal_moved ? HF_MIN(wake_ms, journal_ms) : wake_ms;
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
        struct message *messages = next_messages(inbox, wake_ms, (int64_t)hf_boot_ms() + JOURNAL_PACE_MS);
        if (!messages && inbox->stop)
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
send_call(struct hf_trails *trails, void (*call)(struct hf_trails *trails, void *argument), void *argument)
{
    struct message *message = hf_alloc(sizeof(*message));
    message->kind = MESSAGE_CALL;
    message->call = call;
    message->argument = argument;
    message_send(trails, message);
}

static void
call_and_wait(struct hf_trails *trails, void (*call)(struct hf_trails *trails, void *argument), void *argument)
{
    struct waiting_call waiting = {.call = call, .argument = argument, .lock = PTHREAD_MUTEX_INITIALIZER, .done_changed = PTHREAD_COND_INITIALIZER};
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
hf_trails_status(struct hf_trails *trails, void (*done)(void *context, json_t *status), void *context)
{
    struct status_call *call = hf_alloc(sizeof(*call));
    *call = (struct status_call){.done = done, .context = context};
    send_call(trails, run_status, call);
}

static void
run_flush(struct hf_trails *trails, void *argument)
{
    struct flush *flush = argument;
    for (struct trail *trail = trails->trails; trail && flush->count < TRAILS_MAX; trail = trail->next) {
        if (trail->state == TRAIL_HELD || trail->state == TRAIL_WAITING)
            trail->retry_at_ms = 0; /* someone asks now: do not wait for the next try */
        flush->trails[flush->count++] = (struct flush_trail){.trail = trail};
    }
    flush->next = trails->flushes;
    trails->flushes = flush;
}

void
hf_trails_flush(struct hf_trails *trails, uint64_t last_seq, uint64_t timeout_ms, void (*done)(void *context, const char *failed), void *context)
{
    struct flush *flush = hf_alloc(sizeof(*flush));
    *flush = (struct flush){.last_seq = last_seq, .deadline_ms = (int64_t)(hf_boot_ms() + timeout_ms), .done = done, .context = context};
    send_call(trails, run_flush, flush);
}

/* ---- the set of trails: start, reload, stop ---- */

static struct trail *
find_trail(struct hf_trails *trails, const char *name)
{
    for (struct trail *trail = trails->trails; trail; trail = trail->next) {
        if (strcmp(trail->name, name) == 0)
            return trail;
    }
    return NULL;
}

static void
append_trail(struct hf_trails *trails, struct trail *trail)
{
    struct trail **end = &trails->trails;
    while (*end)
        end = &(*end)->next;
    *end = trail;
}

static enum hf_status
make_plans(struct hf_trails *trails, const struct hf_config *config, struct plan **ret_plans, struct hf_error *err)
{
    if (config->trail_count > TRAILS_MAX)
        return hf_fail(err, HF_ECONFIG, "more than %d trails", TRAILS_MAX);
    for (size_t i = 0; i < config->trail_count; i++) {
        struct settings settings;
        enum hf_status status = settings_from_config(config, &config->trails[i], trails->options.identity->host, &settings, err);
        if (status == HF_OK)
            status = plan_new(trails, &settings, &ret_plans[i], err);
        if (status != HF_OK) {
            while (i-- > 0)
                plan_free(ret_plans[i]);
            return status;
        }
    }
    return HF_OK;
}

static void
begin_draining(struct trail *trail)
{
    trail->draining = trail->close_now = true;
    hf_log_info("trail.draining", HF_STR("trail", trail->name));
}

/* A changed trail ends its window here, so that every window has one configuration; one that stays the same is not disturbed. */
static void
change_trail(struct trail *trail, struct plan *plan)
{
    struct hf_error err;
    struct hf_journal_info info;
    if (json_equal(trail->plan->settings.doc, plan->settings.doc) && !trail->draining) {
        plan_free(plan);
        return;
    }
    hf_journal_info(trail->trails->options.journal, &info);
    if (!trail->close_now)
        (void)cut_close_at(trail, info.durable_seq);
    trail->draining = trail->close_now = false;
    trail_set_plan(trail, plan);
    if (trail_save_settings(trail, &err) != HF_OK || trail_new_cutter(trail, &err) != HF_OK)
        hf_log_error("trail.reload", HF_STR("trail", trail->name), HF_ERR(&err));
    if (trail->key_out.sealed && !trail->key_out.in_flight) {
        outgoing_done(&trail->key_out);
        trail->key_out = (struct outgoing){.trail = trail, .first_retain_s = -1, .last_retain_s = -1};
    }
    trail->retry_at_ms = 0;
    if (trail->state != TRAIL_ENDED)
        trail_move(trail, TRAIL_CHECKING, NULL);
    digest_schedule(trail);
    hf_log_info("trail.changed", HF_STR("trail", trail->name));
}

static void
set_wipe(struct hf_trails *trails)
{
    bool wipe = false;
    for (const struct trail *trail = trails->trails; trail; trail = trail->next)
        wipe = wipe || trail->plan->settings.encryption != HF_ENCRYPT_NONE;
    hf_journal_set_wipe(trails->options.journal, wipe);
}

static void
apply_plans(struct hf_trails *trails, const struct hf_config *config, struct plan **plans)
{
    struct hf_error err;
    struct hf_journal_info info;
    hf_journal_info(trails->options.journal, &info);
    for (struct trail *trail = trails->trails; trail; trail = trail->next) {
        if (!hf_config_trail(config, trail->name) && !trail->draining) {
            (void)cut_close_at(trail, info.durable_seq);
            begin_draining(trail);
        }
    }
    for (size_t i = 0; i < config->trail_count; i++) {
        struct trail *trail = find_trail(trails, config->trails[i].name);
        if (trail) {
            change_trail(trail, plans[i]);
        } else if (trail_open(trails, plans[i], &trail, &err) == HF_OK) {
            append_trail(trails, trail);
            hf_log_info("trail.new", HF_STR("trail", trail->name));
        } else {
            hf_log_error("trail.failed", HF_STR("trail", config->trails[i].name), HF_ERR(&err));
        }
    }
    set_wipe(trails);
}

struct configure_call {
    struct hf_config *config;
    enum hf_status status;
    struct hf_error *err;
};

static void
run_configure(struct hf_trails *trails, void *argument)
{
    struct configure_call *call = argument;
    struct plan *plans[TRAILS_MAX];
    call->status = stores_needed(trails, call->config, call->err);
    if (call->status == HF_OK)
        call->status = make_plans(trails, call->config, plans, call->err);
    if (call->status != HF_OK)
        return;
    stores_configure(trails, call->config);
    apply_plans(trails, call->config, plans);
    trails->old_configs = hf_realloc(trails->old_configs, (trails->old_config_count + 1) * sizeof(*trails->old_configs));
    trails->old_configs[trails->old_config_count++] = trails->config;
    trails->config = call->config;
}

enum hf_status
hf_trails_configure(struct hf_trails *trails, struct hf_config *config, struct hf_error *err)
{
    struct configure_call call = {.config = config, .err = err};
    call_and_wait(trails, run_configure, &call);
    return call.status;
}

/* Trails that left the configuration while the agent was down, or had not drained when it stopped. */
static enum hf_status
open_draining(struct hf_trails *trails, const struct hf_config *config, struct hf_error *err)
{
    char folder[HF_PATH_MAX], own[HF_PATH_MAX], path[HF_PATH_MAX];
    char **names;
    size_t count;
    hf_path_join(folder, sizeof(folder), trails->options.state_dir, "trails");
    enum hf_status status = hf_fs_mkdirs(folder, 0700, err);
    if (status == HF_OK)
        status = hf_fs_list(folder, 4096, &names, &count, err);
    if (status != HF_OK)
        return status;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        if (hf_config_trail(config, names[i]))
            continue;
        hf_path_join(own, sizeof(own), folder, names[i]);
        hf_path_join(path, sizeof(path), own, "trail.json");
        hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20);
        json_t *doc = NULL;
        struct settings settings;
        struct plan *plan;
        struct trail *trail;
        status = hf_fs_read_file(path, 1u << 20, &text, err);
        if (status == HF_ENOTFOUND) { /* its folder was being removed when the agent stopped */
            status = HF_OK;
            continue;
        }
        if (status == HF_OK)
            status = hf_doc_parse(hf_buf_slice(&text), 1u << 20, path, &doc, err);
        if (status == HF_OK)
            status = settings_from_doc(doc, &settings, err);
        if (status == HF_OK)
            status = plan_new(trails, &settings, &plan, err);
        if (status == HF_OK)
            status = trail_open(trails, plan, &trail, err);
        if (status == HF_OK) {
            append_trail(trails, trail);
            struct hf_journal_info info;
            hf_journal_info(trails->options.journal, &info);
            trail->draining = true;
            hf_log_info("trail.draining", HF_STR("trail", trail->name));
        }
    }
    hf_fs_names_free(names, count);
    return status;
}

static enum hf_status
open_all(struct hf_trails *trails, const struct hf_config *config, struct hf_error *err)
{
    struct plan *plans[TRAILS_MAX];
    enum hf_status status = make_plans(trails, config, plans, err);
    if (status != HF_OK)
        return status;
    size_t i = 0;
    for (; i < config->trail_count && status == HF_OK; i++) {
        struct trail *trail;
        status = trail_open(trails, plans[i], &trail, err);
        if (status == HF_OK)
            append_trail(trails, trail);
    }
    for (; i < config->trail_count; i++)
        plan_free(plans[i]);
    if (status == HF_OK)
        status = open_draining(trails, config, err);
    if (status == HF_OK)
        status = stores_needed(trails, config, err);
    return status;
}

static void
free_all(struct hf_trails *trails)
{
    while (trails->trails) {
        struct trail *trail = trails->trails;
        trails->trails = trail->next;
        trail_free(trail);
    }
    while (trails->old_plans) {
        struct plan *plan = trails->old_plans;
        trails->old_plans = plan->next;
        plan_free(plan);
    }
    for (size_t i = 0; i < trails->old_config_count; i++)
        hf_config_free(trails->old_configs[i]);
    hf_freep(&trails->old_configs);
    hf_config_free(trails->config);
    hf_freep(&trails->reserve_path);
    pthread_mutex_destroy(&trails->inbox->lock);
    pthread_cond_destroy(&trails->inbox->changed);
    hf_freep(&trails->inbox);
    hf_freep(&trails);
}

static struct hf_trails *
new_trails(const struct hf_trails_options *options, const struct hf_config *config)
{
    struct hf_trails *trails = hf_alloc(sizeof(*trails));
    pthread_condattr_t attributes;
    trails->options = *options;
    trails->inbox = hf_alloc(sizeof(*trails->inbox));
    trails->inbox->end = &trails->inbox->first;
    pthread_mutex_init(&trails->inbox->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&trails->inbox->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    trails->seals_most = (unsigned)config->agent.sealers + 1; /* one waits, so that no sealer does */
    trails->reserve_path = hf_asprintf("%s/reserve", options->state_dir);
    uint64_t largest = 0;
    for (size_t i = 0; i < config->trail_count; i++)
        largest = HF_MAX(largest, config->trails[i].window_max_bytes);
    trails->reserve_bytes = config->agent.sealers * (largest + (1u << 20)) + (16u << 20);
    return trails;
}

enum hf_status
hf_trails_start(const struct hf_trails_options *options, struct hf_config *config, struct hf_trails **ret_trails, struct hf_error *err)
{
    struct hf_trails *trails = new_trails(options, config);
    enum hf_status status = open_all(trails, config, err);
    if (status != HF_OK) {
        free_all(trails);
        return status;
    }
    set_wipe(trails);
    reserve_fill(trails);
    trails->config = config;
    stores_configure(trails, config);
    trails->sealers = hf_sealers_start(options->journal, (unsigned)config->agent.sealers);
    hf_assert(pthread_create(&trails->inbox->thread, NULL, run, trails) == 0);
    *ret_trails = trails;
    return HF_OK;
}

/* What has receipts is signed before the end, even when there is no time left to deliver the digest: the next start does. */
static void
run_last_turn(struct hf_trails *trails, void *argument)
{
    struct hf_error err;
    (void)argument;
    flush_abandon(trails);
    for (struct trail *trail = trails->trails; trail; trail = trail->next) {
        if (trail->object_count && !trail->digest && trail_may_cut(trail)) {
            trail->digest_now = true;
            digest_cut(trail);
        }
        if (digest_seal(trail, &err) != HF_OK)
            hf_log_error("digest.failed", HF_STR("trail", trail->name), HF_ERR(&err));
    }
    trails->stopping = true; /* no new attempt; what comes back is still recorded */
}

void
hf_trails_stop(struct hf_trails *trails, int64_t wait_ms)
{
    if (!trails)
        return;
    call_and_wait(trails, run_last_turn, NULL);
    hf_sealers_stop(trails->sealers);
    stores_stop(trails, wait_ms); /* hands everything back; the thread, which touches no store any more, records it */
    pthread_mutex_lock(&trails->inbox->lock);
    trails->inbox->stop = true;
    pthread_cond_signal(&trails->inbox->changed);
    pthread_mutex_unlock(&trails->inbox->lock);
    pthread_join(trails->inbox->thread, NULL);
    free_all(trails);
}
