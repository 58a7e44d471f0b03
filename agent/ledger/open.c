/* From what lies on disk to an open ledger. Both files are whole, the same, and synced before it is
 * given out: whoever wrote them may have ended between write and sync, or after a sync that failed,
 * and nothing may be done on the strength of steps that only stand in memory. */
#include "agent/ledger/ledger_impl.h"
#include <errno.h>
#include <fcntl.h>

struct found {
    struct hf_buf bytes[LEDGER_FILES];
    bool is_missing[LEDGER_FILES];
    bool is_unreadable[LEDGER_FILES];
};

static void
found_done(struct found *found)
{
    for (size_t i = 0; i < LEDGER_FILES; i++)
        hf_buf_done(&found->bytes[i]);
}

/* A file on a bad sector counts as empty: the other one has all that was durable. */
static enum hf_status
read_files(const struct hf_ledger *ledger, struct found *found, struct hf_error *err)
{
    for (size_t i = 0; i < LEDGER_FILES; i++) {
        struct hf_error own = { 0 };
        found->bytes[i] = HF_BUF(LEDGER_MAX);
        enum hf_status status =
            hf_fs_read_file(ledger->files[i].path, LEDGER_MAX, &found->bytes[i], &own);
        found->is_missing[i] = status == HF_ENOTFOUND;
        found->is_unreadable[i] = status == HF_EIO && own.sys_errno == EIO;
        if (status != HF_OK && !found->is_missing[i] && !found->is_unreadable[i])
            return hf_fail(err, status, "%s", own.text);
    }
    for (size_t i = 0; i < LEDGER_FILES; i++) {
        if (found->is_unreadable[i] && (found->is_missing[1 - i] || found->is_unreadable[1 - i]))
            return hf_fail(err, HF_EIO, "'%s' cannot be read, and there is no second one",
                           ledger->files[i].path);
    }
    return HF_OK;
}

/* A whole new file in its place, so that a good frame of this one is never written over, and bad
 * sectors stay behind. On a full disk its old blocks are what there is: nobody needs them when the
 * other file has everything. */
static enum hf_status
replace_file(const struct ledger_file *file, bool other_is_whole, struct hf_slice whole,
             struct hf_error *err)
{
    enum hf_status status = hf_fs_replace(file->path, whole.ptr, whole.size, 0600, err);
    if (status != HF_ENOSPC || !other_is_whole || hf_fs_unlink(file->path, NULL) != HF_OK)
        return status;
    return hf_fs_replace(file->path, whole.ptr, whole.size, 0600, err);
}

/* Only what no sync is known to have covered may differ: cut, written again, synced. */
static enum hf_status
settle_tail(const struct ledger_file *file, const struct merged *merged, size_t size,
            struct hf_error *err)
{
    size_t from = HF_MIN(merged->unsynced_from, size), end = merged->bytes.size;
    enum hf_status status = HF_OK;
    if (size == end && from == end)
        return HF_OK;
    if (size > end)
        status = hf_fs_truncate(file->fd, (off_t)end, err);
    if (status == HF_OK && from < end)
        status = hf_fs_pwrite(file->fd, merged->bytes.ptr + from, end - from, (off_t)from, err);
    return status == HF_OK ? hf_fs_fsync(file->fd, err) : status;
}

static bool
differs_before(const struct merged *merged, struct hf_slice file, size_t end)
{
    return file.size < end ||
           !hf_slice_equal(hf_slice(file.ptr, end), hf_slice(merged->bytes.ptr, end));
}

static enum hf_status
settle_file(struct hf_ledger *ledger, size_t i, const struct found *found,
            const struct merged *merged, struct hf_error *err)
{
    struct ledger_file *file = &ledger->files[i];
    struct hf_slice bytes = hf_buf_slice(&found->bytes[i]);
    enum hf_status status = HF_OK;
    bool anew = found->is_missing[i] || found->is_unreadable[i] || merged->is_stale[i] ||
                differs_before(merged, bytes, merged->unsynced_from);
    if (anew)
        status = replace_file(file, merged->is_whole[1 - i], hf_buf_slice(&merged->bytes), err);
    if (status == HF_OK)
        status = ledger_file_open(file, err);
    if (status == HF_OK && !anew)
        status = settle_tail(file, merged, bytes.size, err);
    return hf_while(err, status, "settling '%s'", file->path);
}

/* A stale file is no damage: a crash came between the two replacements of a rewrite. */
static void
describe(const struct found *found, const struct merged *merged,
         struct hf_ledger_recovery *ret_recovery)
{
    struct hf_ledger_file_recovery *files[LEDGER_FILES] = { &ret_recovery->file,
                                                            &ret_recovery->copy };
    *ret_recovery = (struct hf_ledger_recovery){ 0 };
    for (size_t i = 0; i < LEDGER_FILES; i++) {
        struct hf_slice bytes = hf_buf_slice(&found->bytes[i]);
        files[i]->missing = found->is_missing[i] && !found->is_missing[1 - i];
        files[i]->unreadable = found->is_unreadable[i];
        if (!found->is_missing[i] && !found->is_unreadable[i] && !merged->is_stale[i])
            ledger_compare(merged, bytes, files[i]);
        if (!merged->is_stale[i] && bytes.size > merged->bytes.size)
            ret_recovery->torn_bytes =
                HF_MAX(ret_recovery->torn_bytes, bytes.size - merged->bytes.size);
    }
}

/* Does what there is look like a ledger that a crash has left, and no worse? A hole is the torn
 * tail, but where a file could not be read the missing steps may stand in that one. */
static enum hf_status
check_complete(const struct found *found, const struct merged *merged, bool has_begun,
               struct hf_error *err)
{
    if (has_begun && merged->count == 0)
        return hf_fail(err, HF_ECORRUPT, "no step is left in either of its two files, at byte 0");
    if (merged->has_hole && (found->is_unreadable[0] || found->is_unreadable[1]))
        return hf_fail(err, HF_ECORRUPT,
                       "step %llu is damaged at byte %zu of one of its files, and the disk gives "
                       "an error for the other",
                       (unsigned long long)merged->count + 1, merged->bytes.size);
    return HF_OK;
}

static enum hf_status
recover(struct hf_ledger *ledger, bool has_begun, hf_ledger_visitor visit, void *context,
        struct hf_ledger_recovery *ret_recovery, struct hf_error *err)
{
    hf_owned(found_done) struct found found = { 0 };
    hf_owned(merged_done) struct merged merged = { 0 };
    enum hf_status status = read_files(ledger, &found, err);
    if (status != HF_OK)
        return status;
    const struct hf_slice files[LEDGER_FILES] = { hf_buf_slice(&found.bytes[0]),
                                                  hf_buf_slice(&found.bytes[1]) };
    status = ledger_merge(files, &merged, err);
    if (status == HF_OK)
        status = check_complete(&found, &merged, has_begun, err);
    if (status == HF_OK)
        status = ledger_visit(hf_buf_slice(&merged.bytes), visit, context, err);
    for (size_t i = 0; i < LEDGER_FILES && status == HF_OK; i++)
        status = settle_file(ledger, i, &found, &merged, err);
    if (status != HF_OK)
        return status;
    ledger->end = (off_t)merged.bytes.size;
    ledger->epoch = ledger->newest = merged.count ? merged.epoch : 1;
    ledger->number = merged.count + 1;
    ledger->durable = merged.count;
    describe(&found, &merged, ret_recovery);
    return HF_OK;
}

enum hf_status
hf_ledger_read(const char *path, hf_ledger_visitor visit, void *context, struct hf_error *err)
{
    hf_owned(hf_freep) char *own = hf_strdup(path), *copy = hf_asprintf("%s.copy", path);
    const struct hf_ledger ledger = { .files = { { .path = own, .fd = -1 },
                                                 { .path = copy, .fd = -1 } } };
    hf_owned(found_done) struct found found = { 0 };
    hf_owned(merged_done) struct merged merged = { 0 };
    enum hf_status status = read_files(&ledger, &found, err);
    if (status == HF_OK) {
        const struct hf_slice files[LEDGER_FILES] = { hf_buf_slice(&found.bytes[0]),
                                                      hf_buf_slice(&found.bytes[1]) };
        status = ledger_merge(files, &merged, err);
    }
    if (status == HF_OK)
        status = ledger_visit(hf_buf_slice(&merged.bytes), visit, context, err);
    return hf_while(err, status, "reading ledger '%s'", path);
}

enum hf_status
hf_ledger_open(const char *path, bool has_begun, hf_ledger_visitor visit, void *context,
               struct hf_ledger **ret_ledger, struct hf_ledger_recovery *ret_recovery,
               struct hf_error *err)
{
    struct hf_ledger *ledger = hf_alloc(sizeof(*ledger));
    ledger->files[0] = (struct ledger_file){ .path = hf_strdup(path), .fd = -1 };
    ledger->files[1] = (struct ledger_file){ .path = hf_asprintf("%s.copy", path), .fd = -1 };
    enum hf_status status = recover(ledger, has_begun, visit, context, ret_recovery, err);
    if (status != HF_OK) {
        hf_ledger_close(ledger);
        return hf_while(err, status, "opening ledger '%s'", path);
    }
    ledger_allocate(ledger, 0, NULL); /* asked for again with each step */
    *ret_ledger = ledger;
    return HF_OK;
}
