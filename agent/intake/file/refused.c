/* Files that are not read because a stranger may have put them there: a second name of a file can be
 * made by whoever may write to the folder, also of one that he may not read, and root's agent would
 * read it for him. So a file with several names is refused where it is seen for the first time in a
 * folder that others than root, the agent and the file's owner can write to. One that was followed
 * before stays followed: a second name must not silence it.
 *
 * A refusal is a record, once for each file; it lasts as long as the file is known here, also when
 * the other name goes: that it was the only one by then says nothing of who made it. */
#include "agent/intake/file/looking.h"

#include <unistd.h>

#define REFUSED_MAX 8192
#define TELL_MS     10000 /* at most one record in this time, of all that were met in it */

struct refused {
    struct hf_table_link link;
    LIST_ENTRY(refused) all;
    struct hf_file_id id;
};

static struct refused *
refused_of(const struct hf_table_link *link)
{
    return hf_container_of(link, struct refused, link);
}

static bool
is_id(const struct hf_table_link *link, struct hf_slice key)
{
    return hf_slice_equal(hf_file_id_key(&refused_of(link)->id), key);
}

void
hf_refused_init(struct hf_file_source *source)
{
    hf_table_init(&source->refused.by_id, REFUSED_MAX, is_id);
}

void
hf_refused_done(struct hf_file_source *source)
{
    while (!LIST_EMPTY(&source->refused.all)) {
        struct refused *refused = LIST_FIRST(&source->refused.all);
        hf_table_remove(&source->refused.by_id, &refused->link);
        LIST_REMOVE(refused, all);
        hf_freep(&refused);
    }
    hf_table_done(&source->refused.by_id);
    hf_merged_done(&source->refused.untold);
}

bool
hf_is_refused(struct hf_file_source *source, const struct hf_file_id *id)
{
    return hf_table_find(&source->refused.by_id, hf_file_id_key(id)) != NULL;
}

/* More than these are refused as well, and told each time. */
void
hf_refuse(struct hf_file_source *source, const struct hf_file_id *id, const char *path)
{
    struct refused *refused = hf_alloc(sizeof(*refused));
    refused->id = *id;
    if (hf_table_add(&source->refused.by_id, hf_file_id_key(&refused->id), &refused->link))
        LIST_INSERT_HEAD(&source->refused.all, refused, all);
    else
        hf_freep(&refused);
    hf_merged_add(&source->refused.untold, path);
    hf_source_ready(&source->source);
}

static bool
others_may_write(const struct stat *folder, uid_t owner)
{
    if (folder->st_uid != 0 && folder->st_uid != geteuid() && folder->st_uid != owner)
        return true;
    return hf_fs_others_may_write(folder);
}

bool
hf_is_strangers(const struct stat *folder, const struct hf_fs_identity *who)
{
    return who->links > 1 && others_may_write(folder, who->uid);
}

/* Tells of those that were met since the last time. */
void
hf_refused_tell(struct hf_file_source *source)
{
    struct hf_unit unit;
    uint64_t now_ms = hf_boot_ms();
    if (source->refused.untold.count == 0 ||
        (source->refused.told_ms && now_ms - source->refused.told_ms < TELL_MS) ||
        hf_unit_begin(&unit, &source->source) != HF_OK)
        return;
    if (hf_unit_refusal(&unit, &source->refused.untold,
                        "a second name of a file, in a folder that others can write to; it is not "
                        "read") != HF_OK)
        return;
    hf_unit_commit(&unit);
    source->refused.told_ms = now_ms;
    hf_merged_done(&source->refused.untold);
}
