/* verify: is the evidence in a bucket intact, and what does it say? Needs nothing of the agent but
 * the public key.
 *
 * Two passes: newest to oldest along the links, where each digest vouches for the hash of the one
 * before it; then oldest to newest over what those digests list, several objects at once. In memory
 * are one digest, the objects that are looked at, and of all others key and hash.
 */
#ifndef HOLDFAST_VERIFY_H
#define HOLDFAST_VERIFY_H

#include <holdfast/base.h>
#include <holdfast/crypto.h>
#include <holdfast/digest.h>
#include <holdfast/layout.h>
#include <holdfast/store.h>

/* What is found of one thing that is checked: true, and the evidence is intact all the same. Scripts
 * match these words, and they stand in reports that are kept: later versions add words, and neither
 * rename one nor let it mean something else. */
/* clang-format off */
#define HF_FINDING_TABLE(X)                                                                        \
    X(HF_VALID,        true,  "VALID")        /* hash, signature, lock, chain as they must be */  \
    X(HF_INVALID,      false, "INVALID")      /* bytes or signature are not what was signed */    \
    X(HF_MISSING,      false, "MISSING")      /* listed and not there */                          \
    X(HF_MOVED,        false, "MOVED")        /* a digest that says another place than its own */ \
    X(HF_OVERWRITTEN,  false, "OVERWRITTEN")  /* a newer version hides the one that was listed */ \
    X(HF_HIDDEN,       false, "HIDDEN")       /* a delete marker hides it */                      \
    X(HF_UNLOCKED,     false, "UNLOCKED")     /* no retention, or shorter than was recorded */    \
    X(HF_BROKEN_CHAIN, false, "BROKEN_CHAIN") /* previous hash, signature, time or number does not fit */ \
    X(HF_UNKNOWN_KEY,  false, "UNKNOWN_KEY")  /* signed by a key nobody vouched for */            \
    X(HF_EXTRA,        false, "EXTRA")        /* an object of this chain's tag that no digest lists or announces */ \
    X(HF_LOSS,         true,  "LOSS")         /* a signed loss: said, not hidden */               \
    X(HF_PENDING,      true,  "PENDING")      /* announced, not yet listed */                     \
    X(HF_REPEATED,     true,  "REPEATED")     /* a second version with identical bytes */         \
    X(HF_ADVISORY,     true,  "ADVISORY")     /* dir: nothing but a read-only bit */              \
    X(HF_ENVELOPE_ONLY, true,  "ENVELOPE_ONLY") /* content was asked for; the envelope is the signed one, and no key opened it */ \
    X(HF_ELSEWHERE,    false, "ELSEWHERE")    /* the trail had another bucket: what lies there was not looked at */ \
    X(HF_KEY_NOT_PINNED, false, "KEY_NOT_PINNED") /* the key was found in the bucket itself, and nobody vouched for it */ \
    X(HF_VERSIONS_UNSEEN, true, "VERSIONS_UNSEEN") /* its versions may not be listed: what lies over or below it cannot be seen */ \
    X(HF_EXPIRED,      true,  "EXPIRED")      /* gone after its term, which nobody could shorten, and so is all that is older */ \
    X(HF_GONE_AFTER_TERM, false, "GONE_AFTER_TERM") /* gone, and its term is over: when it went cannot be told */ \
    X(HF_FORK,         false, "FORK")         /* a digest that was seen, and another one of its number: both are signed */ \
    X(HF_TRUNCATED,    false, "TRUNCATED")    /* the chain ends before a digest of it that was seen */ \
    X(HF_ROLLED_BACK,  false, "ROLLED_BACK")  /* a chain that was seen is not there, and nothing names it */ \
    X(HF_UNSEEN,       false, "UNSEEN")       /* the store did not hand it over: nothing is said of it */ \
    X(HF_DENIED,       false, "DENIED")       /* we may not read it: nothing is said of it */
/* clang-format on */

enum hf_finding {
#define X(name, fine, text) name,
    HF_FINDING_TABLE(X)
#undef X
        HF_FINDINGS,
};
const char *hf_finding_text(enum hf_finding finding);
bool hf_finding_fine(enum hf_finding finding);

struct hf_revoked_key {
    const char *fingerprint;
    int64_t from_s; /* what it signed of a period that ends later counts for nothing */
};

/* The newest digest of a chain, as somebody saw it. */
struct hf_head {
    char chain[65]; /* "": a digest that holdfast did not make */
    uint64_t number;
    char sha256[HF_SHA256_HEX_SIZE];          /* of its uncompressed bytes */
    char signature[2 * HF_SIGNATURE_MAX + 1]; /* lower-case hex; "": it is not known */
    char key[HF_KEY_MAX];                     /* "": it is not known where it lay */
};
/* One that the bucket must still have, or go on from. */
struct hf_known_head {
    struct hf_head head;
    const char *seen_by; /* who says so, for the reader: "the state", "--expect" */
};
enum hf_known_state {
    HF_KNOWN_UNSEEN, /* it lies outside of what was asked for, or could not be read: nothing is said */
    HF_KNOWN_FOUND,        /* the chain has it, and goes on from there */
    HF_KNOWN_CONTRADICTED, /* FORK, TRUNCATED, ROLLED_BACK, or what else was found against it */
};
#define HF_KNOWN_MAX 8

#define HF_VERIFY_WORKERS     4
#define HF_VERIFY_WORKERS_MAX 64

struct hf_verify_options { /* its callbacks are called on the caller's thread */
    struct hf_store *store;
    /* trail may be NULL with a bucket alone: then exactly one trail must be there, else
           * HF_EUSAGE names them */
    struct hf_layout layout;
    const struct hf_verifier *const *verifiers; /* pinned public keys */
    size_t verifier_count;
    const char *const *
        /* pinned fingerprints: keys from the bucket that match are pinned as well */
        fingerprints;
    size_t fingerprint_count;
    const struct hf_revoked_key *revoked; /* whoever vouches for them */
    size_t revoked_count;
    /* Heads seen before, HF_KNOWN_MAX at most: what no reader can see who starts from nothing, that
     * the end of the chain was cut off, or signed anew by its own key, is seen against them. */
    const struct hf_known_head *known;
    size_t known_count;
    /* The store's bucket is a copy of this one, whose name the digests have; NULL: no copy. */
    const char *original_bucket;
    int64_t start_s,
        /* the digests whose period overlaps this; 0: open at that side. What lies outside
               * is not complained about */
        end_s;
    /* fetch and hash every object; without `content` also look for objects that nobody
           * lists */
    bool check_objects;
    bool allow_gone_after_term; /* HF_GONE_AFTER_TERM is intact all the same */
    /* content is not called for what something was found against, in itself or in the digest that
     * lists it */
    bool strict;
    bool check_locks; /* locks, and other versions where listing them is allowed */
    /* Another handle to the same bucket, with the same rights and the same SSE-C key: each worker
     * that looks at objects has its own. Asked at most `workers` times; hf_verify() closes them.
     * NULL: no workers, one object is looked at after the other. What is found, and the order in
     * which it is told, is the same either way. */
    enum hf_status (*open_store)(void *context, struct hf_store **ret_store, struct hf_error *err);
    /* HF_VERIFY_WORKERS_MAX at most; 0: HF_VERIFY_WORKERS. At most two objects for each are looked
     * at ahead of the one that is told, and they take 64 MiB for each and once more; an object that
     * is larger waits for its turn, and is looked at alone. */
    unsigned workers;
    /* `key` of the thing found, `detail` one line: what differs, expected and found, and who
     * lists it. May be NULL. */
    void (*finding)(void *context, enum hf_finding finding, const char *key, const char *detail);
    void (*progress)(void *context, uint64_t digests, uint64_t objects, uint64_t objects_known);
    /* The records of each verified object in chain order oldest first: for cat. Called
           * with the decrypted, unzipped {"Records":[...]}. NULL for validate. An object is
           * handed out once its hash is the one that an authentic digest lists. */
    enum hf_status (*content)(void *context, const struct hf_digest_object *object,
                              struct hf_slice json, struct hf_error *err);
    /* cms; NULL: envelopes stay closed (content is then not called for them, and reported) */
    struct hf_opener *opener;
    void *context;
};

struct hf_verify_result {
    uint64_t digests;                 /* walked, good or bad */
    uint64_t objects, records, bytes; /* whose bytes were right; bytes as stored */
    uint64_t findings[HF_FINDINGS];
    uint64_t first_seq, last_seq; /* of the newest chain, as far as it was walked */
    int64_t from_s, to_s; /* start of the oldest, end of the newest digest that was walked */
    struct hf_head head;  /* the newest digest that was walked and is believed */
    char head_journal[65], head_host[1025], head_fingerprint[HF_FINGERPRINT_SIZE];
    struct {
        enum hf_known_state state;
        enum hf_finding finding; /* that contradicts it; HF_VALID: none does */
    } known[HF_KNOWN_MAX];
    /* Digests lie there, and not one has its signature with it, which is metadata: this is a copy of
     * the files alone, nothing was looked at, and nothing is said about the evidence. */
    bool signatures_absent;
    bool intact; /* no finding that is not fine, and at least one digest */
    bool unseen; /* it is not, for UNSEEN and DENIED alone: nothing is wrong with what was seen */
};

/* HF_OK when the walk could be made, whatever was found. HF_ENOTFOUND when there is no digest in the
 * range. Anything else is the store's answer to a request (access, outage): nothing is said about the
 * evidence then. One digest or object that is refused, or that the store does not hand over after
 * three tries, ends nothing: it is DENIED or UNSEEN. */
enum hf_status hf_verify(const struct hf_verify_options *options,
                         struct hf_verify_result *ret_result, struct hf_error *err) hf_must_check;

#endif
