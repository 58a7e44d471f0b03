/* What the file system itself does about a lock.
 *
 * With `worm: advisory` the body becomes read-only. Root, and the owner with one chmod more, can
 * undo that: it keeps accidents away and is called ADVISORY everywhere.
 *
 * With `worm: filer` it lies on a WORM volume (SnapLock and its kin over NFS): the time of access
 * becomes the retention date, then the write bits are taken away, which commits. On an ordinary
 * file system the same calls succeed and protect nothing. So it is tried out: giving the right to
 * write back and opening for writing must not both be possible, for root neither. */
#include "agent/dir/dir_impl.h"

#include <fcntl.h>
#include <inttypes.h>

#define READ_ONLY  0440
#define WRITABLE   0640
#define WRITE_BITS 0222

bool
hf_dir_mirrored(const struct stat *body, const struct hf_dir_info *info)
{
    return (body->st_mode & WRITE_BITS) == 0 && body->st_atim.tv_sec >= info->retain_until_s;
}

static enum hf_status
commit_to_filer(const char *body, const struct hf_dir_info *info, struct hf_error *err)
{
    struct stat stat;
    enum hf_status status = hf_fs_stat(body, &stat, err);

    /* Each only where it changes something: a committed file may refuse even what it is already. */
    if (status == HF_OK && stat.st_atim.tv_sec < info->retain_until_s)
        status = hf_fs_set_atime(body, info->retain_until_s, err);
    if (status == HF_OK && (stat.st_mode & WRITE_BITS))
        status = hf_fs_chmod(body, READ_ONLY, err);
    return status;
}

static enum hf_status
verify_filer(const char *body, const struct hf_dir_info *info, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    struct stat stat;
    enum hf_status status = hf_fs_stat(body, &stat, err);

    if (status != HF_OK)
        return status;
    if (!hf_dir_mirrored(&stat, info))
        return hf_fail(err, HF_ENOTHELD,
                       "'%s' did not keep its retention date as time of access (%" PRId64
                       ", wanted %" PRId64 "); the volume"
                       " may not know dates that late, or is no WORM volume",
                       body, (int64_t)stat.st_atim.tv_sec, info->retain_until_s);
    bool gave_way = hf_fs_chmod(body, WRITABLE, NULL) == HF_OK;
    bool opened = hf_fs_open(body, O_WRONLY | O_NOFOLLOW, 0, &fd, NULL) == HF_OK;
    if (gave_way)
        status = hf_fs_chmod(body, READ_ONLY, err);
    if (opened)
        return hf_fail(err, HF_ENOTHELD,
                       "'%s' can be opened for writing: it does not lie on a WORM volume; use one, "
                       "or `worm: advisory`",
                       body);
    return status;
}

enum hf_status
hf_dir_protect(const struct hf_dir *dir, const char *body, const struct hf_dir_info *info,
               struct hf_error *err)
{
    if (dir->worm != HF_WORM_FILER)
        return hf_fs_chmod(body, READ_ONLY, err);
    /* Without a date of its own a WORM volume would commit to its default. */
    if (info->lock_mode == HF_LOCK_NONE)
        return HF_OK;
    enum hf_status status = commit_to_filer(body, info, err);
    return status == HF_OK ? verify_filer(body, info, err) : status;
}
