/* digest: the signed list of a period's objects, CloudTrail's format and signature to the letter
 * (AWS CloudTrail user guide, "CloudTrail digest file structure"; drawn in agent/digest/FORMAT.md),
 * with one extra top-level key `holdfast`.
 */
#ifndef HOLDFAST_DIGEST_H
#define HOLDFAST_DIGEST_H

#include <holdfast/base.h>
#include <holdfast/crypto.h>
#include <holdfast/layout.h>

#define HF_DIGEST_MAX (16u << 20) /* uncompressed */

struct hf_digest_object { /* one delivered object */
    char *bucket, *key;
    /* CloudTrail's hashValue: of the uncompressed bytes; cms: of the envelope */
    char hash[HF_SHA256_HEX_SIZE];
    char stored_sha256[HF_SHA256_HEX_SIZE];
    char plain_sha256[HF_SHA256_HEX_SIZE];
    int64_t oldest_s, newest_s; /* eventTime */
    uint64_t first_seq, last_seq, count;
    char *version_id, *confirmed, *encryption, *lock_mode;
    int64_t retain_until_s;
    uint64_t repeated;
};
struct hf_digest_range { /* pending: cut but not delivered */
    uint64_t first_seq, last_seq;
    char *key;
};
struct hf_digest_loss {
    uint64_t first_seq, last_seq; /* 0, 0: unknown */
    char *reason;
};

struct hf_digest {
    char *account, *bucket, *key; /* its own place */
    int64_t start_s, end_s;
    /* digestEndTime as it was written, which is what was signed; set by hf_digest_parse(), NULL
     * otherwise */
    char *end_text;
    char *fingerprint;
    /* One of crypto/'s names, not to be freed; set by hf_digest_parse(), NULL otherwise: a digest
     * that is made gets its signer's. */
    const char *algorithm;
    /* previous; NULL in the first digest of a chain */
    char *previous_bucket, *previous_key, *previous_hash, *previous_signature;
    /* the holdfast key */
    char *host, *journal, *chain, *boot, *tag;
    uint64_t number; /* 1, 2, ... in this chain */
    char *old_head;  /* `chain new`: key of the head that this chain was started after; or NULL */
    /* The lock of the previous digest, as the store confirmed it: what is gone after that date was
     * free to go. 0 and NULL: none, or an earlier version made it and does not say. */
    int64_t previous_retain_until_s;
    char *previous_lock_mode;
    /* Everything in this range is in an object of this or an earlier digest, pending, lost, or
     * selected by nobody. */
    uint64_t first_seq, last_seq;
    struct hf_digest_object *objects;
    size_t object_count;
    struct hf_digest_range *pending;
    size_t pending_count;
    struct hf_digest_loss *losses;
    size_t loss_count;
    char **foreign; /* keys under which other bytes were found */
    size_t foreign_count;
};
void hf_digest_done(struct hf_digest *digest); /* frees everything inside */

/* The uncompressed JSON, and its signature in lower-case hex (x-amz-meta-signature).
 * HF_EINTERNAL for one that hf_digest_parse() would refuse, HF_ELIMIT for one over its limit:
 * neither is signed. */
enum hf_status hf_digest_make(const struct hf_digest *digest, struct hf_signer *signer,
                              struct hf_buf *ret_json, struct hf_buf *ret_signature_hex,
                              struct hf_error *err) hf_must_check;
/* From uncompressed JSON of anyone's making (bounded, typed, hashes and times checked for form).
 * A digest without the `holdfast` key has number 0. */
enum hf_status hf_digest_parse(struct hf_slice json, struct hf_digest *ret_digest,
                               struct hf_error *err) hf_must_check;
/* What can be told of anyone's digest in a fixed room: nothing is built of it, whatever it is. That
 * much is known before a signature holds, and nothing of it is to be believed before. */
struct hf_digest_outline {
    char bucket[256], key[HF_KEY_MAX]; /* the place that it says it has */
    char end_text[64];                 /* digestEndTime as it was written */
    int64_t end_s;
    char fingerprint[HF_FINGERPRINT_SIZE];
    const char *algorithm;                             /* one of crypto/'s names, not to be freed */
    char previous_signature[2 * HF_SIGNATURE_MAX + 1]; /* "": null */
    char sha256[HF_SHA256_HEX_SIZE];                   /* of the JSON */
    uint64_t format; /* 0: a digest without the `holdfast` key. What follows is of ours only */
    uint64_t number;
    char host[1025], journal[65], chain[65];
};
/* Allocates nothing and calls itself never. HF_OK also for a later format: with that number, and
 * without what follows it. */
enum hf_status hf_digest_outline(struct hf_slice json, struct hf_digest_outline *ret_outline,
                                 struct hf_error *err) hf_must_check;
/* digestEndTime \n bucket/key \n hex(sha256(json)) \n previousDigestSignature|null, signed by the
 * algorithm that the digest names. HF_ESIGNATURE, also for a key of another algorithm. */
enum hf_status hf_digest_verify(const struct hf_digest_outline *outline, const char *signature_hex,
                                const struct hf_verifier *verifier,
                                struct hf_error *err) hf_must_check;

#endif
