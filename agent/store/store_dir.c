/* The directory driver: the same questions, put to agent/dir. It has one version of each key and no
 * sub-resources.
 */
#include "agent/store/store_impl.h"

#include <holdfast/dir.h>
#include <stdio.h>
#include <string.h>

enum hf_status
hf_store_dir_open(const struct hf_config_store *store, const char *bucket, void **ret_state,
                  struct hf_error *err)
{
    struct hf_dir *dir = NULL;
    enum hf_status status =
        hf_dir_open(hf_config_store_place(store), bucket, store->worm, &dir, err);

    if (status == HF_OK)
        *ret_state = dir;
    return status;
}

static void
close_dir(void *state)
{
    hf_dir_close(state);
}

static int64_t
skew_s(const void *state)
{
    (void)state;
    return 0;
}

static enum hf_status
set_sse_c(void *state, const uint8_t key[32], struct hf_error *err)
{
    (void)key;
    return hf_fail(err, HF_ECONFIG, "'%s' is a directory, which has no SSE-C", hf_dir_path(state));
}

static void
fill_info(const struct hf_dir_info *from, struct hf_object_info *ret_info)
{
    *ret_info = (struct hf_object_info){
        .size = from->size,
        .lock_mode = from->lock_mode,
        .retain_until_s = from->retain_until_s,
        .legal_hold = from->legal_hold,
        .advisory = from->advisory,
        .last_modified_s = from->last_modified_s,
    };
    snprintf(ret_info->content_type, sizeof(ret_info->content_type), "%s", from->content_type);
    snprintf(ret_info->sha256, sizeof(ret_info->sha256), "%s", from->sha256);
    snprintf(ret_info->signature, sizeof(ret_info->signature), "%s", from->signature);
    snprintf(ret_info->signature_algorithm, sizeof(ret_info->signature_algorithm), "%s",
             from->signature_algorithm);
}

static enum hf_status
check_version(const char *key, const char *version_id, struct hf_error *err)
{
    if (version_id && *version_id)
        return hf_fail(err, HF_ENOTFOUND,
                       "'%s' has no version '%.64s': a directory has no version ids", key,
                       version_id);
    return HF_OK;
}

static enum hf_status
head(void *state, const char *key, const char *version_id, struct hf_object_info *ret_info,
     struct hf_error *err)
{
    enum hf_status status = check_version(key, version_id, err);
    struct hf_dir_info info;

    if (status == HF_OK)
        status = hf_dir_head(state, key, &info, err);
    if (status == HF_OK)
        fill_info(&info, ret_info);
    return status;
}

static enum hf_status
get(void *state, const char *key, const char *version_id, size_t max, struct hf_buf *ret_body,
    struct hf_object_info *ret_info, struct hf_error *err)
{
    enum hf_status status = check_version(key, version_id, err);
    struct hf_buf body = HF_BUF(max);
    struct hf_dir_info info;

    if (status == HF_OK)
        status = hf_dir_get(state, key, max, &body, &info, err);
    if (status != HF_OK) {
        hf_buf_done(&body);
        return status;
    }
    if (ret_info)
        fill_info(&info, ret_info);
    body.max = HF_MAX(ret_body->max, body.size);
    hf_buf_done(ret_body);
    *ret_body = body;
    return HF_OK;
}

static enum hf_status
list(void *state, const char *prefix, const char *after, size_t max, struct hf_strings *ret_keys,
     struct hf_error *err)
{
    return hf_dir_list(state, prefix, after ? after : "", max, ret_keys, err);
}

static enum hf_status
versions(void *state, const char *key, struct hf_version_entry **ret_entries, size_t *ret_count,
         struct hf_error *err)
{
    struct hf_version_entry *entries;
    struct hf_dir_info info;
    enum hf_status status = hf_dir_head(state, key, &info, err);

    if (status == HF_ENOTFOUND) { /* as S3 has it: no versions is an answer */
        *ret_entries = NULL;
        *ret_count = 0;
        return HF_OK;
    }
    if (status != HF_OK)
        return status;
    entries = hf_alloc(sizeof(*entries));
    entries->version_id = hf_strdup("");
    entries->is_latest = true;
    entries->size = info.size;
    *ret_entries = entries;
    *ret_count = 1;
    return HF_OK;
}

static enum hf_status
bucket_state(void *state, enum hf_lock_state *ret_state, struct hf_error *err)
{
    bool there = false, writable = false;
    enum hf_status status = hf_dir_bucket_state(state, &there, &writable, err);

    if (status != HF_OK)
        return status;
    if (there && !writable)
        return hf_fail(err, HF_EACCESS,
                       "'%s' may not be written by this user: give it the right to",
                       hf_dir_path(state));
    *ret_state =
        there ? HF_BUCKET_LOCKED
              : HF_BUCKET_MISSING; /* how far the lock goes is said with each object: advisory */
    return HF_OK;
}

static enum hf_status
bucket_create(void *state, struct hf_error *err)
{
    return hf_dir_bucket_create(state, err);
}

static enum hf_status
bucket_get(void *state, const char *subresource, struct hf_buf *ret_document, struct hf_error *err)
{
    (void)ret_document;
    return hf_fail(err, HF_ENOTFOUND, "'%s' is a directory, which has no ?%s", hf_dir_path(state),
                   subresource);
}

static enum hf_status
bucket_put(void *state, const char *subresource, const char *content_type, struct hf_slice document,
           struct hf_error *err)
{
    (void)content_type;
    (void)document;
    return hf_fail(err, HF_EREFUSED, "'%s' is a directory, which has no ?%s", hf_dir_path(state),
                   subresource);
}

static enum hf_status
probe_put(void *state, const char *key, struct hf_slice body, int lock_mode, int64_t retain_until_s,
          struct hf_object_info *ret_info, struct hf_error *err)
{
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = {
        .key = key,
        .content_type = "application/octet-stream",
        .body = body,
        .size = body.size,
        .sha256 = sha256,
        .lock_mode = lock_mode,
        .retain_until_s = retain_until_s,
    };
    enum hf_status status;

    hf_sha256_hex(body.ptr ? (const void *)body.ptr : "", body.size, sha256);
    status = hf_dir_put(state, &object, err);
    return status == HF_OK ? head(state, key, NULL, ret_info, err) : status;
}

/* What a store answers to someone who touches a lock is 403. */
static enum hf_status
as_denied(enum hf_status status, struct hf_error *err)
{
    if (status != HF_EREFUSED)
        return status;
    if (err)
        err->status = HF_EACCESS;
    return HF_EACCESS;
}

static enum hf_status
delete_version(void *state, const char *key, const char *version_id, bool bypass,
               struct hf_error *err)
{
    enum hf_status status = check_version(key, version_id, err);

    return status == HF_OK ? as_denied(hf_dir_delete(state, key, bypass, err), err) : status;
}

static enum hf_status
set_retention(void *state, const char *key, const char *version_id, int lock_mode,
              int64_t retain_until_s, bool bypass, struct hf_error *err)
{
    enum hf_status status = check_version(key, version_id, err);

    (void)bypass; /* a directory's locks only grow */
    return status == HF_OK
               ? as_denied(hf_dir_set_retention(state, key, lock_mode, retain_until_s, err), err)
               : status;
}

const struct hf_store_driver hf_store_dir_driver = {
    .is_dir = true,
    .close = close_dir,
    .skew_s = skew_s,
    .set_sse_c = set_sse_c,
    .head = head,
    .get = get,
    .list = list,
    .versions = versions,
    .bucket_state = bucket_state,
    .bucket_create = bucket_create,
    .bucket_get = bucket_get,
    .bucket_put = bucket_put,
    .probe_put = probe_put,
    .delete_version = delete_version,
    .set_retention = set_retention,
};
