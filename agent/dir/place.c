/* New files: exclusively and durably, or not at all.
 *
 * link(2) and not rename(2) puts a file in its place: rename would replace what lies there, a
 * locked object, without a word. A crash may leave a temporary (".tmp-PID-N"), which nobody ever
 * reads or lists. */
#include "agent/dir/dir_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* How many temporaries of crashed processes with our process id we step over. */
#define MAX_LEFTOVERS 1000

static enum hf_status
open_temporary(const char *folder, char ret_path[HF_PATH_MAX], int *ret_fd, struct hf_error *err)
{
    static unsigned counter;
    enum hf_status status = HF_EEXISTS;

    for (int i = 0; i < MAX_LEFTOVERS && status == HF_EEXISTS; i++) {
        unsigned number = __atomic_add_fetch(&counter, 1, __ATOMIC_RELAXED);
        int size = snprintf(ret_path, HF_PATH_MAX, "%s/.tmp-%d-%u", folder, (int)getpid(), number);
        hf_assert(size > 0 && size < HF_PATH_MAX);
        status = hf_fs_open(ret_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, ret_fd, err);
    }
    /* The name that is taken is the temporary's; to the caller HF_EEXISTS means the object. */
    return status == HF_EEXISTS ? HF_EIO : status;
}

enum hf_status
hf_dir_place_new(const char *folder, const char *path, mode_t mode, hf_dir_filler fill,
                 void *context, struct hf_error *err)
{
    char temporary[HF_PATH_MAX];
    int fd = -1;
    enum hf_status status = open_temporary(folder, temporary, &fd, err);

    if (status != HF_OK)
        return status;
    status = fill(context, fd, err);
    if (status == HF_OK)
        status = hf_fs_fsync(fd, err);
    hf_fs_close(&fd);
    if (status == HF_OK)
        status = hf_fs_chmod(temporary, mode, err);
    if (status == HF_OK)
        status = hf_fs_link(temporary, path, err);
    /* One that cannot be removed is a second name that nobody lists; the object is in its place all
     * the same. */
    if (hf_fs_unlink(temporary, NULL) != HF_OK)
        hf_log_debug("dir.leftover", HF_STR("path", temporary));
    return status == HF_OK ? hf_fs_sync_dir(folder, err) : status;
}

enum hf_status
hf_dir_open_regular(const char *path, int *ret_fd, struct stat *ret_stat, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    struct hf_error local, *seen = err ? err : &local;
    struct stat info;
    /* Without O_NONBLOCK a pipe in the file's place would hold us here. */
    enum hf_status status =
        hf_fs_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, &fd, seen);

    if (status != HF_OK && status != HF_ENOTFOUND && seen->sys_errno == ELOOP)
        return hf_fail(err, HF_EREFUSED, "'%s' is a symbolic link, not an object; move it away",
                       path);
    if (status != HF_OK)
        return status;
    status = hf_fs_fstat(fd, &info, err);
    if (status != HF_OK)
        return status;
    if (!S_ISREG(info.st_mode))
        return hf_fail(err, HF_EREFUSED, "'%s' is not a regular file, not an object; move it away",
                       path);
    *ret_stat = info;
    *ret_fd = fd;
    fd = -1;
    return HF_OK;
}
