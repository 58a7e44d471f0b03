#include "tests/support/test.h"

#include <holdfast/base.h>

static void
texts_stay_in_the_order_they_came_in(void **state)
{
    struct hf_strings strings = { .items = NULL };
    char text[16];
    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "%d", i);
        if (i % 2)
            hf_strings_add(&strings, text);
        else
            hf_strings_take(&strings, hf_strdup(text));
    }
    assert_int_equal(strings.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(atoi(strings.items[i]), i);
    hf_strings_done(&strings);
    assert_null(strings.items);
    assert_int_equal(strings.count, 0);
    hf_strings_done(&strings);
}

/* The room follows from the count alone; whoever takes texts out changes that. */
static void
there_is_room_again_after_texts_were_taken_out(void **state)
{
    (void)state;
    for (size_t before = 0; before < 20; before++) {
        for (size_t left = 0; left <= before; left++) {
            struct hf_strings strings = { .items = NULL };
            for (size_t i = 0; i < before; i++)
                hf_strings_add(&strings, "before");
            while (strings.count > left)
                hf_freep(&strings.items[--strings.count]);
            for (size_t i = 0; i < 20; i++) /* AddressSanitizer sees whether it fits */
                hf_strings_add(&strings, "after");
            assert_int_equal(strings.count, left + 20);
            assert_string_equal(strings.items[left + 19], "after");
            hf_strings_done(&strings);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_stay_in_the_order_they_came_in),
        cmocka_unit_test(there_is_room_again_after_texts_were_taken_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
