/* crypto, inside: the only place besides this folder's .c files that sees OpenSSL's types. */
#ifndef HOLDFAST_CRYPTO_IMPL_H
#define HOLDFAST_CRYPTO_IMPL_H

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <holdfast/crypto.h>

#define HF_PEM_MAX (64u << 10) /* any key or certificate file */
/* an envelope: an object is at most 48 MiB, and its gzip hardly more */
#define HF_CMS_MAX (64u << 20)
/* each costs a private-key operation when an envelope is opened */
#define HF_CMS_RECIPIENTS_MAX 64u
#define HF_RSA_BITS_MIN       2048
#define HF_RSA_BITS_MAX       8192

struct hf_recipients {
    X509 **certificates; /* read by several threads: OpenSSL locks what it caches inside them */
    size_t count;
    char *text;
};

struct hf_opener {
    EVP_PKEY *key;
};

/* ---- error.c ---- */

/* hf_fail() with OpenSSL's first reason appended; its error queue is empty afterwards. */
enum hf_status hf_crypto_fail(struct hf_error *err, enum hf_status status, const char *format, ...)
    hf_printf(3, 4);

/* ---- hash.c ---- */

const EVP_MD *hf_crypto_sha256(void); /* fetched once */

/* ---- algorithm.c ---- */

/* One kind of signature, and the keys that make it. */
struct hf_algorithm {
    const char *name;     /* as digests say it */
    const char *key_type; /* OpenSSL's name of its keys */
    enum hf_status (*check_key)(const EVP_PKEY *key, const char *what, struct hf_error *err);
    const EVP_MD *(*hash)(void);
    bool (*set_up)(EVP_PKEY_CTX *context); /* before signing, and before checking */
};
/* The one that such a key makes; NULL with an error for a key that we neither sign with nor accept.
 * `what` is the file. */
const struct hf_algorithm *hf_algorithm_of(const EVP_PKEY *key, const char *what,
                                           struct hf_error *err) hf_must_check;

/* ---- keyfile.c ---- */

void hf_secret_done(struct hf_buf *buf); /* for hf_owned(): wiped, then freed */
/* The unencrypted private key in a PEM file whose mode is checked. */
enum hf_status hf_private_key_load(const char *path, EVP_PKEY **ret_key,
                                   struct hf_error *err) hf_must_check;
/* RSA, of a size that we sign with and accept; `what` is the file. */
enum hf_status hf_rsa_check(const EVP_PKEY *key, const char *what,
                            struct hf_error *err) hf_must_check;
/* RSA, or EC on P-256, P-384 or P-521: what an envelope can be sealed to. */
enum hf_status hf_recipient_key_check(const EVP_PKEY *key, const char *what,
                                      struct hf_error *err) hf_must_check;
/* A key's public half, of RSA the PKCS#1 RSAPublicKey; added to ret_der. */
enum hf_status hf_key_public(const EVP_PKEY *key, struct hf_buf *ret_der) hf_must_check;
enum hf_status hf_key_fingerprint(const EVP_PKEY *key, char ret_text[HF_FINGERPRINT_SIZE],
                                  struct hf_error *err) hf_must_check;

/* for hf_owned() */
void hf_bio_freep(BIO **bio);
void hf_bio_chain_freep(BIO **bio);
void hf_cms_freep(CMS_ContentInfo **cms);
void hf_x509_freep(X509 **certificate);
void hf_pkey_freep(EVP_PKEY **key);
void hf_md_ctx_freep(EVP_MD_CTX **context);

#endif
