/* When files are looked at again. What the timers do is the source's (source.c). */
#include "agent/intake/file/file_impl.h"

#include <event2/event.h>

/* Files that end, moved or are held back are looked at until that is over. */
void
hf_file_tick_soon(struct hf_file_source *source)
{
    bool needed = !LIST_EMPTY(&source->on[HF_LIST_WAITING]);
    if (!needed || !source->running || evtimer_pending(source->tick, NULL))
        return;
    struct timeval soon = hf_timeval(HF_MAX(source->source.timing.quiet_ms / 8, 5ull));
    evtimer_add(source->tick, &soon);
}

void
hf_file_scan_soon(struct hf_file_source *source)
{
    static const struct timeval now = { 0, 0 };
    if (source->running && !evtimer_pending(source->scan_soon, NULL))
        evtimer_add(source->scan_soon, &now);
}

/* Time in which nobody looked does not count: a machine that was suspended, or a process that was
 * stopped, stopped the writer as well, and it has not had its time to go on. */
bool
hf_file_is_quiet(struct hf_file *file)
{
    uint64_t now_ms = hf_boot_ms(), quiet_ms = file->source->source.timing.quiet_ms;
    if (now_ms - file->looked_ms > quiet_ms / 2)
        file->quiet_since_ms = now_ms;
    file->looked_ms = now_ms;
    return now_ms - file->quiet_since_ms >= quiet_ms;
}
