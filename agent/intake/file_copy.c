/* copytruncate: the log is copied, then truncated. The copy is a new inode, its bytes are not new.
 *
 * A file that was never seen and begins like one we read may be such a copy, also one that is still
 * being made. It is held back until the other is truncated (then it is the copy, and is read from
 * where we were), until the two differ, or until it did not grow for quiet_ms (then somebody simply
 * made a file like it). */
#include "agent/intake/file_impl.h"

#include <string.h>

void
hf_truncated_add(struct hf_file_source *source, const struct hf_print_hash *print)
{
    if (print->offset == 0)
        return;
    if (source->truncated_count == HF_TRUNCATED_MAX) {
        memmove(source->truncated, source->truncated + 1,
                (HF_TRUNCATED_MAX - 1) * sizeof(source->truncated[0]));
        source->truncated_count--;
    }
    source->truncated[source->truncated_count++] =
        (struct hf_truncated){ .print = *print, .until_ms = hf_boot_ms() + HF_TRUNCATED_MS };
}

/* The file is taken to be read up to `offset`. */
bool
hf_file_go_on(struct hf_file *file, uint64_t offset)
{
    struct hf_print print;
    if (!hf_print_read(file->fd, offset, &print))
        return false;
    file->print = print;
    file->partial = 0;
    file->fresh = file->held = false;
    file->copy_of = NULL;
    file->dirty = true;
    hf_file_ready(file);
    return true;
}

/* Of two files, whether [0, size) begins and ends alike. */
static bool
same_range(int a, int b, uint64_t size)
{
    struct hf_print print_a, print_b;
    return hf_print_read(a, size, &print_a) && hf_print_read(b, size, &print_b) &&
           memcmp(print_a.head, print_b.head, print_a.head_size) == 0 &&
           memcmp(print_a.tail, print_b.tail, print_a.tail_size) == 0;
}

/* Is it the copy of a file whose truncation we saw? */
static bool
go_on_from_truncated(struct hf_file *file, uint64_t size)
{
    struct hf_file_source *source = file->source;
    uint64_t now_ms = hf_boot_ms();
    for (size_t i = 0; i < source->truncated_count; i++) {
        struct hf_truncated *truncated = &source->truncated[i];
        struct hf_print print;
        if (now_ms > truncated->until_ms || size < truncated->print.offset ||
            !hf_print_read(file->fd, truncated->print.offset, &print) ||
            !hf_print_same(&print, &truncated->print))
            continue;
        if (!hf_file_go_on(file, truncated->print.offset))
            continue;
        memmove(truncated, truncated + 1, (source->truncated_count - i - 1) * sizeof(*truncated));
        source->truncated_count--;
        return true;
    }
    return false;
}

/* May it become such a copy, when it has grown? */
static bool
may_be_truncated(const struct hf_file *file, uint64_t size)
{
    const struct hf_file_source *source = file->source;
    uint64_t now_ms = hf_boot_ms();
    for (size_t i = 0; i < source->truncated_count; i++) {
        const struct hf_print_hash *print = &source->truncated[i].print;
        struct hf_print begin;
        struct hf_print_hash hash;
        if (now_ms > source->truncated[i].until_ms || size >= print->offset)
            continue;
        if (size < HF_PRINT_BYTES || !hf_print_read(file->fd, HF_PRINT_BYTES, &begin))
            return true; /* too short to tell */
        hf_print_hash(&begin, &hash);
        if (memcmp(hash.head, print->head, HF_PRINT_HASH) == 0)
            return true;
    }
    return false;
}

static bool
begins_alike(const struct hf_file *known, const struct hf_file *file, const uint8_t *head,
             size_t size)
{
    size_t both = HF_MIN((size_t)known->print.head_size, size);
    return known != file && !known->fresh && both > 0 && memcmp(known->print.head, head, both) == 0;
}

static size_t
read_head(const struct hf_file *file, uint8_t head[HF_PRINT_BYTES])
{
    size_t got = 0;
    return hf_fs_pread(file->fd, head, HF_PRINT_BYTES, 0, &got, NULL) == HF_OK ? got : 0;
}

/* One that it begins like may just have been truncated: that decides. */
static void
verify_alike(struct hf_file *file)
{
    uint8_t head[HF_PRINT_BYTES];
    size_t got = read_head(file, head);
    for (struct hf_file *known = file->source->files; known; known = known->next)
        if (begins_alike(known, file, head, got))
            hf_file_verify(known);
}

/* Is it, so far, the same as a file that we read? */
static bool
is_like_another(struct hf_file *file, uint64_t size)
{
    uint8_t head[HF_PRINT_BYTES];
    size_t got = read_head(file, head);
    for (struct hf_file *known = file->source->files; known; known = known->next) {
        if (!begins_alike(known, file, head, got))
            continue;
        struct hf_fs_identity who;
        if (hf_fs_identify(known->fd, NULL, &who, NULL) != HF_OK)
            continue;
        uint64_t both = HF_MIN(size, who.size);
        if (!same_range(known->fd, file->fd, both))
            continue;
        file->copy_of = known;
        file->copied = both;
        return true;
    }
    return false;
}

bool
hf_file_wait(struct hf_file *file, uint64_t size)
{
    uint64_t now_ms = hf_boot_ms();
    if (size == 0)
        return false;
    if (!file->held || size != file->known_size) {
        file->quiet_since_ms = now_ms;
        file->known_size = size;
    }
    verify_alike(file);
    if (!file->fresh || go_on_from_truncated(file, size))
        return false;
    bool waited =
        file->held && now_ms - file->quiet_since_ms >= file->source->source.intake->timing.quiet_ms;
    file->held = !waited && (is_like_another(file, size) || may_be_truncated(file, size));
    if (!file->held) {
        file->copy_of = NULL;
        file->fresh = false;
        file->known_size = 0;
    }
    hf_file_tick_soon(file->source);
    return file->held;
}

/* The copy may have grown since it was compared, and the original too before it was truncated: what
 * we read of the original and what the copy holds have the shorter one of both in common. */
static bool
go_on_as_copy(struct hf_file *copy, const struct hf_print_hash *original)
{
    struct hf_fs_identity who;
    struct hf_print print;
    if (hf_fs_identify(copy->fd, NULL, &who, NULL) != HF_OK || who.size < copy->copied)
        return false;
    if (who.size < original->offset)
        return hf_file_go_on(copy, who.size);
    return hf_print_read(copy->fd, original->offset, &print) && hf_print_same(&print, original) &&
           hf_file_go_on(copy, original->offset);
}

void
hf_file_truncated(struct hf_file *file)
{
    struct hf_print_hash print;
    hf_print_hash(&file->print, &print);
    for (struct hf_file *other = file->source->files; other; other = other->next)
        if (other->held && other->copy_of == file && go_on_as_copy(other, &print))
            return;
    hf_truncated_add(file->source, &print);
}
