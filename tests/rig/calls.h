/* The log of every file-system call that changes something: what tests/powerloss makes disks
 * from. Records lie one behind the other: struct call_record, path, second path, bytes. */
#ifndef HOLDFAST_TESTS_RIG_CALLS_H
#define HOLDFAST_TESTS_RIG_CALLS_H

#include <holdfast/base.h>

enum call_kind {
    CALL_CREATE = 1, /* open with O_CREAT or O_TRUNC */
    CALL_WRITE,
    CALL_SYNC,
    CALL_RENAME,
    CALL_LINK,
    CALL_UNLINK,
    CALL_MKDIR,
    CALL_RMDIR,
    CALL_TRUNCATE,
    CALL_ALLOCATE,
    CALL_PUNCH,
    CALL_CHMOD,
};

struct call_record {
    uint32_t kind;
    int32_t failure; /* the errno it was made to fail with; 0 */
    uint64_t at_ns;  /* CLOCK_MONOTONIC, before the call */
    uint64_t offset, size;
    int32_t flags;
    uint32_t path_size, to_size, bytes_size;
};

/* Appends to the log, in the order in which the calls begin. A sync counts as done here: what is
 * logged behind it came after. (On the memory file system that it runs on a sync does nothing,
 * so that nobody can have seen it unfinished.) */
void calls_log(int fd, const struct hf_fs_call *call, int failure);
uint64_t calls_now_ns(void);

#endif
