#include "tests/support/test.h"

#include <holdfast/window.h>

static void
selection_has_what_was_added_and_nothing_else(void **state)
{
    (void)state;
    struct hf_selection selection = { 0 };
    const uint16_t chosen[] = { 1, 7, 8, 9, 255, HF_SOURCES_MAX - 1 };
    for (size_t i = 0; i < HF_COUNT(chosen); i++)
        hf_selection_add(&selection, chosen[i]);
    for (uint32_t source = 1; source <= UINT16_MAX; source++) {
        bool expected = false;
        for (size_t i = 0; i < HF_COUNT(chosen); i++)
            expected = expected || chosen[i] == source;
        assert_int_equal(hf_selection_has(&selection, (uint16_t)source), expected);
    }
}

static void
own_events_pass_every_selection(void **state)
{
    (void)state;
    struct hf_selection none = { 0 }, all = { .all = true };
    assert_true(hf_selection_has(&none, HF_SOURCE_SELF));
    assert_true(hf_selection_has(&all, HF_SOURCE_SELF));
}

static void
all_has_every_source(void **state)
{
    (void)state;
    struct hf_selection all = { .all = true };
    assert_true(hf_selection_has(&all, 1));
    assert_true(hf_selection_has(&all, HF_SOURCES_MAX - 1));
}

static void
delay_is_stable_and_within_a_quarter_window_or_a_minute(void **state)
{
    (void)state;
    const struct {
        uint64_t window_s, most_s;
    } cases[] = {
        { 1, 0 }, { 3, 0 }, { 4, 1 }, { 60, 15 }, { 240, 60 }, { 300, 60 }, { 3600, 60 }
    };
    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        bool seen_zero = false, seen_most = false;
        for (int host = 0; host < 2000; host++) {
            char id[HF_HEX_SIZE(16)];
            snprintf(id, sizeof(id), "%032x", host);
            uint64_t delay_s = hf_window_delay_s(id, cases[i].window_s);
            assert_in_range(delay_s, 0, cases[i].most_s);
            assert_int_equal(delay_s, hf_window_delay_s(id, cases[i].window_s));
            seen_zero = seen_zero || delay_s == 0;
            seen_most = seen_most || delay_s == cases[i].most_s;
        }
        assert_true(seen_zero && seen_most);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selection_has_what_was_added_and_nothing_else),
        cmocka_unit_test(own_events_pass_every_selection),
        cmocka_unit_test(all_has_every_source),
        cmocka_unit_test(delay_is_stable_and_within_a_quarter_window_or_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
