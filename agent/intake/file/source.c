/* The file source: its timers, and what the intake asks of every source. */
#include "agent/intake/file/looking.h"
#include "agent/intake/file/reading.h"

#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#define SYNC_MS 5000

/* ---- timers ---- */

static void
on_tick(evutil_socket_t fd, short what, void *context)
{
    struct hf_file_source *source = context;
    (void)fd, (void)what;
    struct hf_file *file;
    for (file = LIST_FIRST(&source->on[HF_LIST_WAITING]); file;
         file = LIST_NEXT(file, on[HF_LIST_WAITING].entry))
        hf_file_ready(file);
    hf_file_tick_soon(source);
}

static void
scan(struct hf_file_source *source)
{
    if (!source->started) {
        hf_file_start(source);
        return;
    }
    hf_file_scan(source);
    hf_orphans_look(source);
}

static void
on_scan(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    scan(context);
}

static void
on_scan_timer(evutil_socket_t fd, short what, void *context)
{
    struct hf_file_source *source = context;
    (void)fd, (void)what;
    scan(source);
    const struct hf_intake_timing *timing = &source->source.intake->timing;
    struct timeval next =
        hf_timeval(source->watch ? timing->rescan_ms : HF_MIN(timing->poll_ms, timing->rescan_ms));
    evtimer_add(source->scan_timer, &next);
}

/* ---- the operations of a source ---- */

static enum hf_status
file_prepare(struct hf_source *base, struct hf_source *replaces, struct hf_error *err)
{
    struct hf_file_source *source = hf_file_source(base);
    struct event_base *loop = base->intake->loop;
    (void)replaces;
    hf_files_init(source);
    hf_orphans_init(source);
    if (!base->config.path || base->config.path[0] != '/')
        return hf_fail(err, HF_ECONFIG, "a file source needs an absolute path");
    source->scan_soon = evtimer_new(loop, on_scan, source);
    source->scan_timer = evtimer_new(loop, on_scan_timer, source);
    source->tick = evtimer_new(loop, on_tick, source);
    if (!source->scan_soon || !source->scan_timer || !source->tick)
        return hf_fail(err, HF_EINTERNAL, "the event loop takes no timers");
    /* What an earlier source of this name handed over has to show in the journal's state, from
     * which we start. */
    return hf_journal_sync(base->intake->journal, SYNC_MS, err);
}

static void
file_start(struct hf_source *base)
{
    struct hf_file_source *source = hf_file_source(base);
    struct hf_error err = { .status = HF_OK };
    source->running = true;
    source->watch = hf_watch_new(source, &err);
    if (!source->watch) {
        hf_problem_set(source->watch_problem, err.text);
        source->watch_class = err.status;
    }
    hf_orphans_load(source);
    on_scan_timer(-1, 0, source);
}

static void
file_stop(struct hf_source *base)
{
    struct hf_file_source *source = hf_file_source(base);
    source->running = false;
    if (source->tick) {
        evtimer_del(source->tick);
        evtimer_del(source->scan_soon);
        evtimer_del(source->scan_timer);
    }
    hf_watch_free(hf_take(source->watch));
}

static void
file_free(struct hf_source *base)
{
    struct hf_file_source *source = hf_file_source(base);
    file_stop(base);
    hf_followed_done(source);
    hf_files_done(source);
    hf_orphans_free(source);
    hf_strings_done(&source->vanished);
    struct event *events[] = { source->scan_soon, source->scan_timer, source->tick };
    for (size_t i = 0; i < HF_COUNT(events); i++)
        if (events[i])
            event_free(events[i]);
}

/* Files that were refused are still in the queue. */
static void
file_room(struct hf_source *base)
{
    struct hf_file_source *source = hf_file_source(base);
    if (source->running && !source->started)
        hf_file_start(source);
    if (!TAILQ_EMPTY(&source->turns.queue) || source->vanished.count > 0)
        hf_source_ready(base);
}

static bool
file_step(struct hf_source *base)
{
    struct hf_file_source *source = hf_file_source(base);
    if (!source->running || !source->started)
        return false;
    hf_file_report_vanished(source);
    struct hf_file *file = base->intake->blocked ? NULL : hf_file_take_ready(source);
    bool more = file && hf_file_step(file);
    bool refused = more && base->intake->blocked;
    if (refused && !file->turn.refused)
        hf_file_ready_first(file); /* it still has its turn */
    else if (more)
        hf_file_ready(file);
    if (more) /* else it may be gone */
        file->turn.refused = refused && !file->turn.refused;
    if (file)
        hf_file_tick_soon(source);
    return !TAILQ_EMPTY(&source->turns.queue);
}

/* A line that lacks its newline may still grow: what is known to be one counts as read. */
static bool
is_behind(const struct hf_file *file)
{
    return file->print.offset + file->partial < file->drain_to;
}

static void
file_drain(struct hf_source *base)
{
    struct hf_file_source *source = hf_file_source(base);
    scan(source);
    for (struct hf_file *file = LIST_FIRST(&source->files); file; file = LIST_NEXT(file, all)) {
        struct hf_fs_identity who;
        if (hf_fs_identify(file->fd, NULL, &who, NULL) == HF_OK)
            file->drain_to = who.size;
        hf_file_put_on(file, HF_LIST_DRAINING, is_behind(file));
    }
}

/* Asked after each block: those that are through are not looked at again. */
static bool
file_drained(struct hf_source *base)
{
    struct hf_file_source *source = hf_file_source(base);
    if (!source->running)
        return true;
    if (!source->started || source->vanished.count > 0)
        return false;
    struct hf_file *file, *next;
    for (file = LIST_FIRST(&source->on[HF_LIST_DRAINING]); file; file = next) {
        next = LIST_NEXT(file, on[HF_LIST_DRAINING].entry);
        if (!is_behind(file))
            hf_file_put_on(file, HF_LIST_DRAINING, false);
        else if (!file->failed && file->state != HF_FILE_HELD)
            return false;
    }
    return true;
}

static void
file_status(const struct hf_source *base, struct hf_source_status *status)
{
    const struct hf_file_source *source = hf_file_source(base);
    status->files = source->file_count;
    for (const struct hf_file *file = LIST_FIRST(&source->files); file;
         file = LIST_NEXT(file, all)) {
        struct hf_fs_identity who;
        if (hf_fs_identify(file->fd, NULL, &who, NULL) == HF_OK && who.size > file->print.offset)
            status->behind_bytes += who.size - file->print.offset;
    }
    if (!status->problem[0])
        hf_problem_set(status->problem, source->scan_problem);
}

const struct hf_source_kind hf_file_kind = {
    .size = sizeof(struct hf_file_source),
    .prepare = file_prepare,
    .start = file_start,
    .stop = file_stop,
    .free = file_free,
    .room = file_room,
    .step = file_step,
    .drain = file_drain,
    .drained = file_drained,
    .status = file_status,
};
