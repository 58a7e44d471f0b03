/* Listing in the order of a bucket: by the bytes of the whole key. A folder sorts as its name and a
 * slash, so "a-b" comes before "a/c" although "a" comes before "a-b". */
#include "agent/dir/dir_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER_MAX (1u << 20)

struct walk {
    const struct hf_dir *dir;
    const char *prefix, *after;
    size_t max;
    struct hf_strings keys;
};

struct entry {
    char *key; /* a folder's ends in a slash */
    bool is_folder;
};

struct entries {
    struct entry *items;
    size_t count;
};

static void
entries_done(struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        free(entries->items[i].key);
    free(entries->items);
}

static int
by_key(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

/* Can this key, or one that begins with it and a slash, be asked for? Decided by the name alone,
 * for what needs no look at the disk is most of a large bucket. */
static bool
may_match(const struct walk *walk, const char *key)
{
    size_t size = strlen(key), prefix_size = strlen(walk->prefix);

    if (strncmp(key, walk->prefix, HF_MIN(size, prefix_size)) != 0)
        return false;
    if (strncmp(key, walk->after, size) == 0)
        return true; /* `after` may be in this folder */
    return strcmp(key, walk->after) > 0;
}

static bool
matches(const struct walk *walk, const char *key)
{
    return hf_starts_with(key, walk->prefix) && strcmp(key, walk->after) > 0;
}

/* Adds NAME, or NAME/ for a folder, to the entries, if it is any of the two. */
static enum hf_status
add_entry(const struct walk *walk, const char *folder_key, const char *name,
          struct entries *entries, struct hf_error *err)
{
    char path[HF_PATH_MAX];
    struct stat info;

    if (!hf_dir_segment_ok(name, strlen(name)) ||
        strlen(folder_key) + strlen(name) > HF_DIR_KEY_MAX)
        return HF_OK;
    hf_owned(hf_freep) char *key = hf_asprintf("%s%s", folder_key, name);
    if (!may_match(walk, key))
        return HF_OK;
    hf_path_join(path, sizeof(path), walk->dir->path, key);
    enum hf_status status = hf_fs_lstat(path, &info, err);
    if (status == HF_ENOTFOUND)
        return HF_OK; /* deleted since */
    if (status != HF_OK)
        return status;
    if (S_ISDIR(info.st_mode))
        entries->items[entries->count++] = (struct entry){ hf_asprintf("%s/", key), true };
    else if (S_ISREG(info.st_mode))
        entries->items[entries->count++] = (struct entry){ hf_take(key), false };
    return HF_OK;
}

static enum hf_status
read_folder(const struct walk *walk, const char *folder_key, struct entries *entries,
            struct hf_error *err)
{
    char path[HF_PATH_MAX];
    char **names;
    size_t count;

    hf_path_join(path, sizeof(path), walk->dir->path, folder_key);
    enum hf_status status = hf_fs_list(path, FOLDER_MAX, &names, &count, err);
    if (status == HF_ENOTFOUND && *folder_key != '\0')
        return HF_OK;
    if (status != HF_OK)
        return status;
    entries->items = hf_alloc((count + 1) * sizeof(*entries->items));
    for (size_t i = 0; i < count && status == HF_OK; i++)
        status = add_entry(walk, folder_key, names[i], entries, err);
    hf_fs_names_free(names, count);
    qsort(entries->items, entries->count, sizeof(*entries->items), by_key);
    return status;
}

/* As deep as a key is long: half of HF_DIR_KEY_MAX at most. */
static enum hf_status
walk_folder(struct walk *walk, const char *folder_key, struct hf_error *err)
{
    hf_owned(entries_done) struct entries entries = { NULL, 0 };
    enum hf_status status = read_folder(walk, folder_key, &entries, err);

    for (size_t i = 0; i < entries.count && status == HF_OK && walk->keys.count < walk->max; i++) {
        if (entries.items[i].is_folder)
            status = walk_folder(walk, entries.items[i].key, err);
        else if (matches(walk, entries.items[i].key))
            hf_strings_take(&walk->keys, hf_take(entries.items[i].key));
    }
    return status;
}

enum hf_status
hf_dir_list(struct hf_dir *dir, const char *prefix, const char *after, size_t max,
            struct hf_strings *ret_keys, struct hf_error *err)
{
    struct walk walk = { .dir = dir, .prefix = prefix, .after = after, .max = max };
    enum hf_status status = walk_folder(&walk, "", err);

    if (status != HF_OK) {
        hf_strings_done(&walk.keys);
        return hf_while(err, status, "listing '%s'", dir->path);
    }
    *ret_keys = walk.keys;
    return HF_OK;
}
