/* Who the other side has to be, who it is, and why it is refused. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "tls_impl.h"

#define NAME_MAX_BYTES 253 /* of a host name */

static bool
is_address(const char *name)
{
    uint8_t address[16];

    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

enum hf_status
hf_tls_expect_name(SSL *ssl, const char *name, struct hf_error *err)
{
    X509_VERIFY_PARAM *verify = SSL_get0_param(ssl);
    bool set;

    if (*name == '\0' || strlen(name) > NAME_MAX_BYTES || hf_has_control(name))
        return hf_fail(err, HF_EUSAGE, "'%.64s' is no server's name", name);
    if (is_address(name)) {
        set = X509_VERIFY_PARAM_set1_ip_asc(verify, name) == 1;
    } else {
        X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        set = X509_VERIFY_PARAM_set1_host(verify, name, 0) == 1 &&
              SSL_set_tlsext_host_name(ssl, name) == 1;
    }
    return set ? HF_OK : hf_crypto_fail(err, HF_EUSAGE, "'%.64s' is no server's name", name);
}

/* Never cut: a prefix of a name may be another's. */
static char *
subject_of(const X509 *certificate)
{
    hf_owned(hf_bio_freep) BIO *bio = BIO_new(BIO_s_mem());
    char *text;

    hf_assert(bio != NULL);
    X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    long size = BIO_get_mem_data(bio, &text);
    return hf_strndup(size > 0 ? text : "", (size_t)HF_MAX(size, 0));
}

void
hf_tls_note_peer(struct hf_tls_session *session)
{
    const X509 *certificate = SSL_get0_peer_certificate(session->ssl);
    const uint8_t *alpn = NULL;
    uint8_t hash[HF_SHA256_SIZE];
    unsigned alpn_size = 0;

    SSL_get0_alpn_selected(session->ssl, &alpn, &alpn_size);
    hf_assert(alpn_size < sizeof(session->alpn));
    if (alpn_size > 0)
        memcpy(session->alpn, alpn, alpn_size);
    if (!certificate)
        return;
    int worked = X509_digest(certificate, hf_crypto_sha256(), hash, NULL);
    hf_assert(worked == 1);
    hf_hex(hash, sizeof(hash), session->fingerprint);
    if (session->tls->server) {
        session->peer_name = subject_of(certificate);
    } else { /* OpenSSL names none where an address matched */
        const char *matched = SSL_get0_peername(session->ssl);
        session->peer_name = hf_strdup(matched ? matched : session->name);
    }
}

static enum hf_status
refused(struct hf_tls_session *session, long verdict)
{
    hf_owned(hf_freep) char *expected =
        session->name ? hf_asprintf(" for '%s'", session->name) : hf_strdup("");

    ERR_clear_error();
    return hf_fail(&session->failure, HF_ETLS, "the %s's certificate%s does not verify: %s",
                   session->tls->server ? "client" : "server", expected,
                   X509_verify_cert_error_string(verdict));
}

enum hf_status
hf_tls_failed(struct hf_tls_session *session)
{
    long verdict = SSL_get_verify_result(session->ssl);
    bool by_certificate = ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED;

    if (by_certificate && verdict != X509_V_OK)
        return refused(session, verdict);
    return hf_crypto_fail(&session->failure, HF_ETLS,
                          session->ready ? "the TLS connection failed"
                                         : "the TLS handshake failed");
}
