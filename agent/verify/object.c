/* One object: is it there, are these its bytes, is it held? What is decompressed or decrypted has
 * passed the hash that the digest has for it first. */
#include <holdfast/config.h>
#include <holdfast/seal.h>
#include <inttypes.h>
#include <string.h>

#include "agent/verify/look.h"

static bool
is_envelope(const struct hf_digest_object *object)
{
    return hf_ends_with(object->key, ".cms.gz") ||
           (object->encryption && strcmp(object->encryption, "cms") == 0);
}

/* A directory has no versions: a bucket that was copied into one is checked without their names. */
static const char *
version_of(const struct look *look, const struct hf_digest_object *object)
{
    return hf_store_is_dir(look->store) ? NULL : object->version_id;
}

static bool
is_hash(struct look *look, const struct hf_digest_object *object, const char *of,
        struct hf_slice bytes, const char *expected, const char *digest_key)
{
    char found[HF_SHA256_HEX_SIZE];

    hf_sha256_hex(bytes.ptr, bytes.size, found);
    if (strcmp(found, expected) == 0)
        return true;
    look_note(look, HF_INVALID, object->key, "SHA-256 of %s: '%s' lists %s, found %s", of,
              digest_key, expected, found);
    return false;
}

/* The envelope is the signed one; what is in it, is not known to be until it is opened.
 * *ret_open: *ret_plain holds the JSON. */
static bool
open_envelope(struct look *look, const struct hf_digest *digest,
              const struct hf_digest_object *object, const struct hf_buf *envelope, size_t beside,
              struct hf_buf *ret_plain, bool *ret_open)
{
    hf_owned(hf_buf_done) struct hf_buf member =
        look_buf(look, OBJECT_STORED_MAX, beside + envelope->capacity);
    struct hf_error why = { .text = "no private key was given" };
    enum hf_status status = HF_EUSAGE;

    *ret_open = false;
    if (look->options->opener)
        status = hf_cms_decrypt(look->options->opener, hf_buf_slice(envelope), &member, &why);
    if (status != HF_OK) {
        look_see_room(look, status);
        if (look->options->content)
            look_note(look, HF_ENVELOPE_ONLY, object->key, "the envelope stays closed: %s",
                      why.text);
        return true;
    }
    *ret_plain = look_buf(look, OBJECT_PLAIN_MAX, beside + envelope->capacity + member.capacity);
    status = hf_gunzip(hf_buf_slice(&member), ret_plain, &why);
    if (status != HF_OK) {
        look_see_room(look, status);
        look_note(look, HF_INVALID, object->key, "what is in the envelope: %s", why.text);
        return false;
    }
    *ret_open = true;
    return digest->number == 0 ||
           is_hash(look, object, "the content of the envelope", hf_buf_slice(ret_plain),
                   object->plain_sha256, digest->key);
}

static bool
check_count(struct look *look, const struct hf_digest *digest,
            const struct hf_digest_object *object, struct hf_slice json, uint64_t *ret_count)
{
    uint64_t count = 0;
    bool is_log = records_count(json, &count);

    *ret_count = count;
    if (digest->number == 0 || (is_log && count == object->count))
        return true;
    if (is_log)
        look_note(look, HF_INVALID, object->key, "'%s' lists %" PRIu64 " records, found %" PRIu64,
                  digest->key, object->count, count);
    else
        look_note(look, HF_INVALID, object->key, "it is not {\"Records\":[...]}");
    return false;
}

/* false: the bytes are not what was listed, which was noted then. */
static bool
check_bytes(struct look *look, const struct hf_digest *digest,
            const struct hf_digest_object *object, const struct hf_buf *stored)
{
    hf_owned(hf_buf_done) struct hf_buf inner = look_buf(look, OBJECT_PLAIN_MAX, stored->capacity),
                                        opened = HF_BUF(0);
    struct hf_buf *json = &inner;
    struct hf_error why;
    uint64_t count = object->count;
    bool open = true;

    if (digest->number > 0 && !is_hash(look, object, "the stored bytes", hf_buf_slice(stored),
                                       object->stored_sha256, digest->key))
        return false;
    enum hf_status status = hf_gunzip(hf_buf_slice(stored), &inner, &why);
    if (status != HF_OK) {
        look_see_room(look, status);
        look_note(look, HF_INVALID, object->key, "invalid format: %s", why.text);
        return false;
    }
    bool envelope = is_envelope(object);
    if (!is_hash(look, object, envelope ? "the envelope" : "the uncompressed bytes",
                 hf_buf_slice(&inner), object->hash, digest->key))
        return false;
    if (envelope) {
        json = &opened;
        if (!open_envelope(look, digest, object, &inner, stored->capacity, &opened, &open))
            return false;
    }
    if (open && !check_count(look, digest, object, hf_buf_slice(json), &count))
        return false;
    look->now.right = true;
    look->now.records = count;
    look->now.bytes = stored->size;
    look->now.open = open && look->options->content;
    if (look->now.open) {
        look->now.content = *json;
        *json = HF_BUF(0);
    }
    return true;
}

/* It is not there under its key and version. */
static enum hf_status
note_absent(struct look *look, const struct hf_digest *digest,
            const struct hf_digest_object *object, struct hf_error *err)
{
    const char *version_id = version_of(look, object);
    struct hf_version_entry *entries = NULL;
    size_t count = 0;
    bool hidden;
    enum hf_status status = versions_list(look, object->key, &entries, &count, err);

    if (status != HF_OK)
        return status;
    hidden = (!version_id || !*version_id) && count > 0 && entries[0].is_delete_marker;
    hf_store_versions_free(entries, count);
    if (!hidden && object->retain_until_s && object->retain_until_s <= look->now_s)
        look->now.gone = true;
    else if (hidden)
        look_note(look, HF_HIDDEN, object->key, "a delete marker lies over what '%s' lists",
                  digest->key);
    else
        look_note(look, HF_MISSING, object->key, "'%s' lists it%s%s, and it is not there",
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
read_object(struct look *look, const struct hf_digest_object *object, struct hf_buf *ret_stored,
            struct hf_object_info *ret_info, struct hf_error *err)
{
    const char *version_id = version_of(look, object);

    if (look->options->check_objects || look->options->content)
        return hf_store_get(look->store, object->key, version_id, ret_stored->max, ret_stored,
                            ret_info, err);
    return hf_store_head(look->store, object->key, version_id, ret_info, err);
}

static enum hf_status
check_beside(struct look *look, const struct hf_digest *digest,
             const struct hf_digest_object *object, const struct hf_object_info *info, bool *fine,
             struct hf_error *err)
{
    if (!lock_check(look, object->key, info, recorded_mode(object), object->retain_until_s,
                    digest->key))
        *fine = false;
    return versions_check(look, object->key, version_of(look, object),
                          digest->number ? object->stored_sha256 : info->sha256, fine, err);
}

static enum hf_status
look_at(struct look *look, const struct hf_digest *digest, const struct hf_digest_object *object,
        struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf stored = look_buf(look, OBJECT_STORED_MAX, 0);
    bool wants_bytes = look->options->check_objects || look->options->content, fine = true;
    struct hf_object_info info = { .size = 0 };
    struct hf_error why;
    enum hf_status status;

    if (!wants_bytes && !look->options->check_locks)
        return HF_OK;
    const char *bucket = verify_bucket(look->options);
    if (strcmp(object->bucket, bucket) != 0) {
        look_note(look, HF_ELSEWHERE, object->key,
                  "'%s' lists it in bucket '%s', and this is '%s': it was not looked at",
                  digest->key, object->bucket, bucket);
        return HF_OK;
    }
    status = read_object(look, object, &stored, &info, &why);
    look_see_room(look, status);
    if (status == HF_ENOTFOUND)
        return note_absent(look, digest, object, err);
    if (fetch_is_bad_object(status)) {
        look_note(look, HF_INVALID, object->key, "%s", why.text);
        return HF_OK;
    }
    if (status != HF_OK) {
        *err = why;
        return hf_while(err, status, "reading object '%s'", object->key);
    }
    look->now.is_free = look_is_free(look, &info);
    if (wants_bytes)
        fine = check_bytes(look, digest, object, &stored);
    hf_buf_done(&stored);
    if (look->options->check_locks)
        status = check_beside(look, digest, object, &info, &fine, err);
    if (status == HF_OK && fine && wants_bytes)
        look_note(look, HF_VALID, object->key, "%" PRIu64 " records", object->count);
    return status;
}

void
object_look(struct look *look, const struct hf_digest *digest,
            const struct hf_digest_object *object, struct looked *ret_looked)
{
    unsigned attempt = 0;

    if (!look->now_s)
        look->now_s = look_now_s(look->store);
    do {
        looked_done(&look->now);
        look->now = (struct looked){ .status = HF_OK };
        look->now.status = look_at(look, digest, object, &look->now.err);
    } while (look->now.status != HF_OK && unseen_try_again(look->now.status, attempt++));
    *ret_looked = look->now;
    look->now = (struct looked){ .status = HF_OK };
}
