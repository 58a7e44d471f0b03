/* The public key's own object: put once for each bucket and prefix that digests go to, because the
 * key inside their names is the fingerprint alone, and whoever has one bucket must find it there. */
#include "agent/trail/delivery.h"

#include <string.h>

/* Under the trail's lock, encrypted at the store as its objects are where the store does it; never
 * as an envelope, since anyone must be able to check without a key. */
struct hf_sealed *
key_new_sealed(const struct trail *trail, enum hf_sealed_kind kind, const char *key,
               const char *content_type)
{
    const struct settings *s = &trail->plan->settings;
    bool at_store = s->encryption == HF_ENCRYPT_SSE_S3 || s->encryption == HF_ENCRYPT_SSE_KMS ||
                    s->encryption == HF_ENCRYPT_SSE_C;
    struct hf_sealed *sealed = hf_alloc(sizeof(*sealed));
    sealed->kind = kind;
    sealed->trail = hf_strdup(trail->name);
    sealed->chain = hf_strdup(trail->chain.id);
    sealed->store = hf_strdup(s->store);
    sealed->bucket = hf_strdup(s->bucket);
    sealed->key = hf_strdup(key);
    sealed->content_type = hf_strdup(content_type);
    sealed->encryption = at_store ? s->encryption : HF_ENCRYPT_NONE;
    sealed->kms_key_id = at_store ? hf_strdup(s->kms_key_id) : NULL;
    sealed->sse_c_key_file =
        s->encryption == HF_ENCRYPT_SSE_C ? hf_strdup(s->sse_c_key_file) : NULL;
    sealed->lock_mode = s->lock_mode;
    sealed->lock_days = s->lock_days;
    sealed->legal_hold = s->legal_hold;
    return sealed;
}

static void
public_key_key(const struct trail *trail, char ret_key[HF_KEY_MAX])
{
    hf_layout_public_key(&trail->plan->settings.layout, hf_signer_fingerprint(trail->plan->signer),
                         ret_key);
}

bool
key_in_place(const struct trail *trail)
{
    char key[HF_KEY_MAX], place[HF_SHA256_HEX_SIZE];
    public_key_key(trail, key);
    chain_key_place(trail->plan->settings.store, trail->plan->settings.bucket, key, place);
    return strcmp(trail->chain.key_place, place) == 0;
}

bool
key_moved(const struct trail *trail)
{
    char key[HF_KEY_MAX];
    const struct hf_sealed *sealed = trail->chain.key.sealed;
    public_key_key(trail, key);
    return sealed && (strcmp(sealed->key, key) != 0 ||
                      strcmp(sealed->bucket, trail->plan->settings.bucket) != 0 ||
                      strcmp(sealed->store, trail->plan->settings.store) != 0);
}

/* A digest that is sealed already needs the key it was signed with in its bucket first. In the same
 * place the dates of its attempts stay: locks only grow. */
void
key_begin_anew(struct trail *trail)
{
    struct outgoing *out = &trail->chain.key;
    if (!out->sealed || out->in_flight || (trail->chain.digest && trail->chain.digest->out.sealed))
        return;
    if (key_moved(trail))
        outgoing_done(out);
    else
        hf_sealed_free(hf_take(out->sealed));
}

static enum hf_status
seal(struct outgoing *out, struct hf_sealed *sealed, struct hf_slice pem, struct hf_error *err)
{
    sealed->window = hf_strdup("key");
    sealed->plain_size = pem.size;
    hf_sha256_hex(pem.ptr, pem.size, sealed->plain_sha256);
    return hf_seal_bytes(sealed, out->path, pem, err);
}

enum hf_status
key_prepare(struct trail *trail, struct hf_error *err)
{
    struct outgoing *out = &trail->chain.key;
    char key[HF_KEY_MAX];
    if (out->sealed || key_in_place(trail))
        return HF_OK;
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(64u << 10);
    enum hf_status status = hf_signer_public_pem(trail->plan->signer, &pem);
    if (status != HF_OK)
        return hf_fail(err, status, "writing the public key");
    public_key_key(trail, key);
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed =
        key_new_sealed(trail, HF_SEALED_KEY, key, "application/x-pem-file");
    hf_freep(&out->path);
    out->path = hf_asprintf("%s/key", trail->sealed_folder);
    status = seal(out, sealed, hf_buf_slice(&pem), err);
    if (status != HF_OK)
        return hf_while(err, status, "sealing the public key");
    out->sealed = hf_take(sealed);
    out->maybe_there = true; /* another trail, or an earlier life, may have put the same key */
    return HF_OK;
}
