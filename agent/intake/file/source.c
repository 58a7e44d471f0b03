/* The file source: its timers, and what the intake asks of every source. All of it runs on the
 * source's own thread but prepare, drain, drained, status and free, which the intake's loop calls:
 * these touch what is `shown`, and post the rest. */
#include "agent/intake/file/looking.h"
#include "agent/intake/file/reading.h"
#include "agent/intake/file/scan.h"
#include "agent/intake/file/sleep.h"
#include "agent/intake/thread.h"

#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#define SYNC_MS        200 /* at a time, while it waits for what an earlier one handed over */
#define BEGIN_AGAIN_MS 50
#define WAKE_AT_ONCE   16
#define LAST_BUFFERS   64 /* of inotify's */
#define TURN_WAIT_MS   20 /* and looks again whether a descriptor is free */

/* ---- what the intake's loop sees ---- */

/* Whatever was done, it is done. */
static void
rest(struct hf_file_source *source)
{
    bool drains = source->drain.number > source->shown.drained;
    bool drained = drains && hf_file_drain_is_over(source);
    hf_owned(hf_freep) char *unread =
        drains && !source->drain.due && !source->stopped ? hf_file_drain_text(source) : NULL;
    pthread_mutex_lock(&source->source.lock);
    source->shown.files = source->file_count + hf_sleepers_count(source);
    source->shown.behind = source->sum.behind;
    source->shown.nul = source->sum.nul;
    source->shown.skipped = source->sum.skipped;
    source->shown.held = source->sum.held;
    source->shown.look = source->look.last;
    hf_problem_set(source->shown.problem, source->problem.scan);
    if (drained)
        source->shown.drained = source->drain.number;
    if (drains) {
        char *before = source->shown.unread;
        source->shown.unread = hf_take(unread);
        unread = before;
    }
    pthread_mutex_unlock(&source->source.lock);
    hf_thread_doing(source->source.thread, NULL);
    if (!drained)
        return;
    hf_thread_enter(source->source.thread);
    hf_intake_notice(source->source.intake);
    hf_thread_leave(source->source.thread);
}

static void
file_status(struct hf_source *base, struct hf_source_status *status)
{
    struct hf_file_source *source = hf_file_source(base);
    pthread_mutex_lock(&base->lock);
    status->files = source->shown.files;
    status->behind_bytes = source->shown.behind;
    status->nul_bytes = source->shown.nul;
    status->skipped_bytes = source->shown.skipped;
    status->held = source->shown.held;
    status->look = source->shown.look;
    if (!status->problem[0])
        hf_problem_set(status->problem, source->shown.problem);
    pthread_mutex_unlock(&base->lock);
}

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
    /* Else each scan does it. */
    for (file = LIST_EMPTY(&source->on[HF_LIST_WAITING]) ? LIST_FIRST(&source->on[HF_LIST_LATE])
                                                         : NULL;
         file; file = LIST_NEXT(file, on[HF_LIST_LATE].entry))
        hf_file_ready(file);
    hf_file_tick_soon(source);
}

/* Some of the names that came, and some of the files that wake. */
static void
on_told(evutil_socket_t fd, short what, void *context)
{
    struct hf_file_source *source = context;
    (void)fd, (void)what;
    if (!source->started)
        return;
    bool more = hf_scan_look_at_told(source);
    for (int i = 0; i < WAKE_AT_ONCE && hf_sleepers_wake_next(source); i++)
        more = i == WAKE_AT_ONCE - 1;
    bool waits = hf_orphan_in(source, HF_SLEEPERS_WAKING) != NULL;
    struct timeval again = hf_timeval(more ? 0 : TURN_WAIT_MS);
    if (more || waits)
        evtimer_add(source->timers.told, &again);
    rest(source);
}

static void
scan_ended(struct hf_file_source *source)
{
    source->placed = true;
    if (!source->started)
        hf_file_start(source);
    if (source->started) {
        hf_source_begun(&source->source);
        hf_file_look_soon(source);
    }
    if (source->started && source->drain.due && hf_scan_drain(source) == source->drain.number)
        hf_file_drain_mark(source);
    hf_file_scan_ended(source);
}

/* One step of it. */
static void
on_scan(evutil_socket_t fd, short what, void *context)
{
    struct hf_file_source *source = context;
    (void)fd, (void)what;
    if (source->placed && !source->started) /* the journal refused */
        hf_file_start(source);
    if (!hf_file_scan_is_due(source)) {
        if (hf_sleep_quiet(source))
            hf_file_scan_goes_on(source, 0);
        rest(source);
        return;
    }
    if (!source->timers.scan_is_on)
        source->timers.again = false;
    switch (hf_scan_step(source)) {
    case HF_SCAN_MORE: hf_file_scan_goes_on(source, 0); break;
    case HF_SCAN_WAITS: hf_file_scan_goes_on(source, TURN_WAIT_MS); break;
    case HF_SCAN_ENDED: scan_ended(source); break;
    }
    rest(source);
}

/* ---- beginning ---- */

/* What an earlier source of this name handed over has to show in the journal's state, from which we
 * start. */
static bool
is_synced(struct hf_file_source *source)
{
    struct hf_error err = { .status = HF_OK };
    hf_thread_enter(source->source.thread);
    enum hf_status status = hf_journal_sync(source->source.intake->journal, SYNC_MS, &err);
    hf_thread_leave(source->source.thread);
    if (status != HF_OK)
        hf_source_problem(&source->source, &err);
    else
        hf_source_well(&source->source);
    return status == HF_OK;
}

static void
on_begin(evutil_socket_t fd, short what, void *context)
{
    struct hf_file_source *source = context;
    struct hf_error err = { .status = HF_OK };
    (void)fd, (void)what;
    if (!is_synced(source)) {
        struct timeval again = hf_timeval(BEGIN_AGAIN_MS);
        evtimer_add(source->timers.begin, &again);
        return;
    }
    source->running = true;
    source->watch = hf_watch_new(source, &err);
    if (!source->watch) {
        hf_problem_set(source->problem.watch, err.text);
        source->problem.watch_class = err.status;
    }
    hf_orphans_load(source);
    hf_file_start(source);
    on_scan(-1, 0, source);
}

/* ---- the operations of a source ---- */

static enum hf_status
file_prepare(struct hf_source *base, struct hf_source *replaces, struct hf_error *err)
{
    struct hf_file_source *source = hf_file_source(base);
    (void)replaces;
    hf_files_init(source);
    hf_orphans_init(source);
    hf_notes_init(&source->noted.others);
    hf_notes_init(&source->noted.written);
    hf_notes_init(&source->noted.unknown);
    hf_scan_init(source);
    hf_refused_init(source);
    hf_buf_init(&source->block, HF_JOURNAL_RECORD_MAX);
    if (!base->config.path || base->config.path[0] != '/')
        return hf_fail(err, HF_ECONFIG, "a file source needs an absolute path");
    enum hf_status status = hf_trust_make(&base->config.follow_links_of, &source->trust, err);
    if (status != HF_OK)
        return status;
    source->timers.begin = evtimer_new(base->loop, on_begin, source);
    source->timers.scan = evtimer_new(base->loop, on_scan, source);
    source->timers.told = evtimer_new(base->loop, on_told, source);
    source->timers.tick = evtimer_new(base->loop, on_tick, source);
    if (!source->timers.begin || !source->timers.scan || !source->timers.told ||
        !source->timers.tick)
        return hf_fail(err, HF_EINTERNAL, "the event loop takes no timers");
    return HF_OK;
}

static void
file_start(struct hf_source *base)
{
    on_begin(-1, 0, hf_file_source(base));
}

/* What went before we stop is not taken for something that went while we were away. */
static void
hear_the_last(struct hf_file_source *source)
{
    size_t left = source->watch ? hf_watch_waiting(source->watch) : 0;
    for (int i = 0; source->watch && i < LAST_BUFFERS; i++)
        if (!hf_watch_read_some(source->watch, &left))
            break;
    while (hf_orphan_in(source, HF_SLEEPERS_UNSAVED) && hf_sleepers_save(source))
        continue;
}

static void
file_stop(struct hf_source *base)
{
    struct hf_file_source *source = hf_file_source(base);
    struct event *events[] = { source->timers.begin, source->timers.scan, source->timers.told,
                               source->timers.tick };
    if (source->running && source->started) {
        hear_the_last(source);
        hf_files_last_words(source);
    }
    source->running = false;
    source->stopped = true;
    for (size_t i = 0; i < HF_COUNT(events); i++)
        evtimer_del(events[i]);
    hf_watch_free(hf_take(source->watch));
    rest(source);
}

static void
file_free(struct hf_source *base)
{
    struct hf_file_source *source = hf_file_source(base);
    struct event *events[] = { source->timers.begin, source->timers.scan, source->timers.told,
                               source->timers.tick };
    hf_followed_done(source);
    hf_files_done(source);
    hf_orphans_free(source);
    hf_merged_done(&source->noted.vanished);
    hf_merged_done(&source->unread.names);
    hf_freep(&source->drain.unread);
    hf_freep(&source->shown.unread);
    hf_notes_done(&source->noted.others);
    hf_notes_done(&source->noted.written);
    hf_notes_done(&source->noted.unknown);
    hf_strings_done(&source->noted.told);
    hf_scan_done(source);
    hf_refused_done(source);
    hf_trust_done(&source->trust);
    hf_buf_done(&source->block);
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
    hf_turn_over_again(source);
    if (!TAILQ_EMPTY(&source->turns.queue) || source->noted.vanished.count > 0 ||
        hf_orphan_in(source, HF_SLEEPERS_UNSAVED))
        hf_source_ready(base);
    rest(source);
}

static bool
file_step(struct hf_source *base)
{
    struct hf_file_source *source = hf_file_source(base);
    if (!source->running || !source->started)
        return false;
    hf_file_report_vanished(source);
    hf_refused_tell(source);
    (void)hf_sleepers_save(source);
    struct hf_file *file = base->pressure.blocked ? NULL : hf_file_take_ready(source);
    bool more = file && hf_file_step(file);
    bool refused = more && base->pressure.blocked;
    if (refused && !file->turn.refused)
        hf_file_ready_first(file); /* it still has its turn */
    else if (more)
        hf_file_ready(file);
    if (more) /* else it may be gone */
        file->turn.refused = refused && !file->turn.refused;
    if (file)
        hf_file_tick_soon(source);
    rest(source);
    return !TAILQ_EMPTY(&source->turns.queue);
}

/* ---- drain: posted by the intake's loop, and answered by rest() ---- */

static void
drain_now(void *context)
{
    struct hf_file_source *source = context;
    pthread_mutex_lock(&source->source.lock);
    source->drain.number = source->shown.drains;
    pthread_mutex_unlock(&source->source.lock);
    source->drain.due = true;
    hf_file_scan_now(source);
    rest(source);
}

static void
file_drain(struct hf_source *base)
{
    struct hf_file_source *source = hf_file_source(base);
    pthread_mutex_lock(&base->lock);
    source->shown.drains++;
    pthread_mutex_unlock(&base->lock);
    hf_thread_post(base->thread, drain_now, source);
}

static bool
file_drained(struct hf_source *base)
{
    struct hf_file_source *source = hf_file_source(base);
    pthread_mutex_lock(&base->lock);
    bool drained = source->shown.drained >= source->shown.drains;
    pthread_mutex_unlock(&base->lock);
    /* one that has yet to begin has all before it */
    return drained || (!base->follows && hf_thread_ended(base->thread, 0));
}

static char *
file_unread(struct hf_source *base)
{
    struct hf_file_source *source = hf_file_source(base);
    pthread_mutex_lock(&base->lock);
    char *text = source->shown.unread ? hf_strdup(source->shown.unread) : NULL;
    pthread_mutex_unlock(&base->lock);
    return text;
}

const struct hf_source_kind hf_file_kind = {
    .size = sizeof(struct hf_file_source),
    .own_thread = "hf-file",
    .positions = "file/",
    .prepare = file_prepare,
    .start = file_start,
    .stop = file_stop,
    .free = file_free,
    .room = file_room,
    .step = file_step,
    .drain = file_drain,
    .drained = file_drained,
    .unread = file_unread,
    .status = file_status,
    .look = hf_file_look,
};
