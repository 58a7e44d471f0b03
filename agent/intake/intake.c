/* The set of sources: started, changed and ended all or nothing. */
#include "agent/intake/intake_impl.h"
#include "agent/intake/stream.h"
#include "agent/intake/thread.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#define EXPIRY_S 600
#define STOP_MS  1000 /* what is read when the agent stops comes into the journal meanwhile */
#define END_MS   2000 /* and then no thread is waited for any longer */

/* ---- sources ---- */

static struct hf_source *
find_source(const struct hf_intake *intake, const char *name)
{
    for (size_t i = 0; i < intake->source_count; i++)
        if (strcmp(intake->sources[i]->config.name, name) == 0)
            return intake->sources[i];
    return NULL;
}

static void
free_source(struct hf_source *source)
{
    source->kind->free(source);
    hf_source_close(source);
    hf_config_source_done(&source->config);
    hf_freep(&source);
}

/* A line becomes six times as long when each byte has to be escaped, and the journal takes no
 * record of more than a quarter of its size: one that it could never take would stop its source for
 * good. */
static uint64_t
longest_event(const struct hf_intake *intake)
{
    struct hf_journal_info info;
    hf_journal_info(intake->journal, &info);
    return HF_MAX((info.max_bytes / 4 - 16384) / 6, 1024ull);
}

static enum hf_status
prepare_source(struct hf_intake *intake, const struct hf_config_source *config,
               struct hf_source **ret_source, struct hf_error *err)
{
    uint16_t id;
    enum hf_status status = hf_journal_source(intake->journal, config->name, &id, err);
    if (status != HF_OK)
        return hf_while(err, status, "source '%s'", config->name);
    const struct hf_source_kind *kind = hf_source_kind(config->type);
    struct hf_source *source = hf_alloc(kind->size);
    source->kind = kind;
    source->intake = intake;
    source->id = id;
    hf_config_source_copy(config, &source->config);
    source->max_event = HF_MIN(config->max_event, longest_event(intake));
    status = hf_source_open(source, err);
    if (status == HF_OK)
        status = kind->prepare(source, find_source(intake, config->name), err);
    if (status != HF_OK) {
        free_source(source);
        return hf_while(err, status, "source '%s'", config->name);
    }
    *ret_source = source;
    return HF_OK;
}

/* ---- starting and ending ---- */

static void
begin(void *source)
{
    ((struct hf_source *)source)->kind->start(source);
}

static void
start_source(struct hf_source *source)
{
    hf_log_info("source.start", HF_STR("source", source->config.name));
    if (source->thread) {
        hf_thread_start(source->thread);
        hf_thread_post(source->thread, begin, source);
    } else {
        source->kind->start(source);
        hf_source_begun(source);
    }
}

static void
end(void *context)
{
    struct hf_source *source = context;
    source->kind->stop(source);
    hf_source_quiet(source);
}

/* Of one with a thread this only asks for it. */
static void
stop_source(struct hf_source *source)
{
    if (source->thread && !source->follows) {
        hf_thread_post(source->thread, end, source);
        hf_thread_stop(source->thread);
    } else if (!source->thread) {
        end(source);
    }
}

/* Those that follow it may begin. */
static void
reap_source(struct hf_intake *intake, struct hf_source *gone)
{
    TAILQ_REMOVE(&intake->leaving, gone, leaving);
    for (size_t i = 0; i < intake->source_count; i++) {
        struct hf_source *source = intake->sources[i];
        if (source->follows != gone)
            continue;
        source->follows = NULL;
        if (!intake->stopped)
            start_source(source);
    }
    free_source(gone);
}

static void
reap(struct hf_intake *intake)
{
    struct hf_source *source, *next;
    for (source = TAILQ_FIRST(&intake->leaving); source; source = next) {
        next = TAILQ_NEXT(source, leaving);
        if (hf_thread_ended(source->thread, 0))
            reap_source(intake, source);
    }
}

/* One that was never started, or has no thread, is gone at once. */
static void
let_go(struct hf_intake *intake, struct hf_source *source)
{
    stop_source(source);
    if (source->thread && !source->follows)
        TAILQ_INSERT_TAIL(&intake->leaving, source, leaving);
    else
        free_source(source);
}

static void
on_noticed(int fd, short what, void *context)
{
    struct hf_intake *intake = context;
    (void)fd, (void)what;
    reap(intake);
    hf_refusals_look(intake);
    hf_drain_check(intake);
}

static void
on_expiry(evutil_socket_t fd, short what, void *context)
{
    struct hf_intake *intake = context;
    (void)fd, (void)what;
    hf_streams_expire(intake->streams);
}

/* ---- the contract ---- */

enum hf_status
hf_intake_new(const struct hf_intake_options *options, struct hf_intake **ret_intake,
              struct hf_error *err)
{
    struct hf_intake *intake = hf_alloc(sizeof(*intake));
    intake->loop = options->loop;
    intake->journal = options->journal;
    intake->maker = options->maker;
    intake->timing = (struct hf_intake_timing){ .quiet_ms = 5000,
                                                .rescan_ms = 10000,
                                                .unmatched_ms = 60000,
                                                .held_ms = 60000,
                                                .poll_ms = 1000,
                                                .retry_ms = 250,
                                                .full_after_ms = 1000,
                                                .hello_ms = 10000,
                                                .silent_ms = 2000,
                                                .hangs_ms = 5000,
                                                .sleep_ms = 60000,
                                                .files_max = hf_budget_files(),
                                                .connections_max = hf_budget_connections() };
    TAILQ_INIT(&intake->leaving);
    TAILQ_INIT(&intake->refused.queue);
    pthread_mutex_init(&intake->refused.lock, NULL);
    hf_turnstile_init(&intake->turnstile);
    intake->budget = hf_budget_new(intake->journal);
    intake->users = hf_users_new("/etc/passwd", "/etc/subuid");
    intake->streams = hf_streams_new(intake);
    intake->noticed = event_new(intake->loop, -1, 0, on_noticed, intake);
    intake->expiry = event_new(intake->loop, -1, EV_PERSIST, on_expiry, intake);
    struct timeval every = { EXPIRY_S, 0 };
    if (!intake->noticed || !intake->expiry || event_add(intake->expiry, &every) != 0) {
        hf_intake_free(intake);
        return hf_fail(err, HF_EINTERNAL, "the event loop takes no timers");
    }
    enum hf_status status = hf_refusals_open(intake, err);
    if (status != HF_OK) {
        hf_intake_free(intake);
        return status;
    }
    *ret_intake = intake;
    return HF_OK;
}

static void
take_timing(void *context)
{
    struct hf_source *source = context;
    source->timing = source->intake->timing;
}

void
hf_intake_set_timing(struct hf_intake *intake, const struct hf_intake_timing *timing)
{
    intake->timing = *timing;
    for (size_t i = 0; i < intake->source_count; i++) {
        struct hf_source *source = intake->sources[i];
        if (source->thread)
            hf_thread_run(source->thread, take_timing, source);
        else
            take_timing(source);
    }
}

/* false: it hangs, and whatever it may still touch has to stay. */
static bool
free_ended(struct hf_source *source, uint64_t until_ms)
{
    uint64_t now_ms = hf_boot_ms();
    if (source->thread &&
        !hf_thread_ended(source->thread, until_ms > now_ms ? until_ms - now_ms : 0)) {
        hf_thread_give_up(source->thread);
        hf_log_warn("source.hangs", HF_STR("source", source->config.name));
        return false;
    }
    free_source(source);
    return true;
}

static bool
free_sources(struct hf_intake *intake)
{
    uint64_t until_ms = hf_boot_ms() + END_MS;
    bool all = true;
    for (size_t i = 0; i < intake->source_count; i++)
        all &= free_ended(intake->sources[i], until_ms);
    while (!TAILQ_EMPTY(&intake->leaving)) {
        struct hf_source *source = TAILQ_FIRST(&intake->leaving);
        TAILQ_REMOVE(&intake->leaving, source, leaving);
        all &= free_ended(source, until_ms);
    }
    return all;
}

void
hf_intake_free(struct hf_intake *intake)
{
    if (!intake)
        return;
    hf_intake_stop(intake);
    bool all = free_sources(intake);
    struct event *events[] = { intake->noticed, intake->expiry, intake->refusals };
    for (size_t i = 0; i < HF_COUNT(events); i++)
        if (events[i])
            event_free(events[i]);
    hf_streams_free(intake->streams);
    hf_freep(&intake->sources);
    hf_freep(&intake->waiters);
    hf_left_done(intake);
    if (!all)
        return; /* the process ends */
    hf_budget_free(intake->budget);
    hf_users_free(intake->users);
    hf_turnstile_done(&intake->turnstile);
    pthread_mutex_destroy(&intake->refused.lock);
    hf_freep(&intake);
}

/* Makes the new set: sources that stay as they are, and prepared ones. */
static enum hf_status
prepare_set(struct hf_intake *intake, const struct hf_config *config, struct hf_source **set,
            struct hf_error *err)
{
    for (size_t i = 0; i < intake->source_count; i++)
        intake->sources[i]->kept = false;
    for (size_t i = 0; i < config->source_count; i++) {
        struct hf_source *running = find_source(intake, config->sources[i].name);
        if (running && hf_config_source_same(&running->config, &config->sources[i])) {
            running->kept = true;
            set[i] = running;
            continue;
        }
        enum hf_status status = prepare_source(intake, &config->sources[i], &set[i], err);
        if (status == HF_OK)
            continue;
        while (i-- > 0)
            if (!set[i]->kept)
                free_source(set[i]);
        return status;
    }
    return HF_OK;
}

/* One of its name may still be leaving: it goes on from what that one leaves. */
static void
start_or_follow(struct hf_intake *intake, struct hf_source *source)
{
    struct hf_source *leaving;
    TAILQ_FOREACH(leaving, &intake->leaving, leaving)
    if (strcmp(leaving->config.name, source->config.name) == 0)
        source->follows = leaving;
    if (!source->follows)
        start_source(source);
}

enum hf_status
hf_intake_configure(struct hf_intake *intake, const struct hf_config *config, struct hf_error *err)
{
    struct hf_source **set = hf_alloc((config->source_count + 1) * sizeof(*set));
    enum hf_status status = prepare_set(intake, config, set, err);
    if (status != HF_OK) {
        hf_freep(&set);
        return status;
    }
    atomic_store(&intake->provenance, config->agent.provenance == HF_PROVENANCE_FULL);
    for (size_t i = 0; i < intake->source_count; i++)
        if (!intake->sources[i]->kept)
            let_go(intake, intake->sources[i]);
    hf_freep(&intake->sources);
    intake->sources = set;
    intake->source_count = config->source_count;
    for (size_t i = 0; i < intake->source_count; i++)
        if (!set[i]->kept)
            start_or_follow(intake, set[i]);
    reap(intake);
    hf_left_look(intake);
    return HF_OK;
}

void
hf_intake_hold(struct hf_intake *intake)
{
    hf_assert(!intake->held);
    hf_turnstile_enter(&intake->turnstile, true);
    intake->held = true;
}

void
hf_intake_let_go(struct hf_intake *intake)
{
    hf_assert(intake->held);
    intake->held = false;
    hf_turnstile_leave(&intake->turnstile);
}

bool
hf_intake_begun(struct hf_intake *intake, uint64_t wait_ms)
{
    struct timespec until;
    bool all = true;
    hf_deadline_in(wait_ms, &until);
    for (size_t i = 0; i < intake->source_count; i++) {
        struct hf_source *source = intake->sources[i];
        int failed = 0;
        pthread_mutex_lock(&source->lock);
        while (!source->begun && failed == 0)
            failed = pthread_cond_timedwait(&source->changed, &source->lock, &until);
        all &= source->begun;
        pthread_mutex_unlock(&source->lock);
    }
    return all;
}

void
hf_intake_committed(struct hf_intake *intake, uint64_t durable_seq)
{
    hf_streams_durable(intake->streams, durable_seq);
}

void
hf_intake_stop(struct hf_intake *intake)
{
    if (intake->stopped)
        return;
    intake->stopped = true;
    for (size_t i = 0; i < intake->source_count; i++)
        stop_source(intake->sources[i]);
    uint64_t until_ms = hf_boot_ms() + STOP_MS;
    for (size_t i = 0; i < intake->source_count; i++) {
        uint64_t now_ms = hf_boot_ms();
        if (intake->sources[i]->thread)
            (void)hf_thread_ended(intake->sources[i]->thread,
                                  until_ms > now_ms ? until_ms - now_ms : 0);
    }
    intake->waiter_count = 0;
}

bool
hf_intake_stdin_ended(const struct hf_intake *intake)
{
    for (size_t i = 0; i < intake->source_count; i++)
        if (intake->sources[i]->kind->ended && !intake->sources[i]->kind->ended(intake->sources[i]))
            return false;
    return true;
}

/* What it cannot say itself. */
static void
say_why_it_waits(struct hf_source *source, struct hf_source_status *status)
{
    char what[128];
    uint64_t ms;
    if (source->follows)
        hf_problem_set(status->problem,
                       "waits for the end of the source of this name before the reload");
    else if (source->thread && hf_thread_hangs(source->thread, source->intake->timing.hangs_ms,
                                               what, sizeof(what), &ms))
        snprintf(status->problem, sizeof(status->problem),
                 "no answer for %llu s from the file system at '%s'",
                 (unsigned long long)(ms / 1000), what);
}

enum hf_status
hf_intake_look(const struct hf_config_source *source, struct hf_source_look *ret_look,
               struct hf_error *err)
{
    const struct hf_source_kind *kind = hf_source_kind(source->type);
    return kind->look ? kind->look(source, ret_look, err) : HF_ENOTFOUND;
}

/* It is not well while one of its owners is. */
static void
say_who_is_refused(struct hf_source *source, struct hf_source_status *status)
{
    struct hf_account_status account;
    const struct hf_refusal *first = &account.first;
    hf_account_status(source->account, &account);
    status->budget_refusals = account.refusals;
    status->refusals += account.waits_begun;
    status->owners_refused = account.owners_refused;
    status->waiting |= account.waits && !source->intake->stopped;
    if (account.owners_refused == 0 || status->problem[0])
        return;
    bool one = account.owners_refused == 1;
    hf_owned(hf_freep) char *text = hf_asprintf(
        "%s: over the share of the %s%s%s%s", first->owner, hf_budget_kind_text(first->kind),
        one ? "" : ", as others are", first->name[0] ? ", first with " : "", first->name);
    hf_problem_set(status->problem, text);
}

bool
hf_intake_is_out_of_room(const struct hf_intake *intake)
{
    bool waits = false;
    for (size_t i = 0; i < intake->source_count && !waits; i++) {
        struct hf_account_status account;
        hf_account_status(intake->sources[i]->account, &account);
        waits = account.waits;
    }
    return waits && hf_budget_is_nearly_full(intake->budget);
}

size_t
hf_intake_status(const struct hf_intake *intake, struct hf_source_status *ret_statuses, size_t most)
{
    size_t count = HF_MIN(most, intake->source_count);
    for (size_t i = 0; i < count; i++) {
        struct hf_source *source = intake->sources[i];
        struct hf_source_status *status = &ret_statuses[i];
        pthread_mutex_lock(&source->lock);
        *status = (struct hf_source_status){
            .name = source->config.name,
            .type = source->config.type,
            .events = source->counters.events,
            .bytes = source->counters.bytes,
            .counts = source->counters.records,
            .gaps = source->counters.gaps,
            .refusals = source->counters.refusals,
            .waiting = source->pressure.told_full && !intake->stopped,
        };
        memcpy(status->problems, source->counters.problems, sizeof(status->problems));
        hf_problem_set(status->problem, source->problem);
        pthread_mutex_unlock(&source->lock);
        say_why_it_waits(source, status);
        say_who_is_refused(source, status);
        source->kind->status(source, status);
    }
    return count;
}
