/* journal, inside: who holds what, and which lock protects it. */
#ifndef HOLDFAST_JOURNAL_IMPL_H
#define HOLDFAST_JOURNAL_IMPL_H

#include "agent/journal/format_impl.h"

#include <holdfast/journal.h>

#include <pthread.h>
#include <time.h>

#define HF_JOURNAL_IDLE_MS     200 /* quiet this long after a commit: a mark covers it */
#define HF_JOURNAL_RETRY_MS    1000
#define HF_JOURNAL_SPARES      2 /* free segments that are kept for reuse */
#define HF_JOURNAL_INDEX_BYTES (256u << 10)
#define HF_JOURNAL_FILES_MAX   65536

/* ---- builder.c ---- */

/* The changes of the batch before, once more: a batch that is damaged costs its events, not what
 * the sources know of their places. */
struct hf_repeat {
    struct hf_buf changes;
    uint32_t count;
};

struct hf_builder {
    enum hf_batch_type type;
    uint64_t number; /* counts batches since the start, for hf_journal_sync() */
    uint64_t first_seq, stamp_ns;
    uint32_t event_count, change_count;
    struct hf_buf table; /* begins with room for the header */
    struct hf_buf payload, changes;
    struct hf_repeat repeat; /* stands in front of its own changes */
};
struct hf_builder_place { /* where an abandoned unit began */
    size_t table, payload, changes;
    uint32_t event_count, change_count;
};
void hf_builder_init(struct hf_builder *builder);
void hf_builder_done(struct hf_builder *builder);
void hf_builder_reset(struct hf_builder *builder, uint64_t number, uint64_t first_seq);
void hf_builder_trim(struct hf_builder *builder); /* an empty one gives its memory back */
bool hf_builder_empty(const struct hf_builder *builder);
uint64_t hf_builder_bytes(const struct hf_builder *builder);
/* The same, should `repeat` still be put in front of its changes. */
uint64_t hf_builder_bytes_with(const struct hf_builder *builder, size_t repeat_bytes);
void hf_repeat_init(struct hf_repeat *repeat);
/* What `repeat` has goes to the builder, or what the builder has of its own goes to `repeat`. */
void hf_repeat_give(struct hf_repeat *repeat, struct hf_builder *builder);
void hf_repeat_take(struct hf_repeat *repeat, struct hf_builder *builder);
struct hf_builder_place hf_builder_place(const struct hf_builder *builder);
void hf_builder_cut(struct hf_builder *builder, const struct hf_builder_place *place);
enum hf_status hf_builder_append(struct hf_builder *builder, const struct hf_journal_entry *entry,
                                 struct hf_slice payload) hf_must_check;
/* `head` brings generation, durable_seq and released_seq, the rest is filled in. */
enum hf_status hf_builder_write(struct hf_builder *builder, int fd, uint64_t offset,
                                struct hf_batch_head *head, struct hf_error *err) hf_must_check;

/* ---- state.c ---- */

struct hf_state_item {
    char *key;
    struct hf_slice value; /* owned */
};
struct hf_state_map {
    struct hf_state_item *items; /* by key, in byte order */
    size_t count, capacity;
    size_t bytes; /* as a snapshot */
};
void hf_state_map_apply(struct hf_state_map *map, struct hf_slice changes);
const struct hf_state_item *hf_state_map_find(const struct hf_state_map *map, const char *key);
/* Index of the first key that is not before `prefix`. */
size_t hf_state_map_from(const struct hf_state_map *map, const char *prefix);
void hf_state_map_snapshot(const struct hf_state_map *map, struct hf_builder *builder);
void hf_state_map_done(struct hf_state_map *map);

/* ---- segment.c: one file ----
 *
 *          begin            next one begun        release()          recorded
 *   (new) ───────▶ CURRENT ──────────────▶ FULL ───────────▶ RELEASED ───────▶ SPARE, or unlinked
 *                   ▲   │ a write failed    ▲                                    │
 *                   │   └───────────────────┘                                    │
 *                   └────────────────────────────────────────────────────────────┘
 */
struct hf_index_entry {
    uint64_t first_seq, offset;
};
struct hf_segment {
    uint64_t number; /* the file's name */
    uint64_t generation, order, first_seq;
    uint64_t last_seq; /* first_seq - 1 when it holds no event */
    uint64_t bytes;    /* of the file */
    uint64_t end;      /* everything durable lies before this offset */
    int fd;            /* for writing; -1 once it is FULL */
    bool clean;        /* holds nothing from an earlier use */
    struct hf_index_entry *index;
    size_t index_count, index_capacity;
};
struct hf_segment_list {
    struct hf_segment **items;
    size_t count, capacity;
};
void hf_segment_path(const char *directory, uint64_t number, char ret_path[HF_PATH_MAX]);
struct hf_segment *hf_segment_new(uint64_t number, uint64_t bytes);
void hf_segment_free(struct hf_segment *segment);
enum hf_status hf_segment_create(const char *directory, uint64_t number, uint64_t bytes,
                                 struct hf_segment **ret_segment,
                                 struct hf_error *err) hf_must_check;
enum hf_status hf_segment_open(const char *directory, struct hf_segment *segment,
                               struct hf_error *err) hf_must_check;
enum hf_status hf_segment_unlink(const char *directory, struct hf_segment *segment,
                                 struct hf_error *err) hf_must_check;
/* No byte of its earlier use is left in the file, and its blocks are there. */
enum hf_status hf_segment_wipe(struct hf_segment *segment, struct hf_error *err) hf_must_check;
/* Starts a new use of the file: header and snapshot, durable. */
enum hf_status hf_segment_begin(struct hf_segment *segment, const struct hf_segment_head *head,
                                const struct hf_state_map *state,
                                struct hf_error *err) hf_must_check;
/* The bytes that begin() will write. */
uint64_t hf_segment_prologue(const struct hf_state_map *state, uint64_t segment_bytes);
bool hf_segment_has_events(const struct hf_segment *segment);
void hf_segment_note_batch(struct hf_segment *segment, uint64_t first_seq, uint64_t last_seq,
                           uint64_t offset);
void hf_segment_list_add(struct hf_segment_list *list, struct hf_segment *segment);
void hf_segment_list_remove(struct hf_segment_list *list, size_t at);
void hf_segment_list_done(struct hf_segment_list *list);

/* ---- view.c: reading a segment in blocks ---- */

struct hf_view {
    int fd;
    uint64_t limit; /* nothing at or past this offset is looked at */
    uint8_t *bytes; /* what lies at [start, start + size) */
    uint64_t start;
    size_t size, capacity;
    bool zero_bad; /* what the disk cannot read counts as zeros, and sets `bad` */
    bool bad;
};
void hf_view_init(struct hf_view *view, int fd, uint64_t limit);
void hf_view_done(struct hf_view *view); /* the descriptor stays open */
void hf_view_limit(struct hf_view *view, uint64_t limit);
/* Borrowed until the next call. HF_ECORRUPT when it does not lie below the limit. */
enum hf_status hf_view_at(struct hf_view *view, uint64_t offset, size_t size,
                          const uint8_t **ret_bytes, struct hf_error *err) hf_must_check;
enum hf_status hf_view_crc(struct hf_view *view, uint64_t offset, uint64_t size, uint32_t *crc,
                           struct hf_error *err) hf_must_check;
/* A batch whose header verifies and that ends below the limit; else HF_ECORRUPT. */
enum hf_status hf_view_batch(struct hf_view *view, uint64_t offset, uint64_t generation,
                             struct hf_batch_head *ret_head, struct hf_error *err) hf_must_check;
/* The first such batch at or after `offset` that holds nothing before `min_seq`; HF_ENOTFOUND.
 * Generation 0: of any. */
enum hf_status hf_view_find(struct hf_view *view, uint64_t offset, uint64_t generation,
                            uint64_t min_seq, uint64_t *ret_offset, struct hf_batch_head *ret_head,
                            struct hf_error *err) hf_must_check;

/* ---- journal.c ---- */

struct hf_trouble { /* HF_OK: none */
    enum hf_status status;
    char text[192];
};

struct hf_journal {
    char directory[HF_PATH_MAX];
    uint64_t max_bytes, segment_bytes;
    void (*on_commit)(void *context, uint64_t durable_seq, bool room);
    void *context;
    pthread_t writer;
    bool writer_runs;

    /* Protects all below; what the writer alone changes, it reads without. */
    pthread_mutex_t lock;
    pthread_cond_t work;     /* for the writer */
    pthread_cond_t progress; /* for those who wait for room or for durability */

    struct hf_builder builders[2];
    struct hf_builder *waiting; /* units go here */
    struct hf_builder *flight;  /* being written, or to be written again; NULL */
    bool in_unit;
    struct hf_builder_place unit;
    uint64_t unit_seq; /* next_seq when the unit began */

    uint64_t next_seq; /* of the next append */
    uint64_t durable_seq;
    uint64_t released_seq; /* as called */
    uint64_t recorded_seq; /* released and durably recorded: files up to here may be reused */
    uint64_t batch_number, durable_number;

    /* Changed by the writer alone, under the lock. */
    struct hf_state_map state;
    struct hf_repeat repeat;         /* changes of the last batch, which stand on disk only once */
    struct hf_segment_list held;     /* CURRENT and FULL, by order */
    struct hf_segment_list released; /* nothing in them is needed */
    struct hf_segment_list spares;
    struct hf_segment *current; /* the last of `held`, or NULL */
    uint64_t next_number, next_order;
    struct hf_trouble write_trouble, space_trouble;

    char **sources; /* name by id, HF_SOURCES_MAX */
    uint64_t commits, events;
    uint64_t commit_ms, retry_ms, spare_retry_ms;
    unsigned attempts; /* failed ones of the batch in flight */
    bool unmarked;     /* something was committed since the last mark */
    bool report;       /* on_commit is due */
    bool refused;      /* a caller was sent away for lack of room */
    bool wipe, hold_room, stopping;
};

void hf_journal_lock(struct hf_journal *journal);
void hf_journal_unlock(struct hf_journal *journal);
void hf_journal_deadline(uint64_t in_ms, struct timespec *ret_at); /* for the conditions */
void hf_trouble_set(struct hf_trouble *trouble, enum hf_status status, const struct hf_error *err);

/* ---- room.c, under the lock ---- */

uint64_t hf_journal_total_bytes(const struct hf_journal *journal);
/* For the batches in memory and another unit. */
bool hf_journal_has_room(const struct hf_journal *journal);
/* A unit may begin. */
bool hf_journal_admits(const struct hf_journal *journal);
uint64_t hf_journal_current_room(const struct hf_journal *journal);
uint64_t hf_journal_spare_room(const struct hf_journal *journal, const struct hf_segment *spare);
/* The size of a file that holds a batch of `needed` bytes, and of an ordinary one: larger when the
 * state is large. */
uint64_t hf_journal_file_bytes_for(const struct hf_journal *journal, uint64_t needed);
uint64_t hf_journal_file_bytes(const struct hf_journal *journal);
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
