/* Which files fall asleep. Those that were not written for long: where few are open, for as long as a
 * writer may be late, so that what somebody still writes to an unlinked file is read; with many, for
 * a minute. And where descriptors are needed those that are read to their end, be they written or not:
 * each has its turn. */
#include "agent/intake/file/sleep.h"
#include "agent/intake/file/looking.h"
#include "agent/intake/file/scan.h"
#include "agent/intake/thread.h"

#include <string.h>

#define FEW     1024
#define AT_ONCE 64
#define TURN_MS 1000 /* that a file has its descriptor, whoever waits */

/* All that is known of it stands in the journal, or will be found again. */
static bool
may_sleep(const struct hf_file *file)
{
    bool waits = file->turn.ready && file->source->started;
    return file->state == HF_FILE_READING && file->name == HF_NAME_OURS && !file->moved &&
           !file->gap.reason && !file->failed && !waits && !file->save.dirty &&
           !file->save.old_key && !file->replaced.link.in && !file->copy.original &&
           LIST_EMPTY(&file->copy.mine) && file->line.parts == 0 &&
           !(file->nul.after_truncation && file->print.offset == 0);
}

static bool
is_whole(const struct hf_file *file, uint64_t size)
{
    return file->partial == 0 && file->nul.tail == 0 && size == file->print.offset;
}

/* inotify would tell if it were written to. */
static bool
is_watched(const struct hf_file *file)
{
    char folder[HF_PATH_MAX];
    const char *slash = strrchr(file->path.text, '/');
    size_t size = slash == file->path.text ? 1 : (size_t)(slash - file->path.text);
    if (file->real_path.text || !file->source->watch)
        return false;
    memcpy(folder, file->path.text, size);
    folder[size] = '\0';
    return hf_watch_knows(file->source->watch, folder);
}

static void
put_to_sleep(struct hf_file *file, const struct hf_fs_identity *who)
{
    struct hf_file_source *source = file->source;
    struct hf_position position = { .id = file->id,
                                    .seen_s = hf_wall_s(),
                                    .path = hf_strdup(file->path.text) };
    hf_print_hash(&file->print, &position.print);
    struct hf_orphan *orphan = hf_orphan_new(source, position, file->budget.owner);
    orphan->sleep.size = who->size;
    orphan->sleep.changed_ns = who->changed_ns;
    orphan->sleep.seen_by = file->seen_by;
    orphan->sleep.blind = is_watched(file) ? source->counted.blind : HF_BLIND;
    hf_orphan_sleep(source, orphan);
    if (!source->started && who->size > position.print.offset)
        hf_orphan_queue(source, orphan, HF_SLEEPERS_WAKING);
    hf_file_close(file);
}

enum why { QUIET_LONG, QUIET, TURN_OVER };

static bool
is_due(const struct hf_file *file, enum why why, uint64_t now_ms)
{
    const struct hf_file_source *source = file->source;
    const struct hf_intake_timing *timing = &source->source.timing;
    uint64_t quiet_ms = now_ms - file->since.quiet_ms;
    if (!source->started)
        return true;
    if (why == QUIET_LONG)
        return is_watched(file) &&
               quiet_ms >= (source->file_count < FEW
                                ? HF_MAX(timing->sleep_ms, hf_file_late_ms(source))
                                : timing->sleep_ms);
    if (why == QUIET)
        return quiet_ms >= timing->quiet_ms || file->since.quiet_ms == file->since.opened_ms;
    return now_ms - file->since.opened_ms >= HF_MIN((uint64_t)TURN_MS, timing->sleep_ms);
}

static bool
try_to_sleep(struct hf_file *file, enum why why)
{
    struct hf_fs_identity who;
    hf_thread_doing(file->source->source.thread, file->path.text);
    if (hf_fs_identify(file->fd, NULL, &who, NULL) != HF_OK || who.links == 0)
        return false;
    bool ends = file->print.offset + file->partial >= who.size;
    if (file->source->started && (why == TURN_OVER ? !ends : !is_whole(file, who.size)))
        return false;
    put_to_sleep(file, &who);
    return true;
}

/* true: as many as are done at once. */
static bool
sleep_those(struct hf_file_source *source, enum why why, size_t *count)
{
    struct hf_file *file, *next;
    uint64_t now_ms = hf_boot_ms();
    for (file = LIST_FIRST(&source->files); file && *count < AT_ONCE; file = next) {
        next = LIST_NEXT(file, all);
        if (may_sleep(file) && is_due(file, why, now_ms) && try_to_sleep(file, why))
            ++*count;
    }
    return *count == AT_ONCE;
}

bool
hf_sleep_quiet(struct hf_file_source *source)
{
    size_t count = 0;
    return source->started && sleep_those(source, QUIET_LONG, &count);
}

bool
hf_sleep_some(struct hf_file_source *source)
{
    size_t count = 0;
    uint64_t now_ms = hf_boot_ms();
    if (now_ms < source->timers.sleep_from_ms)
        return false;
    if (!source->started && !hf_file_save_all(source))
        return false;
    if (!sleep_those(source, QUIET, &count) && count == 0)
        (void)sleep_those(source, TURN_OVER, &count);
    if (count == 0)
        source->timers.sleep_from_ms = now_ms + 10; /* it looked at all of them */
    return count > 0;
}
