/* deliver: one thread per store; a job carries one sealed file there, under its lock, and comes
 * back with a receipt, or with the reason why not and whether the outcome is unknown.
 *
 * The deliverer never decides to try again: the trail does, after it wrote a new ATTEMPT.
 *
 * What it keeps, and what happens otherwise:
 *
 *   no second version   Each PUT has If-None-Match: *, and one after a PUT of unknown outcome
 *                       (time-out, reset, 5xx, restart) looks first: Ceph 16 ignores the condition
 *                       in a versioned bucket. After a time-out it waits as long again: what was
 *                       given up can land after a HEAD has said 404.
 *   what is another's   Under a key that is taken, the same bytes are adopted, with the lock they
 *   stays               lack; others never replaced: HF_EFOREIGN. The trail then sends the sealed
 *                       body as it is under the next generation's key. It cannot seal anew: the
 *                       journal may have released the events.
 *   the right lock      Its mode is the wanted one, its date not before the first attempt's, in
 *                       whole seconds (Ceph answers with nine fractional digits). Locks only grow.
 *   a clock that can    Past HF_ESKEW nothing is sent: what is locked ten years too long in
 *   be right            COMPLIANCE can be unlocked by nobody. A store that tells the time is asked;
 *                       for a directory it is what the ledgers know, and the kernel.
 */
#ifndef HOLDFAST_DELIVER_H
#define HOLDFAST_DELIVER_H

#include <holdfast/base.h>
#include <holdfast/config.h>
#include <holdfast/layout.h>
#include <holdfast/seal.h>

struct hf_receipt {
    char version_id[256];
    char etag[128];
    /* "md5:BASE64" or "sha256:BASE64": what was sent and, where echoed, confirmed */
    char checksum[80];
    int lock_mode;
    int64_t retain_until_s; /* as the store has it */
    bool legal_hold;
    bool advisory;       /* dir, worm: advisory */
    char confirmed[16];  /* "head", "put", "adopted", "link" */
    uint64_t repeated;   /* further versions with identical bytes that were seen */
    int64_t delivered_s; /* by the store's clock */
};

enum hf_job_kind {
    HF_JOB_PUT, /* carry `sealed` there */
    /* may this trail deliver? Bucket, lock, rights as far as they can be seen; the newest digest
     * under its prefix */
    HF_JOB_CHECK,
};

struct hf_delivery {
    /* in */
    enum hf_job_kind kind;
    struct hf_sealed *sealed; /* PUT; borrowed until done */
    int64_t retain_until_s;   /* PUT: of this attempt, as written in ATTEMPT; 0 without a lock */
    /* PUT: of the first attempt: a stored lock is right from here on */
    int64_t first_retain_until_s;
    /* PUT: an earlier attempt's outcome is unknown, or this is the first after a restart: HEAD
     * first */
    bool maybe_there;
    /* PUT: what lies under the key was HF_EFOREIGN before: not to be adopted by its lock alone */
    bool foreign;
    /* PUT: begin no earlier. Set anew by a job that ends in a time-out with its PUT sent (the
     * time-out once more): leave it as it is when submitting again */
    int64_t not_before_boot_ms;
    int64_t last_s;                 /* as in hf_deliverer_clock() */
    const struct hf_layout *layout; /* CHECK */
    const char *bucket;             /* CHECK */
    /* CHECK: of a trail with sse-c, whose digests need it as well; else NULL */
    const char *sse_c_key_file;
    bool needs_lock; /* CHECK: the trail's retention is not none */
    /* CHECK: keys that the newest digest is not looked for among; borrowed until done */
    char *const *skip;
    size_t skip_count;
    /* On the deliverer's thread; the delivery is the caller's again. Must not block; may submit,
     * must not stop the deliverer. */
    void (*done)(void *context, struct hf_delivery *delivery);
    void *context;
    /* out */
    /* HF_OK: PUT has its receipt. HF_EFOREIGN: other bytes lie under the key. HF_ENOTHELD:
     * stored, but not locked */
    enum hf_status status;
    struct hf_error error;
    /* something of ours may lie, or still land, under the key: maybe_there of the next attempt */
    bool unknown;
    struct hf_receipt receipt;
    /* CHECK: "" when there is none, or when confirm: put has no right to look */
    char newest_digest_key[HF_KEY_MAX];
    /* CHECK: its stored bytes (gzip), at most 16 MiB; empty when it has more */
    struct hf_buf newest_digest;
    char *newest_signature; /* CHECK: as it stands in its metadata, or NULL; the caller's */
    bool chain_unseen;      /* CHECK: the right to look is missing by design (confirm: put) */
};

struct hf_deliverer;
/* Loads credentials and CA lazily: what is wrong with them comes back with each job, nothing
 * fails here but memory. `store` is copied. */
struct hf_deliverer *hf_deliverer_start(const struct hf_config_store *store);
/* From any thread, never blocks. While the deliverer stops it may come back HF_ESTOPPED from
 * within the call. */
void hf_deliverer_submit(struct hf_deliverer *deliverer, struct hf_delivery *delivery);
/* Goes on for at most `wait_ms`; what is not done by then comes back HF_ESTOPPED, unknown as it
 * may be. Frees the deliverer. (A dir store whose system call hangs, as over a dead NFS mount,
 * is waited for: nothing can take its thread away.) */
void hf_deliverer_stop(struct hf_deliverer *deliverer, int64_t wait_ms);
/* The store's clock: its last Date, carried on by boot time; our wall clock before the first
 * answer and for dir. From any thread. */
int64_t hf_deliverer_now_s(const struct hf_deliverer *deliverer);
/* That minus our wall clock, now: a step of the wall clock shows at once. Over 15 minutes no PUT
 * is sent; any job brings a new Date. */
int64_t hf_deliverer_skew_s(const struct hf_deliverer *deliverer);
/* The clock guard: HF_ESKEW while this host's clock cannot be right (before the build, far from
 * the store's Date, for a directory a jump of more than a day, or hf_clock_is_far_after(last_s)).
 * ret_known: false until a store that tells the time has told it. Any thread. */
enum hf_status hf_deliverer_clock(struct hf_deliverer *deliverer, int64_t last_s, bool *ret_known,
                                  struct hf_error *err) hf_must_check;
/* So long may a host have been off, without anyone who tells the time when it comes back. */
#define HF_CLOCK_AHEAD_MAX_S (INT64_C(30) * 24 * 60 * 60)
/* Is the wall clock farther than that after `last_s`, the newest time that is known to have been (0:
 * none is), and no time service keeps it? */
bool hf_clock_is_far_after(int64_t last_s);

/* 00:00:00Z of the day after (now + days), never before `at_least_s`; 0 for HF_LOCK_NONE. */
int64_t hf_retain_until(int lock_mode, uint64_t days, int64_t now_s, int64_t at_least_s);

#endif
