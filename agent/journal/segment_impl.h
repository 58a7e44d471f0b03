/* Segment files: made, begun anew at each use, looked into. */
#ifndef HOLDFAST_JOURNAL_SEGMENT_IMPL_H
#define HOLDFAST_JOURNAL_SEGMENT_IMPL_H

#include "agent/journal/builder_impl.h"

#define HF_JOURNAL_INDEX_BYTES (256u << 10) /* of batches between two entries of the index */

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

#endif
