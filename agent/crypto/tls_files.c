/* What TLS is made of, read from files once: certificates, the key that belongs to them, and the
 * authorities that others are measured by. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "tls_impl.h"

#define AUTHORITIES_MAX (4u << 20) /* a system's bundle has a few hundred KiB */
#define CHAIN_MAX       8

static void
chain_freep(STACK_OF(X509) * *chain)
{
    sk_X509_pop_free(*chain, X509_free);
    *chain = NULL;
}

/* All certificates of a PEM file in their order, at least one. Anything damaged between them is an
 * error: what stands behind it would be missed, and nobody would be told. */
static enum hf_status
read_certificates(const char *path, size_t max, STACK_OF(X509) * *ret_chain, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(max);
    hf_owned(chain_freep) STACK_OF(X509) *chain = sk_X509_new_null();
    enum hf_status status = hf_fs_read_file(path, max, &pem, err);
    if (status != HF_OK)
        return status;
    hf_owned(hf_bio_freep) BIO *bio =
        BIO_new_mem_buf(pem.size ? (const void *)pem.ptr : "", (int)pem.size);
    hf_assert(chain != NULL && bio != NULL);
    ERR_clear_error();
    X509 *certificate;
    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        int count = sk_X509_push(chain, certificate);
        hf_assert(count > 0);
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return hf_crypto_fail(err, HF_ECRYPTO, "a certificate in '%s' cannot be read", path);
    ERR_clear_error();
    if (sk_X509_num(chain) == 0)
        return hf_fail(err, HF_ECRYPTO, "'%s' holds no certificate in PEM form", path);
    *ret_chain = hf_take(chain);
    return HF_OK;
}

static enum hf_status
use_identity(SSL_CTX *context, const char *certificate_file, const char *key_file,
             struct hf_error *err)
{
    hf_owned(chain_freep) STACK_OF(X509) *chain = NULL;
    hf_owned(hf_x509_freep) X509 *own = NULL;
    hf_owned(hf_pkey_freep) EVP_PKEY *key = NULL;
    enum hf_status status = read_certificates(certificate_file, HF_PEM_MAX, &chain, err);
    if (status != HF_OK)
        return status;
    if (sk_X509_num(chain) > CHAIN_MAX)
        return hf_fail(err, HF_ELIMIT,
                       "'%s' holds %d certificates: at most %d lead to an authority",
                       certificate_file, sk_X509_num(chain), CHAIN_MAX);
    status = hf_private_key_load(key_file, &key, err);
    if (status != HF_OK)
        return status;
    own = sk_X509_shift(chain);
    if (X509_check_private_key(own, key) != 1)
        return hf_crypto_fail(err, HF_ECRYPTO,
                              "the key in '%s' is not that of the first certificate in '%s'",
                              key_file, certificate_file);
    if (SSL_CTX_use_cert_and_key(context, own, key, chain, 1) != 1)
        return hf_crypto_fail(err, HF_ECRYPTO, "'%s' and '%s' cannot be used", certificate_file,
                              key_file);
    return HF_OK;
}

enum hf_status
hf_tls_use_identity(SSL_CTX *context, const char *certificate_file, const char *key_file,
                    struct hf_error *err)
{
    enum hf_status status = use_identity(context, certificate_file, key_file, err);
    return status == HF_OK ? HF_OK : hf_while(err, status, "loading a certificate for TLS");
}

enum hf_status
hf_tls_use_authorities(SSL_CTX *context, const char *ca_file, bool tell, struct hf_error *err)
{
    hf_owned(chain_freep) STACK_OF(X509) *authorities = NULL;
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    enum hf_status status =
        read_certificates(ca_file, tell ? HF_PEM_MAX : AUTHORITIES_MAX, &authorities, err);
    if (status != HF_OK)
        return hf_while(err, status, "loading authorities for TLS");
    for (int i = 0; i < sk_X509_num(authorities); i++) {
        X509 *authority = sk_X509_value(authorities, i);
        if (X509_STORE_add_cert(store, authority) != 1 ||
            (tell && SSL_CTX_add_client_CA(context, authority) != 1))
            return hf_crypto_fail(err, HF_ECRYPTO, "an authority in '%s' cannot be used", ca_file);
    }
    /* Whatever is in the file is trusted as it stands, as in the stores' `ca_file`: an authority in
     * the middle, or the other side's own certificate. */
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    return HF_OK;
}
