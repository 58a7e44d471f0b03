/* Opening where strangers may write, component by component, so that no link of theirs leads us
 * anywhere: whoever may make files in a folder that root's agent watches must not have it read for
 * him what he may not.
 *
 * The kernel does it in one call where nothing on the way is a link (openat2, RESOLVE_NO_SYMLINKS).
 * Where something is, or where there is no openat2 (before Linux 5.6, or a seccomp filter that does
 * not know it and says EPERM), each component is opened from the folder before it with O_NOFOLLOW,
 * and what was opened is looked at: a name that is exchanged in between leads to what was looked
 * at, or nowhere. */
#include "agent/base/base_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define HOPS_MAX 40 /* links followed, and names exchanged under our hands, before it is a loop */

/* ---- openat2, if there is one ---- */

enum { UNKNOWN, THERE, MISSING };
static int openat2_is;

void
hf_fs_openat2_forget(void)
{
    __atomic_store_n(&openat2_is, UNKNOWN, __ATOMIC_RELAXED);
}

static int
openat2_once(const char *path, int flags)
{
    struct open_how how = { .flags = (uint64_t)(unsigned)flags,
                            .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    struct hf_fs_call call = { .name = "openat2", .path = path, .fd = -1, .flags = flags };
    int fd;

    do {
        fd = hf_fs_before(&call) == 0 ? (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how))
                                      : -1;
    } while (fd < 0 && errno == EINTR);
    return fd;
}

/* EPERM may be said of the file as well: what the root folder gives tells it from a filter's. */
static bool
openat2_is_missing(void)
{
    int fd = openat2_once("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool missing = fd < 0 && (errno == ENOSYS || errno == EPERM);

    __atomic_store_n(&openat2_is, missing ? MISSING : THERE, __ATOMIC_RELAXED);
    hf_fs_close(&fd);
    return missing;
}

/* -1 with errno ELOOP: take the steps. */
static int
open_at_once(const char *path, int flags)
{
    int is = __atomic_load_n(&openat2_is, __ATOMIC_RELAXED);
    int fd = is == MISSING ? -1 : openat2_once(path, flags);

    if (is == MISSING) {
        errno = ELOOP;
    } else if (fd < 0 && (errno == ENOSYS || errno == EPERM) && is == UNKNOWN) {
        int failure = errno;
        errno = openat2_is_missing() ? ELOOP : failure;
    } else if (fd >= 0) {
        __atomic_store_n(&openat2_is, THERE, __ATOMIC_RELAXED);
    }
    return fd;
}

/* ---- the steps ---- */

struct walk {
    const char *path; /* as asked for, for messages */
    int flags;
    const struct hf_fs_trust *trust;
    bool alone;       /* every folder has to be one that nobody but root and we can change */
    bool way_trusted; /* all folders so far belong to trusted users */
    bool linked;      /* a link was followed */
    int hops;
    int folder;
    char rest[HF_PATH_MAX]; /* of the path, behind `folder` */
};

static bool
is_trusted(const struct walk *walk, uid_t uid)
{
    if (uid == 0 || uid == geteuid())
        return true;
    for (size_t i = 0; walk->trust && i < walk->trust->count; i++)
        if (walk->trust->uids[i] == uid)
            return true;
    return false;
}

static int
open_component(const struct walk *walk, const char *name, int flags)
{
    struct hf_fs_call call = {
        .name = "openat", .path = walk->path, .fd = walk->folder, .flags = flags
    };
    int fd;

    do {
        fd = hf_fs_before(&call) == 0 ? openat(walk->folder, name, flags | O_CLOEXEC) : -1;
    } while (fd < 0 && errno == EINTR);
    return fd;
}

bool
hf_fs_others_may_write(const struct stat *folder)
{
    return folder->st_mode & S_IWOTH ||
           (folder->st_mode & S_IWGRP && folder->st_gid != 0 && folder->st_gid != getegid());
}

/* Others than root and we can put something there: `last`: in this folder; else: exchange a folder
 * in it. */
static bool
others_may_write(const struct stat *info, bool last)
{
    if (info->st_uid != 0 && info->st_uid != geteuid())
        return true;
    if (info->st_mode & S_ISVTX && !last)
        return false;
    return hf_fs_others_may_write(info);
}

/* Takes fd. */
static enum hf_status
enter(struct walk *walk, int fd, const struct stat *info, struct hf_error *err)
{
    bool last = walk->rest[strspn(walk->rest, "/")] == '\0';

    hf_fs_close(&walk->folder);
    walk->folder = fd;
    walk->way_trusted = walk->way_trusted && is_trusted(walk, info->st_uid);
    if (walk->alone && others_may_write(info, last))
        return hf_fail(err, HF_EREFUSED,
                       "others than root and uid %u can write to a folder on the way to '%s' (uid "
                       "%u, mode %04o)",
                       (unsigned)geteuid(), walk->path, (unsigned)info->st_uid,
                       (unsigned)info->st_mode & 07777);
    return HF_OK;
}

/* The folder that a path or a link begins in. */
static enum hf_status
enter_first(struct walk *walk, struct hf_error *err)
{
    struct stat info;
    int fd, start = walk->folder;

    walk->folder = AT_FDCWD;
    fd = open_component(walk, walk->rest[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY);
    walk->folder = start;
    if (fd < 0 || fstat(fd, &info) != 0) {
        hf_fs_close(&fd);
        return hf_fs_failed_path(err, "opening", walk->path);
    }
    return enter(walk, fd, &info, err);
}

/* Links of /proc stand for what is open, not for a name. */
static bool
is_magic(const struct walk *walk)
{
    struct statfs info;

    return fstatfs(walk->folder, &info) == 0 && info.f_type == PROC_SUPER_MAGIC;
}

/* What the link says stands in front of the rest. */
static enum hf_status
follow(struct walk *walk, int link, struct hf_error *err)
{
    char target[HF_PATH_MAX];
    struct hf_fs_call call = { .name = "readlink", .path = walk->path, .fd = link };
    ssize_t size = hf_fs_before(&call) == 0 ? readlinkat(link, "", target, sizeof(target)) : -1;
    size_t behind = strlen(walk->rest);

    if (size < 0)
        return hf_fs_failed_path(err, "reading the link", walk->path);
    if (size == 0 || (size_t)size + 1 + behind >= sizeof(walk->rest))
        return hf_fail(err, HF_ELIMIT, "where '%s' leads is longer than %d bytes", walk->path,
                       HF_PATH_MAX - 1);
    memmove(walk->rest + size + 1, walk->rest, behind + 1);
    memcpy(walk->rest, target, (size_t)size);
    walk->rest[size] = '/';
    if (behind == 0)
        walk->rest[size] = '\0';
    return target[0] == '/' ? enter_first(walk, err) : HF_OK;
}

static enum hf_status
too_many(const struct walk *walk, struct hf_error *err)
{
    errno = ELOOP;
    return hf_fs_failed_path(err, "opening", walk->path);
}

/* The link `name` in the folder, opened as `fd`. *ret_fd: what a link of /proc stands for. */
static enum hf_status
meet_link(struct walk *walk, const char *name, bool last, int fd, const struct stat *info,
          int *ret_fd, struct hf_error *err)
{
    if (!walk->way_trusted || !is_trusted(walk, info->st_uid))
        return hf_fail(err, HF_EREFUSED,
                       "'%s' leads over a link of uid %u, or out of a folder of somebody's; it is "
                       "not followed",
                       walk->path, (unsigned)info->st_uid);
    if (++walk->hops > HOPS_MAX)
        return too_many(walk, err);
    walk->linked = true;
    if (!is_magic(walk))
        return follow(walk, fd, err);
    *ret_fd = open_component(walk, name, last ? walk->flags : O_PATH | O_DIRECTORY);
    return *ret_fd < 0 ? hf_fs_failed_path(err, "opening", walk->path) : HF_OK;
}

/* The next name of the rest, off it; false: there is none. */
static bool
take_name(struct walk *walk, char ret_name[HF_PATH_MAX], bool *ret_last)
{
    char *at = walk->rest + strspn(walk->rest, "/");
    size_t size = strcspn(at, "/");

    if (size == 0)
        return false;
    memcpy(ret_name, at, size);
    ret_name[size] = '\0';
    at += size;
    *ret_last = at[strspn(at, "/")] == '\0';
    memmove(walk->rest, at, strlen(at) + 1);
    return true;
}

/* One name. *ret_fd: the last one's. */
static enum hf_status
step(struct walk *walk, const char *name, bool last, int *ret_fd, struct hf_error *err)
{
    struct stat info;
    hf_owned(hf_fs_close) int fd = open_component(walk, name, O_PATH | O_NOFOLLOW), open = -1;

    if (fd < 0 || fstat(fd, &info) != 0)
        return hf_fs_failed_path(err, "opening", walk->path);
    if (S_ISLNK(info.st_mode)) {
        enum hf_status status = meet_link(walk, name, last, fd, &info, &open, err);
        if (status != HF_OK || open < 0)
            return status;
        if (last) {
            *ret_fd = open;
            open = -1;
            return HF_OK;
        }
        if (fstat(open, &info) != 0)
            return hf_fs_failed_path(err, "opening", walk->path);
        hf_fs_close(&fd);
        fd = open;
        open = -1;
    }
    if (!last || (walk->alone && S_ISDIR(info.st_mode))) {
        if (!S_ISDIR(info.st_mode)) {
            errno = ENOTDIR;
            return hf_fs_failed_path(err, "opening", walk->path);
        }
        int entered = fd;
        fd = -1;
        enum hf_status status = enter(walk, entered, &info, err);
        if (status != HF_OK || !last)
            return status;
        name = ".";
    }
    *ret_fd = open_component(walk, name, walk->flags | O_NOFOLLOW);
    if (*ret_fd >= 0)
        return HF_OK;
    /* Exchanged for a link since it was looked at: the next step looks again. */
    size_t behind = strlen(name);
    if (errno != ELOOP || behind >= sizeof(walk->rest))
        return hf_fs_failed_path(err, "opening", walk->path);
    if (++walk->hops > HOPS_MAX)
        return too_many(walk, err);
    memcpy(walk->rest, name, behind + 1);
    return HF_OK;
}

/* *ret_folder, which may be NULL: the folder that it stands in. */
static enum hf_status
take_steps(struct walk *walk, int *ret_fd, struct stat *ret_folder, struct hf_error *err)
{
    char name[HF_PATH_MAX];
    int fd = -1;
    bool last;
    enum hf_status status = enter_first(walk, err);

    while (status == HF_OK && fd < 0 && take_name(walk, name, &last))
        status = step(walk, name, last, &fd, err);
    if (status == HF_OK && fd < 0) { /* "/", or a link to it */
        fd = open_component(walk, ".", walk->flags);
        status = fd < 0 ? hf_fs_failed_path(err, "opening", walk->path) : HF_OK;
    }
    if (status == HF_OK && ret_folder)
        status = hf_fs_fstat(walk->folder, ret_folder, err);
    hf_fs_close(&walk->folder);
    if (status != HF_OK)
        hf_fs_close(&fd);
    else
        *ret_fd = fd;
    return status;
}

static enum hf_status
begin(struct walk *walk, struct hf_error *err)
{
    size_t size = strlen(walk->path);

    if (size == 0 || size >= sizeof(walk->rest))
        return hf_fail(err, HF_ENOTFOUND, "a path has 1 to %d bytes, not %zu", HF_PATH_MAX - 1,
                       size);
    memcpy(walk->rest, walk->path, size + 1);
    walk->way_trusted = true;
    walk->folder = -1;
    return HF_OK;
}

enum hf_status
hf_fs_open_trusted(const char *path, int flags, const struct hf_fs_trust *trust, int *ret_fd,
                   bool *ret_linked, struct hf_error *err)
{
    struct walk walk = { .path = path, .trust = trust };

    hf_assert(!(flags & O_CREAT));
    /* O_PATH takes neither; without them a pipe holds us, and a terminal becomes ours. */
    walk.flags = flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NONBLOCK | O_NOCTTY);
    int fd = open_at_once(path, walk.flags);
    if (fd < 0 && errno != ELOOP)
        return hf_fs_failed_path(err, "opening", path);
    enum hf_status status = HF_OK;
    if (fd < 0)
        status = begin(&walk, err);
    if (status == HF_OK && fd < 0)
        status = take_steps(&walk, &fd, NULL, err);
    if (status != HF_OK)
        return status;
    *ret_fd = fd;
    if (ret_linked)
        *ret_linked = walk.linked;
    return HF_OK;
}

enum hf_status
hf_fs_open_in_folder(const char *path, int flags, const struct hf_fs_trust *trust, int *ret_fd,
                     struct stat *ret_folder, struct hf_error *err)
{
    struct walk walk = { .path = path, .trust = trust };

    hf_assert(!(flags & O_CREAT));
    walk.flags = flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NONBLOCK | O_NOCTTY);
    enum hf_status status = begin(&walk, err);
    return status == HF_OK ? take_steps(&walk, ret_fd, ret_folder, err) : status;
}

enum hf_status
hf_fs_check_alone(const char *folder, struct hf_error *err)
{
    struct walk walk = { .path = folder, .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .alone = true };
    hf_owned(hf_fs_close) int fd = -1;
    enum hf_status status = begin(&walk, err);

    return status == HF_OK ? take_steps(&walk, &fd, NULL, err) : status;
}
