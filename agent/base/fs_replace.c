/* The one home of all-or-nothing file writes: a temporary file beside the old one is written,
 * synced and renamed over it, and the directory is synced.
 *
 * Whatever fails, the path names the old content or the new, whole; the temporary is removed. A
 * crash can leave a temporary behind (".NAME.tmp-PID-N"), which nothing ever reads. */
#include "agent/base/base_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How many temporaries of crashed processes with our process id we step over. */
#define MAX_LEFTOVERS 1000

struct split_path {
    char directory[HF_PATH_MAX];
    const char *name;
};

static enum hf_status
split(const char *path, struct split_path *ret_split, struct hf_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t directory_size = (size_t)(name - path);

    if (*name == '\0' || directory_size >= HF_PATH_MAX)
        return hf_fail(err, HF_EUSAGE, "'%s' does not name a file", path);
    memcpy(ret_split->directory, path, directory_size);
    ret_split->directory[directory_size] = '\0';
    if (directory_size == 0)
        memcpy(ret_split->directory, "./", 3);
    ret_split->name = name;
    return HF_OK;
}

static enum hf_status
open_temporary(const struct split_path *split, mode_t mode, char ret_path[HF_PATH_MAX], int *ret_fd,
               struct hf_error *err)
{
    static unsigned counter;
    enum hf_status status = HF_EEXISTS;

    for (int i = 0; i < MAX_LEFTOVERS && status == HF_EEXISTS; i++) {
        unsigned number = __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
        int size = snprintf(ret_path, HF_PATH_MAX, "%s.%s.tmp-%d-%u", split->directory, split->name,
                            (int)getpid(), number);
        if (size < 0 || size >= HF_PATH_MAX)
            return hf_fail(err, HF_ELIMIT, "the path of '%s' is too long", split->name);
        status = hf_fs_open(ret_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode, ret_fd, err);
    }
    return status;
}

static enum hf_status
fill(int fd, const void *bytes, size_t size, mode_t mode, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "fchmod", .fd = fd };

    /* The mode is the caller's, not what the umask of whoever started us made of it. */
    if (hf_fs_before(&call) != 0 || fchmod(fd, mode) != 0)
        return hf_fs_failed_fd(err, "setting the mode of", fd);
    enum hf_status status = hf_fs_write(fd, bytes, size, err);
    if (status != HF_OK)
        return status;
    return hf_fs_fsync(fd, err);
}

enum hf_status
hf_fs_replace(const char *path, const void *bytes, size_t size, mode_t mode, struct hf_error *err)
{
    struct split_path parts;
    char temporary[HF_PATH_MAX];
    int fd = -1;
    enum hf_status status = split(path, &parts, err);

    if (status == HF_OK)
        status = open_temporary(&parts, mode, temporary, &fd, err);
    if (status != HF_OK)
        return hf_while(err, status, "replacing '%s'", path);

    status = fill(fd, bytes, size, mode, err);
    hf_fs_close(&fd);
    if (status == HF_OK)
        status = hf_fs_rename(temporary, path, err);
    if (status != HF_OK) {
        if (hf_fs_unlink(temporary, NULL) != HF_OK)
            hf_while(err, status, "leaving '%s' behind", temporary);
        return hf_while(err, status, "replacing '%s'", path);
    }
    status = hf_fs_sync_dir(parts.directory, err);
    return hf_while(err, status, "replacing '%s'", path);
}
