/* One object: what is known of it, and its bytes. */
#include "agent/dir/dir_impl.h"

#include <errno.h>
#include <string.h>

/* `fd` stays open for whoever wants the bytes too. */
static enum hf_status
look(struct hf_dir *dir, const char *key, int *ret_fd, struct hf_dir_info *ret_info,
     struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    struct hf_dir_place place;
    struct hf_dir_info info = { .size = 0 };
    struct stat stat;
    enum hf_status status = hf_dir_place_of(dir, key, &place, err);

    if (status == HF_OK)
        status = hf_dir_open_regular(place.body, &fd, &stat, err);
    if (status == HF_OK)
        status = hf_dir_meta_read(place.meta, &info, err);
    /* The body is open, so what was not found is its meta file: removed, or the body was put there
     * by hand. */
    if (status == HF_ENOTFOUND && fd >= 0)
        status = HF_OK;
    if (status != HF_OK)
        return status;
    info.size = (uint64_t)stat.st_size;
    info.last_modified_s = stat.st_mtim.tv_sec;
    info.advisory = info.lock_mode != HF_LOCK_NONE &&
                    (dir->worm != HF_WORM_FILER || !hf_dir_mirrored(&stat, &info));
    *ret_info = info;
    *ret_fd = fd;
    fd = -1;
    return HF_OK;
}

enum hf_status
hf_dir_head(struct hf_dir *dir, const char *key, struct hf_dir_info *ret_info, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;

    return look(dir, key, &fd, ret_info, err);
}

enum hf_status
hf_dir_get(struct hf_dir *dir, const char *key, size_t max, struct hf_buf *ret_body,
           struct hf_dir_info *ret_info, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    hf_owned(hf_buf_done) struct hf_buf body = HF_BUF(max);
    struct hf_dir_info info;
    struct hf_error local, *seen = err ? err : &local;
    size_t got;
    enum hf_status status = look(dir, key, &fd, &info, seen);

    if (status == HF_EIO && seen->sys_errno == EACCES) /* of this file; the disk is well */
        seen->status = status = HF_EREFUSED;
    if (status != HF_OK)
        return status;
    if (info.size > max || hf_buf_reserve(&body, (size_t)info.size) != HF_OK)
        return hf_fail(err, HF_ELIMIT, "'%s' has %llu bytes, more than the %zu that are read", key,
                       (unsigned long long)info.size, max);
    status = hf_fs_pread(fd, body.ptr, (size_t)info.size, 0, &got, err);
    if (status != HF_OK)
        return status;
    if (got != info.size)
        return hf_fail(err, HF_EIO, "'%s' changed while it was read; try again", key);
    body.size = got;
    if (body.ptr)
        body.ptr[got] = '\0';
    hf_buf_done(ret_body);
    *ret_body = body;
    body = HF_BUF(0);
    if (ret_info)
        *ret_info = info;
    return HF_OK;
}
