/* The map of keys to values as of the last durable batch. Sorted, because it is read by prefix, is
 * small, and changes values far more often than keys. */
#include "agent/journal/builder_impl.h"

#include <string.h>

static int
compare(struct hf_slice a, struct hf_slice b)
{
    int order = memcmp(a.ptr, b.ptr, HF_MIN(a.size, b.size));
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* The first place whose key is not before `key`. */
static size_t
place_of(const struct hf_state_map *map, struct hf_slice key)
{
    size_t low = 0, high = map->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(hf_slice_text(map->items[middle].key), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool
is_at(const struct hf_state_map *map, size_t place, struct hf_slice key)
{
    return place < map->count && compare(hf_slice_text(map->items[place].key), key) == 0;
}

static size_t
item_bytes(struct hf_slice key, struct hf_slice value)
{
    return sizeof(struct hf_disk_change) + key.size + value.size;
}

static void
remove_at(struct hf_state_map *map, size_t place)
{
    struct hf_state_item *item = &map->items[place];

    map->bytes -= item_bytes(hf_slice_text(item->key), item->value);
    hf_freep(&item->key);
    hf_freep(&item->value.ptr);
    memmove(item, item + 1, (map->count - place - 1) * sizeof(*item));
    map->count--;
}

static void
insert_at(struct hf_state_map *map, size_t place, struct hf_slice key)
{
    if (map->count == map->capacity) {
        map->capacity = HF_MAX(16, 2 * map->capacity);
        map->items = hf_realloc(map->items, map->capacity * sizeof(*map->items));
    }
    struct hf_state_item *item = &map->items[place];
    memmove(item + 1, item, (map->count - place) * sizeof(*item));
    *item = (struct hf_state_item){ .key = hf_strndup((const char *)key.ptr, key.size) };
    map->count++;
    map->bytes += item_bytes(key, item->value);
}

void
hf_state_map_apply(struct hf_state_map *map, struct hf_slice changes)
{
    struct hf_change change;

    while (hf_change_next(&changes, &change)) {
        size_t place = place_of(map, change.key);
        bool present = is_at(map, place, change.key);
        if (change.remove) {
            if (present)
                remove_at(map, place);
            continue;
        }
        if (!present)
            insert_at(map, place, change.key);
        struct hf_state_item *item = &map->items[place];
        uint8_t *value = hf_alloc(change.value.size + 1);
        if (change.value.size > 0)
            memcpy(value, change.value.ptr, change.value.size);
        map->bytes += change.value.size;
        map->bytes -= item->value.size;
        hf_freep(&item->value.ptr);
        item->value = hf_slice(value, change.value.size);
    }
}

size_t
hf_state_map_size(const struct hf_state_map *map, struct hf_slice key)
{
    size_t place = place_of(map, key);

    return is_at(map, place, key) ? item_bytes(key, map->items[place].value) : 0;
}

size_t
hf_change_bytes(const struct hf_change *change)
{
    return item_bytes(change->key, change->value);
}

const struct hf_state_item *
hf_state_map_find(const struct hf_state_map *map, const char *key)
{
    size_t place = place_of(map, hf_slice_text(key));

    return is_at(map, place, hf_slice_text(key)) ? &map->items[place] : NULL;
}

size_t
hf_state_map_from(const struct hf_state_map *map, const char *prefix)
{
    return place_of(map, hf_slice_text(prefix));
}

void
hf_state_map_snapshot(const struct hf_state_map *map, struct hf_builder *builder)
{
    builder->type = HF_BATCH_STATE;
    for (size_t i = 0; i < map->count; i++) {
        const struct hf_state_item *item = &map->items[i];
        enum hf_status status =
            hf_change_add(&builder->changes, hf_slice_text(item->key), item->value, false);
        hf_assert(status == HF_OK); /* set_state() keeps the whole below the builder's maximum */
        builder->change_count++;
    }
}

void
hf_state_map_done(struct hf_state_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        hf_freep(&map->items[i].key);
        hf_freep(&map->items[i].value.ptr);
    }
    hf_freep(&map->items);
    *map = (struct hf_state_map){ 0 };
}
