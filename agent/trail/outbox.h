/* What is on its way to a store: windows from their cut to their receipt, and how often and how
 * soon something is tried under another key.
 *
 *   window:   CUT ──▶ SEALING ──▶ SEALED ──▶ (attempt, delivery) ──▶ RECEIPT: it leaves, and stands in the lists
 *              ▲         │           │
 *              └─────────┴───────────┘ sealing failed, or its file was damaged
 */
#ifndef HOLDFAST_TRAIL_OUTBOX_H
#define HOLDFAST_TRAIL_OUTBOX_H

#include <holdfast/deliver.h>
#include <holdfast/seal.h>
#include <holdfast/window.h>

#define IN_FLIGHT_MAX 16    /* deliveries of one trail under way */
#define WINDOWS_MOST  20000 /* sealed and not delivered: past it this trail stops sealing */
/* new keys for one window or digest at once; further ones after a pause */
#define GENERATIONS_MOST    3
#define MOVE_PAUSE_FIRST_MS 30000 /* doubles */
#define MOVE_PAUSE_MOST_MS  3600000

struct trail;
struct plan;

/* One sealed file on its way to its store. */
struct outgoing {
    char *path;
    struct hf_sealed *sealed;              /* NULL until it is sealed */
    int64_t first_retain_s, last_retain_s; /* of its ATTEMPTs; -1: none yet */
    bool foreign;                          /* what lies under its key is not ours */
    bool maybe_there;                      /* an attempt's outcome is unknown */
    bool in_flight;
    int64_t not_before_ms;
    struct hf_delivery delivery;
};
struct outgoing outgoing_none(void);
void outgoing_done(struct outgoing *out); /* frees what it has; it is none then */
/* An ATTEMPT to keep it until `retain_s`; of the first one and the last one the ledger knows. */
void outgoing_attempt(struct outgoing *out, int64_t retain_s, bool foreign);
void outgoing_forget_attempts(struct outgoing *out); /* it has another key now */
/* After the start: how an ATTEMPT without a RECEIPT ended is not known. */
void outgoing_recover(struct outgoing *out);

#define WINDOW_ID_SIZE 44
void outbox_id(const struct hf_window *range, char ret_id[WINDOW_ID_SIZE]); /* FIRST-LAST */

struct window {
    struct window *next;
    struct trail *trail; /* SEALING: for the message that brings it back */
    enum { WINDOW_CUT, WINDOW_SEALING, WINDOW_SEALED } state;
    struct hf_window range;
    char id[WINDOW_ID_SIZE];
    int64_t time_s;
    unsigned generation;
    int compression; /* fixed when it is cut, so that sealing it again gives the same bytes */
    char key[HF_KEY_MAX];
    struct hf_selection selection;
    /* signed as lost within its range: left out, also if they can be read again */
    struct hf_journal_loss *lost;
    size_t lost_count;
    uint64_t skip_corrupt_to; /* up to here losses are journaled: sealing leaves them out */
    struct hf_seal_job job;
    struct plan *plan; /* SEALING: held for the job */
    struct outgoing out;
};

struct outbox {
    const char *folder;     /* of sealed files; borrowed */
    struct window *windows; /* without a receipt, oldest first */
    uint64_t spool_bytes;   /* of sealed windows and the sealed digest */
    uint64_t seal_retry_ms; /* boot time */
    unsigned moves;         /* to new keys past GENERATIONS_MOST, since something was delivered */
    int64_t move_at_ms;     /* boot time of the next one; 0: none is due */
};
void outbox_done(struct outbox *outbox);

/* At the end, without selection and losses. */
struct window *outbox_add(struct outbox *outbox, const struct hf_window *range, int64_t time_s,
                          unsigned generation, const char *key);
void outbox_remove(struct outbox *outbox, struct window *window); /* and its sealed file's bytes */
struct window *outbox_find(const struct outbox *outbox, const char *id); /* NULL */
/* Another key, under which nothing was tried yet. */
void outbox_move(struct outbox *outbox, struct window *window, const char *key,
                 unsigned generation);
char *outbox_path(const struct outbox *outbox, const struct window *window,
                  unsigned generation); /* the caller's */
char *outbox_digest_path(const struct outbox *outbox, uint64_t number);
/* Its sealed file is there, and counts; or it is not any more, and the caller has the struct's
 * bytes back. */
void outbox_hold(struct outbox *outbox, struct outgoing *out, struct hf_sealed *sealed);
void outbox_release(struct outbox *outbox, struct outgoing *out);

/* Uncompressed, of windows before this sequence that wait for a sealer. */
uint64_t outbox_unsealed_bytes(const struct outbox *outbox, uint64_t before_seq);
size_t outbox_unsealed(const struct outbox *outbox);
size_t outbox_in_flight(const struct outbox *outbox); /* of windows */
/* Everything up to here is sealed or nobody's; `cut_seq` is the line's. */
uint64_t outbox_sealed_seq(const struct outbox *outbox, uint64_t cut_seq);
/* Away from a key that is taken, for the moves-th time: may it be now? A store that changes
 * whatever it is given would take one key after the other, and what lies under each is locked.
 * So past the first few there is one more after a pause, which grows. */
bool outbox_may_move(struct outbox *outbox, size_t moves);
/* Something came through: `all` when no key of ours is taken any more. */
void outbox_moved_well(struct outbox *outbox, bool all);

#endif
