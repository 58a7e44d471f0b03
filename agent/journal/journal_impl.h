/* journal, inside: who holds what, and which lock protects it. A batch in memory and the state map
 * are in builder_impl.h, files and what is read from them in segment_impl.h. */
#ifndef HOLDFAST_JOURNAL_IMPL_H
#define HOLDFAST_JOURNAL_IMPL_H

#include "agent/journal/segment_impl.h"

#include <pthread.h>
#include <time.h>

#define HF_JOURNAL_IDLE_MS   200 /* quiet this long after a commit: a mark covers it */
#define HF_JOURNAL_RETRY_MS  1000
#define HF_JOURNAL_SPARES    2 /* free segments that are kept for reuse */
#define HF_JOURNAL_FILES_MAX 65536

/* ---- journal.c ---- */

struct hf_trouble { /* HF_OK: none */
    enum hf_status status;
    char text[192];
};

/* What one caller adds between begin and commit. */
struct hf_unit {
    bool open;
    struct hf_builder_place place; /* where it began, for one that is abandoned */
    uint64_t seq;                  /* next_seq when it began */
};

/* All files of the directory. */
struct hf_files {
    struct hf_segment_list held;     /* CURRENT and FULL, by order */
    struct hf_segment_list released; /* nothing in them is needed */
    struct hf_segment_list spares;
    struct hf_segment *current; /* the last of `held`, or NULL */
    uint64_t next_number, next_order;
};

/* What the writer thread has done, and has to do. */
struct hf_writer {
    pthread_t thread;
    bool runs;
    uint64_t commits, events, bytes;
    uint64_t commit_ms, retry_ms, spare_retry_ms;
    unsigned attempts; /* failed ones of the batch in flight */
    bool unmarked;     /* something was committed since the last mark */
    bool report;       /* on_commit is due */
};

struct hf_journal {
    char directory[HF_PATH_MAX];
    uint64_t max_bytes, segment_bytes;
    void (*on_commit)(void *context, uint64_t durable_seq, bool room);
    void *context;

    /* Protects all below; what the writer alone changes, it reads without. */
    pthread_mutex_t lock;
    pthread_cond_t work;     /* for the writer */
    pthread_cond_t progress; /* for those who wait for room or for durability */

    struct hf_builder builders[2];
    struct hf_builder *waiting; /* units go here */
    struct hf_builder *flight;  /* being written, or to be written again; NULL */
    struct hf_unit unit;

    uint64_t next_seq; /* of the next append */
    uint64_t durable_seq;
    uint64_t released_seq; /* as called */
    uint64_t recorded_seq; /* released and durably recorded: files up to here may be reused */
    uint64_t batch_number, durable_number;

    /* Changed by the writer alone, under the lock. */
    struct hf_state_map state;
    struct hf_repeat repeat; /* changes of the last batch, which stand on disk only once */
    struct hf_files files;
    struct hf_writer writer;
    struct hf_trouble write_trouble, space_trouble;

    char **sources; /* name by id, HF_SOURCES_MAX */
    bool refused;   /* a caller was sent away for lack of room */
    bool wipe, hold_room, stopping;
};

void hf_journal_lock(struct hf_journal *journal);
void hf_journal_unlock(struct hf_journal *journal);
void hf_trouble_set(struct hf_trouble *trouble, enum hf_status status, const struct hf_error *err);

/* ---- room.c, under the lock ---- */

uint64_t hf_journal_total_bytes(const struct hf_journal *journal);
/* For the batches in memory and another unit. */
bool hf_journal_has_room(const struct hf_journal *journal);
/* A unit may begin. */
bool hf_journal_admits(const struct hf_journal *journal);
/* So large may the state become by keys that are new: every file begins with a copy of it. */
uint64_t hf_journal_new_state_max(const struct hf_journal *journal);
/* What it surely holds of records, and at most holds of them now. */
uint64_t hf_journal_record_bytes_max(const struct hf_journal *journal);
uint64_t hf_journal_record_bytes(const struct hf_journal *journal);
uint64_t hf_journal_current_room(const struct hf_journal *journal);
uint64_t hf_journal_spare_room(const struct hf_journal *journal, const struct hf_segment *spare);
/* The size of a file that holds a batch of `needed` bytes, and of an ordinary one: larger when the
 * state is large. */
uint64_t hf_journal_file_bytes_for(const struct hf_journal *journal, uint64_t needed);
uint64_t hf_journal_file_bytes(const struct hf_journal *journal);
/* Of a new spare: it also takes what waits, and one more unit. */
uint64_t hf_journal_spare_bytes(const struct hf_journal *journal);
bool hf_journal_fits_as_spare(const struct hf_journal *journal, const struct hf_segment *segment);
void hf_journal_release_held(struct hf_journal *journal);

/* ---- rotate.c, tidy.c: on the writer, with the lock held, which is given up meanwhile ---- */

enum hf_status hf_journal_rotate(struct hf_journal *journal, uint64_t needed_bytes,
                                 struct hf_error *err) hf_must_check;
enum hf_status hf_journal_no_room(struct hf_error *err); /* HF_ENOSPC: see hf_journal_hold_room() */
bool hf_journal_tidy_due(const struct hf_journal *journal, uint64_t now_ms);
bool hf_journal_needs_spare(const struct hf_journal *journal);
void hf_journal_tidy(struct hf_journal *journal);
void hf_journal_forget_spare(struct hf_journal *journal, const struct hf_segment *segment);
/* Leaves the current segment for good: nothing more is ever written to it. */
void hf_journal_freeze(struct hf_journal *journal);

/* ---- source.c, writer.c, open.c ---- */

void hf_journal_load_sources(struct hf_journal *journal);
void *hf_journal_writer(void *journal);

/* Fills in what lies on disk. Nothing is changed there but the newest batch's pages,
 * which are written again. */
enum hf_status hf_journal_recover(struct hf_journal *journal, struct hf_journal_recovery *recovery,
                                  struct hf_error *err) hf_must_check;

#endif
