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
 * it. */
enum hf_status hf_cms_decrypt(struct hf_opener *opener, struct hf_slice der,
                              struct hf_buf *ret_plain, struct hf_error *err) hf_must_check;

#endif
