/* The bytes of a segment file, as drawn in FORMAT.md. All numbers are little-endian on disk. */
#ifndef HOLDFAST_JOURNAL_FORMAT_IMPL_H
#define HOLDFAST_JOURNAL_FORMAT_IMPL_H

#include <holdfast/base.h>

#define HF_SEGMENT_MAGIC   "HFJOURN\n"
#define HF_SEGMENT_VERSION 1u
/* the batches are wide ones: without it a program would take a new table for a damaged batch */
#define HF_SEGMENT_WIDE         1u
#define HF_SEGMENT_INCOMPATIBLE HF_SEGMENT_WIDE /* what we understand; any other: HF_EVERSION */
#define HF_SEGMENT_BLOCK        4096u
/* where the first batch begins: behind two copies of the header */
#define HF_SEGMENT_DATA 8192u
#define HF_SEGMENT_TAIL 4096u /* kept free of events, so that a mark always finds room */
#define HF_SEGMENT_MIN  65536u

#define HF_BATCH_MAGIC 0x31424648u /* "HFB1" */
#define HF_BATCH_HEAD  88u
#define HF_BATCH_WIDE  1u /* flag: entries of HF_BATCH_ENTRY bytes; else of HF_BATCH_NARROW */
#define HF_BATCH_ENTRY 24u
/* Written before there were class and appended: the first bytes of a wide one, whose rest is 0. */
#define HF_BATCH_NARROW 16u

enum hf_batch_type {
    HF_BATCH_EVENTS = 1, /* events, and changes of the state that came with them */
    HF_BATCH_STATE = 2,  /* a snapshot of the whole state: it replaces what was before */
    HF_BATCH_MARK = 3,   /* nothing: says by being there that all before it is durable */
};

/* Every version of this format has these fields here: a reader of an older version can refuse by
 * name. */
struct hf_disk_segment {
    char magic[8];
    uint32_t version;
    uint32_t copy;         /* 0 or 1 */
    uint32_t compatible;   /* flags an older reader may ignore */
    uint32_t incompatible; /* flags it must not */
    uint64_t generation;   /* random, new at each use of the file */
    uint64_t order;        /* of use, rising over all segments */
    uint64_t first_seq;    /* of the first event that can stand here */
    uint64_t released_seq; /* every trail had sealed up to here */
    uint64_t stamp_ns;
    uint64_t file_bytes;
    uint8_t zero[4020];
    uint32_t crc; /* of all before */
};
_Static_assert(sizeof(struct hf_disk_segment) == HF_SEGMENT_BLOCK, "one block");
_Static_assert(offsetof(struct hf_disk_segment, generation) == 24, "as in FORMAT.md");
_Static_assert(offsetof(struct hf_disk_segment, file_bytes) == 64, "as in FORMAT.md");
_Static_assert(offsetof(struct hf_disk_segment, crc) == 4092, "as in FORMAT.md");

/* All checksums of a batch are seeded with the segment's generation: one from an earlier use of the
 * file, or one that somebody wrote into an event, does not verify. */
struct hf_disk_batch {
    uint32_t magic;
    uint16_t type;
    uint16_t flags; /* HF_BATCH_WIDE */
    uint64_t generation;
    uint64_t first_seq;    /* of the first event; of the next one when there is none */
    uint64_t durable_seq;  /* known durable when this was written */
    uint64_t released_seq; /* released when this was written */
    uint64_t stamp_ns;
    uint32_t event_count;
    uint32_t change_count;
    uint64_t payload_bytes;
    uint32_t change_bytes;
    uint32_t table_crc;
    uint32_t payload_crc;
    uint32_t change_crc; /* of the changes and the zeros that fill up to eight bytes */
    uint32_t zero;
    uint32_t head_crc; /* of all before */
};
_Static_assert(sizeof(struct hf_disk_batch) == HF_BATCH_HEAD, "as in FORMAT.md");
_Static_assert(offsetof(struct hf_disk_batch, stamp_ns) == 40, "as in FORMAT.md");
_Static_assert(offsetof(struct hf_disk_batch, payload_bytes) == 56, "as in FORMAT.md");
_Static_assert(offsetof(struct hf_disk_batch, head_crc) == 84, "as in FORMAT.md");

struct hf_disk_entry {
    uint32_t size; /* of the payload, without the ',' behind it */
    uint16_t source;
    uint16_t class;
    int64_t event_time_s;
    uint16_t appended; /* of the size: what the agent added behind the event */
    uint16_t flags;    /* 0 */
    uint32_t spare;    /* 0 */
};
_Static_assert(sizeof(struct hf_disk_entry) == HF_BATCH_ENTRY, "as in FORMAT.md");
_Static_assert(offsetof(struct hf_disk_entry, event_time_s) == 8, "as in FORMAT.md");
_Static_assert(offsetof(struct hf_disk_entry, appended) == HF_BATCH_NARROW, "as in FORMAT.md");

struct hf_disk_change {
    uint16_t key_bytes;
    uint16_t flags; /* 1: the key is removed */
    uint32_t value_bytes;
};
_Static_assert(sizeof(struct hf_disk_change) == 8, "as in FORMAT.md");

/* ---- the same, decoded ---- */

struct hf_segment_head {
    uint64_t generation, order, first_seq, released_seq, stamp_ns, file_bytes;
};

struct hf_batch_head {
    enum hf_batch_type type;
    bool wide;
    uint64_t generation, first_seq, durable_seq, released_seq, stamp_ns;
    uint32_t event_count, change_count;
    uint64_t payload_bytes;
    uint32_t change_bytes;
    uint32_t table_crc, payload_crc, change_crc;
};

/* segment_head.c */
void hf_segment_head_encode(const struct hf_segment_head *head, unsigned copy,
                            struct hf_disk_segment *ret_disk);
/* HF_EFORMAT: no header of ours, or a damaged one; HF_EVERSION: one of a later version. */
enum hf_status hf_segment_head_decode(const struct hf_disk_segment *disk,
                                      struct hf_segment_head *ret_head);

/* batch.c */
uint32_t hf_batch_seed(uint64_t generation); /* to continue a checksum from */
void hf_batch_head_encode(const struct hf_batch_head *head, struct hf_disk_batch *ret_disk);
/* False: not a batch of this generation, or a damaged header. The sizes are consistent with each
 * other, not yet with the file. */
bool hf_batch_head_decode(const void *bytes, uint64_t generation, struct hf_batch_head *ret_head);
uint64_t hf_batch_bytes(const struct hf_batch_head *head); /* on disk, filled up to eight */
uint64_t hf_batch_table_bytes(const struct hf_batch_head *head);
/* Offsets from the batch's start. */
uint64_t hf_batch_payload_at(const struct hf_batch_head *head);
uint64_t hf_batch_changes_at(const struct hf_batch_head *head);
static inline uint64_t
hf_batch_last_seq(const struct hf_batch_head *head)
{
    return head->first_seq + head->event_count - 1;
}

/* One change of the state, taken off the front of `changes`; false when what is there is not one.
 * Borrowed. */
struct hf_change {
    struct hf_slice key, value;
    bool remove;
};
bool hf_change_next(struct hf_slice *changes, struct hf_change *ret_change);
enum hf_status hf_change_add(struct hf_buf *changes, struct hf_slice key, struct hf_slice value,
                             bool remove) hf_must_check;

#endif
