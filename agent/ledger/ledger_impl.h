/* The frame of one step, and what two files of frames come to; drawn in FORMAT.md. All numbers
 * little-endian. */
#ifndef HOLDFAST_LEDGER_IMPL_H
#define HOLDFAST_LEDGER_IMPL_H

#include <holdfast/ledger.h>

#define FRAME_MAGIC   0x46474c48u /* "HLGF" */
#define FRAME_VERSION 1u
#define FRAME_PREFIX  32u /* of every version */
#define FRAME_HEADER  40u
#define FRAME_ALIGN   8u
#define FRAME_DOC_MAX (16u << 20) /* a digest's cut lists what is pending: months of windows */
#define LEDGER_MAX    (256u << 20)
#define LEDGER_FILES  2u

/* Version 0, written before there were two files, has no epoch: the document begins in its place.
 * Every version has magic, step, version, number, size and crc where they are here, and a crc that
 * covers the same: an older reader can refuse by name. (One of version 0 reads step and version as
 * one number, which it does not know either.) */
struct disk_frame {
    uint32_t magic;
    uint16_t step;
    uint16_t version;
    uint64_t number;
    uint64_t durable;
    uint32_t size; /* of what stands behind crc: epoch and document, without the padding */
    uint32_t crc;  /* of all before, and of epoch and document */
    uint64_t epoch;
};
_Static_assert(sizeof(struct disk_frame) == FRAME_HEADER, "as in FORMAT.md");
_Static_assert(offsetof(struct disk_frame, step) == 4, "as in FORMAT.md");
_Static_assert(offsetof(struct disk_frame, version) == 6, "as in FORMAT.md");
_Static_assert(offsetof(struct disk_frame, number) == 8, "as in FORMAT.md");
_Static_assert(offsetof(struct disk_frame, durable) == 16, "as in FORMAT.md");
_Static_assert(offsetof(struct disk_frame, size) == 24, "as in FORMAT.md");
_Static_assert(offsetof(struct disk_frame, crc) == 28, "as in FORMAT.md");
_Static_assert(offsetof(struct disk_frame, epoch) == FRAME_PREFIX, "as in FORMAT.md");

struct frame {
    unsigned version;
    unsigned step;    /* hf_step, or one that a later version knows */
    uint64_t epoch;   /* rises with each rewrite; 0 in version 0 */
    uint64_t number;  /* 1, 2, ... within the epoch */
    uint64_t durable; /* the highest number known to be on the disk when this one was written */
    struct hf_slice doc;
    size_t used; /* without the padding */
    size_t size; /* on disk */
};

/* ---- frame.c ---- */

struct frame_stamp {
    uint64_t epoch, number, durable;
};
enum hf_status frame_encode(enum hf_step step, const struct frame_stamp *stamp, const json_t *doc,
                            struct hf_buf *buf, struct hf_error *err) hf_must_check;
/* false: no valid frame begins here. The padding is not looked at. */
bool frame_decode(struct hf_slice bytes, size_t offset, struct frame *ret_frame);

/* ---- merge.c ---- */

/* The steps that two files have together: each one's good copy from either. */
struct merged {
    struct hf_buf bytes; /* the file as both should be */
    uint64_t epoch;      /* the newest; 0 with steps: written by version 0 */
    uint64_t count;
    uint64_t durable;            /* the highest number that a frame says is on the disk */
    size_t unsynced_from;        /* where the first frame begins that may not be on the disk */
    bool has_hole;               /* whole steps stand behind the first that is in neither */
    bool is_stale[LEDGER_FILES]; /* has only frames of an older epoch: not rewritten yet */
    bool is_whole[LEDGER_FILES]; /* every step stands in it, at its place */
};
void merged_done(struct merged *merged);
/* HF_ECORRUPT: a step that was durable is whole in neither. HF_EVERSION: something in one of them
 * was written by a later version. */
enum hf_status ledger_merge(const struct hf_slice files[LEDGER_FILES], struct merged *ret_merged,
                            struct hf_error *err) hf_must_check;
enum hf_status ledger_visit(struct hf_slice whole, hf_ledger_visitor visit, void *context,
                            struct hf_error *err) hf_must_check;
/* What is wrong with one file, beside the merged one. */
void ledger_compare(const struct merged *merged, struct hf_slice file,
                    struct hf_ledger_file_recovery *ret_recovery);

/* ---- ledger.c, open.c ---- */

struct ledger_file {
    char *path;
    int fd;
};

struct hf_ledger {
    struct ledger_file files[LEDGER_FILES];
    off_t end;        /* of both */
    off_t ahead;      /* both have blocks up to here */
    uint64_t epoch;   /* of the frames in both files */
    uint64_t newest;  /* epoch that a rewrite has used; higher than `epoch` after one that failed */
    uint64_t number;  /* of the next frame */
    uint64_t durable; /* the last frame that a sync of both files covered */
    bool dirty;       /* written, not synced */
    bool broken;
};
/* Blocks for the next steps in both files. HF_ENOSPC when the disk has none for `need` bytes. */
enum hf_status ledger_allocate(struct hf_ledger *ledger, size_t need, struct hf_error *err);
enum hf_status ledger_file_open(struct ledger_file *file, struct hf_error *err) hf_must_check;

#endif
