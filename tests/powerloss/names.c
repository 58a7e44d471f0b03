/* Which path is which file. */
#include "tests/powerloss/disk_impl.h"

#include <string.h>

static size_t
place_of(const struct names *names, const char *path)
{
    size_t i = 0;
    while (i < names->count && strcmp(names->entries[i].path, path) != 0)
        i++;
    return i;
}

struct inode *
names_find(const struct names *names, const char *path)
{
    size_t at = place_of(names, path);
    return at < names->count ? names->entries[at].inode : NULL;
}

void
names_set(struct names *names, const char *path, struct inode *inode)
{
    size_t at = place_of(names, path);
    if (at == names->count) {
        if (names->count == names->room) {
            names->room = names->room ? 2 * names->room : 64;
            names->entries = hf_realloc(names->entries, names->room * sizeof(*names->entries));
        }
        names->entries[names->count++].path = hf_strdup(path);
    }
    names->entries[at].inode = inode;
}

void
names_remove(struct names *names, const char *path)
{
    size_t at = place_of(names, path);
    if (at == names->count)
        return;
    hf_freep(&names->entries[at].path);
    names->entries[at] = names->entries[--names->count];
}

void
names_copy(struct names *to, const struct names *from)
{
    names_done(to);
    for (size_t i = 0; i < from->count; i++)
        names_set(to, from->entries[i].path, from->entries[i].inode);
}

void
names_done(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        hf_freep(&names->entries[i].path);
    hf_freep(&names->entries);
    names->count = names->room = 0;
}
