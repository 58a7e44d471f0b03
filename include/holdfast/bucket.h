/* bucket: what a bucket should have, what it has, how the two differ, and what is put in which order.
 *
 *   plan      what the configuration and the bucket's policy folder ask for
 *   compare   what the store answers, beside the plan
 *   apply     the plan's documents put on the bucket, one after the other
 *   probe     one object, locked for a day, and two tries to get rid of it
 *
 * All of it comes back as facts: nothing is printed or logged, and what follows from a fact is for
 * the caller to say. A call that is given a store blocks, as in store.h, on a thread of the caller's.
 */
#ifndef HOLDFAST_BUCKET_H
#define HOLDFAST_BUCKET_H

#include <holdfast/base.h>
#include <holdfast/config.h>
#include <holdfast/layout.h>
#include <holdfast/store.h>
#include <jansson.h>

/* Who has rights from the bucket policy, each from a document of its own in the policy folder. */
enum hf_bucket_role { HF_ROLE_WRITER, HF_ROLE_READER, HF_ROLE_BREAK_GLASS, HF_ROLE_COUNT };
const char *hf_bucket_role_text(enum hf_bucket_role role); /* "writer" */
const char *hf_bucket_role_file(enum hf_bucket_role role); /* "bucket-policy.json" */

/* The documents of a bucket, in the order in which they are put. */
enum hf_bucket_part {
    HF_PART_LOCK,
    HF_PART_LIFECYCLE,
    HF_PART_ENCRYPTION,
    HF_PART_TAGS,
    HF_PART_POLICY, /* + enum hf_bucket_role: the statements of one role */
    HF_PART_COUNT = HF_PART_POLICY + HF_ROLE_COUNT
};
const char *hf_bucket_part_text(enum hf_bucket_part part); /* "default lock" */

/* ---- what it should have ---- */

/* What the configuration does not say; all of it borrowed for the call. */
struct hf_bucket_given {
    const char *host; /* as this host's keys have it: the prefix of a trail without one */
    struct {
        const char *const *arns;
        size_t count; /* 0: this role's statements are left alone */
    } roles[HF_ROLE_COUNT];
    const char *writer_prefix; /* NULL: those of the configuration's trails in the bucket */
};

/* What a policy set's own default lock asks for, whatever the configuration says. */
struct hf_bucket_term {
    int mode; /* HF_LOCK_NONE: the set has no default lock */
    uint64_t days;
};

struct hf_bucket_plan {
    const struct hf_config_bucket *bucket; /* the configuration's */
    char *folder;                          /* the policy set's; NULL: none */
    json_t *documents[HF_PART_COUNT];      /* in the AWS CLI's JSON; NULL: not asked for */
    bool roles_unnamed[HF_ROLE_COUNT];     /* the set has a document, and nobody is named for it */
    bool roles_unknown[HF_ROLE_COUNT];     /* somebody is named, and the set has no document */
    struct hf_bucket_term term;
    uint64_t lock_days; /* the longest lock, its trails' included; 0: none */
    bool irreversible;  /* COMPLIANCE, here or in a trail */
};

/* The configuration's retention, lifecycle and tags go before the folder's. `config` has to outlive
 * the plan. HF_ECONFIG where a document or the folder is missing or is not what it should be. */
enum hf_status hf_bucket_plan_make(const struct hf_config *config,
                                   const struct hf_config_bucket *bucket,
                                   const struct hf_bucket_given *given,
                                   struct hf_bucket_plan *ret_plan,
                                   struct hf_error *err) hf_must_check;
void hf_bucket_plan_done(struct hf_bucket_plan *plan);
/* The plan wants locks, and a bucket in this state has none. */
bool hf_bucket_lacks_lock(const struct hf_bucket_plan *plan, enum hf_lock_state state);

/* `bucket` has a policy folder. HF_ECONFIG as above. */
enum hf_status hf_bucket_term_read(const struct hf_config *config,
                                   const struct hf_config_bucket *bucket,
                                   struct hf_bucket_term *ret_term,
                                   struct hf_error *err) hf_must_check;
/* How far a bucket's retention stays behind its policy set's term. It is the configuration's right
 * to say so, and no failure. All 0: not at all. */
struct hf_bucket_shortfall {
    bool nothing_locked;
    uint64_t days; /* what is written can be deleted this much too early */
    bool weaker;   /* GOVERNANCE, and the set's is COMPLIANCE */
};
struct hf_bucket_shortfall hf_bucket_shortfall(const struct hf_config_bucket *bucket,
                                               const struct hf_bucket_term *term);

/* ---- how it differs ---- */

enum hf_difference_kind {
    HF_DIFFERENCE_UNSET, /* wanted, and nothing is there: found is NULL */
    HF_DIFFERENCE_OTHER, /* something else is there */
    HF_DIFFERENCE_EXTRA, /* there, and nobody asked for it: wanted is NULL */
};
struct hf_difference {
    enum hf_difference_kind kind;
    char *what; /* "Rules 'old'.Expiration.Days": UTF-8, as the store or the folder has it */
    char *found, *wanted;
    bool harmless; /* takes nothing away from what is wanted */
};
struct hf_differences {
    struct hf_difference *items;
    size_t count;
};

enum hf_verdict {
    HF_VERDICT_NONE,      /* nothing is asked for */
    HF_VERDICT_SAME,      /* but for harmless differences */
    HF_VERDICT_DIFFERENT, /* at least one difference is not harmless */
    HF_VERDICT_WITHHELD,  /* apply would not put it; `err` says why */
    HF_VERDICT_UNKNOWN,   /* it could not be read; `err` says why */
};
struct hf_bucket_finding {
    enum hf_verdict verdict;
    struct hf_differences differences;
    struct hf_error err;
};
struct hf_bucket_comparison {
    enum hf_lock_state state; /* the parts are compared only when it is there and no directory */
    struct hf_bucket_finding parts[HF_PART_COUNT];
};
/* Changes nothing. HF_OK also where parts could not be read; anything else says that the bucket
 * could not be looked at. In a bucket without Object Lock there is no default lock to compare. The
 * roles' parts are read together, so they are all unknown or none. */
enum hf_status hf_bucket_compare(struct hf_store *store, const struct hf_bucket_plan *plan,
                                 struct hf_bucket_comparison *ret_comparison,
                                 struct hf_error *err) hf_must_check;
void hf_bucket_comparison_done(struct hf_bucket_comparison *comparison);

/* ---- what is put ---- */

/* Makes it, with Object Lock, where it is missing. */
enum hf_status hf_bucket_make(struct hf_store *store, bool *ret_made, enum hf_lock_state *ret_state,
                              struct hf_error *err) hf_must_check;

enum hf_outcome {
    HF_OUTCOME_SET,
    HF_OUTCOME_PARTLY,   /* the lifecycle, but for the `moves` that the store refused with `err` */
    HF_OUTCOME_REFUSED,  /* `err` is the store's */
    HF_OUTCOME_WITHHELD, /* it would do harm, as `err` says, and was not sent */
};
struct hf_bucket_step {
    enum hf_bucket_part part;
    enum hf_outcome outcome;
    const char *moves; /* the lifecycle's, "to storage class GLACIER after 90 days"; NULL: none */
    struct hf_error err;
};
/* Puts every document of the plan, in the parts' order, whatever became of those before, and tells
 * of each as it is done: who ends the program knows what was set by then. `state` is that of a
 * bucket which is there and no directory; without Object Lock the default lock is left out. What
 * others have put into the bucket policy stays there. */
void hf_bucket_apply(struct hf_store *store, const struct hf_bucket_plan *plan,
                     enum hf_lock_state state,
                     void (*tell)(void *context, const struct hf_bucket_step *step), void *context);

/* ---- whether it holds ---- */

enum hf_attempt_verdict {
    HF_ATTEMPT_REFUSED, /* as it has to be */
    HF_ATTEMPT_ALLOWED,
    HF_ATTEMPT_UNKNOWN, /* no answer, or one that says nothing about the lock */
};
struct hf_bucket_attempt {
    enum hf_attempt_verdict verdict;
    struct hf_error err; /* what the store said to it */
};
struct hf_bucket_probe {
    bool missing; /* there is no such bucket: nothing was tried */
    char key[HF_KEY_MAX];
    int64_t until_s;            /* GOVERNANCE until then was asked for */
    struct hf_object_info info; /* as the store tells it once it was put */
    bool held;                  /* and that is no less than was asked for */
    struct hf_bucket_attempt shorten, remove;
};
/* A key below the prefix of the first trail that writes there, where a writer has its rights. */
void hf_bucket_probe_key(const struct hf_config *config, const struct hf_config_bucket *bucket,
                         const char *host, char ret_key[HF_KEY_MAX]);
/* The object stays until its day is over, unless removing it was ALLOWED. Anything but HF_OK: it
 * could not be put. */
enum hf_status hf_bucket_probe(struct hf_store *store, const char *key,
                               struct hf_bucket_probe *ret_probe,
                               struct hf_error *err) hf_must_check;

#endif
