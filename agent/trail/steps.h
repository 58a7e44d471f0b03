/* What each step of the ledger says, and its document. The order of the steps, and what a crash
 * before and after each leaves, stand in agent/ledger/FORMAT.md.
 *
 * Texts and lists are borrowed: from the one who takes the step, or from the document that was
 * read. */
#ifndef HOLDFAST_TRAIL_STEPS_H
#define HOLDFAST_TRAIL_STEPS_H

#include "agent/trail/line.h"

#include <holdfast/ledger.h>
#include <jansson.h>

#define STATE_FORMAT 1 /* of the STATE step's document */

/* A window ends here, also one without records, which makes no object. The text `window` is the
 * range once more, for who reads a ledger. */
struct step_cut {
    const char *window;
    struct hf_window range;
    int64_t time_s;
    unsigned generation;
    const char *key;         /* "" without records */
    const char *compression; /* hf_compression_text(); NULL: the usual one */
    uint64_t cut_seq;        /* the line may lie behind a loss that follows the window */
    struct hf_selection selection;
    const struct hf_journal_loss *lost;
    size_t lost_count;
};

/* Before each PUT; once more when somebody else's bytes were seen under the key. */
struct step_attempt {
    const char *what; /* a window's id, "digest" or "key" */
    int64_t retain_until_s;
    bool foreign;
};

struct step_receipt {
    const char *window; /* "": not waiting any more, as in a ledger that was written anew */
    const char *bucket, *key;
    const char *hash, *stored_sha256, *plain_sha256;
    int64_t oldest_s, newest_s;
    uint64_t first_seq, last_seq, count;
    const char *version_id, *confirmed, *encryption, *lock_mode; /* NULL: not known */
    int64_t retain_until_s;
    uint64_t repeated;
    const char *const *gaps; /* what its SourceGap records say */
    size_t gap_count;
};

/* What lists stand before it is the digest's. */
struct step_digest_cut {
    uint64_t number;
    int64_t start_s, end_s;
    const char *bucket, *key, *fingerprint, *boot;
    uint64_t first_seq, last_seq, object_count;
    const struct step_pending {
        uint64_t first_seq, last_seq;
        const char *key;
    } * pending;
    size_t pending_count;
};

struct step_digest_receipt {
    uint64_t number;
    const char *bucket, *key, *hash, *signature;
    int64_t end_s, retain_until_s;
    const char *lock_mode; /* NULL: none, or from a version that did not write it */
};

struct step_key_receipt {
    const char *place; /* chain_key_place() */
    const char *key;
};

/* Under `key` other bytes were found: a window goes on under the next generation's key. In a
 * ledger that was written anew only the key, for the next digest. */
struct step_foreign {
    const char *window, *key;
    unsigned generation;
    const char *new_key; /* NULL: no window waits */
};

struct step_dropped {
    const char *window;
};

struct step_loss {
    uint64_t first_seq, last_seq; /* 0, 0: not known */
    const char *reason;
    uint64_t cut_seq;
};

struct step_rule {
    struct rule rule;
    uint64_t to_seq; /* it holds up to here; UINT64_MAX: the last one */
};
/* The whole trail, but for what is not finished and stands in steps behind it. */
struct step_state {
    unsigned format;
    const char *trail, *journal, *chain;
    int64_t created_s, time_s;
    uint64_t cut_seq, digested_seq;
    const char *key_place, *old_head;
    const struct step_rule *rules; /* none, from an early version: the configuration's */
    size_t rule_count;
    const struct hf_journal_loss *noted;
    size_t noted_count;
    struct step_digest_receipt head; /* number 0: none */
};

struct step {
    enum hf_step kind;
    union {
        struct step_state state;
        struct step_cut cut;
        struct step_attempt attempt;
        struct step_receipt receipt;
        struct step_digest_cut digest_cut;
        struct step_digest_receipt digest_receipt;
        struct step_key_receipt key_receipt;
        struct step_foreign foreign;
        struct step_dropped dropped;
        struct step_loss loss;
    };
};

json_t *step_write(const struct step *step); /* the caller's */
/* The step lives no longer than the document; step_done() frees its lists. */
enum hf_status step_read(enum hf_step kind, const json_t *doc, struct step *ret_step,
                         struct hf_error *err) hf_must_check;
void step_done(struct step *step); /* of one that was read */

#endif
