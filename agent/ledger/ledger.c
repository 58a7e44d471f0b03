/* Two files per trail, with the same bytes. Every step is a frame, written to both and synced in
 * both before it counts; a crash leaves the frames that were synced, whole, and any part of those
 * that were not. After a failed write or fsync the descriptors are not trusted again: the owner
 * rewrites the whole ledger from its memory. */
#include "agent/ledger/ledger_impl.h"
#include <fcntl.h>
#include <string.h>

/* On a disk that others have filled the next steps are what makes room: each delivery that they
 * allow frees a sealed file. */
#define AHEAD_BYTES (1 << 20)

static enum hf_status
allocate_both(struct hf_ledger *ledger, off_t size, struct hf_error *err)
{
    for (size_t i = 0; i < LEDGER_FILES; i++) {
        enum hf_status status = hf_fs_allocate_behind(ledger->files[i].fd, ledger->end, size, err);
        if (status != HF_OK)
            return status;
    }
    ledger->ahead = ledger->end + size;
    return HF_OK;
}

/* Both or none: a step that one file had room for, and the other not, would be in the way of the
 * next start on the same full disk. */
enum hf_status
ledger_allocate(struct hf_ledger *ledger, size_t need, struct hf_error *err)
{
    if (ledger->end + (off_t)need + AHEAD_BYTES / 2 <= ledger->ahead ||
        allocate_both(ledger, (off_t)need + AHEAD_BYTES, NULL) == HF_OK || need == 0 ||
        ledger->end + (off_t)need <= ledger->ahead)
        return HF_OK;
    enum hf_status status = allocate_both(ledger, (off_t)need, err);
    return status == HF_ENOSPC ? status : HF_OK; /* not every file system can */
}

enum hf_status
ledger_file_open(struct ledger_file *file, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    enum hf_status status = hf_fs_open(file->path, O_RDWR | O_CLOEXEC, 0, &fd, err);
    if (status != HF_OK)
        return status;
    hf_fs_close(&file->fd);
    file->fd = fd;
    fd = -1;
    return HF_OK;
}

void
hf_ledger_close(struct hf_ledger *ledger)
{
    if (!ledger)
        return;
    for (size_t i = 0; i < LEDGER_FILES; i++) {
        hf_fs_close(&ledger->files[i].fd);
        hf_freep(&ledger->files[i].path);
    }
    hf_freep(&ledger);
}

uint64_t
hf_ledger_bytes(const struct hf_ledger *ledger)
{
    return (uint64_t)ledger->end;
}

static enum hf_status
refuse_broken(const struct hf_ledger *ledger, struct hf_error *err)
{
    return hf_fail(err, HF_EIO,
                   "ledger '%s' failed to reach the disk earlier and has not been rewritten yet",
                   ledger->files[0].path);
}

static enum hf_status
write_both(struct hf_ledger *ledger, struct hf_slice frame, struct hf_error *err)
{
    enum hf_status status = ledger_allocate(ledger, frame.size, err);
    for (size_t i = 0; i < LEDGER_FILES && status == HF_OK; i++) {
        const struct ledger_file *file = &ledger->files[i];
        status = hf_fs_pwrite(file->fd, frame.ptr, frame.size, ledger->end, err);
        hf_while(err, status, "'%s'", file->path);
    }
    return status;
}

enum hf_status
hf_ledger_add(struct hf_ledger *ledger, enum hf_step step, const json_t *doc, struct hf_error *err)
{
    if (ledger->broken)
        return refuse_broken(ledger, err);
    hf_owned(hf_buf_done) struct hf_buf frame = HF_BUF(FRAME_DOC_MAX + FRAME_HEADER + FRAME_ALIGN);
    struct frame_stamp stamp = { .epoch = ledger->epoch,
                                 .number = ledger->number,
                                 .durable = ledger->durable };
    enum hf_status status = frame_encode(step, &stamp, doc, &frame, err);
    if (status != HF_OK)
        return status;
    if ((uint64_t)ledger->end + frame.size > LEDGER_MAX)
        return hf_fail(err, HF_ELIMIT, "ledger '%s' would be larger than %u bytes",
                       ledger->files[0].path, LEDGER_MAX);
    status = write_both(ledger, hf_buf_slice(&frame), err);
    if (status != HF_OK) {
        ledger->broken = true;
        return hf_while(err, status, "writing a %s step to ledger '%s'", hf_step_name(step),
                        ledger->files[0].path);
    }
    ledger->end += (off_t)frame.size;
    ledger->number++;
    ledger->dirty = true;
    return HF_OK;
}

enum hf_status
hf_ledger_sync(struct hf_ledger *ledger, struct hf_error *err)
{
    enum hf_status status = HF_OK;
    if (ledger->broken)
        return refuse_broken(ledger, err);
    if (!ledger->dirty)
        return HF_OK;
    for (size_t i = 0; i < LEDGER_FILES && status == HF_OK; i++) {
        status = hf_fs_fdatasync(ledger->files[i].fd, err);
        hf_while(err, status, "syncing ledger '%s'", ledger->files[i].path);
    }
    if (status != HF_OK) {
        ledger->broken = true;
        return status;
    }
    ledger->dirty = false;
    ledger->durable = ledger->number - 1;
    return HF_OK;
}

/* Does the name still lead to the file that our descriptor is of? */
static bool
is_named(const struct ledger_file *file)
{
    struct stat by_path, by_fd;
    return hf_fs_stat(file->path, &by_path, NULL) == HF_OK &&
           hf_fs_fstat(file->fd, &by_fd, NULL) == HF_OK && by_path.st_dev == by_fd.st_dev &&
           by_path.st_ino == by_fd.st_ino;
}

/* A file appears in its place synced, so that all its steps are durable. */
static enum hf_status
encode_all(uint64_t epoch, const enum hf_step *steps, json_t *const *docs, size_t count,
           struct hf_buf *bytes, struct hf_error *err)
{
    for (size_t i = 0; i < count; i++) {
        struct frame_stamp stamp = { .epoch = epoch, .number = i + 1, .durable = count };
        enum hf_status status = frame_encode(steps[i], &stamp, docs[i], bytes, err);
        if (status != HF_OK)
            return status;
    }
    return HF_OK;
}

/* The copy is not touched before the first file is in place, with its name durable. A crash in
 * between leaves two epochs, of which the newer counts; nothing was done on its strength yet. */
static enum hf_status
replace_both(struct hf_ledger *ledger, struct hf_slice bytes, struct hf_error *err)
{
    for (size_t i = 0; i < LEDGER_FILES; i++) {
        struct ledger_file *file = &ledger->files[i];
        enum hf_status status = hf_fs_replace(file->path, bytes.ptr, bytes.size, 0600, err);
        if (status == HF_OK)
            status = ledger_file_open(file, err);
        if (status != HF_OK) {
            /* It may have failed after the rename: what is added to the old file would be lost. */
            ledger->broken = ledger->broken || i > 0 || !is_named(file);
            return status;
        }
    }
    return HF_OK;
}

enum hf_status
hf_ledger_rewrite(struct hf_ledger *ledger, const enum hf_step *steps, json_t *const *docs,
                  size_t count, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(LEDGER_MAX);
    uint64_t epoch = ledger->newest + 1;
    enum hf_status status = encode_all(epoch, steps, docs, count, &bytes, err);
    if (status == HF_OK) {
        ledger->newest = epoch; /* never used again: part of it may reach the disk */
        status = replace_both(ledger, hf_buf_slice(&bytes), err);
    }
    if (status != HF_OK)
        return hf_while(err, status, "rewriting ledger '%s'", ledger->files[0].path);
    ledger->epoch = epoch;
    ledger->end = (off_t)bytes.size;
    ledger->number = count + 1;
    ledger->durable = count;
    ledger->dirty = ledger->broken = false;
    ledger->ahead = 0;
    ledger_allocate(ledger, 0, NULL);
    return HF_OK;
}

enum hf_status
hf_ledger_remove(const char *path, struct hf_error *err)
{
    hf_owned(hf_freep) char *copy = hf_asprintf("%s.copy", path);
    enum hf_status status = hf_fs_unlink(copy, err);
    return status == HF_OK || status == HF_ENOTFOUND ? hf_fs_unlink(path, err) : status;
}
