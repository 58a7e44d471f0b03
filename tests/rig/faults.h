/* What goes wrong, and when. The plan lies in memory that the test and its agents share, so that
 * the count goes on over a restart. */
#ifndef HOLDFAST_TESTS_RIG_FAULTS_H
#define HOLDFAST_TESTS_RIG_FAULTS_H

#include <holdfast/base.h>
#include <stdatomic.h>

/* clang-format off */
#define FAULT_TABLE(X)                                                                             \
    X(FAULT_NONE,   "none",   "nothing")                                                           \
    X(FAULT_KILL,   "kill",   "kill -9 before the n-th file-system call")                          \
    X(FAULT_EIO,    "eio",    "the n-th call fails with EIO")                                      \
    X(FAULT_ENOSPC, "enospc", "the n-th call fails with ENOSPC")                                   \
    X(FAULT_EINTR,  "eintr",  "the n-th call fails with EINTR")                                    \
    X(FAULT_SHORT,  "short",  "the n-th call moves one byte at most")                              \
    X(FAULT_FULL,   "full",   "from the n-th call on the disk is full for 300 ms")                 \
    X(FAULT_DELAY,  "delay",  "the n-th call takes 300 ms")                                        \
    X(FAULT_ALLOC,  "alloc",  "the n-th allocation fails")
/* clang-format on */

enum fault_kind {
#define X(name, word, text) name,
    FAULT_TABLE(X)
#undef X
        FAULT_KINDS
};
const char *fault_word(enum fault_kind kind);
const char *fault_text(enum fault_kind kind);
bool fault_parse(const char *word, enum fault_kind *ret_kind);

struct faults { /* in shared memory: fault_plan_new() */
    enum fault_kind kind;
    unsigned at;              /* counted from 1 */
    char only[40];            /* counts only calls whose name and path hold this; "": all */
    atomic_uint calls;        /* file-system calls so far */
    atomic_ulong allocations; /* while the agent runs */
    atomic_bool fired;
    atomic_ullong full_until_ms;
    char hit[200];      /* what the fault met: "pwrite .../ledger" */
    atomic_bool frozen; /* calls wait before they begin */
    int log_fd; /* every call that changes something is written there (tests/powerloss); -1: no */
};
struct faults *fault_plan_new(void);
void fault_plan_free(struct faults *plan);
void fault_plan_set(struct faults *plan, enum fault_kind kind, unsigned at);
/* In the agent's process, before it begins. */
void fault_plan_begin(struct faults *plan);

/* memory.c, where allocations can be made to fail; memory_asan.c where the sanitizer owns them. */
bool memory_can_fail(void);
void memory_fail(struct faults *plan);

#endif
