/* When files are looked at again. What the timers do is the source's (source.c). */
#include "agent/intake/file/file_impl.h"

#include <event2/event.h>

uint64_t
hf_file_late_ms(const struct hf_file_source *source)
{
    const struct hf_intake_timing *timing = &source->source.timing;
    uint64_t late_ms = timing->late_ms ? timing->late_ms : source->source.config.late_s * 1000;
    return HF_MAX(late_ms, timing->quiet_ms);
}

/* Files that end, moved or are held back are looked at until that is over; those that wait for late
 * writers are looked at with each scan, and when their time may be over. */
void
hf_file_tick_soon(struct hf_file_source *source)
{
    bool waiting = !LIST_EMPTY(&source->on[HF_LIST_WAITING]);
    if ((!waiting && LIST_EMPTY(&source->on[HF_LIST_LATE])) || !source->running)
        return;
    uint64_t in_ms = waiting ? source->source.timing.quiet_ms : hf_file_late_ms(source);
    struct timeval soon = hf_timeval(HF_MAX(in_ms / 8, 5ull)), set;
    /* A tick that is far away must not hold up one that is near. */
    if (evtimer_pending(source->timers.tick, &set) && (!waiting || source->timers.tick_is_near))
        return;
    source->timers.tick_is_near = waiting;
    evtimer_add(source->timers.tick, &soon);
}

void
hf_file_scan_soon(struct hf_file_source *source)
{
    static const struct timeval now = { 0, 0 };
    if (source->running && !evtimer_pending(source->timers.scan_soon, NULL))
        evtimer_add(source->timers.scan_soon, &now);
}

/* Time in which nobody looked does not count: a machine that was suspended, or a process that was
 * stopped, stopped the writer as well, and it has not had its time to go on. */
static uint64_t
look(struct hf_file_source *source)
{
    const struct hf_intake_timing *timing = &source->source.timing;
    uint64_t now_ms = hf_boot_ms(), since_last_ms = now_ms - source->awake.last_ms;
    if (since_last_ms > timing->quiet_ms / 2)
        source->awake.since_ms = now_ms;
    if (since_last_ms > HF_MAX(hf_file_late_ms(source) / 2, 4 * timing->rescan_ms))
        source->awake.late_since_ms = now_ms;
    source->awake.last_ms = now_ms;
    return now_ms;
}

bool
hf_file_is_quiet(struct hf_file *file)
{
    struct hf_file_source *source = file->source;
    uint64_t now_ms = look(source);
    return now_ms - HF_MAX(file->since.quiet_ms, source->awake.since_ms) >=
           source->source.timing.quiet_ms;
}

bool
hf_file_is_late(struct hf_file *file)
{
    struct hf_file_source *source = file->source;
    uint64_t now_ms = look(source);
    return file->late.over || now_ms - HF_MAX(file->since.quiet_ms, source->awake.late_since_ms) >=
                                  hf_file_late_ms(source);
}
