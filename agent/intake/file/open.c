/* Opening a file, once it is known that we may. */
#include "agent/intake/file/looking.h"
#include "agent/intake/file/orphans.h"
#include "agent/intake/file/scan.h"
#include "agent/intake/file/sleep.h"
#include "agent/intake/thread.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A link led to it: what it is called by itself, and its folder, are looked at as well. */
static void
find_real_path(struct hf_file *file)
{
    char real[HF_PATH_MAX];
    if (hf_fs_path_of(file->fd, real, NULL) != HF_OK || strcmp(real, file->path.text) == 0)
        return;
    hf_file_set_real_path(file, real);
    char *slash = strrchr(real, '/');
    if (!slash || !file->source->watch)
        return;
    *(slash == real ? slash + 1 : slash) = '\0';
    struct hf_error err = { .status = HF_OK };
    enum hf_status status = hf_watch_directory(file->source->watch, real, &err);
    if (status != HF_OK && status != HF_ENOTFOUND)
        hf_file_scan_problem(file->source, &err); /* the slow scan finds what it gets */
}

struct opened {
    int fd;
    bool linked;
    struct hf_fs_identity who;
};

/* Of several names one may be a stranger's: the folder decides. It is opened anew, step by step, and
 * whoever exchanges the name in between has made it another file. */
static enum hf_status
check_names(struct hf_file_source *source, const char *path, const struct opened *opened,
            struct hf_error *err)
{
    struct hf_file_id id = hf_file_id_of(&opened->who);
    struct hf_fs_identity again;
    struct stat folder;
    hf_owned(hf_fs_close) int fd = -1;
    if (hf_is_refused(source, &id))
        return hf_fail(err, HF_EREFUSED, "'%s' was refused", path);
    if (opened->who.links < 2 || hf_file_by_id(source, &id) || hf_orphan_by_id(source, &id))
        return HF_OK;
    enum hf_status status = hf_fs_open_in_folder(path, O_PATH, &source->trust, &fd, &folder, err);
    if (status == HF_OK)
        status = hf_fs_identify(fd, NULL, &again, err);
    if (status != HF_OK)
        return status;
    struct hf_file_id now = hf_file_id_of(&again);
    if (!hf_file_id_same(&id, &now))
        return HF_ENOTFOUND; /* the next scan */
    if (!hf_is_strangers(&folder, &opened->who))
        return HF_OK;
    hf_refuse(source, &id, path);
    return hf_fail(err, HF_EREFUSED, "'%s' has %u names, and others can write to its folder", path,
                   opened->who.links);
}

/* HF_ENOTFOUND: there is none, or no regular one. */
static enum hf_status
open_checked(struct hf_file_source *source, const char *path, struct opened *ret_opened,
             struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    struct opened opened;
    enum hf_status status =
        hf_fs_open_trusted(path, O_RDONLY, &source->trust, &fd, &opened.linked, err);
    if (status == HF_OK)
        status = hf_fs_identify(fd, NULL, &opened.who, err);
    if (status == HF_OK && !S_ISREG(opened.who.mode))
        status = HF_ENOTFOUND;
    if (status == HF_OK)
        status = check_names(source, path, &opened, err);
    if (status != HF_OK)
        return status;
    opened.fd = fd;
    fd = -1;
    *ret_opened = opened;
    return HF_OK;
}

/* It stands there, and is not read: that its name goes is no loss where it was refused, and is one
 * where it could not be opened. */
static void
note_unopened(struct hf_file_source *source, const char *path, enum hf_status status,
              const struct hf_error *err)
{
    if (status == HF_EREFUSED) {
        hf_note(&source->noted.others, path, source->scans);
        source->look.last.unread++;
    } else if (status != HF_ENOTFOUND) {
        hf_note(&source->noted.written, path, source->scans);
        hf_file_scan_problem(source, err);
        hf_file_unread_add(source, path, err->text);
        source->look.last.unread++;
    }
}

void
hf_file_wait_for_turn(struct hf_file_source *source, const char *path, const struct hf_error *err)
{
    hf_note(&source->noted.written, path, source->scans);
    hf_file_unread_add(source, path, err->text);
    source->look.last.unread++;
}

/* Of those that wait for late writers, of this owner's where there is one, the one that did so for
 * longest; its end lets us scan again. */
static bool
make_room(struct hf_file_source *source, const struct hf_owner *owner)
{
    struct hf_file *file, *oldest = NULL;
    for (file = LIST_FIRST(&source->on[HF_LIST_LATE]); file;
         file = LIST_NEXT(file, on[HF_LIST_LATE].entry))
        if (file->name != HF_NAME_OURS && !file->late.over && !file->replaced.link.in &&
            (!owner || file->budget.owner == owner) &&
            (!oldest || file->since.quiet_ms < oldest->since.quiet_ms))
            oldest = file;
    if (!oldest)
        return false;
    oldest->late.over = true;
    hf_file_ready_first(oldest);
    return true;
}

bool
hf_file_has_room(struct hf_file_source *source)
{
    if (source->file_count < source->source.timing.files_max || hf_sleep_some(source))
        return true;
    (void)make_room(source, NULL);
    return false;
}

/* Its position is written down before it is read: it may be renamed while we are stopped. */
static struct hf_file *
begin(struct hf_file *file, const struct opened *opened)
{
    struct hf_error err = { .status = HF_OK };
    hf_file_set_dirty(file, true);
    if (opened->linked)
        find_real_path(file);
    if (hf_orphan_adopt(file, opened->who.size, &err) != HF_OK) {
        /* who it is cannot be told now: the next scan tries again */
        note_unopened(file->source, file->path.text, err.status, &err);
        hf_file_close(file);
        return NULL;
    }
    if (!file->source->placed)
        hf_file_place(file);
    hf_file_ready(file);
    return file;
}

struct hf_file *
hf_file_open(struct hf_file_source *source, const char *path)
{
    struct hf_error err = { .status = HF_OK };
    struct opened opened;
    if (source->file_count >= HF_FILES_MAX + HF_FILES_SPARE) {
        hf_fail(&err, HF_ELIMIT, "%zu files are open", source->file_count);
        hf_file_wait_for_turn(source, path, &err);
        return NULL;
    }
    hf_thread_doing(source->source.thread, path);
    enum hf_status status = open_checked(source, path, &opened, &err);
    if (status != HF_OK) {
        note_unopened(source, path, status, &err);
        return NULL;
    }
    struct hf_file_id id = hf_file_id_of(&opened.who);
    struct hf_file *file = hf_file_by_id(source, &id);
    if (file) {
        hf_fs_close(&opened.fd);
        if (hf_file_by_path(source, path) != file)
            hf_note(&source->noted.others, path, source->scans); /* another name of it */
        return file;
    }
    file = hf_file_new(source, opened.fd, &id, path);
    status = hf_file_let_in(file, hf_orphan_by_id(source, &id) != NULL, &err);
    if (status != HF_OK) {
        (void)make_room(source, file->budget.owner);
        hf_file_close(file); /* the next scan tries again */
        note_unopened(source, path, status, &err);
        return NULL;
    }
    return begin(file, &opened);
}
