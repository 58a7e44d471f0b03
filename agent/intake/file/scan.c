/* Finding the files of a pattern: glob(3)'s rules, over base's directory listing, and remembering
 * which directories a new file could appear in. Then: who is new, who was renamed, whose name is
 * gone. */
#include "agent/intake/file/file_impl.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#define NAMES_MAX 100000 /* in one directory */

void
hf_strings_add(struct hf_strings *strings, const char *text)
{
    strings->items = hf_realloc(strings->items, (strings->count + 1) * sizeof(char *));
    strings->items[strings->count++] = hf_strdup(text);
}

void
hf_paths_done(struct hf_strings *strings)
{
    for (size_t i = 0; i < strings->count; i++)
        hf_freep(&strings->items[i]);
    hf_freep(&strings->items);
    strings->count = 0;
}

void
hf_found_done(struct hf_found *found)
{
    hf_paths_done(&found->paths);
    hf_paths_done(&found->directories);
}

static bool
is_excluded(const struct hf_config_source *config, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < config->exclude.count; i++) {
        const char *pattern = config->exclude.items[i];
        if (fnmatch(pattern, strchr(pattern, '/') ? path : name, 0) == 0)
            return true;
    }
    return false;
}

bool
hf_found_matches(const struct hf_config_source *config, const char *path)
{
    return fnmatch(config->path, path, FNM_PATHNAME | FNM_PERIOD) == 0 &&
           !is_excluded(config, path);
}

static bool
is_pattern(const char *text)
{
    return strpbrk(text, "*?[\\") != NULL;
}

struct walk {
    const struct hf_config_source *config;
    struct hf_found *found;
};

static void walk(const struct walk *w, const char *directory, const char *rest);

static void
walk_into(const struct walk *w, const char *directory, const char *name, const char *rest)
{
    char path[HF_PATH_MAX];
    if (strlen(directory) + 1 + strlen(name) >= sizeof(path))
        return;
    hf_path_join(path, sizeof(path), directory, name);
    if (rest)
        walk(w, path, rest);
    else if (!is_excluded(w->config, path))
        hf_strings_add(&w->found->paths, path);
}

static void
walk_names(const struct walk *w, const char *directory, const char *pattern, const char *rest)
{
    struct hf_error err = { .status = HF_OK };
    char **names;
    size_t count;
    enum hf_status status = hf_fs_list(directory, NAMES_MAX, &names, &count, &err);
    if (status != HF_OK) {
        if (status != HF_ENOTFOUND && w->found->problem.status == HF_OK)
            w->found->problem = err;
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (fnmatch(pattern, names[i], FNM_PERIOD) == 0)
            walk_into(w, directory, names[i], rest);
    hf_fs_names_free(names, count);
}

/* `rest` is what is left of the pattern behind `directory`. */
static void
walk(const struct walk *w, const char *directory, const char *rest)
{
    char component[HF_PATH_MAX];
    while (*rest == '/')
        rest++;
    size_t size = strcspn(rest, "/");
    if (size == 0 || size >= sizeof(component))
        return;
    memcpy(component, rest, size);
    component[size] = '\0';
    rest = rest[size] ? rest + size : NULL;

    if (!rest || is_pattern(component))
        hf_strings_add(&w->found->directories, directory);
    if (is_pattern(component))
        walk_names(w, directory, component, rest);
    else
        walk_into(w, directory, component, rest);
}

void
hf_found_paths(const struct hf_config_source *config, struct hf_found *ret_found)
{
    *ret_found = (struct hf_found){ .problem = { .status = HF_OK } };
    walk(&(struct walk){ .config = config, .found = ret_found }, "/", config->path);
}

/* ---- the scan ---- */

static void
watch_all(struct hf_file_source *source, const struct hf_strings *directories)
{
    for (size_t i = 0; source->watch && i < directories->count; i++) {
        struct hf_error err = { .status = HF_OK };
        enum hf_status status = hf_watch_directory(source->watch, directories->items[i], &err);
        if (status == HF_OK || status == HF_ENOTFOUND)
            continue;
        hf_watch_free(hf_take(source->watch));
        snprintf(source->watch_problem, sizeof(source->watch_problem), "%.150s; polling instead",
                 err.text);
        source->watch_class = source->scan_class = status;
        hf_problem_set(source->scan_problem, source->watch_problem);
    }
}

/* A known file is seen at `path`. */
static void
see_file(struct hf_file *file, const char *path)
{
    if (file->seen)
        return; /* a second link to it */
    file->seen = true;
    file->ending = file->nameless = false;
    if (strcmp(file->path, path) == 0)
        return;
    hf_freep(&file->path);
    file->path = hf_strdup(path);
    file->moved = true;
    file->quiet_since_ms = hf_boot_ms();
}

static void
see_path(struct hf_file_source *source, const char *path, struct hf_strings *new_paths)
{
    struct hf_fs_identity who;
    struct hf_error err = { .status = HF_OK };
    enum hf_status status = hf_fs_identify(-1, path, &who, &err);
    if (status != HF_OK) {
        if (status != HF_ENOTFOUND)
            hf_file_scan_problem(source, &err);
        return;
    }
    if (!S_ISREG(who.mode))
        return;
    struct hf_file *file = hf_file_by_id(
        source, &(struct hf_file_id){ .dev = who.dev, .ino = who.ino, .birth_ns = who.birth_ns });
    if (file)
        see_file(file, path);
    else
        hf_strings_add(new_paths, path);
}

/* Files that were renamed between two scans: out of the pattern they are read all the same, and
 * their last line is whole. */
static void
open_followed(struct hf_file_source *source)
{
    for (size_t i = 0; i < source->followed.count; i++) {
        struct hf_file *file = hf_file_open(source, source->followed.items[i]);
        if (!file)
            continue;
        file->moved = true;
        file->ending |= !file->seen;
    }
    hf_paths_done(&source->followed);
}

/* Once, not at every scan. */
static void
tell_problem(struct hf_file_source *source)
{
    if (strcmp(source->told_problem, source->scan_problem) == 0)
        return;
    hf_problem_set(source->told_problem, source->scan_problem);
    if (source->scan_problem[0]) {
        source->source.problems[source->scan_class]++;
        hf_log_warn("source.problem", HF_STR("source", source->source.config.name),
                    HF_STR("error", source->scan_problem));
    } else {
        hf_log_info("source.well", HF_STR("source", source->source.config.name));
    }
}

void
hf_file_scan(struct hf_file_source *source)
{
    struct hf_found found;
    struct hf_strings new_paths = { NULL, 0 };
    hf_problem_set(source->scan_problem, source->watch_problem);
    source->scan_class = source->watch_class;
    if (source->watch)
        hf_watch_read(source->watch); /* renames are followed from what was known before */
    for (struct hf_file *file = source->files; file; file = file->next)
        file->seen = false;
    hf_found_paths(&source->source.config, &found);
    watch_all(source, &found.directories);
    if (found.problem.status != HF_OK)
        hf_file_scan_problem(source, &found.problem);
    for (size_t i = 0; i < found.paths.count; i++)
        see_path(source, found.paths.items[i], &new_paths);
    for (struct hf_file *file = source->files; file; file = file->next) {
        if (!file->seen && !file->ending) {
            file->ending = true;
            file->quiet_since_ms = hf_boot_ms();
        }
    }
    for (size_t i = 0; i < new_paths.count; i++) {
        struct hf_file *file = hf_file_open(source, new_paths.items[i]);
        if (file)
            file->seen = true;
    }
    open_followed(source);
    hf_paths_done(&new_paths);
    hf_found_done(&found);
    for (struct hf_file *file = source->files; file; file = file->next) {
        file->failed = false;
        hf_file_ready(file);
    }
    hf_file_tick_soon(source);
    tell_problem(source);
}
