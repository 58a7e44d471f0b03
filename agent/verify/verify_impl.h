/* What the parts of one verification share.
 *
 *   listing.c   the digests that lie under the prefix
 *   walk.c      first pass, newest to oldest
 *                 fetch.c one digest ── judge.c is it right? ── keys.c whose key is it?
 *                 heads.c heads that were seen before
 *   second.c    second pass, oldest to newest
 *                 range.c sequences ── workers.c many objects at once ── look.h one object
 *   unseen.c    what the store does not hand over
 *   finding.c   what is found is counted and told, on this one thread
 *   gone.c      what is not there any more, and need not be
 *   extra.c     what lies there and is listed nowhere
 */
#ifndef HOLDFAST_VERIFY_IMPL_H
#define HOLDFAST_VERIFY_IMPL_H

#include "agent/verify/look.h"

#define DIGEST_STORED_MAX (HF_DIGEST_MAX + (1u << 16))
#define LIST_PAGE         4096u
/* A digest ends at a multiple of its period and may be cut a period later (of 3600 s at most): what
 * it lists can be this much younger than its end. */
#define CUT_LAG_S (3600 + 60)

struct known_key {
    char fingerprint[HF_FINGERPRINT_SIZE];
    struct hf_verifier *verifier; /* NULL: not in the bucket, or not what it should be */
    char *why_not;
};

/* What the first pass keeps of a digest that can be believed. */
struct entry {
    char *key, *chain;
    char *version_id; /* the one to be read; NULL: the current one */
    char hash[HF_SHA256_HEX_SIZE];
    uint64_t number, first_seq, last_seq, object_count;
    int64_t start_s, end_s, previous_until_s;
    char *previous_mode; /* the lock of the digest before it */
    bool clean;          /* nothing was found against it so far */
    bool vouches;        /* for what it names by hash */
    bool linked;         /* the next entry is the digest before it, and it vouches for it */
    bool outside;        /* not asked for: only to know what it lists */
};

/* Everything in one chain that the second pass came by. */
struct chain {
    char *id, tag[HF_CHAIN_TAG_SIZE];
    int64_t from_s, to_s; /* objects of this time are all known */
};

struct blind { /* between these two, digests are missing: nobody knows what they listed */
    int64_t from_s, to_s;
};

struct key_hash {
    uint8_t bytes[16];
};

struct gone { /* after its term; told at the end */
    char *chain, *key;
    uint64_t seq; /* what is older has lower ones */
    const char
        *listed_in; /* it is all that this digest, gone as well, listed; NULL: it is one thing */
    bool is_compliance, is_digest;
};
struct left { /* the oldest of a chain that is there though nothing holds it */
    char *chain;
    uint64_t seq;
};

struct verify {
    const struct hf_verify_options *options;
    struct look look;   /* this thread's own */
    const char *bucket; /* as the digests name it */
    struct hf_layout layout;
    char *trail; /* owned, when it was found by listing */
    struct hf_verify_result *result;
    struct {
        bool advisory, not_pinned;
    } said;     /* once is enough */
    bool quiet; /* what is looked at was not asked for: nothing is said of it */
    unsigned unseen_in_a_row;

    struct hf_strings listing; /* digests of this trail, oldest first */
    bool *visited;             /* beside it */
    struct known_key *keys;
    size_t key_count;

    struct entry *entries; /* newest first */
    size_t entry_count;
    uint64_t objects_known;

    struct chain *chains;
    size_t chain_count;
    struct blind *blinds;
    size_t blind_count;
    struct gone *gone;
    size_t gone_count;
    bool digest_is_gone;
    bool older_seen; /* something that a digest listed which is gone */
    size_t older_asked;
    struct left *left;
    size_t left_count;
    struct {                     /* beside options->known */
        bool met, named;         /* in the walk; as the key of a finding, */
        enum hf_finding finding; /* the first one */
    } heads[HF_KNOWN_MAX];
    struct key_hash *known; /* listed, announced and foreign keys */
    size_t known_count;
};

/* ---- finding.c ---- */
void verify_report(struct verify *v, enum hf_finding finding, const char *key, const char *format,
                   ...) hf_printf(4, 5);
/* Reports each, and empties `notes`. */
void verify_tell(struct verify *v, struct notes *notes);
void verify_progress(struct verify *v);

/* ---- listing.c ---- */
enum hf_status listing_read(struct verify *v, struct hf_error *err) hf_must_check;
size_t listing_lower_bound(const struct verify *v,
                           const char *key); /* first that is not before `key` */
void listing_mark(struct verify *v, const char *key);
/* false: no digest has anything of what the agent puts beside it. */
bool listing_has_signature(const struct verify *v);
const char *listing_older(const struct verify *v,
                          const char *key); /* newest unvisited before `key`, or NULL */

/* ---- keys.c ---- */
/* The key that signed this digest, if somebody vouches for it; else NULL with the reason in
 * *ret_why (borrowed). `attempt` counts up: where a fingerprint is not ours (AWS's), each pinned
 * key is tried. */
enum hf_status keys_find(struct verify *v, const char *fingerprint, size_t attempt,
                         const struct hf_verifier **ret_verifier, const char **ret_why,
                         struct hf_error *err) hf_must_check;
/* Nothing that it signs from then on counts: also of a key that somebody vouches for. */
bool keys_is_revoked(const struct verify *v, const struct hf_digest_outline *outline);
void keys_done(struct verify *v);

/* ---- judge.c ---- */
/* What is expected of a digest by the newer one that names it. */
struct link {
    const char *newer_key;
    const char *hash, *signature; /* NULL: reached by listing or as an old head, nothing is known */
    const struct entry *newer;    /* NULL: this is another chain's head, or the first of the walk */
};
struct judged {
    enum hf_finding finding; /* HF_VALID, or the first thing against it */
    char detail[2 * HF_KEY_MAX + 512];
    bool in_place;
    bool revoked;                             /* its key was revoked before it ended */
    bool authentic;                           /* its content can be believed, */
    bool vouches;                             /* and that of those that it names by hash */
    struct hf_digest_outline outline;         /* zero if it is no digest */
    char signature[2 * HF_SIGNATURE_MAX + 1]; /* that lies with it; "" if it is none of this size */
    struct hf_digest digest;                  /* filled if it is authentic */
};
void judged_done(struct judged *judged);
enum hf_status judge_digest(struct verify *v, const char *key, const struct link *link,
                            struct hf_slice stored, const struct hf_object_info *info,
                            struct judged *ret_judged, struct hf_error *err) hf_must_check;

/* ---- fetch.c ---- */
enum fetched { FETCHED_ABSENT, FETCHED_BAD, FETCHED_USABLE };
/* Reads the digest, past a delete marker or a newer version where need be, and reports what is
 * wrong with it, except that it is absent. */
enum hf_status fetch_digest(struct verify *v, const char *key, const struct link *link,
                            enum fetched *ret_fetched, struct judged *ret_judged,
                            char **ret_version_id, struct hf_error *err) hf_must_check;

/* ---- walk.c ---- */
enum hf_status walk_chain(struct verify *v, struct hf_error *err) hf_must_check;
void entries_done(struct verify *v);

/* ---- heads.c ---- */
void heads_meet(struct verify *v, const char *key, const struct judged *judged);
/* After the walk: what was not met. true: something contradicts one of them. */
bool heads_end(struct verify *v);
void heads_named(struct verify *v, const char *key,
                 enum hf_finding finding); /* it is found against this key */

/* ---- unseen.c ---- */
/* HF_OK: `why` was said of this key, and the run goes on; else it ends with that. */
enum hf_status unseen_report(struct verify *v, const char *key, enum hf_status status,
                             const struct hf_error *why, struct hf_error *err) hf_must_check;
void unseen_none(struct verify *v); /* the store handed something over */

/* ---- range.c ---- */
struct carried { /* announced by the digest before */
    uint64_t first_seq, last_seq;
    char *key;
    bool lost;
};
struct carry {
    struct carried *items;
    size_t count;
    bool known; /* false: the digest before was not read */
    char *digest_key;
};
/* Sequences of a digest: within it, against what was pending before it. Takes what is pending now.
 */
void range_check(struct verify *v, const struct hf_digest *digest, struct carry *carry);
/* The same without a complaint: only takes what is pending. */
void range_begin(const struct hf_digest *digest, struct carry *carry);
void carry_done(struct carry *carry);

/* ---- second.c ---- */
enum hf_status second_pass(struct verify *v, struct hf_error *err) hf_must_check;

/* ---- gone.c ---- */
void gone_add(struct verify *v, const char *chain, const char *key, uint64_t seq,
              const char *lock_mode);
void gone_left(struct verify *v, const char *chain, uint64_t seq);
/* Nobody knows by name what a digest listed that is gone; that nothing of it is there, can be seen. */
void gone_add_listed(struct verify *v);
void gone_tell(struct verify *v);
void gone_done(struct verify *v);

/* ---- extra.c ---- */
void extra_know(struct verify *v, const char *key);
void extra_digests(struct verify *v);
enum hf_status extra_objects(struct verify *v, struct hf_error *err) hf_must_check;

#endif
