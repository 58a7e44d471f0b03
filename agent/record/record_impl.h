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
void hf_record_writer_undo(struct hf_record_writer *writer); /* the buffer is as it was before */

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

/* ---- event_time.c ---- */

/* Of a raw value; false: it is no time. *ret_exact: it is written as CloudTrail writes it. */
bool event_time_parse(struct hf_slice raw, int64_t *ret_seconds, bool *ret_exact);

/* ---- tail.c ---- */

struct extras { /* what the member says beside who said it */
    size_t inserted;
    struct hf_slice time;          /* eventTime as it stood in the line, raw; ptr NULL: it stands */
    struct hf_slice before, after; /* of the line, around what the record holds of it */
    bool unended;
};

struct tail {
    size_t size; /* 0: nothing is to be said */
    bool full;
    char text[HF_RECORD_APPENDED_MAX];
};

/* false: it has no room for all of it. */
bool tail_make(struct tail *tail, const struct hf_record_maker *maker,
               const struct hf_record_origin *origin, uint64_t seq, uint64_t offset,
               const struct extras *extras);

/* ---- flat.c ---- */

/* What stands before and behind the body of a flat record, without its closing brace. */
void hf_flat_begin(struct hf_record_writer *writer, const struct hf_record_maker *maker,
                   int64_t arrival_s, const char *event_source, const char *event_name);
void hf_flat_end(struct hf_record_writer *writer, const struct hf_record_maker *maker, uint64_t seq,
                 const char *details_json);

/* The flat record of a line: `object` is its JSON object (ptr NULL when it is none), `reason` why
 * it is not one, or not shaped; or NULL. *ret_after: the carriage return that was left out. */
void hf_flat_line(struct hf_record_writer *writer, const struct hf_record_maker *maker,
                  const struct hf_record_origin *origin, const struct hf_record_line *line,
                  struct hf_slice object, const char *reason, struct hf_record_counts *counts,
                  struct hf_slice *ret_after);

#endif
