/* A batch in memory, and the map of the state that batches change. */
#ifndef HOLDFAST_JOURNAL_BUILDER_IMPL_H
#define HOLDFAST_JOURNAL_BUILDER_IMPL_H

#include "agent/journal/format_impl.h"

#include <holdfast/journal.h>

/* ---- builder.c ---- */

/* The changes of the batch before, once more: a batch that is damaged costs its events, not what
 * the sources know of their places. */
struct hf_repeat {
    struct hf_buf changes;
    uint32_t count;
};

struct hf_builder {
    enum hf_batch_type type;
    uint64_t number; /* counts batches since the start, for hf_journal_sync() */
    uint64_t first_seq, stamp_ns;
    uint32_t event_count, change_count;
    struct hf_buf table; /* begins with room for the header */
    struct hf_buf payload, changes;
    struct hf_repeat repeat; /* stands in front of its own changes */
    struct {                 /* by how much its changes may make the state larger (unit.c) */
        size_t seen, bytes;  /* of the changes; of the state */
        uint64_t beside;     /* the state as of this batch */
    } growth;
};
struct hf_builder_place { /* where an abandoned unit began */
    size_t table, payload, changes;
    uint32_t event_count, change_count;
};
void hf_builder_init(struct hf_builder *builder);
void hf_builder_done(struct hf_builder *builder);
void hf_builder_reset(struct hf_builder *builder, uint64_t number, uint64_t first_seq);
void hf_builder_trim(struct hf_builder *builder); /* an empty one gives its memory back */
bool hf_builder_empty(const struct hf_builder *builder);
uint64_t hf_builder_bytes(const struct hf_builder *builder);
/* The same, should `repeat` still be put in front of its changes. */
uint64_t hf_builder_bytes_with(const struct hf_builder *builder, size_t repeat_bytes);
void hf_repeat_init(struct hf_repeat *repeat);
/* What `repeat` has goes to the builder, or what the builder has of its own goes to `repeat`. */
void hf_repeat_give(struct hf_repeat *repeat, struct hf_builder *builder);
void hf_repeat_take(struct hf_repeat *repeat, struct hf_builder *builder);
struct hf_builder_place hf_builder_place(const struct hf_builder *builder);
void hf_builder_cut(struct hf_builder *builder, const struct hf_builder_place *place);
/* `entry->size` is that of the parts. */
enum hf_status hf_builder_append(struct hf_builder *builder, const struct hf_journal_entry *entry,
                                 const struct hf_slice *parts, size_t part_count) hf_must_check;
/* `head` brings generation, durable_seq and released_seq, the rest is filled in. */
enum hf_status hf_builder_write(struct hf_builder *builder, int fd, uint64_t offset,
                                struct hf_batch_head *head, struct hf_error *err) hf_must_check;

/* ---- state.c ---- */

struct hf_state_item {
    char *key;
    struct hf_slice value; /* owned */
};
struct hf_state_map {
    struct hf_state_item *items; /* by key, in byte order */
    size_t count, capacity;
    size_t bytes; /* as a snapshot */
};
void hf_state_map_apply(struct hf_state_map *map, struct hf_slice changes);
const struct hf_state_item *hf_state_map_find(const struct hf_state_map *map, const char *key);
/* What a key takes with its value; 0: there is none. And what a change would. */
size_t hf_state_map_size(const struct hf_state_map *map, struct hf_slice key);
size_t hf_change_bytes(const struct hf_change *change);
/* Index of the first key that is not before `prefix`. */
size_t hf_state_map_from(const struct hf_state_map *map, const char *prefix);
void hf_state_map_snapshot(const struct hf_state_map *map, struct hf_builder *builder);
void hf_state_map_done(struct hf_state_map *map);

#endif
