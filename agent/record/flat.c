/* Flat records: CloudTrail's frame around a line that is not CloudTrail-shaped, and around
 * holdfast's own events. The original stands under additionalEventData, unchanged or in base64,
 * never with a replacement character in it. */
#include "agent/record/record_impl.h"

#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

struct hf_record_writer
hf_record_writer(struct hf_buf *buf)
{
    return (struct hf_record_writer){ .buf = buf, .start = buf->size, .status = HF_OK };
}

void
hf_record_writer_undo(struct hf_record_writer *writer)
{
    if (!writer->buf->ptr)
        return;
    writer->buf->size = writer->start;
    writer->buf->ptr[writer->start] = '\0';
}

enum hf_status
hf_record_writer_end(struct hf_record_writer *writer)
{
    if (writer->status != HF_OK)
        hf_record_writer_undo(writer);
    return writer->status;
}

void
hf_record_put(struct hf_record_writer *writer, const void *bytes, size_t size)
{
    if (writer->status == HF_OK)
        writer->status = hf_buf_add(writer->buf, bytes, size);
}

void
hf_record_put_text(struct hf_record_writer *writer, const char *text)
{
    hf_record_put(writer, text, strlen(text));
}

void
hf_record_put_u64(struct hf_record_writer *writer, uint64_t number)
{
    char text[24];
    int size = snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    hf_record_put(writer, text, (size_t)size);
}

void
hf_record_put_json(struct hf_record_writer *writer, struct hf_slice text)
{
    if (writer->status == HF_OK)
        writer->status = hf_json_add_string(writer->buf, text);
}

void
hf_record_put_string(struct hf_record_writer *writer, const char *text)
{
    struct hf_slice slice = hf_slice_text(text);
    hf_record_put_json(writer, hf_utf8_valid(slice) ? slice : HF_SLICE_LITERAL("unknown"));
}

void
hf_record_put_base64(struct hf_record_writer *writer, struct hf_slice bytes)
{
    hf_record_put(writer, "\"", 1);
    if (writer->status == HF_OK)
        writer->status = hf_buf_reserve(writer->buf, HF_BASE64_SIZE(bytes.size));
    if (writer->status != HF_OK)
        return;
    hf_base64(bytes.ptr, bytes.size, (char *)writer->buf->ptr + writer->buf->size);
    writer->buf->size += HF_BASE64_SIZE(bytes.size) - 1;
    hf_record_put(writer, "\"", 1);
}

void
hf_record_put_event_id(struct hf_record_writer *writer, const struct hf_record_maker *maker,
                       uint64_t seq)
{
    char id[HF_EVENT_ID_SIZE];
    hf_event_id(maker->journal_id, seq, id);
    hf_record_put(writer, "\"", 1);
    hf_record_put(writer, id, sizeof(id) - 1);
    hf_record_put(writer, "\"", 1);
}

void
hf_flat_begin(struct hf_record_writer *writer, const struct hf_record_maker *maker,
              int64_t arrival_s, const char *event_source, const char *event_name)
{
    char time[HF_TIME_SIZE];
    hf_time_rfc3339(arrival_s, time);
    hf_record_put_text(
        writer,
        "{\"eventVersion\":\"1.11\",\"userIdentity\":{\"type\":\"Unknown\"},\"eventTime\":\"");
    hf_record_put_text(writer, time);
    hf_record_put_text(writer, "\",\"eventSource\":");
    hf_record_put_string(writer, event_source);
    hf_record_put_text(writer, ",\"eventName\":");
    hf_record_put_string(writer, event_name);
    hf_record_put_text(writer, ",\"awsRegion\":");
    hf_record_put_string(writer, maker->region);
    hf_record_put_text(writer, ",\"sourceIPAddress\":");
    hf_record_put_string(writer, maker->host);
    hf_record_put_text(writer, ",\"requestParameters\":null,\"responseElements\":null");
}

void
hf_flat_end(struct hf_record_writer *writer, const struct hf_record_maker *maker, uint64_t seq,
            const char *details_json)
{
    hf_record_put_text(writer, ",\"eventID\":");
    hf_record_put_event_id(writer, maker, seq);
    hf_record_put_text(writer, ",\"eventType\":\"AwsServiceEvent\",\"recipientAccountId\":");
    hf_record_put_string(writer, maker->account);
    if (details_json) {
        hf_record_put_text(writer, ",\"serviceEventDetails\":");
        hf_record_put_text(writer, details_json);
    }
    hf_record_put_text(writer, ",\"eventCategory\":\"Management\"");
}

static void
put_part(struct hf_record_writer *writer, const struct hf_record_part *part)
{
    hf_record_put_text(writer, ",\"part\":{\"number\":");
    hf_record_put_u64(writer, part->number);
    if (part->count_known) {
        hf_record_put_text(writer, ",\"of\":");
        hf_record_put_u64(writer, part->count_known);
    }
    if (part->sha256) {
        hf_record_put_text(writer, ",\"ofBytes\":");
        hf_record_put_u64(writer, part->total_bytes);
        hf_record_put_text(writer, ",\"sha256\":");
        hf_record_put_string(writer, part->sha256);
    }
    hf_record_put_text(writer, "}");
}

/* A plain line of text is nothing unusual; what is not text says why. */
static const char *
put_original(struct hf_record_writer *writer, struct hf_slice line, bool is_part,
             struct hf_record_counts *counts, struct hf_slice *ret_after)
{
    bool nul = line.size > 0 && memchr(line.ptr, '\0', line.size) != NULL;
    if (nul || !hf_utf8_valid(line)) {
        counts->base64++;
        hf_record_put_text(writer, "\"base64\":");
        hf_record_put_base64(writer, line);
        return nul ? "contains NUL" : "invalid UTF-8";
    }
    counts->text++;
    if (!is_part && line.size > 0 && line.ptr[line.size - 1] == '\r') {
        line.size--;
        *ret_after = hf_slice(line.ptr + line.size, 1);
    }
    hf_record_put_text(writer, "\"text\":");
    hf_record_put_json(writer, line);
    return NULL;
}

void
hf_flat_line(struct hf_record_writer *writer, const struct hf_record_maker *maker,
             const struct hf_record_origin *origin, const struct hf_record_line *line,
             struct hf_slice object, const char *reason, struct hf_record_counts *counts,
             struct hf_slice *ret_after)
{
    char event_source[256];
    snprintf(event_source, sizeof(event_source), "%s.holdfast", origin->source);
    hf_flat_begin(writer, maker, line->arrival_s, event_source, origin->event_name);
    hf_record_put_text(writer, ",\"additionalEventData\":{");
    if (object.ptr) {
        counts->flat_json++;
        hf_record_put_text(writer, "\"json\":");
        hf_record_put(writer, object.ptr, object.size);
    } else {
        const char *no_text =
            put_original(writer, line->bytes, line->part != NULL, counts, ret_after);
        reason = reason ? reason : no_text;
    }
    if (reason) {
        hf_record_put_text(writer, ",\"reason\":");
        hf_record_put_string(writer, reason);
    }
    if (line->part) {
        counts->parts++;
        put_part(writer, line->part);
    }
    hf_record_put_text(writer, "}");
    hf_flat_end(writer, maker, line->seq, NULL);
}
