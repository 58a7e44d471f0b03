/* The n-th allocation of the agent's process fails, whoever asks for it: the agent or a library.
 * A program that defines malloc() and its kin replaces them for every shared library, too; the C
 * library's own are behind them. */
#include "tests/rig/faults.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *pointer, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *pointer);

static struct faults *_Atomic failing;

static bool
fails(void)
{
    struct faults *plan = atomic_load_explicit(&failing, memory_order_acquire);
    if (!plan || atomic_fetch_add(&plan->allocations, 1) + 1 != plan->at ||
        plan->kind != FAULT_ALLOC)
        return false;
    snprintf(plan->hit, sizeof(plan->hit), "allocation");
    atomic_store(&plan->fired, true);
    errno = ENOMEM;
    return true;
}

bool
memory_can_fail(void)
{
    return true;
}

void
memory_fail(struct faults *plan)
{
    atomic_store_explicit(&failing, plan, memory_order_release);
}

void *
malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *pointer, size_t size)
{
    return fails() ? NULL : __libc_realloc(pointer, size);
}

void *
memalign(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

void *
aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __libc_memalign(alignment, size);
}

int
posix_memalign(void **ret_pointer, size_t alignment, size_t size)
{
    void *pointer = fails() ? NULL : __libc_memalign(alignment, size);
    if (!pointer)
        return ENOMEM;
    *ret_pointer = pointer;
    return 0;
}

void
free(void *pointer)
{
    __libc_free(pointer);
}
