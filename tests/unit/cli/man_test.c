/* What is made from the tables, the manual page and the shell completion, is what the tables say today. With --write both are written
 * instead. */
#include "tests/support/test.h"

#include "agent/cli/cli_impl.h"

static struct page {
    enum hf_status (*make)(struct hf_buf *ret_text);
    const char *file;
} pages[] = { { man_page, NULL }, { completion_script, NULL } };

static void
committed_pages_are_the_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_COUNT(pages); i++) {
        struct hf_buf made = HF_BUF(1 << 20), committed = HF_BUF(1 << 20);
        struct hf_error err = { 0 };
        assert_int_equal(pages[i].make(&made), HF_OK);
        if (hf_fs_read_file(pages[i].file, 1 << 20, &committed, &err) != HF_OK)
            fail_msg("%s", err.text);
        if (!hf_slice_equal(hf_buf_slice(&made), hf_buf_slice(&committed)))
            fail_msg("%s differs from the tables; run: ninja update_man", pages[i].file);
        hf_buf_done(&made);
        hf_buf_done(&committed);
    }
}

static void
every_command_and_option_is_in_it(void **state)
{
    struct hf_buf made = HF_BUF(1 << 20), bash = HF_BUF(1 << 20);
    struct argp_option rows[COMMAND_ROWS_MAX];
    (void)state;
    assert_int_equal(man_page(&made), HF_OK);
    assert_int_equal(completion_script(&bash), HF_OK);
    for (size_t i = 0; i < command_count; i++) {
        char title[64];
        snprintf(title, sizeof(title), ".SS holdfast %s", commands[i].name);
        assert_non_null(strstr(hf_buf_text(&made), title));
        snprintf(title, sizeof(title), "    '%s') words='", commands[i].name);
        assert_non_null(strstr(hf_buf_text(&bash), title));
        options_rows(&commands[i], rows);
        for (size_t j = 0; rows[j].name || rows[j].doc; j++)
            assert_true(rows[j].doc && *rows[j].doc);
    }
    hf_buf_done(&made);
    hf_buf_done(&bash);
}

static void
page_fails_where_it_does_not_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_COUNT(pages); i++) {
        struct hf_buf whole = HF_BUF(1 << 20);
        assert_int_equal(pages[i].make(&whole), HF_OK);
        for (size_t max = 0; max < whole.size; max += 500) {
            struct hf_buf small = HF_BUF(max);
            assert_int_equal(pages[i].make(&small), HF_ELIMIT);
            hf_buf_done(&small);
        }
        hf_buf_done(&whole);
    }
}

static int
write_pages(void)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; status == HF_OK && i < HF_COUNT(pages); i++) {
        struct hf_buf made = HF_BUF(1 << 20);
        struct hf_error err = { 0 };
        status = pages[i].make(&made);
        if (status == HF_OK)
            status = hf_fs_replace(pages[i].file, made.ptr, made.size, 0644, &err);
        hf_buf_done(&made);
        if (status != HF_OK)
            fprintf(stderr, "%s\n", err.text);
    }
    return status != HF_OK;
}

int
main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s holdfast.1 holdfast [--write]\n", argv[0]);
        return 2;
    }
    pages[0].file = argv[1];
    pages[1].file = argv[2];
    if (argc == 4 && strcmp(argv[3], "--write") == 0)
        return write_pages();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_pages_are_the_tables),
        cmocka_unit_test(every_command_and_option_is_in_it),
        cmocka_unit_test(page_fails_where_it_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
