/* From a line to the bytes that will stand in an object. A CloudTrail-shaped event that lacks
 * nothing, the usual case on a busy host, is checked once and not copied. */
#include "agent/record/record_impl.h"

#include <holdfast/json.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

enum form { SHAPED, JSON, TEXT }; /* each holds whatever the one before it cannot */

struct sight { /* of a line, before a byte of its record is written */
    enum form form;
    const char *reason; /* why it is no better one, where that is to be told; or NULL */
    struct hf_json_scan scan;
    int64_t time_s;
    bool exact_time;
};

static bool
has_shape(const struct hf_json_scan *scan)
{
    return hf_json_is_string(scan->member[HF_JSON_EVENT_TIME]) &&
           hf_json_is_string(scan->member[HF_JSON_EVENT_SOURCE]) &&
           hf_json_is_string(scan->member[HF_JSON_EVENT_NAME]);
}

static bool
is_complete(const struct hf_json_scan *scan)
{
    for (size_t i = 0; i < HF_JSON_MEMBERS; i++)
        if (!scan->member[i].ptr)
            return false;
    return true;
}

/* Why a line that begins like an object is none; a line of text needs no excuse. */
static const char *
reason_of(struct hf_slice line, const struct hf_json_scan *scan)
{
    for (size_t i = 0; i < line.size; i++)
        if (line.ptr[i] != ' ' && line.ptr[i] != '\t' && line.ptr[i] != '\r')
            return line.ptr[i] == '{' ? scan->reason : NULL;
    return NULL;
}

/* RFC 8259 section 8.1: a reader may look past it. */
static struct hf_slice
without_mark(struct hf_slice line)
{
    size_t mark = sizeof(BYTE_ORDER_MARK) - 1;
    if (line.size < mark || memcmp(line.ptr, BYTE_ORDER_MARK, mark) != 0)
        return line;
    return hf_slice(line.ptr + mark, line.size - mark);
}

/* An object that begins like one of CloudTrail's events: may it be one? */
static const char *
why_not_shaped(struct sight *sight)
{
    const struct hf_json_scan *scan = &sight->scan;
    if (scan->doubt)
        return scan->doubt;
    if (hf_json_names_holdfast(scan->member[HF_JSON_EVENT_SOURCE]))
        return "its eventSource is the agent's own";
    if (!event_time_parse(scan->member[HF_JSON_EVENT_TIME], &sight->time_s, &sight->exact_time))
        return "its eventTime is no time";
    return NULL;
}

static void
look(const struct hf_record_line *line, struct sight *ret_sight)
{
    struct hf_slice text = without_mark(line->bytes);
    ret_sight->form = TEXT;
    ret_sight->reason = NULL;
    if (line->part)
        return;
    if (!hf_json_scan(text, &ret_sight->scan)) {
        ret_sight->reason = reason_of(text, &ret_sight->scan);
        return;
    }
    ret_sight->form = JSON;
    if (!has_shape(&ret_sight->scan))
        return;
    ret_sight->reason = why_not_shaped(ret_sight);
    if (!ret_sight->reason)
        ret_sight->form = SHAPED;
}

/* Only what is missing, in front of everything else. */
static void
put_missing(struct hf_record_writer *writer, const struct hf_record_maker *maker,
            const struct hf_json_scan *scan, uint64_t seq)
{
    static const struct {
        enum hf_json_member member;
        const char *value;
    } fixed[] = {
        { HF_JSON_EVENT_VERSION, "\"1.11\"" },
        { HF_JSON_USER_IDENTITY, "{\"type\":\"Unknown\"}" },
        { HF_JSON_REQUEST_PARAMETERS, "null" },
        { HF_JSON_RESPONSE_ELEMENTS, "null" },
        { HF_JSON_EVENT_TYPE, "\"AwsServiceEvent\"" },
        { HF_JSON_EVENT_CATEGORY, "\"Management\"" },
    };
    const struct {
        enum hf_json_member member;
        const char *text;
    } ours[] = {
        { HF_JSON_AWS_REGION, maker->region },
        { HF_JSON_SOURCE_IP_ADDRESS, maker->host },
        { HF_JSON_RECIPIENT_ACCOUNT_ID, maker->account },
    };
    for (size_t i = 0; i < HF_COUNT(fixed); i++) {
        if (scan->member[fixed[i].member].ptr)
            continue;
        hf_record_put_string(writer, hf_json_member_names[fixed[i].member]);
        hf_record_put_text(writer, ":");
        hf_record_put_text(writer, fixed[i].value);
        hf_record_put_text(writer, ",");
    }
    for (size_t i = 0; i < HF_COUNT(ours); i++) {
        if (scan->member[ours[i].member].ptr)
            continue;
        hf_record_put_string(writer, hf_json_member_names[ours[i].member]);
        hf_record_put_text(writer, ":");
        hf_record_put_string(writer, ours[i].text);
        hf_record_put_text(writer, ",");
    }
    if (!scan->member[HF_JSON_EVENT_ID].ptr) {
        hf_record_put_text(writer, "\"eventID\":");
        hf_record_put_event_id(writer, maker, seq);
        hf_record_put_text(writer, ",");
    }
}

/* Without its closing brace, and with the time as CloudTrail writes it. */
static void
put_shaped(struct hf_record_writer *writer, const struct hf_record_maker *maker, uint64_t seq,
           const struct sight *sight, struct extras *extras)
{
    const struct hf_json_scan *scan = &sight->scan;
    const uint8_t *from = scan->text.ptr + 1, *end = scan->text.ptr + scan->text.size - 1;
    hf_record_put(writer, "{", 1);
    put_missing(writer, maker, scan, seq);
    extras->inserted = writer->buf->size - writer->start - 1;
    if (!sight->exact_time) {
        struct hf_slice time = scan->member[HF_JSON_EVENT_TIME];
        char written[HF_TIME_SIZE];
        hf_time_rfc3339(sight->time_s, written);
        hf_record_put(writer, from, (size_t)(time.ptr - from));
        hf_record_put_string(writer, written);
        extras->time = time;
        from = time.ptr + time.size;
    }
    hf_record_put(writer, from, (size_t)(end - from));
}

/* What stands in front of the closing brace: bytes of the line (returned), or in the buffer (ptr
 * NULL). */
static struct hf_slice
put_body(struct hf_record_writer *writer, const struct hf_record_maker *maker,
         const struct hf_record_origin *origin, const struct hf_record_line *line,
         const struct sight *sight, struct hf_record_counts *counts, struct extras *extras)
{
    struct hf_slice none = { NULL, 0 };
    const uint8_t *end = line->bytes.ptr + line->bytes.size;
    *extras = (struct extras){ .unended = line->unended };
    if (sight->form == TEXT) {
        hf_flat_line(writer, maker, origin, line, none, sight->reason, counts, &extras->after);
        return none;
    }
    struct hf_slice text = sight->scan.text;
    extras->before = hf_slice(line->bytes.ptr, (size_t)(text.ptr - line->bytes.ptr));
    extras->after = hf_slice(text.ptr + text.size, (size_t)(end - (text.ptr + text.size)));
    if (sight->form == JSON) {
        hf_flat_line(writer, maker, origin, line, text, sight->reason, counts, NULL);
        return none;
    }
    counts->shaped++;
    if (sight->exact_time && is_complete(&sight->scan))
        return hf_slice(text.ptr, text.size - 1);
    put_shaped(writer, maker, line->seq, sight, extras);
    return none;
}

/* Behind the body: `own`, or what was written since the writer began. */
static enum hf_status
finish(struct hf_record_writer *writer, struct hf_slice own, const struct tail *tail,
       int64_t time_s, struct hf_record *ret_record)
{
    hf_record_put(writer, tail->text, tail->size);
    hf_record_put(writer, "}", 1);
    enum hf_status status = hf_record_writer_end(writer);
    if (status != HF_OK)
        return status;
    struct hf_slice made =
        hf_slice(writer->buf->ptr + writer->start, writer->buf->size - writer->start);
    *ret_record = (struct hf_record){ .parts = { own.ptr ? own : made },
                                      .size = own.size + made.size,
                                      .appended = (uint16_t)tail->size,
                                      .event_time_s = time_s };
    if (own.ptr)
        ret_record->parts[1] = made;
    return HF_OK;
}

enum hf_status
hf_record_make(const struct hf_record_maker *maker, const struct hf_record_origin *origin,
               const struct hf_record_line *line, struct hf_buf *buf, struct hf_record *ret_record,
               struct hf_record_counts *counts)
{
    struct hf_record_writer writer;
    struct hf_record_counts seen;
    struct extras extras;
    struct sight sight;
    struct hf_slice own;
    struct tail tail;
    look(line, &sight);
    for (;;) {
        writer = hf_record_writer(buf);
        seen = *counts;
        own = put_body(&writer, maker, origin, line, &sight, &seen, &extras);
        if (tail_make(&tail, maker, origin, line->seq, line->offset, &extras))
            break;
        hf_assert(sight.form != TEXT); /* around that stands a carriage return at most */
        hf_record_writer_undo(&writer);
        sight.form++;
        sight.reason = "there is no room for what stands around it";
    }
    int64_t time_s = sight.form == SHAPED ? sight.time_s : line->arrival_s;
    enum hf_status status = finish(&writer, own, &tail, time_s, ret_record);
    if (status == HF_OK)
        *counts = seen;
    return status;
}

enum hf_status
hf_record_make_own(const struct hf_record_maker *maker, const char *event_name, uint64_t seq,
                   int64_t arrival_s, const char *details_json, struct hf_buf *buf,
                   struct hf_record *ret_record)
{
    const struct extras nothing = { .inserted = 0 };
    struct hf_slice none = { NULL, 0 };
    struct hf_record_origin self;
    struct tail tail;
    struct hf_record_writer writer = hf_record_writer(buf);
    hf_record_origin(&self, "holdfast", event_name);
    hf_flat_begin(&writer, maker, arrival_s, "holdfast", event_name);
    hf_flat_end(&writer, maker, seq, details_json);
    hf_assert(tail_make(&tail, maker, &self, seq, 0, &nothing));
    return finish(&writer, none, &tail, arrival_s, ret_record);
}
