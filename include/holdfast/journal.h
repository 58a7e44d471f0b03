/* journal: the agent's one append-only log on disk. Every event gets its sequence number here; an
 * event is acknowledged only after the batch it stands in is on stable storage. The layout is drawn
 * in agent/journal/FORMAT.md.
 *
 * A unit is what one caller adds between begin and commit: events and the state of the source they
 * came from. A unit is never torn apart by a crash. One writer thread makes a batch of all units
 * that wait, writes it to a segment, fdatasyncs, and then reports the durable sequence: group
 * commit, back to back, without a timer.
 *
 * A record's payload is exactly the bytes that will stand in the object: sealing adds nothing to
 * it.
 *
 * State is a small map of keys to values, kept by whoever owns the key ("file/...", "stream/...",
 * "trail/..."). Each segment begins with a snapshot of the whole map, so that a segment can be
 * reused without losing any position.
 */
#ifndef HOLDFAST_JOURNAL_H
#define HOLDFAST_JOURNAL_H

#include <holdfast/base.h>

/* a unit is refused while this much waits to be written */
#define HF_JOURNAL_BATCH_BYTES (1u << 20)
#define HF_JOURNAL_RECORD_MAX  (64u << 20) /* payload of one record */
#define HF_JOURNAL_STATE_MAX   (64u << 20) /* all keys and values together: 100,000 files and more */
#define HF_SOURCE_SELF         0           /* source id of holdfast's own events */
#define HF_SOURCES_MAX         4096

struct hf_journal;

struct hf_journal_loss {
    /* Inclusive; exact. last_seq = first_seq - 1: something was damaged, but no event (recovery
     * only: a snapshot, a mark, a copy of a header, changes of the state). */
    uint64_t first_seq, last_seq;
    char reason[128];
};

struct hf_journal_recovery {
    uint64_t next_seq;   /* the sequence number the next event gets */
    uint64_t oldest_seq; /* the oldest event still there; next_seq when none */
    /* bytes of a torn tail that were cut; their events were never acknowledged */
    uint64_t torn_bytes;
    uint64_t last_stamp_ns; /* stamp of the newest batch; 0 when none */
    /* corruption that was skipped; the caller journals a JournalLoss for each */
    struct hf_journal_loss *losses;
    size_t loss_count;
};

struct hf_journal_options {
    const char *directory; /* made if missing */
    uint64_t max_bytes;    /* of all segments together */
    uint64_t segment_bytes;
    /* Called on the writer thread, without any lock, after each commit or failure.
     * `durable_seq`: every event up to it is safe. `room`: a caller that got HF_EFULL may try
     * again. Must not block and must not call the journal's writers. */
    void (*on_commit)(void *context, uint64_t durable_seq, bool room);
    void *context;
};

/* Recovers what lies in the directory, opens a fresh segment with a snapshot, starts the writer. */
enum hf_status hf_journal_open(const struct hf_journal_options *options,
                               struct hf_journal **ret_journal,
                               struct hf_journal_recovery *ret_recovery,
                               struct hf_error *err) hf_must_check;
void hf_journal_recovery_done(struct hf_journal_recovery *recovery);
/* Writes what waits, syncs, stops the writer. */
void hf_journal_close(struct hf_journal *journal);

/* ---- writing: from any thread; begin takes the journal's lock, commit or abandon gives it
 * back: keep units short ---- */

/* HF_EFULL: a batch is waiting, or there is no room in the journal (HF_ENOSPC when the disk has
 * none); on_commit(room) tells when to try again. `wait`: block for room instead (never on the
 * event loop). */
enum hf_status hf_journal_begin(struct hf_journal *journal, bool wait,
                                struct hf_error *err) hf_must_check;
uint64_t
hf_journal_next_seq(const struct hf_journal *journal); /* of the next append; only inside a unit */

/* What stands in the journal beside a record. In segments that were written before class and
 * appended were there, these and all that comes later read as 0. */
struct hf_journal_entry {
    uint32_t size; /* of the payload, without the ',' that follows it on disk */
    uint16_t source;
    uint16_t class; /* of the event, for selectors; 0: nobody classified it, look at the record */
    int64_t event_time_s;
    /* Of `size`: the bytes that the agent itself added to the end of the record, in front of its
     * '}'. Limits on what a client may send count size - appended. 0: none. */
    uint16_t appended;
    uint16_t flags; /* 0 */
};
#define HF_JOURNAL_APPENDED_MAX 512
#define HF_JOURNAL_RECORD_COST  25 /* in the journal, besides its payload */

/* Adds one record. `event_time_s` is its eventTime. The payload is copied; HF_ELIMIT over
 * HF_JOURNAL_RECORD_MAX. */
enum hf_status hf_journal_append(struct hf_journal *journal, uint16_t source, int64_t event_time_s,
                                 struct hf_slice payload, uint64_t *ret_seq,
                                 struct hf_error *err) hf_must_check;
/* The same for a record of which more is known, in parts that stand one behind the other.
 * `entry->size` is not looked at: it is theirs. */
enum hf_status hf_journal_append_entry(struct hf_journal *journal,
                                       const struct hf_journal_entry *entry,
                                       const struct hf_slice *parts, size_t part_count,
                                       uint64_t *ret_seq, struct hf_error *err) hf_must_check;
/* Sets a key; an empty value removes it. Keys: at most 4096 bytes of text. Takes effect with the
 * unit. HF_ELIMIT: all keys and values would be over their maximum. That is never said of a key that
 * goes or becomes no longer, and of one that is there already only at HF_JOURNAL_STATE_MAX. */
enum hf_status hf_journal_set_state(struct hf_journal *journal, const char *key,
                                    struct hf_slice value, struct hf_error *err) hf_must_check;
void
hf_journal_commit(struct hf_journal *journal); /* hands the unit to the writer; does not wait */
void hf_journal_abandon(struct hf_journal *journal); /* drops the unit */
/* Waits until everything committed so far is durable; HF_ETIMEOUT after `timeout_ms`, or the
 * writer's error. */
enum hf_status hf_journal_sync(struct hf_journal *journal, int64_t timeout_ms,
                               struct hf_error *err) hf_must_check;

/* ---- state: a copy of the value as of the last durable commit. Not inside a unit ---- */
enum hf_status hf_journal_get_state(struct hf_journal *journal, const char *key,
                                    struct hf_buf *ret_value) hf_must_check; /* HF_ENOTFOUND */
/* Calls `visit` for each key with this prefix, in byte order, under the lock. */
void hf_journal_each_state(struct hf_journal *journal, const char *prefix,
                           void (*visit)(void *context, const char *key, struct hf_slice value),
                           void *context);
/* The id of a source's name, given out once and kept for ever ("source/NAME" in the state).
 * Takes its own unit. */
enum hf_status hf_journal_source(struct hf_journal *journal, const char *name, uint16_t *ret_id,
                                 struct hf_error *err) hf_must_check;

/* ---- reading: any thread; a reader belongs to one thread at a time ---- */

struct hf_journal_batch {
    uint64_t first_seq;
    uint32_t count;                         /* events */
    uint64_t stamp_ns;                      /* wall clock when the batch was made */
    const struct hf_journal_entry *entries; /* until the next call on this reader */
    uint64_t payload_bytes;                 /* of all events, each with its ',' */
};

struct hf_journal_reader;
/* At the batch that holds `from_seq` (or the first one after it). */
enum hf_status hf_journal_reader_open(struct hf_journal *journal, uint64_t from_seq,
                                      struct hf_journal_reader **ret_reader,
                                      struct hf_error *err) hf_must_check;
void hf_journal_reader_close(struct hf_journal_reader *reader);
/* The next batch that has events: header and table only, both checked. HF_EFULL at the durable
 * end (come back later). HF_ECORRUPT: *ret_loss tells which sequences cannot be read; the
 * following call goes on behind them. */
enum hf_status hf_journal_reader_next(struct hf_journal_reader *reader,
                                      struct hf_journal_batch *ret_batch,
                                      struct hf_journal_loss *ret_loss,
                                      struct hf_error *err) hf_must_check;
/* Appends the whole payload of the batch just returned, "{...},{...}," checked against its CRC,
 * to `buf`. HF_ECORRUPT as above. */
enum hf_status hf_journal_reader_payload(struct hf_journal_reader *reader, struct hf_buf *buf,
                                         struct hf_error *err) hf_must_check;

/* ---- space ---- */

/* Every trail has sealed all events up to `seq`: segments that hold nothing newer may be reused. */
void hf_journal_release(struct hf_journal *journal, uint64_t seq);
/* Freed segments give their blocks back before reuse, and a drained active segment is left for a
 * fresh one, so that no plaintext stays behind. For journals with a trail that encrypts. */
void hf_journal_set_wipe(struct hf_journal *journal, bool wipe);
/* While the room that is left on the disk belongs to delivery, no file is made: what is there is
 * used, and reused. */
void hf_journal_hold_room(struct hf_journal *journal, bool hold);

struct hf_journal_info {
    uint64_t next_seq, durable_seq, oldest_seq;
    /* every trail said that it had sealed up to here, in this run or one before */
    uint64_t released_seq;
    /* No later batch will have a stamp before this: a window may be closed by time only when it
     * lies at or past its end. */
    uint64_t floor_ns;
    uint64_t bytes, max_bytes; /* of segments that hold something that is still needed */
    /* What it holds of records at most, and what it surely can, however large they are and wherever
     * a release ends: for those who share it out. */
    uint64_t record_bytes, record_bytes_max;
    /* Of state, new keys are taken up to there; a small journal takes less than
     * HF_JOURNAL_STATE_MAX. */
    uint64_t state_bytes, state_bytes_max;
    uint64_t commits, events; /* since the start */
    uint64_t written_bytes;   /* the same; of its files what they took, not what was allocated */
    bool full;                /* intake is refused for lack of room */
    char reason[192];         /* why, or the last write error; "" */
};
void hf_journal_info(struct hf_journal *journal, struct hf_journal_info *ret_info);

#endif
