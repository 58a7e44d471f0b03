/* The interposer, how failures are told, and calls on an open descriptor. Every wrapper here and in
 * fs_*.c handles EINTR and short transfers, so that no caller has to. */
#include "agent/base/base_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static hf_fs_interposer interposer_now;
static void *interposer_context;

void
hf_fs_interpose(hf_fs_interposer interposer, void *context)
{
    __atomic_store_n(&interposer_context, context, __ATOMIC_RELAXED);
    __atomic_store_n(&interposer_now, interposer, __ATOMIC_RELEASE);
}

int
hf_fs_before(struct hf_fs_call *call)
{
    hf_fs_interposer interposer = __atomic_load_n(&interposer_now, __ATOMIC_ACQUIRE);
    size_t asked = call->size;

    if (!interposer)
        return 0;
    int failure = interposer(__atomic_load_n(&interposer_context, __ATOMIC_RELAXED), call);
    hf_assert(call->size <= asked);
    if (failure == 0)
        return 0;
    errno = failure;
    return -1;
}

static enum hf_status
status_of(int failure)
{
    switch (failure) {
    case ENOENT:
    case ENOTDIR: return HF_ENOTFOUND;
    case EEXIST: return HF_EEXISTS;
    case ENOSPC:
    case EDQUOT: return HF_ENOSPC;
    default: return HF_EIO;
    }
}

static const char *
advice_for(int failure)
{
    switch (failure) {
    case ENOSPC: return "; free space on that file system";
    case EDQUOT: return "; raise the quota or free space";
    case EROFS: return "; remount that file system writable";
    case EMFILE: return "; raise the process's limit of open files";
    case ENFILE: return "; raise the system's limit of open files";
    case EIO: return "; look into the kernel's log for the disk";
    default: return "";
    }
}

static enum hf_status
failed(struct hf_error *err, const char *doing, const char *name)
{
    int failure = errno;
    enum hf_status status = status_of(failure);

    if (failure == EACCES || failure == EPERM)
        hf_fail(err, status, "%s '%s': %m; give uid %u access to it", doing, name,
                (unsigned)geteuid());
    else
        hf_fail(err, status, "%s '%s': %m%s", doing, name, advice_for(failure));
    if (err)
        err->sys_errno = failure;
    return status;
}

enum hf_status
hf_fs_failed_path(struct hf_error *err, const char *doing, const char *path)
{
    return failed(err, doing, path);
}

void
hf_fs_name_of(int fd, char *ret_name, size_t size)
{
    char link[32];
    int saved_errno = errno;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t got = readlink(link, ret_name, size - 1);
    if (got > 0)
        ret_name[got] = '\0';
    else
        snprintf(ret_name, size, "descriptor %d", fd);
    errno = saved_errno;
}

enum hf_status
hf_fs_failed_fd(struct hf_error *err, const char *doing, int fd)
{
    char name[256];

    hf_fs_name_of(fd, name, sizeof(name));
    return failed(err, doing, name);
}

enum hf_status
hf_fs_open(const char *path, int flags, mode_t mode, int *ret_fd, struct hf_error *err)
{
    int fd;

    do {
        struct hf_fs_call call = { .name = "open", .path = path, .fd = -1, .flags = flags };
        fd = hf_fs_before(&call) == 0 ? open(path, flags | O_CLOEXEC, mode) : -1;
    } while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return hf_fs_failed_path(err, flags & O_CREAT ? "creating or opening" : "opening", path);
    *ret_fd = fd;
    return HF_OK;
}

/* Never repeated after EINTR: Linux has released the descriptor by then, and its number may already
 * be another's. */
void
hf_fs_close(int *fd)
{
    int saved_errno = errno;

    if (*fd >= 0) {
        struct hf_fs_call call = { .name = "close", .fd = *fd };
        (void)hf_fs_before(&call);
        (void)close(*fd);
        *fd = -1;
    }
    errno = saved_errno;
}

enum hf_status
hf_fs_pread(int fd, void *bytes, size_t size, off_t offset, size_t *ret_size, struct hf_error *err)
{
    size_t done = 0;

    while (done < size) {
        struct hf_fs_call call = {
            .name = "pread", .fd = fd, .offset = offset + (off_t)done, .size = size - done
        };
        ssize_t got = hf_fs_before(&call) == 0
                          ? pread(fd, (uint8_t *)bytes + done, call.size, call.offset)
                          : -1;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return hf_fs_failed_fd(err, "reading", fd);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *ret_size = done;
    return HF_OK;
}

enum hf_status
hf_fs_seek_data(int fd, uint64_t from, uint64_t *ret_at, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "lseek", .fd = fd, .offset = (off_t)from };
    off_t at = hf_fs_before(&call) == 0 ? lseek(fd, call.offset, SEEK_DATA) : -1;

    if (at < 0 && errno == ENXIO)
        return hf_fail(err, HF_ENOTFOUND, "nothing but a hole follows");
    if (at < 0 && errno == EINVAL)
        at = call.offset; /* a file system that knows no holes */
    if (at < 0)
        return hf_fs_failed_fd(err, "looking for data in", fd);
    *ret_at = (uint64_t)at;
    return HF_OK;
}

enum hf_status
hf_fs_read(int fd, void *bytes, size_t size, size_t *ret_size, struct hf_error *err)
{
    ssize_t got;

    do {
        struct hf_fs_call call = { .name = "read", .fd = fd, .size = size };
        got = hf_fs_before(&call) == 0 ? read(fd, bytes, call.size) : -1;
    } while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return hf_fail(err, HF_EFULL, "nothing to read at present");
    if (got < 0)
        return hf_fs_failed_fd(err, "reading", fd);
    *ret_size = (size_t)got;
    return HF_OK;
}

/* What write(2) and pwrite(2) have in common; offset -1 means at the descriptor's own position. */
static enum hf_status
write_all(int fd, const uint8_t *bytes, size_t size, off_t offset, struct hf_error *err)
{
    size_t done = 0;

    while (done < size) {
        struct hf_fs_call call = { .name = offset < 0 ? "write" : "pwrite",
                                   .fd = fd,
                                   .size = size - done,
                                   .bytes = bytes + done };
        ssize_t put = -1;
        call.offset = offset < 0 ? 0 : offset + (off_t)done;
        if (hf_fs_before(&call) == 0)
            put = offset < 0 ? write(fd, bytes + done, call.size)
                             : pwrite(fd, bytes + done, call.size, call.offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put == 0)
            errno = EIO; /* POSIX leaves open what it means; going on would be for ever */
        if (put <= 0)
            return hf_fs_failed_fd(err, "writing", fd);
        done += (size_t)put;
    }
    return HF_OK;
}

enum hf_status
hf_fs_pwrite(int fd, const void *bytes, size_t size, off_t offset, struct hf_error *err)
{
    hf_assert(offset >= 0);
    return write_all(fd, bytes, size, offset, err);
}

enum hf_status
hf_fs_write(int fd, const void *bytes, size_t size, struct hf_error *err)
{
    return write_all(fd, bytes, size, -1, err);
}

/* A failed sync is never repeated, here or by a caller: the kernel may have dropped the pages and
 * marked them clean, so that the second call would report a success that did not happen. EINTR is
 * the one harmless case. */
enum hf_status
hf_fs_fdatasync(int fd, struct hf_error *err)
{
    int result;

    do {
        struct hf_fs_call call = { .name = "fdatasync", .fd = fd };
        result = hf_fs_before(&call) == 0 ? fdatasync(fd) : -1;
    } while (result < 0 && errno == EINTR);
    return result == 0 ? HF_OK : hf_fs_failed_fd(err, "syncing", fd);
}

enum hf_status
hf_fs_fsync(int fd, struct hf_error *err)
{
    int result;

    do {
        struct hf_fs_call call = { .name = "fsync", .fd = fd };
        result = hf_fs_before(&call) == 0 ? fsync(fd) : -1;
    } while (result < 0 && errno == EINTR);
    return result == 0 ? HF_OK : hf_fs_failed_fd(err, "syncing", fd);
}

enum hf_status
hf_fs_fstat(int fd, struct stat *ret_stat, struct hf_error *err)
{
    struct hf_fs_call call = { .name = "fstat", .fd = fd };
    struct stat info;

    if (hf_fs_before(&call) != 0 || fstat(fd, &info) != 0)
        return hf_fs_failed_fd(err, "looking at", fd);
    *ret_stat = info;
    return HF_OK;
}
