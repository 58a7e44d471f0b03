/* Inside of record: a writer into a buffer that remembers its first failure, so that a record is
 * one run of calls. */
#ifndef HOLDFAST_RECORD_IMPL_H
#define HOLDFAST_RECORD_IMPL_H

#include <holdfast/record.h>

struct hf_record_writer {
    struct hf_buf *buf;
    size_t start;          /* where the record begins in buf */
    enum hf_status status; /* of the first call that failed */
};

struct hf_record_writer hf_record_writer(struct hf_buf *buf);
/* HF_OK, or the first failure; the buffer is then as it was before. */
enum hf_status hf_record_writer_end(struct hf_record_writer *writer) hf_must_check;

void hf_record_put(struct hf_record_writer *writer, const void *bytes, size_t size);
void hf_record_put_text(struct hf_record_writer *writer, const char *text);
void hf_record_put_u64(struct hf_record_writer *writer, uint64_t number);
/* As a JSON string. A text of our own side (host, source) that is not UTF-8 becomes "unknown". */
void hf_record_put_string(struct hf_record_writer *writer, const char *text);
/* The bytes in base64, as a JSON string. */
void hf_record_put_base64(struct hf_record_writer *writer, struct hf_slice bytes);
void hf_record_put_json(struct hf_record_writer *writer,
                        struct hf_slice text); /* valid UTF-8 without NUL, as a JSON string */
void hf_record_put_event_id(struct hf_record_writer *writer, const struct hf_record_maker *maker,
                            uint64_t seq);

/* What stands before and behind the body of a flat record. */
void hf_flat_begin(struct hf_record_writer *writer, const struct hf_record_maker *maker,
                   int64_t arrival_s, const char *event_source, const char *event_name);
void hf_flat_end(struct hf_record_writer *writer, const struct hf_record_maker *maker, uint64_t seq,
                 const char *details_json);

/* The flat record of a line: `object` is its JSON object (ptr NULL when it is none), `reason` why
 * it is not one. */
void hf_flat_line(struct hf_record_writer *writer, const struct hf_record_maker *maker,
                  const char *source, const char *event_name, uint64_t seq, int64_t arrival_s,
                  struct hf_slice line, struct hf_slice object, const char *reason,
                  const struct hf_record_part *part, struct hf_record_counts *counts);

#endif
