/* The line: rules that follow each other, losses in front of it, and how the next window is
 * compressed. */
#include "agent/trail/line.h"
#include "tests/support/test.h"
#include "tests/unit/trail/ahead.h"

#include <holdfast/seal.h>

static struct rule
rule_of(uint64_t window_s)
{
    return (struct rule){ .selection.all = true, .window_s = window_s, .window_max_bytes = 1000 };
}

static void
changes_wait_for_their_turn_and_never_go_back(void **state)
{
    struct line line = { .rule = rule_of(1) };
    struct rule two = rule_of(2), three = rule_of(3), gone = { .gone = true };
    (void)state;
    line_add_change(&line, 100, &two, NULL);
    line_add_change(&line, 90, &three, NULL); /* the journal's end is not asked twice */
    assert_int_equal(line.changes->after_seq, 100);
    assert_int_equal(line.changes->rule.window_s, 3); /* no event between the two: they are one */
    assert_null(line.changes->next);
    line_add_change(&line, 250, &gone, NULL);
    assert_true(line_last_rule(&line)->gone);
    assert_null(line_take_change(&line));
    assert_int_equal(line.rule.window_s, 3);
    line_add_change(&line, 300, &two, NULL);
    line_clamp(&line, 200);
    assert_int_equal(line.changes->after_seq, 200);
    assert_int_equal(line.changes->rule.window_s, 2); /* one again, as a replay makes it */
    assert_null(line.changes->next);
    line_done(&line);
}

static void
rules_differ_by_what_they_cut(void **state)
{
    struct rule a = rule_of(1), b = rule_of(1), c = rule_of(2), gone = { .gone = true };
    (void)state;
    assert_true(rule_same(&a, &b));
    assert_false(rule_same(&a, &c));
    assert_false(rule_same(&a, &gone));
    gone.window_s = 5;
    assert_true(rule_same(&gone, &(struct rule){ .gone = true }));
    b.selection.bits[0] = 2; /* all is all */
    assert_true(rule_same(&a, &b));
    a.selection.all = b.selection.all = false;
    assert_false(rule_same(&a, &b));
}

static void
losses_are_noted_once_until_a_window_has_them(void **state)
{
    struct line line = { .cut_seq = 10 };
    struct hf_journal_loss *lost;
    (void)state;
    line_note(&line, 5, 10); /* behind the line */
    line_note(&line, 0, 0);  /* not known */
    assert_int_equal(line.noted_count, 0);
    line_note(&line, 12, 13);
    line_note(&line, 12, 13);
    line_note(&line, 20, 29);
    assert_int_equal(line.noted_count, 2);
    assert_true(line_has_noted(&line, 20, 29));
    assert_false(line_has_noted(&line, 20, 28));
    assert_int_equal(line_noted_up_to(&line, 15, &lost), 1);
    assert_int_equal(lost[0].first_seq, 12);
    hf_freep(&lost);
    line_drop_noted(&line, 15);
    assert_int_equal(line.noted_count, 1);
    line_drop_noted(&line, 29);
    assert_int_equal(line.noted_count, 0);
    line_done(&line);
}

/* It was called lost, can be read again, and a window ends within it by its size: the rest is called
 * lost all the same, and the next window must not deliver it. */
static void
loss_that_a_window_parts_is_the_next_ones_too(void **state)
{
    struct line line = { .cut_seq = 10 };
    struct hf_journal_loss *lost;
    (void)state;
    line_note(&line, 20, 29);
    assert_int_equal(line_noted_up_to(&line, 24, &lost), 1);
    hf_freep(&lost);
    line_drop_noted(&line, 24);
    assert_int_equal(line_noted_up_to(&line, 40, &lost), 1);
    assert_int_equal(lost[0].last_seq, 29);
    hf_freep(&lost);
    line_drop_noted(&line, 40);
    assert_int_equal(line.noted_count, 0);
    line_done(&line);
}

static void
line_never_goes_back(void **state)
{
    struct line line = { .cut_seq = 10 };
    (void)state;
    line_skip_to(&line, 9);
    assert_int_equal(line.cut_seq, 10);
    line_skip_to(&line, 11);
    assert_int_equal(line.cut_seq, 11);
}

/* ---- pace ---- */

static int
next(struct pace *pace, uint64_t backlog_bytes, bool store_is_slow)
{
    struct load load = { .backlog_bytes = backlog_bytes,
                         .window_max_bytes = 1000,
                         .sealers = 3,
                         .store_is_slow = store_is_slow };
    ahead_ms += 300;
    (void)pace_next(pace, HF_COMPRESSION_LEVEL_AUTO, &load);
    return pace->compression;
}

static void
pace_follows_a_growing_backlog_and_comes_back(void **state)
{
    struct pace pace = { 0 };
    (void)state;
    assert_int_equal(next(&pace, 1000, false), HF_COMPRESSION_USUAL);
    assert_int_equal(next(&pace, 2500, false), HF_COMPRESSION_USUAL); /* usual ups and downs */
    assert_int_equal(next(&pace, 9000, false), HF_COMPRESSION_QUICK);
    assert_int_equal(next(&pace, 8000, false), HF_COMPRESSION_QUICK); /* it shrinks: enough */
    if (hf_compression_available(HF_COMPRESSION_ISAL)) {
        assert_int_equal(next(&pace, 20000, false), HF_COMPRESSION_ISAL);
        assert_int_equal(next(&pace, 30000, false), HF_COMPRESSION_ISAL);
        assert_int_equal(next(&pace, 1000, false), HF_COMPRESSION_QUICK);
    }
    assert_int_equal(next(&pace, 1000, false), HF_COMPRESSION_USUAL);
}

static void
pace_waits_for_a_step_to_show(void **state)
{
    struct pace pace = { 0 };
    struct load load = { .backlog_bytes = 9000, .window_max_bytes = 1000, .sealers = 3 };
    (void)state;
    assert_int_equal(next(&pace, 9000, false), HF_COMPRESSION_QUICK);
    load.backlog_bytes = 90000;
    assert_false(pace_next(&pace, HF_COMPRESSION_LEVEL_AUTO, &load));
    assert_int_equal(pace.compression, HF_COMPRESSION_QUICK);
}

static void
pace_helps_nobody_where_the_store_is_slow(void **state)
{
    struct pace pace = { 0 };
    (void)state;
    assert_int_equal(next(&pace, 9000, true), HF_COMPRESSION_USUAL);
    assert_int_equal(next(&pace, 90000, true), HF_COMPRESSION_USUAL);
}

static void
level_of_the_configuration_is_obeyed_and_left(void **state)
{
    struct pace pace = { 0 };
    struct load load = { .backlog_bytes = 90000, .window_max_bytes = 1000, .sealers = 3 };
    (void)state;
    assert_false(pace_next(&pace, 9, &load));
    assert_int_equal(pace.compression, 9);
    assert_int_equal(next(&pace, 1000, false), HF_COMPRESSION_USUAL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_wait_for_their_turn_and_never_go_back),
        cmocka_unit_test(rules_differ_by_what_they_cut),
        cmocka_unit_test(losses_are_noted_once_until_a_window_has_them),
        cmocka_unit_test(loss_that_a_window_parts_is_the_next_ones_too),
        cmocka_unit_test(line_never_goes_back),
        cmocka_unit_test(pace_follows_a_growing_backlog_and_comes_back),
        cmocka_unit_test(pace_waits_for_a_step_to_show),
        cmocka_unit_test(pace_helps_nobody_where_the_store_is_slow),
        cmocka_unit_test(level_of_the_configuration_is_obeyed_and_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
