/* The files of a file source: opened, looked up, taking turns, closed. */
#include "agent/intake/file/file_impl.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct hf_file *
hf_file_by_id(const struct hf_file_source *source, const struct hf_file_id *id)
{
    for (struct hf_file *file = source->files; file; file = file->next)
        if (hf_file_id_same(&file->id, id))
            return file;
    return NULL;
}

struct hf_file *
hf_file_by_path(const struct hf_file_source *source, const char *path)
{
    for (struct hf_file *file = source->files; file; file = file->next)
        if (!file->nameless && (strcmp(file->path, path) == 0 ||
                                (file->real_path && strcmp(file->real_path, path) == 0)))
            return file;
    return NULL;
}

void
hf_file_ready(struct hf_file *file)
{
    struct hf_file_source *source = file->source;
    if (!file->ready) {
        file->ready = true;
        file->next_ready = NULL;
        if (source->ready_last)
            source->ready_last->next_ready = file;
        else
            source->ready_first = file;
        source->ready_last = file;
    }
    hf_source_ready(&source->source);
}

void
hf_file_ready_first(struct hf_file *file)
{
    struct hf_file_source *source = file->source;
    if (file->ready)
        return;
    file->ready = true;
    file->next_ready = source->ready_first;
    source->ready_first = file;
    if (!source->ready_last)
        source->ready_last = file;
    hf_source_ready(&source->source);
}

/* A file that was rotated away is the next to be removed: the oldest of them has every other turn.
 * Not every one, else one that its writer never leaves would keep all others waiting. */
static bool
goes_first(const struct hf_file *file, const struct hf_file *other)
{
    bool leaves = file->moved || file->ending, other_leaves = other->moved || other->ending;
    return leaves && (!other_leaves || file->id.birth_ns < other->id.birth_ns);
}

struct hf_file *
hf_file_take_ready(struct hf_file_source *source)
{
    struct hf_file *file = source->ready_first, *before = NULL;
    if (!file)
        return NULL;
    source->by_age = !source->by_age;
    for (struct hf_file *at = file; source->by_age && at->next_ready; at = at->next_ready) {
        if (goes_first(at->next_ready, file)) {
            before = at;
            file = at->next_ready;
        }
    }
    if (before)
        before->next_ready = file->next_ready;
    else
        source->ready_first = file->next_ready;
    if (source->ready_last == file)
        source->ready_last = before;
    file->ready = false;
    return file;
}

void
hf_file_scan_problem(struct hf_file_source *source, const struct hf_error *err)
{
    hf_problem_set(source->scan_problem, err->text);
    source->scan_class = err->status;
}

static void
find_real_path(struct hf_file *file)
{
    char real[HF_PATH_MAX];
    if (hf_fs_real_path(file->path, real, NULL) != HF_OK || strcmp(real, file->path) == 0)
        return;
    file->real_path = hf_strdup(real);
    char *slash = strrchr(real, '/');
    if (!slash || !file->source->watch)
        return;
    *(slash == real ? slash + 1 : slash) = '\0';
    struct hf_error err = { .status = HF_OK };
    if (hf_watch_directory(file->source->watch, real, &err) != HF_OK)
        hf_file_scan_problem(file->source, &err); /* the slow scan finds what it gets */
}

/* Whoever may write in a watched folder must not have us read for him what he may not: a link of
 * somebody's is followed to his own files only, unless it is root's or ours. */
static enum hf_status
check_link(const char *path, int fd, struct hf_error *err)
{
    struct stat named, opened;
    enum hf_status status = hf_fs_lstat(path, &named, err);
    if (status == HF_OK)
        status = hf_fs_fstat(fd, &opened, err);
    if (status != HF_OK)
        return status;
    if (S_ISLNK(named.st_mode)) {
        if (named.st_uid == 0 || named.st_uid == geteuid() || named.st_uid == opened.st_uid)
            return HF_OK;
        return hf_fail(err, HF_EREFUSED,
                       "'%s' is a link of uid %u to a file of uid %u; it is not followed", path,
                       (unsigned)named.st_uid, (unsigned)opened.st_uid);
    }
    return named.st_dev == opened.st_dev && named.st_ino == opened.st_ino
               ? HF_OK
               : HF_ENOTFOUND; /* the next scan */
}

struct hf_file *
hf_file_open(struct hf_file_source *source, const char *path)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_fs_identity who;
    hf_owned(hf_fs_close) int fd = -1;
    if (source->file_count >= HF_FILES_MAX) {
        hf_fail(&err, HF_ELIMIT, "more than %d files match; split the source, or exclude some",
                HF_FILES_MAX);
        hf_file_scan_problem(source, &err);
        return NULL;
    }
    enum hf_status status = hf_fs_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, &err);
    if (status == HF_OK)
        status = hf_fs_identify(fd, NULL, &who, &err);
    if (status == HF_OK)
        status = check_link(path, fd, &err);
    if (status != HF_OK) {
        if (status != HF_ENOTFOUND)
            hf_file_scan_problem(source, &err);
        return NULL;
    }
    if (!S_ISREG(who.mode))
        return NULL;
    struct hf_file_id id = { .dev = who.dev, .ino = who.ino, .birth_ns = who.birth_ns };
    struct hf_file *file = hf_file_by_id(source, &id);
    if (file)
        return file;
    file = hf_alloc(sizeof(*file));
    *file = (struct hf_file){ .source = source, .path = hf_strdup(path), .id = id, .fd = fd };
    /* Written down before it is read: it may be renamed while we are stopped. */
    file->fresh = file->dirty = true;
    fd = -1;
    file->quiet_since_ms = hf_boot_ms();
    file->next = source->files;
    source->files = file;
    source->file_count++;
    find_real_path(file);
    if (hf_orphan_adopt(file, who.size, &err) != HF_OK) {
        hf_file_scan_problem(source,
                             &err); /* who it is cannot be told now: the next scan tries again */
        hf_file_close(file);
        return NULL;
    }
    hf_file_ready(file);
    return file;
}

void
hf_file_close(struct hf_file *file)
{
    struct hf_file_source *source = file->source;
    struct hf_file **at = &source->files;
    while (*at != file)
        at = &(*at)->next;
    *at = file->next;
    source->file_count--;
    if (file->ready) { /* out of the middle of the queue */
        struct hf_file *rest = hf_take(source->ready_first);
        source->ready_last = NULL;
        while (rest) {
            struct hf_file *next = rest->next_ready;
            rest->ready = false;
            if (rest != file)
                hf_file_ready(rest);
            rest = next;
        }
    }
    for (struct hf_file *other = source->files; other; other = other->next)
        if (other->copy_of == file)
            other->copy_of = NULL;
    hf_fs_close(&file->fd);
    hf_long_line_reset(&file->line);
    hf_freep(&file->path);
    hf_freep(&file->real_path);
    hf_freep(&file->old_key);
    hf_freep(&file);
}
