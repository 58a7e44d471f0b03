/* The set of sources: started, changed and ended all or nothing. */
#include "agent/intake/intake_impl.h"
#include "agent/intake/stream.h"

#include <event2/event.h>
#include <string.h>

#define EXPIRY_S 600

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
    status = kind->prepare(source, find_source(intake, config->name), err);
    if (status != HF_OK) {
        free_source(source);
        return hf_while(err, status, "source '%s'", config->name);
    }
    *ret_source = source;
    return HF_OK;
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
                                                .poll_ms = 1000,
                                                .retry_ms = 250,
                                                .full_after_ms = 1000,
                                                .hello_ms = 10000,
                                                .silent_ms = 2000,
                                                .connections_max = 1024 };
    hf_buf_init(&intake->record, HF_JOURNAL_RECORD_MAX);
    hf_buf_init(&intake->block, HF_JOURNAL_RECORD_MAX);
    intake->streams = hf_streams_new(intake);
    intake->work = evtimer_new(intake->loop, hf_intake_on_work, intake);
    intake->retry = evtimer_new(intake->loop, hf_intake_on_retry, intake);
    intake->tell = evtimer_new(intake->loop, hf_intake_on_tell, intake);
    intake->expiry = event_new(intake->loop, -1, EV_PERSIST, on_expiry, intake);
    struct timeval every = { EXPIRY_S, 0 };
    if (!intake->work || !intake->retry || !intake->tell || !intake->expiry ||
        event_add(intake->expiry, &every) != 0) {
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
    struct event *events[] = { intake->work, intake->retry, intake->tell, intake->expiry };
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

enum hf_status
hf_intake_configure(struct hf_intake *intake, const struct hf_config *config, struct hf_error *err)
{
    struct hf_source **set = hf_alloc((config->source_count + 1) * sizeof(*set));
    enum hf_status status = prepare_set(intake, config, set, err);
    if (status != HF_OK) {
        hf_freep(&set);
        return status;
    }
    intake->maker.provenance = config->agent.provenance == HF_PROVENANCE_FULL;
    for (size_t i = 0; i < intake->source_count; i++) {
        if (intake->sources[i]->kept)
            continue;
        intake->sources[i]->kind->stop(intake->sources[i]);
        free_source(intake->sources[i]);
    }
    hf_freep(&intake->sources);
    intake->sources = set;
    intake->source_count = config->source_count;
    for (size_t i = 0; i < intake->source_count; i++) {
        if (intake->sources[i]->kept)
            continue;
        intake->sources[i]->kind->start(intake->sources[i]);
        hf_log_info("source.start", HF_STR("source", intake->sources[i]->config.name));
    }
    return HF_OK;
}

void
hf_intake_committed(struct hf_intake *intake, uint64_t durable_seq, bool room)
{
    hf_streams_durable(intake->streams, durable_seq);
    if (room && intake->blocked && !intake->stopped)
        hf_intake_unblock(intake);
}

void
hf_intake_stop(struct hf_intake *intake)
{
    if (intake->stopped)
        return;
    intake->stopped = true;
    for (size_t i = 0; i < intake->source_count; i++)
        intake->sources[i]->kind->stop(intake->sources[i]);
    struct event *timers[] = { intake->work, intake->retry, intake->tell };
    for (size_t i = 0; i < HF_COUNT(timers); i++)
        if (timers[i])
            evtimer_del(timers[i]);
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
            .refusals = source->refusals,
            .problems = source->problems,
            .waiting = intake->told_full && !intake->stopped,
        };
        hf_problem_set(status->problem, source->problem);
        source->kind->status(source, status);
    }
    return count;
}
