/* Keys become paths only here. What is written in a key is never trusted to be harmless as a path:
 * it is allow-listed byte by byte and segment by segment, and no folder on the way may be a
 * symbolic link out of the bucket. */
#include "agent/dir/dir_impl.h"

#include <stdio.h>
#include <string.h>

static bool
byte_ok(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!_.*'()=+@:,-", c));
}

/* Names that begin with a dot are ours (temporaries) or the system's; names that end in .meta.json
 * are meta files. */
bool
hf_dir_segment_ok(const char *segment, size_t size)
{
    static const size_t suffix = sizeof(HF_DIR_META_SUFFIX) - 1;

    if (size == 0 || size > HF_DIR_SEGMENT_MAX || segment[0] == '.')
        return false;
    if (size >= suffix && memcmp(segment + size - suffix, HF_DIR_META_SUFFIX, suffix) == 0)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!byte_ok(segment[i]))
            return false;
    return true;
}

enum hf_status
hf_dir_key_check(const char *key, struct hf_error *err)
{
    const char *segment = key;

    if (strlen(key) > HF_DIR_KEY_MAX)
        return hf_fail(err, HF_EREFUSED, "a key of %zu bytes is over %d", strlen(key),
                       HF_DIR_KEY_MAX);
    for (;;) {
        size_t size = strcspn(segment, "/");
        if (!hf_dir_segment_ok(segment, size))
            return hf_fail(err, HF_EREFUSED,
                           "the key '%s' cannot be a file name: between its slashes stand 1 to %d "
                           "of [A-Za-z0-9!_.*'()=+@:,-],"
                           " not beginning with a dot and not ending in " HF_DIR_META_SUFFIX,
                           key, HF_DIR_SEGMENT_MAX);
        if (segment[size] == '\0')
            return HF_OK;
        segment += size + 1;
    }
}

/* `path` is `folder` up to `size`: a directory, or not there yet. */
static enum hf_status
check_folder(const char *folder, size_t size, bool *ret_there, struct hf_error *err)
{
    char path[HF_PATH_MAX];
    struct stat info;

    memcpy(path, folder, size);
    path[size] = '\0';
    enum hf_status status = hf_fs_lstat(path, &info, err);
    *ret_there = status == HF_OK;
    if (status == HF_ENOTFOUND)
        return HF_OK;
    if (status != HF_OK)
        return status;
    if (!S_ISDIR(info.st_mode))
        return hf_fail(err, HF_EREFUSED, "'%s' is %s, not a folder of the bucket; move it away",
                       path, S_ISLNK(info.st_mode) ? "a symbolic link" : "a file");
    return HF_OK;
}

enum hf_status
hf_dir_place_of(const struct hf_dir *dir, const char *key, struct hf_dir_place *ret_place,
                struct hf_error *err)
{
    enum hf_status status = hf_dir_key_check(key, err);
    bool there = true;

    if (status != HF_OK)
        return status;
    int size = snprintf(ret_place->body, sizeof(ret_place->body), "%s/%s", dir->path, key);
    hf_assert(size > 0 && (size_t)size + sizeof(HF_DIR_META_SUFFIX) + 32 < HF_PATH_MAX);
    snprintf(ret_place->meta, sizeof(ret_place->meta), "%s/%s" HF_DIR_META_SUFFIX, dir->path, key);
    size_t folder_size = (size_t)(strrchr(ret_place->body, '/') - ret_place->body);
    memcpy(ret_place->folder, ret_place->body, folder_size);
    ret_place->folder[folder_size] = '\0';

    /* The bucket's own folder and what leads to it are the administrator's: links are meant. */
    for (size_t at = strlen(dir->path) + 1; there && at < folder_size && status == HF_OK;) {
        at += strcspn(ret_place->folder + at, "/");
        status = check_folder(ret_place->folder, at, &there, err);
        at++;
    }
    return status;
}
