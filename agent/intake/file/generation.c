/* A file that is not what we read any more: truncated, or overwritten. What it held and we had not
 * read is lost, and a gap says so; it is read again from its beginning. */
#include "agent/intake/file/reading.h"

#include <string.h>

void
hf_file_new_generation(struct hf_file *file, const char *reason)
{
    static const struct hf_print nothing = { .offset = 0 };
    struct hf_file_gap gap = file->gap;
    if (!gap.reason)
        gap = (struct hf_file_gap){ .reason = reason, .from = file->print.offset };
    if (file->known_size > file->print.offset)
        gap.unread_seen += file->known_size - file->print.offset;
    hf_file_set_gap(file, gap);
    hf_file_truncated(file);
    hf_file_set_print(file, &nothing);
    hf_long_line_reset(&file->line);
    file->partial = 0;
    file->known_size = 0;
    file->drain_to = 0;
    file->nul.after_truncation = true;
    file->nul.content_to = file->nul.from = file->nul.to = file->nul.last_hole = 0;
    hf_file_set_nul_tail(file, 0);
    hf_file_set_dirty(file, true);
}

void
hf_file_verify(struct hf_file *file)
{
    struct hf_fs_identity who;
    struct hf_print now;
    if (file->print.offset == 0 || hf_fs_identify(file->fd, NULL, &who, NULL) != HF_OK)
        return;
    if (who.size < file->print.offset)
        hf_file_new_generation(file, "truncated");
    else if (hf_print_read(file->fd, file->print.offset, &now, NULL) == HF_OK &&
             (memcmp(now.head, file->print.head, now.head_size) != 0 ||
              memcmp(now.tail, file->print.tail, now.tail_size) != 0))
        hf_file_new_generation(file, "overwritten");
}
