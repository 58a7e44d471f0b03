/* The work that sources share the loop with, and what happens when the journal refuses.
 *
 * Sources with work take turns: one block each, then the loop looks at its other events. When the
 * journal refuses, the whole intake is blocked; nothing is read until the journal reports room, or
 * a retry finds some. */
#include "agent/intake/intake_impl.h"

#include <event2/event.h>

void
hf_intake_wake(struct hf_intake *intake)
{
    /* A timer of zero, not event_active(): that would run again before the loop looks at any other
     * event. */
    static const struct timeval now = { 0, 0 };
    if (!evtimer_pending(intake->work, NULL))
        evtimer_add(intake->work, &now);
}

/* Who is refused is the first one next time, else one that always has much would have the journal's
 * room for itself. Only once: what the journal never takes must not stop the others. */
static void
refused(struct hf_intake *intake, size_t place)
{
    const struct hf_source *source = intake->sources[place];
    bool again = intake->refused == source;
    intake->next_source = again ? place + 1 : place;
    intake->refused = again ? NULL : source;
}

/* One block. */
static bool
take_turn(struct hf_intake *intake, size_t place)
{
    struct hf_source *source = intake->sources[place];
    if (!source->ready)
        return false;
    source->ready = source->kind->step(source);
    if (intake->blocked)
        refused(intake, place);
    return source->ready;
}

void
hf_intake_on_work(int fd, short what, void *context)
{
    struct hf_intake *intake = context;
    (void)fd, (void)what;
    bool more = false;
    for (size_t i = 0; i < intake->source_count && !intake->blocked && !intake->stopped; i++)
        more |= take_turn(intake, (intake->next_source + i) % intake->source_count);
    if (!intake->blocked)
        intake->next_source++;
    if (more && !intake->blocked && !intake->stopped)
        hf_intake_wake(intake);
    hf_drain_check(intake);
}

static void
schedule_retry(struct hf_intake *intake)
{
    struct timeval after = hf_timeval(intake->timing.retry_ms);
    evtimer_add(intake->retry, &after);
}

static void
tell_full(struct hf_intake *intake)
{
    intake->full_due = false;
    if (intake->told_full)
        return;
    intake->told_full = true;
    for (size_t i = 0; i < intake->source_count; i++) {
        intake->sources[i]->refusals++;
        if (intake->sources[i]->kind->full)
            intake->sources[i]->kind->full(intake->sources[i]);
    }
}

void
hf_intake_on_tell(int fd, short what, void *context)
{
    struct hf_intake *intake = context;
    (void)fd, (void)what;
    if (intake->full_due && !intake->stopped)
        tell_full(intake);
}

/* Comes from the middle of a hand-over, be it a file's or a client's: telling the clients there
 * would send to all of them, and change what is known of them, while one of them is being worked
 * on. So it only leaves a note for the next turn of the loop; where there is room before that,
 * nobody needs to be told. */
void
hf_intake_block(struct hf_intake *intake, bool out_of_room)
{
    static const struct timeval now = { 0, 0 };
    if (!intake->blocked) {
        intake->blocked = true;
        if (!intake->blocked_since_ms)
            intake->blocked_since_ms = hf_boot_ms();
        schedule_retry(intake);
    }
    if (!out_of_room || intake->told_full || intake->full_due)
        return;
    intake->full_due = true;
    evtimer_add(intake->tell, &now);
}

static void
go_on(struct hf_intake *intake, size_t place)
{
    struct hf_source *source = intake->sources[place];
    source->kind->room(source);
    if (intake->blocked)
        refused(intake, place);
    else
        (void)take_turn(intake, place);
}

/* Asks the journal first: with several sources one that has nothing to add would say "go on" for
 * all. Then everyone tries, and the first one that is refused blocks the intake again. */
void
hf_intake_unblock(struct hf_intake *intake)
{
    if (hf_journal_begin(intake->journal, false, NULL) != HF_OK) {
        schedule_retry(intake);
        return;
    }
    hf_journal_abandon(intake->journal);
    intake->blocked = false;
    evtimer_del(intake->retry);
    for (size_t i = 0; i < intake->source_count && !intake->blocked; i++)
        go_on(intake, (intake->next_source + i) % intake->source_count);
    if (!intake->blocked) {
        intake->blocked_since_ms = 0;
        intake->full_due = intake->told_full = false;
    }
    hf_intake_wake(intake);
}

void
hf_intake_on_retry(int fd, short what, void *context)
{
    struct hf_intake *intake = context;
    (void)fd, (void)what;
    if (!intake->blocked || intake->stopped)
        return;
    if (hf_boot_ms() - intake->blocked_since_ms >= intake->timing.full_after_ms)
        tell_full(intake);
    hf_intake_unblock(intake);
}
