/* The frame of one step; drawn in FORMAT.md. All numbers little-endian. */
#ifndef HOLDFAST_LEDGER_IMPL_H
#define HOLDFAST_LEDGER_IMPL_H

#include <holdfast/ledger.h>

#define FRAME_MAGIC   0x46474c48u /* "HLGF" */
#define FRAME_HEADER  32u
#define FRAME_DOC_MAX (16u << 20) /* a digest's cut lists what is pending: months of windows */
#define LEDGER_MAX    (256u << 20)

struct frame {
    uint32_t step;    /* hf_step, or one that a later version knows */
    uint64_t number;  /* 1, 2, ... within the file: a frame of an older file never fits */
    uint64_t durable; /* the highest number known to be on the disk when this one was written */
    struct hf_slice doc;
    size_t size; /* on disk, padded to 8 */
};

enum hf_status frame_encode(enum hf_step step, uint64_t number, uint64_t durable, const json_t *doc,
                            struct hf_buf *buf, struct hf_error *err) hf_must_check;
/* false: no valid frame begins here. */
bool frame_decode(struct hf_slice bytes, size_t offset, struct frame *ret_frame);

#endif
