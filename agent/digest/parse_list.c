/* The lists of a digest. `logFiles` and `holdfast.objects` are two halves of one list. */
#include "agent/digest/digest_impl.h"

#include <string.h>

#define GROWS_BY 256

enum { FILE_BUCKET, FILE_KEY, FILE_HASH, FILE_HASHED_BY, FILE_NEWEST, FILE_OLDEST, FILE_MEMBERS };
static const char *const file_members[FILE_MEMBERS] = {
    [FILE_BUCKET] = "s3Bucket",        [FILE_KEY] = "s3Object",
    [FILE_HASH] = "hashValue",         [FILE_HASHED_BY] = "hashAlgorithm",
    [FILE_NEWEST] = "newestEventTime", [FILE_OLDEST] = "oldestEventTime",
};

enum {
    ITEM_FIRST,
    ITEM_LAST,
    ITEM_COUNT,
    ITEM_STORED,
    ITEM_PLAIN,
    ITEM_VERSION,
    ITEM_UNTIL,
    ITEM_MODE,
    ITEM_CONFIRMED,
    ITEM_ENCRYPTION,
    ITEM_REPEATED,
    ITEM_KEY,
    ITEM_REASON,
    ITEM_MEMBERS
};
static const char *const item_members[ITEM_MEMBERS] = {
    [ITEM_FIRST] = "firstSequence",   [ITEM_LAST] = "lastSequence", [ITEM_COUNT] = "count",
    [ITEM_STORED] = "storedSha256",   [ITEM_PLAIN] = "plainSha256", [ITEM_VERSION] = "versionId",
    [ITEM_UNTIL] = "retainUntil",     [ITEM_MODE] = "lockMode",     [ITEM_CONFIRMED] = "confirmed",
    [ITEM_ENCRYPTION] = "encryption", [ITEM_REPEATED] = "repeated", [ITEM_KEY] = "key",
    [ITEM_REASON] = "reason",
};

enum { LIST_OBJECTS, LIST_PENDING, LIST_LOSSES, LIST_FOREIGN, LISTS };
static const char *const lists[LISTS] = {
    [LIST_OBJECTS] = "objects",
    [LIST_PENDING] = "pending",
    [LIST_LOSSES] = "losses",
    [LIST_FOREIGN] = "foreign",
};

/* Room for one more, zeroed; it counts from now on, so that it is freed with the others. */
static void *
one_more(void *items, size_t size, size_t *count)
{
    char *grown = items;

    if (*count % GROWS_BY == 0)
        grown = hf_realloc(items, (*count + GROWS_BY) * size);
    memset(grown + *count * size, 0, size);
    ++*count;
    return grown;
}

static enum hf_status
parse_file(struct hf_slice file, struct hf_digest_object *object, struct hf_error *err)
{
    struct fields fields;
    enum hf_status status = fields_pick(file, file_members, FILE_MEMBERS, &fields, err);

    if (status != HF_OK ||
        (status = field_text(&fields, FILE_BUCKET, false, &object->bucket, err)) != HF_OK ||
        (status = field_text(&fields, FILE_KEY, false, &object->key, err)) != HF_OK ||
        (status = field_hash(&fields, FILE_HASH, object->hash, err)) != HF_OK ||
        (status = field_word(&fields, FILE_HASHED_BY, DIGEST_HASHED_BY, err)) != HF_OK ||
        (status = field_time(&fields, FILE_NEWEST, true, &object->newest_s, err)) != HF_OK ||
        (status = field_time(&fields, FILE_OLDEST, true, &object->oldest_s, err)) != HF_OK)
        return status;
    if (*object->bucket == '\0' || *object->key == '\0' || strlen(object->key) >= HF_KEY_MAX)
        return hf_fail(err, HF_EFORMAT, "its s3Bucket or s3Object is empty or too long");
    return HF_OK;
}

static enum hf_status
take_range(const struct fields *fields, uint64_t *ret_first, uint64_t *ret_last,
           struct hf_error *err)
{
    enum hf_status status = field_u64(fields, ITEM_FIRST, ret_first, err);

    if (status == HF_OK)
        status = field_u64(fields, ITEM_LAST, ret_last, err);
    if (status == HF_OK && (*ret_first == 0 || *ret_last < *ret_first))
        return hf_fail(err, HF_EFORMAT, "lastSequence lies before firstSequence");
    return status;
}

static enum hf_status
parse_own_object(struct hf_slice item, struct hf_digest_object *object, struct hf_error *err)
{
    struct fields fields;
    enum hf_status status = fields_pick(item, item_members, ITEM_MEMBERS, &fields, err);

    if (status != HF_OK ||
        (status = take_range(&fields, &object->first_seq, &object->last_seq, err)) != HF_OK ||
        (status = field_u64(&fields, ITEM_COUNT, &object->count, err)) != HF_OK ||
        (status = field_hash(&fields, ITEM_STORED, object->stored_sha256, err)) != HF_OK ||
        (status = field_hash(&fields, ITEM_PLAIN, object->plain_sha256, err)) != HF_OK ||
        (status = field_text(&fields, ITEM_VERSION, true, &object->version_id, err)) != HF_OK ||
        (status = field_time(&fields, ITEM_UNTIL, true, &object->retain_until_s, err)) != HF_OK ||
        (status = field_text(&fields, ITEM_MODE, true, &object->lock_mode, err)) != HF_OK ||
        (status = field_text(&fields, ITEM_CONFIRMED, true, &object->confirmed, err)) != HF_OK ||
        (status = field_text(&fields, ITEM_ENCRYPTION, true, &object->encryption, err)) != HF_OK)
        return status;
    if (field_u64(&fields, ITEM_REPEATED, &object->repeated, NULL) != HF_OK)
        object->repeated = 0;
    return HF_OK;
}

/* Both lists at once, so that nothing is made of the one that the other does not confirm. */
static enum hf_status
parse_objects(struct hf_json_items files, struct hf_json_items *entries, struct hf_digest *digest,
              struct hf_error *err)
{
    struct hf_slice key, file, entry;

    while (hf_json_items_next(&files, &key, &file)) {
        size_t at = digest->object_count;
        digest->objects =
            one_more(digest->objects, sizeof(*digest->objects), &digest->object_count);
        enum hf_status status = parse_file(file, &digest->objects[at], err);
        if (status != HF_OK)
            return hf_while(err, status, "entry %zu of logFiles", at);
        if (!entries)
            continue;
        if (!hf_json_items_next(entries, &key, &entry))
            return hf_fail(err, HF_EFORMAT, "logFiles has more entries than holdfast.objects");
        status = parse_own_object(entry, &digest->objects[at], err);
        if (status != HF_OK)
            return hf_while(err, status, "entry %zu of holdfast.objects", at);
    }
    if (entries && hf_json_items_next(entries, &key, &entry))
        return hf_fail(err, HF_EFORMAT, "holdfast.objects has more entries than logFiles");
    return HF_OK;
}

static enum hf_status
parse_pending(struct hf_json_items items, struct hf_digest *digest, struct hf_error *err)
{
    struct hf_slice key, item;

    while (hf_json_items_next(&items, &key, &item)) {
        size_t at = digest->pending_count;
        struct fields fields;
        digest->pending =
            one_more(digest->pending, sizeof(*digest->pending), &digest->pending_count);
        struct hf_digest_range *range = &digest->pending[at];
        enum hf_status status = fields_pick(item, item_members, ITEM_MEMBERS, &fields, err);
        if (status == HF_OK)
            status = take_range(&fields, &range->first_seq, &range->last_seq, err);
        if (status == HF_OK)
            status = field_text(&fields, ITEM_KEY, false, &range->key, err);
        if (status != HF_OK)
            return hf_while(err, status, "entry %zu of holdfast.pending", at);
    }
    return HF_OK;
}

/* Without both sequences, the loss is of an unknown range. */
static enum hf_status
parse_losses(struct hf_json_items items, struct hf_digest *digest, struct hf_error *err)
{
    struct hf_slice key, item;

    while (hf_json_items_next(&items, &key, &item)) {
        size_t at = digest->loss_count;
        struct fields fields;
        digest->losses = one_more(digest->losses, sizeof(*digest->losses), &digest->loss_count);
        struct hf_digest_loss *loss = &digest->losses[at];
        enum hf_status status = fields_pick(item, item_members, ITEM_MEMBERS, &fields, err);
        if (status == HF_OK &&
            (field_is_given(&fields, ITEM_FIRST) || field_is_given(&fields, ITEM_LAST)))
            status = take_range(&fields, &loss->first_seq, &loss->last_seq, err);
        if (status == HF_OK)
            status = field_text(&fields, ITEM_REASON, true, &loss->reason, err);
        if (status != HF_OK)
            return hf_while(err, status, "entry %zu of holdfast.losses", at);
    }
    return HF_OK;
}

static enum hf_status
parse_foreign(struct hf_json_items items, struct hf_digest *digest, struct hf_error *err)
{
    struct hf_slice key, item;
    char text[HF_KEY_MAX];

    while (hf_json_items_next(&items, &key, &item)) {
        if (!hf_json_decode(item, text, sizeof(text)))
            return hf_fail(err, HF_EFORMAT, "entry %zu of holdfast.foreign is not a key",
                           digest->foreign_count);
        digest->foreign =
            one_more(digest->foreign, sizeof(*digest->foreign), &digest->foreign_count);
        digest->foreign[digest->foreign_count - 1] = hf_strdup(text);
    }
    return HF_OK;
}

static enum hf_status
no_array(const struct fields *fields, size_t at, struct hf_error *err)
{
    return hf_fail(err, HF_EFORMAT, "key '%s' is missing or no array", fields->names[at]);
}

static enum hf_status
begin_own(struct hf_slice own, struct hf_json_items ret_items[LISTS], struct hf_error *err)
{
    struct fields fields;
    enum hf_status status = fields_pick(own, lists, LISTS, &fields, err);

    for (size_t i = 0; i < LISTS && status == HF_OK; i++)
        if (!field_items(&fields, i, &ret_items[i]))
            status = no_array(&fields, i, err);
    return status;
}

enum hf_status
digest_parse_lists(const struct fields *fields, const struct hf_slice *own,
                   struct hf_digest *digest, struct hf_error *err)
{
    struct hf_json_items files, items[LISTS];
    enum hf_status status;

    if (!field_items(fields, DIGEST_LOG_FILES, &files))
        return no_array(fields, DIGEST_LOG_FILES, err);
    if (!own)
        return parse_objects(files, NULL, digest, err);
    status = begin_own(*own, items, err);
    if (status == HF_OK)
        status = parse_objects(files, &items[LIST_OBJECTS], digest, err);
    if (status == HF_OK)
        status = parse_pending(items[LIST_PENDING], digest, err);
    if (status == HF_OK)
        status = parse_losses(items[LIST_LOSSES], digest, err);
    return status == HF_OK ? parse_foreign(items[LIST_FOREIGN], digest, err) : status;
}
