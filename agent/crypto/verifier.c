/* A digest key's public half: read from three kinds of PEM, and the check of a signature. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "crypto_impl.h"

struct hf_verifier {
    EVP_PKEY *key;
    const struct hf_algorithm *algorithm;
    char fingerprint[HF_FINGERPRINT_SIZE];
};

/* The key in one PEM block, or NULL; its bytes must be used up. */
static EVP_PKEY *
block_key(const char *name, const uint8_t *der, long size)
{
    const uint8_t *at = der;
    hf_owned(hf_pkey_freep) EVP_PKEY *key = NULL;
    if (strcmp(name, PEM_STRING_PUBLIC) == 0) {
        key = d2i_PUBKEY(NULL, &at, size);
    } else if (strcmp(name, PEM_STRING_RSA_PUBLIC) == 0) {
        key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, size);
    } else if (strcmp(name, PEM_STRING_X509) == 0) {
        hf_owned(hf_x509_freep) X509 *certificate = d2i_X509(NULL, &at, size);
        key = certificate ? X509_get_pubkey(certificate) : NULL;
    }
    return at == der + size ? hf_take(key) : NULL;
}

static enum hf_status
parse(struct hf_slice pem, const char *what, EVP_PKEY **ret_key, struct hf_error *err)
{
    if (pem.size == 0 || pem.size > HF_PEM_MAX)
        return hf_fail(err, HF_EFORMAT, "%s has %zu bytes, not 1 to %u", what, pem.size,
                       HF_PEM_MAX);
    hf_owned(hf_bio_freep) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.size);
    hf_assert(bio != NULL);
    char *name = NULL, *header = NULL;
    uint8_t *der = NULL;
    long size = 0;
    EVP_PKEY *key = NULL;
    if (PEM_read_bio(bio, &name, &header, &der, &size) == 1)
        key = block_key(name, der, size);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    if (!key)
        return hf_crypto_fail(err, HF_EFORMAT, "%s holds no public key or certificate in PEM form",
                              what);
    *ret_key = key;
    return HF_OK;
}

enum hf_status
hf_verifier_parse(struct hf_slice pem, const char *what, struct hf_verifier **ret_verifier,
                  struct hf_error *err)
{
    hf_owned(hf_pkey_freep) EVP_PKEY *key = NULL;
    char fingerprint[HF_FINGERPRINT_SIZE];
    enum hf_status status = parse(pem, what, &key, err);
    if (status != HF_OK)
        return status;
    const struct hf_algorithm *algorithm = hf_algorithm_of(key, what, err);
    status = algorithm ? hf_key_fingerprint(key, fingerprint, err) : HF_ECRYPTO;
    if (status != HF_OK)
        return status;
    struct hf_verifier *verifier = hf_alloc(sizeof(*verifier));
    verifier->algorithm = algorithm;
    memcpy(verifier->fingerprint, fingerprint, sizeof(fingerprint));
    verifier->key = hf_take(key);
    *ret_verifier = verifier;
    return HF_OK;
}

enum hf_status
hf_verifier_load(const char *path, struct hf_verifier **ret_verifier, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(HF_PEM_MAX);
    enum hf_status status = hf_fs_read_file(path, HF_PEM_MAX, &pem, err);
    if (status != HF_OK)
        return hf_while(err, status, "loading a public key");
    hf_owned(hf_freep) char *what = hf_asprintf("'%s'", path);
    return hf_verifier_parse(hf_buf_slice(&pem), what, ret_verifier, err);
}

void
hf_verifier_free(struct hf_verifier *verifier)
{
    if (!verifier)
        return;
    EVP_PKEY_free(verifier->key);
    free(verifier);
}

const char *
hf_verifier_fingerprint(const struct hf_verifier *verifier)
{
    return verifier->fingerprint;
}

const char *
hf_verifier_algorithm(const struct hf_verifier *verifier)
{
    return verifier->algorithm->name;
}

enum hf_status
hf_verifier_pkcs1(const struct hf_verifier *verifier, struct hf_buf *ret_der)
{
    return hf_key_public(verifier->key, ret_der);
}

enum hf_status
hf_verifier_check(const struct hf_verifier *verifier, struct hf_slice message,
                  const uint8_t *signature, size_t size, struct hf_error *err)
{
    hf_owned(hf_md_ctx_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_context = NULL; /* the digest context's */
    if (!context ||
        EVP_DigestVerifyInit(context, &key_context, verifier->algorithm->hash(), NULL,
                             verifier->key) != 1 ||
        !verifier->algorithm->set_up(key_context))
        return hf_crypto_fail(err, HF_ECRYPTO, "preparing key %s to check a signature",
                              verifier->fingerprint);
    /* 0 is a wrong signature, less is one that cannot even be read: to us both are not this key's.
     */
    int worked = EVP_DigestVerify(context, signature, size, message.ptr, message.size);
    ERR_clear_error();
    if (worked != 1)
        return hf_fail(err, HF_ESIGNATURE, "the signature is not one of this content by key %s",
                       verifier->fingerprint);
    return HF_OK;
}
