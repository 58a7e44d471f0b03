/* One object: is it there, are these its bytes, is it held? What is decompressed or decrypted has
 * passed the hash that the digest has for it first. */
#include <holdfast/config.h>
#include <holdfast/seal.h>
#include <inttypes.h>
#include <string.h>

#include "agent/verify/verify_impl.h"

static bool
is_envelope(const struct hf_digest_object *object)
{
    return hf_ends_with(object->key, ".cms.gz") ||
           (object->encryption && strcmp(object->encryption, "cms") == 0);
}

/* A directory has no versions: a bucket that was copied into one is checked without their names. */
static const char *
version_of(const struct verify *v, const struct hf_digest_object *object)
{
    return hf_store_is_dir(v->store) ? NULL : object->version_id;
}

static bool
is_hash(struct verify *v, const struct hf_digest_object *object, const char *of,
        struct hf_slice bytes, const char *expected, const char *digest_key)
{
    char found[HF_SHA256_HEX_SIZE];

    hf_sha256_hex(bytes.ptr, bytes.size, found);
    if (strcmp(found, expected) == 0)
        return true;
    verify_report(v, HF_INVALID, object->key, "SHA-256 of %s: '%s' lists %s, found %s", of,
                  digest_key, expected, found);
    return false;
}

/* The envelope is the signed one; what is in it, is not known to be until it is opened.
 * *ret_open: *ret_plain holds the JSON. */
static bool
open_envelope(struct verify *v, const struct hf_digest *digest,
              const struct hf_digest_object *object, struct hf_slice envelope,
              struct hf_buf *ret_plain, bool *ret_open)
{
    hf_owned(hf_buf_done) struct hf_buf member = HF_BUF(OBJECT_STORED_MAX);
    struct hf_error why = { .text = "no private key was given" };
    enum hf_status status = HF_EUSAGE;

    *ret_open = false;
    if (v->options->opener)
        status = hf_cms_decrypt(v->options->opener, envelope, &member, &why);
    if (status != HF_OK) {
        if (v->options->content)
            verify_report(v, HF_ENVELOPE_ONLY, object->key, "the envelope stays closed: %s",
                          why.text);
        return true;
    }
    status = hf_gunzip(hf_buf_slice(&member), ret_plain, &why);
    if (status != HF_OK) {
        verify_report(v, HF_INVALID, object->key, "what is in the envelope: %s", why.text);
        return false;
    }
    *ret_open = true;
    return digest->number == 0 ||
           is_hash(v, object, "the content of the envelope", hf_buf_slice(ret_plain),
                   object->plain_sha256, digest->key);
}

static bool
check_count(struct verify *v, const struct hf_digest *digest, const struct hf_digest_object *object,
            struct hf_slice json, uint64_t *ret_count)
{
    uint64_t count = 0;
    bool is_log = records_count(json, &count);

    *ret_count = count;
    if (digest->number == 0 || (is_log && count == object->count))
        return true;
    if (is_log)
        verify_report(v, HF_INVALID, object->key, "'%s' lists %" PRIu64 " records, found %" PRIu64,
                      digest->key, object->count, count);
    else
        verify_report(v, HF_INVALID, object->key, "it is not {\"Records\":[...]}");
    return false;
}

/* *ret_fine is false when the bytes are not what was listed, which was reported then. */
static enum hf_status
check_bytes(struct verify *v, const struct hf_digest *digest, const struct hf_digest_object *object,
            struct hf_slice stored, bool *ret_fine, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf inner = HF_BUF(OBJECT_PLAIN_MAX),
                                        opened = HF_BUF(OBJECT_PLAIN_MAX);
    struct hf_buf *json = &inner;
    struct hf_error why;
    uint64_t count = object->count;
    bool open = true;

    *ret_fine = false;
    if (digest->number > 0 &&
        !is_hash(v, object, "the stored bytes", stored, object->stored_sha256, digest->key))
        return HF_OK;
    if (hf_gunzip(stored, &inner, &why) != HF_OK) {
        verify_report(v, HF_INVALID, object->key, "invalid format: %s", why.text);
        return HF_OK;
    }
    bool envelope = is_envelope(object);
    if (!is_hash(v, object, envelope ? "the envelope" : "the uncompressed bytes",
                 hf_buf_slice(&inner), object->hash, digest->key))
        return HF_OK;
    if (envelope) {
        json = &opened;
        if (!open_envelope(v, digest, object, hf_buf_slice(&inner), &opened, &open))
            return HF_OK;
        hf_buf_done(&inner);
    }
    if (open && !check_count(v, digest, object, hf_buf_slice(json), &count))
        return HF_OK;
    *ret_fine = true;
    v->result->objects++;
    v->result->records += count;
    v->result->bytes += stored.size;
    return open && v->options->content
               ? v->options->content(v->options->context, object, hf_buf_slice(json), err)
               : HF_OK;
}

/* It is not there under its key and version. */
static enum hf_status
say_absent(struct verify *v, const struct hf_digest *digest, const struct hf_digest_object *object,
           struct hf_error *err)
{
    const char *version_id = version_of(v, object);
    struct hf_version_entry *entries = NULL;
    size_t count = 0;
    bool hidden;
    enum hf_status status = versions_list(v, object->key, &entries, &count, err);

    if (status != HF_OK)
        return status;
    hidden = (!version_id || !*version_id) && count > 0 && entries[0].is_delete_marker;
    hf_store_versions_free(entries, count);
    if (hidden)
        verify_report(v, HF_HIDDEN, object->key, "a delete marker lies over what '%s' lists",
                      digest->key);
    else
        verify_report(v, HF_MISSING, object->key, "'%s' lists it%s%s, and it is not there",
                      digest->key, version_id && *version_id ? " as version " : "",
                      version_id ? version_id : "");
    return HF_OK;
}

static int
recorded_mode(const struct hf_digest_object *object)
{
    int mode = object->lock_mode ? hf_lock_mode_parse(object->lock_mode) : HF_LOCK_NONE;

    if (mode == HF_UNSET || mode == HF_LOCK_NONE)
        return object->retain_until_s ? HF_LOCK_GOVERNANCE : HF_LOCK_NONE;
    return mode;
}

static enum hf_status
read_object(struct verify *v, const struct hf_digest_object *object, struct hf_buf *ret_stored,
            struct hf_object_info *ret_info, struct hf_error *err)
{
    const char *version_id = version_of(v, object);

    if (v->options->check_objects || v->options->content)
        return hf_store_get(v->store, object->key, version_id, OBJECT_STORED_MAX, ret_stored,
                            ret_info, err);
    return hf_store_head(v->store, object->key, version_id, ret_info, err);
}

static enum hf_status
check_beside(struct verify *v, const struct hf_digest *digest,
             const struct hf_digest_object *object, const struct hf_object_info *info, bool *fine,
             struct hf_error *err)
{
    if (!lock_check(v, object->key, info, recorded_mode(object), object->retain_until_s,
                    digest->key))
        *fine = false;
    return versions_check(v, object->key, version_of(v, object),
                          digest->number ? object->stored_sha256 : info->sha256, fine, err);
}

enum hf_status
object_check(struct verify *v, const struct hf_digest *digest,
             const struct hf_digest_object *object, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf stored = HF_BUF(OBJECT_STORED_MAX);
    bool wants_bytes = v->options->check_objects || v->options->content, fine = true;
    struct hf_object_info info = { .size = 0 };
    struct hf_error why;
    enum hf_status status;

    if (!wants_bytes && !v->options->check_locks)
        return HF_OK;
    if (strcmp(object->bucket, hf_store_bucket(v->store)) != 0) {
        verify_report(v, HF_ELSEWHERE, object->key,
                      "'%s' lists it in bucket '%s', and this is '%s': it was not looked at",
                      digest->key, object->bucket, hf_store_bucket(v->store));
        return HF_OK;
    }
    status = read_object(v, object, &stored, &info, &why);
    if (status == HF_ENOTFOUND)
        return say_absent(v, digest, object, err);
    if (fetch_is_bad_object(status)) {
        verify_report(v, HF_INVALID, object->key, "%s", why.text);
        return HF_OK;
    }
    if (status != HF_OK) {
        if (err)
            *err = why;
        return hf_while(err, status, "reading object '%s'", object->key);
    }
    if (wants_bytes)
        status = check_bytes(v, digest, object, hf_buf_slice(&stored), &fine, err);
    if (status == HF_OK && v->options->check_locks)
        status = check_beside(v, digest, object, &info, &fine, err);
    if (status == HF_OK && fine && wants_bytes)
        verify_report(v, HF_VALID, object->key, "%" PRIu64 " records", object->count);
    return status;
}
