/* Drain: each source remembers how much there is now; when all have journaled that much, those who
 * wait are told. A later call moves the mark, so that everyone waits for the newest one. */
#include "agent/intake/intake_impl.h"

#include "agent/intake/thread.h"
#include <event2/event.h>

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

/* What a source says itself, or that it hangs. */
static char *
unread_of(struct hf_source *source)
{
    char what[128];
    uint64_t ms;
    bool drained = source->kind->drained(source);
    if (!drained && source->thread &&
        hf_thread_hangs(source->thread, 1000, what, sizeof(what), &ms))
        return hf_asprintf("source %s: no answer for %llu s from the file system at '%s'\n",
                           source->config.name, (unsigned long long)(ms / 1000), what);
    char *text = source->kind->unread ? source->kind->unread(source) : NULL;
    if (!text && !drained)
        text =
            hf_asprintf("source %s: not all that it received is journaled\n", source->config.name);
    return text;
}

char *
hf_intake_unread(const struct hf_intake *intake)
{
    char *all = NULL;
    for (size_t i = 0; i < intake->source_count; i++) {
        hf_owned(hf_freep) char *text = unread_of(intake->sources[i]), *before = all;
        all = text ? hf_asprintf("%s%s", before ? before : "", text) : hf_take(before);
    }
    return all;
}

void
hf_intake_notice(struct hf_intake *intake)
{
    event_active(intake->noticed, EV_READ, 0);
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
