/* What is made from the tables, the manual page and the shell completion, is what the tables say
 * today. With --write both are written instead. */
#include "tests/support/page.h"

#include "agent/cli/opt.h"

static struct page pages[] = { { man_page, "update_man", NULL },
                               { completion_script, "update_man", NULL } };

static void
committed_pages_are_the_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_COUNT(pages); i++)
        page_is_current(&pages[i]);
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
pages_fail_where_they_do_not_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_COUNT(pages); i++)
        page_fails_where_it_does_not_fit(&pages[i]);
}

int
main(int argc, char **argv)
{
    int code;
    if (pages_begin(pages, HF_COUNT(pages), argc, argv, &code) || code)
        return code;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_pages_are_the_tables),
        cmocka_unit_test(every_command_and_option_is_in_it),
        cmocka_unit_test(pages_fail_where_they_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
