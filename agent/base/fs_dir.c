/* Directories: made durably, synced, listed. */
#include "agent/base/base_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum hf_status
hf_fs_sync_dir(const char *directory, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    enum hf_status status = hf_fs_open(directory, O_RDONLY | O_DIRECTORY, 0, &fd, err);

    return status == HF_OK ? hf_fs_fsync(fd, err) : status;
}

/* The directory that a path's last name stands in: "a/b" -> "a", "b" -> ".", "/b" -> "/". */
static void
parent_of(const char *path, char ret_parent[HF_PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    size_t size = slash ? (size_t)(slash - path) : 0;

    hf_assert(size < HF_PATH_MAX);
    memcpy(ret_parent, path, size);
    ret_parent[size] = '\0';
    if (size == 0)
        hf_path_join(ret_parent, HF_PATH_MAX, "", slash ? "/" : ".");
}

/* Makes one directory and its entry durable; one that is there already is left as it is. If the
 * entry cannot be made durable the directory goes again: left behind, the next attempt would take
 * it for a durable one. */
static enum hf_status
make_one(const char *path, mode_t mode, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "mkdir", .path = path, .fd = -1 };
    char parent[HF_PATH_MAX];

    if (hf_fs_before(&call) != 0 || mkdir(path, mode) != 0)
        return errno == EEXIST ? HF_OK : hf_fs_failed_path(err, "making the directory", path);
    parent_of(path, parent);
    enum hf_status status = hf_fs_sync_dir(parent, err);
    if (status != HF_OK && hf_fs_rmdir(path, NULL) != HF_OK)
        hf_while(err, status, "leaving '%s' behind", path);
    return status;
}

enum hf_status
hf_fs_mkdirs(const char *path, mode_t mode, struct hf_error *err)
{
    char part[HF_PATH_MAX];
    size_t size = strlen(path);
    struct stat info;
    enum hf_status status;

    while (size > 1 && path[size - 1] == '/')
        size--;
    if (size == 0 || size >= sizeof(part))
        return hf_fail(err, HF_ELIMIT, "a directory's path has %zu bytes, not 1 to %d", size,
                       HF_PATH_MAX - 1);
    for (size_t i = 1; i <= size; i++) {
        /* A part ends before a slash or at the end; of several slashes only the first ends one. */
        if ((i < size && path[i] != '/') || path[i - 1] == '/')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        status = make_one(part, mode, err);
        if (status != HF_OK)
            return status;
    }
    status = hf_fs_stat(path, &info, err);
    if (status == HF_OK && !S_ISDIR(info.st_mode))
        return hf_fail(err, HF_EEXISTS, "'%s' is there and is not a directory; move it away", path);
    return status;
}

static int
by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void
hf_fs_names_free(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++)
        free(names[i]);
    free(names);
}

/* NULL at the end (errno 0) and on failure. */
static struct dirent *
next_entry(DIR *stream, const char *directory)
{
    struct hf_fs_call call = { .name = "readdir", .path = directory, .fd = dirfd(stream) };

    if (hf_fs_before(&call) != 0)
        return NULL;
    errno = 0;
    return readdir(stream);
}

struct hf_fs_names {
    DIR *stream;
    char *directory;
};

struct names {
    char **list;
    size_t count;
    size_t capacity;
};

/* At most so many more, sorted. */
static enum hf_status
read_names(DIR *stream, const char *directory, size_t most, struct names *names,
           struct hf_error *err)
{
    struct dirent *entry = NULL;

    errno = 0;
    while (names->count < most && (entry = next_entry(stream, directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (names->count == names->capacity) {
            names->capacity = names->capacity ? 2 * names->capacity : 32;
            names->list = hf_realloc(names->list, names->capacity * sizeof(char *));
        }
        names->list[names->count++] = hf_strdup(entry->d_name);
    }
    if (!entry && errno != 0 && names->count < most) {
        enum hf_status status = hf_fs_failed_path(err, "listing", directory);
        hf_fs_names_free(names->list, names->count);
        return status;
    }
    if (names->count > 1)
        qsort(names->list, names->count, sizeof(char *), by_bytes);
    return HF_OK;
}

enum hf_status
hf_fs_list(const char *directory, size_t max, char ***ret_names, size_t *ret_count,
           struct hf_error *err)
{
    struct names names = { 0 };
    hf_owned(hf_fs_close) int fd = -1;
    struct hf_fs_names *all = NULL;
    enum hf_status status = hf_fs_open(directory, O_RDONLY | O_DIRECTORY, 0, &fd, err);

    if (status == HF_OK)
        status = hf_fs_names_open(fd, directory, &all, err);
    if (status == HF_OK && all)
        status = read_names(all->stream, directory, max + 1, &names, err);
    hf_fs_names_close(all);
    if (status == HF_OK && names.count > max) {
        hf_fs_names_free(names.list, names.count);
        return hf_fail(err, HF_ELIMIT, "'%s' holds more than %zu names; move what is not ours away",
                       directory, max);
    }
    if (status == HF_OK) {
        *ret_names = names.list;
        *ret_count = names.count;
    }
    return status;
}

/* ---- part by part ---- */

enum hf_status
hf_fs_names_open(int folder, const char *directory, struct hf_fs_names **ret_names,
                 struct hf_error *err)
{
    int fd = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);

    if (!stream) {
        enum hf_status status = hf_fs_failed_path(err, "listing", directory);
        hf_fs_close(&fd);
        return status;
    }
    struct hf_fs_names *names = hf_alloc(sizeof(*names));
    names->stream = stream;
    names->directory = hf_strdup(directory);
    *ret_names = names;
    return HF_OK;
}

enum hf_status
hf_fs_names_next(struct hf_fs_names *names, size_t most, char ***ret_names, size_t *ret_count,
                 struct hf_error *err)
{
    struct names part = { 0 };
    enum hf_status status = read_names(names->stream, names->directory, most, &part, err);

    if (status == HF_OK) {
        *ret_names = part.list;
        *ret_count = part.count;
    }
    return status;
}

void
hf_fs_names_close(struct hf_fs_names *names)
{
    if (!names)
        return;
    closedir(names->stream);
    hf_freep(&names->directory);
    hf_freep(&names);
}
