/* The trail's insides. Everything here belongs to the trails' thread, but for the inbox in
 * trails.c.
 *
 *   window:   CUT ──▶ SEALING ──▶ SEALED ──▶ (attempt, delivery) ──▶ RECEIPT: listed by the next digest
 *   digest:   CUT (listing, signature) ──▶ sealed file ──▶ (attempt, delivery) ──▶ RECEIPT: the chain's new head
 *   trail:    CHECKING ──▶ READY ◀──▶ WAITING (store away)   READY ──▶ HELD (someone must mend) ──▶ CHECKING
 *
 * What a crash leaves is in the ledger and the sealed files; open.c rebuilds these structs from
 * them.
 */
#ifndef HOLDFAST_TRAIL_IMPL_H
#define HOLDFAST_TRAIL_IMPL_H

#include <holdfast/crypto.h>
#include <holdfast/deliver.h>
#include <holdfast/digest.h>
#include <holdfast/ledger.h>
#include <holdfast/seal.h>
#include <holdfast/trail.h>
#include <holdfast/window.h>

#define WINDOWS_UNSEALED_MAX 16 /* cut ahead of sealing */
#define IN_FLIGHT_MAX        16 /* deliveries of one trail under way */
#define LEDGER_COMPACT_BYTES (1u << 20)
#define RETRY_WAIT_MS        500  /* first retry when a store is away or busy; doubles */
#define RETRY_HELD_MS        2000 /* first retry when a person must mend something; doubles */
#define RETRY_MOST_MS        30000
#define TRAILS_MAX           64
#define DIGEST_OBJECTS_MOST  8000 /* listed by one digest, which then comes early */
/* delivered and not in a digest yet: past it deliveries wait for the digest */
#define OBJECTS_MOST (DIGEST_OBJECTS_MOST + 2 * IN_FLIGHT_MAX)
/* sealed and not delivered: past it this trail stops sealing, as with a full spool */
#define WINDOWS_MOST 20000
/* new keys for one window or digest at once; further ones after a pause */
#define GENERATIONS_MOST 3
/* so long may the host have been off, and its store not be there when it comes back */
#define UNTOLD_MOST_S          (30 * 86400)
#define GAPS_MOST              1000 /* in one digest, which then comes early */
#define STRAYS_MOST            64   /* among the digests; past it someone has to look */
#define MOVE_PAUSE_MOST_MS     3600000
#define COMPRESSION_LEVEL_MOST 12

struct trail;

/* What a trail's configuration says, as one JSON document (kept in trail.json, so that a trail
 * that left the configuration can drain), with its fields picked out. Texts live in `doc`. */
struct settings {
    json_t *doc;
    const char *name, *bucket, *store, *digest_key_file, *sse_c_key_file, *kms_key_id;
    struct hf_layout layout;
    json_t *sources, *recipients; /* arrays of texts; sources NULL for all */
    uint64_t window_s, window_max_bytes, digest_s, spool_max_bytes, lock_days, compression_level;
    int encryption, lock_mode;
    bool legal_hold, start_oldest;
};
#define SETTINGS_FORMAT 1 /* of trail.json */
#define STATE_FORMAT    1 /* of the STATE step's document */
enum hf_status settings_from_config(const struct hf_config *config,
                                    const struct hf_config_trail *trail, const char *host,
                                    struct settings *ret_settings,
                                    struct hf_error *err) hf_must_check;
enum hf_status settings_from_doc(json_t *doc, struct settings *ret_settings,
                                 struct hf_error *err) hf_must_check; /* takes the reference */
void settings_done(struct settings *settings);
/* ---- saved.c: beside the ledger, in two files with a checksum ---- */
enum hf_status
settings_load(const char *folder, struct settings *ret_settings,
              struct hf_error *err) hf_must_check; /* HF_ENOTFOUND; HF_ECORRUPT: both are damaged */
enum hf_status settings_exist(const char *folder, bool *ret_exist,
                              struct hf_error *err) hf_must_check;
enum hf_status settings_remove(const char *folder, struct hf_error *err) hf_must_check;

/* Settings with everything loaded that sealing and signing need. Kept until no job uses it any
 * more: see trails->old_plans. */
struct plan {
    struct plan *next;
    struct settings settings;
    struct hf_signer *signer;
    struct hf_recipients *recipients;
    struct hf_selection selection;
    struct hf_seal_plan seal;
    char chain[HF_ID_SIZE];
};
enum hf_status plan_new(struct hf_trails *trails, struct settings *settings, struct plan **ret_plan,
                        struct hf_error *err) hf_must_check; /* takes the settings */
void plan_free(struct plan *plan);

/* How a range of the journal is cut. Stands in the ledger for everything that is not cut
      * yet, so that a crash, or a start under another configuration, cuts it as it would have
      * been cut: see change.c. */
struct rule {
    bool gone; /* the trail was not in the configuration: nothing is its own */
    struct hf_selection selection;
    uint64_t window_s, window_max_bytes;
};

struct change {
    struct change *next;
    uint64_t after_seq; /* the rule before holds up to here */
    struct rule rule;
    struct plan *plan; /* in force from then on; NULL: the present one stays */
};

/* One sealed file on its way to its store. */
struct outgoing {
    struct trail *trail;
    char *path;
    struct hf_sealed *sealed;              /* NULL until it is sealed */
    int64_t first_retain_s, last_retain_s; /* of its ATTEMPTs; -1: none yet */
    bool maybe_there;                      /* an attempt's outcome is unknown */
    bool foreign;                          /* what lies under its key is not ours */
    bool in_flight;
    bool done;
    int64_t not_before_ms;
    struct hf_delivery delivery;
};
void outgoing_done(struct outgoing *out);

struct window {
    struct window *next;
    struct trail *trail;
    enum { WINDOW_CUT, WINDOW_SEALING, WINDOW_SEALED } state;
    struct hf_window range;
    char id[44]; /* FIRST-LAST */
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
    struct outgoing out;
};

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
};

struct trail {
    struct trail *next;
    struct hf_trails *trails;
    enum trail_state { TRAIL_CHECKING, TRAIL_READY, TRAIL_WAITING, TRAIL_HELD, TRAIL_ENDED } state;
    bool draining; /* gone from the configuration */
    bool check_in_flight;
    bool check_sealed; /* the digest at hand was sealed when the check began */
    bool checked;      /* since the last start or hold */
    /* the last check had no right to look at the newest digest, by design (confirm: put) */
    bool chain_unseen;
    /* since the last start: what lies under the prefix was seen and is no obstacle */
    bool chain_known;
    struct hf_delivery check;
    char held[512];            /* why it is HELD or WAITING */
    enum hf_status held_class; /* of that text, also while it is tried again */
    /* kinds of trouble that stand in the log since it was well: a bit per status */
    uint64_t said;
    bool put_failed; /* the last PUT: well is only who has put again */
    enum hf_status held_status;
    int64_t foreign_end_s; /* of the digest it is held for */
    char **
        /* keys under its prefix that look like digests and are none of this chain: stepped
              * over */
        strays;
    size_t stray_count;
    int64_t held_since_s, retry_at_ms;
    uint64_t held_since_ms; /* boot time: a clock that is set mends some holds */
    unsigned failures;
    unsigned moves;     /* to new keys past GENERATIONS_MOST, since something was delivered */
    int64_t move_at_ms; /* boot time of the next one; 0: none is due */

    char *name, *folder;
    struct plan *plan;
    struct hf_ledger *ledger;
    uint64_t compact_bytes;  /* size of the ledger after it was last written anew */
    uint64_t ledger_repairs; /* steps that were damaged in one of its files at the start */
    /* its ledger cannot be read: nothing is done, nothing released, until a start finds it
          * mended */
    bool damaged;
    /* the file lags behind these structs: nothing leaves until it was rewritten */
    bool ledger_trouble;

    char chain[HF_ID_SIZE], tag[HF_CHAIN_TAG_SIZE];
    char *old_head; /* the head this chain was started after */
    int64_t created_s, last_time_s;
    struct head head;
    char key_in_bucket
        /* digest_step.c's key_place() of the public key that has its receipt */
        [HF_SHA256_HEX_SIZE];
    struct outgoing key_out;

    struct hf_cutter *cutter;
    uint64_t cut_seq;       /* everything up to here is in a window */
    uint64_t digested_seq;  /* ... and covered by a cut digest */
    struct rule rule;       /* of what is cut next */
    struct change *changes; /* to come, in order */
    bool closed;            /* the rule says gone: nothing more is ours */
    struct window *windows; /* without a receipt, oldest first */
    uint64_t spool_bytes;
    struct pace { /* of `compression: { level: auto }` */
        int compression;
        uint64_t backlog_bytes; /* when it was last looked at */
        uint64_t looked_ms;     /* boot time */
    } pace;
    uint64_t seal_retry_ms;
    enum hf_status trouble; /* of this host, said in the log */

    struct hf_digest_object *objects; /* with a receipt, not yet in a digest */
    size_t object_count, object_room;
    struct hf_journal_loss *noted; /* losses that no window covers yet */
    size_t noted_count;
    struct hf_digest_loss *losses;
    size_t loss_count;
    char **foreign;
    size_t foreign_count;
    struct digest_work *digest;
    int64_t digest_due_ms; /* boot time */
    bool digest_now;       /* flush, stop, drain */

    struct { /* since the start */
        uint64_t objects, records, locked, bytes, digests, puts, puts_again, failures, repeated,
            lost;
        uint64_t errors[HF_STATUS_COUNT];
        int64_t last_delivery_s;
    } counts;
};

struct store_slot {
    struct store_slot *next;
    const struct hf_config_store *config;
    struct hf_deliverer *deliverer;
};

struct flush_trail {
    struct trail *trail;
    enum { FLUSH_CUT, FLUSH_DELIVER, FLUSH_SIGN, FLUSH_DONE } stage;
    uint64_t digest_number;
};
struct flush {
    struct flush *next;
    uint64_t last_seq;
    int64_t deadline_ms;
    void (*done)(void *context, const char *failed);
    void *context;
    struct flush_trail trails[TRAILS_MAX];
    size_t count;
};

struct inbox; /* trails.c */

struct hf_trails {
    struct hf_trails_options options;
    struct hf_config *config; /* in force: what the stores' slots point into */
    struct plan *old_plans;
    struct store_slot *stores;
    struct trail *trails;
    struct hf_sealers *sealers;
    unsigned seals_in_flight, seals_most;
    unsigned sealed_place; /* in the list: the trail whose window was taken last */
    struct flush *flushes;
    char *reserve_path;
    uint64_t reserve_bytes, reserve_have;
    int64_t reserve_retry_ms;
    uint64_t delay_s_cache;
    struct inbox *inbox;
    bool stopping;
};

/* ---- trail.c: one turn of the machine ---- */
void trail_turn(struct trail *trail);             /* does everything that can be done now */
int64_t trail_wake_ms(const struct trail *trail); /* boot time of its next turn by timer */
void trail_move(struct trail *trail, enum trail_state state,
                const struct hf_error *why); /* the only writer of state */
const char *trail_state_text(enum trail_state state);
bool trail_may_cut(struct trail *trail);
void trail_failed(struct trail *trail, enum hf_status status); /* counts an attempt that did */
void trouble_say(struct trail *trail, const char *event, const char *window,
                 const struct hf_error *err);
struct hf_deliverer *trail_deliverer(struct trail *trail, const char *store);
bool trail_take_time(
    struct trail *trail,
    int64_t *ret_time_s); /* T: never goes back; false: the clock is not to be believed now */

/* ---- pace.c: how the next window will be compressed ---- */
int pace_compression(struct trail *trail, const struct hf_window *range);

/* ---- cut.c: windows from the journal, and their sealing ---- */
void cut_windows(struct trail *trail);
bool cut_close_at(struct trail *trail, uint64_t last_seq); /* true: all of it is in windows */
void seal_windows(struct hf_trails *trails);
void seal_returned(struct window *window, enum hf_status status, struct hf_sealed *sealed,
                   const struct hf_journal_loss *loss, const struct hf_error *err);
struct window *window_new(struct trail *trail, const struct hf_window *range, int64_t time_s,
                          unsigned generation, const char *key);
void window_free(struct window *window);
void window_remove(struct trail *trail, struct window *window);
char *window_path(const struct window *window, unsigned generation); /* the caller's */
void window_set_path(struct window *window);
uint64_t
trail_sealed_seq(const struct trail *trail); /* everything up to here is sealed or nobody's */

/* ---- attempt.c: outgoing files, their attempts and receipts ---- */
void attempt_deliveries(struct trail *trail);
void attempt_returned(struct hf_delivery *delivery); /* on the trails' thread */
void attempt_back_off(struct trail *trail, const struct hf_error *err);
bool attempt_may_move(struct trail *trail,
                      size_t moves); /* away from a key that is taken, for the moves-th time */

/* ---- chain.c: may this trail deliver? ---- */
void chain_check(struct trail *trail);
void chain_checked(struct trail *trail);
bool chain_looked(
    struct trail *trail); /* may the digest go? Asks the store when it has not been asked */

/* ---- stray.c: what lies among the digests and is no evidence of anything ---- */
const char *stray_reason(const struct trail *trail, const struct hf_digest *newest,
                         struct hf_slice json); /* why it is no evidence; NULL: it is */
bool stray_is_known(const struct trail *trail, const char *key);
enum hf_status stray_step_over(struct trail *trail, const char *reason, struct hf_error *err)
    hf_must_check; /* HF_EFULL: done; HF_EFOREIGN: too many */
void strays_forget(struct trail *trail,
                   int64_t until_s);    /* those that do not hide anything any more */
void chain_follow(struct trail *trail); /* its first digest comes after the one that was found */
enum hf_status chain_new(struct trail *trail, struct hf_error *err) hf_must_check;

/* ---- digest_step.c ---- */
bool digest_due(struct trail *trail);
bool digest_may_cut(struct trail *trail);
void digest_cut(struct trail *trail);
void digest_move(
    struct trail *trail); /* what lies under its key is nobody's digest: it gets another one */
void digest_work_free(struct digest_work *work);
enum hf_status digest_seal(struct trail *trail, struct hf_error *err)
    hf_must_check; /* makes the sealed file if it is not there */
void digest_schedule(struct trail *trail);
bool key_moved(const struct trail *trail);
void key_begin_anew(struct trail *trail);
void key_place(const char *store, const char *bucket, const char *key,
               char ret_place[HF_SHA256_HEX_SIZE]);
bool key_in_place(const struct trail *trail); /* the present public key has its receipt */
enum hf_status key_prepare(struct trail *trail, struct hf_error *err) hf_must_check;

/* ---- steps*.c: ledger documents; apply_* are used live and by replay, so both come to the
      * same structs ---- */
enum hf_status step_record(struct trail *trail, enum hf_step step,
                           json_t *doc); /* takes the reference; adds, does not sync */
bool step_sync(struct trail *trail);     /* false: trouble, nothing may leave */
json_t *step_cut_doc(const struct window *window);
json_t *step_attempt_doc(const char *what, int64_t retain_until_s, bool foreign);
json_t *step_receipt_doc(const struct hf_digest_object *object, const char *window,
                         const struct hf_sealed *sealed); /* sealed: its gaps, or NULL */
void gap_add(struct trail *trail, const char *reason);    /* a loss of unknown sequences, bounded */
json_t *step_digest_cut_doc(const struct digest_work *work);
json_t *step_digest_receipt_doc(const struct head *head);
json_t *step_loss_doc(const struct hf_digest_loss *loss, uint64_t cut_seq);
json_t *step_state_doc(const struct trail *trail);
enum hf_status step_replay(void *trail, enum hf_step step, const json_t *doc, struct hf_error *err);
enum hf_status replay_cut(struct trail *trail, const json_t *doc,
                          struct hf_error *err) hf_must_check;
enum hf_status replay_attempt(struct trail *trail, const json_t *doc,
                              struct hf_error *err) hf_must_check;
enum hf_status replay_receipt(struct trail *trail, const json_t *doc,
                              struct hf_error *err) hf_must_check;
enum hf_status replay_foreign(struct trail *trail, const json_t *doc,
                              struct hf_error *err) hf_must_check;
void replay_dropped(struct trail *trail, const char *id); /* the window leaves the list */
enum hf_status replay_digest_cut(struct trail *trail, const json_t *doc,
                                 struct hf_error *err) hf_must_check;
enum hf_status replay_head(struct trail *trail, const json_t *doc,
                           struct hf_error *err) hf_must_check;
struct hf_digest_object *object_add(struct trail *trail);
void object_done(struct hf_digest_object *object);
void loss_add(struct trail *trail, uint64_t first_seq, uint64_t last_seq, const char *reason);
void noted_add(struct trail *trail, uint64_t first_seq, uint64_t last_seq);
void noted_drop(struct trail *trail, uint64_t last_seq);
json_t *lost_doc(const struct hf_journal_loss *lost, size_t count);
size_t lost_from_doc(const json_t *array, struct hf_journal_loss **ret_lost); /* the caller's */
void digest_take_lists(struct trail *trail, struct digest_work *work);

/* ---- change.c: a changed or removed trail ends its window where the journal is now ---- */
void change_begin(struct trail *trail, struct plan *plan,
                  uint64_t after_seq); /* takes the plan; NULL: drain */
void change_turn(struct trail *trail);
/* After the start: what the ledger says about the rules meets the configuration. */
enum hf_status change_resume(struct trail *trail, bool gone, struct hf_error *err) hf_must_check;
void change_free_all(struct trail *trail);
const struct plan *change_latest_plan(const struct trail *trail); /* NULL: it drains */

/* ---- rule.c ---- */
struct rule rule_of(const struct plan *plan);
bool rule_same(const struct rule *a, const struct rule *b);
json_t *rules_doc(const struct trail *trail);
enum hf_status rules_from_doc(struct trail *trail, const json_t *array,
                              struct hf_error *err) hf_must_check;
json_t *selection_doc(const struct hf_selection *selection);
void selection_from_doc(const json_t *ids, struct hf_selection *ret_selection);

/* ---- snapshot.c ---- */
bool snapshot_write(struct trail *trail);   /* rewrites the ledger from memory */
void snapshot_compact(struct trail *trail); /* if it is worth it */

/* ---- open.c ---- */
enum hf_status trail_open(struct hf_trails *trails, struct plan *plan, struct trail **ret_trail,
                          struct hf_error *err) hf_must_check; /* takes the plan */
void trail_free(struct trail *trail);
enum hf_status trail_save_settings(struct trail *trail,
                                   struct hf_error *err) hf_must_check; /* saved.c */
void trail_set_plan(struct trail *trail, struct plan *plan);
void trail_retire_plan(struct trail *trail,
                       struct plan *plan); /* freed when no sealer can look at it any more */
enum hf_status trail_new_cutter(struct trail *trail, struct hf_error *err) hf_must_check;
void trail_make_folder(struct trail *trail); /* should someone have taken it away */
void trail_remove_folder(struct trail *trail);

/* ---- stores.c ---- */
void stores_configure(struct hf_trails *trails, const struct hf_config *config);
void stores_stop(struct hf_trails *trails, int64_t wait_ms);
/* Refuses when something sealed still goes to a store that `config` does not have. */
enum hf_status stores_needed(struct hf_trails *trails, const struct hf_config *config,
                             struct hf_error *err) hf_must_check;

/* ---- reserve.c: room on disk that only draining may use ---- */
void reserve_fill(struct hf_trails *trails); /* if the disk allows */
void reserve_turn(struct hf_trails *trails); /* takes it back when there is room again */
bool reserve_is_whole(const struct hf_trails *trails);
/* They give room and say whether they did. */
bool reserve_give_ledgers(struct hf_trails *trails);
bool reserve_give_sealing(struct trail *trail);
bool reserve_may_seal(const struct trail *trail);

/* ---- flush.c, status.c ---- */
void flush_turn(struct hf_trails *trails);
void flush_abandon(struct hf_trails *trails);
int64_t flush_wake_ms(const struct hf_trails *trails);
json_t *status_doc(struct hf_trails *trails);

/* ---- trails.c: messages to the thread ---- */
enum message_kind { MESSAGE_SEALED, MESSAGE_DELIVERED, MESSAGE_CALL };
struct message {
    struct message *next;
    enum message_kind kind;
    struct window *window;
    enum hf_status status;
    struct hf_sealed *sealed;
    struct hf_journal_loss loss;
    struct hf_error error;
    struct hf_delivery *delivery;
    void (*call)(struct hf_trails *trails, void *argument);
    void *argument;
};
struct inbox *inbox_new(void);
void inbox_run(struct hf_trails *trails);
void inbox_stop(struct inbox *inbox); /* after what lies in it is handled */
void inbox_free(struct inbox *inbox);
void inbox_call(struct hf_trails *trails, void (*call)(struct hf_trails *trails, void *argument),
                void *argument); /* waits until it was made */
void message_send(struct hf_trails *trails,
                  struct message *message); /* takes it; from any thread */
void message_delivered(void *context,
                       struct hf_delivery *delivery); /* hf_delivery.done; context: the trails */
void message_sealed(void *context, enum hf_status status, struct hf_sealed *sealed,
                    const struct hf_journal_loss *loss,
                    const struct hf_error *err); /* context: the window */

#endif
