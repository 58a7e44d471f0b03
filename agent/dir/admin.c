/* Changing locks, and deleting what no lock holds. */
#include "agent/dir/dir_impl.h"

#include <errno.h>

struct found {
    struct hf_dir_place place;
    struct hf_dir_info info;
};

static enum hf_status
find(struct hf_dir *dir, const char *key, struct found *ret_found, struct hf_error *err)
{
    enum hf_status status = hf_dir_place_of(dir, key, &ret_found->place, err);

    return status == HF_OK ? hf_dir_head(dir, key, &ret_found->info, err) : status;
}

enum hf_status
hf_dir_set_retention(struct hf_dir *dir, const char *key, int lock_mode, int64_t retain_until_s,
                     struct hf_error *err)
{
    struct found found;
    char date[HF_TIME_SIZE];
    enum hf_status status = find(dir, key, &found, err);

    if (status != HF_OK)
        return status;
    if (lock_mode == HF_LOCK_NONE || lock_mode < found.info.lock_mode ||
        retain_until_s < found.info.retain_until_s) {
        hf_time_rfc3339(found.info.retain_until_s, date);
        return hf_fail(err, HF_EREFUSED, "'%s' is locked in %s until %s; a lock only grows", key,
                       hf_lock_mode_text(found.info.lock_mode), date);
    }
    if (hf_dir_lock_grow(&found.info, lock_mode, retain_until_s, false))
        status = hf_dir_meta_replace(dir, &found.place, &found.info, err);
    return status == HF_OK ? hf_dir_protect(dir, found.place.body, &found.info, err) : status;
}

enum hf_status
hf_dir_set_legal_hold(struct hf_dir *dir, const char *key, bool on, struct hf_error *err)
{
    struct found found;
    enum hf_status status = find(dir, key, &found, err);

    if (status != HF_OK || found.info.legal_hold == on)
        return status;
    found.info.legal_hold = on;
    return hf_dir_meta_replace(dir, &found.place, &found.info, err);
}

static enum hf_status
check_deletable(const char *key, const struct hf_dir_info *info, bool bypass, struct hf_error *err)
{
    char date[HF_TIME_SIZE];
    bool passes = bypass && info->lock_mode == HF_LOCK_GOVERNANCE;

    if (info->legal_hold)
        return hf_fail(err, HF_EREFUSED, "'%s' is under a legal hold", key);
    if (info->lock_mode != HF_LOCK_NONE && info->retain_until_s > hf_wall_s() && !passes) {
        hf_time_rfc3339(info->retain_until_s, date);
        return hf_fail(err, HF_EREFUSED, "'%s' is locked in %s until %s", key,
                       hf_lock_mode_text(info->lock_mode), date);
    }
    return HF_OK;
}

enum hf_status
hf_dir_delete(struct hf_dir *dir, const char *key, bool bypass, struct hf_error *err)
{
    struct found found;
    struct hf_error local, *seen = err ? err : &local;
    enum hf_status status = find(dir, key, &found, err);

    if (status == HF_OK)
        status = check_deletable(key, &found.info, bypass, err);
    if (status != HF_OK)
        return status;
    /* The body first: without it there is no object, whatever becomes of the rest. */
    status = hf_fs_unlink(found.place.body, seen);
    if (status == HF_EIO &&
        (seen->sys_errno == EPERM || seen->sys_errno == EACCES || seen->sys_errno == EROFS))
        return hf_while(err, HF_EREFUSED, "the file system holds it");
    if (status == HF_OK)
        status = hf_fs_sync_dir(found.place.folder, err);
    if (status != HF_OK)
        return status;
    status = hf_fs_unlink(found.place.meta, err);
    return status == HF_ENOTFOUND ? HF_OK : status;
}
