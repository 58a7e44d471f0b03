/* copytruncate: the log is copied, then truncated. The copy is a new inode, its bytes are not new.
 *
 * A file that was never seen and begins like one we read may be such a copy, also one that is still
 * being made. It is held back until the other is truncated (then it is the copy, and is read from
 * where we were), until the two differ, or until it did not grow for quiet_ms (then somebody simply
 * made a file like it). */
#include "agent/intake/file/reading.h"

#include <string.h>

/* ---- of those that were truncated already ---- */

/* Is it the copy of a file whose truncation we saw? Then it goes on from there. */
static enum hf_status
go_on_from_truncated(struct hf_file *file, uint64_t size, bool *ret_is, struct hf_error *err)
{
    struct hf_file_source *source = file->source;
    uint64_t now_ms = hf_boot_ms();
    *ret_is = false;
    for (size_t i = 0; i < source->truncated_count; i++) {
        const struct hf_truncated *truncated = &source->truncated[i];
        struct hf_print print;
        if (now_ms > truncated->until_ms || size < truncated->print.offset)
            continue;
        enum hf_status status = hf_print_read(file->fd, truncated->print.offset, &print, err);
        if (status != HF_OK && status != HF_ENOTFOUND)
            return status;
        if (status == HF_ENOTFOUND || !hf_print_same(&print, &truncated->print))
            continue;
        hf_file_go_on(file, &print);
        hf_truncated_remove(source, i);
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

/* ---- of those that are open ---- */

/* Those that begin like it. */
static enum hf_status
find_alike(const struct hf_file *file, struct hf_file ***ret_files, size_t *ret_count,
           struct hf_error *err)
{
    uint8_t head[HF_PRINT_BYTES];
    size_t got;
    enum hf_status status = hf_fs_pread(file->fd, head, sizeof(head), 0, &got, err);
    if (status == HF_OK)
        *ret_count = hf_heads_alike(file->source, head, got, ret_files);
    return status;
}

/* One that it begins like may just have been truncated: that decides. */
static enum hf_status
verify_alike(struct hf_file *file, struct hf_error *err)
{
    hf_owned(hf_freep) struct hf_file **files = NULL;
    size_t count = 0;
    enum hf_status status = find_alike(file, &files, &count, err);
    for (size_t i = 0; i < count; i++)
        hf_file_verify(files[i]);
    return status;
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

/* Is it, so far, the same as a file that we read? Then it is held for it. */
static enum hf_status
hold_if_alike(struct hf_file *file, uint64_t size, bool *ret_held, struct hf_error *err)
{
    hf_owned(hf_freep) struct hf_file **files = NULL;
    size_t count = 0;
    enum hf_status status = find_alike(file, &files, &count, err);
    *ret_held = false;
    for (size_t i = 0; i < count && status == HF_OK && !*ret_held; i++) {
        struct hf_fs_identity who;
        status = hf_fs_identify(files[i]->fd, NULL, &who, err);
        if (status != HF_OK)
            return status;
        uint64_t both = HF_MIN(size, who.size);
        status = same_range(files[i]->fd, file->fd, both, ret_held, err);
        if (status == HF_OK && *ret_held)
            hf_file_hold(file, files[i], both);
    }
    return status;
}

/* ---- the decision ---- */

/* Is it no copy at all, or has it waited long enough? */
static enum hf_status
decide(struct hf_file *file, uint64_t size, bool waited, struct hf_error *err)
{
    bool held = false;
    enum hf_status status = HF_OK;
    if (!waited)
        status = hold_if_alike(file, size, &held, err);
    if (status != HF_OK || held)
        return status;
    if (!waited)
        status = may_be_truncated(file, size, &held, err);
    if (status != HF_OK)
        return status;
    if (held) {
        hf_file_hold(file, NULL, 0);
        return HF_OK;
    }
    hf_file_move(file, HF_FILE_READING);
    file->known_size = 0;
    return HF_OK;
}

enum hf_status
hf_file_judge(struct hf_file *file, uint64_t size, struct hf_error *err)
{
    bool is = false;
    if (size == 0) { /* nothing to compare, and nothing to keep back */
        hf_file_move(file, HF_FILE_NEW);
        return HF_OK;
    }
    if (file->state != HF_FILE_HELD || size != file->known_size) {
        file->quiet_since_ms = hf_boot_ms();
        file->known_size = size;
    }
    enum hf_status status = verify_alike(file, err);
    if (status == HF_OK && file->state != HF_FILE_READING)
        status = go_on_from_truncated(file, size, &is, err);
    if (status != HF_OK || file->state == HF_FILE_READING)
        return status;
    bool waited = file->state == HF_FILE_HELD && hf_file_is_quiet(file);
    status = decide(file, size, waited, err);
    hf_file_tick_soon(file->source);
    return status;
}
