/* What is signed, and who signed it. */
#include "agent/digest/digest_impl.h"

#include <stdlib.h>
#include <string.h>

static void
object_done(struct hf_digest_object *object)
{
    hf_freep(&object->bucket);
    hf_freep(&object->key);
    hf_freep(&object->version_id);
    hf_freep(&object->confirmed);
    hf_freep(&object->encryption);
    hf_freep(&object->lock_mode);
}

void
hf_digest_done(struct hf_digest *digest)
{
    char **texts[] = { &digest->account,      &digest->bucket,        &digest->key,
                       &digest->end_text,     &digest->fingerprint,   &digest->previous_bucket,
                       &digest->previous_key, &digest->previous_hash, &digest->previous_signature,
                       &digest->host,         &digest->journal,       &digest->chain,
                       &digest->boot,         &digest->tag,           &digest->old_head };

    for (size_t i = 0; i < HF_COUNT(texts); i++)
        free(*texts[i]);
    for (size_t i = 0; i < digest->object_count; i++)
        object_done(&digest->objects[i]);
    for (size_t i = 0; i < digest->pending_count; i++)
        free(digest->pending[i].key);
    for (size_t i = 0; i < digest->loss_count; i++)
        free(digest->losses[i].reason);
    for (size_t i = 0; i < digest->foreign_count; i++)
        free(digest->foreign[i]);
    free(digest->objects);
    free(digest->pending);
    free(digest->losses);
    free(digest->foreign);
    *digest = (struct hf_digest){ 0 };
}

enum hf_status
digest_signed_text(const struct hf_digest *digest, struct hf_slice json, struct hf_buf *ret_text)
{
    const char *previous = digest->previous_signature;
    char end[HF_TIME_SIZE], hash[HF_SHA256_HEX_SIZE];

    hf_time_rfc3339(digest->end_s, end);
    hf_sha256_hex(json.ptr, json.size, hash);
    return hf_buf_addf(ret_text, "%s\n%s/%s\n%s\n%s", digest->end_text ? digest->end_text : end,
                       digest->bucket, digest->key, hash, previous ? previous : "null");
}

enum hf_status
hf_digest_verify(const struct hf_digest *digest, struct hf_slice json, const char *signature_hex,
                 const struct hf_verifier *verifier, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(HF_DIGEST_MAX);
    uint8_t signature[HF_SIGNATURE_MAX];
    size_t digits = signature_hex ? strlen(signature_hex) : 0;
    enum hf_status status;

    if (digits == 0)
        return hf_fail(err, HF_ESIGNATURE, "there is no signature (x-amz-meta-signature) with it");
    if (digits % 2 || digits > 2 * sizeof(signature) ||
        !hf_unhex(signature_hex, digits, signature, digits / 2))
        return hf_fail(err, HF_ESIGNATURE,
                       "the signature with it (x-amz-meta-signature) is not in hex");
    if (digest->algorithm && strcmp(digest->algorithm, hf_verifier_algorithm(verifier)) != 0)
        return hf_fail(err, HF_ESIGNATURE, "it says that it is signed %s, and key %s signs %s",
                       digest->algorithm, hf_verifier_fingerprint(verifier),
                       hf_verifier_algorithm(verifier));
    status = digest_signed_text(digest, json, &text);
    if (status != HF_OK)
        return hf_fail(err, status, "the text to be signed is over its limit");
    return hf_verifier_check(verifier, hf_buf_slice(&text), signature, digits / 2, err);
}
