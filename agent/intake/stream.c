/* The table of streams. State of one: "1 LINES PARTS BYTES CRC LAST_S"; PARTS, BYTES and CRC are of
 * a line longer than max_event whose first parts are in the journal: when the client sends that
 * line again they are skipped. */
#include "agent/intake/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_GONE   "stream-gone"
#define KEY_PREFIX "stream/"
#define KEY_SIZE   (sizeof(KEY_PREFIX) + HF_UUID_SIZE)
/* when there are too many: so many that it is not done for each new one */
#define FORGET_AT_ONCE 1024
/* far above all connections together and what two batches of the journal hold */
#define IN_MEMORY_MAX (1u << 20)

struct hf_streams {
    struct hf_intake *intake;
    struct hf_table table; /* those in memory, by their UUID */
    LIST_HEAD(all_streams, hf_stream) all;
    LIST_HEAD(on_their_way, hf_stream) pending; /* those with units that are not durable yet */
    struct hf_gone *gone;
    size_t stored; /* states in the journal */
    bool telling;  /* a connection that is told may end: its stream is freed afterwards */
};

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

/* NULL: it is not in memory. */
static struct hf_stream *
find_stream(struct hf_streams *streams, const char *uuid)
{
    struct hf_table_link *link = hf_table_find(&streams->table, hf_slice_text(uuid));
    return link ? stream_of(link) : NULL;
}

static void
count_one(void *context, const char *key, struct hf_slice value)
{
    struct hf_streams *streams = context;
    (void)key, (void)value;
    streams->stored++;
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
    hf_journal_each_state(intake->journal, KEY_PREFIX, count_one, streams);
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
    hf_freep(&streams);
}

/* ---- state ---- */

struct stored {
    uint64_t lines, parts, bytes, crc, last_s;
};

static bool
decode(struct hf_slice value, struct stored *ret_stored)
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
    *ret_stored = (struct stored){ number[1], number[2], number[3], number[4], number[5] };
    return number[0] == 1 && ret_stored->crc <= UINT32_MAX;
}

static void
key_of(const char *uuid, char ret_key[KEY_SIZE])
{
    snprintf(ret_key, KEY_SIZE, KEY_PREFIX "%s", uuid);
}

enum hf_status
hf_stream_write(struct hf_unit *unit, const struct hf_stream *stream, const struct hf_cut *cut)
{
    char key[KEY_SIZE], value[160];
    key_of(stream->uuid, key);
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
    stream->streams->stored += !stream->stored;
    stream->stored = true;
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
add_stream(struct hf_streams *streams, const char *uuid, const struct stored *stored)
{
    struct hf_stream *stream = hf_alloc(sizeof(*stream));
    stream->streams = streams;
    snprintf(stream->uuid, sizeof(stream->uuid), "%s", uuid);
    if (stored) {
        stream->stored = true;
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
hf_stream_get(struct hf_streams *streams, const char *uuid)
{
    char key[KEY_SIZE];
    hf_owned(hf_buf_done) struct hf_buf value = HF_BUF(4096);
    struct stored stored;
    struct hf_stream *known = find_stream(streams, uuid);
    if (known)
        return known;
    key_of(uuid, key);
    if (hf_journal_get_state(streams->intake->journal, key, &value) == HF_OK)
        return decode(hf_buf_slice(&value), &stored) ? add_stream(streams, uuid, &stored) : NULL;
    int64_t made_s = hf_uuid_made_s(uuid);
    if (hf_gone_has(streams->gone, uuid) || (made_s >= 0 && hf_wall_s() - made_s > HF_STREAM_S))
        return NULL;
    if (streams->stored >= HF_STREAMS_MAX)
        hf_streams_expire(streams);
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

/* ---- forgetting ---- */

struct quiet {
    char uuid[HF_UUID_SIZE];
    int64_t last_s;
};

struct quiet_list {
    struct hf_streams *streams;
    struct quiet *items;
    size_t count;
};

static void
list_one(void *context, const char *key, struct hf_slice value)
{
    struct quiet_list *list = context;
    struct stored stored = { 0 };
    const char *uuid = key + strlen(KEY_PREFIX);
    if (strlen(uuid) != HF_UUID_SIZE - 1 || find_stream(list->streams, uuid) ||
        !decode(value, &stored))
        return;
    list->items = hf_realloc(list->items, (list->count + 1) * sizeof(*list->items));
    struct quiet *item = &list->items[list->count++];
    memcpy(item->uuid, uuid, HF_UUID_SIZE);
    item->last_s = (int64_t)stored.last_s;
}

static int
by_age(const void *a, const void *b)
{
    const struct quiet *x = a, *y = b;
    return (x->last_s > y->last_s) - (x->last_s < y->last_s);
}

/* The oldest `count` of the list, in one unit with the memory of them. */
static void
forget(struct hf_streams *streams, const struct quiet *items, size_t count)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_journal *journal = streams->intake->journal;
    if (count == 0 || hf_journal_begin(journal, false, &err) != HF_OK)
        return; /* the next expiry tries again */
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        char key[KEY_SIZE];
        key_of(items[i].uuid, key);
        hf_gone_add(streams->gone, items[i].uuid);
        status = hf_journal_set_state(journal, key, hf_slice(NULL, 0), &err);
    }
    if (status == HF_OK)
        status = hf_journal_set_state(journal, KEY_GONE, hf_gone_value(streams->gone), &err);
    if (status == HF_OK) {
        hf_journal_commit(journal);
        streams->stored -= HF_MIN(count, streams->stored);
    } else {
        hf_journal_abandon(
            journal); /* that they are remembered all the same does no harm: they are tried again */
        hf_log_warn("streams.expire", HF_ERR(&err));
    }
}

void
hf_streams_expire(struct hf_streams *streams)
{
    struct quiet_list list = { .streams = streams };
    size_t count = 0;
    int64_t now_s = hf_wall_s();
    hf_journal_each_state(streams->intake->journal, KEY_PREFIX, list_one, &list);
    if (list.count > 1)
        qsort(list.items, list.count, sizeof(*list.items), by_age);
    while (count < list.count && now_s - list.items[count].last_s > HF_STREAM_S)
        count++;
    if (streams->stored >= HF_STREAMS_MAX)
        count = HF_MAX(count, HF_MIN((size_t)FORGET_AT_ONCE, list.count));
    forget(streams, list.items, count);
    hf_freep(&list.items);
}
