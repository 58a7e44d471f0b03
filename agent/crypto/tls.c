/* Contexts: what all sessions that are made with the same files share. */
#include <openssl/err.h>
#include <string.h>

#include "tls_impl.h"

/* Of TLS 1.2 only what keeps a recorded connection closed when the key is stolen later, and
 * authenticates what it encrypts; TLS 1.3 has nothing else. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

/* The first of ours that the client offers. */
static int
choose_alpn(SSL *ssl, const uint8_t **ret_name, uint8_t *ret_size, const uint8_t *offered,
            unsigned offered_size, void *of)
{
    const struct hf_tls *tls = of;
    uint8_t *name;

    (void)ssl;
    if (SSL_select_next_proto(&name, ret_size, tls->alpn, tls->alpn_size, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret_name = name;
    return SSL_TLSEXT_ERR_OK;
}

static enum hf_status
set_alpn(struct hf_tls *tls, const char *const *names, size_t count, struct hf_error *err)
{
    if (count == 0)
        return HF_OK;
    if (count > HF_TLS_ALPN_MAX)
        return hf_fail(err, HF_EUSAGE, "%zu protocols: at most %d are named in a handshake", count,
                       HF_TLS_ALPN_MAX);
    tls->alpn = hf_alloc(count * 256);
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(names[i]);
        if (size == 0 || size > 255)
            return hf_fail(err, HF_EUSAGE, "a protocol's name has 1 to 255 bytes, not %zu", size);
        tls->alpn[tls->alpn_size++] = (uint8_t)size;
        memcpy(tls->alpn + tls->alpn_size, names[i], size);
        tls->alpn_size += (unsigned)size;
    }
    if (tls->server)
        SSL_CTX_set_alpn_select_cb(tls->context, choose_alpn, tls);
    else if (SSL_CTX_set_alpn_protos(tls->context, tls->alpn, tls->alpn_size) != 0)
        return hf_crypto_fail(err, HF_ECRYPTO, "naming %zu protocols", count);
    return HF_OK;
}

/* Without resumption: a session that is taken up again is not verified again, and would outlive the
 * authority that it was verified by. NULL: why is in `err`. */
static struct hf_tls *
new_context(bool server, struct hf_error *err)
{
    SSL_CTX *context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

    if (!context) {
        (void)hf_crypto_fail(err, HF_ECRYPTO, "starting TLS");
        return NULL;
    }
    struct hf_tls *tls = hf_alloc(sizeof(*tls));
    atomic_init(&tls->references, 1);
    tls->context = context;
    tls->server = server;
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    /* An idle connection holds no buffers. */
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_max_cert_list(context, HF_TLS_HANDSHAKE_MAX);
    SSL_CTX_set_security_level(context, 2);
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_num_tickets(context, 0) != 1 ||
        SSL_CTX_set_cipher_list(context, CIPHERS) != 1) {
        hf_tls_free(tls);
        (void)hf_crypto_fail(err, HF_ECRYPTO, "starting TLS");
        return NULL;
    }
    return tls;
}

static void
tls_freep(struct hf_tls **tls)
{
    hf_tls_free(*tls);
    *tls = NULL;
}

enum hf_status
hf_tls_server_new(const struct hf_tls_server_options *options, struct hf_tls **ret_tls,
                  struct hf_error *err)
{
    hf_owned(tls_freep) struct hf_tls *tls = new_context(true, err);

    if (!tls)
        return HF_ECRYPTO;
    enum hf_status status =
        hf_tls_use_identity(tls->context, options->certificate_file, options->key_file, err);
    if (status == HF_OK && options->client_ca_file) {
        status = hf_tls_use_authorities(tls->context, options->client_ca_file, true, err);
        SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    if (status == HF_OK)
        status = set_alpn(tls, options->alpn, options->alpn_count, err);
    if (status == HF_OK)
        *ret_tls = hf_take(tls);
    return status;
}

enum hf_status
hf_tls_client_new(const struct hf_tls_client_options *options, struct hf_tls **ret_tls,
                  struct hf_error *err)
{
    hf_owned(tls_freep) struct hf_tls *tls = new_context(false, err);
    enum hf_status status = HF_OK;

    if (!tls)
        return HF_ECRYPTO;
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    if (options->ca_file)
        status = hf_tls_use_authorities(tls->context, options->ca_file, false, err);
    else if (SSL_CTX_set_default_verify_paths(tls->context) != 1)
        status = hf_crypto_fail(err, HF_ECRYPTO, "loading the system's authorities");
    if (status == HF_OK && !options->certificate_file != !options->key_file)
        status =
            hf_fail(err, HF_EUSAGE, "a certificate and its key are given together, or neither");
    if (status == HF_OK && options->certificate_file)
        status =
            hf_tls_use_identity(tls->context, options->certificate_file, options->key_file, err);
    if (status == HF_OK)
        status = set_alpn(tls, options->alpn, options->alpn_count, err);
    if (status == HF_OK)
        *ret_tls = hf_take(tls);
    return status;
}

void
hf_tls_free(struct hf_tls *tls)
{
    if (!tls || atomic_fetch_sub(&tls->references, 1) > 1)
        return;
    SSL_CTX_free(tls->context);
    hf_freep(&tls->alpn);
    hf_freep(&tls);
}
