/* Looking for the files of orphans.
 *
 * After a restart such a file may still lie in its directory under another name: rotated while
 * nobody looked. Then it is read to its end. One that is nowhere is reported once: what was written
 * to it after the last look is unknown. A directory that is not there at all (not mounted yet) says
 * nothing. */
#include "agent/intake/file/orphans.h"
#include "agent/intake/thread.h"

#include <string.h>

/* ---- under other names ---- */

/* Names in the directory that missing files have now. */
static enum hf_status
find_renamed(struct hf_file_source *source, const char *directory, struct hf_strings *ret_paths)
{
    char **names, path[HF_PATH_MAX];
    size_t count;
    hf_thread_doing(source->source.thread, directory);
    enum hf_status status = hf_fs_list(directory, HF_NAMES_MAX, &names, &count, NULL);
    if (status != HF_OK)
        return status;
    for (size_t n = 0; n < count; n++) {
        struct hf_fs_identity who;
        if (strlen(directory) + 1 + strlen(names[n]) >= sizeof(path))
            continue;
        hf_path_join(path, sizeof(path), directory, names[n]);
        if (hf_fs_identify(-1, path, &who, NULL) != HF_OK || !S_ISREG(who.mode))
            continue;
        struct hf_file_id id = hf_file_id_of(&who);
        struct hf_orphan *orphan = hf_orphan_by_id(source, &id);
        if (!orphan || hf_orphan_is_settled(orphan) || orphan->present)
            continue;
        hf_strings_add(ret_paths, path);
        orphan->present = true;
    }
    hf_fs_names_free(names, count);
    return HF_OK;
}

/* ---- nowhere ---- */

static enum hf_status
report(struct hf_unit *unit, const struct hf_position *position)
{
    hf_owned(hf_buf_done) struct hf_buf value = HF_BUF(2 * HF_PATH_MAX);
    char key[HF_FILE_KEY_SIZE];
    struct hf_position reported = *position;
    reported.reported = true;
    hf_assert(hf_position_encode(&reported, &value) == HF_OK);
    hf_file_key(unit->source->config.name, &position->id, key);
    enum hf_status status = hf_unit_gap(
        unit, position->path, "gone; what was written to it after the last look is unknown",
        position->print.offset, 0);
    return status == HF_OK ? hf_unit_set_state(unit, key, hf_buf_slice(&value)) : status;
}

/* Those that are missed in it; it was just looked through. */
static void
report_missing(struct hf_file_source *source, struct hf_lost_folder *folder)
{
    struct hf_unit unit;
    struct hf_orphan *orphan, *next;
    if (hf_unit_begin(&unit, &source->source) != HF_OK)
        return; /* the next scan tries again */
    for (orphan = LIST_FIRST(&folder->missed); orphan; orphan = LIST_NEXT(orphan, missed))
        if (!orphan->present && report(&unit, &orphan->position) != HF_OK)
            return;
    hf_unit_commit(&unit);
    for (orphan = LIST_FIRST(&folder->missed); orphan; orphan = next) {
        next = LIST_NEXT(orphan, missed);
        if (orphan->present)
            continue;
        orphan->position.reported = true;
        hf_orphan_leave_folder(source, orphan);
    }
}

static bool
misses_any(const struct hf_lost_folder *folder)
{
    const struct hf_orphan *orphan;
    for (orphan = LIST_FIRST(&folder->missed); orphan; orphan = LIST_NEXT(orphan, missed))
        if (!orphan->present)
            return true;
    return false;
}

static void
look_in(struct hf_file_source *source, const char *directory)
{
    struct hf_strings paths = { NULL, 0 };
    if (find_renamed(source, directory, &paths) != HF_OK)
        return;
    for (size_t i = 0; i < paths.count; i++) {
        struct hf_file *file = hf_file_open(source, paths.items[i]);
        if (file && file->name == HF_NAME_OURS)
            hf_file_name(file, HF_NAME_GONE, NULL);
    }
    hf_strings_done(&paths);
    /* It went with its last orphan if all were found. */
    struct hf_lost_folder *folder = hf_lost_folder_find(source, directory);
    if (folder && misses_any(folder))
        report_missing(source, folder);
}

/* ---- forgetting ---- */

static bool
is_old(const struct hf_orphan *orphan, int64_t now_s, int64_t keep_s)
{
    return hf_orphan_is_settled(orphan) && now_s - orphan->position.seen_s > keep_s;
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
    if (hf_orphans_count(source) > HF_ORPHANS_MAX)
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
    }
    hf_unit_commit(&unit);
}

void
hf_orphans_look(struct hf_file_source *source)
{
    struct hf_strings directories = { NULL, 0 };
    struct hf_lost_folder *folder;
    struct hf_orphan *orphan;
    for (folder = hf_lost_folders(source); folder; folder = LIST_NEXT(folder, all)) {
        hf_strings_add(&directories, folder->path);
        for (orphan = LIST_FIRST(&folder->missed); orphan; orphan = LIST_NEXT(orphan, missed))
            orphan->present = false;
    }
    for (size_t d = 0; d < directories.count; d++)
        look_in(source, directories.items[d]);
    hf_strings_done(&directories);
    forget_old(source);
    hf_file_tick_soon(source);
}

/* ---- files that came and went before they could be opened ---- */

void
hf_file_report_vanished(struct hf_file_source *source)
{
    struct hf_unit unit;
    if (source->vanished.count == 0 || hf_unit_begin(&unit, &source->source) != HF_OK ||
        hf_unit_gap_merged(&unit, &source->vanished, "gone before it could be opened") != HF_OK)
        return;
    hf_unit_commit(&unit);
    hf_merged_done(&source->vanished);
}
