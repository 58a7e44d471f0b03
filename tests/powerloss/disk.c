#include "tests/powerloss/disk_impl.h"
#include "tests/rig/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t
random_next(struct random *random, uint64_t below)
{
    random->state = random->state * 6364136223846793005u + 1442695040888963407u;
    return below ? (random->state >> 33) % below : 0;
}

struct disk *
disk_new(void)
{
    return hf_alloc(sizeof(struct disk));
}

static void
change_done(struct name_change *change)
{
    hf_freep(&change->directory);
    hf_freep(&change->remove);
    hf_freep(&change->add);
}

void
disk_free(struct disk *disk)
{
    for (size_t i = 0; i < disk->change_count; i++)
        change_done(&disk->changes[i]);
    for (size_t i = 0; i < disk->inode_count; i++) {
        hf_freep(&disk->inodes[i]->bytes);
        hf_freep(&disk->inodes[i]->pending);
        hf_freep(&disk->inodes[i]);
    }
    names_done(&disk->now);
    names_done(&disk->certain);
    hf_freep(&disk->changes);
    hf_freep(&disk->inodes);
    hf_freep(&disk);
}

void
disk_add_directory(struct disk *disk, const char *path)
{
    struct inode *inode = inode_new(disk, true);
    names_set(&disk->now, path, inode);
    names_set(&disk->certain, path, inode);
}

/* ---- names ---- */

static void
make_certain(struct disk *disk, const struct name_change *change)
{
    if (change->remove)
        names_remove(&disk->certain, change->remove);
    if (change->add)
        names_set(&disk->certain, change->add, change->inode);
}

static void
change_names(struct disk *disk, const char *remove, const char *add, struct inode *inode)
{
    const char *path = add ? add : remove, *slash = strrchr(path, '/');
    struct name_change change = {
        .directory = hf_strndup(path, slash ? (size_t)(slash - path) : 0),
        .remove = remove ? hf_strdup(remove) : NULL,
        .add = add ? hf_strdup(add) : NULL,
        .inode = inode,
    };
    if (remove)
        names_remove(&disk->now, remove);
    if (add)
        names_set(&disk->now, add, inode);
    if (disk->change_count == disk->change_room) {
        disk->change_room = disk->change_room ? 2 * disk->change_room : 32;
        disk->changes = hf_realloc(disk->changes, disk->change_room * sizeof(*disk->changes));
    }
    disk->changes[disk->change_count++] = change;
}

static void
sync_directory(struct disk *disk, const char *path)
{
    size_t kept = 0;
    for (size_t i = 0; i < disk->change_count; i++) {
        struct name_change *change = &disk->changes[i];
        if (strcmp(change->directory, path) != 0) {
            disk->changes[kept++] = *change;
            continue;
        }
        make_certain(disk, change);
        change_done(change);
    }
    disk->change_count = kept;
}

static void
crash_names(struct disk *disk, struct random *random)
{
    enum { NONE, ALL, FIRST_ONES, ANY, WAYS } way = (int)random_next(random, WAYS);
    size_t first_ones = (size_t)random_next(random, disk->change_count + 1);
    for (size_t i = 0; i < disk->change_count; i++) {
        struct name_change *change = &disk->changes[i];
        if (way == ALL || (way == FIRST_ONES && i < first_ones) ||
            (way == ANY && random_next(random, 2)))
            make_certain(disk, change);
        change_done(change);
    }
    disk->change_count = 0;
}

/* ---- calls ---- */

static void
on_create(struct disk *disk, const struct call *call, struct inode *inode)
{
    if (!inode && call->record->flags & O_CREAT)
        change_names(disk, NULL, call->path, inode_new(disk, false));
    else if (inode && call->record->flags & O_TRUNC)
        inode_add(inode, &(struct pending){ .kind = CALL_TRUNCATE });
}

static void
on_sync(struct disk *disk, const struct call *call, struct inode *inode, struct random *random)
{
    if (!inode)
        return;
    if (call->record->failure && call->record->failure != EINTR) {
        if (!inode->directory)
            inode_crash(inode,
                        random); /* some of it may be there; no later sync will bring the rest */
    } else if (inode->directory) {
        sync_directory(disk, call->path);
    } else {
        inode_sync(inode);
    }
}

static void
on_content(const struct call *call, struct inode *inode)
{
    const struct call_record *record = call->record;
    if (!inode || inode->directory)
        return;
    if (record->kind == CALL_ALLOCATE && record->flags & FALLOC_FL_KEEP_SIZE)
        return;
    inode_add(inode, &(struct pending){ .kind = record->kind,
                                        .offset = record->offset,
                                        .size = record->size,
                                        .bytes = call->bytes });
}

static void
apply_one(struct disk *disk, const struct call *call, struct random *random)
{
    struct inode *inode = names_find(&disk->now, call->path);
    if (call->record->kind == CALL_SYNC) {
        on_sync(disk, call, inode, random);
        return;
    }
    if (call->record->failure)
        return;
    switch (call->record->kind) {
    case CALL_CREATE: on_create(disk, call, inode); break;
    case CALL_MKDIR:
        if (!inode)
            change_names(disk, NULL, call->path, inode_new(disk, true));
        break;
    case CALL_RENAME:
        if (inode)
            change_names(disk, call->path, call->to, inode);
        break;
    case CALL_LINK:
        if (inode && !names_find(&disk->now, call->to))
            change_names(disk, NULL, call->to, inode);
        break;
    case CALL_UNLINK:
    case CALL_RMDIR:
        if (inode)
            change_names(disk, call->path, NULL, inode);
        break;
    default: on_content(call, inode); break;
    }
}

void
disk_apply(struct disk *disk, const struct call *call, bool store_survives, struct random *random)
{
    apply_one(disk, call, random);
    if (!store_survives || !hf_starts_with(call->path, "root/"))
        return;
    struct inode *inode = names_find(&disk->now, call->to ? call->to : call->path);
    const char *path = call->to ? call->to : call->path, *slash = strrchr(path, '/');
    hf_owned(hf_freep) char *directory = hf_strndup(path, (size_t)(slash - path));
    sync_directory(disk, directory);
    if (inode)
        inode_sync(inode);
}

void
disk_crash(struct disk *disk, struct random *random)
{
    crash_names(disk, random);
    for (size_t i = 0; i < disk->inode_count; i++)
        inode_crash(disk->inodes[i], random);
    names_copy(&disk->now, &disk->certain);
}

/* ---- as files ---- */

static int
by_path(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static bool
is_zero(const uint8_t *bytes, uint64_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static void
write_file(const struct inode *inode, const char *path, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool fine = fd >= 0 && ftruncate(fd, (off_t)inode->size) == 0 && fchmod(fd, mode) == 0;
    for (uint64_t at = 0; fine && at < inode->size; at += PAGE) {
        uint64_t size = HF_MIN((uint64_t)PAGE, inode->size - at);
        if (!is_zero(inode->bytes + at, size))
            fine = pwrite(fd, inode->bytes + at, size, (off_t)at) == (ssize_t)size;
    }
    if (!fine)
        stage_die("writing '%s': %m", path);
    close(fd);
}

/* Two names of one file after a crash between link and unlink: both get its content, as the
 * agent treats the second one as a leftover. */
void
disk_write_out(const struct disk *disk, const char *folder)
{
    struct names sorted = { 0 };
    char path[HF_PATH_MAX];
    struct stat info;
    names_copy(&sorted, &disk->certain);
    if (sorted.count)
        qsort(sorted.entries, sorted.count, sizeof(*sorted.entries), by_path);
    for (size_t i = 0; i < sorted.count; i++) {
        const struct entry *entry = &sorted.entries[i];
        hf_path_join(path, sizeof(path), folder, entry->path);
        hf_owned(hf_freep) char *parent = hf_strndup(path, (size_t)(strrchr(path, '/') - path));
        if (stat(parent, &info) != 0)
            continue; /* the directory it was in did not survive */
        if (entry->inode->directory) {
            if (mkdir(path, 0700) != 0 && stat(path, &info) != 0)
                stage_die("making '%s': %m", path);
        } else {
            write_file(entry->inode, path, hf_starts_with(entry->path, "root/") ? 0440 : 0600);
        }
    }
    names_done(&sorted);
}
