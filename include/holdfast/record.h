/* record: from a line to a record in CloudTrail's format (AWS CloudTrail user guide, "CloudTrail
 * record contents").
 *
 * A JSON object with string eventTime, eventSource and eventName keeps its bytes: whoever signed or
 * hashed the line where it was made finds it again. Required fields that are missing are inserted
 * behind its opening brace. Anything else becomes a flat record (eventSource "SOURCE.holdfast", the
 * time of arrival, the host) with the original under additionalEventData: json (an object, its own
 * bytes), text, or base64, never with a replacement character in it, which would make two different
 * lines one; with reason where it looks like an object and is none, or is no text.
 */
#ifndef HOLDFAST_RECORD_H
#define HOLDFAST_RECORD_H

#include <holdfast/base.h>

#define HF_EVENT_ID_SIZE 37

struct hf_record_maker {
    const char *host; /* sourceIPAddress of flat records */
    const char *account;
    const char *region;
    uint8_t journal_id[16]; /* with the sequence it makes the eventID */
};

struct hf_record_counts { /* per source; the caller's */
    uint64_t shaped, flat_json, text, base64, parts;
};

/* One part of a line longer than max_event; NULL for a whole line. In the record:
 * additionalEventData.part { number, of, ofBytes, sha256 }, the last three in the last part
 * only. */
struct hf_record_part {
    uint64_t number, count_known; /* 1, 2, ...; count_known 0 until the last part */
    uint64_t total_bytes;         /* last part only, else 0 */
    const char *sha256;           /* hex, of the whole line; last part only, else NULL */
};

/* The record of `line` (without its newline): exactly the bytes that will stand in the object.
 * Where these are the line's own they are not copied: *ret_record lies in the line; else in
 * `buf`, behind what is there. On failure (HF_ELIMIT) buffer and counts are as before. */
enum hf_status hf_record_make(const struct hf_record_maker *maker, const char *source,
                              const char *event_name, uint64_t seq, int64_t arrival_s,
                              struct hf_slice line, const struct hf_record_part *part,
                              struct hf_buf *buf, struct hf_slice *ret_record,
                              int64_t *ret_event_time_s,
                              struct hf_record_counts *counts) hf_must_check;

/* holdfast's own events: eventSource "holdfast", eventName JournalLoss, SourceGap, ClockStep,
 * AgentStart, AgentStop, TrailDropped ...; `details` (compact JSON object) stands under
 * serviceEventDetails. */
enum hf_status hf_record_make_own(const struct hf_record_maker *maker, const char *event_name,
                                  uint64_t seq, int64_t arrival_s, const char *details_json,
                                  struct hf_buf *ret_record) hf_must_check;

/* UUID-shaped, from SHA-256(journal id, sequence). */
void hf_event_id(const uint8_t journal_id[16], uint64_t seq, char ret_text[HF_EVENT_ID_SIZE]);

#endif
