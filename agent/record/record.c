/* From a line to the bytes that will stand in an object. A CloudTrail-shaped event that lacks
 * nothing, the usual case on a busy host, is checked once and not copied. */
#include "agent/record/record_impl.h"

#include <holdfast/json.h>
#include <string.h>

static bool
is_shaped(const struct hf_json_scan *scan)
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

/* A time with escapes in it, or one that is no time, gives the arrival: the bytes in the record
 * stay as they are. */
static int64_t
event_time(struct hf_slice value, int64_t arrival_s)
{
    char text[64];
    int64_t seconds;
    if (value.size < 2 || value.size - 2 >= sizeof(text))
        return arrival_s;
    memcpy(text, value.ptr + 1, value.size - 2);
    text[value.size - 2] = '\0';
    return hf_time_parse_rfc3339(text, &seconds) ? seconds : arrival_s;
}

/* Only what is missing, in front of everything else: where a key stands twice all readers take the
 * last one, so that a key written with escapes, which the scanner does not pick out, still wins
 * over the inserted one. */
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

static void
put_shaped(struct hf_record_writer *writer, const struct hf_record_maker *maker,
           const struct hf_json_scan *scan, uint64_t seq)
{
    hf_record_put(writer, "{", 1);
    put_missing(writer, maker, scan, seq);
    hf_record_put(writer, scan->text.ptr + 1, scan->text.size - 1);
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

enum hf_status
hf_record_make(const struct hf_record_maker *maker, const char *source, const char *event_name,
               uint64_t seq, int64_t arrival_s, struct hf_slice line,
               const struct hf_record_part *part, struct hf_buf *buf, struct hf_slice *ret_record,
               int64_t *ret_event_time_s, struct hf_record_counts *counts)
{
    struct hf_record_writer writer = hf_record_writer(buf);
    struct hf_slice own = { NULL, 0 }; /* the record, as bytes of the line */
    struct hf_record_counts seen = *counts;
    struct hf_json_scan scan;
    bool object = !part && hf_json_scan(line, &scan);
    int64_t time_s = arrival_s;

    if (object && is_shaped(&scan)) {
        seen.shaped++;
        time_s = event_time(scan.member[HF_JSON_EVENT_TIME], arrival_s);
        if (is_complete(&scan))
            own = scan.text;
        else
            put_shaped(&writer, maker, &scan, seq);
    } else {
        struct hf_slice none = { NULL, 0 };
        hf_flat_line(&writer, maker, source, event_name, seq, arrival_s, line,
                     object ? scan.text : none, part || object ? NULL : reason_of(line, &scan),
                     part, &seen);
    }
    enum hf_status status = hf_record_writer_end(&writer);
    if (status != HF_OK)
        return status;
    *counts = seen;
    *ret_record = own.ptr ? own : hf_slice(buf->ptr + writer.start, buf->size - writer.start);
    *ret_event_time_s = time_s;
    return HF_OK;
}

enum hf_status
hf_record_make_own(const struct hf_record_maker *maker, const char *event_name, uint64_t seq,
                   int64_t arrival_s, const char *details_json, struct hf_buf *ret_record)
{
    struct hf_record_writer writer = hf_record_writer(ret_record);
    hf_flat_begin(&writer, maker, arrival_s, "holdfast", event_name);
    hf_flat_end(&writer, maker, seq, details_json);
    return hf_record_writer_end(&writer);
}
