/* Positions of files that are not open ("orphans"): found by who the file is, by how it begins, and
 * those that are missed by the folder they stood in. */
#include "agent/intake/file/orphans.h"

#include <string.h>

/* ---- keys ---- */

static bool
is_id(const struct hf_table_link *link, struct hf_slice key)
{
    const struct hf_orphan *orphan = hf_container_of(link, struct hf_orphan, by_id);
    return hf_slice_equal(hf_file_id_key(&orphan->position.id), key);
}

static bool
is_content(const struct hf_table_link *link, struct hf_slice key)
{
    const struct hf_orphan *orphan = hf_container_of(link, struct hf_orphan, by_content);
    return memcmp(orphan->content, key.ptr, sizeof(orphan->content)) == 0;
}

static bool
is_folder(const struct hf_table_link *link, struct hf_slice key)
{
    return hf_slice_is(key, hf_container_of(link, struct hf_lost_folder, link)->path);
}

/* With a KiB that was read of it a file is known by that; with less, a match of content means
 * nothing (taking another file for it would skip that one's first events), and inode and birth have
 * to be the same. false: by neither. */
static bool
content_key(const struct hf_position *position, uint8_t ret_key[HF_CONTENT_KEY])
{
    memset(ret_key, 0, HF_CONTENT_KEY);
    if (position->print.offset >= HF_PRINT_BYTES) {
        ret_key[0] = 1;
        memcpy(ret_key + 1, position->print.head, HF_PRINT_HASH);
        return true;
    }
    hf_put_le64(ret_key + 1, position->id.ino);
    hf_put_le64(ret_key + 9, position->id.birth_ns);
    return position->print.offset > 0 && position->id.birth_ns != 0;
}

/* ---- folders that orphans are missed in ---- */

bool
hf_orphan_is_settled(const struct hf_orphan *orphan)
{
    return orphan->position.done || orphan->position.reported;
}

static struct hf_lost_folder *
folder_new(struct hf_orphans *orphans, const char *path)
{
    struct hf_lost_folder *folder = hf_alloc(sizeof(*folder));
    folder->path = hf_strdup(path);
    LIST_INSERT_HEAD(&orphans->folders, folder, all);
    hf_assert(hf_table_add(&orphans->by_folder, hf_slice_text(path), &folder->link));
    return folder;
}

struct hf_lost_folder *
hf_lost_folder_find(struct hf_file_source *source, const char *path)
{
    struct hf_table_link *link = hf_table_find(&source->orphans->by_folder, hf_slice_text(path));
    return link ? hf_container_of(link, struct hf_lost_folder, link) : NULL;
}

static void
join_folder(struct hf_file_source *source, struct hf_orphan *orphan)
{
    orphan->looked_for = false;
    const char *path = orphan->position.path, *slash = strrchr(path, '/');
    hf_owned(hf_freep) char *folder = hf_strndup(
        slash && slash != path ? path : "/", slash && slash != path ? (size_t)(slash - path) : 1);
    orphan->folder = hf_lost_folder_find(source, folder);
    if (!orphan->folder)
        orphan->folder = folder_new(source->orphans, folder);
    LIST_INSERT_HEAD(&orphan->folder->missed, orphan, missed);
}

void
hf_orphan_leave_folder(struct hf_file_source *source, struct hf_orphan *orphan)
{
    struct hf_lost_folder *folder = hf_take(orphan->folder);
    if (!folder)
        return;
    LIST_REMOVE(orphan, missed);
    if (!LIST_EMPTY(&folder->missed))
        return;
    hf_table_remove(&source->orphans->by_folder, &folder->link);
    LIST_REMOVE(folder, all);
    hf_freep(&folder->path);
    hf_freep(&folder);
}

struct hf_lost_folder *
hf_lost_folders(struct hf_file_source *source)
{
    return LIST_FIRST(&source->orphans->folders);
}

/* ---- the set ---- */

struct hf_orphan *
hf_orphans_first(struct hf_file_source *source)
{
    return LIST_FIRST(&source->orphans->all);
}

size_t
hf_orphans_count(const struct hf_file_source *source)
{
    return source->orphans->count - source->orphans->asleep.count;
}

uint64_t
hf_orphans_looks(const struct hf_file_source *source)
{
    const struct hf_orphans *orphans = source->orphans;
    return orphans->by_id.looks + orphans->by_content.looks + orphans->by_folder.looks;
}

struct hf_orphan *
hf_orphan_by_id(struct hf_file_source *source, const struct hf_file_id *id)
{
    struct hf_table_link *link = hf_table_find(&source->orphans->by_id, hf_file_id_key(id));
    return link ? hf_container_of(link, struct hf_orphan, by_id) : NULL;
}

/* It is found by its content, and missed in its folder. */
void
hf_orphan_miss(struct hf_file_source *source, struct hf_orphan *orphan)
{
    if (content_key(&orphan->position, orphan->content))
        hf_assert(hf_table_add(&source->orphans->by_content,
                               hf_slice(orphan->content, sizeof(orphan->content)),
                               &orphan->by_content));
    if (!orphan->position.reported)
        join_folder(source, orphan);
}

/* How many there are is bounded by the journal's state (gone.c forgets old ones); the tables take
 * whatever was loaded. */
struct hf_orphan *
hf_orphan_new(struct hf_file_source *source, struct hf_position position, struct hf_owner *owner)
{
    struct hf_orphans *orphans = source->orphans;
    struct hf_orphan *orphan = hf_alloc(sizeof(*orphan));
    orphan->position = position;
    LIST_INSERT_HEAD(&orphans->all, orphan, all);
    orphans->count++;
    orphan->owner = hf_owner_again(owner);
    orphan->charged = hf_file_position_bytes(position.path);
    hf_budget_charge_state(owner, (int64_t)orphan->charged);
    hf_assert(hf_table_add(&orphans->by_id, hf_file_id_key(&orphan->position.id), &orphan->by_id));
    return orphan;
}

void
hf_orphan_remove(struct hf_file_source *source, struct hf_orphan *orphan)
{
    hf_table_remove(&source->orphans->by_id, &orphan->by_id);
    hf_table_remove(&source->orphans->by_content, &orphan->by_content);
    hf_orphan_leave_folder(source, orphan);
    hf_orphan_end_sleep(source, orphan);
    LIST_REMOVE(orphan, all);
    source->orphans->count--;
    hf_budget_charge_state(orphan->owner, -(int64_t)orphan->charged);
    hf_owner_put(orphan->owner);
    hf_freep(&orphan->position.path);
    hf_freep(&orphan);
}

void
hf_orphan_add(struct hf_file_source *source, struct hf_position position)
{
    hf_orphan_miss(source, hf_orphan_new(source, position, source->source.owner));
}

/* Under the journal's lock they are only copied: a hundred thousand are decoded without it. */
struct loaded {
    struct hf_buf bytes; /* keys and values, each behind its size */
};

static void
add_sized(struct hf_buf *bytes, const void *from, uint32_t size)
{
    hf_assert(hf_buf_add(bytes, &size, sizeof(size)) == HF_OK &&
              hf_buf_add(bytes, from, size) == HF_OK);
}

static void
load_one(void *context, const char *key, struct hf_slice value)
{
    struct loaded *loaded = context;
    add_sized(&loaded->bytes, key, (uint32_t)strlen(key) + 1);
    add_sized(&loaded->bytes, value.ptr, (uint32_t)value.size);
}

static struct hf_slice
next_sized(const struct hf_buf *bytes, size_t *at)
{
    uint32_t size;
    memcpy(&size, bytes->ptr + *at, sizeof(size));
    struct hf_slice slice = hf_slice(bytes->ptr + *at + sizeof(size), size);
    *at += sizeof(size) + size;
    return slice;
}

void
hf_orphans_load(struct hf_file_source *source)
{
    struct loaded loaded = { .bytes = HF_BUF(2ull * HF_JOURNAL_STATE_MAX) };
    hf_owned(hf_freep) char *prefix = hf_asprintf("file/%s/", source->source.config.name);
    hf_source_enter(&source->source);
    hf_journal_each_state(source->source.intake->journal, prefix, load_one, &loaded);
    hf_source_leave(&source->source);
    for (size_t at = 0; at < loaded.bytes.size;) {
        struct hf_position position;
        struct hf_slice key = next_sized(&loaded.bytes, &at);
        struct hf_slice value = next_sized(&loaded.bytes, &at);
        if (hf_position_decode((const char *)key.ptr, value, &position))
            hf_orphan_add(source, position);
    }
    hf_buf_done(&loaded.bytes);
}

void
hf_orphans_init(struct hf_file_source *source)
{
    source->orphans = hf_alloc(sizeof(*source->orphans));
    hf_table_init(&source->orphans->by_id, SIZE_MAX, is_id);
    hf_table_init(&source->orphans->by_content, SIZE_MAX, is_content);
    hf_table_init(&source->orphans->by_folder, SIZE_MAX, is_folder);
    hf_sleepers_init(source);
}

void
hf_orphans_free(struct hf_file_source *source)
{
    struct hf_orphans *orphans = source->orphans;
    if (!orphans)
        return;
    while (!LIST_EMPTY(&orphans->all))
        hf_orphan_remove(source, LIST_FIRST(&orphans->all));
    hf_table_done(&orphans->by_id);
    hf_table_done(&orphans->by_content);
    hf_table_done(&orphans->by_folder);
    hf_sleepers_done(source);
    hf_freep(&source->orphans);
}

/* ---- by content ---- */

struct hf_orphan *
hf_orphan_by_content(struct hf_file_source *source, const uint8_t key[HF_CONTENT_KEY],
                     struct hf_orphan *after)
{
    struct hf_table *table = &source->orphans->by_content;
    struct hf_slice slice = hf_slice(key, HF_CONTENT_KEY);
    struct hf_table_link *link =
        after ? hf_table_find_next(table, &after->by_content, slice) : hf_table_find(table, slice);
    return link ? hf_container_of(link, struct hf_orphan, by_content) : NULL;
}

void
hf_content_key_of(const struct hf_position *position, uint8_t ret_key[HF_CONTENT_KEY])
{
    (void)content_key(position, ret_key);
}
