/* Drain: each source remembers how much there is now; when all have journaled that much, those who
 * wait are told. A later call moves the mark, so that everyone waits for the newest one. */
#include "agent/intake/intake_impl.h"

void
hf_intake_drain(struct hf_intake *intake, void (*done)(void *context), void *context)
{
    intake->waiters =
        hf_realloc(intake->waiters, (intake->waiter_count + 1) * sizeof(*intake->waiters));
    intake->waiters[intake->waiter_count++] =
        (struct hf_drain_waiter){ .done = done, .context = context };
    for (size_t i = 0; i < intake->source_count; i++)
        intake->sources[i]->kind->drain(intake->sources[i]);
    hf_intake_notice(intake);
}

void
hf_intake_drain_cancel(struct hf_intake *intake, void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < intake->waiter_count; i++)
        if (intake->waiters[i].context != context)
            intake->waiters[kept++] = intake->waiters[i];
    intake->waiter_count = kept;
}

void
hf_drain_check(struct hf_intake *intake)
{
    if (intake->waiter_count == 0)
        return;
    for (size_t i = 0; i < intake->source_count; i++)
        if (!intake->sources[i]->kind->drained(intake->sources[i]))
            return;
    /* One that is told may ask again. */
    struct hf_drain_waiter *waiters = hf_take(intake->waiters);
    size_t count = intake->waiter_count;
    intake->waiter_count = 0;
    for (size_t i = 0; i < count; i++)
        waiters[i].done(waiters[i].context);
    hf_freep(&waiters);
}
