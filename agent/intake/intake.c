/* The set of sources, and the work they share the loop with.
 *
 * Sources with work take turns: one block each, then the loop looks at its other events. When the journal refuses, the
 * whole intake is blocked; nothing is read until the journal reports room, or a retry a second later finds some. */
#include "agent/intake/intake_impl.h"
#include "agent/intake/stream.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#define EXPIRY_S 600

/* ---- a source's own copy of its configuration, so that nothing is borrowed from the file that was read ---- */

static void
copy_config(struct hf_config_source *to, const struct hf_config_source *from)
{
    *to = *from;
    to->name = hf_strdup(from->name);
    to->path = hf_strdup(from->path);
    to->event_name = hf_strdup(from->event_name);
    to->mode = hf_strdup(from->mode);
    to->group = hf_strdup(from->group);
    to->exclude.items = from->exclude.count ? hf_alloc(from->exclude.count * sizeof(char *)) : NULL;
    for (size_t i = 0; i < from->exclude.count; i++)
        to->exclude.items[i] = hf_strdup(from->exclude.items[i]);
}

static void
free_config(struct hf_config_source *config)
{
    char **texts[] = {&config->name, &config->path, &config->event_name, &config->mode, &config->group};
    for (size_t i = 0; i < HF_COUNT(texts); i++)
        hf_freep(texts[i]);
    for (size_t i = 0; i < config->exclude.count; i++)
        hf_freep(&config->exclude.items[i]);
    hf_freep(&config->exclude.items);
}

static bool
same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool
same_config(const struct hf_config_source *a, const struct hf_config_source *b)
{
    if (!same_text(a->name, b->name) || !same_text(a->path, b->path) || !same_text(a->event_name, b->event_name) ||
        !same_text(a->mode, b->mode) || !same_text(a->group, b->group) || a->type != b->type || a->start != b->start ||
        a->max_event != b->max_event || a->exclude.count != b->exclude.count)
        return false;
    for (size_t i = 0; i < a->exclude.count; i++)
        if (!same_text(a->exclude.items[i], b->exclude.items[i]))
            return false;
    return true;
}

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
    source->ops->free(source);
    free_config(&source->config);
    hf_freep(&source);
}

/* A line becomes six times as long when each byte has to be escaped, and the journal takes no record of more than a
 * quarter of its size: one that it could never take would stop its source for good. */
static uint64_t
longest_event(const struct hf_intake *intake)
{
    struct hf_journal_info info;
    hf_journal_info(intake->journal, &info);
    return HF_MAX((info.max_bytes / 4 - 16384) / 6, 1024ull);
}

static enum hf_status
prepare_source(struct hf_intake *intake, const struct hf_config_source *config, struct hf_source **ret_source,
               struct hf_error *err)
{
    struct hf_source *source = config->type == HF_SOURCE_FILE     ? hf_file_source_new()
                               : config->type == HF_SOURCE_SOCKET ? hf_socket_source_new()
                                                                  : hf_stdin_source_new();
    source->intake = intake;
    copy_config(&source->config, config);
    source->max_event = HF_MIN(config->max_event, longest_event(intake));
    enum hf_status status = hf_journal_source(intake->journal, config->name, &source->id, err);
    if (status == HF_OK)
        status = source->ops->prepare(source, find_source(intake, config->name), err);
    if (status != HF_OK) {
        free_source(source);
        return hf_while(err, status, "source '%s'", config->name);
    }
    *ret_source = source;
    return HF_OK;
}

void
hf_source_ready(struct hf_source *source)
{
    if (source->ready)
        return;
    source->ready = true;
    hf_intake_wake(source->intake);
}

void
hf_problem_set(char problem[HF_PROBLEM_SIZE], const char *text)
{
    size_t size = HF_MIN(strlen(text), HF_PROBLEM_SIZE - 1);
    memcpy(problem, text, size);
    problem[size] = '\0';
}

void
hf_source_problem(struct hf_source *source, const struct hf_error *err)
{
    if (strncmp(source->problem, err->text, sizeof(source->problem) - 1) == 0)
        return;
    hf_problem_set(source->problem, err->text);
    hf_log_warn("source.problem", HF_STR("source", source->config.name), HF_ERR(err));
}

void
hf_source_well(struct hf_source *source)
{
    if (!source->problem[0])
        return;
    source->problem[0] = '\0';
    hf_log_info("source.well", HF_STR("source", source->config.name));
}

/* ---- work and back-pressure ---- */

void
hf_intake_wake(struct hf_intake *intake)
{
    /* A timer of zero, not event_active(): that would run again before the loop looks at any other event. */
    static const struct timeval now = {0, 0};
    if (!evtimer_pending(intake->work, NULL))
        evtimer_add(intake->work, &now);
}

static void
on_work(evutil_socket_t fd, short what, void *context)
{
    struct hf_intake *intake = context;
    (void)fd, (void)what;
    bool more = false;
    for (size_t i = 0; i < intake->source_count && !intake->blocked && !intake->stopped; i++) {
        struct hf_source *source = intake->sources[(intake->next_source + i) % intake->source_count];
        if (!source->ready)
            continue;
        source->ready = source->ops->step(source);
        more |= source->ready;
    }
    intake->next_source++;
    if (more && !intake->blocked && !intake->stopped)
        hf_intake_wake(intake);
    hf_drain_check(intake);
}

static void
schedule_retry(struct hf_intake *intake)
{
    uint64_t ms = intake->timing.retry_ms;
    struct timeval after = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
    evtimer_add(intake->retry, &after);
}

static void
tell_full(struct hf_intake *intake)
{
    if (intake->told_full)
        return;
    intake->told_full = true;
    for (size_t i = 0; i < intake->source_count; i++)
        if (intake->sources[i]->ops->full)
            intake->sources[i]->ops->full(intake->sources[i]);
}

void
hf_intake_block(struct hf_intake *intake, bool out_of_room)
{
    if (!intake->blocked) {
        intake->blocked = true;
        if (!intake->blocked_since_ms)
            intake->blocked_since_ms = hf_boot_ms();
        schedule_retry(intake);
    }
    if (out_of_room)
        tell_full(intake);
}

/* Asks the journal first: with several sources one that has nothing to add would say "go on" for all. Then everyone tries,
 * and the first one that is refused blocks the intake again. */
static void
unblock(struct hf_intake *intake)
{
    if (hf_journal_begin(intake->journal, false, NULL) != HF_OK) {
        schedule_retry(intake);
        return;
    }
    hf_journal_abandon(intake->journal);
    intake->blocked = false;
    evtimer_del(intake->retry);
    for (size_t i = 0; i < intake->source_count && !intake->blocked; i++) {
        struct hf_source *source = intake->sources[(intake->next_source + i) % intake->source_count];
        source->ops->room(source);
    }
    intake->next_source++;
    if (!intake->blocked) {
        intake->blocked_since_ms = 0;
        intake->told_full = false;
    }
    hf_intake_wake(intake);
}

static void
on_retry(evutil_socket_t fd, short what, void *context)
{
    struct hf_intake *intake = context;
    (void)fd, (void)what;
    if (!intake->blocked || intake->stopped)
        return;
    if (hf_boot_ms() - intake->blocked_since_ms >= intake->timing.full_after_ms)
        tell_full(intake);
    unblock(intake);
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
hf_intake_new(const struct hf_intake_options *options, struct hf_intake **ret_intake, struct hf_error *err)
{
    struct hf_intake *intake = hf_alloc(sizeof(*intake));
    intake->loop = options->loop;
    intake->journal = options->journal;
    intake->maker = options->maker;
    intake->timing = (struct hf_intake_timing){
        .quiet_ms = 5000, .rescan_ms = 10000, .poll_ms = 1000, .retry_ms = 250, .full_after_ms = 1000};
    hf_buf_init(&intake->record, HF_JOURNAL_RECORD_MAX);
    hf_buf_init(&intake->block, HF_JOURNAL_RECORD_MAX);
    intake->streams = hf_streams_new(intake);
    intake->work = evtimer_new(intake->loop, on_work, intake);
    intake->retry = evtimer_new(intake->loop, on_retry, intake);
    intake->expiry = event_new(intake->loop, -1, EV_PERSIST, on_expiry, intake);
    struct timeval every = {EXPIRY_S, 0};
    if (!intake->work || !intake->retry || !intake->expiry || event_add(intake->expiry, &every) != 0) {
        hf_intake_free(intake);
        return hf_fail(err, HF_EINTERNAL, "the event loop takes no timers");
    }
    *ret_intake = intake;
    return HF_OK;
}

void
hf_intake_set_timing(struct hf_intake *intake, const struct hf_intake_timing *timing)
{
    intake->timing = *timing;
}

void
hf_intake_free(struct hf_intake *intake)
{
    if (!intake)
        return;
    hf_intake_stop(intake);
    for (size_t i = 0; i < intake->source_count; i++)
        free_source(intake->sources[i]);
    struct event *events[] = {intake->work, intake->retry, intake->expiry};
    for (size_t i = 0; i < HF_COUNT(events); i++)
        if (events[i])
            event_free(events[i]);
    hf_streams_free(intake->streams);
    hf_buf_done(&intake->record);
    hf_buf_done(&intake->block);
    hf_freep(&intake->sources);
    hf_freep(&intake->waiters);
    hf_freep(&intake);
}

/* Makes the new set: sources that stay as they are, and prepared ones. */
static enum hf_status
prepare_set(struct hf_intake *intake, const struct hf_config *config, struct hf_source **set, struct hf_error *err)
{
    for (size_t i = 0; i < intake->source_count; i++)
        intake->sources[i]->kept = false;
    for (size_t i = 0; i < config->source_count; i++) {
        struct hf_source *running = find_source(intake, config->sources[i].name);
        if (running && same_config(&running->config, &config->sources[i])) {
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

enum hf_status
hf_intake_configure(struct hf_intake *intake, const struct hf_config *config, struct hf_error *err)
{
    struct hf_source **set = hf_alloc((config->source_count + 1) * sizeof(*set));
    enum hf_status status = prepare_set(intake, config, set, err);
    if (status != HF_OK) {
        hf_freep(&set);
        return status;
    }
    for (size_t i = 0; i < intake->source_count; i++) {
        if (intake->sources[i]->kept)
            continue;
        intake->sources[i]->ops->stop(intake->sources[i]);
        free_source(intake->sources[i]);
    }
    hf_freep(&intake->sources);
    intake->sources = set;
    intake->source_count = config->source_count;
    for (size_t i = 0; i < intake->source_count; i++) {
        if (intake->sources[i]->kept)
            continue;
        intake->sources[i]->ops->start(intake->sources[i]);
        hf_log_info("source.start", HF_STR("source", intake->sources[i]->config.name));
    }
    return HF_OK;
}

void
hf_intake_committed(struct hf_intake *intake, uint64_t durable_seq, bool room)
{
    hf_streams_durable(intake->streams, durable_seq);
    if (room && intake->blocked && !intake->stopped)
        unblock(intake);
}

void
hf_intake_stop(struct hf_intake *intake)
{
    if (intake->stopped)
        return;
    intake->stopped = true;
    for (size_t i = 0; i < intake->source_count; i++)
        intake->sources[i]->ops->stop(intake->sources[i]);
    if (intake->work)
        evtimer_del(intake->work);
    if (intake->retry)
        evtimer_del(intake->retry);
    intake->waiter_count = 0;
}

bool
hf_intake_stdin_ended(const struct hf_intake *intake)
{
    for (size_t i = 0; i < intake->source_count; i++)
        if (intake->sources[i]->config.type == HF_SOURCE_STDIN && !hf_stdin_source_ended(intake->sources[i]))
            return false;
    return true;
}

size_t
hf_intake_status(const struct hf_intake *intake, struct hf_source_status *ret_statuses, size_t most)
{
    size_t count = HF_MIN(most, intake->source_count);
    for (size_t i = 0; i < count; i++) {
        const struct hf_source *source = intake->sources[i];
        struct hf_source_status *status = &ret_statuses[i];
        *status = (struct hf_source_status){
            .name = source->config.name,
            .type = source->config.type,
            .events = source->events,
            .bytes = source->bytes,
            .counts = source->counts,
            .gaps = source->gaps,
            .waiting = intake->told_full && !intake->stopped,
        };
        snprintf(status->problem, sizeof(status->problem), "%s", source->problem);
        source->ops->status(source, status);
    }
    return count;
}
