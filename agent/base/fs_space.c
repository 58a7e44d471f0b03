/* The space that a file takes: cutting it, allocating blocks before they are needed, and giving
 * them back. */
#include "agent/base/base_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* No larger than any file system's block, so that a chunk with a byte set in it has its block
 * already. */
#define CHUNK 4096

enum hf_status
hf_fs_truncate(int fd, off_t size, struct hf_error *err)
{
    int result;

    do {
        struct hf_fs_call call = { .name = "ftruncate", .fd = fd, .offset = size };
        result = hf_fs_before(&call) == 0 ? ftruncate(fd, size) : -1;
    } while (result < 0 && errno == EINTR);
    return result == 0 ? HF_OK : hf_fs_failed_fd(err, "changing the size of", fd);
}

/* 0, or -1 with errno. */
static int
call_fallocate(int fd, int mode, off_t offset, off_t size)
{
    int result;

    do {
        struct hf_fs_call call = {
            .name = mode & FALLOC_FL_PUNCH_HOLE ? "punch" : "fallocate",
            .fd = fd,
            .offset = offset,
            .size = (size_t)size,
            .flags = mode,
        };
        result = hf_fs_before(&call) == 0 ? fallocate(fd, mode, offset, size) : -1;
    } while (result < 0 && errno == EINTR);
    return result;
}

static bool
not_supported(int failure)
{
    return failure == EOPNOTSUPP || failure == ENOSYS;
}

static bool
all_zero(const uint8_t *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* Where the file system cannot allocate: zeros are written over zeros and past the end, which makes
 * it. What is set is left alone. */
static enum hf_status
allocate_by_writing(int fd, off_t offset, off_t size, struct hf_error *err)
{
    static const uint8_t zeros[CHUNK];
    uint8_t present[CHUNK];
    off_t end = offset + size;

    while (offset < end) {
        size_t chunk = (size_t)HF_MIN((off_t)(CHUNK - offset % CHUNK), end - offset);
        size_t got;
        enum hf_status status = hf_fs_pread(fd, present, chunk, offset, &got, err);
        if (status != HF_OK)
            return status;
        size_t keep = all_zero(present, got) ? 0 : got;
        status = hf_fs_pwrite(fd, zeros, chunk - keep, offset + (off_t)keep, err);
        if (status != HF_OK)
            return status;
        offset += (off_t)chunk;
    }
    return HF_OK;
}

enum hf_status
hf_fs_allocate(int fd, off_t offset, off_t size, struct hf_error *err)
{
    hf_assert(offset >= 0 && size >= 0);
    if (size == 0 || call_fallocate(fd, 0, offset, size) == 0)
        return HF_OK;
    if (not_supported(errno))
        return allocate_by_writing(fd, offset, size, err);
    return hf_fs_failed_fd(err, "allocating space for", fd);
}

enum hf_status
hf_fs_allocate_behind(int fd, off_t offset, off_t size, struct hf_error *err)
{
    hf_assert(offset >= 0 && size > 0);
    if (call_fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, size) == 0)
        return HF_OK;
    return hf_fs_failed_fd(err, "allocating space for", fd);
}

/* Where the file system cannot make holes the blocks stay, but what was in them goes all the same.
 */
static enum hf_status
overwrite_present(int fd, off_t offset, off_t size, struct hf_error *err)
{
    static const uint8_t zeros[CHUNK];
    struct stat info;
    enum hf_status status = hf_fs_fstat(fd, &info, err);

    if (status != HF_OK)
        return status;
    off_t end = HF_MIN(offset + size, info.st_size);
    while (offset < end) {
        size_t chunk = (size_t)HF_MIN((off_t)CHUNK, end - offset);
        status = hf_fs_pwrite(fd, zeros, chunk, offset, err);
        if (status != HF_OK)
            return status;
        offset += (off_t)chunk;
    }
    return HF_OK;
}

enum hf_status
hf_fs_punch(int fd, off_t offset, off_t size, struct hf_error *err)
{
    hf_assert(offset >= 0 && size >= 0);
    if (size == 0 ||
        call_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, size) == 0)
        return HF_OK;
    if (not_supported(errno))
        return overwrite_present(fd, offset, size, err);
    return hf_fs_failed_fd(err, "giving back space of", fd);
}

enum hf_status
hf_fs_free_bytes(const char *path, uint64_t *ret_bytes, struct hf_error *err)
{
    struct statvfs info;
    int result;

    do {
        struct hf_fs_call call = { .name = "statvfs", .path = path, .fd = -1 };
        result = hf_fs_before(&call) == 0 ? statvfs(path, &info) : -1;
    } while (result < 0 && errno == EINTR);
    if (result < 0)
        return hf_fs_failed_path(err, "asking for the free space at", path);
    *ret_bytes = (uint64_t)info.f_bavail * info.f_frsize; /* without root's reserve */
    return HF_OK;
}
