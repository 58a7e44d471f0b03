/* The names of the open files: each leads to one file, the one that was seen under it last. The
 * diagram stands in file_impl.h.
 *
 * A name is another file's as soon as that one is opened or seen under it. The one that had it
 * before must not be found by it any more: what is told of the name (written to, unlinked) is not
 * about it, and a file that came and went under the name would be taken for it, and not be
 * missed. */
#include "agent/intake/file/file_impl.h"

#include <string.h>

static const char *const name_texts[] = {
    [HF_NAME_OURS] = "under a name of the pattern",
    [HF_NAME_GONE] = "its name is gone",
    [HF_NAME_TAKEN] = "its name may be another file's",
};

struct hf_file *
hf_file_by_path(struct hf_file_source *source, const char *path)
{
    struct hf_table_link *link = hf_table_find(&source->by.name, hf_slice_text(path));
    return link ? hf_container_of(link, struct hf_file_path, link)->file : NULL;
}

static void
unlink_path(struct hf_file_path *path)
{
    hf_table_remove(&path->file->source->by.name, &path->link);
}

/* Now it leads to this file. The one that it led to before has lost its name by that; where only a
 * link led to it, it has lost no more than that. */
static void
link_path(struct hf_file_path *path)
{
    struct hf_file_source *source = path->file->source;
    struct hf_slice key = hf_slice_text(path->text);
    struct hf_table_link *link = hf_table_find(&source->by.name, key);
    if (path->link.in)
        return;
    if (link) {
        struct hf_file_path *older = hf_container_of(link, struct hf_file_path, link);
        hf_table_remove(&source->by.name, link);
        if (older == &older->file->path) {
            hf_file_name(older->file, HF_NAME_TAKEN, NULL);
            hf_replaced_add(older->file, false);
        }
    }
    hf_assert(hf_table_add(&source->by.name, key, &path->link));
}

/* Where a link led when the file was opened: it may lead to a newer one by now, which keeps it. */
static void
link_if_free(struct hf_file_path *path)
{
    if (path->text && !path->link.in && !hf_file_by_path(path->file->source, path->text))
        link_path(path);
}

static void
set_text(struct hf_file_path *path, const char *text)
{
    unlink_path(path);
    if (path == &path->file->path)
        hf_replaced_remove(path->file);
    hf_freep(&path->text);
    path->text = hf_strdup(text);
}

void
hf_file_name(struct hf_file *file, enum hf_file_name name, const char *path)
{
    bool other = path && file->path.text && strcmp(file->path.text, path) != 0;
    if (name != file->name)
        hf_log_debug("file.name", HF_STR("path", file->path.text),
                     HF_STR("was", name_texts[file->name]), HF_STR("is", name_texts[name]));
    /* Its writer has quiet_ms to go on in it, from the moment at which the name changed. */
    if (other || (file->name == HF_NAME_OURS && name != HF_NAME_OURS))
        hf_file_grew(file);
    file->name = name;
    if (path && (other || !file->path.text))
        set_text(&file->path, path);
    file->moved |= other;
    if (name == HF_NAME_TAKEN) {
        unlink_path(&file->path);
        unlink_path(&file->real_path);
    } else {
        link_path(&file->path);
        link_if_free(&file->real_path);
    }
    hf_file_settle(file);
}

void
hf_file_set_moved(struct hf_file *file, bool moved)
{
    file->moved = moved;
    hf_file_settle(file);
}

void
hf_file_set_real_path(struct hf_file *file, const char *path)
{
    set_text(&file->real_path, path);
    link_path(&file->real_path);
}
