/* Whoever may write to a bucket can put anything under a digest's name, and the agent and the
 * verifier come by and look. So before a signature holds nothing is built of it: it is hashed, the
 * scanner runs over it once, and what is signed beside the hash is copied into a few bytes. */
#include "agent/digest/digest_impl.h"

#include <string.h>

/* What is made of a whole digest later is many times the size of a tiny value; a real one has a comma
 * every 40 bytes. */
#define COMMAS_MAX (1u << 20)

static const char *const members[DIGEST_MEMBERS] = {
    [DIGEST_ACCOUNT] = "awsAccountId",
    [DIGEST_START] = "digestStartTime",
    [DIGEST_END] = "digestEndTime",
    [DIGEST_BUCKET] = "digestS3Bucket",
    [DIGEST_KEY] = "digestS3Object",
    [DIGEST_FINGERPRINT] = "digestPublicKeyFingerprint",
    [DIGEST_ALGORITHM] = "digestSignatureAlgorithm",
    [DIGEST_PREVIOUS_BUCKET] = "previousDigestS3Bucket",
    [DIGEST_PREVIOUS_KEY] = "previousDigestS3Object",
    [DIGEST_PREVIOUS_HASH] = "previousDigestHashValue",
    [DIGEST_PREVIOUS_HASHED_BY] = "previousDigestHashAlgorithm",
    [DIGEST_PREVIOUS_SIGNATURE] = "previousDigestSignature",
    [DIGEST_LOG_FILES] = "logFiles",
    [DIGEST_OWN] = "holdfast",
};

enum { OWN_FORMAT, OWN_HOST, OWN_JOURNAL, OWN_CHAIN, OWN_NUMBER, OWN_MEMBERS };
static const char *const own_members[OWN_MEMBERS] = {
    [OWN_FORMAT] = "format", [OWN_HOST] = "host",     [OWN_JOURNAL] = "journal",
    [OWN_CHAIN] = "chain",   [OWN_NUMBER] = "number",
};

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
digest_scan(struct hf_slice json, struct fields *ret_fields, struct hf_error *err)
{
    struct hf_json_scan scan;

    if (json.size > HF_DIGEST_MAX)
        return hf_fail(err, HF_ELIMIT, "the digest has %zu bytes, more than the %u allowed",
                       json.size, HF_DIGEST_MAX);
    if (json.size > 0 && too_many_values(json))
        return hf_fail(err, HF_ELIMIT, "the digest has over %u values", COMMAS_MAX);
    if (!hf_json_scan(json, &scan))
        return hf_fail(err, HF_EFORMAT, "the digest is not valid JSON: byte %zu: %s", scan.where,
                       scan.reason);
    return fields_pick(scan.text, members, DIGEST_MEMBERS, ret_fields, err);
}

static enum hf_status
take_signed(const struct fields *fields, struct hf_digest_outline *outline, struct hf_error *err)
{
    char algorithm[64];
    enum hf_status status;

    if ((status = field_time(fields, DIGEST_END, false, &outline->end_s, err)) != HF_OK ||
        (status = field_copy(fields, DIGEST_END, false, outline->end_text,
                             sizeof(outline->end_text), err)) != HF_OK ||
        (status = field_copy(fields, DIGEST_BUCKET, false, outline->bucket, sizeof(outline->bucket),
                             err)) != HF_OK ||
        (status = field_copy(fields, DIGEST_KEY, false, outline->key, sizeof(outline->key), err)) !=
            HF_OK ||
        (status = field_copy(fields, DIGEST_FINGERPRINT, false, outline->fingerprint,
                             sizeof(outline->fingerprint), err)) != HF_OK ||
        (status = field_copy(fields, DIGEST_PREVIOUS_SIGNATURE, true, outline->previous_signature,
                             sizeof(outline->previous_signature), err)) != HF_OK ||
        (status = field_copy(fields, DIGEST_ALGORITHM, false, algorithm, sizeof(algorithm), err)) !=
            HF_OK)
        return status;
    if (!*outline->bucket || !*outline->key)
        return hf_fail(err, HF_EFORMAT, "digestS3Bucket or digestS3Object is empty");
    if (!field_is_hex(outline->fingerprint, 2, HF_FINGERPRINT_SIZE - 1))
        return hf_fail(err, HF_EFORMAT,
                       "key 'digestPublicKeyFingerprint' is not in lower-case hex");
    if (field_is_given(fields, DIGEST_PREVIOUS_SIGNATURE) &&
        !field_is_hex(outline->previous_signature, 2, 2 * HF_SIGNATURE_MAX))
        return hf_fail(err, HF_EFORMAT, "key 'previousDigestSignature' is not in lower-case hex");
    outline->algorithm = hf_signature_algorithm(algorithm);
    if (!outline->algorithm)
        return hf_fail(err, HF_EFORMAT,
                       "key 'digestSignatureAlgorithm' is '%s', which is none that is known here",
                       algorithm);
    return HF_OK;
}

/* Of a later format no more is known than that it is one. */
static enum hf_status
take_own(struct hf_slice own, struct hf_digest_outline *outline, struct hf_error *err)
{
    struct fields fields;
    enum hf_status status = fields_pick(own, own_members, OWN_MEMBERS, &fields, err);

    if (status != HF_OK ||
        (status = field_u64(&fields, OWN_FORMAT, &outline->format, err)) != HF_OK)
        return status;
    if (outline->format != DIGEST_FORMAT)
        return HF_OK;
    if ((status = field_copy(&fields, OWN_JOURNAL, false, outline->journal,
                             sizeof(outline->journal), err)) != HF_OK ||
        (status = field_copy(&fields, OWN_CHAIN, false, outline->chain, sizeof(outline->chain),
                             err)) != HF_OK ||
        (status = field_copy(&fields, OWN_HOST, true, outline->host, sizeof(outline->host), err)) !=
            HF_OK)
        return status;
    return field_u64(&fields, OWN_NUMBER, &outline->number, err);
}

enum hf_status
hf_digest_outline(struct hf_slice json, struct hf_digest_outline *ret_outline, struct hf_error *err)
{
    struct hf_digest_outline outline = { .format = 0 };
    struct fields fields;
    enum hf_status status = digest_scan(json, &fields, err);

    if (status == HF_OK)
        status = take_signed(&fields, &outline, err);
    if (status == HF_OK && fields.values[DIGEST_OWN].ptr) {
        status = take_own(fields.values[DIGEST_OWN], &outline, err);
        if (status != HF_OK)
            hf_while(err, status, "key 'holdfast'");
    }
    if (status != HF_OK)
        return hf_while(err, status, "the digest");
    hf_sha256_hex(json.ptr, json.size, outline.sha256);
    *ret_outline = outline;
    return HF_OK;
}

enum hf_status
digest_signed_text(const struct hf_digest_outline *outline, struct hf_buf *ret_text)
{
    return hf_buf_addf(ret_text, "%s\n%s/%s\n%s\n%s", outline->end_text, outline->bucket,
                       outline->key, outline->sha256,
                       *outline->previous_signature ? outline->previous_signature : "null");
}

enum hf_status
hf_digest_verify(const struct hf_digest_outline *outline, const char *signature_hex,
                 const struct hf_verifier *verifier, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(sizeof(*outline));
    uint8_t signature[HF_SIGNATURE_MAX];
    size_t digits = signature_hex ? strlen(signature_hex) : 0;
    enum hf_status status;

    if (digits == 0)
        return hf_fail(err, HF_ESIGNATURE, "there is no signature (x-amz-meta-signature) with it");
    if (digits % 2 || digits > 2 * sizeof(signature) ||
        !hf_unhex(signature_hex, digits, signature, digits / 2))
        return hf_fail(err, HF_ESIGNATURE,
                       "the signature with it (x-amz-meta-signature) is not in hex");
    if (strcmp(outline->algorithm, hf_verifier_algorithm(verifier)) != 0)
        return hf_fail(err, HF_ESIGNATURE, "it says that it is signed %s, and key %s signs %s",
                       outline->algorithm, hf_verifier_fingerprint(verifier),
                       hf_verifier_algorithm(verifier));
    status = digest_signed_text(outline, &text);
    hf_assert(status == HF_OK);
    return hf_verifier_check(verifier, hf_buf_slice(&text), signature, digits / 2, err);
}
