/* Readers follow the durable end from segment to segment, each with a descriptor of its own. What
 * they may look at ends where the writer has said under the lock that all is durable; what they
 * find wrong before that is corruption.
 *
 * A released segment may be overwritten at any time. Whoever reads there sees bytes of another
 * generation, looks under the lock whether the segment is still held, and gets HF_ENOTFOUND: never
 * a false loss.
 */
#include "agent/journal/journal_impl.h"

#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define READ_FAILURES_MAX 3 /* then what the disk cannot read counts as lost */

struct hf_journal_reader {
    struct hf_journal *journal;
    struct hf_view view;
    int fd;
    uint64_t number; /* of the file; as long as order is not 0 */
    uint64_t order;  /* of the segment at hand; 0: none yet */
    uint64_t generation;
    uint64_t end;      /* the durable end of it */
    uint64_t last_seq; /* the last one before `end` */
    uint64_t offset;   /* the next batch */
    uint64_t at_seq;   /* its first sequence */
    uint64_t from_seq; /* nothing before it is asked for */
    bool has_batch;
    uint64_t batch_offset;
    struct hf_batch_head batch;
    struct hf_journal_entry *entries;
    size_t entries_capacity;
    unsigned failures;
};

static void
leave_segment(struct hf_journal_reader *reader)
{
    hf_view_done(&reader->view);
    hf_fs_close(&reader->fd);
    reader->order = 0;
}

enum hf_status
hf_journal_reader_open(struct hf_journal *journal, uint64_t from_seq,
                       struct hf_journal_reader **ret_reader, struct hf_error *err)
{
    hf_journal_lock(journal);
    uint64_t next_seq = journal->next_seq, released_seq = journal->released_seq;
    uint64_t oldest_seq =
        journal->files.held.count ? journal->files.held.items[0]->first_seq : next_seq;
    hf_journal_unlock(journal);
    if (from_seq > next_seq)
        return hf_fail(err, HF_EUSAGE, "sequence %llu is past the journal's next, %llu",
                       (unsigned long long)from_seq, (unsigned long long)next_seq);

    struct hf_journal_reader *reader = hf_alloc(sizeof(*reader));
    reader->journal = journal;
    reader->fd = -1;
    /* What was released is not missed; what is missing else is reported. */
    reader->from_seq = reader->at_seq = HF_MAX(from_seq, HF_MIN(released_seq + 1, oldest_seq));
    *ret_reader = reader;
    return HF_OK;
}

void
hf_journal_reader_close(struct hf_journal_reader *reader)
{
    if (!reader)
        return;
    leave_segment(reader);
    hf_freep(&reader->entries);
    hf_freep(&reader);
}

static enum hf_status
lose(struct hf_journal_reader *reader, uint64_t first_seq, uint64_t last_seq, const char *reason,
     struct hf_journal_loss *ret_loss, struct hf_error *err)
{
    *ret_loss = (struct hf_journal_loss){ .first_seq = HF_MAX(first_seq, reader->from_seq),
                                          .last_seq = last_seq };
    snprintf(ret_loss->reason, sizeof(ret_loss->reason), "%s", reason);
    return hf_fail(err, HF_ECORRUPT, "journal sequences %llu to %llu cannot be read: %s",
                   (unsigned long long)ret_loss->first_seq, (unsigned long long)last_seq, reason);
}

/* ---- under the lock: which segment ---- */

static size_t
place_of(const struct hf_journal_reader *reader)
{
    const struct hf_segment_list *held = &reader->journal->files.held;
    size_t i = 0;

    while (i < held->count && held->items[i]->order != reader->order)
        i++;
    return i;
}

/* The segment that holds at_seq or the first one after it; the newest when there is none. */
static size_t
place_for(const struct hf_journal_reader *reader)
{
    const struct hf_segment_list *held = &reader->journal->files.held;
    size_t i = 0;

    while (i + 1 < held->count && held->items[i]->last_seq < reader->at_seq)
        i++;
    return i;
}

static void
look_at(struct hf_journal_reader *reader, const struct hf_segment *segment)
{
    reader->end = segment->end;
    reader->last_seq = segment->last_seq;
}

/* At the last indexed batch that does not begin after what is asked for. */
static void
enter(struct hf_journal_reader *reader, const struct hf_segment *segment)
{
    uint64_t wanted = HF_MAX(reader->at_seq, reader->from_seq);

    reader->number = segment->number;
    reader->order = segment->order;
    reader->generation = segment->generation;
    reader->offset = HF_SEGMENT_DATA;
    reader->at_seq = segment->first_seq;
    for (size_t i = 0; i < segment->index_count && segment->index[i].first_seq <= wanted; i++) {
        reader->offset = segment->index[i].offset;
        reader->at_seq = segment->index[i].first_seq;
    }
    look_at(reader, segment);
}

/* Stands on a segment with something left to read; HF_EFULL at the durable end. HF_ECORRUPT: the
 * files do not hold them. */
static enum hf_status
find_segment(struct hf_journal_reader *reader, struct hf_journal_loss *ret_loss,
             struct hf_error *err)
{
    const struct hf_segment_list *held = &reader->journal->files.held;
    size_t at = place_of(reader);

    if (held->count == 0)
        return HF_EFULL;
    if (at == held->count) {
        at = place_for(reader);
    } else if (reader->offset < held->items[at]->end) {
        look_at(reader, held->items[at]);
        return HF_OK;
    } else if (++at == held->count) {
        return HF_EFULL;
    }
    const struct hf_segment *segment = held->items[at];
    uint64_t wanted = HF_MAX(reader->at_seq, reader->from_seq);
    if (segment->first_seq > wanted && wanted <= reader->journal->released_seq)
        return hf_fail(err, HF_ENOTFOUND, "journal sequence %llu was released",
                       (unsigned long long)wanted);
    if (segment->first_seq > wanted) {
        reader->at_seq = segment->first_seq;
        return lose(reader, wanted, segment->first_seq - 1, "the journal's files do not hold them",
                    ret_loss, err);
    }
    leave_segment(reader);
    enter(reader, segment);
    return reader->offset < reader->end ? HF_OK : HF_EFULL;
}

static bool
is_released(struct hf_journal_reader *reader)
{
    hf_journal_lock(reader->journal);
    bool released = place_of(reader) == reader->journal->files.held.count;
    hf_journal_unlock(reader->journal);
    return released;
}

/* ---- without the lock: what stands in it ---- */

static enum hf_status
released(struct hf_journal_reader *reader, struct hf_error *err)
{
    return hf_fail(err, HF_ENOTFOUND, "journal sequence %llu was released while it was read",
                   (unsigned long long)reader->at_seq);
}

static enum hf_status
open_file(struct hf_journal_reader *reader, struct hf_error *err)
{
    char path[HF_PATH_MAX];

    if (reader->fd >= 0)
        return HF_OK;
    hf_segment_path(reader->journal->directory, reader->number, path);
    enum hf_status status = hf_fs_open(path, O_RDONLY, 0, &reader->fd, err);
    if (status == HF_ENOTFOUND && !is_released(reader)) { /* somebody took the file away */
        reader->view.bad = true;
        return HF_ECORRUPT;
    }
    if (status == HF_OK)
        hf_view_init(&reader->view, reader->fd, reader->end);
    return status;
}

/* A sector that cannot be read may be readable later (a disk that was gone): the caller tries again
 * before it is given up. */
static enum hf_status
read_failed(struct hf_journal_reader *reader, enum hf_status status)
{
    if (status != HF_EIO)
        return status;
    if (++reader->failures >= READ_FAILURES_MAX)
        reader->view.zero_bad = true;
    return status;
}

/* Behind a bad spot: the next batch of this segment, or its end. Silent when no event is missing.
 */
static enum hf_status
skip_bad(struct hf_journal_reader *reader, struct hf_journal_loss *ret_loss, struct hf_error *err)
{
    uint64_t first_seq = reader->at_seq, offset = reader->end;
    struct hf_batch_head head = { .first_seq = reader->last_seq + 1 };
    enum hf_status status = HF_ENOTFOUND;

    if (reader->fd >= 0)
        status = hf_view_find(&reader->view, reader->offset, reader->generation, first_seq, &offset,
                              &head, err);
    if (status != HF_OK && status != HF_ENOTFOUND)
        return read_failed(reader, status);
    if (is_released(reader))
        return released(reader, err);
    reader->offset = offset;
    reader->at_seq = HF_MAX(first_seq, head.first_seq);
    if (reader->at_seq <= HF_MAX(first_seq, reader->from_seq))
        return HF_OK;
    return lose(reader, first_seq, reader->at_seq - 1,
                reader->view.bad ? "the disk cannot read them" : "their checksums do not match",
                ret_loss, err);
}

static void
decode_entry(const uint8_t *bytes, bool wide, struct hf_journal_entry *ret_entry)
{
    struct hf_disk_entry disk = { 0 };

    if (wide)
        memcpy(&disk, bytes, HF_BATCH_ENTRY);
    else
        memcpy(&disk, bytes, HF_BATCH_NARROW);
    *ret_entry = (struct hf_journal_entry){
        .size = le32toh(disk.size),
        .source = le16toh(disk.source),
        .class = le16toh(disk.class),
        .event_time_s = (int64_t)le64toh((uint64_t)disk.event_time_s),
        .appended = le16toh(disk.appended),
        .flags = le16toh(disk.flags),
    };
}

static enum hf_status
read_table(struct hf_journal_reader *reader, const struct hf_batch_head *head, struct hf_error *err)
{
    size_t size = (size_t)hf_batch_table_bytes(head), step = size / head->event_count;
    const uint8_t *bytes;
    uint64_t payload_bytes = 0;
    enum hf_status status =
        hf_view_at(&reader->view, reader->offset + HF_BATCH_HEAD, size, &bytes, err);

    if (status != HF_OK)
        return status;
    if (hf_crc32c(hf_batch_seed(head->generation), bytes, size) != head->table_crc)
        return HF_ECORRUPT;
    if (head->event_count > reader->entries_capacity || reader->entries_capacity > 64u * 1024) {
        reader->entries_capacity = HF_MAX(head->event_count, 1024);
        reader->entries =
            hf_realloc(reader->entries, reader->entries_capacity * sizeof(*reader->entries));
    }
    for (uint32_t i = 0; i < head->event_count; i++) {
        struct hf_journal_entry *entry = &reader->entries[i];
        decode_entry(bytes + i * step, head->wide, entry);
        if (entry->appended > 0 && entry->appended >= entry->size)
            return HF_ECORRUPT;
        payload_bytes += (uint64_t)entry->size + 1;
    }
    return payload_bytes == head->payload_bytes ? HF_OK : HF_ECORRUPT;
}

/* Reads the batch at hand and steps behind it. HF_OK with has_batch: it is one to return. */
static enum hf_status
read_batch(struct hf_journal_reader *reader, struct hf_journal_loss *ret_loss, struct hf_error *err)
{
    struct hf_batch_head head;
    enum hf_status status = open_file(reader, err);

    if (status == HF_OK) {
        hf_view_limit(&reader->view, reader->end);
        status = hf_view_batch(&reader->view, reader->offset, reader->generation, &head, err);
    }
    if (status == HF_ECORRUPT || (status == HF_OK && head.first_seq != reader->at_seq))
        return skip_bad(reader, ret_loss, err);
    bool wanted =
        status == HF_OK && head.event_count > 0 && hf_batch_last_seq(&head) >= reader->from_seq;
    if (wanted)
        status = read_table(reader, &head, err);
    if (status != HF_OK && status != HF_ECORRUPT)
        return read_failed(reader, status);
    if (status == HF_ECORRUPT && is_released(reader))
        return released(reader, err);

    reader->failures = 0;
    reader->view.zero_bad = false;
    reader->batch = head;
    reader->batch_offset = reader->offset;
    reader->offset += hf_batch_bytes(&head);
    reader->at_seq = hf_batch_last_seq(&head) + 1;
    if (status == HF_ECORRUPT)
        return lose(reader, head.first_seq, hf_batch_last_seq(&head),
                    "the checksum of their table does not match", ret_loss, err);
    reader->has_batch = wanted;
    return HF_OK;
}

enum hf_status
hf_journal_reader_next(struct hf_journal_reader *reader, struct hf_journal_batch *ret_batch,
                       struct hf_journal_loss *ret_loss, struct hf_error *err)
{
    reader->has_batch = false;
    while (!reader->has_batch) {
        hf_journal_lock(reader->journal);
        enum hf_status status = find_segment(reader, ret_loss, err);
        hf_journal_unlock(reader->journal);
        if (status == HF_OK)
            status = read_batch(reader, ret_loss, err);
        if (status != HF_OK)
            return status;
    }
    *ret_batch = (struct hf_journal_batch){
        .first_seq = reader->batch.first_seq,
        .count = reader->batch.event_count,
        .stamp_ns = reader->batch.stamp_ns,
        .entries = reader->entries,
        .payload_bytes = reader->batch.payload_bytes,
    };
    return HF_OK;
}

enum hf_status
hf_journal_reader_payload(struct hf_journal_reader *reader, struct hf_buf *buf,
                          struct hf_error *err)
{
    const struct hf_batch_head *head = &reader->batch;
    size_t size = (size_t)head->payload_bytes, got = 0;

    hf_assert(reader->has_batch);
    if (hf_buf_reserve(buf, size) != HF_OK)
        return hf_fail(err, HF_ELIMIT, "a batch of %zu bytes does not fit into the buffer's %zu",
                       size, buf->max);
    enum hf_status status =
        hf_fs_pread(reader->fd, buf->ptr + buf->size, size,
                    (off_t)(reader->batch_offset + hf_batch_payload_at(head)), &got, err);
    if (status == HF_EIO && ++reader->failures < READ_FAILURES_MAX)
        return status;
    reader->failures = 0;
    if (status != HF_OK && status != HF_EIO)
        return status;
    if (status == HF_OK && got == size &&
        hf_crc32c(hf_batch_seed(head->generation), buf->ptr + buf->size, size) ==
            head->payload_crc) {
        buf->size += size;
        buf->ptr[buf->size] = '\0';
        return HF_OK;
    }
    if (buf->ptr)
        buf->ptr[buf->size] = '\0';
    if (is_released(reader))
        return hf_fail(err, HF_ENOTFOUND, "journal sequence %llu was released while it was read",
                       (unsigned long long)head->first_seq);
    return hf_fail(err, HF_ECORRUPT, "journal sequences %llu to %llu cannot be read: %s",
                   (unsigned long long)head->first_seq, (unsigned long long)hf_batch_last_seq(head),
                   status == HF_OK ? "the checksum of their payload does not match"
                                   : "the disk cannot read them");
}
