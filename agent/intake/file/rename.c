/* What is told of names, one at a time. Who stands behind a name when its rename is told may be
 * somebody else already: the new name of any file of ours is followed, and the next scan opens what
 * it finds there unless it is known. */
#include "agent/intake/file/looking.h"
#include "agent/intake/file/sleep.h"

#define FOLLOWED_MS 1000

/* ---- names that files of ours were renamed to a moment ago ---- */

static void
drop(struct hf_file_source *source, struct hf_followed *followed)
{
    hf_table_remove(&source->by.followed, &followed->link);
    TAILQ_REMOVE(&source->followed, followed, entry);
    hf_freep(&followed->path);
    hf_freep(&followed);
}

/* Not as soon as it was looked at: the file may have gone on from there before, by a rename that is
 * told to us only now, and would be missed without a word. */
void
hf_followed_forget(struct hf_file_source *source)
{
    struct hf_followed *followed = TAILQ_FIRST(&source->followed), *next;
    for (uint64_t now_ms = hf_boot_ms(); followed; followed = next) {
        next = TAILQ_NEXT(followed, entry);
        if (now_ms - followed->since_ms >= FOLLOWED_MS)
            drop(source, followed);
    }
}

void
hf_followed_done(struct hf_file_source *source)
{
    while (!TAILQ_EMPTY(&source->followed))
        drop(source, TAILQ_FIRST(&source->followed));
}

static bool
take_followed(struct hf_file_source *source, const char *path, bool *ret_opened)
{
    struct hf_table_link *link = hf_table_find(&source->by.followed, hf_slice_text(path));
    if (!link)
        return false;
    struct hf_followed *followed = hf_container_of(link, struct hf_followed, link);
    if (ret_opened)
        *ret_opened = followed->opened;
    drop(source, followed);
    return true;
}

/* More names than a directory may hold are not followed: the scan finds them by their files. */
static void
follow(struct hf_file_source *source, const char *path)
{
    (void)take_followed(source, path, NULL); /* another file now */
    struct hf_followed *followed = hf_alloc(sizeof(*followed));
    followed->path = hf_strdup(path);
    followed->since_ms = hf_boot_ms();
    TAILQ_INSERT_TAIL(&source->followed, followed, entry);
    if (!hf_table_add(&source->by.followed, hf_slice_text(path), &followed->link))
        drop(source, followed);
}

/* ---- what happened ---- */

/* Something is written to a file that nobody has opened yet, or it came with what is in it. */
void
hf_name_written(struct hf_file_source *source, const char *path)
{
    if (hf_table_find(&source->by.followed, hf_slice_text(path)) ||
        hf_found_matches(&source->source.config, path))
        hf_note(&source->noted.written, path, source->scans);
}

static bool
stands_at(const struct hf_file_id *id, const char *path)
{
    struct hf_fs_identity who;
    if (hf_fs_identify(-1, path, &who, NULL) != HF_OK)
        return false;
    const struct hf_file_id now = hf_file_id_of(&who);
    return hf_file_id_same(&now, id);
}

/* Our file that is told to have lost this name. None, where the one that we know by it still stands
 * there: a scan ran ahead of what is told, which is about one that had the name before. Taken for
 * the new one's, it would end that one's last line in the middle. */
static struct hf_file *
left(struct hf_file_source *source, const char *path, bool *ret_stale)
{
    struct hf_file *file = hf_file_by_path(source, path);
    *ret_stale = file && stands_at(&file->id, path);
    return *ret_stale ? NULL : file;
}

/* The same of one that sleeps. */
static struct hf_orphan *
sleeper_left(struct hf_file_source *source, const char *path, bool *ret_stale)
{
    struct hf_orphan *sleeper = hf_orphan_by_path(source, path);
    if (!sleeper || !hf_is_asleep(sleeper))
        return NULL;
    *ret_stale |= stands_at(&sleeper->position.id, path);
    return *ret_stale ? NULL : sleeper;
}

/* A name is gone, and nobody had opened the file of ours that it held. Where nothing was ever written
 * under it, nothing is lost: an empty file, a second name, a link, a FIFO. */
static void
name_vanished(struct hf_file_source *source, const char *path)
{
    bool opened = false, followed = take_followed(source, path, &opened);
    bool written = hf_note_take(&source->noted.written, path),
         other = hf_note_take(&source->noted.others, path);
    if (opened || !written || other ||
        (!followed && !hf_found_matches(&source->source.config, path)))
        return;
    hf_merged_add(&source->noted.vanished, path);
    hf_source_ready(&source->source);
}

/* Another file came in its place; its descriptor still reads it. */
static void
overwrite(struct hf_file *replaced, const char *path)
{
    hf_file_name(replaced, HF_NAME_TAKEN, NULL);
    if (hf_slice_is(hf_slice_text(path), replaced->path.text))
        hf_replaced_add(replaced, true);
}

/* A scan saw it before we are told: whether it was put there whole is known only now. */
static void
came(struct hf_file_source *source, const char *path, bool whole)
{
    struct hf_file *replaced = hf_replaced_find(source, path);
    if (replaced)
        replaced->replaced.witnessed = whole;
}

void
hf_name_made(struct hf_file_source *source, const char *path)
{
    came(source, path, false);
}

void
hf_name_moved(struct hf_file_source *source, const char *from, const char *to)
{
    bool is_seen, stale;
    struct hf_file *replaced = left(source, to, &is_seen), *file = left(source, from, &stale);
    struct hf_orphan *under = sleeper_left(source, to, &is_seen),
                     *sleeper = sleeper_left(source, from, &stale);
    bool other = hf_note_take(&source->noted.others, from);
    bool written = hf_note_take(&source->noted.written, from);
    if (replaced && replaced != file)
        overwrite(replaced, to);
    if (under && under != sleeper)
        hf_sleeper_replaced(source, under);
    if (is_seen)
        came(source, to, true);
    if (take_followed(source, from, NULL) || file || sleeper || stale ||
        hf_found_matches(&source->source.config, from))
        follow(source, to);
    if (other)
        hf_note(&source->noted.others, to, source->scans);
    else if (written || (!file && !sleeper))
        hf_name_written(source, to);
    if (file && hf_slice_is(hf_slice_text(from), file->path.text))
        hf_file_name(file, file->name, to);
    if (sleeper)
        hf_sleeper_moved(source, sleeper, to);
}

/* It came out of a folder that is not watched, with what is in it. */
void
hf_name_came(struct hf_file_source *source, const char *path)
{
    bool stale;
    struct hf_file *replaced = left(source, path, &stale);
    struct hf_orphan *under = sleeper_left(source, path, &stale);
    if (replaced)
        overwrite(replaced, path);
    if (under)
        hf_sleeper_replaced(source, under);
    if (stale)
        came(source, path, true);
    else
        hf_name_written(source, path);
}

/* It was deleted, or went to a directory that is not watched. */
void
hf_name_left(struct hf_file_source *source, const char *path)
{
    bool stale;
    struct hf_file *file = left(source, path, &stale);
    struct hf_orphan *sleeper = sleeper_left(source, path, &stale);
    if (file)
        hf_file_name(file, HF_NAME_TAKEN, NULL);
    if (sleeper)
        hf_sleeper_lose(source, sleeper);
    else if (!file && !stale)
        name_vanished(source, path);
}
