/* When files are looked at again. What the timers do is the source's (source.c). */
#include "agent/intake/file/scan.h"

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

/* ---- scans ---- */

/* As long as there are few files, each thing that inotify tells of a name is followed by a scan. With
 * many a scan costs, about as much for each name: then those that follow what is told take a tenth of
 * the time at most, and those by themselves, for what inotify does not tell, half a percent. */
#define COST_FREE    1000 /* that is few */
#define PAUSE_PER_MS 10   /* so much of it lets the next one wait for a millisecond */
#define IDLE_MS_PER  2    /* and so long for each, when nothing is told */
#define TOLD_MAX     4096
#define POLL_PER_MS  5 /* where inotify is not to be had */

static void
set_scan(struct hf_file_source *source, uint64_t in_ms)
{
    struct timeval in = hf_timeval(in_ms);
    if (source->running)
        evtimer_add(source->timers.scan, &in);
}

static uint64_t
wait_ms(const struct hf_file_source *source)
{
    uint64_t now_ms = hf_boot_ms();
    return source->timers.scan_from_ms > now_ms ? source->timers.scan_from_ms - now_ms : 0;
}

void
hf_file_scan_goes_on(struct hf_file_source *source, uint64_t in_ms)
{
    set_scan(source, in_ms);
}

void
hf_file_scan_soon(struct hf_file_source *source)
{
    if (!source->timers.again && !source->timers.scan_is_on)
        set_scan(source, wait_ms(source));
    source->timers.again = true;
}

void
hf_file_scan_now(struct hf_file_source *source)
{
    source->timers.again = true;
    source->timers.scan_from_ms = 0;
    if (!source->timers.scan_is_on)
        set_scan(source, 0);
}

void
hf_file_look_soon(struct hf_file_source *source)
{
    static const struct timeval now = { 0, 0 };
    if (source->running && !evtimer_pending(source->timers.told, NULL))
        evtimer_add(source->timers.told, &now);
}

void
hf_file_name_soon(struct hf_file_source *source, const char *path)
{
    if (source->timers.scan_is_on || wait_ms(source) > 0) {
        if (source->noted.told.count < TOLD_MAX) /* the scan that is due finds the others */
            hf_strings_add(&source->noted.told, path);
        hf_file_look_soon(source);
    }
    hf_file_scan_soon(source);
}

static uint64_t
look_ms(const struct hf_file_source *source)
{
    const struct hf_intake_timing *timing = &source->source.timing;
    return source->watch ? timing->rescan_ms : HF_MIN(timing->poll_ms, timing->rescan_ms);
}

void
hf_file_scan_ended(struct hf_file_source *source)
{
    uint64_t cost = source->timers.scan_cost, many = cost > COST_FREE ? cost : 0;
    uint64_t idle_ms = source->watch ? many * IDLE_MS_PER : many / POLL_PER_MS;
    uint64_t now_ms = hf_boot_ms();
    source->timers.scan_from_ms = source->drain.due ? 0 : now_ms + many / PAUSE_PER_MS;
    source->timers.scan_by_ms = now_ms + HF_MAX(look_ms(source), idle_ms);
    set_scan(source, source->timers.again ? wait_ms(source) : look_ms(source));
}

bool
hf_file_scan_is_due(struct hf_file_source *source)
{
    if (source->timers.scan_is_on || source->timers.again ||
        hf_boot_ms() + look_ms(source) / 8 >= source->timers.scan_by_ms)
        return true;
    set_scan(source, look_ms(source));
    return false;
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
