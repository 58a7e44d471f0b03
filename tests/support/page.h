/* A page of the repository that is made from tables in the code: the test that it is what they
 * say today, and the target that writes it anew (PROGRAM FILE... --write). */
#ifndef HOLDFAST_TESTS_SUPPORT_PAGE_H
#define HOLDFAST_TESTS_SUPPORT_PAGE_H

#include "tests/support/test.h"

#include <holdfast/base.h>

struct page {
    enum hf_status (*make)(struct hf_buf *ret_text);
    const char *target; /* of ninja, which writes it */
    const char *file;
};

static inline void
page_is_current(const struct page *page)
{
    struct hf_buf made = HF_BUF(1 << 20), committed = HF_BUF(1 << 20);
    struct hf_error err = { 0 };
    assert_int_equal(page->make(&made), HF_OK);
    if (hf_fs_read_file(page->file, 1 << 20, &committed, &err) != HF_OK)
        fail_msg("%s", err.text);
    if (!hf_slice_equal(hf_buf_slice(&made), hf_buf_slice(&committed)))
        fail_msg("%s differs from the tables; run: ninja %s", page->file, page->target);
    hf_buf_done(&made);
    hf_buf_done(&committed);
}

static inline void
page_fails_where_it_does_not_fit(const struct page *page)
{
    struct hf_buf whole = HF_BUF(1 << 20);
    assert_int_equal(page->make(&whole), HF_OK);
    for (size_t max = 0; max < whole.size; max += 500) {
        struct hf_buf small = HF_BUF(max);
        assert_int_equal(page->make(&small), HF_ELIMIT);
        assert_true(small.size <= max);
        hf_buf_done(&small);
    }
    hf_buf_done(&whole);
}

static inline bool
page_write(const struct page *page)
{
    struct hf_buf made = HF_BUF(1 << 20);
    struct hf_error err = { 0 };
    enum hf_status status = page->make(&made);
    if (status == HF_OK)
        status = hf_fs_replace(page->file, made.ptr, made.size, 0644, &err);
    hf_buf_done(&made);
    if (status != HF_OK)
        fprintf(stderr, "%s: %s\n", page->file, err.text);
    return status == HF_OK;
}

/* Takes the pages' files from the command line. True: the process is to end, with `ret_code`. */
static inline bool
pages_begin(struct page *pages, size_t count, int argc, char **argv, int *ret_code)
{
    bool writes = (size_t)argc == count + 2 && strcmp(argv[count + 1], "--write") == 0;
    *ret_code = 2;
    if ((size_t)argc != count + 1 && !writes) {
        fprintf(stderr, "usage: %s FILE... [--write]\n", argv[0]);
        return true;
    }
    *ret_code = 0;
    for (size_t i = 0; i < count; i++) {
        pages[i].file = argv[i + 1];
        if (writes && !page_write(&pages[i]))
            *ret_code = 1;
    }
    return writes;
}

#endif
