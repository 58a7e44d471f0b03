/* OpenSSL's thread-local error queue, turned into our errors; and its destructors in the form that
 * hf_owned() takes. */
#include <openssl/err.h>
#include <stdio.h>

#include "crypto_impl.h"

enum hf_status
hf_crypto_fail(struct hf_error *err, enum hf_status status, const char *format, ...)
{
    char text[384];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);

    /* The first entry is the cause, later ones what failed because of it. */
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    return reason ? hf_fail(err, status, "%s: %s", text, reason) : hf_fail(err, status, "%s", text);
}

void
hf_bio_freep(BIO **bio)
{
    BIO_free(*bio);
    *bio = NULL;
}

void
hf_bio_chain_freep(BIO **bio)
{
    BIO_free_all(*bio);
    *bio = NULL;
}

void
hf_cms_freep(CMS_ContentInfo **cms)
{
    CMS_ContentInfo_free(*cms);
    *cms = NULL;
}

void
hf_x509_freep(X509 **certificate)
{
    X509_free(*certificate);
    *certificate = NULL;
}

void
hf_pkey_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
    *key = NULL;
}

void
hf_md_ctx_freep(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
    *context = NULL;
}
