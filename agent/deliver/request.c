/* The requests of a delivery, made from its sealed file. */
#include "agent/deliver/deliver_impl.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct headers {
    struct hf_s3_pair pairs[HF_S3_PAIRS_MAX];
    size_t count;
};

static void
add(struct headers *headers, const char *name, const char *value)
{
    if (!value)
        return;
    hf_assert(headers->count < HF_S3_PAIRS_MAX);
    headers->pairs[headers->count++] = (struct hf_s3_pair){ name, value };
}

static const struct hf_sealed *
sealed_of(const struct work *work)
{
    return work->delivery->sealed;
}

static bool
confirms_by_head(const struct work *work)
{
    return work->deliverer->store.confirm == HF_CONFIRM_HEAD;
}

/* P8: what the store is to encrypt with a key never goes out over a line that anyone can read. */
static enum hf_status
check_encryption(const struct work *work, struct hf_error *err)
{
    const struct hf_sealed *sealed = sealed_of(work);
    bool needs_tls =
        sealed->encryption == HF_ENCRYPT_SSE_C || sealed->encryption == HF_ENCRYPT_SSE_KMS;

    if (needs_tls && !hf_s3_is_tls(work->deliverer->s3))
        return hf_fail(err, HF_ECONFIG,
                       "encryption %s needs https:// and '%s' is not; nothing was sent",
                       hf_encryption_text(sealed->encryption), hf_s3_url(work->deliverer->s3));
    if (sealed->encryption == HF_ENCRYPT_SSE_C && !sealed->sse_c_key_file)
        return hf_fail(err, HF_ECONFIG, "encryption sse-c without a key file; nothing was sent");
    return HF_OK;
}

static enum hf_status
send_with_key(struct work *work, struct hf_s3_request *request, struct hf_error *err)
{
    const struct hf_sealed *sealed = sealed_of(work);
    enum hf_status status = check_encryption(work, err);

    if (status != HF_OK)
        return status;
    return work_send_with_key(
        work, request, sealed->encryption == HF_ENCRYPT_SSE_C ? sealed->sse_c_key_file : NULL, err);
}

/* The key is on our stack for no longer than the sending. */
enum hf_status
work_send_with_key(struct work *work, struct hf_s3_request *request, const char *key_file,
                   struct hf_error *err)
{
    uint8_t key[32];
    enum hf_status status;

    if (key_file) {
        status = hf_key256_load(key_file, key, err);
        if (status != HF_OK) {
            hf_wipe(key, sizeof(key));
            return hf_while(err, HF_ECONFIG, "reading the key of encryption sse-c");
        }
        request->sse_c_key = key;
    }
    status = work_send(work, request, err);
    hf_wipe(key, sizeof(key));
    return status;
}

/* ---- PUT ---- */

static void
add_metadata(struct headers *headers, const struct hf_sealed *sealed)
{
    add(headers, "Content-Type", sealed->content_type);
    add(headers, "Content-Encoding", sealed->content_encoding);
    add(headers, "x-amz-meta-holdfast-sha256", sealed->sha256);
    add(headers, "x-amz-meta-holdfast-chain", sealed->chain);
    add(headers, "x-amz-meta-holdfast-window", sealed->window);
    add(headers, "x-amz-meta-holdfast-compression", sealed->compression);
    add(headers, "x-amz-meta-signature", sealed->signature);
    add(headers, "x-amz-meta-signature-algorithm", sealed->signature_algorithm);
}

static void
add_encryption(struct headers *headers, const struct hf_sealed *sealed)
{
    if (sealed->encryption == HF_ENCRYPT_SSE_S3) {
        add(headers, "x-amz-server-side-encryption", "AES256");
    } else if (sealed->encryption == HF_ENCRYPT_SSE_KMS) {
        add(headers, "x-amz-server-side-encryption", "aws:kms");
        add(headers, "x-amz-server-side-encryption-aws-kms-key-id", sealed->kms_key_id);
    }
}

/* Of the body as sent, in base64; the receipt keeps it with its kind. */
static const char *
checksum_of(struct work *work)
{
    const struct hf_sealed *sealed = sealed_of(work);
    char text[HF_BASE64_SIZE(HF_SHA256_SIZE)];
    uint8_t sha256[HF_SHA256_SIZE];
    bool is_sha256 = work->deliverer->store.checksum == HF_CHECKSUM_SHA256;

    hf_assert(hf_unhex(sealed->sha256, strlen(sealed->sha256), sha256, sizeof(sha256)));
    if (is_sha256)
        hf_base64(sha256, sizeof(sha256), text);
    else
        hf_base64(sealed->md5, sizeof(sealed->md5), text);
    snprintf(work->receipt.checksum, sizeof(work->receipt.checksum), "%s:%s",
             is_sha256 ? "sha256" : "md5", text);
    return strchr(work->receipt.checksum, ':') + 1;
}

enum hf_status
request_put(struct work *work, struct hf_error *err)
{
    const struct hf_sealed *sealed = sealed_of(work);
    bool is_sha256 = work->deliverer->store.checksum == HF_CHECKSUM_SHA256;
    struct headers headers = { .count = 0 };
    enum hf_status status = check_encryption(work, err);

    if (status != HF_OK)
        return status;
    status = hf_fs_open(sealed->path, O_RDONLY, 0, &work->body_fd, err);
    if (status == HF_ENOTFOUND)
        return hf_while(err, HF_ECORRUPT, "a sealed file is gone");
    if (status != HF_OK)
        return status;
    add(&headers, "If-None-Match", "*");
    add(&headers, is_sha256 ? "x-amz-checksum-sha256" : "Content-MD5", checksum_of(work));
    add_metadata(&headers, sealed);
    add_encryption(&headers, sealed);
    struct hf_s3_request request = {
        .method = "PUT",
        .bucket = sealed->bucket,
        .key = sealed->key,
        .headers = headers.pairs,
        .header_count = headers.count,
        .body_fd_used = true,
        .body_fd = work->body_fd,
        .body_offset = (off_t)sealed->body_offset,
        .body_size = sealed->size,
        .payload_sha256 = sealed->sha256,
        .lock_mode = sealed->lock_mode,
        .retain_until_s = work->delivery->retain_until_s,
        .legal_hold = sealed->legal_hold,
        /* A HEAD that meets a connection which is about to close is simply sent again, a PUT must
         * not be: where every connection ends like that, only the first request gets through. */
        .fresh_connection = work->delivery->maybe_there,
        .expect = HF_S3_EXPECT_OBJECT,
    };
    return send_with_key(work, &request, err);
}

/* ---- reading back ---- */

enum hf_status
request_read(struct work *work, const char *version_id, struct hf_error *err)
{
    struct hf_s3_pair query = { "versionId", version_id };
    struct headers headers = { .count = 0 };

    if (work->deliverer->store.checksum == HF_CHECKSUM_SHA256)
        add(&headers, "x-amz-checksum-mode", "ENABLED");
    struct hf_s3_request request = {
        .method = "HEAD",
        .bucket = sealed_of(work)->bucket,
        .key = sealed_of(work)->key,
        .query = &query,
        .query_count = version_id[0] ? 1 : 0,
        .headers = headers.pairs,
        .header_count = headers.count,
        .expect = HF_S3_EXPECT_OBJECT,
    };
    return send_with_key(work, &request, err);
}

/* "?retention", and of one version where we know which. */
static size_t
retention_query(const struct work *work, struct hf_s3_pair query[2])
{
    query[0] = (struct hf_s3_pair){ "retention", NULL };
    query[1] = (struct hf_s3_pair){ "versionId", work->receipt.version_id };
    return work->receipt.version_id[0] ? 2 : 1;
}

enum hf_status
request_read_lock(struct work *work, struct hf_error *err)
{
    struct hf_s3_pair query[2];
    size_t query_count = retention_query(work, query);
    struct hf_s3_request request = {
        .method = "GET",
        .bucket = sealed_of(work)->bucket,
        .key = sealed_of(work)->key,
        .query = query,
        .query_count = query_count,
        .expect = HF_S3_EXPECT_XML,
    };
    return work_send(work, &request, err);
}

/* Without the right to read, the lock is all that can be asked for; whether there is one tells
 * whether the key is taken. */
enum hf_status
request_look(struct work *work, struct hf_error *err)
{
    return confirms_by_head(work) ? request_read(work, "", err) : request_read_lock(work, err);
}

enum hf_status
request_list(struct work *work, struct hf_error *err)
{
    const struct hf_s3_pair query[] = { { "list-type", "2" },
                                        { "encoding-type", "url" },
                                        { "max-keys", "1" },
                                        { "prefix", sealed_of(work)->key } };
    struct hf_s3_request request = {
        .method = "GET",
        .bucket = sealed_of(work)->bucket,
        .query = query,
        .query_count = HF_COUNT(query),
        .expect = HF_S3_EXPECT_XML,
    };
    return work_send(work, &request, err);
}

enum hf_status
request_lock(struct work *work, struct hf_error *err)
{
    struct hf_s3_pair query[2];
    size_t query_count = retention_query(work, query);
    hf_owned(hf_buf_done) struct hf_buf document = HF_BUF(4096);
    int64_t until_s = HF_MAX(work->delivery->retain_until_s, work->receipt.retain_until_s);
    enum hf_status status =
        hf_s3_retention_document(sealed_of(work)->lock_mode, until_s, &document);

    if (status != HF_OK)
        return hf_fail(err, status, "writing a retention document");
    /* The document must outlive this call: the job owns it until the answer is here. */
    hf_buf_done(&work->document);
    work->document = document;
    document = HF_BUF(0);
    struct hf_s3_request request = {
        .method = "PUT",
        .bucket = sealed_of(work)->bucket,
        .key = sealed_of(work)->key,
        .query = query,
        .query_count = query_count,
        .body = hf_buf_slice(&work->document),
        .content_md5 = true,
    };
    return work_send(work, &request, err);
}
