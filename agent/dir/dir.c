/* Opening: from a directory and a bucket's name to a folder. */
#include "agent/dir/dir_impl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ROOT leaves room for bucket, key, and the longest suffix a file of ours gets. */
#define ROOT_MAX 1024

enum hf_status
hf_dir_open(const char *root, const char *bucket, int worm, struct hf_dir **ret_dir,
            struct hf_error *err)
{
    if (root[0] != '/')
        return hf_fail(err, HF_ECONFIG, "'dir://%s' is no directory store; write dir:///DIRECTORY",
                       root);
    size_t size = strlen(root);
    if (size > ROOT_MAX)
        return hf_fail(err, HF_ECONFIG,
                       "the directory of 'dir://%s' has over %d bytes; use a shorter path", root,
                       ROOT_MAX);
    while (size > 1 && root[size - 1] == '/')
        size--;
    if (!hf_dir_segment_ok(bucket, strlen(bucket)))
        return hf_fail(err, HF_ECONFIG, "'%s' cannot name a bucket's folder", bucket);

    struct hf_dir *dir = hf_alloc(sizeof(*dir));
    dir->path = hf_asprintf("%.*s/%s", size == 1 ? 0 : (int)size, root, bucket);
    dir->worm = worm;
    *ret_dir = dir;
    return HF_OK;
}

void
hf_dir_close(struct hf_dir *dir)
{
    if (!dir)
        return;
    free(dir->path);
    free(dir);
}

void
hf_dir_closep(struct hf_dir **dir)
{
    hf_dir_close(*dir);
    *dir = NULL;
}

const char *
hf_dir_path(const struct hf_dir *dir)
{
    return dir->path;
}

enum hf_status
hf_dir_bucket_state(struct hf_dir *dir, bool *ret_there, bool *ret_writable, struct hf_error *err)
{
    struct stat info;
    struct hf_error cause;
    enum hf_status status = hf_fs_stat(dir->path, &info, err);

    if (status == HF_ENOTFOUND) {
        *ret_there = *ret_writable = false;
        return HF_OK;
    }
    if (status != HF_OK)
        return status;
    if (!S_ISDIR(info.st_mode))
        return hf_fail(err, HF_ECONFIG, "'%s' is not a directory; move it away or choose another",
                       dir->path);
    *ret_there = true;
    *ret_writable = hf_fs_access(dir->path, R_OK | W_OK | X_OK, &cause) == HF_OK;
    return HF_OK;
}

enum hf_status
hf_dir_bucket_create(struct hf_dir *dir, struct hf_error *err)
{
    return hf_while(err, hf_fs_mkdirs(dir->path, 0750, err), "making the bucket's folder");
}
