/* Looking for the files of orphans.
 *
 * After a restart, or after `late`, such a file may still lie in its folder under another name: then
 * it is read to its end, and again when it has grown. One that is nowhere is reported once: what was
 * written to it after the last look is unknown. So is one whose folder is gone. A folder on another
 * device than the file was, or that is missing together with the pattern's own, may not be mounted
 * yet: that says nothing until `late` is over. */
#include "agent/intake/file/orphans.h"
#include "agent/intake/file/scan.h"
#include "agent/intake/file/sleep.h"
#include "agent/intake/thread.h"

#include <fcntl.h>
#include <string.h>

#define NAMES_AT_ONCE 1024
#define TOGETHER_MS   1000

/* A search goes through the folders that are missed in one after the other, in steps. */
struct hf_search {
    struct hf_file_source *source;
    struct hf_strings folders;
    size_t next_folder;
    struct {              /* the one that we are in */
        const char *path; /* NULL: in none */
        int fd;
        struct hf_fs_names *stream; /* NULL: all its names were met */
        char **names;               /* a part of them */
        size_t count, next;
        enum hf_status status; /* anything but HF_OK says nothing of its files, unless it is gone */
        struct hf_strings to_read; /* paths */
        size_t next_to_read;
    } in;
};

/* ---- under other names ---- */

/* Is it one that is missed, and is there something to read? */
static enum hf_status
meet(struct hf_search *search, const char *name, const char *path)
{
    struct hf_fs_identity who;
    bool linked;
    enum hf_status status =
        hf_found_look(search->source->trust, search->in.fd, name, path, &who, &linked, NULL);
    if (status == HF_ENOTFOUND || status == HF_EREFUSED)
        return HF_OK;
    if (status != HF_OK || !S_ISREG(who.mode))
        return status;
    struct hf_file_id id = hf_file_id_of(&who);
    struct hf_orphan *orphan = hf_orphan_by_id(search->source, &id);
    if (!orphan || orphan->position.reported || orphan->present || hf_is_asleep(orphan))
        return HF_OK;
    orphan->present = true;
    if (!hf_orphan_is_settled(orphan) || who.size > orphan->position.print.offset)
        hf_strings_add(&search->in.to_read, path);
    return HF_OK;
}

static void
close_stream(struct hf_search *search)
{
    hf_fs_names_free(search->in.names, search->in.count);
    hf_fs_names_close(search->in.stream);
    hf_fs_close(&search->in.fd);
    search->in.stream = NULL;
    search->in.names = NULL;
    search->in.count = search->in.next = 0;
}

/* Any failure but that there is no folder, or only a stranger's link to one, says nothing of the
 * files. */
static void
go_in(struct hf_search *search, const char *folder)
{
    struct hf_file_source *source = search->source;
    hf_thread_doing(source->source.thread, folder);
    search->in.path = folder;
    enum hf_status status = hf_fs_open_trusted(folder, O_RDONLY | O_DIRECTORY, &source->trust,
                                               &search->in.fd, NULL, NULL);
    if (status == HF_OK)
        status = hf_fs_names_open(search->in.fd, folder, &search->in.stream, NULL);
    search->in.status = status == HF_EREFUSED ? HF_ENOTFOUND : status;
}

static void
next_name(struct hf_search *search)
{
    char path[HF_PATH_MAX];
    if (search->in.next == search->in.count) {
        hf_fs_names_free(search->in.names, search->in.count);
        search->in.names = NULL;
        search->in.count = search->in.next = 0;
        search->in.status = hf_fs_names_next(search->in.stream, NAMES_AT_ONCE, &search->in.names,
                                             &search->in.count, NULL);
        if (search->in.count == 0)
            close_stream(search);
        return;
    }
    const char *name = search->in.names[search->in.next++];
    if (strlen(search->in.path) + 1 + strlen(name) >= sizeof(path))
        return;
    hf_path_join(path, sizeof(path), search->in.path, name);
    search->in.status = meet(search, name, path);
    if (search->in.status != HF_OK)
        close_stream(search);
}

static void
read_next(struct hf_search *search)
{
    struct hf_file_source *source = search->source;
    const char *path = search->in.to_read.items[search->in.next_to_read++];
    if (!hf_file_has_room(source))
        return; /* the next scan */
    struct hf_file *file = hf_file_open(source, path);
    if (file && file->name == HF_NAME_OURS && !hf_found_matches(&source->source.config, path))
        hf_file_name(file, HF_NAME_GONE, NULL);
}

/* ---- nowhere ---- */

/* The folder that the pattern's own begins with: everything in front of the first name that is a
 * pattern, or the last one. */
static size_t
fixed_size(const char *pattern)
{
    char name[HF_PATH_MAX];
    const char *at = pattern, *before = pattern;
    while (hf_pattern_next(&at, name) && !hf_pattern_is(name) && *at)
        before = at;
    size_t size = (size_t)(before - pattern);
    while (size > 1 && pattern[size - 1] == '/')
        size--;
    return size;
}

/* The device of the folder, or of the nearest above it that is there, as far as the pattern's own;
 * 0: none is, or it cannot be told. */
static uint64_t
device_of(const struct hf_file_source *source, const char *folder)
{
    char at[HF_PATH_MAX];
    size_t least = fixed_size(source->source.config.path), size = strlen(folder);
    memcpy(at, folder, size + 1);
    for (;;) {
        struct hf_fs_identity who;
        enum hf_status status = hf_fs_identify(-1, at, &who, NULL);
        if (status == HF_OK)
            return who.dev;
        char *slash = strrchr(at, '/');
        if (status != HF_ENOTFOUND || !slash || slash == at || (size_t)(slash - at) < least)
            return 0;
        *slash = '\0';
    }
}

static bool
waited(struct hf_file_source *source, struct hf_lost_folder *folder)
{
    uint64_t now_ms = hf_boot_ms();
    if (!folder->absent_since_ms)
        folder->absent_since_ms = now_ms;
    return now_ms - folder->absent_since_ms >= hf_file_late_ms(source);
}

static bool
is_missed(struct hf_file_source *source, const struct hf_orphan *orphan, uint64_t device)
{
    bool undecided = orphan->sleep.queued && orphan->sleep.queue == HF_SLEEPERS_REPLACED;
    return orphan->looked_for && !undecided && !orphan->present && !hf_orphan_is_settled(orphan) &&
           (orphan->position.id.dev == device || waited(source, orphan->folder));
}

/* Nothing was read of it. */
static bool
is_unread(const struct hf_orphan *orphan)
{
    return orphan->position.print.offset == 0 && orphan->position.line_parts == 0;
}

static const char reason_gone[] = "gone; what was written to it after the last look is unknown";

static enum hf_status
report(struct hf_unit *unit, const struct hf_orphan *orphan)
{
    hf_owned(hf_buf_done) struct hf_buf value = HF_BUF(2 * HF_PATH_MAX);
    char key[HF_FILE_KEY_SIZE];
    struct hf_position reported = orphan->position;
    reported.reported = true;
    hf_assert(hf_position_encode(&reported, &value) == HF_OK);
    hf_file_key(unit->source->config.name, &reported.id, key);
    enum hf_status status = HF_OK;
    if (!is_unread(orphan))
        status = hf_unit_gap(unit, reported.path, reason_gone, reported.print.offset, 0);
    return status == HF_OK ? hf_unit_set_state(unit, key, hf_buf_slice(&value)) : status;
}

/* As many as a unit takes, those of which nothing was read as one. *ret_more: there are others. */
static bool
report_some(struct hf_file_source *source, struct hf_lost_folder *folder, uint64_t device,
            bool *ret_more)
{
    struct hf_unit unit;
    struct hf_merged unread = { .count = 0 };
    struct hf_orphan *orphan, *next;
    enum hf_status status = hf_unit_begin(&unit, &source->source);
    if (status != HF_OK)
        return false; /* the next scan tries again */
    *ret_more = false;
    for (orphan = LIST_FIRST(&folder->missed); orphan && status == HF_OK && !*ret_more;
         orphan = LIST_NEXT(orphan, missed)) {
        orphan->reporting = is_missed(source, orphan, device);
        if (!orphan->reporting)
            continue;
        status = report(&unit, orphan);
        if (is_unread(orphan))
            hf_merged_add(&unread, orphan->position.path);
        *ret_more = hf_unit_is_large(&unit);
    }
    if (status == HF_OK && unread.count > 0)
        status = hf_unit_gap_merged(&unit, &unread, "gone before it could be read");
    hf_merged_done(&unread);
    if (status == HF_OK)
        hf_unit_commit(&unit);
    for (orphan = LIST_FIRST(&folder->missed); orphan; orphan = next) {
        next = LIST_NEXT(orphan, missed);
        bool told = orphan->reporting && status == HF_OK;
        orphan->reporting = false;
        if (!told)
            continue;
        orphan->position.reported = true;
        hf_orphan_leave_folder(source, orphan); /* with the last one it is freed, and `next` NULL */
    }
    return status == HF_OK;
}

static bool
misses_any(struct hf_file_source *source, const struct hf_lost_folder *folder, uint64_t device)
{
    const struct hf_orphan *orphan;
    for (orphan = LIST_FIRST(&folder->missed); orphan; orphan = LIST_NEXT(orphan, missed))
        if (is_missed(source, orphan, device))
            return true;
    return false;
}

/* true: there is more to report. */
static bool
report_missed(struct hf_search *search)
{
    struct hf_file_source *source = search->source;
    if (search->in.status != HF_OK && search->in.status != HF_ENOTFOUND)
        return false;
    uint64_t device = device_of(source, search->in.path);
    /* It went with its last orphan if all were found. */
    struct hf_lost_folder *folder = hf_lost_folder_find(source, search->in.path);
    bool more = false;
    return folder && misses_any(source, folder, device) &&
           report_some(source, folder, device, &more) && more;
}

/* ---- forgetting ---- */

/* Where it still lies in its folder it is not forgotten, else it would be read a second time when
 * it matches some day. */
static bool
is_old(const struct hf_orphan *orphan, int64_t now_s, int64_t keep_s)
{
    return hf_orphan_is_settled(orphan) && !orphan->present &&
           (orphan->looked_for || orphan->position.reported) &&
           now_s - orphan->position.seen_s > keep_s;
}

static bool
has_old(struct hf_file_source *source, int64_t now_s)
{
    const struct hf_orphan *orphan;
    for (orphan = hf_orphans_first(source); orphan; orphan = LIST_NEXT(orphan, all))
        if (is_old(orphan, now_s, HF_ORPHAN_S))
            return true;
    return false;
}

static void
forget_old(struct hf_file_source *source)
{
    struct hf_unit unit;
    struct hf_orphan *orphan, *next;
    int64_t now_s = hf_wall_s(), keep_s = HF_ORPHAN_S;
    if (hf_orphans_count(source) > HF_ORPHANS_MAX || hf_budget_state_is_short(source->source.owner))
        keep_s = 0;
    else if (!has_old(source, now_s))
        return;
    if (hf_unit_begin(&unit, &source->source) != HF_OK)
        return;
    for (orphan = hf_orphans_first(source); orphan; orphan = next) {
        char key[HF_FILE_KEY_SIZE];
        next = LIST_NEXT(orphan, all);
        if (!is_old(orphan, now_s, keep_s))
            continue;
        hf_file_key(source->source.config.name, &orphan->position.id, key);
        if (hf_unit_set_state(&unit, key, hf_slice(NULL, 0)) != HF_OK)
            return;
        hf_orphan_remove(source, orphan);
        if (hf_unit_is_large(&unit))
            break; /* the next scan goes on */
    }
    hf_unit_commit(&unit);
}

/* ---- the steps ---- */

struct hf_search *
hf_search_new(struct hf_file_source *source)
{
    struct hf_search *search = hf_alloc(sizeof(*search));
    struct hf_lost_folder *folder;
    struct hf_orphan *orphan;
    *search = (struct hf_search){ .source = source, .in.fd = -1 };
    for (folder = hf_lost_folders(source); folder; folder = LIST_NEXT(folder, all)) {
        hf_strings_add(&search->folders, folder->path);
        for (orphan = LIST_FIRST(&folder->missed); orphan; orphan = LIST_NEXT(orphan, missed)) {
            orphan->present = false;
            orphan->looked_for = true; /* those that come while we look may stand behind us */
        }
    }
    return search;
}

bool
hf_search_step(struct hf_search *search)
{
    if (search->in.path)
        hf_thread_doing(search->source->source.thread, search->in.path);
    if (search->in.stream) {
        next_name(search);
    } else if (search->in.path && search->in.next_to_read < search->in.to_read.count &&
               search->in.status == HF_OK) {
        read_next(search);
    } else if (search->in.path && report_missed(search)) {
        return true;
    } else if (search->next_folder < search->folders.count) {
        hf_strings_done(&search->in.to_read);
        search->in.next_to_read = 0;
        go_in(search, search->folders.items[search->next_folder++]);
    } else {
        forget_old(search->source);
        return false;
    }
    return true;
}

void
hf_search_free(struct hf_search *search)
{
    if (!search)
        return;
    close_stream(search);
    hf_strings_done(&search->in.to_read);
    hf_strings_done(&search->folders);
    hf_freep(&search);
}

/* ---- files that came and went before they could be opened ---- */

void
hf_file_report_vanished(struct hf_file_source *source)
{
    struct hf_unit unit;
    uint64_t now_ms = hf_boot_ms();
    if (source->noted.vanished.count == 0)
        return;
    if (!source->noted.vanished_ms)
        source->noted.vanished_ms = now_ms;
    /* Those that went together are told together. */
    if (source->watch && hf_watch_waiting(source->watch) > 0 &&
        now_ms - source->noted.vanished_ms < TOGETHER_MS)
        return;
    if (hf_unit_begin(&unit, &source->source) != HF_OK ||
        hf_unit_gap_merged(&unit, &source->noted.vanished, "gone before it could be opened") !=
            HF_OK)
        return;
    hf_unit_commit(&unit);
    hf_merged_done(&source->noted.vanished);
    source->noted.vanished_ms = 0;
}
