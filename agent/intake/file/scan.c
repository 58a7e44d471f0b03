/* The scan: who is new, who was renamed, whose name is gone. Each name that is found costs one
 * look-up; a next one goes on from nothing but the directories, so that a scan may some day end
 * early and go on where it left off. */
#include "agent/intake/file/looking.h"
#include "agent/intake/file/orphans.h"
#include "agent/intake/thread.h"

#include <stdio.h>
#include <string.h>

static void
watch_all(struct hf_file_source *source, const struct hf_strings *directories)
{
    for (size_t i = 0; source->watch && i < directories->count; i++) {
        struct hf_error err = { .status = HF_OK };
        enum hf_status status = hf_watch_directory(source->watch, directories->items[i], &err);
        if (status == HF_OK || status == HF_ENOTFOUND)
            continue;
        hf_watch_free(hf_take(source->watch));
        snprintf(source->problem.watch, sizeof(source->problem.watch), "%.150s; polling instead",
                 err.text);
        source->problem.watch_class = source->problem.scan_class = status;
        hf_problem_set(source->problem.scan, source->problem.watch);
    }
}

static bool
is_seen(const struct hf_file *file)
{
    return file->seen_by == file->source->scans;
}

/* A known file is seen at `path`. */
static void
see_file(struct hf_file *file, const char *path, uint64_t size)
{
    hf_file_set_size(file, size);
    if (is_seen(file)) { /* a second name of it */
        hf_note(&file->source->noted.others, path, file->source->scans);
        return;
    }
    file->seen_by = file->source->scans;
    hf_file_name(file, HF_NAME_OURS, path);
}

static void
see_name(struct hf_file_source *source, const struct hf_found_name *name,
         struct hf_strings *new_paths)
{
    struct hf_file_id id = hf_file_id_of(&name->who);
    struct hf_file *file = hf_file_by_id(source, &id);
    if (file)
        see_file(file, name->path, name->who.size);
    else
        hf_strings_add(new_paths, name->path);
}

/* ---- what could not be looked at says nothing about the files that stand there ---- */

static bool
lies_below(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && (path[size] == '/' || path[size] == '\0');
}

static bool
is_unknown(const struct hf_file *file, const struct hf_strings *unknown)
{
    for (size_t i = 0; i < unknown->count; i++)
        if (lies_below(file->path.text, unknown->items[i]) ||
            (file->real_path.text && lies_below(file->real_path.text, unknown->items[i])))
            return true;
    return false;
}

static void
lose_unseen(struct hf_file_source *source, const struct hf_strings *unknown)
{
    struct hf_file *file;
    for (file = LIST_FIRST(&source->files); file; file = LIST_NEXT(file, all))
        if (!is_seen(file) && file->name == HF_NAME_OURS && !is_unknown(file, unknown))
            hf_file_name(file, HF_NAME_GONE, NULL);
}

/* Files that were renamed between two scans: out of the pattern they are read all the same, and
 * their last line is whole. */
static void
open_followed(struct hf_file_source *source)
{
    struct hf_followed *followed;
    for (followed = TAILQ_FIRST(&source->followed); followed;
         followed = TAILQ_NEXT(followed, entry)) {
        struct hf_file *file = followed->opened ? NULL : hf_file_open(source, followed->path);
        if (!file)
            continue;
        followed->opened = true;
        hf_file_set_moved(file, true);
        if (!is_seen(file) && file->name == HF_NAME_OURS)
            hf_file_name(file, HF_NAME_GONE, NULL);
    }
    hf_followed_forget(source);
}

/* Once, not at every scan. */
static void
tell_problem(struct hf_file_source *source)
{
    if (strcmp(source->problem.told, source->problem.scan) == 0)
        return;
    hf_problem_set(source->problem.told, source->problem.scan);
    if (source->problem.scan[0]) {
        pthread_mutex_lock(&source->source.lock);
        source->source.counters.problems[source->problem.scan_class]++;
        pthread_mutex_unlock(&source->source.lock);
        hf_log_warn("source.problem", HF_STR("source", source->source.config.name),
                    HF_STR("error", source->problem.scan));
    } else {
        hf_log_info("source.well", HF_STR("source", source->source.config.name));
    }
}

static void
note_others(struct hf_file_source *source, const struct hf_found *found)
{
    for (size_t i = 0; i < found->others.count; i++)
        hf_note(&source->noted.others, found->others.items[i], source->scans);
}

static void
note_look(struct hf_file_source *source, const struct hf_found *found)
{
    source->look.last = (struct hf_source_look){ .matched = found->count,
                                                 .unread = found->unknown.count,
                                                 .others = found->others.count };
    hf_others_text(found, source->look.last.others_text);
    for (size_t i = 0; i < found->unknown.count; i++)
        hf_file_unread_add(source, found->unknown.items[i], found->problem.text);
    for (size_t i = 0; i < found->count; i++)
        source->look.last.sparse += hf_is_sparse(&found->names[i].who);
}

static void
look_at_names(struct hf_file_source *source, struct hf_strings *new_paths)
{
    struct hf_found found;
    hf_found_paths(&source->source.config, source->trust, source->source.thread, &found);
    watch_all(source, &found.folders);
    if (found.problem.status != HF_OK)
        hf_file_scan_problem(source, &found.problem);
    note_look(source, &found);
    for (size_t i = 0; i < found.count; i++)
        see_name(source, &found.names[i], new_paths);
    note_others(source, &found);
    lose_unseen(source, &found.unknown);
    hf_found_done(&found);
}

/* What the operator wrote means nothing that can be read. */
static void
judge_pattern(struct hf_file_source *source)
{
    struct hf_error err = { .status = HF_OK };
    const struct hf_config_source *config = &source->source.config;
    uint64_t now_ms = hf_boot_ms();
    if (!source->look.first_ms)
        source->look.first_ms = now_ms;
    source->look.matched_ever = source->look.matched_ever || source->look.last.matched > 0 ||
                                source->file_count > 0 || hf_orphans_first(source);
    if (hf_is_plain_path(config->path) && source->look.last.others > 0)
        hf_fail(&err, HF_EREFUSED, "%.170s", source->look.last.others_text);
    else if (!source->look.matched_ever && !config->may_be_empty && !source->problem.scan[0] &&
             now_ms - source->look.first_ms >= source->source.timing.unmatched_ms)
        hf_fail(&err, HF_ENOTFOUND,
                "nothing has ever matched '%.80s'; mend the path, or write may_be_empty: true",
                config->path);
    if (err.status != HF_OK)
        hf_file_scan_problem(source, &err);
}

static void
judge_held(const struct hf_file *file)
{
    struct hf_error err = { .status = HF_OK };
    uint64_t held_ms = file->since.held_ms ? hf_boot_ms() - file->since.held_ms : 0;
    if (held_ms == 0 || held_ms < file->source->source.timing.held_ms)
        return;
    hf_fail(&err, HF_ELIMIT, "'%.120s' waits for %llu s: it may be a copy of a file that is read",
            file->path.text, (unsigned long long)(held_ms / 1000));
    hf_file_scan_problem(file->source, &err);
}

void
hf_file_scan(struct hf_file_source *source)
{
    struct hf_strings new_paths = { NULL, 0 };
    struct hf_file *file;
    hf_problem_set(source->problem.scan, source->problem.watch);
    source->problem.scan_class = source->problem.watch_class;
    if (source->watch)
        hf_watch_read(source->watch); /* renames are followed from what was known before */
    source->scans++;
    hf_merged_done(&source->unread.names);
    look_at_names(source, &new_paths);
    for (size_t i = 0; i < new_paths.count; i++) {
        file = hf_file_open(source, new_paths.items[i]);
        if (file)
            file->seen_by = source->scans;
    }
    open_followed(source);
    hf_strings_done(&new_paths);
    hf_notes_sweep(&source->noted.others, source->scans);
    hf_notes_sweep(&source->noted.written, source->scans);
    for (file = LIST_FIRST(&source->files); file; file = LIST_NEXT(file, all)) {
        hf_file_set_failed(file, false);
        hf_file_ready(file);
        judge_held(file);
    }
    hf_file_tick_soon(source);
    judge_pattern(source);
    tell_problem(source);
}
