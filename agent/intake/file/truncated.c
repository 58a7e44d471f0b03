/* Files whose truncation we saw, for a while: their copies are recognised by what was read of
 * them. */
#include "agent/intake/file/reading.h"

#include <string.h>

void
hf_truncated_remove(struct hf_file_source *source, size_t i)
{
    struct hf_truncated *at = source->truncated.items + i;
    source->truncated.count--;
    memmove(at, at + 1, (source->truncated.count - i) * sizeof(*at));
}

void
hf_truncated_add(struct hf_file_source *source, const struct hf_print_hash *print)
{
    if (print->offset == 0)
        return;
    if (source->truncated.count == HF_TRUNCATED_MAX)
        hf_truncated_remove(source, 0);
    source->truncated.items[source->truncated.count++] =
        (struct hf_truncated){ .print = *print, .until_ms = hf_boot_ms() + HF_TRUNCATED_MS };
}

/* The copy may have grown since it was compared, and the original too before it was truncated:
 * what we read of the original and what the copy holds have the shorter one of both in common.
 * Where the copy cannot be read now it stays held, and is compared with the truncated ones when
 * it can. */
static bool
go_on_as_copy(struct hf_file *copy, const struct hf_print_hash *original)
{
    struct hf_fs_identity who;
    struct hf_print print;
    if (hf_fs_identify(copy->fd, NULL, &who, NULL) != HF_OK || who.size < copy->copy.size)
        return false;
    uint64_t both = HF_MIN(who.size, original->offset);
    if (hf_print_read(copy->fd, both, &print, NULL) != HF_OK ||
        (both == original->offset && !hf_print_same(&print, original)))
        return false;
    hf_file_go_on(copy, &print);
    return true;
}

void
hf_file_truncated(struct hf_file *file)
{
    struct hf_print_hash print;
    hf_print_hash(&file->print, &print);
    for (struct hf_file *copy = LIST_FIRST(&file->copy.mine), *next; copy; copy = next) {
        next = LIST_NEXT(copy, copy.entry);
        if (go_on_as_copy(copy, &print))
            return;
    }
    hf_truncated_add(file->source, &print);
}
