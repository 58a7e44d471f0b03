/* Is what the store says it has what was sealed? */
#include "agent/deliver/deliver_impl.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

static bool
is_md5_text(const char *text)
{
    return strlen(text) == 2 * HF_MD5_SIZE &&
           strspn(text, "0123456789abcdefABCDEF") == 2 * HF_MD5_SIZE;
}

/* An ETag is the body's MD5 unless the store encrypted with a key of ours or of a KMS, which a
 * bucket can do by itself. */
static bool
etag_is_comparable(const struct hf_sealed *sealed, const struct hf_s3_reply *reply)
{
    const char *by_store = hf_s3_reply_header(reply, "x-amz-server-side-encryption");

    if (sealed->encryption == HF_ENCRYPT_SSE_C || sealed->encryption == HF_ENCRYPT_SSE_KMS)
        return false;
    if (by_store && hf_starts_with(by_store, "aws:"))
        return false;
    return is_md5_text(reply->etag);
}

static enum hf_status
compare_etag(const struct hf_sealed *sealed, const struct hf_s3_reply *reply, struct hf_error *err)
{
    char wanted[HF_HEX_SIZE(HF_MD5_SIZE)];

    hf_hex(sealed->md5, sizeof(sealed->md5), wanted);
    if (etag_is_comparable(sealed, reply) && strcasecmp(reply->etag, wanted) != 0)
        return hf_fail(err, HF_ECORRUPT,
                       "the store has other bytes under '%s': their ETag is %s, ours %s",
                       sealed->key, reply->etag, wanted);
    return HF_OK;
}

static enum hf_status
compare_checksum(const struct hf_sealed *sealed, const struct hf_s3_reply *reply,
                 struct hf_error *err)
{
    char wanted[HF_BASE64_SIZE(HF_SHA256_SIZE)];
    uint8_t sha256[HF_SHA256_SIZE];

    hf_assert(hf_unhex(sealed->sha256, strlen(sealed->sha256), sha256, sizeof(sha256)));
    hf_base64(sha256, sizeof(sha256), wanted);
    if (reply->checksum_sha256[0] && strcmp(reply->checksum_sha256, wanted) != 0)
        return hf_fail(err, HF_ECORRUPT,
                       "the store has other bytes under '%s': their SHA-256 is %s, ours %s",
                       sealed->key, reply->checksum_sha256, wanted);
    return HF_OK;
}

/* A store says only that something is denied: which right it can have meant is for us to say. */
enum hf_status
judge_answer(const struct hf_s3_reply *reply, const char *doing, const char *rights,
             struct hf_error *err)
{
    enum hf_status status = hf_s3_status(reply, doing, err);

    return status == HF_EACCESS ? hf_while(err, status, "no right to %s", rights) : status;
}

enum hf_status
judge_put(const struct hf_delivery *delivery, const struct hf_s3_reply *reply, struct hf_error *err)
{
    enum hf_status status = compare_etag(delivery->sealed, reply, err);

    return status == HF_OK ? compare_checksum(delivery->sealed, reply, err) : status;
}

enum hf_status
judge_bytes(const struct hf_delivery *delivery, const struct hf_s3_reply *reply,
            struct hf_error *err)
{
    const struct hf_sealed *sealed = delivery->sealed;
    const char *sha256 = hf_s3_reply_header(reply, "x-amz-meta-holdfast-sha256");

    if (reply->content_length != sealed->size)
        return hf_fail(err, HF_ECORRUPT,
                       "the store has other bytes under '%s': %" PRIu64 ", ours are %" PRIu64,
                       sealed->key, reply->content_length, sealed->size);
    if (!sha256 || strcmp(sha256, sealed->sha256) != 0)
        return hf_fail(
            err, HF_ECORRUPT,
            "the store has another object under '%s': its holdfast-sha256 is %.64s, ours %s",
            sealed->key, sha256 ? sha256 : "absent", sealed->sha256);
    return judge_put(delivery, reply, err);
}

/* COMPLIANCE where GOVERNANCE was wanted is right as well: it holds more, and nobody could take it
 * back. */
bool
judge_lock(const struct hf_delivery *delivery, const struct hf_receipt *receipt)
{
    int wanted = delivery->sealed->lock_mode;

    return wanted == HF_LOCK_NONE || (receipt->lock_mode >= wanted &&
                                      receipt->retain_until_s >= delivery->first_retain_until_s);
}

enum hf_status
judge_not_held(const struct work *work, struct hf_error *err)
{
    const struct hf_sealed *sealed = work->delivery->sealed;
    char wanted[HF_TIME_SIZE], stored[HF_TIME_SIZE];

    hf_time_rfc3339(work->delivery->first_retain_until_s, wanted);
    hf_time_rfc3339(work->receipt.retain_until_s, stored);
    if (work->receipt.lock_mode == HF_LOCK_NONE)
        return hf_fail(
            err, HF_ENOTHELD,
            "the store keeps '%s' without a lock, although one was asked for twice: does bucket"
            " '%s' have Object Lock? `holdfast bucket probe` tells",
            sealed->key, sealed->bucket);
    return hf_fail(err, HF_ENOTHELD, "the store locks '%s' in %s until %s, not in %s until %s",
                   sealed->key, hf_lock_mode_text(work->receipt.lock_mode), stored,
                   hf_lock_mode_text(sealed->lock_mode), wanted);
}
