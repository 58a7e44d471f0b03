/* Private to agent/deliver: what its files share.
 *
 *   hf_deliverer_submit -> arrived -> waiting -> the job's machine -> done()
 *      any thread         (locked)    \_________ the deliverer's thread _________/
 *
 * deliverer.c is the thread; carry.c the machine of a PUT to S3 and check.c the one of a CHECK;
 * request.c makes their requests, judge.c compares answers with what was sealed; dir_job.c does
 * both kinds for a directory, in one go.
 */
#ifndef HOLDFAST_DELIVER_IMPL_H
#define HOLDFAST_DELIVER_IMPL_H

#include <holdfast/deliver.h>
#include <holdfast/dir.h>
#include <holdfast/s3.h>
#include <pthread.h>

/* The clock guard (clock.c): farther than this from the store's Date nothing is sent. S3 refuses
 * signatures from there on as well. */
#define HF_SKEW_MAX_S (15 * 60)
/* A directory tells no time: a farther jump forward against boot time is no clock that was put
 * right. */
#define HF_DIR_JUMP_MAX_S    (24 * 60 * 60)
#define HF_NEWEST_DIGEST_MAX (16u << 20)

/* ---- newest.c: the newest digest of a trail, found without listing years ---- */

/* Listings go upwards only. So the last days are asked for first, then more and more. */
#define HF_NEWEST_SPANS 4
struct newest {
    const struct hf_delivery *delivery;
    char key[HF_KEY_MAX]; /* "" so far */
    int64_t end_s;
};
/* Where to begin listing: `span` 0 to HF_NEWEST_SPANS - 1, each wider, the last one from the
 * beginning on. */
void newest_after(const struct hf_layout *layout, int span, int64_t now_s,
                  char ret_after[HF_KEY_MAX]);
void newest_take(struct newest *newest, const struct hf_strings *keys);

/* ---- one job under way ---- */

enum carry_state {
    CARRY_WAITING, /* for its time, or for a connection */
    CARRY_LOOKING, /* asking whether it is there already */
    CARRY_LISTING, /* the same by its name in a listing, where the first answer was a bare 403 */
    CARRY_PUTTING, /* sending the body */
    CARRY_READING, /* reading back what the store has: bytes and lock */
    CARRY_READING_LOCK, /* asking for the lock alone */
    CARRY_LOCKING,      /* adding the lock that is missing */
    CARRY_DONE,
};

enum check_state {
    CHECK_LOCK,     /* asking for the bucket's Object Lock */
    CHECK_LISTING,  /* looking for the newest digest */
    CHECK_FETCHING, /* reading it */
    CHECK_DONE,
};

struct work {
    struct work *next;
    struct hf_deliverer *deliverer;
    struct hf_delivery *delivery;
    void (*answered)(struct work *work, struct hf_s3_reply *reply);
    enum hf_status status;
    struct hf_error error;

    /* a PUT */
    enum carry_state carry;
    int body_fd;
    bool was_unknown; /* an earlier attempt may have been applied, and nothing has shown yet whether
                         it was */
    bool adopting;    /* what lies there was not put by this job */
    bool found;       /* confirm: put: there was something under the key before */
    bool read_current; /* reading the current version, to see whether it is the one we put */
    bool lock_added;
    struct hf_receipt receipt; /* as far as it is known */
    struct hf_buf document;    /* of a PUT ?retention */

    /* a CHECK */
    enum check_state check;
    bool lacks_lock;
    int span;
    char *page_token, *last_key; /* of the page before */
    unsigned pages, empty_pages;
    bool asked_again;
    struct newest newest;
};

/* Ends the job with work->status: frees it and gives the delivery back. */
void work_done(struct work *work);
/* Sends for the job; its `answered` gets the reply. */
enum hf_status work_send(struct work *work, const struct hf_s3_request *request,
                         struct hf_error *err) hf_must_check;
/* The same with the SSE-C key in `key_file`; NULL: without. */
enum hf_status work_send_with_key(struct work *work, struct hf_s3_request *request,
                                  const char *key_file, struct hf_error *err) hf_must_check;

void carry_begin(struct work *work);
void check_begin(struct work *work);
void dir_job_run(struct work *work);

/* ---- request.c ---- */

enum hf_status request_look(struct work *work, struct hf_error *err) hf_must_check;
enum hf_status request_list(struct work *work, struct hf_error *err) hf_must_check;
enum hf_status request_put(struct work *work, struct hf_error *err) hf_must_check;
enum hf_status request_read(struct work *work, const char *version_id,
                            struct hf_error *err) hf_must_check;
enum hf_status request_read_lock(struct work *work, struct hf_error *err) hf_must_check;
enum hf_status request_lock(struct work *work, struct hf_error *err) hf_must_check;

/* ---- judge.c ---- */

/* What an answer means; where it is a refusal the error names the rights that can be missing. */
enum hf_status judge_answer(const struct hf_s3_reply *reply, const char *doing, const char *rights,
                            struct hf_error *err);
/* Does the answer to the PUT speak of our bytes? HF_ECORRUPT. */
enum hf_status judge_put(const struct hf_delivery *delivery, const struct hf_s3_reply *reply,
                         struct hf_error *err) hf_must_check;
/* Are the bytes that HEAD shows ours? HF_ECORRUPT. */
enum hf_status judge_bytes(const struct hf_delivery *delivery, const struct hf_s3_reply *reply,
                           struct hf_error *err) hf_must_check;
/* Is a lock that stands in the receipt right? */
bool judge_lock(const struct hf_delivery *delivery, const struct hf_receipt *receipt);
enum hf_status judge_not_held(const struct work *work, struct hf_error *err);

/* ---- the deliverer ---- */

struct hf_deliverer {
    struct hf_config_store store; /* a copy: the configuration may be replaced meanwhile */
    pthread_t thread;

    pthread_mutex_t lock;
    struct hf_queue *bell;
    struct {
        struct work *arrived, **arrived_end;
        bool stopping;
        int64_t deadline_boot_ms;
        bool closed;      /* nothing is begun any more */
        struct hf_s3 *s3; /* only for hf_s3_wakeup() */
    } locked;

    /* the thread's own */
    struct work *waiting, **waiting_end;
    unsigned active;
    bool worked; /* and has not given back the memory for it */
    struct hf_s3 *s3;

    /* clock.c */
    int64_t store_clock_ms; /* atomic: the store's clock minus boot time; INT64_MIN: unknown */
    int64_t wall_clock_ms;  /* atomic: the wall clock minus boot time when it was first believed;
                               INT64_MIN: not yet */
};

/* ---- clock.c ---- */

void clock_init(struct hf_deliverer *deliverer);
void clock_learn(struct hf_deliverer *deliverer, const struct hf_s3_reply *reply);
bool clock_known(const struct hf_deliverer *deliverer);
/* The clock guard; `last_s` as in hf_deliverer_clock(). HF_ESKEW. */
enum hf_status clock_check(struct hf_deliverer *deliverer, int64_t last_s,
                           struct hf_error *err) hf_must_check;

#endif
