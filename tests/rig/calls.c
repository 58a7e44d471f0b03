#include "tests/rig/calls.h"
#include "tests/rig/stage.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const struct {
    const char *name;
    enum call_kind kind;
} names[] = {
    { "open", CALL_CREATE }, { "write", CALL_WRITE },        { "pwrite", CALL_WRITE },
    { "fsync", CALL_SYNC },  { "fdatasync", CALL_SYNC },     { "rename", CALL_RENAME },
    { "link", CALL_LINK },   { "unlink", CALL_UNLINK },      { "mkdir", CALL_MKDIR },
    { "rmdir", CALL_RMDIR }, { "ftruncate", CALL_TRUNCATE }, { "fallocate", CALL_ALLOCATE },
    { "punch", CALL_PUNCH }, { "chmod", CALL_CHMOD },        { "fchmod", CALL_CHMOD },
};

uint64_t
calls_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static enum call_kind
kind_of(const struct hf_fs_call *call)
{
    for (size_t i = 0; i < HF_COUNT(names); i++)
        if (strcmp(call->name, names[i].name) == 0)
            return names[i].kind != CALL_CREATE || call->flags & (O_CREAT | O_TRUNC) ? names[i].kind
                                                                                     : 0;
    return 0;
}

/* write(2) goes to the descriptor's own position. */
static uint64_t
place_of(const struct hf_fs_call *call)
{
    off_t at = strcmp(call->name, "write") == 0 ? lseek(call->fd, 0, SEEK_CUR) : call->offset;
    return at > 0 ? (uint64_t)at : 0;
}

void
calls_log(int fd, const struct hf_fs_call *call, int failure)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    char link[40], path[HF_PATH_MAX] = "";
    enum call_kind kind = kind_of(call);
    if (kind == 0)
        return;
    if (call->path) {
        hf_path_join(path, sizeof(path), call->path[0] == '/' ? "/" : "",
                     call->path + (call->path[0] == '/'));
    } else {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", call->fd);
        ssize_t size = readlink(link, path, sizeof(path) - 1);
        path[size > 0 ? size : 0] = '\0';
    }
    struct call_record record = {
        .kind = kind,
        .failure = failure,
        .offset = place_of(call),
        .size = call->size,
        .flags = call->flags,
        .path_size = (uint32_t)strlen(path),
        .to_size = call->to ? (uint32_t)strlen(call->to) : 0,
        .bytes_size = kind == CALL_WRITE && call->bytes ? (uint32_t)call->size : 0,
    };
    struct iovec parts[] = {
        { &record, sizeof(record) },
        { path, record.path_size },
        { (void *)(uintptr_t)call->to, record.to_size },
        { (void *)(uintptr_t)call->bytes, record.bytes_size },
    };
    pthread_mutex_lock(&lock);
    record.at_ns = calls_now_ns();
    ssize_t expected =
        (ssize_t)(sizeof(record) + record.path_size + record.to_size + record.bytes_size);
    bool whole = writev(fd, parts, HF_COUNT(parts)) == expected;
    pthread_mutex_unlock(&lock);
    if (!whole)
        stage_die("the log of calls cannot be written");
}
