/* record: from a line to a record in CloudTrail's format (AWS CloudTrail user guide, "CloudTrail
 * record contents").
 *
 * A JSON object with string eventTime, eventSource and eventName is CloudTrail-shaped and keeps its
 * bytes. Required fields that are missing are inserted behind its opening brace. An eventTime that
 * is a time in another form (a fraction, a zone, a blank instead of the T, none of UTC's letters)
 * is written as CloudTrail writes it. Not shaped is one
 *
 *   - that speaks for the agent: a member `holdfast`, an eventSource `holdfast` or `*.holdfast`
 *   - that speaks to each reader differently: a member of CloudTrail's twice, or in another case
 *     beside the one that would be inserted
 *   - whose eventTime is no time
 *
 * all compared without regard to case and to escapes. This and anything else becomes a flat record
 * (eventSource "SOURCE.holdfast", the time of arrival, the host) with the original under
 * additionalEventData: json (an object, its own bytes), text, or base64, never with a replacement
 * character in it, which would make two different lines one; with reason where it looks like an
 * object and is none, is an object and may not be shaped, or is no text.
 *
 * Each record ends with one member that no client can write, as the last one and in front of the
 * closing brace, at most HF_RECORD_APPENDED_MAX bytes with its comma:
 *
 *   ,"holdfast":{"seq":7,"source":"app", ... }
 *
 *   seq         its sequence number in the journal
 *   source      that took it; "holdfast": the agent itself
 *   file        file sources: the name under which it was read; bytes that are no text as \xNN.
 *               Of more than 200 bytes (as written here) the last 200 or few less
 *   fileSha256  and the SHA-256 of the whole name, hex
 *   offset      file sources: where in the file the line, or this part of it, begins
 *   atConnect   socket sources: {"uid","gid","pid"} of who connected, when it did (SO_PEERCRED)
 *   inserted    how many bytes the agent inserted behind the opening brace
 *   eventTime   as it stood in the line
 *   around      file sources: what of the line stands nowhere else: {"before","after"}, white
 *               space, a byte order mark, a carriage return; "newline":false when none ended it
 *
 * With maker.provenance false only eventTime and around are there, where they are needed. So a file
 * can be made again from its records, byte for byte, by their offset. Where the member has no room
 * for eventTime or around, the line is not shaped, or text.
 */
#ifndef HOLDFAST_RECORD_H
#define HOLDFAST_RECORD_H

#include <holdfast/base.h>
#include <sys/types.h>

#define HF_EVENT_ID_SIZE       37
#define HF_RECORD_APPENDED_MAX 512
#define HF_RECORD_FILE_MAX     200 /* of a file's name */

struct hf_record_maker {
    const char *host; /* sourceIPAddress of flat records */
    const char *account;
    const char *region;
    uint8_t journal_id[16]; /* with the sequence it makes the eventID */
    bool provenance;        /* each record says who said it */
};

struct hf_record_counts { /* per source; the caller's */
    uint64_t shaped, flat_json, text, base64, parts;
};

/* Where lines come from: made once for those that come together. */
struct hf_record_origin {
    const char *source, *event_name; /* borrowed; event_name is that of flat records */
    bool is_file;
    size_t said_size;
    char said[HF_RECORD_APPENDED_MAX]; /* what all of their records say of it */
};
void hf_record_origin(struct hf_record_origin *origin, const char *source, const char *event_name);
void hf_record_origin_file(struct hf_record_origin *origin, const char *path);
void hf_record_origin_peer(struct hf_record_origin *origin, uid_t uid, gid_t gid, pid_t pid);

/* One part of a line longer than max_event; NULL for a whole line. In the record:
 * additionalEventData.part { number, of, ofBytes, sha256 }, the last three in the last part
 * only. */
struct hf_record_part {
    uint64_t number, count_known; /* 1, 2, ...; count_known 0 until the last part */
    uint64_t total_bytes;         /* last part only, else 0 */
    const char *sha256;           /* hex, of the whole line; last part only, else NULL */
};

struct hf_record_line {
    struct hf_slice bytes; /* without its newline */
    bool unended;          /* it had none, and is not a part before the last */
    uint64_t seq;
    uint64_t offset; /* in its file */
    int64_t arrival_s;
    const struct hf_record_part *part;
};

/* Exactly the bytes that will stand in the object, one behind the other. What is the line's own is
 * not copied. */
struct hf_record {
    struct hf_slice parts[2]; /* of the line, or of the buffer; the second may be empty */
    size_t size;
    uint16_t appended; /* of `size`: by the agent, in front of the closing brace */
    int64_t event_time_s;
};

/* The record of a line; it lives as long as the line and as `buf`, behind whose bytes it writes.
 * On failure (HF_ELIMIT) buffer and counts are as before. */
enum hf_status hf_record_make(const struct hf_record_maker *maker,
                              const struct hf_record_origin *origin,
                              const struct hf_record_line *line, struct hf_buf *buf,
                              struct hf_record *ret_record,
                              struct hf_record_counts *counts) hf_must_check;

/* holdfast's own events: eventSource "holdfast", eventName JournalLoss, SourceGap, ClockStep,
 * AgentStart, AgentStop, TrailDropped ...; `details` (compact JSON object) stands under
 * serviceEventDetails. */
enum hf_status hf_record_make_own(const struct hf_record_maker *maker, const char *event_name,
                                  uint64_t seq, int64_t arrival_s, const char *details_json,
                                  struct hf_buf *buf, struct hf_record *ret_record) hf_must_check;

/* A path is bytes; in JSON it has to be text. As a JSON string: bytes that are no text become
 * \xNN. */
enum hf_status hf_record_add_path(struct hf_buf *json, const char *path) hf_must_check;

/* UUID-shaped, from SHA-256(journal id, sequence). */
void hf_event_id(const uint8_t journal_id[16], uint64_t seq, char ret_text[HF_EVENT_ID_SIZE]);

#endif
