/* crypto: hashes, random bytes, digest keys, sealing to certificates. The only folder that includes
 * <openssl/...>. Secrets are wiped when they are freed; nothing here formats one.
 */
#ifndef HOLDFAST_CRYPTO_H
#define HOLDFAST_CRYPTO_H

#include <holdfast/base.h>

#define HF_SHA256_SIZE     32
#define HF_MD5_SIZE        16
#define HF_SHA256_HEX_SIZE HF_HEX_SIZE(HF_SHA256_SIZE)

void hf_sha256(const void *bytes, size_t size, uint8_t ret_hash[HF_SHA256_SIZE]);
void hf_sha256_hex(const void *bytes, size_t size, char ret_hex[HF_SHA256_HEX_SIZE]);
void hf_md5(const void *bytes, size_t size, uint8_t ret_hash[HF_MD5_SIZE]);
void hf_hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
                    uint8_t ret_mac[HF_SHA256_SIZE]);
void hf_random(void *ret_bytes, size_t size); /* cryptographic; asserts */
/* 32 bytes of a key file: raw, or 64 hex digits with an optional newline; mode checked
 * (hf_fs_read_secret). */
enum hf_status hf_key256_load(const char *path, uint8_t ret_key[32],
                              struct hf_error *err) hf_must_check;

/* Incremental SHA-256 and MD5 in one pass; or SHA-256 alone, which is three times as fast:
 * finish with md5 NULL. */
struct hf_hasher;
struct hf_hasher *hf_hasher_new(void);
struct hf_hasher *hf_hasher_new_sha256(void);
struct hf_hasher *hf_hasher_copy(const struct hf_hasher *hasher); /* goes on by itself */
void hf_hasher_add(struct hf_hasher *hasher, const void *bytes, size_t size);
void hf_hasher_finish(struct hf_hasher *hasher, uint8_t ret_sha256[HF_SHA256_SIZE],
                      uint8_t ret_md5[HF_MD5_SIZE]); /* md5 may be NULL; frees */
void hf_hasher_free(struct hf_hasher *hasher);

/* ---- digest keys. Each makes signatures of one algorithm, which has the name that stands in
 * digests. There is one: "SHA256withRSA", RSASSA-PKCS1-v1_5 with SHA-256 (CloudTrail's), with keys
 * of 2048 to 8192 bits ---- */

struct hf_signer;              /* a private key */
struct hf_verifier;            /* a public key */
#define HF_FINGERPRINT_SIZE 65 /* lower-case hex SHA-256 of the PKCS#1 DER RSAPublicKey, and NUL */
#define HF_SIGNATURE_MAX    1024

/* Makes a key and writes it as PKCS#8 PEM, mode 0600; HF_EEXISTS when the file is there. */
enum hf_status hf_signer_create(const char *path, unsigned bits,
                                struct hf_error *err) hf_must_check;
enum hf_status hf_signer_load(const char *path, struct hf_signer **ret_signer,
                              struct hf_error *err) hf_must_check; /* mode checked */
void hf_signer_free(struct hf_signer *signer);
const char *hf_signer_fingerprint(const struct hf_signer *signer);
const char *hf_signer_algorithm(const struct hf_signer *signer); /* lives for ever */
enum hf_status hf_signer_sign(struct hf_signer *signer, struct hf_slice message,
                              uint8_t ret_signature[HF_SIGNATURE_MAX], size_t *ret_size,
                              struct hf_error *err) hf_must_check;
enum hf_status hf_signer_public_pem(const struct hf_signer *signer, struct hf_buf *ret_pem)
    hf_must_check; /* SubjectPublicKeyInfo */
enum hf_status hf_signer_public_pkcs1(const struct hf_signer *signer,
                                      struct hf_buf *ret_der) hf_must_check; /* RSAPublicKey */

/* From PEM: "PUBLIC KEY", "RSA PUBLIC KEY" or a certificate; at most 64 KiB. */
enum hf_status hf_verifier_parse(struct hf_slice pem, const char *what,
                                 struct hf_verifier **ret_verifier,
                                 struct hf_error *err) hf_must_check;
enum hf_status hf_verifier_load(const char *path, struct hf_verifier **ret_verifier,
                                struct hf_error *err) hf_must_check;
void hf_verifier_free(struct hf_verifier *verifier);
const char *hf_verifier_fingerprint(const struct hf_verifier *verifier);
const char *hf_verifier_algorithm(const struct hf_verifier *verifier); /* lives for ever */
/* The same name, which lives for ever; NULL when no key makes such signatures. */
const char *hf_signature_algorithm(const char *name);
enum hf_status hf_verifier_pkcs1(const struct hf_verifier *verifier,
                                 struct hf_buf *ret_der) hf_must_check;
/* HF_ESIGNATURE when it is not this key's signature of this message. */
enum hf_status hf_verifier_check(const struct hf_verifier *verifier, struct hf_slice message,
                                 const uint8_t *signature, size_t size,
                                 struct hf_error *err) hf_must_check;

/* ---- CMS AuthEnvelopedData (RFC 5083, RFC 5084): AES-256-GCM; RSA-OAEP with SHA-256, or ECDH
 * with the SHA-256 KDF ---- */

struct hf_recipients;
/* Certificates with RSA (>= 2048 bits) or EC (P-256, P-384, P-521) keys; at least one. Expired
 * ones are refused. */
enum hf_status hf_recipients_load(const char *const *paths, size_t count,
                                  struct hf_recipients **ret_recipients,
                                  struct hf_error *err) hf_must_check;
void hf_recipients_free(struct hf_recipients *recipients);
const char *hf_recipients_text(
    const struct hf_recipients *recipients); /* SHA-256 fingerprints, comma separated */
/* DER. Safe to call from several threads with the same recipients. */
enum hf_status hf_cms_encrypt(const struct hf_recipients *recipients, struct hf_slice plain,
                              struct hf_buf *ret_der, struct hf_error *err) hf_must_check;

struct hf_opener; /* a recipient's private key */
enum hf_status hf_opener_load(const char *key_path, struct hf_opener **ret_opener,
                              struct hf_error *err) hf_must_check;
void hf_opener_free(struct hf_opener *opener);
/* The caller has verified the envelope's SHA-256 against a signed digest before the parser sees
 * it. Safe to call from several threads with the same opener. */
enum hf_status hf_cms_decrypt(struct hf_opener *opener, struct hf_slice der,
                              struct hf_buf *ret_plain, struct hf_error *err) hf_must_check;

/* ---- TLS 1.2 and 1.3: bytes in, bytes out. Whoever owns a socket moves them, and closes it when
 * it takes too long: there is no clock here ----
 *
 *              feed()   ┌─────────┐  read()               each time the socket is ready:
 *   from the  ────────▶ │         │ ────────▶  to the       feed what came, as far as it is taken
 *   socket              │ session │            program      read until nothing comes
 *   to the    ◀──────── │         │ ◀────────  from the     write, as far as it is taken
 *   socket      out()   └─────────┘  write()   program      send out(), tell sent() how much went
 *                                                           want_close(): send what is left, close
 *
 * The other side is always verified by a client, and by a server that has a `client_ca_file`: there
 * is no way to switch that off. No renegotiation, compression, resumption or early data: each
 * connection is judged anew, by the files that its context was made with. */

#define HF_TLS_UNREAD_MAX (32u << 10) /* ciphertext that waits for read() */
/* from here on write() takes nothing; from twice as much on feed() does not either */
#define HF_TLS_UNSENT_MAX    (64u << 10)
#define HF_TLS_HANDSHAKE_MAX (64u << 10) /* the other side's bytes of it */
#define HF_TLS_ALPN_MAX      8

struct hf_tls; /* keys, certificates and authorities: made once, shared by sessions of any thread */
struct hf_tls_server_options {
    const char *certificate_file; /* PEM: the server's own, then what leads to its authority */
    const char *key_file;         /* PEM, mode checked */
    /* PEM, one or more: a client must have a certificate of these. NULL: none is asked for */
    const char *client_ca_file;
    const char *const *alpn; /* the best first; a client that names others only is refused */
    size_t alpn_count;
};
struct hf_tls_client_options {
    const char *ca_file; /* PEM, one or more: no other is trusted. NULL: the system's */
    const char *certificate_file, *key_file; /* for a server that asks; or both NULL */
    const char *const *alpn;                 /* to be offered */
    size_t alpn_count;
};
/* All files are read here, and not again: when they change, make another context for the sessions
 * to come, and free this one, which lives on in the sessions it has. */
enum hf_status hf_tls_server_new(const struct hf_tls_server_options *options,
                                 struct hf_tls **ret_tls, struct hf_error *err) hf_must_check;
enum hf_status hf_tls_client_new(const struct hf_tls_client_options *options,
                                 struct hf_tls **ret_tls, struct hf_error *err) hf_must_check;
void hf_tls_free(struct hf_tls *tls);

/* One connection; belongs to one thread at a time. `name`, of a client only: the host name or IP
 * address that the server's certificate has to bear. */
struct hf_tls_session;
enum hf_status hf_tls_session_new(struct hf_tls *tls, const char *name,
                                  struct hf_tls_session **ret_session,
                                  struct hf_error *err) hf_must_check;
void hf_tls_session_free(struct hf_tls_session *session);

/* Each of these gives the first failure again once there was one: HF_ETLS: the other side is not
 * who it has to be, or does not speak TLS as we do; HF_ELIMIT: a handshake without end; HF_EIO: the
 * connection was cut. The reason is in `err`, and what the other side is told of it in out(). */

/* Takes bytes from the socket. *ret_used less than all: read() or send first, then feed the rest.
 */
enum hf_status hf_tls_session_feed(struct hf_tls_session *session, struct hf_slice bytes,
                                   size_t *ret_used, struct hf_error *err) hf_must_check;
/* No more will come from the socket: it has ended. read() then gives what is left, and after that
 * HF_EIO if the other side had not said that this was all (close_notify): whoever can cut the
 * connection could otherwise shorten what is said, unseen. */
void hf_tls_session_feed_end(struct hf_tls_session *session);
/* *ret_size 0: nothing for now; or for ever, if it is peer_closed(). */
enum hf_status hf_tls_session_read(struct hf_tls_session *session, void *ret_bytes, size_t size,
                                   size_t *ret_size, struct hf_error *err) hf_must_check;
/* Takes bytes to be said, none before it is ready() or after close(). */
enum hf_status hf_tls_session_write(struct hf_tls_session *session, struct hf_slice bytes,
                                    size_t *ret_used, struct hf_error *err) hf_must_check;
/* What is to be sent; borrowed until the next call on this session. */
struct hf_slice hf_tls_session_out(struct hf_tls_session *session);
void hf_tls_session_sent(struct hf_tls_session *session, size_t size); /* so much of it went */
/* Says that this was all (close_notify, into out()). What comes can still be read. */
void hf_tls_session_close(struct hf_tls_session *session);

/* The handshake is done, and who must be verified is. A client can be ready before the server has
 * looked at its certificate: a refusal is then what read() gives. */
bool hf_tls_session_ready(const struct hf_tls_session *session);
/* The other side has said that this was all: what was read is whole. */
bool hf_tls_session_peer_closed(const struct hf_tls_session *session);
/* Nothing more can be read: it is peer_closed(), or it failed. */
bool hf_tls_session_want_close(const struct hf_tls_session *session);

/* When it is ready; as long as the session. */
const char *hf_tls_session_version(const struct hf_tls_session *session); /* "TLSv1.3" */
const char *hf_tls_session_alpn(const struct hf_tls_session *session); /* "": none was agreed on */
/* Lower-case hex SHA-256 of the other side's certificate; "": it has none. */
const char *hf_tls_session_peer_fingerprint(const struct hf_tls_session *session);
/* Of a client's session: the name in the certificate that `name` matched. Of a server's: the
 * subject of the verified certificate (RFC 2253, ASCII, the rest escaped), "": none was asked for. */
const char *hf_tls_session_peer_name(const struct hf_tls_session *session);

#endif
