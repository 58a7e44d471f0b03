/* inotify on the directories in which files of the pattern can stand. It only says where to look;
 * what is true is found by looking. Renames are followed by their names, so that a file that was
 * made, filled and rotated between two looks is still found, under whatever name it has by then. */
#include "agent/intake/file/file_impl.h"

#include <errno.h>
#include <event2/event.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define WATCHES_MAX 4096
#define MASK                                                                                       \
    (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MODIFY | IN_ATTRIB |                 \
     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)

struct directory {
    int wd;
    char *path;
};

struct hf_watch {
    struct hf_file_source *source;
    int fd;
    struct event *readable;
    struct directory *directories;
    size_t count;
    uint32_t cookie;  /* of the half of a rename that waits for the other; 0: none */
    char *moved_from; /* and its name */
};

static const char *
directory_of_wd(const struct hf_watch *watch, int wd)
{
    for (size_t i = 0; i < watch->count; i++)
        if (watch->directories[i].wd == wd)
            return watch->directories[i].path;
    return NULL;
}

static void
forget_directory(struct hf_watch *watch, int wd)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (watch->directories[i].wd != wd)
            continue;
        hf_freep(&watch->directories[i].path);
        watch->directories[i] = watch->directories[--watch->count];
        return;
    }
}

enum hf_status
hf_watch_directory(struct hf_watch *watch, const char *path, struct hf_error *err)
{
    for (size_t i = 0; i < watch->count; i++)
        if (strcmp(watch->directories[i].path, path) == 0)
            return HF_OK;
    if (watch->count == WATCHES_MAX)
        return hf_fail(err, HF_ELIMIT, "more than %d directories to watch; use a narrower path",
                       WATCHES_MAX);
    int wd = inotify_add_watch(watch->fd, path, MASK);
    if (wd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return HF_ENOTFOUND;
    if (wd < 0 && errno == ENOSPC)
        return hf_fail(err, HF_ELIMIT,
                       "no inotify watch is left for '%s'; raise fs.inotify.max_user_watches",
                       path);
    if (wd < 0)
        return hf_fail_errno(err, HF_EIO, "watching '%s'", path);
    if (directory_of_wd(watch, wd))
        return HF_OK; /* the same directory by another path */
    watch->directories =
        hf_realloc(watch->directories, (watch->count + 1) * sizeof(*watch->directories));
    watch->directories[watch->count++] = (struct directory){ .wd = wd, .path = hf_strdup(path) };
    hf_file_scan_soon(watch->source); /* what appeared in it while it was not watched yet */
    return HF_OK;
}

/* ---- renames ---- */

static bool
take_string(struct hf_strings *strings, const char *text)
{
    for (size_t i = 0; i < strings->count; i++) {
        if (strcmp(strings->items[i], text) != 0)
            continue;
        hf_freep(&strings->items[i]);
        strings->items[i] = strings->items[--strings->count];
        return true;
    }
    return false;
}

/* A name is gone, and nobody had opened the file of ours that it held. */
static void
name_vanished(struct hf_watch *watch, const char *path)
{
    struct hf_file_source *source = watch->source;
    bool followed = take_string(&source->followed, path);
    if (!followed && !hf_found_matches(&source->source.config, path))
        return;
    hf_strings_add(&source->vanished, path);
    hf_source_ready(&source->source);
}

/* Who stands behind a name when its rename is told may be somebody else already: the new name of
 * any file of ours is followed, and the next scan opens what it finds there unless it is known. */
static void
name_moved(struct hf_watch *watch, const char *from, const char *to)
{
    struct hf_file_source *source = watch->source;
    struct hf_file *replaced = hf_file_by_path(source, to), *file = hf_file_by_path(source, from);
    if (replaced && replaced != file)
        replaced->ending = replaced->nameless =
            true; /* overwritten; its descriptor still reads it */
    if (take_string(&source->followed, from) || file ||
        hf_found_matches(&source->source.config, from))
        hf_strings_add(&source->followed, to);
    if (!file || strcmp(file->path, from) != 0)
        return;
    hf_freep(&file->path);
    file->path = hf_strdup(to);
    file->moved = true;
    file->quiet_since_ms = hf_boot_ms();
}

/* The other half of a rename did not come: it went to a directory that is not watched. */
static void
moved_away(struct hf_watch *watch)
{
    if (watch->moved_from && !hf_file_by_path(watch->source, watch->moved_from))
        name_vanished(watch, watch->moved_from);
    hf_freep(&watch->moved_from);
    watch->cookie = 0;
}

/* ---- events ---- */

/* A name came or went. */
static void
on_rename(struct hf_watch *watch, const struct inotify_event *event, const char *path,
          struct hf_file *file)
{
    if (!(event->mask & IN_MOVED_TO) || event->cookie != watch->cookie)
        moved_away(watch);
    if (event->mask & IN_MOVED_FROM) {
        watch->moved_from = hf_strdup(path);
        watch->cookie = event->cookie;
    } else if (event->mask & IN_MOVED_TO && watch->moved_from) {
        name_moved(watch, watch->moved_from, path);
        hf_freep(&watch->moved_from);
        watch->cookie = 0;
    } else if (event->mask & IN_DELETE && file) {
        file->ending = file->nameless = true;
    } else if (event->mask & IN_DELETE) {
        name_vanished(watch, path);
    }
}

static void
on_name(struct hf_watch *watch, const struct inotify_event *event, const char *path)
{
    struct hf_file_source *source = watch->source;
    struct hf_file *file = hf_file_by_path(source, path);
    bool directory = event->mask & IN_ISDIR;
    if (event->mask & (IN_MODIFY | IN_ATTRIB)) {
        if (file)
            hf_file_ready(file);
        return;
    }
    if (!directory)
        on_rename(watch, event, path, file);
    /* A directory may be one that a pattern in the middle of the path means. */
    if (file || directory || hf_found_matches(&source->source.config, path) ||
        source->followed.count > 0)
        hf_file_scan_soon(source);
}

static void
on_event(struct hf_watch *watch, const struct inotify_event *event)
{
    char path[HF_PATH_MAX];
    if (event->mask & IN_Q_OVERFLOW) {
        hf_file_scan_soon(watch->source);
        return;
    }
    if (event->mask & IN_MOVE_SELF)
        inotify_rm_watch(watch->fd, event->wd); /* its path is wrong now; IN_IGNORED follows */
    if (event->mask & IN_IGNORED)
        forget_directory(watch, event->wd);
    const char *directory = directory_of_wd(watch, event->wd);
    if (event->mask & (IN_MOVE_SELF | IN_DELETE_SELF | IN_IGNORED)) {
        hf_file_scan_soon(watch->source);
        return;
    }
    if (!directory || event->len == 0 ||
        strlen(directory) + 1 + strlen(event->name) >= sizeof(path))
        return;
    hf_path_join(path, sizeof(path), directory, event->name);
    on_name(watch, event, path);
}

void
hf_watch_read(struct hf_watch *watch)
{
    char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    size_t got = 0;
    while (hf_fs_read(watch->fd, buffer, sizeof(buffer), &got, NULL) == HF_OK && got > 0) {
        for (size_t at = 0; at < got;) {
            const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
            on_event(watch, event);
            at += sizeof(*event) + event->len;
        }
    }
    moved_away(watch);
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    hf_watch_read(context);
}

struct hf_watch *
hf_watch_new(struct hf_file_source *source, struct hf_error *err)
{
    struct hf_watch *watch = hf_alloc(sizeof(*watch));
    watch->source = source;
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0) {
        hf_fail_errno(
            err, HF_ELIMIT,
            "no inotify instance is left (raise fs.inotify.max_user_instances); polling instead");
        hf_watch_free(watch);
        return NULL;
    }
    watch->readable =
        event_new(source->source.intake->loop, watch->fd, EV_READ | EV_PERSIST, on_readable, watch);
    if (!watch->readable || event_add(watch->readable, NULL) != 0) {
        hf_fail(err, HF_EINTERNAL, "the event loop does not take inotify; polling instead");
        hf_watch_free(watch);
        return NULL;
    }
    return watch;
}

void
hf_watch_free(struct hf_watch *watch)
{
    if (!watch)
        return;
    if (watch->readable)
        event_free(watch->readable);
    hf_fs_close(&watch->fd);
    for (size_t i = 0; i < watch->count; i++)
        hf_freep(&watch->directories[i].path);
    hf_freep(&watch->directories);
    hf_freep(&watch->moved_from);
    hf_freep(&watch);
}
