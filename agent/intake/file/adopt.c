/* A file was opened: is its position among those of files that were not open? Then it is read on
 * from there. */
#include "agent/intake/file/orphans.h"
#include "agent/intake/file/reading.h"

#include <string.h>

static enum hf_status
matches(const struct hf_file *file, uint64_t size, const struct hf_position *position,
        bool *ret_matches, struct hf_print *ret_print, struct hf_error *err)
{
    *ret_matches = false;
    if (size < position->print.offset)
        return HF_OK;
    enum hf_status status = hf_print_read(file->fd, position->print.offset, ret_print, err);
    *ret_matches = status == HF_OK && hf_print_same(ret_print, &position->print);
    return status == HF_ENOTFOUND ? HF_OK : status;
}

/* It is not what was read. */
static void
begin_anew(struct hf_file *file, const struct hf_orphan *orphan, uint64_t size)
{
    const struct hf_position *position = &orphan->position;
    const char *reason = !hf_is_asleep(orphan) ? "truncated or replaced while it was not watched"
                         : size < position->print.offset ? "truncated"
                                                         : "overwritten";
    hf_file_move(file, HF_FILE_READING);
    hf_file_set_dirty(file, true);
    hf_truncated_add(file->source, &position->print);
    file->nul.after_truncation |= hf_is_asleep(orphan);
    if (!hf_orphan_is_settled(orphan) && position->print.offset > 0)
        hf_file_set_gap(file,
                        (struct hf_file_gap){ .reason = reason, .from = position->print.offset });
}

/* `print` NULL: it has other content now. */
static void
take_over(struct hf_file *file, struct hf_orphan *orphan, uint64_t size,
          const struct hf_print *print)
{
    const struct hf_position *position = &orphan->position;
    bool other = strcmp(position->path, file->path.text) != 0, slept = hf_is_asleep(orphan);
    hf_file_set_moved(file, position->moved || other);
    if (slept)
        file->seen_by = orphan->sleep.seen_by;
    if (print) {
        hf_file_go_on(file, print);
        file->line.parts = position->line_parts;
        file->line.bytes = position->line_bytes;
        if (position->fresh)
            hf_file_move(file, HF_FILE_NEW);
    } else {
        begin_anew(file, orphan, size);
    }
    if (slept && print && !file->moved) { /* just so it stands in the journal */
        file->save.goes_on = false;
        hf_file_set_dirty(file, false);
    }
    hf_orphan_remove(file->source, orphan);
}

/* Inode and birth both say that it is another file. They outweigh equal content once the old one is
 * done: a job that writes the same log each day is not to be read once only. */
static bool
is_another(const struct hf_file *file, const struct hf_orphan *orphan)
{
    const struct hf_file_id *id = &file->id, *old = &orphan->position.id;
    bool births = id->birth_ns != 0 && old->birth_ns != 0;
    return hf_orphan_is_settled(orphan) &&
           (births ? id->birth_ns != old->birth_ns : id->ino != old->ino);
}

/* A position of another inode's, which goes with the first unit. */
static void
go_on_from(struct hf_file *file, struct hf_orphan *orphan, uint64_t size,
           const struct hf_print *print)
{
    char key[HF_FILE_KEY_SIZE];
    hf_file_key(file->source->source.config.name, &orphan->position.id, key);
    take_over(file, orphan, size, print);
    file->save.old_key = hf_strdup(key);
}

/* It was put in the place of one that slept, and begins with all that was read of that one. */
static enum hf_status
adopt_replaced(struct hf_file *file, uint64_t size, bool *ret_adopted, struct hf_error *err)
{
    struct hf_orphan *orphan = hf_orphan_by_path(file->source, file->path.text);
    struct hf_print print;
    if (!orphan || hf_is_asleep(orphan) || orphan->position.print.offset == 0)
        return HF_OK;
    enum hf_status status = matches(file, size, &orphan->position, ret_adopted, &print, err);
    if (status == HF_OK && *ret_adopted)
        go_on_from(file, orphan, size, &print);
    return status;
}

/* Its device may have got another number (a reboot, a volume), or it was restored: nothing is to be
 * read twice for that. */
static enum hf_status
adopt_renumbered(struct hf_file *file, uint64_t size, const uint8_t content[HF_CONTENT_KEY],
                 bool *ret_adopted, struct hf_error *err)
{
    struct hf_file_source *source = file->source;
    struct hf_orphan *orphan = NULL;
    while ((orphan = hf_orphan_by_content(source, content, orphan)) != NULL) {
        struct hf_print print;
        bool same;
        if (is_another(file, orphan))
            continue;
        enum hf_status status = matches(file, size, &orphan->position, &same, &print, err);
        if (status != HF_OK)
            return status;
        if (!same)
            continue;
        go_on_from(file, orphan, size, &print);
        *ret_adopted = true;
        return HF_OK;
    }
    return HF_OK;
}

/* The key of what is read of it: `size` bytes. HF_ENOTFOUND: it is shorter. */
static enum hf_status
content_of(const struct hf_file *file, uint64_t size, uint8_t ret_content[HF_CONTENT_KEY],
           struct hf_error *err)
{
    struct hf_position position = { .id = file->id, .print = { .offset = size } };
    struct hf_print print = { .offset = 0 };
    enum hf_status status = size > 0 ? hf_print_read(file->fd, size, &print, err) : HF_OK;
    if (status == HF_OK && size > 0)
        hf_print_hash(&print, &position.print);
    hf_content_key_of(&position, ret_content);
    return status;
}

enum hf_status
hf_orphan_adopt(struct hf_file *file, uint64_t size, struct hf_error *err)
{
    struct hf_orphan *orphan = hf_orphan_by_id(file->source, &file->id);
    struct hf_print print;
    uint8_t content[HF_CONTENT_KEY];
    bool adopted = false;
    enum hf_status status;
    if (orphan) {
        status = matches(file, size, &orphan->position, &adopted, &print, err);
        if (status == HF_OK)
            take_over(file, orphan, size, adopted ? &print : NULL);
        return status;
    }
    if (!hf_orphans_first(file->source))
        return HF_OK;
    status = adopt_replaced(file, size, &adopted, err);
    if (status != HF_OK || adopted)
        return status;
    if (size >= HF_PRINT_BYTES) {
        status = content_of(file, HF_PRINT_BYTES, content, err);
        if (status == HF_OK)
            status = adopt_renumbered(file, size, content, &adopted, err);
        if ((status != HF_OK && status != HF_ENOTFOUND) || adopted)
            return status;
    }
    status = content_of(file, 0, content, err);
    return status == HF_OK ? adopt_renumbered(file, size, content, &adopted, err) : status;
}
