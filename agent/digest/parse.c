/* Digests of anyone's making: nothing here is believed before its form is checked, and nothing that
 * passes is believed before its signature is. */
#include "agent/digest/digest_impl.h"

#include <string.h>

/* The tree of a digest of HF_DIGEST_MAX bytes in as many tiny values would take a hundred times its
 * size; a real one of that size has a comma every 40 bytes. */
#define COMMAS_MAX (1u << 20)

enum hf_status
digest_take_text(const json_t *doc, const char *key, bool optional, char **ret_text,
                 struct hf_error *err)
{
    return hf_doc_take_text(doc, key, optional, DIGEST_TEXT_MAX, ret_text, err);
}

bool
digest_is_hex(const char *text, size_t least, size_t most)
{
    size_t size = strspn(text, "0123456789abcdef");

    return text[size] == '\0' && size >= least && size <= most && size % 2 == 0;
}

enum hf_status
digest_take_hash(const json_t *doc, const char *key, char ret_hash[HF_SHA256_HEX_SIZE],
                 struct hf_error *err)
{
    const char *text;
    enum hf_status status = hf_doc_text(doc, key, &text, err);

    if (status != HF_OK)
        return status;
    if (!digest_is_hex(text, HF_SHA256_HEX_SIZE - 1, HF_SHA256_HEX_SIZE - 1))
        return hf_fail(err, HF_EFORMAT, "key '%s' is not a SHA-256 in lower-case hex", key);
    memcpy(ret_hash, text, HF_SHA256_HEX_SIZE);
    return HF_OK;
}

static enum hf_status
take_algorithm(const json_t *doc, const char **ret_algorithm, struct hf_error *err)
{
    const char *text;
    enum hf_status status = hf_doc_text(doc, "digestSignatureAlgorithm", &text, err);

    if (status != HF_OK)
        return status;
    *ret_algorithm = hf_signature_algorithm(text);
    if (!*ret_algorithm)
        return hf_fail(
            err, HF_EFORMAT,
            "key 'digestSignatureAlgorithm' is '%.64s', which is none that is known here", text);
    return HF_OK;
}

static enum hf_status
parse_place(const json_t *doc, struct hf_digest *digest, struct hf_error *err)
{
    enum hf_status status;

    if ((status = digest_take_text(doc, "awsAccountId", false, &digest->account, err)) != HF_OK ||
        (status = hf_doc_time(doc, "digestStartTime", false, &digest->start_s, err)) != HF_OK ||
        (status = hf_doc_time(doc, "digestEndTime", false, &digest->end_s, err)) != HF_OK ||
        (status = digest_take_text(doc, "digestEndTime", false, &digest->end_text, err)) != HF_OK ||
        (status = digest_take_text(doc, "digestS3Bucket", false, &digest->bucket, err)) != HF_OK ||
        (status = digest_take_text(doc, "digestS3Object", false, &digest->key, err)) != HF_OK ||
        (status = take_algorithm(doc, &digest->algorithm, err)) != HF_OK)
        return status;
    if (digest->start_s > digest->end_s)
        return hf_fail(err, HF_EFORMAT, "digestStartTime is after digestEndTime");
    if (*digest->bucket == '\0' || *digest->key == '\0' || strlen(digest->key) >= HF_KEY_MAX)
        return hf_fail(err, HF_EFORMAT, "digestS3Bucket or digestS3Object is empty or too long");
    status = digest_take_text(doc, "digestPublicKeyFingerprint", false, &digest->fingerprint, err);
    if (status == HF_OK && !digest_is_hex(digest->fingerprint, 2, HF_FINGERPRINT_SIZE - 1))
        return hf_fail(err, HF_EFORMAT,
                       "key 'digestPublicKeyFingerprint' is not in lower-case hex");
    return status;
}

/* All five, or none. */
static enum hf_status
parse_previous(const json_t *doc, struct hf_digest *digest, struct hf_error *err)
{
    static const char *const keys[] = { "previousDigestS3Bucket", "previousDigestS3Object",
                                        "previousDigestHashValue", "previousDigestHashAlgorithm",
                                        "previousDigestSignature" };
    size_t present = 0;
    enum hf_status status;

    for (size_t i = 0; i < HF_COUNT(keys); i++) {
        const json_t *value = json_object_get(doc, keys[i]);
        present += value && !json_is_null(value);
    }
    if (present == 0)
        return HF_OK;
    if ((status = digest_take_text(doc, keys[0], false, &digest->previous_bucket, err)) != HF_OK ||
        (status = digest_take_text(doc, keys[1], false, &digest->previous_key, err)) != HF_OK ||
        (status = digest_take_text(doc, keys[2], false, &digest->previous_hash, err)) != HF_OK ||
        (status = hf_doc_word(doc, keys[3], DIGEST_HASHED_BY, err)) != HF_OK ||
        (status = digest_take_text(doc, keys[4], false, &digest->previous_signature, err)) != HF_OK)
        return status;
    if (!digest_is_hex(digest->previous_hash, HF_SHA256_HEX_SIZE - 1, HF_SHA256_HEX_SIZE - 1))
        return hf_fail(err, HF_EFORMAT, "key '%s' is not a SHA-256 in lower-case hex", keys[2]);
    if (!digest_is_hex(digest->previous_signature, 2, 2 * HF_SIGNATURE_MAX))
        return hf_fail(err, HF_EFORMAT, "key '%s' is not in lower-case hex", keys[4]);
    if (*digest->previous_bucket == '\0' || *digest->previous_key == '\0' ||
        strlen(digest->previous_key) >= HF_KEY_MAX)
        return hf_fail(err, HF_EFORMAT, "key '%s' or '%s' is empty or too long", keys[0], keys[1]);
    return HF_OK;
}

static enum hf_status
parse_own(const json_t *own, struct hf_digest *digest, struct hf_error *err)
{
    uint64_t format = 0;
    enum hf_status status;

    if ((status = hf_doc_u64(own, "format", &format, err)) != HF_OK)
        return status;
    if (format != DIGEST_FORMAT)
        return hf_fail(err, HF_EVERSION,
                       "its format is %llu and this program knows %d: use a newer one",
                       (unsigned long long)format, DIGEST_FORMAT);
    if ((status = digest_take_text(own, "host", true, &digest->host, err)) != HF_OK ||
        (status = digest_take_text(own, "journal", false, &digest->journal, err)) != HF_OK ||
        (status = digest_take_text(own, "chain", false, &digest->chain, err)) != HF_OK ||
        (status = hf_doc_u64(own, "number", &digest->number, err)) != HF_OK ||
        (status = digest_take_text(own, "boot", true, &digest->boot, err)) != HF_OK ||
        (status = digest_take_text(own, "tag", false, &digest->tag, err)) != HF_OK ||
        (status = digest_take_text(own, "oldHead", true, &digest->old_head, err)) != HF_OK ||
        (status = hf_doc_u64(own, "firstSequence", &digest->first_seq, err)) != HF_OK ||
        (status = hf_doc_u64(own, "lastSequence", &digest->last_seq, err)) != HF_OK)
        return status;
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
parse_all(const json_t *doc, struct hf_digest *digest, struct hf_error *err)
{
    const json_t *own = json_object_get(doc, "holdfast");
    enum hf_status status = parse_place(doc, digest, err);

    if (status == HF_OK)
        status = parse_previous(doc, digest, err);
    if (status == HF_OK && own) {
        status = json_is_object(own) ? parse_own(own, digest, err)
                                     : hf_fail(err, HF_EFORMAT, "it is not an object");
        if (status != HF_OK)
            return hf_while(err, status, "key 'holdfast'");
    }
    return status == HF_OK ? digest_parse_lists(doc, own, digest, err) : status;
}

static bool
too_many_values(struct hf_slice json)
{
    const uint8_t *at = json.ptr, *end = json.ptr + json.size;
    size_t commas = 0;

    while (at < end && (at = memchr(at, ',', (size_t)(end - at)))) {
        at++;
        if (++commas > COMMAS_MAX)
            return true;
    }
    return false;
}

enum hf_status
hf_digest_parse(struct hf_slice json, struct hf_digest *ret_digest, struct hf_error *err)
{
    hf_owned(hf_doc_freep) json_t *doc = NULL;
    struct hf_digest digest = { 0 };
    enum hf_status status;

    if (json.size <= HF_DIGEST_MAX && json.size > 0 && too_many_values(json))
        return hf_fail(err, HF_ELIMIT, "the digest has over %u values", COMMAS_MAX);
    status = hf_doc_parse(json, HF_DIGEST_MAX, "the digest", &doc, err);
    if (status != HF_OK)
        return status;
    status = parse_all(doc, &digest, err);
    if (status != HF_OK) {
        hf_digest_done(&digest);
        return hf_while(err, status, "the digest");
    }
    *ret_digest = digest;
    return HF_OK;
}
