/* One digest: are these its bytes, is this its place, who signed it, and is it the one that the
 * newer one means? The first thing that is wrong names it; whether its content can be believed all
 * the same is another question, and asked apart: it can if a trusted key signed it that was not
 * revoked, or if a newer digest names its hash that can be believed and was not signed by a revoked
 * key. Before that is known nothing is built of it: whoever may write there can put anything. */
#include <holdfast/seal.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/verify/verify_impl.h"

void
judged_done(struct judged *judged)
{
    hf_digest_done(&judged->digest);
}

/* Only the first one counts. */
static void find(struct judged *judged, enum hf_finding finding, const char *format, ...)
    hf_printf(3, 4);

static void
find(struct judged *judged, enum hf_finding finding, const char *format, ...)
{
    va_list args;

    if (judged->finding != HF_VALID)
        return;
    judged->finding = finding;
    va_start(args, format);
    vsnprintf(judged->detail, sizeof(judged->detail), format, args);
    va_end(args);
}

/* What was sent is not signed, only what is in it: a changed header of the gzip member shows here.
 */
static void
judge_stored(struct judged *judged, struct hf_slice stored, const struct hf_object_info *info)
{
    char sha256[HF_SHA256_HEX_SIZE];

    if (info->sha256[0] == '\0')
        return;
    hf_sha256_hex(stored.ptr, stored.size, sha256);
    if (strcmp(sha256, info->sha256) != 0)
        find(judged, HF_INVALID, "SHA-256 of the stored bytes: expected %s, found %s", info->sha256,
             sha256);
}

/* Where it lies is one thing, whose it is another: a digest in the wrong place is still its signer's.
 */
static bool
judge_place(struct verify *v, struct judged *judged, const char *key)
{
    const struct hf_digest_outline *outline = &judged->outline;
    int64_t stamp_s;

    if (strcmp(outline->bucket, v->bucket) != 0 || strcmp(outline->key, key) != 0) {
        find(judged, HF_MOVED, "it says that its place is '%s/%s', and lies at '%s/%s'%s",
             outline->bucket, outline->key, v->bucket, key,
             strcmp(outline->key, key) == 0 ? "; a copy is validated with --original-bucket" : "");
        return false;
    }
    if (hf_layout_is_digest(&v->layout, key, &stamp_s) && stamp_s != outline->end_s)
        find(judged, HF_BROKEN_CHAIN, "its digestEndTime %s is not the time in its key",
             outline->end_text);
    return true;
}

/* Asked whatever else was found: a finding on its metadata must not hide whose it is. */
static enum hf_status
judge_signature(struct verify *v, struct judged *judged, const struct hf_object_info *info,
                struct hf_error *err)
{
    const struct hf_digest_outline *outline = &judged->outline;
    const char *why = NULL;
    struct hf_error wrong = { .status = HF_OK };

    if (keys_is_revoked(v, outline)) {
        judged->revoked = true;
        find(judged, HF_UNKNOWN_KEY, "signed by %s, and its key was revoked", outline->fingerprint);
        return HF_OK;
    }
    for (size_t attempt = 0;; attempt++) {
        const struct hf_verifier *verifier = NULL;
        enum hf_status status = keys_find(v, outline->fingerprint, attempt, &verifier, &why, err);
        if (status != HF_OK)
            return status;
        if (!verifier)
            break;
        status = hf_digest_verify(outline, info->signature, verifier, &wrong);
        if (status == HF_OK) {
            judged->authentic = judged->vouches = true;
            break;
        }
        if (status != HF_ESIGNATURE)
            return hf_fail(err, status, "%s", wrong.text);
    }
    if (strcmp(info->signature_algorithm, outline->algorithm) != 0)
        find(judged, HF_INVALID, "its x-amz-meta-signature-algorithm is '%s', expected '%s'",
             info->signature_algorithm, outline->algorithm);
    if (judged->authentic)
        return HF_OK;
    if (wrong.status != HF_OK)
        find(judged, HF_INVALID, "signature verification failed: %s", wrong.text);
    else
        find(judged, HF_UNKNOWN_KEY, "signed by %s: %s", outline->fingerprint, why);
    return HF_OK;
}

/* The newer one's link vouches for these bytes only if it is believed itself, and not what a revoked
 * key signed. */
static void
judge_link(struct judged *judged, const struct link *link, const struct hf_object_info *info)
{
    if (!link->hash)
        return;
    if (strcmp(judged->outline.sha256, link->hash) != 0) {
        find(judged, HF_BROKEN_CHAIN,
             "'%s' names another digest here: SHA-256 expected %s, found %s", link->newer_key,
             link->hash, judged->outline.sha256);
        return;
    }
    if (link->newer && link->newer->vouches) {
        judged->authentic = true;
        judged->vouches = !judged->revoked;
    }
    if (strcmp(info->signature, link->signature) != 0)
        find(judged, HF_BROKEN_CHAIN, "'%s' names another signature than the one with this digest",
             link->newer_key);
}

/* Two neighbours of a chain of holdfast's own. */
static void
judge_order(struct judged *judged, const struct entry *newer)
{
    const struct hf_digest *digest = &judged->digest;

    if (digest->number == 0 || newer->number == 0) {
        if (digest->number != newer->number)
            find(judged, HF_BROKEN_CHAIN, "of it and '%s' only one was made by holdfast",
                 newer->key);
    } else if (strcmp(digest->chain, newer->chain) != 0) {
        find(judged, HF_BROKEN_CHAIN, "it is of chain %s, and '%s' of chain %s", digest->chain,
             newer->key, newer->chain);
    } else if (digest->number + 1 != newer->number) {
        find(judged, HF_BROKEN_CHAIN, "it is number %" PRIu64 ", and '%s' number %" PRIu64,
             digest->number, newer->key, newer->number);
    } else if (digest->end_s != newer->start_s) {
        find(judged, HF_BROKEN_CHAIN, "it ends at %s, and '%s' begins %+" PRId64 " s from there",
             digest->end_text, newer->key, newer->start_s - digest->end_s);
    } else if (digest->last_seq + 1 != newer->first_seq) {
        find(judged, HF_BROKEN_CHAIN,
             "its last sequence is %" PRIu64 ", and the first of '%s' %" PRIu64, digest->last_seq,
             newer->key, newer->first_seq);
    }
}

static void
judge_tag(const struct verify *v, struct judged *judged)
{
    const struct hf_digest *digest = &judged->digest;
    char tag[HF_CHAIN_TAG_SIZE];

    if (digest->number == 0 || strlen(digest->journal) > HF_ID_SIZE ||
        strlen(digest->chain) > HF_ID_SIZE)
        return;
    hf_layout_chain_tag(digest->journal, v->layout.trail, digest->chain, tag);
    if (strcmp(tag, digest->tag) != 0)
        find(judged, HF_BROKEN_CHAIN, "its tag is '%s', and that of its chain is '%s'", digest->tag,
             tag);
}

/* What is believed is read as a whole, and that it cannot be is found then. */
static void
read_whole(struct verify *v, struct judged *judged, const struct link *link, struct hf_slice json)
{
    struct hf_error wrong;

    if (hf_digest_parse(json, &judged->digest, &wrong) != HF_OK) {
        find(judged, HF_INVALID, "invalid format: %s", wrong.text);
        judged->authentic = judged->vouches = false;
        return;
    }
    if (link->newer)
        judge_order(judged, link->newer);
    judge_tag(v, judged);
}

enum hf_status
judge_digest(struct verify *v, const char *key, const struct link *link, struct hf_slice stored,
             const struct hf_object_info *info, struct judged *ret_judged, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX);
    struct judged judged = { .finding = HF_VALID };
    struct hf_error wrong;
    enum hf_status status;

    judge_stored(&judged, stored, info);
    if (strlen(info->signature) < sizeof(judged.signature))
        memcpy(judged.signature, info->signature, strlen(info->signature) + 1);
    status = hf_gunzip(stored, &json, &wrong);
    if (status == HF_OK)
        status = hf_digest_outline(hf_buf_slice(&json), &judged.outline, &wrong);
    if (status != HF_OK) {
        find(&judged, HF_INVALID, "invalid format: %s", wrong.text);
        *ret_judged = judged;
        return HF_OK;
    }
    judged.in_place = judge_place(v, &judged, key);
    status = judge_signature(v, &judged, info, err);
    if (status != HF_OK)
        return hf_while(err, status, "checking digest '%s'", key);
    judge_link(&judged, link, info);
    if (judged.authentic)
        read_whole(v, &judged, link, hf_buf_slice(&json));
    *ret_judged = judged;
    return HF_OK;
}
