/* One segment file: made at its full size, begun anew at each use, taken away or wiped when nothing
 * in it is needed. */
#include "agent/journal/segment_impl.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

void
hf_segment_path(const char *directory, uint64_t number, char ret_path[HF_PATH_MAX])
{
    char name[32];

    snprintf(name, sizeof(name), "%010llu.seg", (unsigned long long)number);
    hf_path_join(ret_path, HF_PATH_MAX, directory, name);
}

struct hf_segment *
hf_segment_new(uint64_t number, uint64_t bytes)
{
    struct hf_segment *segment = hf_alloc(sizeof(*segment));

    *segment = (struct hf_segment){ .number = number, .bytes = bytes, .fd = -1 };
    return segment;
}

void
hf_segment_free(struct hf_segment *segment)
{
    if (!segment)
        return;
    hf_fs_close(&segment->fd);
    hf_freep(&segment->index);
    hf_freep(&segment);
}

enum hf_status
hf_segment_create(const char *directory, uint64_t number, uint64_t bytes,
                  struct hf_segment **ret_segment, struct hf_error *err)
{
    char path[HF_PATH_MAX];
    int fd;

    hf_segment_path(directory, number, path);
    enum hf_status status = hf_fs_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &fd, err);
    if (status != HF_OK)
        return hf_while(err, status, "making a journal segment of %llu bytes",
                        (unsigned long long)bytes);
    status = hf_fs_allocate(fd, 0, (off_t)bytes, err);
    if (status == HF_OK)
        status = hf_fs_fsync(fd, err);
    if (status == HF_OK)
        status = hf_fs_sync_dir(directory, err);
    if (status != HF_OK) {
        struct hf_error ignored; /* the first failure is the one to tell */
        hf_fs_close(&fd);
        (void)!hf_fs_unlink(path, &ignored);
        return hf_while(err, status, "making a journal segment of %llu bytes",
                        (unsigned long long)bytes);
    }
    *ret_segment = hf_segment_new(number, bytes);
    (*ret_segment)->fd = fd;
    (*ret_segment)->clean = true;
    return HF_OK;
}

enum hf_status
hf_segment_open(const char *directory, struct hf_segment *segment, struct hf_error *err)
{
    char path[HF_PATH_MAX];

    if (segment->fd >= 0)
        return HF_OK;
    hf_segment_path(directory, segment->number, path);
    return hf_fs_open(path, O_RDWR, 0, &segment->fd, err);
}

enum hf_status
hf_segment_unlink(const char *directory, struct hf_segment *segment, struct hf_error *err)
{
    char path[HF_PATH_MAX];

    hf_fs_close(&segment->fd);
    hf_segment_path(directory, segment->number, path);
    enum hf_status status = hf_fs_unlink(path, err);
    return status == HF_ENOTFOUND ? HF_OK : status;
}

enum hf_status
hf_segment_wipe(struct hf_segment *segment, struct hf_error *err)
{
    enum hf_status status = hf_fs_punch(segment->fd, 0, (off_t)segment->bytes, err);

    if (status == HF_OK)
        status = hf_fs_allocate(segment->fd, 0, (off_t)segment->bytes, err);
    if (status == HF_OK)
        status = hf_fs_fsync(segment->fd, err);
    segment->clean = status == HF_OK;
    return status;
}

/* A snapshot that is small against the segment is written twice: it is what one damaged sector
 * would hurt most. */
static unsigned
snapshot_copies(uint64_t snapshot_bytes, uint64_t segment_bytes)
{
    return snapshot_bytes <= segment_bytes / 16 ? 2 : 1;
}

static uint64_t
snapshot_bytes(const struct hf_state_map *state)
{
    return (HF_BATCH_HEAD + state->bytes + 7) & ~7ull;
}

uint64_t
hf_segment_prologue(const struct hf_state_map *state, uint64_t segment_bytes)
{
    uint64_t bytes = snapshot_bytes(state);

    return HF_SEGMENT_DATA + bytes * snapshot_copies(bytes, segment_bytes);
}

static enum hf_status
write_head(struct hf_segment *segment, const struct hf_segment_head *head, struct hf_error *err)
{
    struct hf_disk_segment copies[2];
    _Static_assert(sizeof(copies) == HF_SEGMENT_DATA, "batches begin behind the two copies");

    for (unsigned i = 0; i < 2; i++)
        hf_segment_head_encode(head, i, &copies[i]);
    return hf_fs_pwrite(segment->fd, copies, sizeof(copies), 0, err);
}

static enum hf_status
write_snapshots(struct hf_segment *segment, const struct hf_segment_head *head,
                const struct hf_state_map *state, struct hf_error *err)
{
    hf_owned(hf_builder_done) struct hf_builder builder;
    enum hf_status status = HF_OK;

    hf_builder_init(&builder);
    hf_builder_reset(&builder, 0, head->first_seq);
    builder.stamp_ns = head->stamp_ns;
    hf_state_map_snapshot(state, &builder);
    uint64_t bytes = hf_builder_bytes(&builder);
    hf_assert(bytes == snapshot_bytes(state));
    for (unsigned left = snapshot_copies(bytes, segment->bytes); status == HF_OK && left > 0;
         left--) {
        struct hf_batch_head batch = {
            .generation = head->generation,
            .durable_seq = head->first_seq - 1,
            .released_seq = head->released_seq,
        };
        status = hf_builder_write(&builder, segment->fd, segment->end, &batch, err);
        segment->end += bytes;
    }
    return status;
}

enum hf_status
hf_segment_begin(struct hf_segment *segment, const struct hf_segment_head *head,
                 const struct hf_state_map *state, struct hf_error *err)
{
    segment->generation = head->generation;
    segment->order = head->order;
    segment->first_seq = head->first_seq;
    segment->last_seq = head->first_seq - 1;
    segment->end = HF_SEGMENT_DATA;
    segment->index_count = 0;
    segment->clean = false;

    enum hf_status status = write_head(segment, head, err);
    if (status == HF_OK)
        status = write_snapshots(segment, head, state, err);
    if (status == HF_OK)
        status = hf_fs_fdatasync(segment->fd, err);
    return status;
}

bool
hf_segment_has_events(const struct hf_segment *segment)
{
    return segment->last_seq >= segment->first_seq;
}

void
hf_segment_note_batch(struct hf_segment *segment, uint64_t first_seq, uint64_t last_seq,
                      uint64_t offset)
{
    uint64_t indexed = segment->index_count ? segment->index[segment->index_count - 1].offset : 0;

    if (last_seq < first_seq)
        return;
    segment->last_seq = last_seq;
    if (segment->index_count > 0 && offset - indexed < HF_JOURNAL_INDEX_BYTES)
        return;
    if (segment->index_count == segment->index_capacity) {
        segment->index_capacity = HF_MAX(8, 2 * segment->index_capacity);
        segment->index =
            hf_realloc(segment->index, segment->index_capacity * sizeof(*segment->index));
    }
    segment->index[segment->index_count++] = (struct hf_index_entry){ first_seq, offset };
}

void
hf_segment_list_add(struct hf_segment_list *list, struct hf_segment *segment)
{
    if (list->count == list->capacity) {
        list->capacity = HF_MAX(8, 2 * list->capacity);
        list->items = hf_realloc(list->items, list->capacity * sizeof(*list->items));
    }
    list->items[list->count++] = segment;
}

void
hf_segment_list_remove(struct hf_segment_list *list, size_t at)
{
    hf_assert(at < list->count);
    memmove(list->items + at, list->items + at + 1, (list->count - at - 1) * sizeof(*list->items));
    list->count--;
}

void
hf_segment_list_done(struct hf_segment_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        hf_segment_free(list->items[i]);
    hf_freep(&list->items);
    *list = (struct hf_segment_list){ 0 };
}
