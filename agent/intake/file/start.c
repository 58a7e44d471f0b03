/* Where reading begins. At a source's very first start the files that are there are read from their
 * end, or from their beginning, as configured, and that decision is durable before a byte is read:
 * the key "file/SOURCE" says that it was taken. Whatever appears later is read from its beginning.
 */
#include "agent/intake/file/looking.h"
#include "agent/intake/file/reading.h"
#include "agent/intake/file/scan.h"

#include <stdio.h>
#include <string.h>

/* The end of the last whole line: an event that is just being written is not cut in two. */
static uint64_t
last_line_end(struct hf_file *file, uint64_t size)
{
    static const uint64_t look_back = 64u << 10;
    struct hf_buf *block = &file->source->block;
    uint64_t from = size > look_back ? size - look_back : 0;
    size_t got = 0;
    hf_buf_reset(block);
    if (hf_buf_reserve(block, look_back) != HF_OK ||
        hf_fs_pread(file->fd, block->ptr, (size_t)(size - from), (off_t)from, &got, NULL) != HF_OK)
        return size;
    const uint8_t *newline = got ? memrchr(block->ptr, '\n', got) : NULL;
    if (newline)
        return from + (uint64_t)(newline - block->ptr) + 1;
    return from == 0 ? 0 : size;
}

static void
place_at_end(struct hf_file *file)
{
    struct hf_fs_identity who;
    if (hf_fs_identify(file->fd, NULL, &who, NULL) != HF_OK || who.size == 0)
        return;
    struct hf_print print;
    uint64_t offset = last_line_end(file, who.size);
    if (offset > 0 && hf_print_read(file->fd, offset, &print, NULL) == HF_OK)
        hf_file_go_on(file, &print);
}

static void
key_of_source(const struct hf_file_source *source, char *ret_key, size_t size)
{
    snprintf(ret_key, size, "file/%s", source->source.config.name);
}

/* In as many units as it takes. */
bool
hf_file_save_all(struct hf_file_source *source)
{
    struct hf_unit unit;
    while (!LIST_EMPTY(&source->on[HF_LIST_UNSAVED])) {
        if (hf_unit_begin(&unit, &source->source) != HF_OK || hf_file_save(&unit, NULL) != HF_OK)
            return false;
        hf_unit_commit(&unit);
        hf_file_saved(source);
    }
    return true;
}

/* All positions, and then the mark: a start that ends in between takes them as they are, and places
 * what is left. false: refused, it goes on later. */
static bool
write_start(struct hf_file_source *source)
{
    char key[HF_FILE_KEY_SIZE];
    struct hf_unit unit;
    key_of_source(source, key, sizeof(key));
    if (!hf_file_save_all(source) || hf_unit_begin(&unit, &source->source) != HF_OK ||
        hf_unit_set_state(&unit, key, HF_SLICE_LITERAL("1 started")) != HF_OK)
        return false;
    hf_unit_commit(&unit);
    return true;
}

/* One that has a position was placed by a start that did not come to its end. Files that were there
 * together are no copies of each other. */
void
hf_file_place(struct hf_file *file)
{
    if (file->source->source.config.start == HF_START_END && file->print.offset == 0)
        place_at_end(file);
    hf_file_move(file, HF_FILE_READING);
}

static bool
has_started_before(struct hf_file_source *source)
{
    char key[HF_FILE_KEY_SIZE];
    hf_owned(hf_buf_done) struct hf_buf value = HF_BUF(4096);
    key_of_source(source, key, sizeof(key));
    hf_source_enter(&source->source);
    enum hf_status before = hf_journal_get_state(source->source.intake->journal, key, &value);
    hf_source_leave(&source->source);
    return before == HF_OK;
}

/* The first scan places what it opens, and then this is called again. */
void
hf_file_start(struct hf_file_source *source)
{
    if (source->started)
        return;
    if (!source->placed) {
        source->placed = source->started = has_started_before(source);
        return;
    }
    if (source->source.pressure.blocked)
        return;
    source->started = write_start(source);
    if (!source->started)
        return;
    hf_source_begun(&source->source);
    hf_source_ready(&source->source);
    if (source->drain.due)
        hf_file_scan_now(source);
}
