/* One object, looked at by one thread: by the walk's own, or by a worker (workers.h). Nothing here
 * knows of the walk. What is found is noted, in order, and said by the walk's thread alone.
 *
 *   object.c ── lock.c, versions.c (what the store says beside the bytes), records.c
 */
#ifndef HOLDFAST_VERIFY_LOOK_H
#define HOLDFAST_VERIFY_LOOK_H

#include <holdfast/verify.h>

#define OBJECT_STORED_MAX (256u << 20) /* our own are far smaller; AWS says 50 MB */
#define OBJECT_PLAIN_MAX  (1u << 30)

struct note {
    enum hf_finding finding;
    char *key, *detail;
};
struct notes {
    struct note *items;
    size_t count;
};

/* What was found out about one object. */
struct looked {
    enum hf_status status; /* not HF_OK: the store's answer to a request; nothing is said then */
    struct hf_error err;
    struct notes notes;
    bool right; /* its bytes are those that were listed: */
    uint64_t records, bytes;
    bool open; /* `content` holds its JSON, for whoever asked for content */
    struct hf_buf content;
    bool gone;                            /* it is not there, and its term is over */
    bool is_free;                         /* it is there, and nothing holds it any more */
    bool versions_seen, versions_refused; /* the store listed versions; it said that we may not */
    bool too_large;                       /* for the room that there was: nothing is known of it */
};

/* One thread's; it borrows everything. */
struct look {
    const struct hf_verify_options *options;
    struct hf_store *store; /* belongs to this thread */
    /* The most that an object may take, in all the forms that it has in memory at once; 0: each
     * form has its own limit, and what is over that is a finding. */
    size_t room;
    int64_t now_s;         /* by the earlier clock: a term is over only for both */
    bool versions_refused; /* once is enough: it is not asked again */
    struct looked now;
};

/* The bucket's name in the digests. */
const char *verify_bucket(const struct hf_verify_options *options);
/* The earlier of this host's clock and the store's. */
int64_t look_now_s(struct hf_store *store);
/* Nothing keeps anybody from deleting it. */
bool look_is_free(const struct look *look, const struct hf_object_info *info);
void look_note(struct look *look, enum hf_finding finding, const char *key, const char *format, ...)
    hf_printf(4, 5);
void notes_done(struct notes *notes);
void looked_done(struct looked *looked);
/* For one of the object's forms: what is in memory beside it takes its part of the room. */
struct hf_buf look_buf(const struct look *look, size_t most, size_t beside);
/* What came of it: over the limit may mean, over the room that there was. */
void look_see_room(struct look *look, enum hf_status status);

/* ---- unseen.c ---- */
/* The `attempt`th, from 0 on, has failed: after a while it is worth another one. */
bool unseen_try_again(enum hf_status status, unsigned attempt);

/* ---- object.c ---- */
/* The caller's: looked_done(). */
void object_look(struct look *look, const struct hf_digest *digest,
                 const struct hf_digest_object *object, struct looked *ret_looked);

/* ---- lock.c ---- */
/* true: it is held as it should be. `least_mode` HF_LOCK_NONE: nothing is asked for. */
bool lock_check(struct look *look, const char *key, const struct hf_object_info *info,
                int least_mode, int64_t least_until_s, const char *recorded_by);

/* ---- versions.c ---- */
/* Looks at the versions of `key` beside the right one (NULL or "": the current one). *ret_fine is
 * set to false when something was noted that is not fine. */
enum hf_status versions_check(struct look *look, const char *key, const char *version_id,
                              const char *stored_sha256, bool *ret_fine,
                              struct hf_error *err) hf_must_check;
/* All versions, or none (count 0) where they cannot be listed. */
enum hf_status versions_list(struct look *look, const char *key,
                             struct hf_version_entry **ret_entries, size_t *ret_count,
                             struct hf_error *err) hf_must_check;
/* Those of a listing that may be the right one where the current one is not: no delete markers, the
 * oldest first, so that what is laid over it later does not bury it, and not more than that. */
#define VERSIONS_TRIED 32
struct versions_below {
    const struct hf_version_entry *entries[VERSIONS_TRIED]; /* borrowed from the listing */
    size_t count, left_out;
};
void versions_pick(const struct hf_version_entry *entries, size_t count,
                   struct versions_below *ret_below);
/* None of them was it: notes how many were not tried, if any. */
void versions_note_left_out(struct look *look, const char *key, const struct versions_below *below);

/* ---- records.c ---- */
/* The number of elements of the top-level array `Records`; false when there is none. */
bool records_count(struct hf_slice json, uint64_t *ret_count);

/* ---- fetch.c ---- */
/* The answer concerns this object alone: bytes too many or too few, or something that is no object.
 */
bool fetch_is_bad_object(enum hf_status status);

#endif
