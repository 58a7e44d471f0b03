/* The table of streams. State of one: "1 LINES PARTS BYTES CRC LAST_S"; PARTS, BYTES and CRC are of
 * a line longer than max_event whose first parts are in the journal: when the client sends that
 * line again they are skipped. */
#include "agent/intake/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* far above all connections together and what two batches of the journal hold */
#define IN_MEMORY_MAX (1u << 20)

static struct hf_stream *
stream_of(const struct hf_table_link *link)
{
    return hf_container_of(link, struct hf_stream, by_uuid);
}

static bool
is_uuid(const struct hf_table_link *link, struct hf_slice uuid)
{
    return hf_slice_is(uuid, stream_of(link)->uuid);
}

struct hf_stream *
hf_stream_find(struct hf_streams *streams, const char *uuid)
{
    struct hf_table_link *link = hf_table_find(&streams->table, hf_slice_text(uuid));
    return link ? stream_of(link) : NULL;
}

struct hf_streams *
hf_streams_new(struct hf_intake *intake)
{
    struct hf_streams *streams = hf_alloc(sizeof(*streams));
    streams->intake = intake;
    hf_table_init(&streams->table, IN_MEMORY_MAX, is_uuid);
    LIST_INIT(&streams->all);
    LIST_INIT(&streams->pending);
    streams->gone = hf_gone_load(intake->journal);
    streams->kept = hf_kept_load(intake->journal);
    return streams;
}

static void
free_stream(struct hf_stream *stream)
{
    hf_table_remove(&stream->streams->table, &stream->by_uuid);
    LIST_REMOVE(stream, all);
    if (stream->listed)
        LIST_REMOVE(stream, on_its_way);
    hf_long_line_reset(&stream->begun);
    hf_freep(&stream);
}

void
hf_streams_free(struct hf_streams *streams)
{
    if (!streams)
        return;
    while (!LIST_EMPTY(&streams->all))
        free_stream(LIST_FIRST(&streams->all));
    hf_table_done(&streams->table);
    hf_gone_free(streams->gone);
    hf_kept_free(streams->kept);
    hf_freep(&streams);
}

/* ---- state ---- */

bool
hf_stream_decode(struct hf_slice value, struct hf_stored_stream *ret_stored)
{
    uint64_t number[6];
    char text[160];
    if (value.size >= sizeof(text))
        return false;
    memcpy(text, value.ptr, value.size);
    text[value.size] = '\0';
    char *at = text;
    for (size_t i = 0; i < HF_COUNT(number); i++) {
        char *end = strchr(at, ' ');
        if ((end == NULL) != (i == HF_COUNT(number) - 1))
            return false;
        if (end)
            *end = '\0';
        if (!hf_parse_u64(at, 0, UINT64_MAX, &number[i]))
            return false;
        at = end ? end + 1 : at;
    }
    *ret_stored =
        (struct hf_stored_stream){ number[1], number[2], number[3], number[4], number[5] };
    return number[0] == 1 && ret_stored->crc <= UINT32_MAX;
}

void
hf_stream_key(const char *uuid, char ret_key[HF_STREAM_KEY_SIZE])
{
    snprintf(ret_key, HF_STREAM_KEY_SIZE, HF_STREAM_PREFIX "%s", uuid);
}

enum hf_status
hf_stream_write(struct hf_unit *unit, const struct hf_stream *stream, const struct hf_cut *cut)
{
    char key[HF_STREAM_KEY_SIZE], value[160];
    hf_stream_key(stream->uuid, key);
    int size = snprintf(value, sizeof(value), "1 %llu %llu %llu %lu %lld",
                        (unsigned long long)(stream->taken + cut->lines),
                        (unsigned long long)cut->parts, (unsigned long long)cut->bytes,
                        (unsigned long)cut->crc, (long long)unit->arrival_s);
    return hf_unit_set_state(unit, key, hf_slice(value, (size_t)size));
}

static void
list_stream(struct hf_stream *stream)
{
    if (!stream->listed)
        LIST_INSERT_HEAD(&stream->streams->pending, stream, on_its_way);
    stream->listed = true;
}

void
hf_stream_taken(struct hf_stream *stream, const struct hf_unit *unit, const struct hf_cut *cut)
{
    hf_kept_use(stream->streams->kept, stream->uuid, unit->owner, unit->arrival_s);
    stream->taken += cut->lines;
    stream->begun.parts = cut->parts;
    stream->begun.bytes = cut->bytes;
    stream->begun.crc = cut->crc;
    /* When many are on their way the newest two are reported as one, when the later one is durable.
     */
    list_stream(stream);
    if (stream->pending_count == HF_STREAM_PENDING)
        stream->pending_count--;
    stream->pending[stream->pending_count].seq = unit->last_seq;
    stream->pending[stream->pending_count++].lines = stream->taken;
}

/* ---- who asks ---- */

/* NULL when there is none, or it cannot be read. */
static struct hf_stream *
add_stream(struct hf_streams *streams, const char *uuid, const struct hf_stored_stream *stored)
{
    struct hf_stream *stream = hf_alloc(sizeof(*stream));
    stream->streams = streams;
    snprintf(stream->uuid, sizeof(stream->uuid), "%s", uuid);
    if (stored) {
        stream->taken = stream->durable = stored->lines;
        stream->begun = (struct hf_long_line){ .parts = stored->parts,
                                               .bytes = stored->bytes,
                                               .crc = (uint32_t)stored->crc };
    }
    LIST_INSERT_HEAD(&streams->all, stream, all);
    hf_assert(hf_table_add(&streams->table, hf_slice_text(stream->uuid), &stream->by_uuid));
    return stream;
}

struct hf_stream *
hf_stream_get(struct hf_streams *streams, const char *uuid, struct hf_owner *owner)
{
    char key[HF_STREAM_KEY_SIZE];
    hf_owned(hf_buf_done) struct hf_buf value = HF_BUF(4096);
    struct hf_stored_stream stored;
    struct hf_stream *known = hf_stream_find(streams, uuid);
    if (known)
        return known;
    hf_stream_key(uuid, key);
    if (hf_journal_get_state(streams->intake->journal, key, &value) == HF_OK)
        return hf_stream_decode(hf_buf_slice(&value), &stored) ? add_stream(streams, uuid, &stored)
                                                               : NULL;
    int64_t made_s = hf_uuid_made_s(uuid);
    if (hf_gone_has(streams->gone, uuid) || (made_s >= 0 && hf_wall_s() - made_s > HF_STREAM_S))
        return NULL;
    if (hf_kept_count(streams->kept) >= HF_STREAMS_MAX)
        hf_streams_make_room(streams, owner);
    return add_stream(streams, uuid, NULL);
}

static void
free_if_idle(struct hf_stream *stream)
{
    if (stream->connection || stream->pending_count > 0)
        return;
    if (stream->streams->telling)
        list_stream(stream); /* it is looked at when all are told */
    else
        free_stream(stream);
}

void
hf_stream_put(struct hf_stream *stream)
{
    stream->connection = NULL;
    stream->on_durable = NULL;
    free_if_idle(stream);
}

static void
stream_durable(struct hf_stream *stream, uint64_t durable_seq)
{
    size_t done = 0;
    while (done < stream->pending_count && stream->pending[done].seq <= durable_seq)
        stream->durable = stream->pending[done++].lines;
    if (done == 0)
        return;
    stream->pending_count -= done;
    memmove(stream->pending, stream->pending + done,
            stream->pending_count * sizeof(stream->pending[0]));
    if (stream->on_durable)
        stream->on_durable(stream->connection);
}

void
hf_streams_durable(struct hf_streams *streams, uint64_t durable_seq)
{
    streams->telling = true;
    for (struct hf_stream *stream = LIST_FIRST(&streams->pending); stream;
         stream = LIST_NEXT(stream, on_its_way))
        stream_durable(stream, durable_seq);
    streams->telling = false;
    for (struct hf_stream *stream = LIST_FIRST(&streams->pending), *next; stream; stream = next) {
        next = LIST_NEXT(stream, on_its_way);
        if (stream->pending_count > 0)
            continue;
        LIST_REMOVE(stream, on_its_way);
        stream->listed = false;
        free_if_idle(stream);
    }
}
