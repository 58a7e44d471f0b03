/* Names that were looked at and lead to no file of their own: second names of a file, links, FIFOs,
 * folders, what is refused. That one of them goes away is no loss. And names that something was
 * written to before anybody opened the file: that one of these goes away is one.
 *
 * Of a name 16 bytes of hash are kept. Who is not seen again by the scan after the next is
 * forgotten: what inotify tells in between is still about it. */
#include "agent/intake/file/looking.h"

#include <holdfast/crypto.h>
#include <string.h>

#define HASH_BYTES 16

struct noted {
    struct hf_table_link link;
    LIST_ENTRY(noted) all;
    uint64_t seen_by; /* the number of a scan */
    uint8_t hash[HASH_BYTES];
};

static struct noted *
noted_of(const struct hf_table_link *link)
{
    return hf_container_of(link, struct noted, link);
}

static bool
is_hash(const struct hf_table_link *link, struct hf_slice key)
{
    return memcmp(noted_of(link)->hash, key.ptr, HASH_BYTES) == 0;
}

static void
hash_of(const char *path, uint8_t ret_hash[HASH_BYTES])
{
    uint8_t hash[HF_SHA256_SIZE];
    hf_sha256(path, strlen(path), hash);
    memcpy(ret_hash, hash, HASH_BYTES);
}

void
hf_notes_init(struct hf_notes *notes)
{
    hf_table_init(&notes->table, HF_NAMES_MAX, is_hash);
    LIST_INIT(&notes->all);
}

static void
drop(struct hf_notes *notes, struct noted *noted)
{
    hf_table_remove(&notes->table, &noted->link);
    LIST_REMOVE(noted, all);
    hf_freep(&noted);
}

void
hf_notes_done(struct hf_notes *notes)
{
    while (!LIST_EMPTY(&notes->all))
        drop(notes, LIST_FIRST(&notes->all));
    hf_table_done(&notes->table);
}

static struct noted *
find(struct hf_notes *notes, const char *path)
{
    uint8_t hash[HASH_BYTES];
    hash_of(path, hash);
    struct hf_table_link *link = hf_table_find(&notes->table, hf_slice(hash, HASH_BYTES));
    return link ? noted_of(link) : NULL;
}

bool
hf_note(struct hf_notes *notes, const char *path, uint64_t scan)
{
    struct noted *noted = find(notes, path);
    if (!noted) {
        noted = hf_alloc(sizeof(*noted));
        hash_of(path, noted->hash);
        LIST_INSERT_HEAD(&notes->all, noted, all);
        if (!hf_table_add(&notes->table, hf_slice(noted->hash, HASH_BYTES), &noted->link)) {
            drop(notes, noted); /* as many as a source may have: more are not known */
            return false;
        }
    }
    noted->seen_by = scan;
    return true;
}

bool
hf_is_noted(struct hf_notes *notes, const char *path, uint64_t scan)
{
    struct noted *noted = find(notes, path);
    return noted && noted->seen_by == scan;
}

bool
hf_note_take(struct hf_notes *notes, const char *path)
{
    struct noted *noted = find(notes, path);
    if (noted)
        drop(notes, noted);
    return noted != NULL;
}

void
hf_notes_sweep(struct hf_notes *notes, uint64_t scan)
{
    for (struct noted *noted = LIST_FIRST(&notes->all), *next; noted; noted = next) {
        next = LIST_NEXT(noted, all);
        if (noted->seen_by + 1 < scan)
            drop(notes, noted);
    }
}

bool
hf_is_unknown(struct hf_file_source *source, const char *path)
{
    char at[HF_PATH_MAX];
    size_t size = strlen(path);
    if (source->noted.all_unknown)
        return true;
    hf_assert(size < sizeof(at));
    memcpy(at, path, size + 1);
    while (source->noted.unknown.table.count > 0) {
        if (hf_is_noted(&source->noted.unknown, at, source->scans))
            return true;
        char *slash = strrchr(at, '/');
        if (!slash || slash[1] == '\0')
            return false;
        slash[slash == at] = '\0';
    }
    return false;
}
