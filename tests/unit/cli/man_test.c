/* The manual page beside the code is what the tables say today. With --write it is written instead.
 */
#include "tests/support/test.h"

#include "agent/cli/cli_impl.h"

static const char *man_file;

static void
committed_page_is_the_tables(void **state)
{
    struct hf_buf made = HF_BUF(1 << 20), committed = HF_BUF(1 << 20);
    struct hf_error err = { 0 };
    (void)state;
    assert_int_equal(man_page(&made), HF_OK);
    if (hf_fs_read_file(man_file, 1 << 20, &committed, &err) != HF_OK)
        fail_msg("%s", err.text);
    if (!hf_slice_equal(hf_buf_slice(&made), hf_buf_slice(&committed)))
        fail_msg("%s differs from the tables; run: ninja update_man", man_file);
    hf_buf_done(&made);
    hf_buf_done(&committed);
}

static void
every_command_and_option_is_in_it(void **state)
{
    struct hf_buf made = HF_BUF(1 << 20);
    struct argp_option rows[COMMAND_ROWS_MAX];
    (void)state;
    assert_int_equal(man_page(&made), HF_OK);
    for (size_t i = 0; i < command_count; i++) {
        char title[64];
        snprintf(title, sizeof(title), ".SS holdfast %s", commands[i].name);
        assert_non_null(strstr(hf_buf_text(&made), title));
        options_rows(&commands[i], rows);
        for (size_t j = 0; rows[j].name || rows[j].doc; j++)
            assert_true(rows[j].doc && *rows[j].doc);
    }
    hf_buf_done(&made);
}

static void
page_fails_where_it_does_not_fit(void **state)
{
    (void)state;
    for (size_t max = 0; max < 8000; max += 500) {
        struct hf_buf small = HF_BUF(max);
        assert_int_equal(man_page(&small), HF_ELIMIT);
        hf_buf_done(&small);
    }
}

static int
write_page(void)
{
    struct hf_buf made = HF_BUF(1 << 20);
    struct hf_error err = { 0 };
    enum hf_status status = man_page(&made);
    if (status == HF_OK)
        status = hf_fs_replace(man_file, made.ptr, made.size, 0644, &err);
    hf_buf_done(&made);
    if (status != HF_OK)
        fprintf(stderr, "%s\n", err.text);
    return status != HF_OK;
}

int
main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s holdfast.1 [--write]\n", argv[0]);
        return 2;
    }
    man_file = argv[1];
    if (argc == 3 && strcmp(argv[2], "--write") == 0)
        return write_page();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_page_is_the_tables),
        cmocka_unit_test(every_command_and_option_is_in_it),
        cmocka_unit_test(page_fails_where_it_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
