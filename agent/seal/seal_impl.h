/* seal, inside: gather the plain text, frame the header, write the file. */
#ifndef HOLDFAST_SEAL_IMPL_H
#define HOLDFAST_SEAL_IMPL_H

#include <holdfast/seal.h>

#define SEALED_MAGIC      "HFSEAL01"
#define SEALED_MAGIC_SIZE 8u
#define SEALED_HEADER_MAX (64u << 10) /* the JSON */
#define SEALED_FRAME_MAX  (SEALED_MAGIC_SIZE + 4u + SEALED_HEADER_MAX + 4u)
/* The largest object is one record with its frame; gzip and envelope add little to what they cannot
 * make smaller. */
#define SEALED_BODY_MAX (2 * (size_t)HF_JOURNAL_RECORD_MAX)

/* ---- gather.c ---- */

struct gather {
    const struct hf_seal_job *job;
    /* {"Records":[ and the records, each with its ','; then the whole object. The sealer's. */
    struct hf_buf *bytes;
    struct hf_hasher *hasher; /* of the first `hashed` of them */
    size_t hashed;
    char sha256[HF_SHA256_HEX_SIZE]; /* of the whole object */
    uint64_t next_seq;               /* everything before it was read or is lost */
    uint64_t count;                  /* records in `bytes` */
    int64_t oldest_s, newest_s;
    bool lost; /* `loss` is the first one that is not known yet */
    struct hf_journal_loss loss;
    char **gaps; /* what SourceGap records say, a text each */
    size_t gap_count;
};
/* The object's JSON, in `bytes`. HF_ECORRUPT: gather->loss tells why records are missing. */
enum hf_status gather_range(struct gather *gather, struct hf_journal *journal,
                            const struct hf_seal_job *job, struct hf_buf *bytes,
                            struct hf_error *err) hf_must_check;
void gather_done(struct gather *gather);

/* ---- isal.c: only where the build has ISA-L ---- */

size_t isal_gzip_bound(size_t size); /* the most that comes out */
/* The size of the member; 0 when it does not fit into `room`. */
size_t isal_gzip(struct hf_slice plain, uint8_t *to, size_t room);

/* ---- gzip.c ---- */

/* memory->plain as one member in memory->body. */
enum hf_status gzip_window(struct hf_seal_memory *memory, int compression,
                           struct hf_error *err) hf_must_check;
void gzip_compressor_free(void *compressor); /* NULL is fine */

/* ---- memory.c ---- */

/* An empty buffer with room for `size` bytes. */
enum hf_status memory_reserve(struct hf_buf *buf, size_t size) hf_must_check;
/* The plain text is not needed any more: where the body is nearly as large, its memory is given
 * back at once, so that no more than two buffers of a window's size are there at a time. */
void memory_trim(struct hf_seal_memory *memory);

/* ---- gap.c ---- */

/* `record`: one of holdfast's own. */
void gap_note(struct gather *gather, uint64_t seq, struct hf_slice record);

/* ---- header.c ---- */

/* Magic, size, header and checksum. */
enum hf_status sealed_frame_encode(const struct hf_sealed *sealed, struct hf_buf *ret_frame,
                                   struct hf_error *err) hf_must_check;
/* From the first bytes of a file; HF_ECORRUPT, HF_EVERSION. Sets all but path. */
enum hf_status sealed_frame_decode(struct hf_slice file, struct hf_sealed **ret_sealed,
                                   struct hf_error *err) hf_must_check;

#endif
