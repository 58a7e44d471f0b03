/* Key files: read with their mode checked, parsed from memory, wiped. */
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "crypto_impl.h"

void
hf_secret_done(struct hf_buf *buf)
{
    if (buf->ptr)
        hf_wipe(buf->ptr, buf->capacity);
    hf_buf_done(buf);
}

enum hf_status
hf_key256_load(const char *path, uint8_t ret_key[32], struct hf_error *err)
{
    hf_owned(hf_secret_done) struct hf_buf bytes = HF_BUF(4096);
    enum hf_status status = hf_fs_read_secret(path, bytes.max, &bytes, err);
    if (status != HF_OK)
        return hf_while(err, status, "loading a 256-bit key");
    if (bytes.size == 32) {
        memcpy(ret_key, bytes.ptr, 32);
        return HF_OK;
    }
    size_t digits = bytes.size - (bytes.size && bytes.ptr[bytes.size - 1] == '\n');
    uint8_t key[32];
    if (digits != 64 || !hf_unhex((const char *)bytes.ptr, digits, key, sizeof(key)))
        return hf_fail(err, HF_ECRYPTO, "key file '%s' holds neither 32 bytes nor 64 hex digits",
                       path);
    memcpy(ret_key, key, sizeof(key));
    hf_wipe(key, sizeof(key));
    return HF_OK;
}

/* Without it OpenSSL would ask for a passphrase at the terminal. */
static int
/* NOLINTNEXTLINE(readability-non-const-parameter): pem_password_cb's type */
refuse_passphrase(char *text, int size, int for_writing, void *asked)
{
    (void)text, (void)size, (void)for_writing;
    *(bool *)asked = true;
    return -1;
}

enum hf_status
hf_private_key_load(const char *path, EVP_PKEY **ret_key, struct hf_error *err)
{
    hf_owned(hf_secret_done) struct hf_buf pem = HF_BUF(HF_PEM_MAX);
    enum hf_status status = hf_fs_read_secret(path, HF_PEM_MAX, &pem, err);
    if (status != HF_OK)
        return hf_while(err, status, "loading a private key");
    hf_owned(hf_bio_freep) BIO *bio =
        BIO_new_mem_buf(pem.size ? pem.ptr : (const void *)"", (int)pem.size);
    hf_assert(bio != NULL);
    bool asked = false;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, &asked);
    if (!key && asked)
        return hf_crypto_fail(
            err, HF_ECRYPTO,
            "private key '%s' is encrypted: store it without a passphrase, mode 0600", path);
    if (!key)
        return hf_crypto_fail(err, HF_ECRYPTO, "'%s' holds no private key in PEM form", path);
    *ret_key = key;
    return HF_OK;
}

enum hf_status
hf_rsa_check(const EVP_PKEY *key, const char *what, struct hf_error *err)
{
    if (!EVP_PKEY_is_a(key, "RSA"))
        return hf_fail(err, HF_ECRYPTO, "the key in %s is not an RSA key", what);
    int bits = EVP_PKEY_get_bits(key);
    if (bits < HF_RSA_BITS_MIN || bits > HF_RSA_BITS_MAX)
        return hf_fail(err, HF_ECRYPTO, "the RSA key in %s has %d bits, not %d to %d", what, bits,
                       HF_RSA_BITS_MIN, HF_RSA_BITS_MAX);
    return HF_OK;
}

enum hf_status
hf_recipient_key_check(const EVP_PKEY *key, const char *what, struct hf_error *err)
{
    static const char *const curves[] = { "prime256v1", "P-256",     "secp384r1",
                                          "P-384",      "secp521r1", "P-521" };

    if (EVP_PKEY_is_a(key, "RSA"))
        return hf_rsa_check(key, what, err);
    if (!EVP_PKEY_is_a(key, "EC"))
        return hf_fail(err, HF_ECRYPTO, "the key in %s is neither RSA nor EC", what);
    char group[64] = "unnamed";
    EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), NULL);
    for (size_t i = 0; i < HF_COUNT(curves); i++) {
        if (strcmp(group, curves[i]) == 0)
            return HF_OK;
    }
    return hf_fail(err, HF_ECRYPTO,
                   "the EC key in %s is on curve '%s', not on P-256, P-384 or P-521", what, group);
}

enum hf_status
hf_key_public(const EVP_PKEY *key, struct hf_buf *ret_der)
{
    uint8_t *der = NULL;
    int size = i2d_PublicKey(key, &der);
    hf_assert(size > 0);
    enum hf_status status = hf_buf_add(ret_der, der, (size_t)size);
    OPENSSL_free(der);
    return status;
}

enum hf_status
hf_key_fingerprint(const EVP_PKEY *key, char ret_text[HF_FINGERPRINT_SIZE], struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(8192);
    enum hf_status status = hf_key_public(key, &der);
    /* The modulus is bounded; an exponent as long as an RSA key is somebody's idea of a joke. */
    if (status != HF_OK)
        return hf_fail(err, HF_ECRYPTO, "the public key is longer than %zu bytes", der.max);
    hf_sha256_hex(der.ptr, der.size, ret_text);
    return HF_OK;
}
