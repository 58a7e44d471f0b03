/* The whole of a digest of anyone's making: a thief's signed one is hostile, too. It is read where
 * it stands, without a tree of it, and what is made of it is bounded: no member takes more than a
 * few times its own bytes. */
#include "agent/digest/digest_impl.h"

#include <string.h>

enum {
    FORMAT,
    HOST,
    JOURNAL,
    CHAIN,
    NUMBER,
    BOOT,
    TAG,
    OLD_HEAD,
    FIRST,
    LAST,
    PREVIOUS_UNTIL,
    PREVIOUS_MODE,
    OWN_MEMBERS
};
static const char *const own_members[OWN_MEMBERS] = {
    [FORMAT] = "format",
    [HOST] = "host",
    [JOURNAL] = "journal",
    [CHAIN] = "chain",
    [NUMBER] = "number",
    [BOOT] = "boot",
    [TAG] = "tag",
    [OLD_HEAD] = "oldHead",
    [FIRST] = "firstSequence",
    [LAST] = "lastSequence",
    [PREVIOUS_UNTIL] = "previousRetainUntil",
    [PREVIOUS_MODE] = "previousLockMode",
};

static enum hf_status
take_place(const struct fields *fields, const struct hf_digest_outline *outline,
           struct hf_digest *digest, struct hf_error *err)
{
    enum hf_status status = field_text(fields, DIGEST_ACCOUNT, false, &digest->account, err);

    if (status == HF_OK)
        status = field_time(fields, DIGEST_START, false, &digest->start_s, err);
    if (status != HF_OK)
        return status;
    digest->end_s = outline->end_s;
    digest->end_text = hf_strdup(outline->end_text);
    digest->bucket = hf_strdup(outline->bucket);
    digest->key = hf_strdup(outline->key);
    digest->fingerprint = hf_strdup(outline->fingerprint);
    digest->algorithm = outline->algorithm;
    if (digest->start_s > digest->end_s)
        return hf_fail(err, HF_EFORMAT, "digestStartTime is after digestEndTime");
    return HF_OK;
}

/* All five, or none. */
static enum hf_status
parse_previous(const struct fields *fields, struct hf_digest *digest, struct hf_error *err)
{
    char hash[HF_SHA256_HEX_SIZE];
    size_t present = 0;
    enum hf_status status;

    for (size_t at = DIGEST_PREVIOUS_BUCKET; at <= DIGEST_PREVIOUS_SIGNATURE; at++)
        present += field_is_given(fields, at);
    if (present == 0)
        return HF_OK;
    if ((status = field_text(fields, DIGEST_PREVIOUS_BUCKET, false, &digest->previous_bucket,
                             err)) != HF_OK ||
        (status = field_text(fields, DIGEST_PREVIOUS_KEY, false, &digest->previous_key, err)) !=
            HF_OK ||
        (status = field_hash(fields, DIGEST_PREVIOUS_HASH, hash, err)) != HF_OK ||
        (status = field_word(fields, DIGEST_PREVIOUS_HASHED_BY, DIGEST_HASHED_BY, err)) != HF_OK ||
        (status = field_text(fields, DIGEST_PREVIOUS_SIGNATURE, false, &digest->previous_signature,
                             err)) != HF_OK)
        return status;
    digest->previous_hash = hf_strdup(hash);
    if (*digest->previous_bucket == '\0' || *digest->previous_key == '\0' ||
        strlen(digest->previous_key) >= HF_KEY_MAX)
        return hf_fail(err, HF_EFORMAT, "key '%s' or '%s' is empty or too long",
                       fields->names[DIGEST_PREVIOUS_BUCKET], fields->names[DIGEST_PREVIOUS_KEY]);
    return HF_OK;
}

static enum hf_status
check_own(const struct hf_digest *digest, struct hf_error *err)
{
    if (digest->number == 0 || (digest->number == 1) != !digest->previous_signature)
        return hf_fail(err, HF_EFORMAT,
                       "number %llu and the previous digest it names do not go together",
                       (unsigned long long)digest->number);
    if (digest->old_head && (digest->number != 1 || strlen(digest->old_head) >= HF_KEY_MAX))
        return hf_fail(err, HF_EFORMAT,
                       "key 'oldHead' is too long or not in the first digest of a chain");
    if (strlen(digest->tag) != HF_CHAIN_TAG_SIZE - 1)
        return hf_fail(err, HF_EFORMAT, "key 'tag' has not %d characters", HF_CHAIN_TAG_SIZE - 1);
    /* A range without anything in it ends one before it begins. */
    if (digest->first_seq == 0 || digest->last_seq < digest->first_seq - 1)
        return hf_fail(err, HF_EFORMAT, "lastSequence lies before firstSequence");
    return HF_OK;
}

static enum hf_status
parse_own(struct hf_slice own, struct hf_digest *digest, struct hf_error *err)
{
    struct fields fields;
    uint64_t format = 0;
    enum hf_status status = fields_pick(own, own_members, OWN_MEMBERS, &fields, err);

    if (status != HF_OK || (status = field_u64(&fields, FORMAT, &format, err)) != HF_OK)
        return status;
    if (format != DIGEST_FORMAT)
        return hf_fail(err, HF_EVERSION,
                       "its format is %llu and this program knows %d: use a newer one",
                       (unsigned long long)format, DIGEST_FORMAT);
    if ((status = field_text(&fields, HOST, true, &digest->host, err)) != HF_OK ||
        (status = field_text(&fields, JOURNAL, false, &digest->journal, err)) != HF_OK ||
        (status = field_text(&fields, CHAIN, false, &digest->chain, err)) != HF_OK ||
        (status = field_u64(&fields, NUMBER, &digest->number, err)) != HF_OK ||
        (status = field_text(&fields, BOOT, true, &digest->boot, err)) != HF_OK ||
        (status = field_text(&fields, TAG, false, &digest->tag, err)) != HF_OK ||
        (status = field_text(&fields, OLD_HEAD, true, &digest->old_head, err)) != HF_OK ||
        (status = field_u64(&fields, FIRST, &digest->first_seq, err)) != HF_OK ||
        (status = field_u64(&fields, LAST, &digest->last_seq, err)) != HF_OK ||
        (status = field_time(&fields, PREVIOUS_UNTIL, true, &digest->previous_retain_until_s,
                             err)) != HF_OK ||
        (status = field_text(&fields, PREVIOUS_MODE, true, &digest->previous_lock_mode, err)) !=
            HF_OK)
        return status;
    return check_own(digest, err);
}

static enum hf_status
parse_all(const struct fields *fields, const struct hf_digest_outline *outline,
          struct hf_digest *digest, struct hf_error *err)
{
    const struct hf_slice *own = &fields->values[DIGEST_OWN];
    enum hf_status status = take_place(fields, outline, digest, err);

    if (status == HF_OK)
        status = parse_previous(fields, digest, err);
    if (status == HF_OK && own->ptr) {
        status = parse_own(*own, digest, err);
        if (status != HF_OK)
            return hf_while(err, status, "key 'holdfast'");
    }
    return status == HF_OK ? digest_parse_lists(fields, own->ptr ? own : NULL, digest, err)
                           : status;
}

enum hf_status
hf_digest_parse(struct hf_slice json, struct hf_digest *ret_digest, struct hf_error *err)
{
    struct hf_digest digest = { 0 };
    struct hf_digest_outline outline;
    struct fields fields;
    enum hf_status status = hf_digest_outline(json, &outline, err);

    if (status == HF_OK)
        status = digest_scan(json, &fields, err);
    if (status != HF_OK)
        return status;
    status = parse_all(&fields, &outline, &digest, err);
    if (status != HF_OK) {
        hf_digest_done(&digest);
        return hf_while(err, status, "the digest");
    }
    *ret_digest = digest;
    return HF_OK;
}
