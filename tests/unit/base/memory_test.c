#include "tests/unit/base/child.h"

#include <holdfast/base.h>

#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>

/* The sanitizers' heap has another way to keep what was freed: label `plain` runs the others. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HAS_OWN_HEAP
#endif

/* A line of /proc/self/status, in KiB. */
static long
status_kb(const char *name)
{
    char line[256];
    long kb = -1;
    FILE *file = fopen("/proc/self/status", "r");

    while (file && kb < 0 && fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            kb = strtol(line + strlen(name) + 1, NULL, 10);
    if (file)
        fclose(file);
    return kb;
}

struct touched {
    size_t bytes;
    uint64_t sum;
};

/* Adds up one byte of each page that is not written to, which may lie between two variables. */
__attribute__((no_sanitize("address"))) static int
touch(struct dl_phdr_info *object, size_t size, void *context)
{
    struct touched *touched = context;

    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        const volatile uint8_t *at =
            (const volatile uint8_t *)(object->dlpi_addr + segment->p_vaddr);
        if (segment->p_type != PT_LOAD || segment->p_flags & PF_W || !(segment->p_flags & PF_R))
            continue;
        for (size_t offset = 0; offset < segment->p_filesz; offset += 4096, touched->bytes += 4096)
            touched->sum = touched->sum * 31 + at[offset];
    }
    return 0;
}

static struct touched
touch_all(void)
{
    struct touched touched = { 0 };

    dl_iterate_phdr(touch, &touched);
    return touched;
}

/* How many KiB of files are in memory before and after. */
static void
give_back(long *ret_before_kb, long *ret_after_kb)
{
    *ret_before_kb = status_kb("RssFile");
    hf_memory_give_back();
    *ret_after_kb = status_kb("RssFile");
}

static void
pages_of_libraries_leave_memory_and_come_back_as_they_were(void **state)
{
    (void)state;
    struct touched first = touch_all(), second;
    long before_kb, after_kb;

    assert_true(first.bytes > 1024 * 1024);
    give_back(&before_kb, &after_kb);
    print_message("%ld KiB touched, %ld before, %ld after\n", (long)(first.bytes / 1024), before_kb,
                  after_kb);
    assert_true(before_kb >= (long)(first.bytes / 1024));
    /* what runs just now is back already, with the pages around it */
    assert_true(before_kb - after_kb >= (long)(first.bytes / 1024) / 2);
    second = touch_all();
    assert_int_equal(second.bytes, first.bytes);
    assert_int_equal(second.sum, first.sum);
    assert_true(status_kb("RssFile") >= (long)(first.bytes / 1024));
}

#ifdef HAS_OWN_HEAP
static void
freed_heap_leaves_memory(void **state)
{
    (void)state;
    enum { COUNT = 8192, SIZE = 1024 };
    static void *parts[COUNT];

    for (size_t i = 0; i < COUNT; i++)
        memset(parts[i] = hf_alloc(SIZE), 1, SIZE);
    for (size_t i = 0; i + 1 < COUNT; i++) /* the last one keeps the top where it is */
        hf_freep(&parts[i]);
    long before_kb = status_kb("RssAnon");
    hf_memory_give_back();
    assert_true(before_kb - status_kb("RssAnon") >= (COUNT - 1024) * SIZE / 1024);
    hf_freep(&parts[COUNT - 1]);
}
#endif

static void
be_traced(void)
{
    long before_kb, after_kb;

    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
        fprintf(stderr, "no tracing");
        _exit(0);
    }
    (void)touch_all();
    give_back(&before_kb, &after_kb);
    _exit(after_kb >= before_kb - 64 ? 0 : 1); /* its breakpoints would have been among them */
}

static void
nothing_is_dropped_under_a_debugger(void **state)
{
    (void)state;
    struct child child;

    child_run(be_traced, &child);
    if (strcmp(child.output, "no tracing") == 0)
        skip();
    assert_true(child_succeeded(&child));
}

static void
nothing_is_given_back_while_somebody_works(void **state)
{
    (void)state;

    hf_memory_note_use();
    assert_false(hf_memory_give_back_if_quiet());
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_libraries_leave_memory_and_come_back_as_they_were),
#ifdef HAS_OWN_HEAP
        cmocka_unit_test(freed_heap_leaves_memory),
#endif
        cmocka_unit_test(nothing_is_dropped_under_a_debugger),
        cmocka_unit_test(nothing_is_given_back_while_somebody_works),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
