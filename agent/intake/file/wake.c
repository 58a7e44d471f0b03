/* What becomes of files that sleep. Whatever is unusual about one, it is opened: who it is and what is
 * in it is compared then, as it is after a restart (adopt.c). */
#include "agent/intake/file/looking.h"
#include "agent/intake/file/scan.h"
#include "agent/intake/file/sleep.h"

#include <string.h>

bool
hf_sleeper_see(struct hf_file_source *source, const struct hf_found_name *name)
{
    struct hf_file_id id = hf_file_id_of(&name->who);
    struct hf_orphan *orphan = hf_orphan_by_id(source, &id);
    if (!orphan || !hf_is_asleep(orphan))
        return false;
    if (orphan->sleep.seen_by == source->scans &&
        !hf_slice_is(hf_slice_text(name->path), orphan->position.path)) {
        hf_note(&source->noted.others, name->path, source->scans); /* a second name of it */
        return true;
    }
    orphan->sleep.seen_by = source->scans;
    bool waits = orphan->sleep.queue == HF_SLEEPERS_WAKING;
    if (waits || strcmp(orphan->position.path, name->path) != 0 ||
        name->who.size != orphan->sleep.size || name->who.changed_ns != orphan->sleep.changed_ns)
        return false;
    if (orphan->sleep.blind != HF_BLIND)
        orphan->sleep.blind = source->counted.blind;
    hf_orphan_queue(source, orphan, HF_SLEEPERS_SEEN);
    return true;
}

/* ---- waking ---- */

bool
hf_sleeper_grew(struct hf_file_source *source, const char *path)
{
    struct hf_orphan *orphan = hf_orphan_by_path(source, path);
    if (!orphan || !hf_is_asleep(orphan))
        return false;
    if (orphan->sleep.queue != HF_SLEEPERS_WAKING)
        hf_orphan_queue(source, orphan, HF_SLEEPERS_WAKING);
    hf_file_look_soon(source);
    return true;
}

void
hf_sleeper_moved(struct hf_file_source *source, struct hf_orphan *sleeper, const char *to)
{
    sleeper->position.moved = true;
    hf_orphan_set_path(source, sleeper, to);
    hf_orphan_queue(source, sleeper, HF_SLEEPERS_WAKING);
    hf_file_look_soon(source);
}

/* ---- those that are not there any more ---- */

/* All that was ever in it was read: where inotify watched since the last look, and told nothing. */
static bool
is_settled(const struct hf_file_source *source, const struct hf_orphan *sleeper)
{
    return sleeper->sleep.size == sleeper->position.print.offset &&
           (!hf_is_asleep(sleeper) ||
            (source->watch && sleeper->sleep.blind == source->counted.blind &&
             sleeper->sleep.queue == HF_SLEEPERS_SEEN));
}

void
hf_sleeper_lose(struct hf_file_source *source, struct hf_orphan *sleeper)
{
    sleeper->position.done = is_settled(source, sleeper);
    sleeper->position.seen_s = hf_wall_s();
    if (sleeper->position.done) {
        hf_orphan_queue(source, sleeper, HF_SLEEPERS_UNSAVED);
        hf_source_ready(&source->source);
    } else {
        hf_orphan_end_sleep(source, sleeper);
    }
    if (!sleeper->folder)
        hf_orphan_miss(source, sleeper);
}

/* The new one may be the same log, longer: then it goes on where this one was read to (adopt.c). Where
 * it is opened by the scan after the next, that is decided. */
void
hf_sleeper_replaced(struct hf_file_source *source, struct hf_orphan *sleeper)
{
    if (!is_settled(source, sleeper))
        sleeper->sleep.size = HF_CHANGED;
    sleeper->sleep.seen_by = source->scans;
    hf_orphan_queue(source, sleeper, HF_SLEEPERS_REPLACED);
    hf_orphan_miss(source, sleeper);
}

bool
hf_sleepers_lose_unseen(struct hf_file_source *source)
{
    struct hf_orphan *sleeper = hf_orphan_in(source, HF_SLEEPERS_REPLACED);
    if (sleeper && sleeper->sleep.seen_by + 1 < source->scans) {
        hf_sleeper_lose(source, sleeper);
        return true;
    }
    sleeper = hf_orphan_in(source, HF_SLEEPERS_SEEN);
    if (!sleeper || sleeper->sleep.seen_by == source->scans)
        return false;
    if (hf_is_unknown(source, sleeper->position.path)) {
        sleeper->sleep.seen_by = source->scans;
        hf_orphan_queue(source, sleeper, HF_SLEEPERS_SEEN);
    } else {
        hf_sleeper_lose(source, sleeper);
    }
    return true;
}

static enum hf_status
save(struct hf_unit *unit, const struct hf_position *position)
{
    hf_owned(hf_buf_done) struct hf_buf value = HF_BUF(2 * HF_PATH_MAX);
    char key[HF_FILE_KEY_SIZE];
    hf_assert(hf_position_encode(position, &value) == HF_OK);
    hf_file_key(unit->source->config.name, &position->id, key);
    return hf_unit_set_state(unit, key, hf_buf_slice(&value));
}

/* As many as a unit takes. */
bool
hf_sleepers_save(struct hf_file_source *source)
{
    struct hf_unit unit;
    struct hf_orphan *orphan = hf_orphan_in(source, HF_SLEEPERS_UNSAVED);
    if (!orphan)
        return true;
    if (hf_unit_begin(&unit, &source->source) != HF_OK)
        return false;
    for (; orphan && !hf_unit_is_large(&unit); orphan = TAILQ_NEXT(orphan, sleep.entry))
        if (save(&unit, &orphan->position) != HF_OK)
            return false;
    hf_unit_commit(&unit);
    while (hf_orphan_in(source, HF_SLEEPERS_UNSAVED) != orphan)
        hf_orphan_end_sleep(source, hf_orphan_in(source, HF_SLEEPERS_UNSAVED));
    if (orphan)
        hf_source_ready(&source->source);
    return true;
}
