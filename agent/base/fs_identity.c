/* Who a file is, beyond its path. */
#include "agent/base/base_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define WANTED (STATX_BASIC_STATS | STATX_BTIME)

static void
fill(const struct statx *info, struct hf_fs_identity *ret_identity)
{
    *ret_identity = (struct hf_fs_identity){
        .dev = makedev(info->stx_dev_major, info->stx_dev_minor),
        .ino = info->stx_ino,
        .size = info->stx_size,
        .allocated = info->stx_blocks * 512,
        .links = info->stx_nlink,
        .mode = info->stx_mode,
        .uid = info->stx_uid,
        .changed_ns = (uint64_t)info->stx_ctime.tv_sec * HF_NS_PER_S + info->stx_ctime.tv_nsec,
    };
    if (info->stx_mask & STATX_BTIME)
        ret_identity->birth_ns =
            (uint64_t)info->stx_btime.tv_sec * HF_NS_PER_S + info->stx_btime.tv_nsec;
}

enum hf_status
hf_fs_identify(int fd, const char *path, struct hf_fs_identity *ret_identity, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "statx", .path = fd >= 0 ? NULL : path, .fd = fd };
    struct statx info;
    int failed = -1;

    if (hf_fs_before(&call) == 0)
        failed = fd >= 0 ? statx(fd, "", AT_EMPTY_PATH, WANTED, &info)
                         : statx(AT_FDCWD, path, 0, WANTED, &info);
    if (failed)
        return fd >= 0 ? hf_fs_failed_fd(err, "looking at", fd)
                       : hf_fs_failed_path(err, "looking at", path);
    fill(&info, ret_identity);
    return HF_OK;
}

enum hf_status
hf_fs_identify_at(int folder, const char *name, struct hf_fs_identity *ret_identity,
                  struct hf_error *err)
{
    struct hf_fs_call call = { .name = "statx", .path = name, .fd = folder };
    struct statx info;

    if (hf_fs_before(&call) != 0 || statx(folder, name, AT_SYMLINK_NOFOLLOW, WANTED, &info) != 0)
        return hf_fs_failed_path(err, "looking at", name);
    fill(&info, ret_identity);
    return HF_OK;
}

enum hf_status
hf_fs_path_of(int fd, char ret_path[HF_PATH_MAX], struct hf_error *err)
{
    char link[32];
    struct hf_fs_call call = { .name = "readlink", .path = link, .fd = fd };

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t size = hf_fs_before(&call) == 0 ? readlink(link, ret_path, HF_PATH_MAX) : -1;
    if (size < 0)
        return hf_fs_failed_path(err, "reading", link);
    if (size >= HF_PATH_MAX || ret_path[0] != '/')
        return hf_fail(err, HF_ENOTFOUND, "descriptor %d has no path of its own", fd);
    ret_path[size] = '\0';
    return HF_OK;
}

enum hf_status
hf_fs_real_path(const char *path, char ret_path[HF_PATH_MAX], struct hf_error *err)
{
    struct hf_fs_call call = { .name = "realpath", .path = path, .fd = -1 };
    char *real = hf_fs_before(&call) == 0 ? realpath(path, NULL) : NULL;

    if (!real)
        return hf_fs_failed_path(err, "resolving", path);
    size_t size = strlen(real);
    if (size >= HF_PATH_MAX) {
        free(real);
        return hf_fail(err, HF_ELIMIT, "the real path of '%s' is longer than %d bytes", path,
                       HF_PATH_MAX - 1);
    }
    memcpy(ret_path, real, size + 1);
    free(real);
    return HF_OK;
}

enum hf_status
hf_fs_set_group(const char *path, gid_t group, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "chown", .path = path, .fd = -1 };

    if (hf_fs_before(&call) == 0 && chown(path, (uid_t)-1, group) == 0)
        return HF_OK;
    return hf_fs_failed_path(err, "changing the group of", path);
}
