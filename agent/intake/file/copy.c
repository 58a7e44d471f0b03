/* copytruncate: the log is copied, then truncated. The copy is a new inode, its bytes are not new.
 *
 * A file that was never seen and begins like one we read may be such a copy, also one that is still
 * being made. It is held back until the other is truncated (then it is the copy, and is read from
 * where we were), until the two differ, or until it did not grow for quiet_ms (then somebody simply
 * made a file like it). */
#include "agent/intake/file/looking.h"
#include "agent/intake/file/reading.h"
#include "agent/intake/file/sleep.h"

#include <string.h>

#define BUFFERS_AT_ONCE 16 /* of inotify's */

/* ---- of those that were truncated already ---- */

/* Is it the copy of a file whose truncation we saw? Then it goes on from there. */
static enum hf_status
go_on_from_truncated(struct hf_file *file, uint64_t size, bool *ret_is, struct hf_error *err)
{
    struct hf_file_source *source = file->source;
    uint64_t now_ms = hf_boot_ms();
    *ret_is = false;
    for (size_t i = 0; i < source->truncated.count; i++) {
        const struct hf_truncated *truncated = &source->truncated.items[i];
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
    for (size_t i = 0; i < source->truncated.count && !*ret_may; i++) {
        const struct hf_print_hash *print = &source->truncated.items[i].print;
        struct hf_print begin;
        struct hf_print_hash hash;
        if (now_ms > source->truncated.items[i].until_ms || size >= print->offset)
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

/* The one whose name this one's is made from: "app.log" of "app.log.1". */
static struct hf_file *
find_by_name(const struct hf_file *file)
{
    hf_owned(hf_freep) char *name = hf_strdup(file->path.text);
    char *begin = strrchr(name, '/');
    for (size_t size = strlen(name); begin && name + size > begin + 1; size--) {
        if (!strchr(".-_", name[size - 1]))
            continue;
        name[size - 1] = '\0';
        struct hf_file *original = hf_file_by_path(file->source, name);
        struct hf_orphan *sleeper = original ? NULL : hf_orphan_by_path(file->source, name);
        if (sleeper && hf_is_asleep(sleeper))
            original = hf_sleeper_wake(file->source, sleeper);
        if (original && original != file && original->state == HF_FILE_READING)
            return original;
    }
    return NULL;
}

struct candidates {
    struct hf_file *items[2];
    size_t count;
};

/* At most two that it may be a copy of: by its name, and by how it begins. */
static enum hf_status
find_candidates(const struct hf_file *file, struct candidates *ret, struct hf_error *err)
{
    uint8_t head[HF_PRINT_BYTES];
    size_t got;
    hf_owned(hf_freep) struct hf_file **files = NULL;
    enum hf_status status = hf_fs_pread(file->fd, head, sizeof(head), 0, &got, err);
    *ret = (struct candidates){ .count = 0 };
    if (status != HF_OK)
        return status;
    struct hf_file *named = find_by_name(file);
    if (named)
        ret->items[ret->count++] = named;
    if (hf_heads_alike(file->source, head, got, 1, &files) > 0) {
        if (files[0] != named)
            ret->items[ret->count++] = files[0];
        return HF_OK;
    }
    struct hf_orphan *sleeper = hf_sleeper_alike(file->source, head, got);
    struct hf_file *woken = sleeper ? hf_sleeper_wake(file->source, sleeper) : NULL;
    if (woken && woken != named && woken->state == HF_FILE_READING)
        ret->items[ret->count++] = woken;
    return HF_OK;
}

/* One that it begins like may just have been truncated: that decides. */
static enum hf_status
verify_alike(struct hf_file *file, struct hf_error *err)
{
    struct candidates candidates;
    enum hf_status status = find_candidates(file, &candidates, err);
    for (size_t i = 0; i < candidates.count; i++)
        hf_file_verify(candidates.items[i]);
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
    struct candidates candidates;
    enum hf_status status = find_candidates(file, &candidates, err);
    *ret_held = false;
    for (size_t i = 0; i < candidates.count && status == HF_OK && !*ret_held; i++) {
        struct hf_file *original = candidates.items[i];
        struct hf_fs_identity who;
        if (original->print.offset == 0)
            continue;
        status = hf_fs_identify(original->fd, NULL, &who, err);
        if (status != HF_OK)
            return status;
        uint64_t both = HF_MIN(size, who.size);
        status = same_range(original->fd, file->fd, both, ret_held, err);
        if (status == HF_OK && *ret_held && both == 0)
            *ret_held = false;
        if (status == HF_OK && *ret_held)
            hf_file_hold(file, original, both);
    }
    return status;
}

/* ---- of the one in whose place it was put ---- */

/* All of the old one is in the new one, which goes on where we were; so nothing of the old one is left
 * but what may still be written to it. Both positions go in one unit. */
static enum hf_status
go_on_in_place(struct hf_file *file, struct hf_file *old, uint64_t old_size, struct hf_error *err)
{
    struct hf_print begin, end;
    enum hf_status status = hf_print_read(file->fd, old->print.offset, &begin, err);
    if (status == HF_OK)
        status = hf_print_read(old->fd, old_size, &end, err);
    if (status != HF_OK)
        return status == HF_ENOTFOUND ? HF_OK : status;
    if (memcmp(begin.head, old->print.head, begin.head_size) != 0 ||
        memcmp(begin.tail, old->print.tail, begin.tail_size) != 0)
        return HF_OK;
    file->line.parts = old->line.parts;
    file->line.bytes = old->line.bytes;
    file->line.crc = old->line.crc;
    hf_file_go_on(file, &begin);
    hf_long_line_reset(&old->line);
    hf_file_go_on(old, &end);
    old->known_size = old_size;
    return HF_OK;
}

/* The scan may have run ahead of it. false: it is much, and goes on the next time. */
static bool
hear_what_is_told(struct hf_watch *watch)
{
    size_t left = hf_watch_waiting(watch);
    for (int i = 0; i < BUFFERS_AT_ONCE; i++)
        if (!hf_watch_read_some(watch, &left))
            return true;
    return false;
}

static enum hf_status
go_on_from_replaced(struct hf_file *file, uint64_t size, bool *ret_waits, struct hf_error *err)
{
    struct hf_file *old = hf_replaced_find(file->source, file->path.text);
    struct hf_fs_identity who;
    bool same;
    *ret_waits = false;
    if (old && !old->replaced.witnessed && file->source->watch) {
        *ret_waits = !hear_what_is_told(file->source->watch);
        old = hf_replaced_find(file->source, file->path.text);
    }
    if (*ret_waits) {
        hf_file_hold(file, NULL, 0);
        return HF_OK;
    }
    if (!old || old == file || old->state != HF_FILE_READING || old->gap.reason)
        return HF_OK;
    enum hf_status status = hf_fs_identify(old->fd, NULL, &who, err);
    if (status != HF_OK)
        return status;
    hf_replaced_remove(old); /* this is the one that was put there */
    /* With less than a KiB a match means nothing, unless we were told that it was put there whole. */
    if (size < who.size || who.size < old->print.offset || old->print.offset == 0 ||
        (!old->replaced.witnessed && old->print.offset < HF_PRINT_BYTES))
        return HF_OK;
    status = same_range(old->fd, file->fd, who.size, &same, err);
    return status == HF_OK && same ? go_on_in_place(file, old, who.size, err) : status;
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
    if (size ==
        0) { /* nothing to compare, and nothing to keep back; and it was not put there whole */
        struct hf_file *old = hf_replaced_find(file->source, file->path.text);
        if (old)
            hf_replaced_remove(old);
        hf_file_move(file, HF_FILE_NEW);
        return HF_OK;
    }
    if (file->state != HF_FILE_HELD || size != file->known_size) {
        file->since.quiet_ms = hf_boot_ms();
        file->known_size = size;
    }
    bool waits;
    enum hf_status status = go_on_from_replaced(file, size, &waits, err);
    if (status == HF_OK && waits) {
        hf_file_tick_soon(file->source);
        return HF_OK;
    }
    if (status == HF_OK && file->state != HF_FILE_READING)
        status = verify_alike(file, err);
    if (status == HF_OK && file->state != HF_FILE_READING)
        status = go_on_from_truncated(file, size, &is, err);
    if (status != HF_OK || file->state == HF_FILE_READING)
        return status;
    bool waited = file->state == HF_FILE_HELD && hf_file_is_quiet(file);
    status = decide(file, size, waited, err);
    hf_file_tick_soon(file->source);
    return status;
}
