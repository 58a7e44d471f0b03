/* What happens when the journal refuses: a source is blocked, and reads nothing until the journal
 * has room and it is its turn to try, or until a retry finds some.
 *
 *            refused                     room
 *   free ──────────────▶ blocked, waits ──────▶ up: one block ──▶ free; the next one is up
 *                              ▲                      │
 *                              └──────────────────────┘ refused again
 *
 * Those that wait are called one after the other, else those that are quickest would share the
 * journal's room among themselves: a small file, or a client with one line, would be refused each
 * time, in lockstep. Who is refused when it is up stays in front, once: what the journal never takes
 * must not stop the others. Who does not answer (a hung mount) loses its turn after a moment. */
#include "agent/intake/intake_impl.h"

#include <event2/event.h>

#define UP_MS 50

/* ---- those that wait ---- */

static void
queue_up(struct hf_source *source)
{
    struct hf_intake *intake = source->intake;
    struct hf_pressure *pressure = &source->pressure;
    bool in_front = intake->refused.up == source && !pressure->again;
    pressure->again = in_front;
    if (pressure->waits)
        return;
    pressure->waits = true;
    if (in_front)
        TAILQ_INSERT_HEAD(&intake->refused.queue, source, pressure.entry);
    else
        TAILQ_INSERT_TAIL(&intake->refused.queue, source, pressure.entry);
}

static void
leave_queue(struct hf_source *source)
{
    if (source->pressure.waits)
        TAILQ_REMOVE(&source->intake->refused.queue, source, pressure.entry);
    source->pressure.waits = false;
}

/* Wakes it while the lock is held: it is not freed before it has left the queue. */
static void
call_next(struct hf_intake *intake)
{
    struct hf_source *next = TAILQ_FIRST(&intake->refused.queue);
    intake->refused.room_again = false;
    intake->refused.up = next;
    if (!next)
        return;
    leave_queue(next);
    intake->refused.up_since_ms = hf_boot_ms();
    event_active(next->pressure.go, EV_READ, 0);
}

void
hf_intake_room(struct hf_intake *intake)
{
    pthread_mutex_lock(&intake->refused.lock);
    if (intake->refused.up && hf_boot_ms() - intake->refused.up_since_ms < UP_MS)
        intake->refused.room_again = true;
    else
        call_next(intake);
    pthread_mutex_unlock(&intake->refused.lock);
}

/* Its turn is over: the next one's, if there may be room. */
static void
pass_on(struct hf_source *source, bool refused)
{
    struct hf_intake *intake = source->intake;
    pthread_mutex_lock(&intake->refused.lock);
    if (intake->refused.up == source) {
        intake->refused.up = NULL;
        if (!refused || intake->refused.room_again)
            call_next(intake);
    }
    pthread_mutex_unlock(&intake->refused.lock);
}

/* ---- the work ---- */

static void
work_soon(struct hf_source *source)
{
    /* A timer of zero, not event_active(): that would run again before the loop looks at any other
     * event. */
    static const struct timeval now = { 0, 0 };
    if (!evtimer_pending(source->pressure.work, NULL))
        evtimer_add(source->pressure.work, &now);
}

void
hf_source_ready(struct hf_source *source)
{
    if (!source->ready && !source->pressure.blocked)
        work_soon(source);
    source->ready = true;
}

/* One block. */
static void
take_turn(struct hf_source *source)
{
    if (!source->ready || source->pressure.blocked)
        return;
    source->ready = source->kind->step(source);
    if (source->ready && !source->pressure.blocked)
        work_soon(source);
}

static void
on_work(int fd, short what, void *context)
{
    struct hf_source *source = context;
    (void)fd, (void)what;
    take_turn(source);
    if (!source->thread)
        hf_drain_check(source->intake);
}

/* ---- blocked ---- */

static void
schedule_retry(struct hf_source *source)
{
    struct timeval after = hf_timeval(source->timing.retry_ms);
    evtimer_add(source->pressure.retry, &after);
}

static void
set_told_full(struct hf_source *source, bool told)
{
    pthread_mutex_lock(&source->lock);
    source->pressure.told_full = told;
    source->counters.refusals += told;
    pthread_mutex_unlock(&source->lock);
}

static void
tell_full(struct hf_source *source)
{
    source->pressure.full_due = false;
    if (source->pressure.told_full)
        return;
    set_told_full(source, true);
    if (source->kind->full)
        source->kind->full(source);
}

static void
on_tell(int fd, short what, void *context)
{
    struct hf_source *source = context;
    (void)fd, (void)what;
    if (source->pressure.full_due)
        tell_full(source);
}

/* Comes from the middle of a hand-over, be it a file's or a client's: telling the clients there
 * would send to all of them, and change what is known of them, while one of them is being worked
 * on. So it only leaves a note for the next turn of the loop; where there is room before that,
 * nobody needs to be told. */
void
hf_source_block(struct hf_source *source, bool out_of_room)
{
    static const struct timeval now = { 0, 0 };
    struct hf_pressure *pressure = &source->pressure;
    if (!pressure->blocked) {
        pressure->blocked = true;
        if (!pressure->since_ms)
            pressure->since_ms = hf_boot_ms();
        schedule_retry(source);
        pthread_mutex_lock(&source->intake->refused.lock);
        queue_up(source);
        pthread_mutex_unlock(&source->intake->refused.lock);
    }
    if (!out_of_room || pressure->told_full || pressure->full_due)
        return;
    pressure->full_due = true;
    evtimer_add(pressure->tell, &now);
}

/* Asks the journal first: one that has nothing to add would say "go on" to its clients. */
static bool
has_room(struct hf_source *source)
{
    if (hf_budget_would_refuse(source->owner))
        return false;
    hf_source_enter(source);
    bool room = hf_journal_begin(source->intake->journal, false, NULL) == HF_OK;
    if (room)
        hf_journal_abandon(source->intake->journal);
    hf_source_leave(source);
    return room;
}

static void
go_on(struct hf_source *source)
{
    struct hf_pressure *pressure = &source->pressure;
    pressure->blocked = pressure->owner_waits = false;
    evtimer_del(pressure->retry);
    source->kind->room(source);
    take_turn(source);
    if (pressure->blocked)
        return;
    pressure->since_ms = 0;
    pressure->full_due = false;
    if (pressure->told_full)
        set_told_full(source, false);
}

/* Tries, in its turn or because time went by. */
static void
try(struct hf_source *source)
{
    struct hf_intake *intake = source->intake;
    if (source->pressure.blocked && has_room(source)) {
        pthread_mutex_lock(&intake->refused.lock);
        leave_queue(source);
        pthread_mutex_unlock(&intake->refused.lock);
        go_on(source);
    } else if (source->pressure.blocked) {
        schedule_retry(source);
        pthread_mutex_lock(&intake->refused.lock);
        queue_up(source);
        pthread_mutex_unlock(&intake->refused.lock);
    }
    pass_on(source, source->pressure.blocked);
    if (!source->thread)
        hf_drain_check(intake);
}

static void
on_go(int fd, short what, void *context)
{
    (void)fd, (void)what;
    try(context);
}

void
hf_source_owner_waits(struct hf_source *source)
{
    source->pressure.owner_waits = true;
    if (!evtimer_pending(source->pressure.retry, NULL))
        schedule_retry(source);
}

/* Those who are still over their share are refused again, before anything is read for them. */
static void
try_owners(struct hf_source *source)
{
    source->pressure.owner_waits = false;
    source->kind->room(source);
    take_turn(source);
    if (!source->thread)
        hf_drain_check(source->intake);
}

static void
on_retry(int fd, short what, void *context)
{
    struct hf_source *source = context;
    (void)fd, (void)what;
    if (!source->pressure.blocked) {
        if (source->pressure.owner_waits)
            try_owners(source);
        return;
    }
    if (hf_boot_ms() - source->pressure.since_ms >= source->timing.full_after_ms)
        tell_full(source);
    try(source);
}

/* ---- coming and going ---- */

enum hf_status
hf_pressure_open(struct hf_source *source, struct event_base *loop, struct hf_error *err)
{
    struct hf_pressure *pressure = &source->pressure;
    source->loop = loop;
    pressure->work = evtimer_new(loop, on_work, source);
    pressure->retry = evtimer_new(loop, on_retry, source);
    pressure->tell = evtimer_new(loop, on_tell, source);
    pressure->go = event_new(loop, -1, 0, on_go, source);
    if (!pressure->work || !pressure->retry || !pressure->tell || !pressure->go)
        return hf_fail(err, HF_EINTERNAL, "the event loop takes no timers");
    return HF_OK;
}

void
hf_source_quiet(struct hf_source *source)
{
    struct event *events[] = { source->pressure.work, source->pressure.retry, source->pressure.tell,
                               source->pressure.go };
    pthread_mutex_lock(&source->intake->refused.lock);
    leave_queue(source);
    pthread_mutex_unlock(&source->intake->refused.lock);
    pass_on(source, false);
    for (size_t i = 0; i < HF_COUNT(events); i++)
        if (events[i])
            event_del(events[i]);
}

void
hf_pressure_close(struct hf_source *source)
{
    struct event *events[] = { source->pressure.work, source->pressure.retry, source->pressure.tell,
                               source->pressure.go };
    hf_source_quiet(source);
    for (size_t i = 0; i < HF_COUNT(events); i++)
        if (events[i])
            event_free(events[i]);
    source->pressure = (struct hf_pressure){ .work = NULL };
}
