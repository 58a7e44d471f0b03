/* What is known of a file's content, and the lists it stands in because of what it is. The diagram
 * stands in file_impl.h. */
#include "agent/intake/file/file_impl.h"

#include <string.h>

static const char *const state_texts[] = {
    [HF_FILE_NEW] = "nothing was read of it",
    [HF_FILE_HELD] = "held: it looks like the copy of another",
    [HF_FILE_READING] = "read",
    [HF_FILE_CLOSED] = "closed",
};

void
hf_file_put_on(struct hf_file *file, enum hf_file_list list, bool wanted)
{
    if (wanted && !file->on[list].is)
        LIST_INSERT_HEAD(&file->source->on[list], file, on[list].entry);
    else if (!wanted && file->on[list].is)
        LIST_REMOVE(file, on[list].entry);
    file->on[list].is = wanted;
}

void
hf_file_settle(struct hf_file *file)
{
    bool leaves = file->moved || file->name != HF_NAME_OURS;
    bool held = file->state == HF_FILE_HELD;
    hf_file_put_on(file, HF_LIST_WAITING, ((leaves && !file->late.quiet) || held) && !file->failed);
    hf_file_put_on(file, HF_LIST_LATE, leaves && file->late.quiet && !held && !file->failed);
    hf_file_put_on(file, HF_LIST_UNSAVED, file->save.dirty && !file->gap.reason);
    hf_turn_update(file, leaves);
}

static void
forget_original(struct hf_file *file)
{
    if (file->copy.original)
        LIST_REMOVE(file, copy.entry);
    file->copy.original = NULL;
}

static void
forget_copies(struct hf_file *file)
{
    while (!LIST_EMPTY(&file->copy.mine))
        forget_original(LIST_FIRST(&file->copy.mine));
}

void
hf_file_move(struct hf_file *file, enum hf_file_state state)
{
    if (state != file->state)
        hf_log_debug("file.state", HF_STR("path", file->path.text),
                     HF_STR("was", state_texts[file->state]), HF_STR("is", state_texts[state]));
    if (state == HF_FILE_HELD && !file->since.held_ms) {
        file->since.held_ms = hf_boot_ms();
        file->source->sum.held++;
    } else if (state != HF_FILE_HELD && file->since.held_ms) {
        file->since.held_ms = 0;
        file->source->sum.held--;
    }
    file->state = state;
    if (state != HF_FILE_HELD)
        forget_original(file);
    switch (state) {
    case HF_FILE_NEW:
    case HF_FILE_HELD: hf_heads_remove(file); break;
    case HF_FILE_READING: hf_heads_add(file); break;
    case HF_FILE_CLOSED:
        hf_heads_remove(file);
        forget_copies(file);
        break;
    }
    hf_file_settle(file);
}

void
hf_file_hold(struct hf_file *file, struct hf_file *original, uint64_t size)
{
    hf_file_move(file, HF_FILE_HELD);
    forget_original(file);
    file->copy.original = original;
    file->copy.size = size;
    if (original)
        LIST_INSERT_HEAD(&original->copy.mine, file, copy.entry);
}

/* The sum over all files follows. */
static void
count_behind(struct hf_file *file)
{
    uint64_t read = file->print.offset + file->nul.tail;
    uint64_t behind = file->size > read ? file->size - read : 0;
    file->source->sum.behind += behind - file->behind;
    file->behind = behind;
}

void
hf_file_set_size(struct hf_file *file, uint64_t size)
{
    file->size = size;
    count_behind(file);
}

void
hf_file_set_nul_tail(struct hf_file *file, uint64_t bytes)
{
    file->source->sum.nul += bytes - file->nul.tail;
    file->nul.tail = bytes;
    count_behind(file);
}

void
hf_file_set_print(struct hf_file *file, const struct hf_print *print)
{
    bool same = file->print.head_size == print->head_size &&
                memcmp(file->print.head, print->head, print->head_size) == 0;
    if (!same)
        hf_heads_remove(file);
    file->print = *print;
    count_behind(file);
    if (file->state == HF_FILE_READING)
        hf_heads_add(file);
}

void
hf_file_go_on(struct hf_file *file, const struct hf_print *print)
{
    hf_file_set_print(file, print);
    file->partial = 0;
    file->save.goes_on = true;
    hf_file_move(file, HF_FILE_READING);
    hf_file_set_dirty(file, true);
    hf_file_ready(file);
}

void
hf_file_set_dirty(struct hf_file *file, bool dirty)
{
    file->save.dirty = dirty;
    hf_file_settle(file);
}

void
hf_file_set_gap(struct hf_file *file, struct hf_file_gap gap)
{
    file->gap = gap;
    hf_file_settle(file);
}

void
hf_file_set_quiet(struct hf_file *file, bool quiet)
{
    file->late.quiet = quiet;
    hf_file_settle(file);
}

void
hf_file_grew(struct hf_file *file)
{
    file->since.quiet_ms = hf_boot_ms();
    hf_file_set_quiet(file, false);
}

void
hf_file_set_failed(struct hf_file *file, bool failed)
{
    file->failed = failed;
    hf_file_settle(file);
}
