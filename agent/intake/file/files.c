/* The open files of a source: made, found by who they are, closed. */
#include "agent/intake/file/file_impl.h"
#include "agent/intake/file/scan.h"

#include <string.h>

_Static_assert(offsetof(struct hf_file_source, source) == 0, "as hf_source_kind says");

struct hf_file_source *
hf_file_source(const struct hf_source *source)
{
    return hf_container_of(source, struct hf_file_source, source);
}

static struct hf_file *
file_of(const struct hf_table_link *link)
{
    return hf_container_of(link, struct hf_file, by_id);
}

static bool
is_id(const struct hf_table_link *link, struct hf_slice key)
{
    return hf_slice_equal(hf_file_id_key(&file_of(link)->id), key);
}

static bool
is_name(const struct hf_table_link *link, struct hf_slice key)
{
    return hf_slice_is(key, hf_container_of(link, struct hf_file_path, link)->text);
}

static bool
is_followed(const struct hf_table_link *link, struct hf_slice key)
{
    return hf_slice_is(key, hf_container_of(link, struct hf_followed, link)->path);
}

static bool
is_replaced(const struct hf_table_link *link, struct hf_slice key)
{
    return hf_slice_is(key, hf_container_of(link, struct hf_file, replaced.link)->path.text);
}

void
hf_files_init(struct hf_file_source *source)
{
    hf_table_init(&source->by.id, HF_FILES_MAX + HF_FILES_SPARE, is_id);
    hf_table_init(&source->by.name, 2ull * (HF_FILES_MAX + HF_FILES_SPARE),
                  is_name); /* and where links lead */
    hf_table_init(&source->by.followed, HF_NAMES_MAX, is_followed);
    hf_table_init(&source->by.replaced, HF_FILES_MAX + HF_FILES_SPARE, is_replaced);
    TAILQ_INIT(&source->turns.queue);
    TAILQ_INIT(&source->followed);
}

void
hf_files_done(struct hf_file_source *source)
{
    while (!LIST_EMPTY(&source->files))
        hf_file_close(LIST_FIRST(&source->files));
    hf_table_done(&source->by.id);
    hf_table_done(&source->by.name);
    hf_table_done(&source->by.followed);
    hf_table_done(&source->by.replaced);
    hf_freep(&source->turns.leaving);
    hf_freep(&source->heads.items);
}

struct hf_file *
hf_file_by_id(struct hf_file_source *source, const struct hf_file_id *id)
{
    struct hf_table_link *link = hf_table_find(&source->by.id, hf_file_id_key(id));
    return link ? file_of(link) : NULL;
}

static struct hf_owner *
owner_of(struct hf_file_source *source, int fd, const char *path)
{
    char name[HF_OWNER_SIZE];
    struct stat info = { .st_uid = 0 };
    if (hf_fs_fstat(fd, &info, NULL) != HF_OK)
        return hf_owner_get(source->source.account, "files of unknown users");
    hf_owner_of_file(source->source.intake->users, source->source.config.path, path, info.st_uid,
                     name);
    return hf_owner_get(source->source.account, name);
}

struct hf_file *
hf_file_new(struct hf_file_source *source, int fd, const struct hf_file_id *id, const char *path)
{
    struct hf_file *file = hf_alloc(sizeof(*file));
    *file = (struct hf_file){ .source = source, .id = *id, .fd = fd };
    file->path.file = file->real_path.file = file;
    file->since.quiet_ms = file->since.opened_ms = hf_boot_ms();
    file->budget.owner = owner_of(source, fd, path);
    hf_assert(hf_table_add(&source->by.id, hf_file_id_key(&file->id), &file->by_id));
    LIST_INSERT_HEAD(&source->files, file, all);
    source->file_count++;
    hf_file_name(file, HF_NAME_OURS, path);
    return file;
}

uint64_t
hf_file_position_bytes(const char *path)
{
    static const uint64_t key_and_numbers = 190;
    return key_and_numbers + strlen(path);
}

enum hf_status
hf_file_let_in(struct hf_file *file, bool known, struct hf_error *err)
{
    uint64_t bytes = hf_file_position_bytes(file->path.text);
    if (known)
        hf_budget_take_file(file->budget.owner, bytes);
    else if (hf_budget_ask_file(file->budget.owner, file->path.text, bytes, err) != HF_OK)
        return HF_ELIMIT;
    file->budget.charged = bytes;
    return HF_OK;
}

void
hf_file_close(struct hf_file *file)
{
    struct hf_file_source *source = file->source;
    hf_file_move(file, HF_FILE_CLOSED);
    hf_file_name(file, HF_NAME_TAKEN, NULL);
    hf_turn_leave(file);
    for (enum hf_file_list list = 0; list < HF_LISTS; list++)
        hf_file_put_on(file, list, false);
    hf_replaced_remove(file);
    hf_table_remove(&source->by.id, &file->by_id);
    LIST_REMOVE(file, all);
    source->file_count--;
    if (file->late.over)
        hf_file_scan_soon(source); /* another one waits for its place */
    source->sum.behind -= file->behind;
    source->sum.nul -= file->nul.tail;
    hf_fs_close(&file->fd);
    if (file->budget.charged)
        hf_budget_drop_file(file->budget.owner, file->budget.charged);
    hf_owner_put(file->budget.owner);
    hf_long_line_reset(&file->line);
    hf_freep(&file->path.text);
    hf_freep(&file->real_path.text);
    hf_freep(&file->save.old_key);
    hf_freep(&file);
}

void
hf_file_scan_problem(struct hf_file_source *source, const struct hf_error *err)
{
    hf_problem_set(source->problem.scan, err->text);
    source->problem.scan_class = err->status;
}
