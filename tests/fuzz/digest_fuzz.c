/* hf_digest_parse() over any bytes: what it accepts keeps the promises that verification builds on.
 */
#include <holdfast/digest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "accepted a digest with %s\n", what);
    abort();
}

static void
check_key(const char *key)
{
    must(key && *key && strlen(key) < HF_KEY_MAX && !strpbrk(key, "\r\n"), "a key that is none");
}

static void
check_chain(const struct hf_digest *digest)
{
    bool first = !digest->previous_signature;

    must((first && !digest->previous_key && !digest->previous_hash && !digest->previous_bucket) ||
             (!first && digest->previous_key && digest->previous_hash && digest->previous_bucket),
         "half a link");
    if (!first) {
        check_key(digest->previous_key);
        must(strlen(digest->previous_hash) == HF_SHA256_HEX_SIZE - 1, "a hash that is none");
    }
    if (digest->number == 0)
        return;
    must(digest->journal && digest->chain && digest->tag, "no chain");
    must((digest->number == 1) == first, "a number that does not fit its link");
    must(digest->first_seq > 0 && digest->last_seq + 1 >= digest->first_seq, "a range backwards");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_digest digest = { 0 };

    struct hf_digest_outline outline;
    bool outlined = hf_digest_outline(hf_slice(data, size), &outline, NULL) == HF_OK;

    if (hf_digest_parse(hf_slice(data, size), &digest, NULL) != HF_OK)
        return 0;
    must(outlined && outline.number == digest.number && strcmp(outline.key, digest.key) == 0 &&
             strcmp(outline.end_text, digest.end_text) == 0,
         "another outline");
    check_key(digest.key);
    must(digest.start_s <= digest.end_s && digest.end_text, "a period backwards");
    must(strspn(digest.fingerprint, "0123456789abcdef") == strlen(digest.fingerprint) &&
             *digest.fingerprint,
         "a fingerprint that is none");
    check_chain(&digest);
    for (size_t i = 0; i < digest.object_count; i++) {
        const struct hf_digest_object *object = &digest.objects[i];
        check_key(object->key);
        must(strlen(object->hash) == HF_SHA256_HEX_SIZE - 1, "a hash that is none");
        must(digest.number == 0 || (object->first_seq > 0 && object->last_seq >= object->first_seq),
             "an object's range backwards");
    }
    for (size_t i = 0; i < digest.pending_count; i++)
        must(digest.pending[i].key && digest.pending[i].last_seq >= digest.pending[i].first_seq,
             "a pending range backwards");
    hf_digest_done(&digest);
    return 0;
}
