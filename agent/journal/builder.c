/* A batch in memory: what producers add to, and what the writer then writes. The entry table
 * already has its disk form, with room for the header in front of it. */
#include "agent/journal/builder_impl.h"

#include <endian.h>
#include <string.h>

#define EVENTS_MAX (4u << 20)

/* As large as a builder's own: the two change places. */
void
hf_repeat_init(struct hf_repeat *repeat)
{
    hf_buf_init(&repeat->changes, 2 * (size_t)HF_JOURNAL_STATE_MAX);
    repeat->count = 0;
}

void
hf_builder_init(struct hf_builder *builder)
{
    *builder = (struct hf_builder){ .type = HF_BATCH_EVENTS };
    hf_buf_init(&builder->table, HF_BATCH_HEAD + (size_t)EVENTS_MAX * HF_BATCH_ENTRY);
    hf_buf_init(&builder->payload, HF_JOURNAL_BATCH_BYTES + (size_t)HF_JOURNAL_RECORD_MAX + 1);
    hf_buf_init(&builder->changes, 2 * (size_t)HF_JOURNAL_STATE_MAX);
    hf_repeat_init(&builder->repeat);
    hf_builder_reset(builder, 0, 0);
}

void
hf_builder_done(struct hf_builder *builder)
{
    hf_buf_done(&builder->table);
    hf_buf_done(&builder->payload);
    hf_buf_done(&builder->changes);
    hf_buf_done(&builder->repeat.changes);
}

/* One huge record must not cost its memory for ever. */
static void
reset_buf(struct hf_buf *buf)
{
    if (buf->capacity > 4 * (size_t)HF_JOURNAL_BATCH_BYTES)
        hf_buf_done(buf);
    else
        hf_buf_reset(buf);
}

void
hf_builder_reset(struct hf_builder *builder, uint64_t number, uint64_t first_seq)
{
    static const uint8_t head[HF_BATCH_HEAD];

    reset_buf(&builder->table);
    reset_buf(&builder->payload);
    reset_buf(&builder->changes);
    reset_buf(&builder->repeat.changes);
    builder->repeat.count = 0;
    enum hf_status status = hf_buf_add(&builder->table, head, sizeof(head));
    hf_assert(status == HF_OK);
    builder->event_count = builder->change_count = 0;
    builder->growth.seen = builder->growth.bytes = 0;
    builder->number = number;
    builder->first_seq = first_seq;
    builder->stamp_ns = 0;
}

void
hf_builder_trim(struct hf_builder *builder)
{
    hf_assert(hf_builder_empty(builder));
    hf_builder_done(builder);
    hf_builder_reset(builder, builder->number, builder->first_seq);
}

bool
hf_builder_empty(const struct hf_builder *builder)
{
    return builder->event_count == 0 && builder->change_count == 0;
}

static size_t
used_bytes(const struct hf_builder *builder)
{
    return builder->table.size + builder->payload.size + builder->repeat.changes.size +
           builder->changes.size;
}

uint64_t
hf_builder_bytes_with(const struct hf_builder *builder, size_t repeat_bytes)
{
    return (used_bytes(builder) + repeat_bytes + 7) & ~7ull;
}

uint64_t
hf_builder_bytes(const struct hf_builder *builder)
{
    return hf_builder_bytes_with(builder, 0);
}

static void
swap_bufs(struct hf_buf *a, struct hf_buf *b)
{
    struct hf_buf kept = *a;

    *a = *b;
    *b = kept;
}

void
hf_repeat_give(struct hf_repeat *repeat, struct hf_builder *builder)
{
    swap_bufs(&repeat->changes, &builder->repeat.changes);
    builder->repeat.count = repeat->count;
    reset_buf(&repeat->changes);
    repeat->count = 0;
}

void
hf_repeat_take(struct hf_repeat *repeat, struct hf_builder *builder)
{
    swap_bufs(&repeat->changes, &builder->changes);
    repeat->count = builder->change_count;
    reset_buf(&builder->changes);
    builder->change_count = 0;
}

struct hf_builder_place
hf_builder_place(const struct hf_builder *builder)
{
    return (struct hf_builder_place){
        .table = builder->table.size,
        .payload = builder->payload.size,
        .changes = builder->changes.size,
        .event_count = builder->event_count,
        .change_count = builder->change_count,
    };
}

void
hf_builder_cut(struct hf_builder *builder, const struct hf_builder_place *place)
{
    builder->table.size = place->table;
    builder->payload.size = place->payload;
    builder->changes.size = place->changes;
    builder->event_count = place->event_count;
    builder->change_count = place->change_count;
    builder->growth.seen = builder->growth.bytes = 0;
}

enum hf_status
hf_builder_append(struct hf_builder *builder, const struct hf_journal_entry *entry,
                  const struct hf_slice *parts, size_t part_count)
{
    const struct hf_disk_entry disk = {
        .size = htole32(entry->size),
        .source = htole16(entry->source),
        .class = htole16(entry->class),
        .event_time_s = (int64_t)htole64((uint64_t)entry->event_time_s),
        .appended = htole16(entry->appended),
    };
    /* Both have their room before either changes. */
    if (hf_buf_reserve(&builder->payload, (size_t)entry->size + 1) != HF_OK ||
        hf_buf_add(&builder->table, &disk, sizeof(disk)) != HF_OK)
        return HF_ELIMIT;
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < part_count && status == HF_OK; i++)
        status = hf_buf_add(&builder->payload, parts[i].ptr, parts[i].size);
    if (status == HF_OK)
        status = hf_buf_add(&builder->payload, ",", 1);
    hf_assert(status == HF_OK);
    builder->event_count++;
    return HF_OK;
}

static const uint8_t zeros[8];

/* Fills in the header with the checksums; the zeros that fill up to eight bytes belong to the
 * changes. */
static void
seal_head(struct hf_builder *builder, struct hf_batch_head *head, size_t padding)
{
    uint32_t seed = hf_batch_seed(head->generation);
    struct hf_disk_batch disk;

    head->type = builder->type;
    head->wide = true;
    head->first_seq = builder->first_seq;
    head->stamp_ns = builder->stamp_ns;
    head->event_count = builder->event_count;
    head->change_count = builder->repeat.count + builder->change_count;
    head->payload_bytes = builder->payload.size;
    head->change_bytes = (uint32_t)(builder->repeat.changes.size + builder->changes.size);
    head->table_crc =
        hf_crc32c(seed, builder->table.ptr + HF_BATCH_HEAD, builder->table.size - HF_BATCH_HEAD);
    head->payload_crc = hf_crc32c(seed, builder->payload.ptr, builder->payload.size);
    uint32_t changes = hf_crc32c(seed, builder->repeat.changes.ptr, builder->repeat.changes.size);
    changes = hf_crc32c(changes, builder->changes.ptr, builder->changes.size);
    head->change_crc = hf_crc32c(changes, zeros, padding);
    hf_batch_head_encode(head, &disk);
    memcpy(builder->table.ptr, &disk, sizeof(disk));
}

enum hf_status
hf_builder_write(struct hf_builder *builder, int fd, uint64_t offset, struct hf_batch_head *head,
                 struct hf_error *err)
{
    size_t padding = (size_t)(hf_builder_bytes(builder) - used_bytes(builder));
    enum hf_status status = HF_OK;

    /* The sizes stay as they are: others look at them meanwhile to see what room is left. */
    seal_head(builder, head, padding);
    const struct hf_slice parts[] = {
        hf_buf_slice(&builder->table),
        hf_buf_slice(&builder->payload),
        hf_buf_slice(&builder->repeat.changes),
        hf_buf_slice(&builder->changes),
        hf_slice(zeros, padding),
    };
    for (size_t i = 0; status == HF_OK && i < HF_COUNT(parts); i++) {
        if (parts[i].size > 0)
            status = hf_fs_pwrite(fd, parts[i].ptr, parts[i].size, (off_t)offset, err);
        offset += parts[i].size;
    }
    return status;
}
