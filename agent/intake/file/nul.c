/* NUL bytes that were never written as such. A log that is mapped, or whose room was allocated before
 * it is filled, ends in a region of them: that is not content yet. Where data follows a hole, the hole
 * is skipped, not read; NUL bytes that were written, with something behind them, are content. */
#include "agent/intake/file/reading.h"

#define BLOCKS_AT_ONCE 8

size_t
hf_nul_tail(const struct hf_file *file, struct hf_slice input)
{
    size_t size = 0;
    if (file->print.offset + input.size <= file->nul.content_to)
        return 0;
    while (size < input.size && input.ptr[input.size - 1 - size] == '\0')
        size++;
    return size;
}

static size_t
first_content(const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    while (at < size && bytes[at] == '\0')
        at++;
    return at;
}

/* One hole, and one block behind it. *ret_found: what is at nul.to is content. */
static enum hf_status
pass_block(struct hf_file *file, uint8_t *block, bool *ret_end, bool *ret_found,
           struct hf_error *err)
{
    uint64_t at;
    size_t got = 0;
    enum hf_status status = hf_fs_seek_data(file->fd, file->nul.to, &at, NULL);
    if (status == HF_ENOTFOUND) { /* a hole up to the end, which may get something behind it */
        file->nul.hole = true;
        file->nul.last_hole = file->nul.to;
        *ret_end = true;
        return HF_OK;
    }
    if (status != HF_OK)
        at = file->nul.to; /* then it is read */
    file->nul.hole |= at > file->nul.to;
    status = hf_fs_pread(file->fd, block, HF_BLOCK_BYTES, (off_t)at, &got, err);
    if (status != HF_OK)
        return status;
    size_t nul = first_content(block, got);
    file->nul.to = at + nul;
    *ret_found = nul < got;
    *ret_end = got < HF_BLOCK_BYTES && !*ret_found;
    return HF_OK;
}

enum hf_status
hf_nul_pass(struct hf_file *file, uint64_t from, uint64_t size, enum hf_nul *ret_nul,
            struct hf_error *err)
{
    bool found = false, end = false;
    if (file->nul.from != from || file->nul.to < from || file->nul.to > size) {
        file->nul.from = file->nul.to = from;
        file->nul.hole = file->nul.after_truncation;
        file->nul.last_hole = 0;
    }
    if (file->nul.last_hole) { /* something may stand in it by now */
        file->nul.to = file->nul.last_hole;
        file->nul.last_hole = 0;
    }
    end = file->nul.to == size;
    hf_owned(hf_freep) uint8_t *block = end ? NULL : hf_alloc(HF_BLOCK_BYTES);
    for (int i = 0; i < BLOCKS_AT_ONCE && !found && !end; i++) {
        enum hf_status status = pass_block(file, block, &end, &found, err);
        if (status != HF_OK)
            return status;
    }
    if (end)
        file->nul.to = size;
    *ret_nul = end              ? HF_NUL_TAIL
               : !found         ? HF_NUL_MORE
               : file->nul.hole ? HF_NUL_HOLE
                                : HF_NUL_CONTENT;
    if (*ret_nul == HF_NUL_CONTENT)
        file->nul.content_to = file->nul.to + 1;
    return HF_OK;
}

enum hf_status
hf_nul_skip(struct hf_file *file, struct hf_error *err)
{
    struct hf_print print;
    uint64_t before = file->print.offset;
    enum hf_status status = hf_print_read(file->fd, file->nul.to, &print, err);
    if (status != HF_OK)
        return status;
    hf_file_set_print(file, &print);
    file->source->sum.skipped += print.offset - before;
    file->partial = 0;
    hf_file_set_dirty(file, true);
    return HF_OK;
}
