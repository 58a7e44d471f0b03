/* One block of one file: look whether it is still the file we know, read behind the offset, cut,
 * hand over.
 *
 * The block is read together with the bytes before the offset, and these are compared with what was
 * there when they were read: a file that was truncated and written anew up to or beyond the offset
 * does not go unnoticed. A partial line is not kept in memory: it is read again with what follows
 * it. */
#include "agent/intake/file/file_impl.h"

#include <holdfast/crypto.h>
#include <string.h>

static void
read_failed(struct hf_file *file, const struct hf_error *err)
{
    file->failed = true;
    hf_source_problem(&file->source->source, err);
}

/* ---- generations ---- */

static void
new_generation(struct hf_file *file, const char *reason)
{
    if (!file->gap.reason)
        file->gap = (struct hf_file_gap){ .reason = reason, .from = file->print.offset };
    if (file->known_size > file->print.offset)
        file->gap.unread_seen += file->known_size - file->print.offset;
    hf_file_truncated(file);
    file->print = (struct hf_print){ .offset = 0 };
    hf_long_line_reset(&file->line);
    file->partial = 0;
    file->known_size = 0;
    file->drain_to = 0;
    file->after_truncation = true;
    file->dirty = true;
}

static enum hf_status
head_changed(struct hf_file *file, bool *ret_changed, struct hf_error *err)
{
    uint8_t head[HF_PRINT_BYTES];
    size_t got = 0;
    enum hf_status status = hf_fs_pread(file->fd, head, file->print.head_size, 0, &got, err);
    *ret_changed = got != file->print.head_size || memcmp(head, file->print.head, got) != 0;
    return status;
}

void
hf_file_verify(struct hf_file *file)
{
    struct hf_fs_identity who;
    struct hf_print now;
    if (file->print.offset == 0 || hf_fs_identify(file->fd, NULL, &who, NULL) != HF_OK)
        return;
    if (who.size < file->print.offset)
        new_generation(file, "truncated");
    else if (hf_print_read(file->fd, file->print.offset, &now, NULL) == HF_OK &&
             (memcmp(now.head, file->print.head, now.head_size) != 0 ||
              memcmp(now.tail, file->print.tail, now.tail_size) != 0))
        new_generation(file, "overwritten");
}

/* ---- reading ---- */

/* *ret_input: what lies behind the offset, in the intake's block. *ret_end: it is all there is. */
static enum hf_status
read_block(struct hf_file *file, struct hf_slice *ret_input, bool *ret_end, struct hf_error *err)
{
    struct hf_buf *block = &file->source->source.intake->block;
    size_t most = (size_t)file->source->source.max_event + HF_BLOCK_BYTES;
    size_t want = HF_MIN(HF_MAX((size_t)HF_BLOCK_BYTES, 2 * file->partial), most);
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
        new_generation(file, got < before ? "truncated" : "overwritten");
    }
}

/* After a restart in the middle of an over-long line, or a unit that failed: hashes what lies
 * before the offset again. */
static enum hf_status
rehash(struct hf_file *file, struct hf_error *err)
{
    struct hf_long_line *line = &file->line;
    uint64_t start = file->print.offset - line->bytes;
    hf_owned(hf_freep) uint8_t *bytes =
        line->hashed < line->bytes ? hf_alloc(HF_BLOCK_BYTES) : NULL;
    while (line->hashed < line->bytes) {
        size_t want = (size_t)HF_MIN((uint64_t)HF_BLOCK_BYTES, line->bytes - line->hashed), got = 0;
        enum hf_status status =
            hf_fs_pread(file->fd, bytes, want, (off_t)(start + line->hashed), &got, err);
        if (status != HF_OK)
            return status;
        if (got < want)
            return hf_fail(err, HF_EIO, "'%s' became shorter while it was read", file->path);
        hf_long_line_add(line, line->hashed, hf_slice(bytes, got));
    }
    return HF_OK;
}

/* ---- handing over ---- */

enum hf_status
hf_file_write_position(struct hf_unit *unit, const struct hf_file *file,
                       const struct hf_print *print, uint64_t line_parts, uint64_t line_bytes,
                       bool done)
{
    hf_owned(hf_buf_done) struct hf_buf value = HF_BUF(2 * HF_PATH_MAX);
    char key[HF_FILE_KEY_SIZE];
    struct hf_position state = { .id = file->id,
                                 .line_parts = line_parts,
                                 .line_bytes = line_bytes,
                                 .seen_s = unit->arrival_s,
                                 .done = done,
                                 .fresh = file->fresh,
                                 .moved = file->moved,
                                 .path = file->path };
    hf_print_hash(print, &state.print);
    hf_assert(hf_position_encode(&state, &value) == HF_OK);
    hf_file_key(unit->source->config.name, &file->id, key);
    enum hf_status status = HF_OK;
    if (file->old_key)
        status = hf_unit_set_state(unit, file->old_key, hf_slice(NULL, 0));
    return status == HF_OK ? hf_unit_set_state(unit, key, hf_buf_slice(&value)) : status;
}

/* The other files whose state waits go along: the position of a copy must not be durable after the
 * loss of the original's. */
enum hf_status
hf_file_write_dirty(struct hf_unit *unit, const struct hf_file *except)
{
    struct hf_file_source *source = hf_file_source(unit->source);
    for (struct hf_file *file = source->files; file; file = file->next) {
        if (!file->dirty || file == except || file->gap.reason)
            continue;
        enum hf_status status = hf_file_write_position(unit, file, &file->print, file->line.parts,
                                                       file->line.bytes, false);
        if (status != HF_OK)
            return status;
    }
    return HF_OK;
}

void
hf_file_dirty_written(struct hf_file_source *source)
{
    for (struct hf_file *file = source->files; file; file = file->next) {
        if (!file->dirty || file->gap.reason)
            continue;
        file->dirty = false;
        hf_freep(&file->old_key);
    }
}

/* A writer that does not append goes on at its old offset after a truncation: the file begins with
 * a hole, which reads as NUL bytes. They were never written, so they are no lines. */
static size_t
hole_size(const struct hf_file *file, struct hf_slice input)
{
    size_t size = 0;
    while (file->after_truncation && size < input.size && input.ptr[size] == '\0')
        size++;
    return size;
}

/* The whole unit; on failure the file is as before. */
static bool
hand_over(struct hf_file *file, struct hf_slice input, bool ended, struct hf_cut *ret_cut)
{
    struct hf_unit unit;
    struct hf_print print = file->print;
    struct hf_cut cut = { 0 };
    size_t hole = hole_size(file, input);
    struct hf_slice lines = hf_slice(input.ptr + hole, input.size - hole);
    if (hf_unit_begin(&unit, &file->source->source) != HF_OK)
        return false;
    enum hf_status status = HF_OK;
    if (file->gap.reason)
        status =
            hf_unit_gap(&unit, file->path, file->gap.reason, file->gap.from, file->gap.unread_seen);
    if (status == HF_OK)
        status = hf_unit_lines(&unit, lines, ended, &file->line, &cut);
    if (status == HF_OK) {
        hf_print_add(&print, hf_slice(input.ptr, hole + cut.consumed));
        status = hf_file_write_position(&unit, file, &print, cut.parts, cut.bytes, false);
    }
    if (status == HF_OK)
        status = hf_file_write_dirty(&unit, file);
    if (status != HF_OK) {
        /* The file may be longer when this is tried again: the hash is made anew from what then is
         * there. */
        hf_hasher_free(hf_take(file->line.hasher));
        file->line.hashed = 0;
        file->line.finished = false;
        return false;
    }
    hf_unit_commit(&unit);
    file->print = print;
    hf_cut_keep(&cut, &file->line);
    file->partial = cut.left;
    file->after_truncation &= lines.size == 0;
    file->gap.reason = NULL;
    file->gap.unread_seen = 0;
    hf_file_dirty_written(file->source);
    *ret_cut = cut;
    return true;
}

/* ---- the end of a file whose name is gone ---- */

/* The state goes with the file, or stays a while where the file may come back under another name.
 */
static void
close_file(struct hf_file *file, bool unlinked)
{
    struct hf_unit unit;
    struct hf_file_source *source = file->source;
    char key[HF_FILE_KEY_SIZE];
    hf_file_key(source->source.config.name, &file->id, key);
    if (hf_unit_begin(&unit, &source->source) != HF_OK) {
        hf_file_ready(file);
        return;
    }
    enum hf_status status = unlinked
                                ? hf_unit_set_state(&unit, key, hf_slice(NULL, 0))
                                : hf_file_write_position(&unit, file, &file->print,
                                                         file->line.parts, file->line.bytes, true);
    if (status != HF_OK) {
        hf_file_ready(file);
        return;
    }
    hf_unit_commit(&unit);
    if (!unlinked) {
        struct hf_position state = { .id = file->id,
                                     .line_parts = file->line.parts,
                                     .line_bytes = file->line.bytes,
                                     .seen_s = unit.arrival_s,
                                     .done = true,
                                     .path = hf_strdup(file->path) };
        hf_print_hash(&file->print, &state.print);
        hf_orphan_add(source, state);
    }
    hf_file_close(file);
}

/* Nothing came for a while, and all but a last line without newline is in the journal. */
static bool
finish(struct hf_file *file, struct hf_slice input, bool unlinked)
{
    struct hf_cut cut = { 0 };
    if ((input.size > 0 || file->line.parts > 0) && !hand_over(file, input, true, &cut))
        return true;
    if (cut.more)
        return true;
    file->moved = false;
    if (input.size > 0 && file->ending)
        return true; /* once more, for the case that just now something came */
    if (file->ending)
        close_file(file, unlinked);
    return false;
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
        file->gap = (struct hf_file_gap){ .reason = "truncated behind what was read",
                                          .from = size,
                                          .unread_seen = file->known_size - size };
        file->dirty = true;
    }
    if (size != file->known_size)
        file->quiet_since_ms = hf_boot_ms();
    file->known_size = end ? size : HF_MAX(size, file->known_size);
}

bool
hf_file_step(struct hf_file *file)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_fs_identity who;
    struct hf_slice input;
    bool end, waits = false;
    if (file->failed)
        return false;
    enum hf_status status = hf_fs_identify(file->fd, NULL, &who, &err);
    if (status == HF_OK && file->fresh)
        status = hf_file_wait(file, who.size, &waits, &err);
    if (status == HF_OK && waits) {
        struct hf_cut none;
        return file->dirty && !hand_over(file, hf_slice(NULL, 0), false, &none);
    }
    if (status == HF_OK)
        status = read_block(file, &input, &end, &err);
    if (status == HF_OK)
        status = rehash(file, &err);
    if (status != HF_OK) {
        read_failed(file, &err);
        return false;
    }
    note_size(file, file->print.offset + input.size, end);

    struct hf_cut cut;
    if (has_piece(file, input) || file->dirty || hole_size(file, input) > 0) {
        file->fresh &= input.size == 0;
        return hand_over(file, input, false, &cut) ? cut.more || !end : true;
    }
    file->partial = input.size;
    if (!end)
        return true;
    if ((file->ending || file->moved) && hf_file_is_quiet(file))
        return finish(file, input, who.links == 0);
    return false;
}
