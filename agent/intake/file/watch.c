/* inotify on the directories in which files of the pattern can stand. It only says where to look;
 * what is true is found by looking. Renames are followed by their names, so that a file that was
 * made, filled and rotated between two looks is still found, under whatever name it has by then. */
#include "agent/intake/file/looking.h"
#include "agent/intake/file/scan.h"
#include "agent/intake/file/sleep.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WATCHES_MAX 4096
/* Not IN_ATTRIB: of modes and times nothing follows, and whoever changes them without end costs us
 * nothing. */
#define MASK                                                                                       \
    (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MODIFY | IN_DELETE_SELF |            \
     IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK)

#define OTHER_HALF_MS 2 /* see inotify(7) */

struct directory {
    struct hf_table_link by_wd, by_path;
    LIST_ENTRY(directory) all;
    int wd;
    char *path;
};

struct hf_watch {
    struct hf_file_source *source;
    int fd;
    struct event *readable;
    LIST_HEAD(directories, directory) directories;
    struct hf_table by_wd, by_path;
    uint32_t cookie;  /* of the half of a rename that waits for the other; 0: none */
    char *moved_from; /* and its name */
    uint64_t reads;
};

/* ---- the directories ---- */

static bool
is_wd(const struct hf_table_link *link, struct hf_slice key)
{
    const struct directory *directory = hf_container_of(link, struct directory, by_wd);
    return memcmp(&directory->wd, key.ptr, sizeof(directory->wd)) == 0;
}

static bool
is_path(const struct hf_table_link *link, struct hf_slice key)
{
    return hf_slice_is(key, hf_container_of(link, struct directory, by_path)->path);
}

static struct directory *
directory_of_wd(struct hf_watch *watch, int wd)
{
    struct hf_table_link *link = hf_table_find(&watch->by_wd, hf_slice(&wd, sizeof(wd)));
    return link ? hf_container_of(link, struct directory, by_wd) : NULL;
}

static void
forget_directory(struct hf_watch *watch, struct directory *directory)
{
    if (!directory)
        return;
    watch->source->counted.blind++;
    hf_table_remove(&watch->by_wd, &directory->by_wd);
    hf_table_remove(&watch->by_path, &directory->by_path);
    LIST_REMOVE(directory, all);
    hf_freep(&directory->path);
    hf_freep(&directory);
}

static void
add_directory(struct hf_watch *watch, int wd, const char *path)
{
    struct directory *directory = hf_alloc(sizeof(*directory));
    directory->wd = wd;
    directory->path = hf_strdup(path);
    LIST_INSERT_HEAD(&watch->directories, directory, all);
    hf_assert(
        hf_table_add(&watch->by_wd, hf_slice(&directory->wd, sizeof(wd)), &directory->by_wd) &&
        hf_table_add(&watch->by_path, hf_slice_text(path), &directory->by_path));
}

enum hf_status
hf_watch_directory(struct hf_watch *watch, const char *path, struct hf_error *err)
{
    if (hf_table_find(&watch->by_path, hf_slice_text(path)))
        return HF_OK;
    if (watch->by_wd.count == WATCHES_MAX)
        return hf_fail(err, HF_ELIMIT, "more than %d directories to watch; use a narrower path",
                       WATCHES_MAX);
    hf_owned(hf_fs_close) int fd = -1;
    enum hf_status status =
        hf_fs_open_trusted(path, O_PATH | O_DIRECTORY, &watch->source->trust, &fd, NULL, err);
    if (status != HF_OK)
        return status == HF_EREFUSED ? HF_ENOTFOUND : status;
    char opened[40]; /* by its path it could be another one by now */
    snprintf(opened, sizeof(opened), "/proc/self/fd/%d", fd);
    int wd = inotify_add_watch(watch->fd, opened, MASK);
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
    add_directory(watch, wd, path);
    hf_file_scan_soon(watch->source); /* what appeared in it while it was not watched yet */
    return HF_OK;
}

/* ---- events ---- */

/* The other half of a rename did not come: it went to a directory that is not watched. */
static void
moved_away(struct hf_watch *watch)
{
    if (watch->moved_from)
        hf_name_left(watch->source, watch->moved_from);
    hf_freep(&watch->moved_from);
    watch->cookie = 0;
}

/* A name came or went. */
static void
on_rename(struct hf_watch *watch, const struct inotify_event *event, const char *path)
{
    if (!(event->mask & IN_MOVED_TO) || event->cookie != watch->cookie)
        moved_away(watch);
    if (event->mask & IN_MOVED_FROM) {
        watch->moved_from = hf_strdup(path);
        watch->cookie = event->cookie;
    } else if (event->mask & IN_MOVED_TO && watch->moved_from) {
        hf_name_moved(watch->source, watch->moved_from, path);
        hf_freep(&watch->moved_from);
        watch->cookie = 0;
    } else if (event->mask & IN_MOVED_TO) {
        hf_name_came(watch->source, path);
    } else if (event->mask & IN_CREATE) {
        hf_name_made(watch->source, path);
    } else if (event->mask & IN_DELETE) {
        hf_name_left(watch->source, path);
    }
}

static void
on_name(struct hf_watch *watch, const struct inotify_event *event, const char *path)
{
    struct hf_file_source *source = watch->source;
    struct hf_file *file = hf_file_by_path(source, path);
    bool directory = event->mask & IN_ISDIR;
    if (event->mask & IN_MODIFY) {
        if (file)
            hf_file_ready(file);
        else if (!hf_sleeper_grew(source, path))
            hf_name_written(source, path);
        return;
    }
    if (!directory)
        on_rename(watch, event, path);
    /* A directory may be one that a pattern in the middle of the path means. */
    if (!file && !directory && !hf_found_matches(&source->source.config, path) &&
        TAILQ_EMPTY(&source->followed))
        return;
    if (!directory && event->mask & (IN_CREATE | IN_MOVED_TO))
        hf_file_name_soon(source, path);
    else
        hf_file_scan_soon(source);
}

static void
on_event(struct hf_watch *watch, const struct inotify_event *event)
{
    char path[HF_PATH_MAX];
    if (event->mask & IN_Q_OVERFLOW) {
        watch->source->counted.blind++;
        hf_file_scan_soon(watch->source);
        return;
    }
    if (event->mask & IN_MOVE_SELF)
        inotify_rm_watch(watch->fd, event->wd); /* its path is wrong now; IN_IGNORED follows */
    if (event->mask & IN_IGNORED)
        forget_directory(watch, directory_of_wd(watch, event->wd));
    const struct directory *directory = directory_of_wd(watch, event->wd);
    if (event->mask & (IN_MOVE_SELF | IN_DELETE_SELF | IN_IGNORED)) {
        hf_file_scan_soon(watch->source);
        return;
    }
    if (!directory || event->len == 0 ||
        strlen(directory->path) + 1 + strlen(event->name) >= sizeof(path))
        return;
    hf_path_join(path, sizeof(path), directory->path, event->name);
    on_name(watch, event, path);
}

size_t
hf_watch_waiting(const struct hf_watch *watch)
{
    int waiting = 0;
    return ioctl(watch->fd, FIONREAD, &waiting) == 0 && waiting > 0 ? (size_t)waiting : 0;
}

/* One buffer. 0: there was nothing. */
static size_t
read_some(struct hf_watch *watch)
{
    char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
    size_t got = 0;
    watch->reads++;
    if (hf_fs_read(watch->fd, buffer, sizeof(buffer), &got, NULL) != HF_OK)
        return 0;
    for (size_t at = 0; at < got;) {
        const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
        on_event(watch, event);
        at += sizeof(*event) + event->len;
    }
    return got;
}

/* The halves of a rename are told one after the other, and between them there may be a look of ours.
 */
static bool
other_half(struct hf_watch *watch)
{
    struct pollfd poll_fd = { .fd = watch->fd, .events = POLLIN };
    return poll(&poll_fd, 1, OTHER_HALF_MS) > 0 && read_some(watch) > 0;
}

bool
hf_watch_read_some(struct hf_watch *watch, size_t *left)
{
    size_t got = *left > 0 ? read_some(watch) : 0;
    *left -= HF_MIN(got, *left);
    if (got == 0)
        *left = 0;
    if (*left > 0)
        return true;
    if (watch->moved_from)
        (void)other_half(watch);
    moved_away(watch);
    return false;
}

uint64_t
hf_watch_reads(const struct hf_watch *watch)
{
    return watch->reads;
}

bool
hf_watch_knows(struct hf_watch *watch, const char *folder)
{
    return hf_table_find(&watch->by_path, hf_slice_text(folder)) != NULL;
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
    struct hf_watch *watch = context;
    (void)fd, (void)what;
    (void)read_some(watch);
    if (hf_watch_waiting(watch) == 0 && !(watch->moved_from && other_half(watch)))
        moved_away(watch);
    if (watch->source->noted.vanished.count > 0)
        hf_source_ready(&watch->source->source);
}

struct hf_watch *
hf_watch_new(struct hf_file_source *source, struct hf_error *err)
{
    struct hf_watch *watch = hf_alloc(sizeof(*watch));
    watch->source = source;
    hf_table_init(&watch->by_wd, WATCHES_MAX, is_wd);
    hf_table_init(&watch->by_path, WATCHES_MAX, is_path);
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->fd < 0) {
        hf_fail_errno(
            err, HF_ELIMIT,
            "no inotify instance is left (raise fs.inotify.max_user_instances); polling instead");
        hf_watch_free(watch);
        return NULL;
    }
    watch->readable =
        event_new(source->source.loop, watch->fd, EV_READ | EV_PERSIST, on_readable, watch);
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
    while (!LIST_EMPTY(&watch->directories))
        forget_directory(watch, LIST_FIRST(&watch->directories));
    hf_table_done(&watch->by_wd);
    hf_table_done(&watch->by_path);
    hf_freep(&watch->moved_from);
    hf_freep(&watch);
}
