/* From a file into the journal: one unit of lines, the gap in front of them if there is one, and
 * the position behind them. And the end of a file whose name is gone. */
#include "agent/intake/file/looking.h"
#include "agent/intake/file/reading.h"

#include <holdfast/crypto.h>
#include <string.h>

/* ---- positions ---- */

struct end { /* where the unit ends in the file */
    const struct hf_print *print;
    uint64_t line_parts, line_bytes;
    bool done;
};

static enum hf_status
write_position(struct hf_unit *unit, const struct hf_file *file, const struct end *end)
{
    hf_owned(hf_buf_done) struct hf_buf value = HF_BUF(2 * HF_PATH_MAX);
    char key[HF_FILE_KEY_SIZE];
    struct hf_position position = { .id = file->id,
                                    .line_parts = end->line_parts,
                                    .line_bytes = end->line_bytes,
                                    .seen_s = unit->arrival_s,
                                    .done = end->done,
                                    .fresh = file->state != HF_FILE_READING,
                                    .moved = file->moved,
                                    .path = file->path.text };
    hf_print_hash(end->print, &position.print);
    hf_assert(hf_position_encode(&position, &value) == HF_OK);
    hf_file_key(unit->source->config.name, &file->id, key);
    enum hf_status status = HF_OK;
    if (file->save.old_key)
        status = hf_unit_set_state(unit, file->save.old_key, hf_slice(NULL, 0));
    return status == HF_OK ? hf_unit_set_state(unit, key, hf_buf_slice(&value)) : status;
}

static struct end
as_it_is(const struct hf_file *file, bool done)
{
    return (struct end){ .print = &file->print,
                         .line_parts = file->line.parts,
                         .line_bytes = file->line.bytes,
                         .done = done };
}

/* The other files whose position waits go along, as many as a unit takes, and all that go on where
 * another file ended: the position of a copy must not be durable after the loss of the original's,
 * else a crash in between reads the copy from its beginning. One with a gap to tell waits for a unit
 * of its own. */
enum hf_status
hf_file_save(struct hf_unit *unit, struct hf_file *except)
{
    struct hf_file_source *source = hf_file_source(unit->source);
    struct hf_file *file;
    uint64_t save = ++source->counted.saves;
    if (except)
        except->save.by = save;
    for (file = LIST_FIRST(&source->on[HF_LIST_UNSAVED]); file;
         file = LIST_NEXT(file, on[HF_LIST_UNSAVED].entry)) {
        struct end end = as_it_is(file, false);
        if (file == except || (hf_unit_is_large(unit) && !file->save.goes_on))
            continue;
        enum hf_status status = write_position(unit, file, &end);
        if (status != HF_OK)
            return status;
        file->save.by = save;
    }
    return HF_OK;
}

void
hf_file_saved(struct hf_file_source *source)
{
    struct hf_file *file, *next;
    for (file = LIST_FIRST(&source->on[HF_LIST_UNSAVED]); file; file = next) {
        next = LIST_NEXT(file, on[HF_LIST_UNSAVED].entry);
        if (file->save.by != source->counted.saves)
            continue;
        hf_file_set_dirty(file, false);
        file->save.goes_on = false;
        hf_freep(&file->save.old_key);
    }
}

/* ---- lines ---- */

/* A writer that does not append goes on at its old offset after a truncation: the file begins with
 * a hole, which reads as NUL bytes. They were never written, so they are no lines. */
size_t
hf_file_hole(const struct hf_file *file, struct hf_slice input)
{
    size_t size = 0;
    while (file->nul.after_truncation && size < input.size && input.ptr[size] == '\0')
        size++;
    return size;
}

/* The file may be longer when this is tried again: the hash is what it was before the unit. It is
 * not made anew: of a line of many GB that would take minutes, each time that the journal refuses. */
static struct hf_long_line
before_unit(const struct hf_long_line *line)
{
    struct hf_long_line before = *line;
    before.hasher = line->hasher ? hf_hasher_copy(line->hasher) : NULL;
    return before;
}

static bool
refused(struct hf_file *file, struct hf_long_line *before)
{
    hf_hasher_free(hf_take(file->line.hasher));
    file->line = *before;
    return false;
}

/* Everything but begin and commit: the lines, and the position behind them in *print. */
static enum hf_status
fill(struct hf_unit *unit, struct hf_file *file, struct hf_slice input, bool ended,
     struct hf_print *print, struct hf_cut *cut)
{
    size_t hole = hf_file_hole(file, input);
    struct hf_slice lines = hf_slice(input.ptr + hole, input.size - hole);
    const struct hf_file_gap *gap = &file->gap;
    enum hf_status status = HF_OK;
    if (gap->reason)
        status = hf_unit_gap(unit, file->path.text, gap->reason, gap->from, gap->unread_seen);
    hf_unit_from_file(unit, file->path.text, print->offset + hole);
    if (status == HF_OK)
        status = hf_unit_lines(unit, lines, ended, &file->line, cut);
    if (status != HF_OK)
        return status;
    hf_print_add(print, hf_slice(input.ptr, hole + cut->consumed));
    struct end end = { .print = print, .line_parts = cut->parts, .line_bytes = cut->bytes };
    status = write_position(unit, file, &end);
    return status == HF_OK ? hf_file_save(unit, file) : status;
}

/* The whole unit; on failure the file is as before. */
bool
hf_file_hand_over(struct hf_file *file, struct hf_slice input, bool ended, struct hf_cut *ret_cut)
{
    struct hf_unit unit;
    struct hf_print print = file->print;
    struct hf_cut cut = { 0 };
    bool only_hole = hf_file_hole(file, input) == input.size;
    if (hf_unit_begin_for(&unit, &file->source->source, file->budget.owner, file->path.text) !=
        HF_OK) {
        hf_file_put_on(file, HF_LIST_OVER, unit.owner_waits);
        return false;
    }
    struct hf_long_line before = before_unit(&file->line);
    if (fill(&unit, file, input, ended, &print, &cut) != HF_OK)
        return refused(file, &before);
    hf_hasher_free(before.hasher);
    hf_unit_commit(&unit);
    hf_file_set_print(file, &print);
    hf_cut_keep(&cut, &file->line);
    file->partial = cut.left;
    hf_file_set_nul_tail(file, 0);
    file->nul.after_truncation &= only_hole;
    hf_file_set_gap(file, (struct hf_file_gap){ .reason = NULL });
    hf_file_saved(file->source);
    *ret_cut = cut;
    return true;
}

/* ---- the end of a file whose name is gone ---- */

static void
keep_position(struct hf_file *file, int64_t seen_s)
{
    struct hf_position position = { .id = file->id,
                                    .line_parts = file->line.parts,
                                    .line_bytes = file->line.bytes,
                                    .seen_s = seen_s,
                                    .done = true,
                                    .path = hf_strdup(file->path.text) };
    hf_print_hash(&file->print, &position.print);
    hf_orphan_add(file->source, position);
}

/* The position goes with the file, or stays a while where the file may come back under another
 * name. */
static void
close_file(struct hf_file *file, bool unlinked)
{
    struct hf_unit unit;
    char key[HF_FILE_KEY_SIZE];
    struct end end = as_it_is(file, true);
    hf_file_key(file->source->source.config.name, &file->id, key);
    enum hf_status status = hf_unit_begin(&unit, &file->source->source);
    if (status == HF_OK && unlinked)
        status = hf_unit_set_state(&unit, key, hf_slice(NULL, 0));
    else if (status == HF_OK)
        status = write_position(&unit, file, &end);
    if (status != HF_OK) {
        hf_file_ready(file);
        return;
    }
    hf_unit_commit(&unit);
    if (!unlinked)
        keep_position(file, unit.arrival_s);
    hf_file_close(file);
}

bool
hf_file_rest(struct hf_file *file, bool unlinked)
{
    struct hf_unit unit;
    char key[HF_FILE_KEY_SIZE];
    if (unlinked && file->partial == file->nul.tail && file->line.parts == 0) {
        hf_file_key(file->source->source.config.name, &file->id, key);
        if (hf_unit_begin(&unit, &file->source->source) != HF_OK ||
            hf_unit_set_state(&unit, key, hf_slice(NULL, 0)) != HF_OK)
            return false;
        hf_unit_commit(&unit);
    }
    hf_file_set_quiet(file, true);
    return true;
}

/* Nothing came for a while, and all but a last line without newline is in the journal. */
bool
hf_file_finish(struct hf_file *file, struct hf_slice input, bool unlinked)
{
    struct hf_cut cut = { 0 };
    bool ending = file->name != HF_NAME_OURS;
    if ((input.size > 0 || file->line.parts > 0) && !hf_file_hand_over(file, input, true, &cut))
        return true;
    if (cut.more)
        return true;
    hf_file_set_moved(file, false);
    if (input.size > 0 && ending)
        return true; /* once more, for the case that just now something came */
    if (ending)
        close_file(file, unlinked);
    return false;
}
