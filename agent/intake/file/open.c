/* Opening a file, once it is known that we may. */
#include "agent/intake/file/looking.h"
#include "agent/intake/thread.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void
find_real_path(struct hf_file *file)
{
    char real[HF_PATH_MAX];
    if (hf_fs_real_path(file->path.text, real, NULL) != HF_OK || strcmp(real, file->path.text) == 0)
        return;
    hf_file_set_real_path(file, real);
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

/* HF_ENOTFOUND: there is none, or no regular one. */
static enum hf_status
open_checked(const char *path, int *ret_fd, struct hf_fs_identity *ret_who, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    enum hf_status status = hf_fs_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &fd, err);
    if (status == HF_OK)
        status = hf_fs_identify(fd, NULL, ret_who, err);
    if (status == HF_OK)
        status = check_link(path, fd, err);
    if (status != HF_OK)
        return status;
    if (!S_ISREG(ret_who->mode))
        return HF_ENOTFOUND;
    *ret_fd = fd;
    fd = -1;
    return HF_OK;
}

/* Its position is written down before it is read: it may be renamed while we are stopped. */
static struct hf_file *
begin(struct hf_file *file, uint64_t size)
{
    struct hf_error err = { .status = HF_OK };
    hf_file_set_dirty(file, true);
    find_real_path(file);
    if (hf_orphan_adopt(file, size, &err) != HF_OK) {
        hf_file_scan_problem(file->source, &err); /* who it is cannot be told now: the next scan
                                                     tries again */
        hf_file_close(file);
        return NULL;
    }
    hf_file_ready(file);
    return file;
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
    hf_thread_doing(source->source.thread, path);
    enum hf_status status = open_checked(path, &fd, &who, &err);
    if (status != HF_OK) {
        if (status != HF_ENOTFOUND)
            hf_file_scan_problem(source, &err);
        return NULL;
    }
    struct hf_file_id id = hf_file_id_of(&who);
    struct hf_file *file = hf_file_by_id(source, &id);
    if (file)
        return file;
    file = hf_file_new(source, fd, &id, path);
    fd = -1;
    return begin(file, who.size);
}
