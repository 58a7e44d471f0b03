/* One block of one file: look whether it is still the file we know, read behind the offset, cut,
 * hand over.
 *
 * The block is read together with the bytes before the offset, and these are compared with what was
 * there when they were read: a file that was truncated and written anew up to or beyond the offset
 * does not go unnoticed. A partial line is not kept in memory: it is read again with what follows
 * it. */
#include "agent/intake/file/reading.h"
#include "agent/intake/thread.h"

#include <string.h>

#define REHASH_BLOCKS 8 /* a step */

static bool
read_failed(struct hf_file *file, const struct hf_error *err)
{
    hf_file_set_failed(file, true); /* until the next scan */
    hf_source_problem(&file->source->source, err);
    return false;
}

/* ---- reading ---- */

static enum hf_status
head_changed(struct hf_file *file, bool *ret_changed, struct hf_error *err)
{
    uint8_t head[HF_PRINT_BYTES];
    size_t got = 0;
    enum hf_status status = hf_fs_pread(file->fd, head, file->print.head_size, 0, &got, err);
    *ret_changed = got != file->print.head_size || memcmp(head, file->print.head, got) != 0;
    return status;
}

/* *ret_input: what lies behind the offset, in the intake's block. *ret_end: it is all there is. */
static enum hf_status
read_block(struct hf_file *file, struct hf_slice *ret_input, bool *ret_end, struct hf_error *err)
{
    struct hf_buf *block = &file->source->block;
    size_t most = (size_t)file->source->source.max_event + HF_BLOCK_BYTES;
    size_t want =
        HF_MIN(HF_MAX((size_t)HF_BLOCK_BYTES, 2 * (file->partial - file->nul.tail)), most);
    for (int generation = 0;; generation++) {
        size_t before = file->print.tail_size, got = 0;
        hf_buf_reset(block);
        enum hf_status status = hf_buf_reserve(block, before + want);
        if (status == HF_OK)
            status = hf_fs_pread(file->fd, block->ptr, before + want,
                                 (off_t)(file->print.offset - before), &got, err);
        if (status != HF_OK)
            return status;
        *ret_end = got < before + want;
        bool changed = got < before || memcmp(block->ptr, file->print.tail, before) != 0;
        /* Up to that offset the tail is the whole file. */
        if (!changed && file->print.offset > HF_PRINT_BYTES)
            status = head_changed(file, &changed, err);
        if (status != HF_OK)
            return status;
        if (!changed) {
            *ret_input = hf_slice(block->ptr + before, got - before);
            return HF_OK;
        }
        hf_assert(generation == 0); /* at offset 0 there is nothing to compare */
        hf_file_new_generation(file, got < before ? "truncated" : "overwritten");
    }
}

/* After a restart in the middle of an over-long line: hashes what lies before the offset again, some
 * of it at a time. *ret_more: not yet all. */
static enum hf_status
rehash(struct hf_file *file, bool *ret_more, struct hf_error *err)
{
    struct hf_long_line *line = &file->line;
    uint64_t start = file->print.offset - line->bytes;
    hf_owned(hf_freep) uint8_t *bytes =
        line->hashed < line->bytes ? hf_alloc(HF_BLOCK_BYTES) : NULL;
    for (int i = 0; i < REHASH_BLOCKS && line->hashed < line->bytes; i++) {
        size_t want = (size_t)HF_MIN((uint64_t)HF_BLOCK_BYTES, line->bytes - line->hashed), got = 0;
        enum hf_status status =
            hf_fs_pread(file->fd, bytes, want, (off_t)(start + line->hashed), &got, err);
        if (status != HF_OK)
            return status;
        if (got < want)
            return hf_fail(err, HF_EIO, "'%s' became shorter while it was read", file->path.text);
        hf_long_line_add(line, line->hashed, hf_slice(bytes, got));
        file->source->counted.rehashed += got;
    }
    *ret_more = line->hashed < line->bytes;
    return HF_OK;
}

/* ---- the step ---- */

static bool
has_piece(const struct hf_file *file, struct hf_slice input)
{
    return hf_piece_next(input, file->source->source.max_event, file->line.parts > 0, false).kind !=
           HF_PIECE_NONE;
}

/* What lies behind the offset may be taken back before it is read. */
static void
note_size(struct hf_file *file, uint64_t size, bool end)
{
    if (end && size < file->known_size && !file->gap.reason) {
        hf_file_set_gap(file, (struct hf_file_gap){ .reason = "truncated behind what was read",
                                                    .from = size,
                                                    .unread_seen = file->known_size - size });
        hf_file_set_dirty(file, true);
    }
    if (size != file->known_size)
        hf_file_grew(file);
    file->known_size = end ? size : HF_MAX(size, file->known_size);
}

/* HELD: that it is there stands in the journal, and nothing else. */
static bool
step_held(struct hf_file *file)
{
    struct hf_cut none;
    return file->save.dirty && !hf_file_hand_over(file, hf_slice(NULL, 0), false, &none);
}

/* Behind `content` there is nothing but NUL bytes in what was read. *ret_wait: nor further on. true:
 * there is more to do. */
static bool
step_nul(struct hf_file *file, struct hf_slice content, uint64_t size, bool *ret_wait)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_cut cut;
    enum hf_nul nul = HF_NUL_TAIL;
    uint64_t from = file->print.offset + content.size;
    enum hf_status status = hf_nul_pass(file, from, size, &nul, &err);
    if (status == HF_OK && nul == HF_NUL_HOLE) {
        if (content.size > 0 || file->line.parts > 0) { /* nobody goes on in front of a hole */
            hf_file_hand_over(file, content, true, &cut);
            return true;
        }
        status = hf_nul_skip(file, &err);
    }
    if (status != HF_OK)
        return read_failed(file, &err);
    *ret_wait = nul == HF_NUL_TAIL;
    if (*ret_wait && size > from) {
        hf_file_set_nul_tail(file, size - from);
        file->partial = (size_t)(size - file->print.offset);
    }
    return !*ret_wait;
}

/* All that there is was read, but for half a line. */
static bool
finish_if_late(struct hf_file *file, struct hf_slice input, bool unlinked)
{
    if (!file->moved && file->name == HF_NAME_OURS)
        return false;
    if (!file->late.quiet && !hf_file_is_quiet(file))
        return false;
    if (!file->late.quiet && !hf_file_rest(file, unlinked))
        return true;
    return hf_file_is_late(file) ? hf_file_finish(file, input, unlinked) : false;
}

/* READING; or NEW, and empty when it was looked at. */
static bool
step_reading(struct hf_file *file, const struct hf_fs_identity *who)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_slice input;
    struct hf_cut cut;
    bool end, unhashed = false;
    enum hf_status status = read_block(file, &input, &end, &err);
    if (status == HF_OK)
        status = rehash(file, &unhashed, &err);
    if (status != HF_OK)
        return read_failed(file, &err);
    if (unhashed)
        return true;
    size_t nul = hf_nul_tail(file, input);
    input.size -= nul;
    note_size(file, file->print.offset + input.size, end || nul > 0);
    if (has_piece(file, input) || file->save.dirty || hf_file_hole(file, input) > 0) {
        if (input.size > 0)
            hf_file_move(file, HF_FILE_READING);
        return hf_file_hand_over(file, input, false, &cut) ? cut.more || !end || nul > 0 : true;
    }
    file->partial = input.size;
    hf_file_set_nul_tail(file, 0);
    bool wait = true;
    if (nul > 0 &&
        step_nul(file, input, HF_MAX(who->size, file->print.offset + input.size + nul), &wait))
        return true;
    if (nul == 0 && !end)
        return true;
    return wait && finish_if_late(file, input, who->links == 0);
}

/* What has no name any more cannot be found again: what there is of it becomes records, if that is
 * not much; else the next start tells of a gap. */
static void
last_words(struct hf_file *file)
{
    struct hf_fs_identity who;
    struct hf_slice input;
    bool end, unhashed, more = true;
    if (file->state != HF_FILE_READING || file->name == HF_NAME_OURS || file->failed ||
        hf_fs_identify(file->fd, NULL, &who, NULL) != HF_OK || who.links > 0 ||
        (file->late.quiet && file->partial == file->nul.tail &&
         who.size == file->print.offset + file->partial))
        return;
    for (int turn = 0; turn < 4 && more; turn++) {
        if (read_block(file, &input, &end, NULL) != HF_OK ||
            rehash(file, &unhashed, NULL) != HF_OK || unhashed || !end)
            return;
        input.size -= hf_nul_tail(file, input);
        more = hf_file_finish(file, input, true) && !file->source->source.pressure.blocked;
    }
}

void
hf_files_last_words(struct hf_file_source *source)
{
    struct hf_file *file, *next;
    for (file = LIST_FIRST(&source->files); file; file = next) {
        next = LIST_NEXT(file, all);
        last_words(file);
    }
}

bool
hf_file_step(struct hf_file *file)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_fs_identity who;
    if (file->failed)
        return false;
    hf_thread_doing(file->source->source.thread, file->path.text);
    enum hf_status status = hf_fs_identify(file->fd, NULL, &who, &err);
    if (status == HF_OK)
        hf_file_set_size(file, who.size);
    if (status == HF_OK && file->state != HF_FILE_READING)
        status = hf_file_judge(file, who.size, &err);
    if (status != HF_OK)
        return read_failed(file, &err);
    switch (file->state) {
    case HF_FILE_HELD: return step_held(file);
    case HF_FILE_NEW:
    case HF_FILE_READING: return step_reading(file, &who);
    case HF_FILE_CLOSED: break;
    }
    hf_assert(!"a closed file has no turn");
    return false;
}
