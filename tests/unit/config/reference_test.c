/* OPTIONS.md beside the code is what the table says today. With --write it is written instead. */
#include "tests/support/page.h"

#include <holdfast/config.h>

static struct page page = { hf_config_reference, "update_options", NULL };

static void
committed_reference_is_the_tables(void **state)
{
    (void)state;
    page_is_current(&page);
}

static void
reference_fails_where_it_does_not_fit(void **state)
{
    (void)state;
    page_fails_where_it_does_not_fit(&page);
}

int
main(int argc, char **argv)
{
    int code;
    if (pages_begin(&page, 1, argc, argv, &code) || code)
        return code;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_reference_is_the_tables),
        cmocka_unit_test(reference_fails_where_it_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
