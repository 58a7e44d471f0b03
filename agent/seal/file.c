/* Sealed files on disk. A sealed file is there or it is not: it is written whole under a name that
 * nobody reads, synced, and renamed. That it is there is the step "sealed" of its window. */
#include "agent/seal/seal_impl.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define READ_STEP (256u << 10)

void
hf_sealed_free(struct hf_sealed *sealed)
{
    if (!sealed)
        return;
    char **texts[] = { &sealed->path,
                       &sealed->trail,
                       &sealed->chain,
                       &sealed->window,
                       &sealed->store,
                       &sealed->bucket,
                       &sealed->key,
                       &sealed->content_type,
                       &sealed->content_encoding,
                       &sealed->signature,
                       &sealed->signature_algorithm,
                       &sealed->kms_key_id,
                       &sealed->sse_c_key_file,
                       &sealed->compression };
    for (size_t i = 0; i < HF_COUNT(texts); i++)
        hf_freep(texts[i]);
    for (size_t i = 0; i < sealed->gap_count; i++)
        hf_freep(&sealed->gaps[i]);
    hf_freep(&sealed->gaps);
    hf_freep(&sealed);
}

void
hf_sealed_freep(struct hf_sealed **sealed)
{
    hf_sealed_free(*sealed);
    *sealed = NULL;
}

/* ---- writing ---- */

/* A temporary that a crash left is written over when its window is sealed again. */
struct place {
    char folder[HF_PATH_MAX];
    char temporary[HF_PATH_MAX]; /* FOLDER/.NAME.tmp */
};

static enum hf_status
find_place(const char *path, struct place *ret_place, struct hf_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    int folder = slash ? (int)(name - path) : 2;
    int size =
        snprintf(ret_place->folder, sizeof(ret_place->folder), "%.*s", folder, slash ? path : "./");
    if (size >= 0 && (size_t)size < sizeof(ret_place->folder))
        size = snprintf(ret_place->temporary, sizeof(ret_place->temporary), "%s.%s.tmp",
                        ret_place->folder, name);
    if (size < 0 || size >= HF_PATH_MAX)
        return hf_fail(err, HF_ELIMIT, "the path of sealed file '%s' is too long", name);
    return HF_OK;
}

static enum hf_status
write_all(const char *path, struct hf_slice frame, struct hf_slice body, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    enum hf_status status =
        hf_fs_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600, &fd, err);
    if (status == HF_OK)
        status = hf_fs_pwrite(fd, frame.ptr, frame.size, 0, err);
    if (status == HF_OK)
        status = hf_fs_pwrite(fd, body.ptr, body.size, (off_t)frame.size, err);
    return status == HF_OK ? hf_fs_fsync(fd, err) : status;
}

static void
measure_body(struct hf_sealed *sealed, struct hf_slice body)
{
    uint8_t sha256[HF_SHA256_SIZE];
    struct hf_hasher *hasher = hf_hasher_new();
    hf_hasher_add(hasher, body.ptr, body.size);
    hf_hasher_finish(hasher, sha256, sealed->md5);
    hf_hex(sha256, sizeof(sha256), sealed->sha256);
    sealed->size = body.size;
}

enum hf_status
hf_seal_bytes(struct hf_sealed *sealed, const char *path, struct hf_slice body,
              struct hf_error *err)
{
    struct place place;
    hf_owned(hf_buf_done) struct hf_buf frame = HF_BUF(SEALED_FRAME_MAX);
    measure_body(sealed, body);
    enum hf_status status = find_place(path, &place, err);
    if (status == HF_OK)
        status = sealed_frame_encode(sealed, &frame, err);
    if (status != HF_OK)
        return hf_while(err, status, "sealing '%s'", sealed->key);
    status = write_all(place.temporary, hf_buf_slice(&frame), body, err);
    if (status == HF_OK)
        status = hf_fs_rename(place.temporary, path, err);
    if (status != HF_OK) {
        if (hf_fs_unlink(place.temporary, NULL) != HF_OK)
            hf_while(err, status, "leaving '%s' behind", place.temporary);
        return hf_while(err, status, "sealing '%s'", sealed->key);
    }
    status = hf_fs_sync_dir(place.folder, err);
    if (status != HF_OK)
        return hf_while(err, status, "sealing '%s'", sealed->key);
    char *copy = hf_strdup(path); /* the caller's path may be the one that is there already */
    hf_freep(&sealed->path);
    sealed->path = copy;
    sealed->body_offset = frame.size;
    return HF_OK;
}

/* ---- reading ---- */

static enum hf_status
read_frame(int fd, uint64_t file_size, struct hf_sealed **ret_sealed, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(SEALED_FRAME_MAX);
    size_t wanted = (size_t)HF_MIN(file_size, SEALED_FRAME_MAX), got;
    enum hf_status status = hf_buf_reserve(&bytes, wanted);
    hf_assert(status == HF_OK);
    status = hf_fs_pread(fd, bytes.ptr, wanted, 0, &got, err);
    return status == HF_OK ? sealed_frame_decode(hf_slice(bytes.ptr, got), ret_sealed, err)
                           : status;
}

static enum hf_status
compare_size(const struct hf_sealed *sealed, uint64_t file_size, struct hf_error *err)
{
    if (file_size >= sealed->body_offset && file_size - sealed->body_offset == sealed->size)
        return HF_OK;
    return hf_fail(err, HF_ECORRUPT, "it has %" PRIu64 " bytes and should have %" PRIu64, file_size,
                   sealed->body_offset + sealed->size);
}

static enum hf_status
hash_body(int fd, const struct hf_sealed *sealed, struct hf_hasher *hasher, struct hf_error *err)
{
    hf_owned(hf_freep) uint8_t *bytes = hf_alloc(READ_STEP);
    for (uint64_t at = 0; at < sealed->size;) {
        size_t wanted = (size_t)HF_MIN(sealed->size - at, READ_STEP), got;
        enum hf_status status =
            hf_fs_pread(fd, bytes, wanted, (off_t)(sealed->body_offset + at), &got, err);
        if (status != HF_OK)
            return status;
        if (got != wanted)
            return hf_fail(err, HF_ECORRUPT, "it became shorter while it was read");
        hf_hasher_add(hasher, bytes, got);
        at += got;
    }
    return HF_OK;
}

static enum hf_status
compare_body(int fd, const struct hf_sealed *sealed, struct hf_error *err)
{
    uint8_t sha256[HF_SHA256_SIZE], md5[HF_MD5_SIZE];
    char hex[HF_SHA256_HEX_SIZE];
    struct hf_hasher *hasher = hf_hasher_new();
    enum hf_status status = hash_body(fd, sealed, hasher, err);
    if (status != HF_OK) {
        hf_hasher_free(hasher);
        return status;
    }
    hf_hasher_finish(hasher, sha256, md5);
    hf_hex(sha256, sizeof(sha256), hex);
    if (strcmp(hex, sealed->sha256) != 0 || memcmp(md5, sealed->md5, sizeof(md5)) != 0)
        return hf_fail(err, HF_ECORRUPT, "its body does not have the hash in its header");
    return HF_OK;
}

enum hf_status
hf_sealed_open(const char *path, bool check_body, struct hf_sealed **ret_sealed,
               struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL;
    struct stat info;
    enum hf_status status =
        hf_fs_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0, &fd, err);
    if (status == HF_OK)
        status = hf_fs_fstat(fd, &info, err);
    if (status != HF_OK)
        return status;
    if (!S_ISREG(info.st_mode))
        return hf_fail(err, HF_ECORRUPT, "sealed file '%s': it is not a regular file", path);
    status = read_frame(fd, (uint64_t)info.st_size, &sealed, err);
    if (status == HF_OK)
        status = compare_size(sealed, (uint64_t)info.st_size, err);
    if (status == HF_OK && check_body)
        status = compare_body(fd, sealed, err);
    if (status != HF_OK)
        return hf_while(err, status, "sealed file '%s'", path);
    sealed->path = hf_strdup(path);
    *ret_sealed = hf_take(sealed);
    return HF_OK;
}
