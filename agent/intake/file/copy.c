/* copytruncate: the log is copied, then truncated. The copy is a new inode, its bytes are not new.
 *
 * A file that was never seen and begins like one we read may be such a copy, also one that is still
 * being made. It is held back until the other is truncated (then it is the copy, and is read from
 * where we were), until the two differ, or until it did not grow for quiet_ms (then somebody simply
 * made a file like it). */
#include "agent/intake/file/file_impl.h"

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

/* The file is taken to be read up to the print's offset. */
void
hf_file_go_on(struct hf_file *file, const struct hf_print *print)
{
    file->print = *print;
    file->partial = 0;
    file->fresh = file->held = false;
    file->copy_of = NULL;
    file->dirty = true;
    hf_file_ready(file);
}

/* Of two files, whether [0, size) begins and ends alike. */
static enum hf_status
same_range(int a, int b, uint64_t size, bool *ret_same, struct hf_error *err)
{
    struct hf_print print_a, print_b;
    *ret_same = false;
    enum hf_status status = hf_print_read(a, size, &print_a, err);
    if (status == HF_OK)
        status = hf_print_read(b, size, &print_b, err);
    if (status == HF_OK)
        *ret_same = memcmp(print_a.head, print_b.head, print_a.head_size) == 0 &&
                    memcmp(print_a.tail, print_b.tail, print_a.tail_size) == 0;
    return status == HF_ENOTFOUND ? HF_OK : status;
}

/* Is it the copy of a file whose truncation we saw? Then it goes on from there. */
static enum hf_status
go_on_from_truncated(struct hf_file *file, uint64_t size, bool *ret_is, struct hf_error *err)
{
    struct hf_file_source *source = file->source;
    uint64_t now_ms = hf_boot_ms();
    *ret_is = false;
    for (size_t i = 0; i < source->truncated_count; i++) {
        struct hf_truncated *truncated = &source->truncated[i];
        struct hf_print print;
        if (now_ms > truncated->until_ms || size < truncated->print.offset)
            continue;
        enum hf_status status = hf_print_read(file->fd, truncated->print.offset, &print, err);
        if (status != HF_OK && status != HF_ENOTFOUND)
            return status;
        if (status == HF_ENOTFOUND || !hf_print_same(&print, &truncated->print))
            continue;
        hf_file_go_on(file, &print);
        memmove(truncated, truncated + 1, (source->truncated_count - i - 1) * sizeof(*truncated));
        source->truncated_count--;
        *ret_is = true;
        return HF_OK;
    }
    return HF_OK;
}

/* May it become such a copy, when it has grown? */
static enum hf_status
may_be_truncated(const struct hf_file *file, uint64_t size, bool *ret_may, struct hf_error *err)
{
    const struct hf_file_source *source = file->source;
    uint64_t now_ms = hf_boot_ms();
    *ret_may = false;
    for (size_t i = 0; i < source->truncated_count && !*ret_may; i++) {
        const struct hf_print_hash *print = &source->truncated[i].print;
        struct hf_print begin;
        struct hf_print_hash hash;
        if (now_ms > source->truncated[i].until_ms || size >= print->offset)
            continue;
        enum hf_status status = size < HF_PRINT_BYTES
                                    ? HF_ENOTFOUND
                                    : hf_print_read(file->fd, HF_PRINT_BYTES, &begin, err);
        if (status != HF_OK && status != HF_ENOTFOUND)
            return status;
        if (status == HF_OK)
            hf_print_hash(&begin, &hash);
        *ret_may = status == HF_ENOTFOUND /* too short to tell */ ||
                   memcmp(hash.head, print->head, HF_PRINT_HASH) == 0;
    }
    return HF_OK;
}

static bool
begins_alike(const struct hf_file *known, const struct hf_file *file, const uint8_t *head,
             size_t size)
{
    size_t both = HF_MIN((size_t)known->print.head_size, size);
    return known != file && !known->fresh && both > 0 && memcmp(known->print.head, head, both) == 0;
}

static enum hf_status
read_head(const struct hf_file *file, uint8_t head[HF_PRINT_BYTES], size_t *ret_size,
          struct hf_error *err)
{
    return hf_fs_pread(file->fd, head, HF_PRINT_BYTES, 0, ret_size, err);
}

/* One that it begins like may just have been truncated: that decides. */
static enum hf_status
verify_alike(struct hf_file *file, struct hf_error *err)
{
    uint8_t head[HF_PRINT_BYTES];
    size_t got;
    enum hf_status status = read_head(file, head, &got, err);
    if (status != HF_OK)
        return status;
    for (struct hf_file *known = file->source->files; known; known = known->next)
        if (begins_alike(known, file, head, got))
            hf_file_verify(known);
    return HF_OK;
}

/* Is it, so far, the same as a file that we read? */
static enum hf_status
is_like_another(struct hf_file *file, uint64_t size, bool *ret_is, struct hf_error *err)
{
    uint8_t head[HF_PRINT_BYTES];
    size_t got;
    enum hf_status status = read_head(file, head, &got, err);
    *ret_is = false;
    for (struct hf_file *known = file->source->files; known && status == HF_OK && !*ret_is;
         known = known->next) {
        struct hf_fs_identity who;
        if (!begins_alike(known, file, head, got))
            continue;
        status = hf_fs_identify(known->fd, NULL, &who, err);
        if (status != HF_OK)
            return status;
        uint64_t both = HF_MIN(size, who.size);
        status = same_range(known->fd, file->fd, both, ret_is, err);
        if (status != HF_OK || !*ret_is)
            continue;
        file->copy_of = known;
        file->copied = both;
    }
    return status;
}

/* Has it waited long enough, or is it no copy at all? */
static enum hf_status
judge(struct hf_file *file, uint64_t size, bool waited, struct hf_error *err)
{
    bool held = false;
    enum hf_status status = HF_OK;
    if (!waited)
        status = is_like_another(file, size, &held, err);
    if (status == HF_OK && !waited && !held)
        status = may_be_truncated(file, size, &held, err);
    if (status != HF_OK)
        return status;
    file->held = held;
    if (!held) {
        file->copy_of = NULL;
        file->fresh = false;
        file->known_size = 0;
    }
    return HF_OK;
}

enum hf_status
hf_file_wait(struct hf_file *file, uint64_t size, bool *ret_waits, struct hf_error *err)
{
    uint64_t now_ms = hf_boot_ms();
    bool is = false;
    *ret_waits = false;
    if (size == 0)
        return HF_OK;
    if (!file->held || size != file->known_size) {
        file->quiet_since_ms = now_ms;
        file->known_size = size;
    }
    enum hf_status status = verify_alike(file, err);
    if (status == HF_OK && file->fresh)
        status = go_on_from_truncated(file, size, &is, err);
    if (status != HF_OK || !file->fresh || is)
        return status;
    bool waited = file->held && hf_file_is_quiet(file);
    status = judge(file, size, waited, err);
    *ret_waits = file->held;
    hf_file_tick_soon(file->source);
    return status;
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
    if (hf_fs_identify(copy->fd, NULL, &who, NULL) != HF_OK || who.size < copy->copied)
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
    for (struct hf_file *other = file->source->files; other; other = other->next)
        if (other->held && other->copy_of == file && go_on_as_copy(other, &print))
            return;
    hf_truncated_add(file->source, &print);
}
