/* The scan: who is new, who was renamed, whose name is gone.
 *
 *   what inotify tells ─▶ names ─▶ what it told meanwhile ─▶ those that were not seen ─▶ new files
 *          ▲                                                                             │
 *   IDLE ──┘      IDLE ◀── its end ◀── folders that files are missed in ◀── followed ◀───┘
 *
 * Each step does a bounded part of it, and in between files are read; where there are few files it is
 * one step. A name costs one look-up. A new file waits for its turn until a descriptor is free. */
#include "agent/intake/file/scan.h"
#include "agent/intake/file/looking.h"
#include "agent/intake/file/orphans.h"
#include "agent/intake/file/sleep.h"
#include "agent/intake/thread.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

/* What a step may do, and what its parts cost. */
#define STEP_COST  512
#define STEP_MS    5 /* and no more than this, whatever it did */
#define COST_NAME  1
#define COST_OPEN  8
#define COST_TOLD  64 /* a buffer of inotify's */
#define COST_QUIET 256

#define GIVE_UP_MS    1000  /* waits for a descriptor; the next scan goes on */
#define DRAIN_WAIT_MS 10000 /* the same, where a drain waits for it */

enum phase {
    IDLE,
    TOLD,
    NAMES,
    TOLD_AGAIN,
    UNSEEN,
    ASLEEP,
    NEW_FILES,
    FOLLOWED,
    FOLDERS,
    QUIET,
    LAST
};

struct hf_scan {
    enum phase phase;
    struct hf_walk *walk;
    struct hf_found found;
    size_t told;                 /* bytes that inotify had to say */
    struct hf_strings new_paths; /* to be opened */
    size_t next;                 /* of these */
    uint64_t waits_since_ms;     /* for a descriptor; 0: it does not */
    bool waits;                  /* this step came to nothing by that */
    bool gave_up;                /* none was given back for long */
    struct hf_search *search;    /* gone.c: the folder that is looked through */
    uint64_t drain;              /* the newest that was asked for before it began; 0: none */
};

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

/* ---- names ---- */

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
add_new(struct hf_file_source *source, const char *path)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_strings *new_paths = &source->scan->new_paths;
    if (source->file_count + hf_sleepers_count(source) + new_paths->count < HF_FOLLOWED_MAX) {
        hf_strings_add(new_paths, path);
        return;
    }
    hf_fail(&err, HF_ELIMIT, "more than %d files match; split the source, or exclude some",
            HF_FOLLOWED_MAX);
    hf_file_scan_problem(source, &err);
    hf_file_wait_for_turn(source, path, &err);
}

static void
see_name(struct hf_file_source *source, const struct hf_found_name *name)
{
    struct hf_file_id id = hf_file_id_of(&name->who);
    struct hf_file *file = hf_file_by_id(source, &id);
    if (file)
        see_file(file, name->path, name->who.size);
    else if (!hf_sleeper_see(source, name))
        add_new(source, name->path);
}

static void
see_names(struct hf_file_source *source)
{
    struct hf_scan *scan = source->scan;
    struct hf_found *found = &scan->found;
    watch_all(source, &found->folders);
    for (size_t i = 0; i < found->count; i++) {
        source->look.last.sparse += hf_is_sparse(&found->names[i].who);
        see_name(source, &found->names[i]);
    }
    for (size_t i = 0; i < found->others.count; i++)
        hf_note(&source->noted.others, found->others.items[i], source->scans);
    for (size_t i = 0; i < found->unknown.count; i++) {
        hf_file_unread_add(source, found->unknown.items[i], found->problem.text);
        if (!hf_note(&source->noted.unknown, found->unknown.items[i], source->scans))
            source->noted.all_unknown = true;
    }
    hf_found_clear(found);
}

static void
note_look(struct hf_file_source *source)
{
    struct hf_found *found = &source->scan->found;
    if (found->problem.status != HF_OK)
        hf_file_scan_problem(source, &found->problem);
    source->look.last.matched = found->matched;
    source->look.last.unread += found->unknown_count;
    source->look.last.others = found->others_count;
    hf_others_text(found, source->look.last.others_text);
    hf_found_done(found);
    hf_walk_free(hf_take(source->scan->walk));
}

/* ---- those that were not seen: what could not be looked at says nothing about them ---- */

static void
lose_unseen(struct hf_file_source *source)
{
    struct hf_file *file;
    for (file = LIST_FIRST(&source->files); file; file = LIST_NEXT(file, all))
        if (!is_seen(file) && file->name == HF_NAME_OURS &&
            !hf_is_unknown(source, file->path.text) &&
            !(file->real_path.text && hf_is_unknown(source, file->real_path.text)))
            hf_file_name(file, HF_NAME_GONE, NULL);
}

/* ---- opening ---- */

/* Files that were renamed between two scans: out of the pattern they are read all the same, and
 * their last line is whole. */
static void
open_followed(struct hf_file_source *source, struct hf_followed *followed)
{
    struct hf_file *file = followed->opened ? NULL : hf_file_open(source, followed->path);
    if (!file)
        return;
    followed->opened = true;
    hf_file_set_moved(file, true);
    if (!is_seen(file) && file->name == HF_NAME_OURS)
        hf_file_name(file, HF_NAME_GONE, NULL);
}

static bool
step_followed(struct hf_file_source *source, uint64_t *cost)
{
    struct hf_followed *followed = TAILQ_FIRST(&source->followed);
    if (!followed || followed->seen_by == source->scans) {
        hf_followed_forget(source);
        return false;
    }
    *cost += COST_OPEN;
    followed->seen_by = source->scans;
    TAILQ_REMOVE(&source->followed, followed, entry);
    TAILQ_INSERT_TAIL(&source->followed, followed, entry);
    open_followed(source, followed);
    return true;
}

/* ---- names that inotify told of, while the next scan has to wait ---- */

static void
open_told(struct hf_file_source *source, const struct hf_found_name *name)
{
    struct hf_file_id id = hf_file_id_of(&name->who);
    struct hf_file *file = hf_file_by_id(source, &id);
    if (file && !hf_slice_is(hf_slice_text(name->path), file->path.text))
        return; /* another name of it, or renamed: the scan tells */
    if (!file && !hf_sleeper_see(source, name))
        file = hf_file_open(source, name->path);
    if (file)
        file->seen_by = source->scans;
}

static void
look_at_told(struct hf_file_source *source, const char *path)
{
    struct hf_found_name name = { .path = (char *)path };
    bool linked;
    struct hf_table_link *link = hf_table_find(&source->by.followed, hf_slice_text(path));
    hf_thread_doing(source->source.thread, path);
    if (link)
        open_followed(source, hf_container_of(link, struct hf_followed, link));
    else if (hf_found_matches(&source->source.config, path) &&
             hf_found_look(source->trust, -1, NULL, path, &name.who, &linked, NULL) == HF_OK &&
             S_ISREG(name.who.mode) && hf_file_has_room(source))
        open_told(source, &name);
}

bool
hf_scan_look_at_told(struct hf_file_source *source)
{
    uint64_t until_ms = hf_boot_ms() + STEP_MS;
    for (size_t cost = 0; source->noted.told_next < source->noted.told.count && cost < STEP_COST &&
                          hf_boot_ms() <= until_ms;
         cost += COST_OPEN)
        look_at_told(source, source->noted.told.items[source->noted.told_next++]);
    if (source->noted.told_next < source->noted.told.count)
        return true;
    hf_strings_done(&source->noted.told);
    source->noted.told_next = 0;
    return false;
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

/* ---- its steps ---- */

static void
begin(struct hf_file_source *source)
{
    struct hf_scan *scan = source->scan;
    hf_problem_set(source->problem.scan, source->problem.watch);
    source->problem.scan_class = source->problem.watch_class;
    source->scans++;
    source->look.last = (struct hf_source_look){ .matched = 0 };
    hf_merged_done(&source->unread.names);
    source->noted.all_unknown = false;
    scan->drain = source->drain.due ? source->drain.number : 0;
    source->timers.scan_is_on = true;
    source->timers.scan_cost = 0;
    scan->walk =
        hf_walk_new(&source->source.config, source->trust, source->source.thread, &scan->found);
    scan->told = source->watch ? hf_watch_waiting(source->watch) : 0;
}

/* Renames are followed from what was known before. true: there is more. */
static bool
step_told(struct hf_file_source *source, uint64_t *cost)
{
    *cost += COST_TOLD * (source->scan->told > 0);
    return source->watch && hf_watch_read_some(source->watch, &source->scan->told);
}

static bool
step_names(struct hf_file_source *source, uint64_t *cost)
{
    bool more = hf_walk_step(source->scan->walk);
    *cost += COST_NAME;
    see_names(source);
    if (more)
        return true;
    note_look(source);
    source->scan->told = source->watch ? hf_watch_waiting(source->watch) : 0;
    return false;
}

/* Where none is given back for long they are opened all the same: by the budget of their owners, who
 * then are refused and named, or by what is kept back. */
static bool
waits_for_turn(struct hf_file_source *source)
{
    struct hf_scan *scan = source->scan;
    uint64_t now_ms = hf_boot_ms();
    if (scan->gave_up || hf_replaced_find(source, scan->new_paths.items[scan->next]))
        return false;
    if (hf_file_has_room(source)) {
        scan->waits_since_ms = 0;
        return false;
    }
    if (!scan->waits_since_ms)
        scan->waits_since_ms = now_ms;
    scan->waits = now_ms - scan->waits_since_ms < (scan->drain ? DRAIN_WAIT_MS : GIVE_UP_MS);
    scan->gave_up = !scan->waits;
    return scan->waits;
}

static bool
step_new_files(struct hf_file_source *source, uint64_t *cost)
{
    struct hf_scan *scan = source->scan;
    if (scan->next < scan->new_paths.count) {
        if (waits_for_turn(source))
            return true;
        *cost += COST_OPEN;
        struct hf_file *file = hf_file_open(source, scan->new_paths.items[scan->next++]);
        if (file)
            file->seen_by = source->scans;
        return true;
    }
    hf_strings_done(&scan->new_paths);
    scan->next = 0;
    scan->waits_since_ms = 0;
    scan->gave_up = false;
    return false;
}

static bool
step_folders(struct hf_file_source *source, uint64_t *cost)
{
    *cost += COST_NAME;
    if (!source->started)
        return false;
    if (!source->scan->search)
        source->scan->search = hf_search_new(source);
    if (hf_search_step(source->scan->search))
        return true;
    hf_search_free(hf_take(source->scan->search));
    return false;
}

static void
end(struct hf_file_source *source)
{
    struct hf_file *file;
    hf_notes_sweep(&source->noted.others, source->scans);
    hf_notes_sweep(&source->noted.written, source->scans);
    hf_notes_sweep(&source->noted.unknown, source->scans);
    for (file = LIST_FIRST(&source->files); file; file = LIST_NEXT(file, all)) {
        hf_file_set_failed(file, false);
        hf_file_ready(file);
        judge_held(file);
    }
    hf_file_tick_soon(source);
    judge_pattern(source);
    tell_problem(source);
}

/* false: this phase is over. */
static bool
step(struct hf_file_source *source, uint64_t *cost)
{
    switch (source->scan->phase) {
    case TOLD:
    case TOLD_AGAIN: return step_told(source, cost);
    case NAMES: return step_names(source, cost);
    case UNSEEN: lose_unseen(source); return false;
    case ASLEEP: *cost += COST_NAME; return hf_sleepers_lose_unseen(source);
    case NEW_FILES: return step_new_files(source, cost);
    case FOLLOWED: return step_followed(source, cost);
    case FOLDERS: return step_folders(source, cost);
    case QUIET: *cost += COST_QUIET; return hf_sleep_quiet(source);
    case LAST: end(source); return false;
    case IDLE: break;
    }
    return false;
}

uint64_t
hf_scan_drain(const struct hf_file_source *source)
{
    return source->scan->drain;
}

enum hf_scan_step
hf_scan_step(struct hf_file_source *source)
{
    struct hf_scan *scan = source->scan;
    uint64_t cost = 0, until_ms = hf_boot_ms() + STEP_MS;
    if (scan->phase == IDLE) {
        begin(source);
        scan->phase = TOLD;
    }
    scan->waits = false;
    while (scan->phase != IDLE && cost < STEP_COST && !scan->waits && hf_boot_ms() <= until_ms)
        if (!step(source, &cost))
            scan->phase = scan->phase == LAST ? IDLE : scan->phase + 1;
    source->timers.scan_cost += cost;
    source->timers.scan_is_on = scan->phase != IDLE;
    return scan->phase == IDLE ? HF_SCAN_ENDED : scan->waits ? HF_SCAN_WAITS : HF_SCAN_MORE;
}

void
hf_scan_init(struct hf_file_source *source)
{
    source->scan = hf_alloc(sizeof(*source->scan));
}

void
hf_scan_done(struct hf_file_source *source)
{
    struct hf_scan *scan = source->scan;
    if (!scan)
        return;
    hf_walk_free(scan->walk);
    hf_found_done(&scan->found);
    hf_search_free(scan->search);
    hf_strings_done(&scan->new_paths);
    hf_freep(&source->scan);
}
