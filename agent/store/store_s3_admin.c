/* The S3 driver: what changes things, a bucket or a lock.
 */
#include "agent/store/store_impl.h"

#include <holdfast/s3.h>
#include <stdio.h>
#include <string.h>

/* ---- the bucket ---- */

/* MinIO says of a bucket that is not there what it says of one without Object Lock. */
static bool
is_missing(struct hf_store_s3 *state)
{
    struct hf_s3_request request = { .method = "HEAD" };
    struct hf_s3_reply reply;
    enum hf_status status =
        hf_store_s3_call(state, &request, "asking for the bucket", &reply, NULL);

    if (status == HF_OK)
        hf_s3_reply_done(&reply);
    return status == HF_ENOTFOUND;
}

enum hf_status
hf_store_s3_bucket_state(void *context, enum hf_lock_state *ret_state, struct hf_error *err)
{
    struct hf_store_s3 *state = context;
    struct hf_s3_pair query = { "object-lock", NULL };
    struct hf_s3_request request = {
        .method = "GET", .query = &query, .query_count = 1, .expect = HF_S3_EXPECT_XML
    };
    char *doing hf_owned(hf_freep) =
        hf_asprintf("asking for the Object Lock of bucket '%s'", state->bucket);
    struct hf_error why = { .http_status = 0 };
    struct hf_s3_lock_config config;
    struct hf_s3_reply reply;
    enum hf_status status = hf_store_s3_call(state, &request, doing, &reply, &why);

    if (status == HF_OK) {
        status = hf_s3_parse_lock_config(hf_buf_slice(&reply.body), &config, &why);
        hf_s3_reply_done(&reply);
        if (status == HF_OK)
            *ret_state = config.enabled ? HF_BUCKET_LOCKED : HF_BUCKET_UNLOCKED;
    } else if (status == HF_ENOTFOUND) {
        bool missing = strcmp(why.store_code, "NoSuchBucket") == 0 || is_missing(state);

        *ret_state = missing ? HF_BUCKET_MISSING : HF_BUCKET_UNLOCKED;
        status = HF_OK;
    } else if (why.http_status == 501 || why.http_status == 405) {
        *ret_state = HF_BUCKET_UNLOCKED; /* the store does not know Object Lock */
        status = HF_OK;
    }
    if (status != HF_OK && err)
        *err = why;
    return status;
}

static enum hf_status
create(struct hf_store_s3 *state, const char *region, struct hf_error *err)
{
    struct hf_s3_pair header = { "x-amz-bucket-object-lock-enabled", "true" };
    struct hf_s3_request request = { .method = "PUT", .headers = &header, .header_count = 1 };
    char *doing hf_owned(hf_freep) = hf_asprintf("making bucket '%s'", state->bucket);
    struct hf_buf document hf_owned(hf_buf_done) = HF_BUF(1024);
    struct hf_s3_reply reply;
    enum hf_status status = HF_OK;

    if (region)
        status = hf_buf_addf(
            &document,
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
            "<LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>",
            region);
    if (status != HF_OK)
        return hf_fail(err, status, "region '%s' is too long", region);
    request.body = hf_buf_slice(&document);
    status = hf_store_s3_call(state, &request, doing, &reply, err);
    if (status == HF_OK)
        hf_s3_reply_done(&reply);
    return status;
}

/* AWS wants the region named everywhere but in us-east-1; Ceph and MinIO refuse one they do not
 * know by that name. */
enum hf_status
hf_store_s3_bucket_create(void *context, struct hf_error *err)
{
    struct hf_store_s3 *state = context;
    struct hf_error why = { .http_status = 0 };
    enum hf_status status = create(state, NULL, &why);

    if (status != HF_OK && strcmp(why.store_code, "IllegalLocationConstraintException") == 0)
        status = create(state, hf_s3_region(state->s3), &why);
    if (status != HF_OK && err)
        *err = why;
    return status;
}

enum hf_status
hf_store_s3_bucket_get(void *context, const char *subresource, struct hf_buf *ret_document,
                       struct hf_error *err)
{
    struct hf_store_s3 *state = context;
    struct hf_s3_pair query = { subresource, NULL };
    struct hf_s3_request request = {
        .method = "GET", .query = &query, .query_count = 1, .max_reply = HF_STORE_DOCUMENT_MAX
    };
    char *doing hf_owned(hf_freep) =
        hf_asprintf("reading ?%s of bucket '%s'", subresource, state->bucket);
    struct hf_s3_reply reply;
    enum hf_status status = hf_store_s3_call(state, &request, doing, &reply, err);

    if (status != HF_OK)
        return status;
    hf_buf_reset(ret_document);
    status = hf_buf_add(ret_document, reply.body.ptr, reply.body.size);
    hf_s3_reply_done(&reply);
    return status == HF_OK
               ? HF_OK
               : hf_fail(err, status, "%s: the document is larger than expected", doing);
}

enum hf_status
hf_store_s3_bucket_put(void *context, const char *subresource, const char *content_type,
                       struct hf_slice document, struct hf_error *err)
{
    struct hf_store_s3 *state = context;
    struct hf_s3_pair query = { subresource, NULL }, header = { "Content-Type", content_type };
    struct hf_s3_request request = {
        .method = "PUT",
        .query = &query,
        .query_count = 1,
        .headers = &header,
        .header_count = content_type ? 1 : 0,
        .body = document,
        .content_md5 = true, /* MinIO insists for most of them */
    };
    char *doing hf_owned(hf_freep) =
        hf_asprintf("setting ?%s of bucket '%s'", subresource, state->bucket);
    struct hf_s3_reply reply;
    enum hf_status status = hf_store_s3_call(state, &request, doing, &reply, err);

    if (status == HF_OK)
        hf_s3_reply_done(&reply);
    return status;
}

/* ---- single objects ---- */

enum hf_status
hf_store_s3_probe_put(void *context, const char *key, struct hf_slice body, int lock_mode,
                      int64_t retain_until_s, struct hf_object_info *ret_info, struct hf_error *err)
{
    struct hf_store_s3 *state = context;
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_s3_pair headers[] = { { "Content-Type", "application/octet-stream" },
                                    { "x-amz-meta-holdfast-sha256", sha256 } };
    struct hf_s3_request request = {
        .method = "PUT",
        .key = key,
        .headers = headers,
        .header_count = HF_COUNT(headers),
        .body = body,
        .payload_sha256 = sha256,
        .content_md5 = true,
        .lock_mode = lock_mode,
        .retain_until_s = retain_until_s,
        .expect = HF_S3_EXPECT_OBJECT,
    };
    char *doing hf_owned(hf_freep) = hf_asprintf("putting '%s'", key);
    struct hf_s3_reply reply;
    enum hf_status status;

    hf_sha256_hex(body.ptr ? (const void *)body.ptr : "", body.size, sha256);
    status = hf_store_s3_call(state, &request, doing, &reply, err);
    if (status != HF_OK)
        return status;
    status = hf_store_s3_head(state, key, reply.version_id, ret_info, err);
    hf_s3_reply_done(&reply);
    return status;
}

static const struct hf_s3_pair bypass_header = { "x-amz-bypass-governance-retention", "true" };

enum hf_status
hf_store_s3_delete_version(void *context, const char *key, const char *version_id, bool bypass,
                           struct hf_error *err)
{
    struct hf_s3_pair query = { "versionId", version_id };
    struct hf_s3_request request = {
        .method = "DELETE",
        .key = key,
        .query = &query,
        .query_count = version_id && *version_id ? 1 : 0,
        .headers = &bypass_header,
        .header_count = bypass ? 1 : 0,
    };
    char *doing hf_owned(hf_freep) = hf_asprintf("deleting a version of '%s'", key);
    struct hf_s3_reply reply;
    enum hf_status status = hf_store_s3_call(context, &request, doing, &reply, err);

    if (status == HF_OK)
        hf_s3_reply_done(&reply);
    return status;
}

enum hf_status
hf_store_s3_set_retention(void *context, const char *key, const char *version_id, int lock_mode,
                          int64_t retain_until_s, bool bypass, struct hf_error *err)
{
    struct hf_s3_pair query[] = { { "retention", NULL }, { "versionId", version_id } };
    struct hf_s3_request request = {
        .method = "PUT",
        .key = key,
        .query = query,
        .query_count = version_id && *version_id ? 2 : 1,
        .headers = &bypass_header,
        .header_count = bypass ? 1 : 0,
        .content_md5 = true,
    };
    char *doing hf_owned(hf_freep) = hf_asprintf("setting the retention of '%s'", key);
    struct hf_buf document hf_owned(hf_buf_done) = HF_BUF(1024);
    struct hf_s3_reply reply;
    enum hf_status status = hf_s3_retention_document(lock_mode, retain_until_s, &document);

    if (status != HF_OK)
        return hf_fail(err, status, "%s", doing);
    request.body = hf_buf_slice(&document);
    status = hf_store_s3_call(context, &request, doing, &reply, err);
    if (status == HF_OK)
        hf_s3_reply_done(&reply);
    return status;
}
