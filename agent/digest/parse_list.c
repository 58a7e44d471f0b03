/* The lists of a digest. `logFiles` and `holdfast.objects` are two halves of one list. */
#include "agent/digest/digest_impl.h"

#include <string.h>

static enum hf_status
parse_file(const json_t *file, struct hf_digest_object *object, struct hf_error *err)
{
    enum hf_status status;

    if ((status = digest_take_text(file, "s3Bucket", false, &object->bucket, err)) != HF_OK ||
        (status = digest_take_text(file, "s3Object", false, &object->key, err)) != HF_OK ||
        (status = digest_take_hash(file, "hashValue", object->hash, err)) != HF_OK ||
        (status = hf_doc_word(file, "hashAlgorithm", DIGEST_HASHED_BY, err)) != HF_OK ||
        (status = hf_doc_time(file, "newestEventTime", true, &object->newest_s, err)) != HF_OK ||
        (status = hf_doc_time(file, "oldestEventTime", true, &object->oldest_s, err)) != HF_OK)
        return status;
    if (*object->bucket == '\0' || *object->key == '\0' || strlen(object->key) >= HF_KEY_MAX)
        return hf_fail(err, HF_EFORMAT, "its s3Bucket or s3Object is empty or too long");
    return HF_OK;
}

static enum hf_status
take_range(const json_t *entry, uint64_t *ret_first, uint64_t *ret_last, struct hf_error *err)
{
    enum hf_status status = hf_doc_u64(entry, "firstSequence", ret_first, err);

    if (status == HF_OK)
        status = hf_doc_u64(entry, "lastSequence", ret_last, err);
    if (status == HF_OK && (*ret_first == 0 || *ret_last < *ret_first))
        return hf_fail(err, HF_EFORMAT, "lastSequence lies before firstSequence");
    return status;
}

static enum hf_status
parse_own_object(const json_t *entry, struct hf_digest_object *object, struct hf_error *err)
{
    enum hf_status status;

    if ((status = take_range(entry, &object->first_seq, &object->last_seq, err)) != HF_OK ||
        (status = hf_doc_u64(entry, "count", &object->count, err)) != HF_OK ||
        (status = digest_take_hash(entry, "storedSha256", object->stored_sha256, err)) != HF_OK ||
        (status = digest_take_hash(entry, "plainSha256", object->plain_sha256, err)) != HF_OK ||
        (status = digest_take_text(entry, "versionId", true, &object->version_id, err)) != HF_OK ||
        (status = hf_doc_time(entry, "retainUntil", true, &object->retain_until_s, err)) != HF_OK ||
        (status = digest_take_text(entry, "lockMode", true, &object->lock_mode, err)) != HF_OK ||
        (status = digest_take_text(entry, "confirmed", true, &object->confirmed, err)) != HF_OK ||
        (status = digest_take_text(entry, "encryption", true, &object->encryption, err)) != HF_OK)
        return status;
    object->repeated = hf_doc_u64_or(entry, "repeated", 0);
    return HF_OK;
}

static enum hf_status
parse_objects(const json_t *doc, const json_t *own, struct hf_digest *digest, struct hf_error *err)
{
    json_t *files, *entries = NULL;
    enum hf_status status = hf_doc_array(doc, "logFiles", &files, err);

    if (status == HF_OK && own)
        status = hf_doc_array(own, "objects", &entries, err);
    if (status != HF_OK)
        return status;
    size_t count = json_array_size(files);
    if (own && json_array_size(entries) != count)
        return hf_fail(err, HF_EFORMAT, "logFiles has %zu entries and holdfast.objects %zu", count,
                       json_array_size(entries));
    digest->objects = hf_alloc((count + 1) * sizeof(*digest->objects));
    digest->object_count = count;
    for (size_t i = 0; i < count; i++) {
        status = parse_file(json_array_get(files, i), &digest->objects[i], err);
        if (status != HF_OK)
            return hf_while(err, status, "entry %zu of logFiles", i);
        if (!own)
            continue;
        status = parse_own_object(json_array_get(entries, i), &digest->objects[i], err);
        if (status != HF_OK)
            return hf_while(err, status, "entry %zu of holdfast.objects", i);
    }
    return HF_OK;
}

static enum hf_status
parse_pending(const json_t *own, struct hf_digest *digest, struct hf_error *err)
{
    json_t *entries;
    enum hf_status status = hf_doc_array(own, "pending", &entries, err);

    if (status != HF_OK)
        return status;
    digest->pending_count = json_array_size(entries);
    digest->pending = hf_alloc((digest->pending_count + 1) * sizeof(*digest->pending));
    for (size_t i = 0; i < digest->pending_count && status == HF_OK; i++) {
        struct hf_digest_range *range = &digest->pending[i];
        const json_t *entry = json_array_get(entries, i);
        status = take_range(entry, &range->first_seq, &range->last_seq, err);
        if (status == HF_OK)
            status = digest_take_text(entry, "key", false, &range->key, err);
        if (status != HF_OK)
            return hf_while(err, status, "entry %zu of holdfast.pending", i);
    }
    return HF_OK;
}

/* Without both sequences, the loss is of an unknown range. */
static enum hf_status
parse_losses(const json_t *own, struct hf_digest *digest, struct hf_error *err)
{
    json_t *entries;
    enum hf_status status = hf_doc_array(own, "losses", &entries, err);

    if (status != HF_OK)
        return status;
    digest->loss_count = json_array_size(entries);
    digest->losses = hf_alloc((digest->loss_count + 1) * sizeof(*digest->losses));
    for (size_t i = 0; i < digest->loss_count && status == HF_OK; i++) {
        struct hf_digest_loss *loss = &digest->losses[i];
        const json_t *entry = json_array_get(entries, i);
        if (!json_is_null(json_object_get(entry, "firstSequence")) ||
            !json_is_null(json_object_get(entry, "lastSequence")))
            status = take_range(entry, &loss->first_seq, &loss->last_seq, err);
        if (status == HF_OK)
            status = digest_take_text(entry, "reason", true, &loss->reason, err);
        if (status != HF_OK)
            return hf_while(err, status, "entry %zu of holdfast.losses", i);
    }
    return HF_OK;
}

static enum hf_status
parse_foreign(const json_t *own, struct hf_digest *digest, struct hf_error *err)
{
    json_t *entries;
    enum hf_status status = hf_doc_array(own, "foreign", &entries, err);

    if (status != HF_OK)
        return status;
    digest->foreign_count = json_array_size(entries);
    digest->foreign = hf_alloc((digest->foreign_count + 1) * sizeof(*digest->foreign));
    for (size_t i = 0; i < digest->foreign_count; i++) {
        const char *key = json_string_value(json_array_get(entries, i));
        if (!key || strlen(key) >= HF_KEY_MAX)
            return hf_fail(err, HF_EFORMAT, "entry %zu of holdfast.foreign is not a key", i);
        digest->foreign[i] = hf_strdup(key);
    }
    return HF_OK;
}

enum hf_status
digest_parse_lists(const json_t *doc, const json_t *own, struct hf_digest *digest,
                   struct hf_error *err)
{
    enum hf_status status = parse_objects(doc, own, digest, err);

    if (status == HF_OK && own)
        status = parse_pending(own, digest, err);
    if (status == HF_OK && own)
        status = parse_losses(own, digest, err);
    if (status == HF_OK && own)
        status = parse_foreign(own, digest, err);
    return status;
}
