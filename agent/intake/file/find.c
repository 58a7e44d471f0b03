/* Finding the files of a pattern, and the folders in which a new one could appear. Folders are opened
 * as strangers' are: no link of theirs is followed on the way, and names are looked at in the folder
 * that was opened, not by their path. */
#include "agent/intake/file/looking.h"
#include "agent/intake/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FOLDERS_MAX 16384 /* looked through at once: a stranger's can go as deep as he likes */

void
hf_found_done(struct hf_found *found)
{
    for (size_t i = 0; i < found->count; i++)
        hf_freep(&found->names[i].path);
    hf_freep(&found->names);
    hf_strings_done(&found->folders);
    hf_strings_done(&found->unknown);
    hf_strings_done(&found->others);
    found->count = found->room = 0;
}

struct walk {
    const struct hf_config_source *config;
    struct hf_fs_trust trust;
    struct hf_thread *thread; /* is told where we look */
    struct hf_found *found;
    size_t folders;
};

static void walk(struct walk *w, const char *folder, const char *rest);

/* ---- what stands under a name ---- */

static void
add_name(struct hf_found *found, const char *path, const struct hf_fs_identity *who)
{
    if (found->count == found->room) {
        found->room = HF_MAX(2 * found->room, (size_t)16);
        found->names = hf_realloc(found->names, found->room * sizeof(*found->names));
    }
    found->names[found->count++] = (struct hf_found_name){ .path = hf_strdup(path), .who = *who };
}

static enum hf_other_kind
kind_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFIFO: return HF_OTHER_FIFO;
    case S_IFDIR: return HF_OTHER_FOLDER;
    case S_IFSOCK: return HF_OTHER_SOCKET;
    default: return HF_OTHER_DEVICE;
    }
}

static void
add_other(struct hf_found *found, const char *path, enum hf_other_kind kind)
{
    found->other_counts[kind]++;
    if (found->others.count == 0)
        found->first_other = kind;
    hf_strings_add(&found->others, path);
}

/* Nothing is said about it by that. */
static void
add_unknown(struct hf_found *found, const char *path, const struct hf_error *err)
{
    if (found->problem.status == HF_OK)
        found->problem = *err;
    hf_strings_add(&found->unknown, path);
}

static enum hf_status
look_behind_link(struct hf_fs_trust trust, const char *path, struct hf_fs_identity *ret_who,
                 struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    struct hf_error failed = { .status = HF_OK };
    enum hf_status status = hf_fs_open_trusted(path, O_PATH, &trust, &fd, NULL, &failed);
    if (failed.sys_errno == ELOOP)
        return HF_ENOTFOUND; /* links of trusted users that lead around in a circle */
    if (status == HF_OK)
        return hf_fs_identify(fd, NULL, ret_who, err);
    if (err)
        *err = failed;
    return status;
}

enum hf_status
hf_found_look(struct hf_fs_trust trust, int folder, const char *name, const char *path,
              struct hf_fs_identity *ret_who, bool *ret_linked, struct hf_error *err)
{
    enum hf_status status = HF_OK;
    if (folder >= 0)
        status = hf_fs_identify_at(folder, name, ret_who, err);
    *ret_linked = folder >= 0 && status == HF_OK && S_ISLNK(ret_who->mode);
    return folder < 0 || *ret_linked ? look_behind_link(trust, path, ret_who, err) : status;
}

static void
look_at(const struct walk *w, int folder, const char *name, const char *path)
{
    struct hf_fs_identity who = { .mode = 0 };
    struct hf_error err = { .status = HF_OK };
    bool linked;
    if (hf_found_excludes(w->config, path))
        return;
    if (w->thread)
        hf_thread_doing(w->thread, path);
    enum hf_status status = hf_found_look(w->trust, folder, name, path, &who, &linked, &err);
    if (status == HF_EREFUSED)
        add_other(w->found, path, HF_OTHER_REFUSED);
    else if (status == HF_ENOTFOUND && linked)
        add_other(w->found, path, HF_OTHER_DANGLING);
    else if (status == HF_OK && S_ISREG(who.mode))
        add_name(w->found, path, &who);
    else if (status == HF_OK)
        add_other(w->found, path, kind_of(who.mode));
    else if (status != HF_ENOTFOUND)
        add_unknown(w->found, path, &err);
}

/* ---- the way to it ---- */

struct level {
    const char *folder, *pattern;
    const char *rest; /* behind it; "": it is the last */
    int fd;
};

static void
enter(struct walk *w, const struct level *level, const char *name, const char *path)
{
    struct hf_fs_identity who;
    bool last = *level->rest == '\0';
    if (!hf_pattern_is_globstar(level->pattern)) {
        if (hf_pattern_takes(level->pattern, name) && last)
            look_at(w, level->fd, name, path);
        else if (hf_pattern_takes(level->pattern, name))
            walk(w, path, level->rest);
        return;
    }
    if (name[0] == '.')
        return;
    /* Globstar goes into folders, not over links. */
    bool folder = hf_fs_identify_at(level->fd, name, &who, NULL) == HF_OK && S_ISDIR(who.mode);
    if (!folder && last)
        look_at(w, level->fd, name, path);
    if (folder) {
        hf_owned(hf_freep) char *again = hf_asprintf("**/%s", level->rest);
        walk(w, path, again);
    }
}

static void
go_through(struct walk *w, const struct level *level)
{
    struct hf_error err = { .status = HF_OK };
    char **names, path[HF_PATH_MAX];
    size_t count;
    enum hf_status status =
        hf_fs_list_at(level->fd, level->folder, HF_NAMES_MAX, &names, &count, &err);
    if (status != HF_OK) {
        add_unknown(w->found, level->folder, &err);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (strlen(level->folder) + 1 + strlen(names[i]) >= sizeof(path))
            continue;
        hf_path_join(path, sizeof(path), level->folder, names[i]);
        enter(w, level, names[i], path);
    }
    hf_fs_names_free(names, count);
}

static void
walk_names(struct walk *w, const char *folder, const char *pattern, const char *rest)
{
    struct hf_error err = { .status = HF_OK };
    hf_owned(hf_fs_close) int fd = -1;
    if (w->thread)
        hf_thread_doing(w->thread, folder);
    if (++w->folders > FOLDERS_MAX) {
        hf_fail(&err, HF_ELIMIT, "more than %d folders to look through; use a narrower path",
                FOLDERS_MAX);
        add_unknown(w->found, folder, &err);
        return;
    }
    enum hf_status status =
        hf_fs_open_trusted(folder, O_RDONLY | O_DIRECTORY, &w->trust, &fd, NULL, &err);
    if (status == HF_EREFUSED)
        add_other(w->found, folder, HF_OTHER_REFUSED);
    else if (status != HF_OK && status != HF_ENOTFOUND)
        add_unknown(w->found, folder, &err);
    if (status != HF_OK)
        return;
    hf_strings_add(&w->found->folders, folder);
    if (hf_pattern_is_globstar(pattern) && *rest)
        walk(w, folder, rest);
    go_through(w, &(struct level){ folder, pattern, rest, fd });
}

/* `rest` is what is left of the pattern behind `folder`. */
static void
walk(struct walk *w, const char *folder, const char *rest)
{
    char name[HF_PATH_MAX], path[HF_PATH_MAX];
    if (!hf_pattern_next(&rest, name))
        return;
    if (hf_pattern_is(name)) {
        walk_names(w, folder, name, rest);
        return;
    }
    if (strlen(folder) + 1 + strlen(name) >= sizeof(path))
        return;
    hf_path_join(path, sizeof(path), folder, name);
    if (*rest) {
        walk(w, path, rest);
        return;
    }
    hf_strings_add(&w->found->folders, folder);
    look_at(w, -1, name, path);
}

void
hf_found_paths(const struct hf_config_source *config, struct hf_fs_trust trust,
               struct hf_thread *thread, struct hf_found *ret_found)
{
    *ret_found = (struct hf_found){ .problem = { .status = HF_OK } };
    struct walk w = { .config = config, .trust = trust, .thread = thread, .found = ret_found };
    walk(&w, "/", config->path);
}
