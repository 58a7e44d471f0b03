/* Calls that name a file by its path. None of them is durable before its directory is synced. */
#include "agent/base/base_impl.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum hf_status
hf_fs_rename(const char *from, const char *to, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "rename", .path = from, .to = to, .fd = -1 };

    if (hf_fs_before(&call) == 0 && rename(from, to) == 0)
        return HF_OK;
    return hf_while(err, hf_fs_failed_path(err, "to", to), "renaming '%s'", from);
}

enum hf_status
hf_fs_link(const char *from, const char *to, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "link", .path = from, .to = to, .fd = -1 };

    if (hf_fs_before(&call) == 0 && link(from, to) == 0)
        return HF_OK;
    return hf_while(err, hf_fs_failed_path(err, "to", to), "linking '%s'", from);
}

enum hf_status
hf_fs_unlink(const char *path, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "unlink", .path = path, .fd = -1 };

    if (hf_fs_before(&call) == 0 && unlink(path) == 0)
        return HF_OK;
    return hf_fs_failed_path(err, "removing", path);
}

enum hf_status
hf_fs_rmdir(const char *path, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "rmdir", .path = path, .fd = -1 };

    if (hf_fs_before(&call) == 0 && rmdir(path) == 0)
        return HF_OK;
    return hf_fs_failed_path(err, "removing", path);
}

enum hf_status
hf_fs_chmod(const char *path, mode_t mode, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "chmod", .path = path, .fd = -1 };

    if (hf_fs_before(&call) == 0 && chmod(path, mode) == 0)
        return HF_OK;
    return hf_fs_failed_path(err, "changing the mode of", path);
}

enum hf_status
hf_fs_access(const char *path, int mode, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "access", .path = path, .fd = -1 };

    if (hf_fs_before(&call) == 0 && faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0)
        return HF_OK;
    return hf_fs_failed_path(err, "asking for rights to", path);
}

enum hf_status
hf_fs_set_atime(const char *path, int64_t atime_s, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "utimensat", .path = path, .fd = -1 };
    struct timespec times[2] = { { .tv_sec = atime_s }, { .tv_nsec = UTIME_OMIT } };

    if (hf_fs_before(&call) == 0 && utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0)
        return HF_OK;
    return hf_fs_failed_path(err, "setting the time of access of", path);
}

enum hf_status
hf_fs_lstat(const char *path, struct stat *ret_stat, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "lstat", .path = path, .fd = -1 };
    struct stat info;

    if (hf_fs_before(&call) != 0 || lstat(path, &info) != 0)
        return hf_fs_failed_path(err, "looking at", path);
    *ret_stat = info;
    return HF_OK;
}

enum hf_status
hf_fs_stat(const char *path, struct stat *ret_stat, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "stat", .path = path, .fd = -1 };
    struct stat info;

    if (hf_fs_before(&call) != 0 || stat(path, &info) != 0)
        return hf_fs_failed_path(err, "looking at", path);
    *ret_stat = info;
    return HF_OK;
}

void
hf_path_join(char *ret_path, size_t size, const char *directory, const char *name)
{
    const char *slash = directory[0] == '\0' || hf_ends_with(directory, "/") ? "" : "/";
    int needed = snprintf(ret_path, size, "%s%s%s", directory, slash, name);

    hf_assert(needed >= 0 && (size_t)needed < size);
}
