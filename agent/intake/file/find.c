/* Finding the files of a pattern, and the folders in which a new one could appear, in steps: one folder
 * after the other, and a part of its names at a time; those that are still to be looked through wait.
 * Folders are opened as strangers' are: no link of theirs is followed on the way, and names are looked
 * at in the folder that was opened, not by their path. */
#include "agent/intake/file/looking.h"
#include "agent/intake/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FOLDERS_MAX 16384 /* looked through at once: a stranger's can go as deep as he likes */
#define PART        1024  /* names of a folder that are read at once, and come sorted */

void
hf_found_clear(struct hf_found *found)
{
    for (size_t i = 0; i < found->count; i++)
        hf_freep(&found->names[i].path);
    found->count = 0;
    hf_strings_done(&found->folders);
    hf_strings_done(&found->unknown);
    hf_strings_done(&found->others);
}

void
hf_found_done(struct hf_found *found)
{
    hf_found_clear(found);
    hf_freep(&found->names);
    hf_freep(&found->first_other_path);
    found->room = 0;
}

struct place { /* to be looked through */
    STAILQ_ENTRY(place) entry;
    char *folder, *rest; /* what is left of the pattern behind it */
};

struct hf_walk {
    const struct hf_config_source *config;
    struct hf_fs_trust trust;
    struct hf_thread *thread; /* is told where we look */
    struct hf_found *found;
    size_t folders;
    STAILQ_HEAD(places, place) places;
    struct { /* the folder that we are in */
        char *folder;
        char pattern[HF_PATH_MAX]; /* of the names in it */
        char *rest;                /* behind that; "": it is the last */
        int fd;
        struct hf_fs_names *stream; /* NULL: we are in none */
        char **names;               /* a part of them */
        size_t count, next;
    } in;
};

/* ---- what stands under a name ---- */

static void
add_name(struct hf_found *found, const char *path, const struct hf_fs_identity *who)
{
    if (found->count == found->room) {
        found->room = HF_MAX(2 * found->room, (size_t)16);
        found->names = hf_realloc(found->names, found->room * sizeof(*found->names));
    }
    found->matched++;
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
    if (found->others_count++ == 0)
        found->first_other_path = hf_strdup(path);
    hf_strings_add(&found->others, path);
}

/* Nothing is said about it by that. */
static void
add_unknown(struct hf_found *found, const char *path, const struct hf_error *err)
{
    if (found->unknown_count++ == 0)
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
look_at(const struct hf_walk *w, int folder, const char *name, const char *path)
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

/* Takes rest. */
static void
go_to(struct hf_walk *w, const char *folder, char *rest)
{
    struct hf_error err = { .status = HF_OK };
    if (++w->folders > FOLDERS_MAX) {
        hf_fail(&err, HF_ELIMIT, "more than %d folders to look through; use a narrower path",
                FOLDERS_MAX);
        add_unknown(w->found, folder, &err);
        hf_freep(&rest);
        return;
    }
    struct place *place = hf_alloc(sizeof(*place));
    place->folder = hf_strdup(folder);
    place->rest = rest;
    STAILQ_INSERT_TAIL(&w->places, place, entry);
}

/* A name that the pattern takes. */
static void
enter(struct hf_walk *w, const char *name, const char *path)
{
    struct hf_fs_identity who;
    bool last = *w->in.rest == '\0';
    if (!hf_pattern_is_globstar(w->in.pattern)) {
        if (last)
            look_at(w, w->in.fd, name, path);
        else
            go_to(w, path, hf_strdup(w->in.rest));
        return;
    }
    /* Globstar goes into folders, not over links. */
    bool folder = hf_fs_identify_at(w->in.fd, name, &who, NULL) == HF_OK && S_ISDIR(who.mode);
    if (!folder && last)
        look_at(w, w->in.fd, name, path);
    if (folder)
        go_to(w, path, hf_asprintf("**/%s", w->in.rest));
}

static void
next_name(struct hf_walk *w)
{
    char path[HF_PATH_MAX];
    const char *name = w->in.names[w->in.next++];
    bool taken = hf_pattern_is_globstar(w->in.pattern) ? name[0] != '.'
                                                       : hf_pattern_takes(w->in.pattern, name);
    if (!taken)
        return;
    if (strlen(w->in.folder) + 1 + strlen(name) >= sizeof(path)) {
        add_other(w->found, w->in.folder, HF_OTHER_FAR);
        return;
    }
    hf_path_join(path, sizeof(path), w->in.folder, name);
    enter(w, name, path);
}

static void
leave(struct hf_walk *w)
{
    hf_fs_names_free(w->in.names, w->in.count);
    hf_fs_names_close(w->in.stream);
    hf_fs_close(&w->in.fd);
    hf_freep(&w->in.folder);
    hf_freep(&w->in.rest);
    w->in.stream = NULL;
    w->in.names = NULL;
    w->in.count = w->in.next = 0;
}

static void
next_part(struct hf_walk *w)
{
    struct hf_error err = { .status = HF_OK };
    hf_fs_names_free(w->in.names, w->in.count);
    w->in.names = NULL;
    w->in.count = w->in.next = 0;
    if (hf_fs_names_next(w->in.stream, PART, &w->in.names, &w->in.count, &err) != HF_OK)
        add_unknown(w->found, w->in.folder, &err);
    if (w->in.count == 0)
        leave(w);
}

/* Takes what stands in `place`, whose next name is a pattern. */
static void
go_in(struct hf_walk *w, struct place *place, const char *rest)
{
    struct hf_error err = { .status = HF_OK };
    hf_owned(hf_fs_close) int fd = -1;
    if (w->thread)
        hf_thread_doing(w->thread, place->folder);
    enum hf_status status =
        hf_fs_open_trusted(place->folder, O_RDONLY | O_DIRECTORY, &w->trust, &fd, NULL, &err);
    if (status == HF_EREFUSED)
        add_other(w->found, place->folder, HF_OTHER_REFUSED);
    if (status == HF_OK) {
        hf_strings_add(&w->found->folders, place->folder);
        if (hf_pattern_is_globstar(w->in.pattern) && *rest)
            go_to(w, place->folder, hf_strdup(rest));
        status = hf_fs_names_open(fd, place->folder, &w->in.stream, &err);
    }
    if (status != HF_OK && status != HF_EREFUSED && status != HF_ENOTFOUND)
        add_unknown(w->found, place->folder, &err);
    if (status != HF_OK)
        return;
    w->in.folder = hf_take(place->folder);
    w->in.rest = hf_strdup(rest);
    w->in.fd = fd;
    fd = -1;
}

/* As far as names of the pattern are plain. */
static void
next_place(struct hf_walk *w)
{
    struct place *place = STAILQ_FIRST(&w->places);
    const char *rest = place->rest;
    char path[HF_PATH_MAX], *name = w->in.pattern;
    STAILQ_REMOVE_HEAD(&w->places, entry);
    while (hf_pattern_next(&rest, name)) {
        if (hf_pattern_is(name)) {
            go_in(w, place, rest);
            break;
        }
        if (strlen(place->folder) + 1 + strlen(name) >= sizeof(path))
            break;
        hf_path_join(path, sizeof(path), place->folder, name);
        if (!*rest) {
            hf_strings_add(&w->found->folders, place->folder);
            look_at(w, -1, name, path);
            break;
        }
        hf_freep(&place->folder);
        place->folder = hf_strdup(path);
    }
    hf_freep(&place->folder);
    hf_freep(&place->rest);
    hf_freep(&place);
}

struct hf_walk *
hf_walk_new(const struct hf_config_source *config, struct hf_fs_trust trust,
            struct hf_thread *thread, struct hf_found *ret_found)
{
    struct hf_walk *w = hf_alloc(sizeof(*w));
    *w = (struct hf_walk){
        .config = config, .trust = trust, .thread = thread, .found = ret_found, .in.fd = -1
    };
    *ret_found = (struct hf_found){ .problem = { .status = HF_OK } };
    STAILQ_INIT(&w->places);
    go_to(w, "/", hf_strdup(config->path));
    return w;
}

bool
hf_walk_step(struct hf_walk *w)
{
    if (w->in.next < w->in.count)
        next_name(w);
    else if (w->in.stream)
        next_part(w);
    else if (!STAILQ_EMPTY(&w->places))
        next_place(w);
    return w->in.stream || !STAILQ_EMPTY(&w->places);
}

void
hf_walk_free(struct hf_walk *w)
{
    if (!w)
        return;
    if (w->in.stream)
        leave(w);
    while (!STAILQ_EMPTY(&w->places)) {
        struct place *place = STAILQ_FIRST(&w->places);
        STAILQ_REMOVE_HEAD(&w->places, entry);
        hf_freep(&place->folder);
        hf_freep(&place->rest);
        hf_freep(&place);
    }
    hf_freep(&w);
}
