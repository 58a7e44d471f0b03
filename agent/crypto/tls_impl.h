/* TLS, inside: tls.c makes contexts, tls_files.c reads what they are made of, tls_session.c moves
 * bytes, tls_peer.c says who the other side is. */
#ifndef HOLDFAST_CRYPTO_TLS_IMPL_H
#define HOLDFAST_CRYPTO_TLS_IMPL_H

#include "crypto_impl.h"

#include <openssl/ssl.h>
#include <stdatomic.h>

struct hf_tls {
    atomic_uint references; /* its maker's, and one of each session */
    SSL_CTX *context;
    bool server;
    uint8_t *alpn; /* as on the wire: each name behind its length */
    unsigned alpn_size;
};

struct hf_tls_session {
    struct hf_tls *tls;
    SSL *ssl;
    BIO *in, *out; /* the SSL's: ciphertext that came, and that is to go */
    char *name;    /* that the server must bear; NULL in a server */
    uint64_t handshake_bytes;
    bool ready;
    bool input_ended;        /* the socket has */
    bool peer_closed;        /* close_notify came */
    bool closed;             /* and ours is said */
    struct hf_error failure; /* HF_OK: none. The first one stays */
    char fingerprint[HF_SHA256_HEX_SIZE];
    char alpn[256];
    char *peer_name;
};

/* ---- tls_files.c ---- */

/* The certificate with its chain, and the key that belongs to it. */
enum hf_status hf_tls_use_identity(SSL_CTX *context, const char *certificate_file,
                                   const char *key_file, struct hf_error *err) hf_must_check;
/* Only these authorities are trusted; `tell`: clients are told their names. */
enum hf_status hf_tls_use_authorities(SSL_CTX *context, const char *ca_file, bool tell,
                                      struct hf_error *err) hf_must_check;

/* ---- tls_peer.c ---- */

/* A client's session: the name that the server must bear. */
enum hf_status hf_tls_expect_name(SSL *ssl, const char *name, struct hf_error *err) hf_must_check;
/* Fills in who the other side is, once it is verified. */
void hf_tls_note_peer(struct hf_tls_session *session);
/* Makes the session a failed one, with OpenSSL's reason; returns HF_ETLS. */
enum hf_status hf_tls_failed(struct hf_tls_session *session);

#endif
