/* What is told of names, one at a time. Who stands behind a name when its rename is told may be
 * somebody else already: the new name of any file of ours is followed, and the next scan opens what
 * it finds there unless it is known. */
#include "agent/intake/file/looking.h"

/* ---- names that files of ours were renamed to since the last scan ---- */

static void
drop(struct hf_file_source *source, struct hf_followed *followed)
{
    hf_table_remove(&source->by_followed, &followed->link);
    TAILQ_REMOVE(&source->followed, followed, entry);
    hf_freep(&followed->path);
    hf_freep(&followed);
}

void
hf_followed_done(struct hf_file_source *source)
{
    while (!TAILQ_EMPTY(&source->followed))
        drop(source, TAILQ_FIRST(&source->followed));
}

static bool
take_followed(struct hf_file_source *source, const char *path)
{
    struct hf_table_link *link = hf_table_find(&source->by_followed, hf_slice_text(path));
    if (link)
        drop(source, hf_container_of(link, struct hf_followed, link));
    return link != NULL;
}

/* More names than a directory may hold are not followed: the scan finds them by their files. */
static void
follow(struct hf_file_source *source, const char *path)
{
    if (hf_table_find(&source->by_followed, hf_slice_text(path)))
        return;
    struct hf_followed *followed = hf_alloc(sizeof(*followed));
    followed->path = hf_strdup(path);
    TAILQ_INSERT_TAIL(&source->followed, followed, entry);
    if (!hf_table_add(&source->by_followed, hf_slice_text(path), &followed->link))
        drop(source, followed);
}

/* ---- what happened ---- */

/* A name is gone, and nobody had opened the file of ours that it held. */
void
hf_name_vanished(struct hf_file_source *source, const char *path)
{
    bool followed = take_followed(source, path);
    if (!followed && !hf_found_matches(&source->source.config, path))
        return;
    hf_strings_add(&source->vanished, path);
    hf_source_ready(&source->source);
}

void
hf_name_moved(struct hf_file_source *source, const char *from, const char *to)
{
    struct hf_file *replaced = hf_file_by_path(source, to), *file = hf_file_by_path(source, from);
    if (replaced && replaced != file)
        hf_file_name(replaced, HF_NAME_TAKEN,
                     NULL); /* overwritten; its descriptor still reads it */
    if (take_followed(source, from) || file || hf_found_matches(&source->source.config, from))
        follow(source, to);
    if (file && hf_slice_is(hf_slice_text(from), file->path.text))
        hf_file_name(file, file->name, to);
}

/* To a directory that is not watched. */
void
hf_name_moved_away(struct hf_file_source *source, const char *from)
{
    struct hf_file *file = hf_file_by_path(source, from);
    if (file)
        hf_file_name(file, HF_NAME_TAKEN, NULL);
    else
        hf_name_vanished(source, from);
}
