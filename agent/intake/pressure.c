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
    source->ready = source->ops->step(source);
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
    uint64_t ms = intake->timing.retry_ms;
    struct timeval after = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };
    evtimer_add(intake->retry, &after);
}

static void
tell_full(struct hf_intake *intake)
{
    if (intake->told_full)
        return;
    intake->told_full = true;
    for (size_t i = 0; i < intake->source_count; i++) {
        intake->sources[i]->refusals++;
        if (intake->sources[i]->ops->full)
            intake->sources[i]->ops->full(intake->sources[i]);
    }
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

static void
go_on(struct hf_intake *intake, size_t place)
{
    struct hf_source *source = intake->sources[place];
    source->ops->room(source);
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
        intake->told_full = false;
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
