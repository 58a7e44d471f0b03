/* Whole files, secrets, and the lock that says who owns a directory. */
#include "agent/base/base_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define READ_STEP 65536

/* Reads to the end; the buffer's maximum is the limit. A file that cannot say its size (a pipe,
 * /proc) is read too. */
static enum hf_status
read_to_end(int fd, const char *path, struct hf_buf *bytes, struct hf_error *err)
{
    for (;;) {
        uint8_t past_end;
        size_t room = HF_MIN(bytes->max - bytes->size, READ_STEP);
        size_t got;
        enum hf_status status;

        if (room == 0) {
            status = hf_fs_read(fd, &past_end, 1, &got, err);
            if (status == HF_OK && got > 0)
                return hf_fail(err, HF_ELIMIT, "'%s' is larger than the %zu bytes it may have",
                               path, bytes->max);
            return status;
        }
        status = hf_buf_reserve(bytes, room);
        if (status != HF_OK)
            return status;
        status = hf_fs_read(fd, bytes->ptr + bytes->size, room, &got, err);
        if (status != HF_OK)
            return status;
        if (got == 0)
            return HF_OK;
        bytes->size += got;
        bytes->ptr[bytes->size] = '\0';
    }
}

/* A pipe that was handed to us (`-c <(...)`, by a link of /proc) is read as it comes; one with a name
 * would hold whoever opens it until somebody writes. */
static enum hf_status
check_readable(int fd, const char *path, const struct stat *info, bool linked, size_t max,
               struct hf_error *err)
{
    if (S_ISREG(info->st_mode) && (uint64_t)info->st_size > max)
        return hf_fail(err, HF_ELIMIT, "'%s' has %lld bytes, more than the %zu it may have", path,
                       (long long)info->st_size, max);
    if (!S_ISFIFO(info->st_mode))
        return HF_OK;
    if (!linked)
        return hf_fail(err, HF_EREFUSED, "'%s' is a pipe; name a regular file", path);
    if (fcntl(fd, F_SETFL, O_RDONLY) != 0)
        return hf_fs_failed_path(err, "reading", path);
    return HF_OK;
}

enum hf_status
hf_fs_read_file(const char *path, size_t max, struct hf_buf *ret_bytes, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(max);
    struct stat info;
    bool linked;
    enum hf_status status = hf_fs_open_trusted(path, O_RDONLY, NULL, &fd, &linked, err);

    if (status == HF_OK)
        status = hf_fs_fstat(fd, &info, err);
    if (status == HF_OK)
        status = check_readable(fd, path, &info, linked, max, err);
    if (status == HF_OK)
        status = read_to_end(fd, path, &bytes, err);
    if (status != HF_OK)
        return status;
    hf_buf_done(ret_bytes);
    *ret_bytes = bytes;
    bytes = HF_BUF(max);
    return HF_OK;
}

/* Everyone who may read a secret file's group is meant to; everyone who may not must not even by
 * accident. */
static enum hf_status
check_secret(const char *path, const struct stat *info, size_t max, struct hf_error *err)
{
    unsigned mode = info->st_mode & 07777;
    unsigned us = (unsigned)geteuid();

    if (!S_ISREG(info->st_mode))
        return hf_fail(err, HF_ECONFIG, "'%s' holds a secret and is not a regular file; name one",
                       path);
    if (info->st_uid != us && info->st_uid != 0)
        return hf_fail(
            err, HF_ECONFIG,
            "'%s' holds a secret and is owned by uid %u, not by uid %u or root: chown %u '%s'",
            path, (unsigned)info->st_uid, us, us, path);
    if (mode & 0027)
        return hf_fail(err, HF_ECONFIG,
                       "'%s' holds a secret and has mode %04o, open to %s: chmod %04o '%s'", path,
                       mode, mode & 0007 ? "others" : "changes by its group", mode & 0750, path);
    if ((uint64_t)info->st_size > max)
        return hf_fail(err, HF_ELIMIT, "'%s' has %lld bytes, more than the %zu it may have", path,
                       (long long)info->st_size, max);
    return HF_OK;
}

static void
wipe_and_free(struct hf_buf *bytes)
{
    hf_wipe(bytes->ptr, bytes->capacity);
    hf_buf_done(bytes);
}

/* systemd gives a service what only root may read: LoadCredential=FOLDER:/path/FOLDER puts each
 * of its files into $CREDENTIALS_DIRECTORY as FOLDER_NAME (systemd.exec, "LoadCredential="). The
 * configuration names the file where it lies. */
const char *
hf_fs_secret_path(const char *path, char ret_path[HF_PATH_MAX])
{
    const char *loaded = getenv("CREDENTIALS_DIRECTORY"), *name = strrchr(path, '/'),
               *folder = name;

    while (folder && folder > path && folder[-1] != '/')
        folder--;
    if (!loaded || !folder || folder == name)
        return path;
    int size = snprintf(ret_path, HF_PATH_MAX, "%s/%.*s_%s", loaded, (int)(name - folder), folder,
                        name + 1);
    return size < HF_PATH_MAX && hf_fs_access(ret_path, F_OK, NULL) == HF_OK ? ret_path : path;
}

enum hf_status
hf_fs_read_secret(const char *named, size_t max, struct hf_buf *ret_bytes, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    char credential[HF_PATH_MAX];
    const char *path = hf_fs_secret_path(named, credential);
    struct stat info;
    size_t got;
    enum hf_status status = hf_fs_open_trusted(path, O_RDONLY, NULL, &fd, NULL, err);

    if (status == HF_OK)
        status = hf_fs_fstat(fd, &info, err);
    if (status == HF_OK)
        status = check_secret(path, &info, max, err);
    if (status != HF_OK)
        return status;

    /* Reserved at once: a buffer that grows leaves copies of the secret in freed memory. */
    size_t size = (size_t)info.st_size;
    hf_owned(wipe_and_free) struct hf_buf bytes = HF_BUF(size + 1);
    status = hf_buf_reserve(&bytes, size + 1);
    if (status != HF_OK)
        return status;
    status = hf_fs_pread(fd, bytes.ptr, size + 1, 0, &got, err);
    if (status != HF_OK)
        return status;
    if (got != size)
        return hf_fail(err, HF_EIO, "'%s' changed while it was read; try again", path);
    bytes.size = size;
    bytes.ptr[size] = '\0';
    bytes.max = max;
    wipe_and_free(ret_bytes);
    *ret_bytes = bytes;
    bytes = HF_BUF(0);
    return HF_OK;
}

enum hf_status
hf_fs_lock(const char *path, int *ret_fd, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    int result;
    enum hf_status status = hf_fs_open(path, O_RDWR | O_CREAT, 0600, &fd, err);

    if (status != HF_OK)
        return status;
    do {
        struct hf_fs_call call = { .name = "flock", .path = path, .fd = fd };
        result = hf_fs_before(&call) == 0 ? flock(fd, LOCK_EX | LOCK_NB) : -1;
    } while (result < 0 && errno == EINTR);
    if (result < 0 && errno == EWOULDBLOCK)
        return hf_fail(err, HF_EBUSY, "'%s' is locked by another process; stop that one first",
                       path);
    if (result < 0)
        return hf_fs_failed_path(err, "locking", path);
    *ret_fd = fd;
    fd = -1;
    return HF_OK;
}
