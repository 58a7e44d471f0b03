/* Files of which something was read, in the order of their first bytes, so that those that begin
 * like another one are found without a look at the rest: a sorted array of pointers.
 *
 * "Alike" is: the same as far as both go. So those that match `head` are those that go on behind
 * it, which stand together, and those that end within it, each of which is a beginning of it. */
#include "agent/intake/file/file_impl.h"

#include <string.h>

/* Whether `file` stands before the place of these bytes; of the same bytes, before `other`. */
static bool
stands_before(struct hf_file_source *source, const struct hf_file *file, const uint8_t *head,
              size_t size, const struct hf_file *other)
{
    source->heads.compares++;
    int order = memcmp(file->print.head, head, HF_MIN((size_t)file->print.head_size, size));
    if (order == 0 && file->print.head_size != size)
        return file->print.head_size < size;
    return order == 0 ? (uintptr_t)file < (uintptr_t)other : order < 0;
}

/* How many stand before that place. */
static size_t
place_of(struct hf_file_source *source, const uint8_t *head, size_t size,
         const struct hf_file *other)
{
    size_t low = 0, high = source->heads.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stands_before(source, source->heads.items[middle], head, size, other))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void
hf_heads_add(struct hf_file *file)
{
    struct hf_file_source *source = file->source;
    if (file->in_heads || file->print.head_size == 0)
        return;
    if (source->heads.count == source->heads.room) {
        source->heads.room = HF_MAX(2 * source->heads.room, (size_t)16);
        source->heads.items =
            hf_realloc(source->heads.items, source->heads.room * sizeof(*source->heads.items));
    }
    size_t at = place_of(source, file->print.head, file->print.head_size, file);
    struct hf_file **place = source->heads.items + at;
    memmove(place + 1, place, (source->heads.count - at) * sizeof(*place));
    *place = file;
    source->heads.count++;
    file->in_heads = true;
}

void
hf_heads_remove(struct hf_file *file)
{
    struct hf_file_source *source = file->source;
    if (!file->in_heads)
        return;
    size_t at = place_of(source, file->print.head, file->print.head_size, file);
    struct hf_file **place = source->heads.items + at;
    hf_assert(at < source->heads.count && *place == file);
    source->heads.count--;
    memmove(place, place + 1, (source->heads.count - at) * sizeof(*place));
    file->in_heads = false;
}

/* ---- finding ---- */

struct alike {
    struct hf_file **items;
    size_t count, room, most;
};

static void
keep(struct alike *alike, struct hf_file *file)
{
    if (alike->count == alike->room) {
        alike->room = HF_MAX(2 * alike->room, (size_t)4);
        alike->items = hf_realloc(alike->items, alike->room * sizeof(*alike->items));
    }
    alike->items[alike->count++] = file;
}

/* How far they are the same. */
static size_t
same_size(const struct hf_file *file, const uint8_t *head, size_t size)
{
    size_t both = HF_MIN((size_t)file->print.head_size, size), same = 0;
    while (same < both && file->print.head[same] == head[same])
        same++;
    return same;
}

/* Those that begin with all of it. */
static void
find_longer(struct hf_file_source *source, const uint8_t *head, size_t size, struct alike *alike)
{
    for (size_t at = place_of(source, head, size, NULL);
         at < source->heads.count && alike->count < alike->most; at++) {
        source->heads.compares++;
        if (same_size(source->heads.items[at], head, size) < size)
            return;
        keep(alike, source->heads.items[at]);
    }
}

/* Those that end within it. Whatever stands between such a one and the place of `head` begins with
 * it as well: so the one in front of that place either is one, or says how long the longest that is
 * left can be. */
static void
find_shorter(struct hf_file_source *source, const uint8_t *head, size_t size, struct alike *alike)
{
    const struct hf_file *behind_all = (const struct hf_file *)UINTPTR_MAX;
    size_t at = place_of(source, head, size, NULL);
    while (at > 0 && alike->count < alike->most) {
        struct hf_file *before = source->heads.items[at - 1];
        size_t same = same_size(before, head, size);
        if (same == before->print.head_size) {
            keep(alike, before);
            at--;
        } else {
            size = same;
            at = place_of(source, head, size, behind_all);
        }
        if (same == 0)
            return;
    }
}

size_t
hf_heads_alike(struct hf_file_source *source, const uint8_t *head, size_t size, size_t most,
               struct hf_file ***ret_files)
{
    struct alike alike = { .most = most };
    if (size > 0) {
        find_longer(source, head, size, &alike);
        find_shorter(source, head, size, &alike);
    }
    *ret_files = alike.items;
    return alike.count;
}
