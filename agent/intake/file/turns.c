/* Whose turn it is. Files with something to read stand in a queue. A file that was rotated away is
 * the next to be removed: the oldest of these has every other turn. Not every one, else one that
 * its writer never leaves would keep all others waiting. */
#include "agent/intake/file/file_impl.h"

/* ---- the oldest of those that leave: a binary heap ---- */

static bool
is_before(const struct hf_file *a, const struct hf_file *b)
{
    if (a->id.birth_ns != b->id.birth_ns)
        return a->id.birth_ns < b->id.birth_ns;
    return a->turn.place < b->turn.place;
}

static void
put_at(struct hf_file_source *source, size_t at, struct hf_file *file)
{
    source->turns.leaving[at] = file;
    file->turn.leaving_at = at;
}

static void
rise(struct hf_file_source *source, size_t at, struct hf_file *file)
{
    for (; at > 0 && is_before(file, source->turns.leaving[(at - 1) / 2]); at = (at - 1) / 2)
        put_at(source, at, source->turns.leaving[(at - 1) / 2]);
    put_at(source, at, file);
}

static void
sink(struct hf_file_source *source, size_t at, struct hf_file *file)
{
    struct hf_file **leaving = source->turns.leaving;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < source->turns.leaving_count &&
            is_before(leaving[child + 1], leaving[child]))
            child++;
        if (child >= source->turns.leaving_count || !is_before(leaving[child], file))
            break;
        put_at(source, at, leaving[child]);
        at = child;
    }
    put_at(source, at, file);
}

static void
heap_add(struct hf_file *file)
{
    struct hf_file_source *source = file->source;
    if (source->turns.leaving_count == source->turns.leaving_room) {
        source->turns.leaving_room = HF_MAX(2 * source->turns.leaving_room, (size_t)16);
        source->turns.leaving = hf_realloc(
            source->turns.leaving, source->turns.leaving_room * sizeof(*source->turns.leaving));
    }
    file->turn.leaves = true;
    rise(source, source->turns.leaving_count++, file);
}

static void
heap_remove(struct hf_file *file)
{
    struct hf_file_source *source = file->source;
    size_t at = file->turn.leaving_at;
    struct hf_file *last = source->turns.leaving[--source->turns.leaving_count];
    file->turn.leaves = false;
    if (last == file)
        return;
    rise(source, at, last);
    sink(source, last->turn.leaving_at, last);
}

void
hf_turn_update(struct hf_file *file, bool leaves)
{
    leaves = leaves && file->turn.ready;
    if (leaves && !file->turn.leaves)
        heap_add(file);
    else if (!leaves && file->turn.leaves)
        heap_remove(file);
}

/* ---- the queue ---- */

static bool
is_leaving(const struct hf_file *file)
{
    return file->moved || file->name != HF_NAME_OURS;
}

void
hf_file_ready(struct hf_file *file)
{
    struct hf_file_source *source = file->source;
    if (file->on[HF_LIST_OVER].is)
        return;
    if (!file->turn.ready) {
        file->turn.ready = true;
        file->turn.place = ++source->turns.last;
        TAILQ_INSERT_TAIL(&source->turns.queue, file, turn.entry);
        hf_turn_update(file, is_leaving(file));
    }
    hf_source_ready(&source->source);
}

void
hf_file_ready_first(struct hf_file *file)
{
    struct hf_file_source *source = file->source;
    if (file->turn.ready || file->on[HF_LIST_OVER].is)
        return;
    file->turn.ready = true;
    file->turn.place = --source->turns.first;
    TAILQ_INSERT_HEAD(&source->turns.queue, file, turn.entry);
    hf_turn_update(file, is_leaving(file));
    hf_source_ready(&source->source);
}

void
hf_turn_leave(struct hf_file *file)
{
    if (!file->turn.ready)
        return;
    TAILQ_REMOVE(&file->source->turns.queue, file, turn.entry);
    file->turn.ready = false;
    hf_turn_update(file, false);
}

struct hf_file *
hf_file_take_ready(struct hf_file_source *source)
{
    struct hf_file *file = TAILQ_FIRST(&source->turns.queue);
    if (!file)
        return NULL;
    source->turns.by_age = !source->turns.by_age;
    if (source->turns.by_age && source->turns.leaving_count > 0)
        file = source->turns.leaving[0];
    hf_turn_leave(file);
    return file;
}

/* New ones stand in front in the list. */
void
hf_turn_over_again(struct hf_file_source *source)
{
    struct hf_file *file, *next;
    for (file = LIST_FIRST(&source->on[HF_LIST_OVER]); file; file = next) {
        next = LIST_NEXT(file, on[HF_LIST_OVER].entry);
        if (hf_budget_would_refuse(file->budget.owner))
            continue;
        hf_file_put_on(file, HF_LIST_OVER, false);
        hf_file_ready_first(file);
    }
    if (!LIST_EMPTY(&source->on[HF_LIST_OVER]))
        hf_source_owner_waits(&source->source);
}
