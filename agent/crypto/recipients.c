/* Recipient certificates: what objects are sealed to. Checked when loaded, so that sealing cannot
 * fail on them later. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "crypto_impl.h"

/* A second certificate in the file would never become a recipient, and nobody would notice until it
 * is needed. */
static enum hf_status
single_certificate(struct hf_slice pem, const char *path, X509 **ret_certificate,
                   struct hf_error *err)
{
    hf_owned(hf_bio_freep) BIO *bio =
        BIO_new_mem_buf(pem.size ? (const void *)pem.ptr : "", (int)pem.size);
    hf_assert(bio != NULL);
    hf_owned(hf_x509_freep) X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (!certificate)
        return hf_crypto_fail(err, HF_ECRYPTO, "'%s' holds no certificate in PEM form", path);
    hf_owned(hf_x509_freep) X509 *second = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    ERR_clear_error();
    if (second)
        return hf_fail(err, HF_ECRYPTO,
                       "'%s' holds several certificates: list each in a file of its own", path);
    *ret_certificate = hf_take(certificate);
    return HF_OK;
}

static enum hf_status
check(X509 *certificate, const char *path, struct hf_error *err)
{
    time_t now = (time_t)hf_wall_s();
    if (X509_cmp_time(X509_get0_notAfter(certificate), &now) <= 0)
        return hf_crypto_fail(err, HF_ECRYPTO, "certificate '%s' has expired: replace it", path);
    if (X509_cmp_time(X509_get0_notBefore(certificate), &now) >= 0)
        return hf_crypto_fail(err, HF_ECRYPTO, "certificate '%s' is not valid yet: check the clock",
                              path);
    hf_owned(hf_freep) char *what = hf_asprintf("certificate '%s'", path);
    const EVP_PKEY *key = X509_get0_pubkey(certificate);
    if (!key)
        return hf_crypto_fail(err, HF_ECRYPTO, "%s has a key of an unknown kind", what);
    return hf_recipient_key_check(key, what, err);
}

static enum hf_status
load_one(const char *path, X509 **ret_certificate, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(HF_PEM_MAX);
    hf_owned(hf_x509_freep) X509 *certificate = NULL;
    enum hf_status status = hf_fs_read_file(path, HF_PEM_MAX, &pem, err);
    if (status == HF_OK)
        status = single_certificate(hf_buf_slice(&pem), path, &certificate, err);
    if (status == HF_OK)
        status = check(certificate, path, err);
    if (status != HF_OK)
        return hf_while(err, status, "loading a recipient");
    *ret_certificate = hf_take(certificate);
    return HF_OK;
}

static char *
fingerprints(const struct hf_recipients *recipients)
{
    char *text = hf_strdup("");
    for (size_t i = 0; i < recipients->count; i++) {
        uint8_t hash[HF_SHA256_SIZE];
        char hex[HF_SHA256_HEX_SIZE];
        int worked = X509_digest(recipients->certificates[i], hf_crypto_sha256(), hash, NULL);
        hf_assert(worked == 1);
        hf_hex(hash, sizeof(hash), hex);
        char *longer = hf_asprintf("%s%s%s", text, i ? "," : "", hex);
        free(text);
        text = longer;
    }
    return text;
}

enum hf_status
hf_recipients_load(const char *const *paths, size_t count, struct hf_recipients **ret_recipients,
                   struct hf_error *err)
{
    if (count == 0 || count > HF_CMS_RECIPIENTS_MAX)
        return hf_fail(err, HF_ECONFIG, "%zu recipients: name 1 to %u certificates", count,
                       HF_CMS_RECIPIENTS_MAX);
    struct hf_recipients *recipients = hf_alloc(sizeof(*recipients));
    recipients->certificates = hf_alloc(count * sizeof(X509 *));
    for (size_t i = 0; i < count; i++) {
        enum hf_status status = load_one(paths[i], &recipients->certificates[i], err);
        if (status != HF_OK) {
            hf_recipients_free(recipients);
            return status;
        }
        recipients->count++;
    }
    recipients->text = fingerprints(recipients);
    *ret_recipients = recipients;
    return HF_OK;
}

void
hf_recipients_free(struct hf_recipients *recipients)
{
    if (!recipients)
        return;
    for (size_t i = 0; i < recipients->count; i++)
        X509_free(recipients->certificates[i]);
    free(recipients->certificates);
    free(recipients->text);
    free(recipients);
}

const char *
hf_recipients_text(const struct hf_recipients *recipients)
{
    return recipients->text;
}
