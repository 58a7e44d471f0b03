/* Whose key? One that was given to us, or one from the bucket: with a fingerprint that was given to
 * us as good as that, without any only as good as the bucket, which is said. */
#include <stdlib.h>
#include <string.h>

#include "agent/verify/verify_impl.h"

#define KEY_MAX (64u << 10)

static bool
is_pinned(const struct verify *v, const char *fingerprint)
{
    for (size_t i = 0; i < v->options->fingerprint_count; i++)
        if (strcmp(v->options->fingerprints[i], fingerprint) == 0)
            return true;
    return false;
}

/* One version of what lies at `key`; NULL: the current one. */
static enum hf_status
read_version(struct verify *v, struct known_key *known, const char *key, const char *version_id,
             struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(KEY_MAX);
    struct hf_verifier *verifier = NULL;
    struct hf_error why;
    enum hf_status status = hf_store_get(v->look.store, key, version_id, KEY_MAX, &pem, NULL, err);

    hf_freep(&known->why_not);
    if (status == HF_ENOTFOUND || fetch_is_bad_object(status)) {
        known->why_not = hf_asprintf("the key %s is neither given nor to be had at '%s'",
                                     known->fingerprint, key);
        return HF_OK;
    }
    if (status != HF_OK)
        return hf_while(err, status, "reading the public key '%s'", key);
    status = hf_verifier_parse(hf_buf_slice(&pem), key, &verifier, &why);
    if (status != HF_OK) {
        known->why_not = hf_asprintf("what lies at '%s' is not a public key: %s", key, why.text);
    } else if (strcmp(hf_verifier_fingerprint(verifier), known->fingerprint) != 0) {
        known->why_not =
            hf_asprintf("at '%s' lies another key, %s", key, hf_verifier_fingerprint(verifier));
        hf_verifier_free(verifier);
    } else {
        known->verifier = verifier;
        hf_freep(&known->why_not);
    }
    return HF_OK;
}

/* The fingerprint says which bytes are right: whatever was laid over them hides them from nobody
 * who may list versions. */
static enum hf_status
read_key(struct verify *v, struct known_key *known, struct hf_error *err)
{
    struct hf_version_entry *entries = NULL;
    size_t count = 0;
    struct versions_below below;
    char key[HF_KEY_MAX];
    enum hf_status status;

    hf_layout_public_key(&v->layout, known->fingerprint, key);
    status = read_version(v, known, key, NULL, err);
    if (status != HF_OK || known->verifier)
        return status;
    status = versions_list(&v->look, key, &entries, &count, err);
    verify_tell(v, &v->look.now.notes);
    versions_pick(entries, count, &below);
    for (size_t i = 0; i < below.count && status == HF_OK && !known->verifier; i++)
        status = read_version(v, known, key, below.entries[i]->version_id, err);
    if (status == HF_OK && !known->verifier)
        versions_note_left_out(&v->look, key, &below);
    verify_tell(v, &v->look.now.notes);
    hf_store_versions_free(entries, count);
    return status;
}

static enum hf_status
key_in_bucket(struct verify *v, const char *fingerprint, struct known_key **ret_known,
              struct hf_error *err)
{
    for (size_t i = 0; i < v->key_count; i++) {
        if (strcmp(v->keys[i].fingerprint, fingerprint) == 0) {
            *ret_known = &v->keys[i];
            return HF_OK;
        }
    }
    struct known_key known = { .verifier = NULL };
    memcpy(known.fingerprint, fingerprint, strlen(fingerprint) + 1);
    enum hf_status status = read_key(v, &known, err);
    if (status != HF_OK)
        return status;
    v->keys = hf_realloc(v->keys, (v->key_count + 1) * sizeof(*v->keys));
    v->keys[v->key_count] = known;
    *ret_known = &v->keys[v->key_count++];
    return HF_OK;
}

/* AWS's fingerprints are 32 digits of a making of their own: any pinned key may be meant. */
static const struct hf_verifier *
given(const struct verify *v, const char *fingerprint, size_t attempt)
{
    bool is_ours = strlen(fingerprint) == HF_FINGERPRINT_SIZE - 1;

    if (!is_ours)
        return attempt < v->options->verifier_count ? v->options->verifiers[attempt] : NULL;
    for (size_t i = 0; attempt == 0 && i < v->options->verifier_count; i++)
        if (strcmp(hf_verifier_fingerprint(v->options->verifiers[i]), fingerprint) == 0)
            return v->options->verifiers[i];
    return NULL;
}

enum hf_status
keys_find(struct verify *v, const char *fingerprint, size_t attempt,
          const struct hf_verifier **ret_verifier, const char **ret_why, struct hf_error *err)
{
    const struct hf_verifier *verifier = given(v, fingerprint, attempt);
    bool pinned = is_pinned(v, fingerprint);
    struct known_key *known;
    enum hf_status status;

    *ret_verifier = verifier;
    *ret_why = "the key that signed it is none of those that were given";
    if (verifier || attempt > 0)
        return HF_OK;
    if (!pinned && (v->options->verifier_count > 0 || v->options->fingerprint_count > 0))
        return HF_OK;
    status = key_in_bucket(v, fingerprint, &known, err);
    if (status != HF_OK)
        return status;
    *ret_verifier = known->verifier;
    *ret_why = known->why_not;
    if (known->verifier && !pinned && !v->said.not_pinned) {
        v->said.not_pinned = true;
        verify_report(
            v, HF_KEY_NOT_PINNED, fingerprint,
            "this key comes from the bucket itself: who can write there can have put his own; "
            "pin the right one with --public-key or --fingerprint, from where the key was made");
    }
    return HF_OK;
}

bool
keys_is_revoked(const struct verify *v, const struct hf_digest_outline *outline)
{
    for (size_t i = 0; i < v->options->revoked_count; i++) {
        const struct hf_revoked_key *key = &v->options->revoked[i];
        if (strcmp(key->fingerprint, outline->fingerprint) == 0 && outline->end_s > key->from_s)
            return true;
    }
    return false;
}

void
keys_done(struct verify *v)
{
    for (size_t i = 0; i < v->key_count; i++) {
        hf_verifier_free(v->keys[i].verifier);
        free(v->keys[i].why_not);
    }
    free(v->keys);
}
