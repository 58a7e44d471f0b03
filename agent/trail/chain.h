/* The chain of digests as the ledger knows it, the digest and the public key on their way, and
 * what the last look at the store has shown.
 *
 *   digest:   CUT (listing, signature) ──▶ sealed file ──▶ (attempt, delivery) ──▶ RECEIPT: the chain's new head
 */
#ifndef HOLDFAST_TRAIL_CHAIN_H
#define HOLDFAST_TRAIL_CHAIN_H

#include "agent/trail/lists.h"
#include "agent/trail/outbox.h"

#include <holdfast/crypto.h>

struct digest_work { /* the digest between its cut and its receipt */
    struct hf_digest digest;
    int64_t retain_most_s; /* latest date among what it lists */
    bool looked;           /* just before it goes: nobody else has written on in this chain */
    struct outgoing out;
};

struct head {        /* of the chain: the last digest with a receipt */
    uint64_t number; /* 0: none yet */
    char key[HF_KEY_MAX], bucket[64];
    char hash[HF_SHA256_HEX_SIZE];
    char *signature;
    int64_t end_s, retain_until_s;
    int lock_mode; /* HF_LOCK_NONE: none, or not known */
};

/* What the last look at the store has shown of the head. */
enum head_problem {
    HEAD_FINE,
    HEAD_MISSING, /* nothing as new as it is there: it is gone, or hidden */
    HEAD_BURIED,  /* too many strays lie over it to look below them */
};
const char *head_problem_text(enum head_problem problem); /* NULL: fine */

struct chain {
    const char *journal, *trail; /* whose it is; borrowed */
    char id[HF_ID_SIZE], tag[HF_CHAIN_TAG_SIZE];
    char *old_head; /* the head this chain was started after, or NULL */
    int64_t created_s;
    int64_t time_s;        /* T: the latest time that a step has; never goes back */
    uint64_t digested_seq; /* everything up to here is covered by a cut digest */
    struct head head;
    struct digest_work *digest;
    struct outgoing key;                /* the public key */
    char key_place[HF_SHA256_HEX_SIZE]; /* chain_key_place() of the one that has its receipt */
    int64_t due_ms;                     /* boot time of the next digest */
    bool due_now;                       /* flush, stop, drain */

    struct hf_delivery check; /* what the store shows under the prefix */
    struct plan *check_plan;  /* held while the check is under way; else NULL */
    bool check_sealed;        /* the digest at hand was sealed when the check began */
    /* the last check had no right to look at the newest digest, by design (confirm: put) */
    bool unseen;
    bool known;            /* since the start: what lies under the prefix is no obstacle */
    int64_t foreign_end_s; /* of the digest it is held for */
    char **strays;         /* keys that look like digests and are none of this chain */
    size_t stray_count;
    char seal_why[512];    /* digest or key cannot be made, signed or written; "": they can */
    int64_t seal_retry_ms; /* boot time */
    unsigned seal_failures;
    enum head_problem head_problem;
    uint64_t head_problems; /* begun, since the start */
};
void chain_done(struct chain *chain);

/* Digest or public key: tried again after a second, two, four, up to half a minute. */
void chain_seal_failed(struct chain *chain, const struct hf_error *err, int64_t now_ms);
void chain_sealed(struct chain *chain);
void chain_set_id(struct chain *chain, const char *id);               /* and its tag */
void chain_set_head(struct chain *chain, const struct head *head);    /* takes the signature */
void chain_set_digest(struct chain *chain, struct digest_work *work); /* takes it; NULL: none */
int64_t chain_start_s(const struct chain *chain);                     /* of the next digest */
/* It was delivered to this place: who looks there has to find it. */
bool chain_head_is_in(const struct chain *chain, const char *bucket,
                      const struct hf_layout *layout);
bool chain_owes_digest(const struct chain *chain, const struct lists *lists, uint64_t cut_seq);
/* One place in one bucket: the key names the fingerprint. */
void chain_key_place(const char *store, const char *bucket, const char *key,
                     char ret_place[HF_SHA256_HEX_SIZE]);

/* ---- changes without a step: the ledger is written anew after them ---- */

/* A chain of this agent that follows a foreign one: its digests sort behind that one, but not
 * behind one that claims to come from the future. */
void chain_follow(struct chain *chain, const char *old_head, int64_t now_s);
/* A new chain, after what the check has found. What a digest of the old one would have listed,
 * and nobody has seen, is listed by the new one's first. */
void chain_begin_anew(struct chain *chain, struct lists *lists, const char *id);
/* One that has dated nothing yet begins now: the clock was ahead when it was made. */
void chain_begin_now(struct chain *chain, int64_t now_s);
/* Someone else's bytes lie under the digest's key: it gets a later time, and so another one. */
void chain_move_digest(struct chain *chain);

/* ---- strays ---- */

#define STRAYS_MOST 64 /* past it someone has to look */
bool chain_knows_stray(const struct chain *chain, const char *key);
bool chain_add_stray(struct chain *chain, const char *key); /* false: too many */
/* Those that do not hide anything newer than `until_s` any more. */
void chain_forget_strays(struct chain *chain, const struct hf_layout *layout, int64_t until_s);

#endif
