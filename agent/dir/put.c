/* Putting an object, and adopting one that is there.
 *
 * The meta file goes first, durable and in place; then the body, whose appearance is the commit: a
 * body that came first could be read after a crash as an object without a lock. A crash in between
 * leaves a meta file without a body: no object; the next put of the same bytes takes it over. The
 * body is linked to its name, not renamed: rename(2) would replace a locked object without a word,
 * link(2) fails, which is this store's 412. FORMAT.md has the steps one by one. */
#include "agent/dir/dir_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (256u << 10)

/* ---- the body ---- */

struct source {
    const struct hf_dir_object *object;
    int fd;
    uint8_t *chunk;
};

static void
source_done(struct source *source)
{
    hf_fs_close(&source->fd);
    free(source->chunk);
}

/* At most one chunk of the body from `at` on: a part of the caller's bytes, or read into our own
 * memory. */
static enum hf_status
next_chunk(struct source *source, uint64_t at, struct hf_slice *ret_bytes, struct hf_error *err)
{
    const struct hf_dir_object *object = source->object;
    size_t size = (size_t)HF_MIN((uint64_t)CHUNK, object->size - at), got;

    if (!object->path) {
        *ret_bytes = hf_slice(object->body.ptr + at, size);
        return HF_OK;
    }
    enum hf_status status =
        hf_fs_pread(source->fd, source->chunk, size, (off_t)(object->offset + at), &got, err);
    if (status == HF_OK && got < size)
        return hf_fail(err, HF_ECORRUPT,
                       "'%s' ends too early; its content was lost on this machine's disk",
                       object->path);
    *ret_bytes = hf_slice(source->chunk, size);
    return status;
}

/* Copies and hashes: the bytes that are put in place are the ones the hash was made of when they
 * were sealed. */
static enum hf_status
fill_body(void *context, int fd, struct hf_error *err)
{
    struct source *source = context;
    const struct hf_dir_object *object = source->object;
    struct hf_hasher *hasher = hf_hasher_new_sha256();
    uint8_t hash[HF_SHA256_SIZE];
    char hex[HF_SHA256_HEX_SIZE];
    enum hf_status status = HF_OK;

    for (uint64_t at = 0; at < object->size && status == HF_OK;) {
        struct hf_slice bytes = { NULL, 0 };
        status = next_chunk(source, at, &bytes, err);
        if (status == HF_OK)
            status = hf_fs_write(fd, bytes.ptr, bytes.size, err);
        if (status == HF_OK)
            hf_hasher_add(hasher, bytes.ptr, bytes.size);
        at += bytes.size;
    }
    hf_hasher_finish(hasher, hash, NULL);
    hf_hex(hash, sizeof(hash), hex);
    if (status == HF_OK && strcmp(hex, object->sha256) != 0)
        return hf_fail(err, HF_ECORRUPT,
                       "'%s' is not what it was when it was sealed: its sha256 is %s, not %s",
                       object->path ? object->path : object->key, hex, object->sha256);
    return status;
}

static enum hf_status
place_body(const struct hf_dir_place *place, const struct hf_dir_object *object,
           struct hf_error *err)
{
    hf_owned(source_done) struct source source = { .object = object, .fd = -1 };

    if (object->path) {
        struct stat info;
        enum hf_status status = hf_dir_open_regular(object->path, &source.fd, &info, err);
        if (status == HF_ENOTFOUND)
            return hf_while(err, HF_ECORRUPT, "a sealed file is gone");
        if (status != HF_OK)
            return status;
        source.chunk = hf_alloc(CHUNK);
    }
    /* Writable until hf_dir_protect(): on a WORM volume taking the write right away commits, second
     * name and all. */
    return hf_dir_place_new(place->folder, place->body, 0640, fill_body, &source, err);
}

/* ---- the meta file ---- */

/* One without a body: of a put that did not get further, ours if it speaks of the same bytes. */
static enum hf_status
take_over(const struct hf_dir *dir, const struct hf_dir_place *place, struct hf_dir_info *info,
          struct hf_error *err)
{
    struct hf_dir_info found;
    enum hf_status status = hf_dir_meta_read(place->meta, &found, err);

    if (status != HF_OK && status != HF_ECORRUPT)
        return status;
    if (status == HF_OK) {
        if (found.size != info->size || strcmp(found.sha256, info->sha256) != 0)
            return hf_fail(err, HF_EFOREIGN,
                           "'%s' speaks of other bytes than ours and has no body: another writer's",
                           place->meta);
        hf_dir_lock_grow(info, found.lock_mode, found.retain_until_s, found.legal_hold);
    }
    return hf_dir_meta_replace(dir, place, info, err);
}

static enum hf_status
place_meta(const struct hf_dir *dir, const struct hf_dir_place *place, struct hf_dir_info *info,
           struct hf_error *err)
{
    enum hf_status status = hf_dir_meta_create(dir, place, info, err);

    return status == HF_EEXISTS ? take_over(dir, place, info, err) : status;
}

/* ---- both ---- */

/* mkdir -p, but never the bucket: one that is missing is a mistake to tell, or a file system that
 * is not mounted. */
static enum hf_status
make_folders(const struct hf_dir *dir, const struct hf_dir_place *place, struct hf_error *err)
{
    bool there = false, writable = false;
    enum hf_status status = hf_dir_bucket_state((struct hf_dir *)dir, &there, &writable, err);

    if (status != HF_OK)
        return status;
    if (!there)
        return hf_fail(err, HF_ENOTFOUND,
                       "there is no folder '%s'; mount it, or make it with `holdfast bucket apply`",
                       dir->path);
    return hf_fs_mkdirs(place->folder, 0750, err);
}

enum hf_status
hf_dir_put(struct hf_dir *dir, const struct hf_dir_object *object, struct hf_error *err)
{
    struct hf_dir_place place;
    struct hf_dir_info info;
    struct stat there;
    enum hf_status status = hf_dir_place_of(dir, object->key, &place, err);

    if (status == HF_OK)
        status = make_folders(dir, &place, err);
    if (status != HF_OK)
        return status;
    /* Before the meta file is touched: it may be the one of a locked object. */
    status = hf_fs_lstat(place.body, &there, err);
    if (status == HF_OK)
        return hf_fail(err, HF_EEXISTS, "'%s' is there already", place.body);
    if (status != HF_ENOTFOUND)
        return status;

    hf_dir_meta_of(object, &info);
    status = place_meta(dir, &place, &info, err);
    if (status == HF_OK)
        status = place_body(&place, object, err);
    if (status == HF_OK)
        status = hf_dir_protect(dir, place.body, &info, err);
    return status;
}

/* ---- adopting ---- */

static enum hf_status
hash_body(int fd, char ret_hex[HF_SHA256_HEX_SIZE], struct hf_error *err)
{
    hf_owned(hf_freep) uint8_t *chunk = hf_alloc(CHUNK);
    struct hf_hasher *hasher = hf_hasher_new_sha256();
    uint8_t hash[HF_SHA256_SIZE];
    enum hf_status status = HF_OK;
    size_t got = CHUNK;

    for (off_t at = 0; got == CHUNK && status == HF_OK; at += (off_t)got) {
        status = hf_fs_pread(fd, chunk, CHUNK, at, &got, err);
        if (status == HF_OK)
            hf_hasher_add(hasher, chunk, got);
    }
    hf_hasher_finish(hasher, hash, NULL);
    hf_hex(hash, sizeof(hash), ret_hex);
    return status;
}

static enum hf_status
compare_body(const struct hf_dir_place *place, const struct hf_dir_object *object,
             struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    char hex[HF_SHA256_HEX_SIZE] = "";
    struct stat info;
    enum hf_status status = hf_dir_open_regular(place->body, &fd, &info, err);

    if (status == HF_EREFUSED)
        return hf_while(err, HF_EFOREIGN, "comparing what lies under '%s'", object->key);
    if (status == HF_OK && (uint64_t)info.st_size == object->size)
        status = hash_body(fd, hex, err);
    if (status != HF_OK)
        return status;
    if (strcmp(hex, object->sha256) != 0)
        return hf_fail(err, HF_EFOREIGN, "'%s' holds other bytes than ours; it was left as it is",
                       place->body);
    return HF_OK;
}

enum hf_status
hf_dir_adopt(struct hf_dir *dir, const struct hf_dir_object *object, struct hf_error *err)
{
    struct hf_dir_place place;
    struct hf_dir_info info, found;
    enum hf_status status = hf_dir_place_of(dir, object->key, &place, err);

    if (status == HF_OK)
        status = compare_body(&place, object, err);
    if (status != HF_OK)
        return status;

    hf_dir_meta_of(object, &info);
    status = hf_dir_meta_read(place.meta, &found, err);
    if (status == HF_OK && strcmp(found.sha256, object->sha256) == 0) {
        if (hf_dir_lock_grow(&found, info.lock_mode, info.retain_until_s, info.legal_hold))
            status = hf_dir_meta_replace(dir, &place, &found, err);
        info = found;
    } else if (status == HF_OK || status == HF_ENOTFOUND || status == HF_ECORRUPT) {
        if (status == HF_OK)
            hf_dir_lock_grow(&info, found.lock_mode, found.retain_until_s, found.legal_hold);
        status = hf_dir_meta_replace(dir, &place, &info, err);
    }
    if (status == HF_OK)
        status = hf_dir_protect(dir, place.body, &info, err);
    /* The put before us may have failed right here: only now is its name sure to stay. */
    return status == HF_OK ? hf_fs_sync_dir(place.folder, err) : status;
}
