/* A digest as a document: CloudTrail's members in CloudTrail's order, then `holdfast`. */
#include "agent/digest/digest_impl.h"

#include <string.h>

#define FOREIGN_TEXT_MAX 1024u

static void
set_time(json_t *doc, const char *key, int64_t seconds)
{
    char text[HF_TIME_SIZE];

    hf_time_rfc3339(seconds, text); /* what four digits cannot show is shown as the nearest time */
    hf_doc_set_text(doc, key, text);
}

static void
set_time_or_null(json_t *doc, const char *key, int64_t seconds)
{
    if (seconds)
        set_time(doc, key, seconds);
    else
        hf_doc_set_text(doc, key, NULL);
}

/* For texts that came from a host or an error: whatever is in them must not cost the digest. */
static void
set_foreign_text(json_t *doc, const char *key, const char *text)
{
    hf_owned(hf_freep) char *plain =
        text ? hf_strndup(text, HF_MIN(strlen(text), FOREIGN_TEXT_MAX)) : NULL;
    bool utf8 = plain && hf_utf8_valid(hf_slice_text(plain));

    for (char *at = plain; at && *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x20 || c == 0x7f)
            *at = ' ';
        else if (c >= 0x80 && !utf8)
            *at = '?';
    }
    hf_doc_set_text(doc, key, plain);
}

static void
append(json_t *list, json_t *value)
{
    int failed = json_array_append_new(list, value);

    hf_assert(failed == 0);
}

static json_t *
log_files(const struct hf_digest *digest)
{
    json_t *list = json_array();

    for (size_t i = 0; i < digest->object_count; i++) {
        const struct hf_digest_object *object = &digest->objects[i];
        json_t *file = json_object();
        hf_doc_set_text(file, "s3Bucket", object->bucket);
        hf_doc_set_text(file, "s3Object", object->key);
        hf_doc_set_text(file, "hashValue", object->hash);
        hf_doc_set_text(file, "hashAlgorithm", DIGEST_HASHED_BY);
        set_time(file, "newestEventTime", object->newest_s);
        set_time(file, "oldestEventTime", object->oldest_s);
        append(list, file);
    }
    return list;
}

static json_t *
own_objects(const struct hf_digest *digest)
{
    json_t *list = json_array();

    for (size_t i = 0; i < digest->object_count; i++) {
        const struct hf_digest_object *object = &digest->objects[i];
        const char *version = object->version_id;
        json_t *entry = json_object();
        hf_doc_set_u64(entry, "firstSequence", object->first_seq);
        hf_doc_set_u64(entry, "lastSequence", object->last_seq);
        hf_doc_set_u64(entry, "count", object->count);
        hf_doc_set_text(entry, "storedSha256", object->stored_sha256);
        hf_doc_set_text(entry, "plainSha256", object->plain_sha256);
        /* One that an earlier version took from a store as it came could not be read again, and
         * would end the chain: then it is not named. */
        bool named = version && *version && !hf_has_control(version) &&
                     hf_utf8_valid(hf_slice_text(version));
        hf_doc_set_text(entry, "versionId", named ? version : NULL);
        set_time_or_null(entry, "retainUntil", object->retain_until_s);
        hf_doc_set_text(entry, "lockMode", object->lock_mode);
        hf_doc_set_text(entry, "confirmed", object->confirmed);
        hf_doc_set_text(entry, "encryption", object->encryption);
        hf_doc_set_u64(entry, "repeated", object->repeated);
        append(list, entry);
    }
    return list;
}

static json_t *
pending(const struct hf_digest *digest)
{
    json_t *list = json_array();

    for (size_t i = 0; i < digest->pending_count; i++) {
        json_t *entry = json_object();
        hf_doc_set_u64(entry, "firstSequence", digest->pending[i].first_seq);
        hf_doc_set_u64(entry, "lastSequence", digest->pending[i].last_seq);
        hf_doc_set_text(entry, "key", digest->pending[i].key);
        append(list, entry);
    }
    return list;
}

static json_t *
losses(const struct hf_digest *digest)
{
    json_t *list = json_array();

    for (size_t i = 0; i < digest->loss_count; i++) {
        const struct hf_digest_loss *loss = &digest->losses[i];
        bool known = loss->first_seq || loss->last_seq;
        json_t *entry = json_object();
        hf_doc_set(entry, "firstSequence",
                   known ? json_integer((json_int_t)loss->first_seq) : json_null());
        hf_doc_set(entry, "lastSequence",
                   known ? json_integer((json_int_t)loss->last_seq) : json_null());
        set_foreign_text(entry, "reason", loss->reason);
        append(list, entry);
    }
    return list;
}

static json_t *
own_part(const struct hf_digest *digest)
{
    json_t *doc = json_object(), *foreign = json_array();

    hf_doc_set_u64(doc, "format", DIGEST_FORMAT);
    set_foreign_text(doc, "host", digest->host);
    hf_doc_set_text(doc, "journal", digest->journal);
    hf_doc_set_text(doc, "chain", digest->chain);
    hf_doc_set_u64(doc, "number", digest->number);
    hf_doc_set_text(doc, "boot", digest->boot);
    hf_doc_set_text(doc, "tag", digest->tag);
    hf_doc_set_text(doc, "oldHead", digest->old_head);
    set_time_or_null(doc, "previousRetainUntil", digest->previous_retain_until_s);
    hf_doc_set_text(doc, "previousLockMode", digest->previous_lock_mode);
    hf_doc_set_u64(doc, "firstSequence", digest->first_seq);
    hf_doc_set_u64(doc, "lastSequence", digest->last_seq);
    hf_doc_set(doc, "objects", own_objects(digest));
    hf_doc_set(doc, "pending", pending(digest));
    hf_doc_set(doc, "losses", losses(digest));
    for (size_t i = 0; i < digest->foreign_count; i++)
        append(foreign, json_string(digest->foreign[i]));
    hf_doc_set(doc, "foreign", foreign);
    return doc;
}

/* Of all objects together; null when there are none, as CloudTrail has it. */
static void
set_event_times(json_t *doc, const struct hf_digest *digest)
{
    if (digest->object_count == 0) {
        hf_doc_set_text(doc, "newestEventTime", NULL);
        hf_doc_set_text(doc, "oldestEventTime", NULL);
        return;
    }
    int64_t newest_s = digest->objects[0].newest_s, oldest_s = digest->objects[0].oldest_s;
    for (size_t i = 1; i < digest->object_count; i++) {
        newest_s = HF_MAX(newest_s, digest->objects[i].newest_s);
        oldest_s = HF_MIN(oldest_s, digest->objects[i].oldest_s);
    }
    set_time(doc, "newestEventTime", newest_s);
    set_time(doc, "oldestEventTime", oldest_s);
}

static json_t *
whole(const struct hf_digest *digest, const char *algorithm)
{
    bool first = !digest->previous_signature;
    json_t *doc = json_object();

    hf_doc_set_text(doc, "awsAccountId", digest->account);
    set_time(doc, "digestStartTime", digest->start_s);
    set_time(doc, "digestEndTime", digest->end_s);
    hf_doc_set_text(doc, "digestS3Bucket", digest->bucket);
    hf_doc_set_text(doc, "digestS3Object", digest->key);
    hf_doc_set_text(doc, "digestPublicKeyFingerprint", digest->fingerprint);
    hf_doc_set_text(doc, "digestSignatureAlgorithm", algorithm);
    set_event_times(doc, digest);
    hf_doc_set_text(doc, "previousDigestS3Bucket", first ? NULL : digest->previous_bucket);
    hf_doc_set_text(doc, "previousDigestS3Object", first ? NULL : digest->previous_key);
    hf_doc_set_text(doc, "previousDigestHashValue", first ? NULL : digest->previous_hash);
    hf_doc_set_text(doc, "previousDigestHashAlgorithm", first ? NULL : DIGEST_HASHED_BY);
    hf_doc_set_text(doc, "previousDigestSignature", digest->previous_signature);
    hf_doc_set(doc, "logFiles", log_files(digest));
    if (digest->number)
        hf_doc_set(doc, "holdfast", own_part(digest));
    return doc;
}

static enum hf_status
sign(const struct hf_digest_outline *outline, struct hf_signer *signer,
     struct hf_buf *ret_signature_hex, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(sizeof(*outline));
    uint8_t signature[HF_SIGNATURE_MAX];
    char hex[HF_HEX_SIZE(HF_SIGNATURE_MAX)];
    size_t size = 0;
    enum hf_status status = digest_signed_text(outline, &text);

    hf_assert(status == HF_OK);
    status = hf_signer_sign(signer, hf_buf_slice(&text), signature, &size, err);
    if (status != HF_OK)
        return status;
    hf_hex(signature, size, hex);
    hf_buf_reset(ret_signature_hex);
    status = hf_buf_add_text(ret_signature_hex, hex);
    return status == HF_OK ? HF_OK
                           : hf_fail(err, status, "no room for a signature of %zu bytes", size);
}

/* What nobody could read must not be signed and locked for years. */
static enum hf_status
read_back(struct hf_slice json, struct hf_digest_outline *ret_outline, struct hf_error *err)
{
    struct hf_digest again = { 0 };
    enum hf_status status = hf_digest_outline(json, ret_outline, err);

    if (status == HF_OK)
        status = hf_digest_parse(json, &again, err);
    hf_digest_done(&again);
    return status;
}

enum hf_status
hf_digest_make(const struct hf_digest *digest, struct hf_signer *signer, struct hf_buf *ret_json,
               struct hf_buf *ret_signature_hex, struct hf_error *err)
{
    hf_assert(digest->account && digest->bucket && digest->key && digest->fingerprint);
    hf_assert(strcmp(digest->fingerprint, hf_signer_fingerprint(signer)) == 0);
    hf_owned(hf_doc_freep) json_t *doc = whole(digest, hf_signer_algorithm(signer));
    struct hf_digest_outline outline;
    enum hf_status status;

    hf_buf_reset(ret_json);
    status = hf_doc_dump(doc, ret_json);
    if (status != HF_OK)
        return hf_fail(err, status, "digest '%s' with %zu objects is over its %zu bytes",
                       digest->key, digest->object_count, ret_json->max);
    status = read_back(hf_buf_slice(ret_json), &outline, err);
    if (status != HF_OK) {
        hf_while(err, status, "digest '%s' as it would be signed", digest->key);
        return err ? err->status = HF_EINTERNAL : HF_EINTERNAL;
    }
    status = sign(&outline, signer, ret_signature_hex, err);
    return status == HF_OK ? HF_OK : hf_while(err, status, "signing digest '%s'", digest->key);
}
