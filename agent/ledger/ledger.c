/* One file per trail. Every step is a frame; a crash leaves the frames that were synced, whole, and
 * any part of those that were not. After a failed write or fsync the descriptor is not trusted
 * again: the owner rewrites the whole file from its memory. */
#include "agent/ledger/ledger_impl.h"
#include <fcntl.h>
#include <holdfast/json.h>
#include <string.h>

struct hf_ledger {
    char *path;
    int fd;
    off_t end;
    uint64_t number;  /* of the next frame */
    uint64_t durable; /* the last frame that a sync covered */
    bool dirty;       /* written, not synced */
    bool broken;
    off_t ahead; /* blocks are allocated up to here */
};

/* On a disk that others have filled the next steps are what makes room: each delivery that they
 * allow frees a sealed file. */
#define AHEAD_BYTES (1 << 20)

static void
allocate_ahead(struct hf_ledger *ledger)
{
    if (ledger->end + AHEAD_BYTES / 2 > ledger->ahead &&
        hf_fs_allocate_behind(ledger->fd, ledger->end, AHEAD_BYTES, NULL) == HF_OK)
        ledger->ahead = ledger->end + AHEAD_BYTES;
}

/* Does a whole frame behind `offset` know that the one that should begin there was durable? Then
 * its bytes were damaged. Else this is the torn tail: of frames that were written and never synced
 * a power loss may leave any, not only the first ones. */
static bool
was_durable(struct hf_slice bytes, size_t offset, uint64_t number)
{
    struct frame frame;
    for (size_t at = (offset + 8) / 8 * 8; at + FRAME_HEADER <= bytes.size; at += 8) {
        if (frame_decode(bytes, at, &frame) && frame.number > number && frame.durable >= number)
            return true;
    }
    return false;
}

enum hf_status
hf_ledger_scan(struct hf_slice bytes,
               enum hf_status (*visit)(void *context, enum hf_step step, const json_t *doc,
                                       struct hf_error *err),
               void *context, size_t *ret_valid_bytes, struct hf_error *err)
{
    size_t offset = 0;
    uint64_t number = 1;
    struct frame frame;
    while (frame_decode(bytes, offset, &frame) && frame.number == number) {
        if (frame.step < HF_STEP_STATE || frame.step > HF_STEP_LAST)
            return hf_fail(
                err, HF_EVERSION,
                "step %llu is of kind %u, which only a later version knows: use that one",
                (unsigned long long)number, frame.step);
        hf_owned(hf_doc_freep) json_t *doc = NULL;
        enum hf_status status = hf_doc_parse(frame.doc, FRAME_DOC_MAX, "ledger step", &doc, err);
        if (status != HF_OK)
            return hf_while(err, HF_ECORRUPT, "step %llu", (unsigned long long)number);
        status = visit(context, (enum hf_step)frame.step, doc, err);
        if (status != HF_OK)
            return hf_while(err, status, "step %llu (%s)", (unsigned long long)number,
                            hf_step_name((enum hf_step)frame.step));
        offset += frame.size;
        number++;
    }
    if (offset < bytes.size && was_durable(bytes, offset, number))
        return hf_fail(err, HF_ECORRUPT, "damaged at byte %zu, with later steps behind it", offset);
    *ret_valid_bytes = offset;
    return HF_OK;
}

struct counting {
    enum hf_status (*visit)(void *context, enum hf_step step, const json_t *doc,
                            struct hf_error *err);
    void *context;
    uint64_t count;
};

static enum hf_status
count_and_visit(void *context, enum hf_step step, const json_t *doc, struct hf_error *err)
{
    struct counting *counting = context;
    counting->count++;
    return counting->visit(counting->context, step, doc, err);
}

/* Where the first frame begins that no sync is known to have covered. */
static size_t
find_unsynced(struct hf_slice valid)
{
    struct frame frame;
    uint64_t durable = 0;
    size_t at = 0;
    for (size_t last = 0; frame_decode(valid, last, &frame); last += frame.size)
        durable = frame.durable;
    while (frame_decode(valid, at, &frame) && frame.number <= durable)
        at += frame.size;
    return at;
}

/* Whoever wrote the file may have ended between write and sync, or after a sync that failed: its
 * last steps can be read, and are not on the disk. Nothing may be done on their strength before
 * they are, so their pages are written again. */
static enum hf_status
make_durable(struct hf_ledger *ledger, struct hf_slice valid, size_t torn_bytes,
             struct hf_error *err)
{
    size_t from = find_unsynced(valid);
    enum hf_status status = HF_OK;
    if (torn_bytes > 0)
        status = hf_fs_truncate(ledger->fd, (off_t)valid.size, err);
    if (status == HF_OK && from < valid.size)
        status = hf_fs_pwrite(ledger->fd, valid.ptr + from, valid.size - from, (off_t)from, err);
    if (status == HF_OK && (torn_bytes > 0 || from < valid.size))
        status = hf_fs_fsync(ledger->fd, err);
    return status;
}

/* Replays the file and cuts a torn tail off. */
static enum hf_status
replay(struct hf_ledger *ledger, struct counting *counting, uint64_t *ret_torn_bytes,
       struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(LEDGER_MAX);
    enum hf_status status = hf_fs_read_file(ledger->path, LEDGER_MAX, &bytes, err);
    if (status != HF_OK)
        return status;
    size_t valid;
    status = hf_ledger_scan(hf_buf_slice(&bytes), count_and_visit, counting, &valid, err);
    if (status != HF_OK)
        return hf_while(err, status, "reading ledger '%s'", ledger->path);
    status = make_durable(ledger, hf_slice(bytes.ptr, valid), bytes.size - valid, err);
    if (status != HF_OK)
        return hf_while(err, status, "settling the end of ledger '%s'", ledger->path);
    ledger->end = (off_t)valid;
    ledger->number = counting->count + 1;
    ledger->durable = counting->count;
    if (ret_torn_bytes)
        *ret_torn_bytes = bytes.size - valid;
    return HF_OK;
}

enum hf_status
hf_ledger_open(const char *path,
               enum hf_status (*visit)(void *context, enum hf_step step, const json_t *doc,
                                       struct hf_error *err),
               void *context, struct hf_ledger **ret_ledger, uint64_t *ret_torn_bytes,
               struct hf_error *err)
{
    struct stat stat;
    enum hf_status status = hf_fs_stat(path, &stat, err);
    if (status == HF_ENOTFOUND)
        status =
            hf_fs_replace(path, "", 0, 0600, err); /* its name is durable before the first step */
    if (status != HF_OK)
        return status;
    struct hf_ledger *ledger = hf_alloc(sizeof(*ledger));
    *ledger = (struct hf_ledger){ .path = hf_strdup(path), .fd = -1, .number = 1 };
    status = hf_fs_open(path, O_RDWR | O_CLOEXEC, 0, &ledger->fd, err);
    if (status == HF_OK) {
        struct counting counting = { .visit = visit, .context = context };
        status = replay(ledger, &counting, ret_torn_bytes, err);
    }
    if (status != HF_OK) {
        hf_ledger_close(ledger);
        return status;
    }
    allocate_ahead(ledger);
    *ret_ledger = ledger;
    return HF_OK;
}

void
hf_ledger_close(struct hf_ledger *ledger)
{
    if (!ledger)
        return;
    hf_fs_close(&ledger->fd);
    hf_freep(&ledger->path);
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
                   ledger->path);
}

enum hf_status
hf_ledger_add(struct hf_ledger *ledger, enum hf_step step, const json_t *doc, struct hf_error *err)
{
    if (ledger->broken)
        return refuse_broken(ledger, err);
    hf_owned(hf_buf_done) struct hf_buf frame = HF_BUF(FRAME_DOC_MAX + FRAME_HEADER + 8);
    enum hf_status status = frame_encode(step, ledger->number, ledger->durable, doc, &frame, err);
    if (status != HF_OK)
        return status;
    if ((uint64_t)ledger->end + frame.size > LEDGER_MAX)
        return hf_fail(err, HF_ELIMIT, "ledger '%s' would be larger than %u bytes", ledger->path,
                       LEDGER_MAX);
    status = hf_fs_pwrite(ledger->fd, frame.ptr, frame.size, ledger->end, err);
    if (status != HF_OK) {
        ledger->broken = true;
        return hf_while(err, status, "writing a %s step to ledger '%s'", hf_step_name(step),
                        ledger->path);
    }
    ledger->end += (off_t)frame.size;
    ledger->number++;
    ledger->dirty = true;
    allocate_ahead(ledger);
    return HF_OK;
}

enum hf_status
hf_ledger_sync(struct hf_ledger *ledger, struct hf_error *err)
{
    if (ledger->broken)
        return refuse_broken(ledger, err);
    if (!ledger->dirty)
        return HF_OK;
    enum hf_status status = hf_fs_fdatasync(ledger->fd, err);
    if (status != HF_OK) {
        ledger->broken = true;
        return hf_while(err, status, "syncing ledger '%s'", ledger->path);
    }
    ledger->dirty = false;
    ledger->durable = ledger->number - 1;
    return HF_OK;
}

/* Does the name still lead to the file that our descriptor is of? */
static bool
is_named(const struct hf_ledger *ledger)
{
    struct stat by_path, by_fd;
    return hf_fs_stat(ledger->path, &by_path, NULL) == HF_OK &&
           hf_fs_fstat(ledger->fd, &by_fd, NULL) == HF_OK && by_path.st_dev == by_fd.st_dev &&
           by_path.st_ino == by_fd.st_ino;
}

enum hf_status
hf_ledger_rewrite(struct hf_ledger *ledger, const enum hf_step *steps, json_t *const *docs,
                  size_t count, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(LEDGER_MAX);
    for (size_t i = 0; i < count; i++) {
        enum hf_status status = frame_encode(steps[i], i + 1, i, docs[i], &bytes, err);
        if (status != HF_OK)
            return hf_while(err, status, "rewriting ledger '%s'", ledger->path);
    }
    enum hf_status status = hf_fs_replace(ledger->path, bytes.ptr, bytes.size, 0600, err);
    if (status != HF_OK) {
        /* It may have failed after the rename: what is added to the old file would be lost. */
        ledger->broken = ledger->broken || !is_named(ledger);
        return hf_while(err, status, "rewriting ledger '%s'", ledger->path);
    }
    hf_owned(hf_fs_close) int fd = -1;
    status = hf_fs_open(ledger->path, O_RDWR | O_CLOEXEC, 0, &fd, err);
    if (status != HF_OK) {
        ledger->broken = true; /* the old descriptor leads to a file that has no name any more */
        return hf_while(err, status, "rewriting ledger '%s'", ledger->path);
    }
    hf_fs_close(&ledger->fd);
    ledger->fd = fd;
    fd = -1;
    ledger->end = (off_t)bytes.size;
    ledger->number = count + 1;
    ledger->durable = count;
    ledger->dirty = ledger->broken = false;
    ledger->ahead = 0;
    allocate_ahead(ledger);
    return HF_OK;
}
