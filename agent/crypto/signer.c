/* A digest key that signs. */
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "crypto_impl.h"

struct hf_signer {
    EVP_PKEY *key;
    const struct hf_algorithm *algorithm;
    char fingerprint[HF_FINGERPRINT_SIZE];
};

enum hf_status
hf_signer_load(const char *path, struct hf_signer **ret_signer, struct hf_error *err)
{
    hf_owned(hf_pkey_freep) EVP_PKEY *key = NULL;
    char fingerprint[HF_FINGERPRINT_SIZE];
    enum hf_status status = hf_private_key_load(path, &key, err);
    if (status != HF_OK)
        return status;
    hf_owned(hf_freep) char *what = hf_asprintf("'%s'", path);
    const struct hf_algorithm *algorithm = hf_algorithm_of(key, what, err);
    status = algorithm ? hf_key_fingerprint(key, fingerprint, err) : HF_ECRYPTO;
    if (status != HF_OK)
        return hf_while(err, status, "loading a digest key");
    struct hf_signer *signer = hf_alloc(sizeof(*signer));
    signer->algorithm = algorithm;
    memcpy(signer->fingerprint, fingerprint, sizeof(fingerprint));
    signer->key = hf_take(key);
    *ret_signer = signer;
    return HF_OK;
}

void
hf_signer_free(struct hf_signer *signer)
{
    if (!signer)
        return;
    EVP_PKEY_free(signer->key);
    free(signer);
}

const char *
hf_signer_fingerprint(const struct hf_signer *signer)
{
    return signer->fingerprint;
}

const char *
hf_signer_algorithm(const struct hf_signer *signer)
{
    return signer->algorithm->name;
}

enum hf_status
hf_signer_sign(struct hf_signer *signer, struct hf_slice message,
               uint8_t ret_signature[HF_SIGNATURE_MAX], size_t *ret_size, struct hf_error *err)
{
    hf_owned(hf_md_ctx_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_context = NULL; /* the digest context's */
    uint8_t signature[HF_SIGNATURE_MAX];
    size_t size = sizeof(signature);
    if (!context ||
        EVP_DigestSignInit(context, &key_context, signer->algorithm->hash(), NULL, signer->key) !=
            1 ||
        !signer->algorithm->set_up(key_context) ||
        EVP_DigestSign(context, signature, &size, message.ptr, message.size) != 1)
        return hf_crypto_fail(err, HF_ECRYPTO, "signing with key %s", signer->fingerprint);
    memcpy(ret_signature, signature, size);
    *ret_size = size;
    return HF_OK;
}

enum hf_status
hf_signer_public_pem(const struct hf_signer *signer, struct hf_buf *ret_pem)
{
    hf_owned(hf_bio_freep) BIO *bio = BIO_new(BIO_s_mem());
    int worked = bio && PEM_write_bio_PUBKEY(bio, signer->key) == 1;
    hf_assert(worked);
    char *text;
    long size = BIO_get_mem_data(bio, &text);
    return hf_buf_add(ret_pem, text, (size_t)size);
}

enum hf_status
hf_signer_public_pkcs1(const struct hf_signer *signer, struct hf_buf *ret_der)
{
    return hf_key_public(signer->key, ret_der);
}
