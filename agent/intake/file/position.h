/* Who a file is, and how far it was read: what of a file stands in the journal.
 *
 * Identity is device, inode and, where the file system keeps one, the time of birth: an inode
 * number is given out again as soon as its file is gone, and the next log would be taken for the
 * old one. With the offset the journal keeps hashes of the first and of the last bytes before it:
 * a log that was truncated and has grown beyond the offset again while nobody looked has the same
 * identity, and only its content tells that it is another one. */
#ifndef HOLDFAST_FILE_POSITION_H
#define HOLDFAST_FILE_POSITION_H

#include "agent/intake/intake_impl.h"

#define HF_PRINT_BYTES   1024
#define HF_PRINT_HASH    16
#define HF_FILE_KEY_SIZE 192

/* ---- identity.c: what the first bytes and the last bytes before an offset were, as we read them */

struct hf_print {
    uint64_t offset;
    uint32_t head_size, tail_size; /* min(offset, HF_PRINT_BYTES) */
    uint8_t head[HF_PRINT_BYTES], tail[HF_PRINT_BYTES];
};

struct hf_print_hash { /* the same as it stands in the journal */
    uint64_t offset;
    uint8_t head[HF_PRINT_HASH], tail[HF_PRINT_HASH];
};

void hf_head_hash(const uint8_t *bytes, size_t size, uint8_t ret_hash[HF_PRINT_HASH]);
void hf_print_add(struct hf_print *print, struct hf_slice bytes);
void hf_print_hash(const struct hf_print *print, struct hf_print_hash *ret_hash);
/* Reads both ends of [0, offset) of a file; HF_ENOTFOUND when it is shorter. Any other failure
 * says nothing of the file: whoever took it for a difference would read a file from its
 * beginning a second time. */
enum hf_status hf_print_read(int fd, uint64_t offset, struct hf_print *ret_print,
                             struct hf_error *err) hf_must_check;
bool hf_print_same(const struct hf_print *a, const struct hf_print_hash *b);

struct hf_file_id {
    uint64_t dev, ino, birth_ns;
};

struct hf_file_id hf_file_id_of(const struct hf_fs_identity *who);
bool hf_file_id_same(const struct hf_file_id *a, const struct hf_file_id *b);
struct hf_slice hf_file_id_key(const struct hf_file_id *id); /* for a table */
void hf_file_key(const char *source, const struct hf_file_id *id, char ret_key[HF_FILE_KEY_SIZE]);

/* ---- position.c ---- */

struct hf_position {
    struct hf_file_id id;
    struct hf_print_hash print;      /* with the offset */
    uint64_t line_parts, line_bytes; /* of an over-long line that ends behind the offset */
    int64_t seen_s;                  /* when it was written */
    bool done;                       /* read to its end, closed */
    bool reported;                   /* it vanished unread, and a SourceGap says so */
    bool fresh;                      /* nothing was read of it, it may be a copy */
    bool moved;                      /* it was renamed, its last line is not in the journal yet */
    char *path;
};

enum hf_status hf_position_encode(const struct hf_position *position,
                                  struct hf_buf *ret_value) hf_must_check;
bool hf_position_decode(const char *key, struct hf_slice value,
                        struct hf_position *ret_position); /* its path is the caller's */

#endif
