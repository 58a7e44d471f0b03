#include "tests/unit/window/given_journal.h"

#define WINDOW_S 300
#define SLOT     1800000000 /* a multiple of 300 */

static struct hf_journal journal;
static struct hf_cutter *cutter;
static struct hf_window window;
static struct hf_journal_loss loss;

static int
setup(void **state)
{
    (void)state;
    journal = (struct hf_journal){ 0 };
    cutter = NULL;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    hf_cutter_free(cutter);
    return 0;
}

static void
start(bool all, uint16_t source, uint64_t max_bytes, uint64_t from_seq)
{
    struct hf_selection selection = { .all = all };
    if (source)
        hf_selection_add(&selection, source);
    assert_int_equal(
        hf_cutter_new(&journal, &selection, WINDOW_S, max_bytes, from_seq, &cutter, NULL), HF_OK);
}

static enum hf_status
next(uint64_t delay_s)
{
    struct hf_error err;
    return hf_cutter_next(cutter, delay_s, &window, &loss, &err);
}

static enum hf_status
close_at(uint64_t last_seq)
{
    struct hf_error err;
    return hf_cutter_close_at(cutter, last_seq, &window, &loss, &err);
}

static void
assert_window(uint64_t first_seq, uint64_t last_seq, uint64_t count, uint64_t bytes,
              enum hf_cut_reason reason)
{
    assert_int_equal(window.first_seq, first_seq);
    assert_int_equal(window.last_seq, last_seq);
    assert_int_equal(window.count, count);
    assert_int_equal(window.bytes, bytes);
    assert_int_equal(window.reason, reason);
}

static void
nothing_is_cut_from_an_empty_journal(void **state)
{
    (void)state;
    journal.floor_s = SLOT + 10000;
    start(true, 0, 1000, 1);
    assert_int_equal(next(0), HF_EFULL);
    assert_int_equal(close_at(1000), HF_EFULL);
    assert_int_equal(hf_cutter_due_s(cutter, 0), 0);
    assert_int_equal(hf_cutter_next_seq(cutter), 1);
}

static void
window_closes_when_the_floor_passes_its_slot(void **state)
{
    (void)state;
    given_add(&journal, SLOT + 7, 3, 10, 1);
    journal.floor_s = SLOT + WINDOW_S - 1;
    start(true, 0, 1000, 1);
    assert_int_equal(next(0), HF_EFULL);
    assert_int_equal(hf_cutter_due_s(cutter, 0), SLOT + WINDOW_S);
    assert_int_equal(hf_cutter_due_s(cutter, 20), SLOT + WINDOW_S + 20);
    assert_int_equal(hf_cutter_next_seq(cutter), 1);
    journal.floor_s = SLOT + WINDOW_S;
    assert_int_equal(next(0), HF_OK);
    assert_window(1, 3, 3, HF_OBJECT_OVERHEAD + 32, HF_CUT_TIME);
    assert_int_equal(window.slot_s, SLOT);
    assert_int_equal(window.oldest_s, SLOT + 7);
    assert_int_equal(window.newest_s, SLOT + 9);
    assert_int_equal(next(0), HF_EFULL);
    assert_int_equal(hf_cutter_next_seq(cutter), 4);
}

static void
delay_holds_a_time_cut_back_also_when_the_next_slot_has_begun(void **state)
{
    (void)state;
    given_add(&journal, SLOT + 7, 2, 10, 1);
    given_add(&journal, SLOT + WINDOW_S + 1, 1, 10, 1);
    journal.floor_s = SLOT + WINDOW_S + 29;
    start(true, 0, 1000, 1);
    assert_int_equal(next(30), HF_EFULL);
    assert_int_equal(next(30), HF_EFULL);
    journal.floor_s++;
    assert_int_equal(next(30), HF_OK);
    assert_window(1, 2, 2, HF_OBJECT_OVERHEAD + 21, HF_CUT_TIME);
    assert_int_equal(next(30), HF_EFULL);
    assert_int_equal(hf_cutter_next_seq(cutter), 3);
}

static void
delay_does_not_hold_a_size_cut(void **state)
{
    (void)state;
    given_add(&journal, SLOT, 4, 40, 1);
    journal.floor_s = SLOT;
    start(true, 0, HF_OBJECT_OVERHEAD + 81, 1);
    assert_int_equal(next(30), HF_OK);
    assert_window(1, 2, 2, HF_OBJECT_OVERHEAD + 81, HF_CUT_SIZE);
    assert_int_equal(next(30), HF_EFULL);
}

static void
clock_that_went_back_does_not_hold_a_window(void **state)
{
    (void)state;
    given_add(&journal, SLOT + 5 * WINDOW_S, 1, 10, 1);
    given_add(&journal, SLOT, 1, 10, 1);
    journal.floor_s = SLOT;
    start(true, 0, 1000, 1);
    assert_int_equal(next(30), HF_OK);
    assert_window(1, 1, 1, HF_OBJECT_OVERHEAD + 10, HF_CUT_TIME);
    assert_int_equal(next(30), HF_EFULL);
}

static void
size_cut_lies_inside_a_batch(void **state)
{
    (void)state;
    given_add(&journal, SLOT, 5, 10, 1);
    given_add(&journal, SLOT + 1, 2, 10, 1);
    journal.floor_s = SLOT;
    start(true, 0, HF_OBJECT_OVERHEAD + 32, 1); /* three records with their commas */
    assert_int_equal(next(0), HF_OK);
    assert_window(1, 3, 3, HF_OBJECT_OVERHEAD + 32, HF_CUT_SIZE);
    assert_int_equal(next(0), HF_OK);
    assert_window(4, 6, 3, HF_OBJECT_OVERHEAD + 32, HF_CUT_SIZE);
    assert_int_equal(next(0), HF_EFULL);
    assert_int_equal(hf_cutter_next_seq(cutter), 7);
}

static void
record_larger_than_a_window_gets_one_of_its_own(void **state)
{
    (void)state;
    given_add(&journal, SLOT, 1, 10, 1);
    given_add(&journal, SLOT, 1, 5000, 1);
    given_add(&journal, SLOT, 1, 10, 1);
    journal.floor_s = SLOT + WINDOW_S;
    start(true, 0, 100, 1);
    assert_int_equal(next(0), HF_OK);
    assert_window(1, 1, 1, HF_OBJECT_OVERHEAD + 10, HF_CUT_SIZE);
    assert_int_equal(next(0), HF_OK);
    assert_window(2, 2, 1, HF_OBJECT_OVERHEAD + 5000, HF_CUT_SIZE);
    assert_int_equal(next(0), HF_OK);
    assert_window(3, 3, 1, HF_OBJECT_OVERHEAD + 10, HF_CUT_TIME);
}

static void
unselected_events_cost_no_bytes_and_stay_covered(void **state)
{
    (void)state;
    given_add(&journal, SLOT, 2, 5000, 2);
    given_add(&journal, SLOT, 2, 10, 1);
    given_add(&journal, SLOT, 2, 5000, 2);
    given_add(&journal, SLOT + WINDOW_S, 3, 5000, 2);
    journal.floor_s = SLOT + 2 * WINDOW_S;
    start(false, 1, 100, 1);
    assert_int_equal(next(0), HF_OK);
    assert_window(1, 6, 2, HF_OBJECT_OVERHEAD + 21, HF_CUT_TIME);
    assert_int_equal(window.oldest_s, SLOT);
    assert_int_equal(window.newest_s, SLOT + 1);
    assert_int_equal(next(0), HF_OK);
    assert_window(7, 9, 0, HF_OBJECT_OVERHEAD, HF_CUT_TIME);
    assert_int_equal(window.oldest_s, 0);
    assert_int_equal(window.newest_s, 0);
}

static void
event_times_before_the_epoch_are_kept(void **state)
{
    (void)state;
    struct given_batch *batch = given_add(&journal, SLOT, 3, 10, 1);
    batch->entries[0].event_time_s = -5;
    batch->entries[1].event_time_s = 7;
    batch->entries[2].event_time_s = -9;
    start(true, 0, 1000, 1);
    assert_int_equal(close_at(3), HF_OK);
    assert_int_equal(window.oldest_s, -9);
    assert_int_equal(window.newest_s, 7);
}

static void
close_ends_inside_a_batch_and_the_rest_follows(void **state)
{
    (void)state;
    given_add(&journal, SLOT, 5, 10, 1);
    start(true, 0, 1000, 1);
    assert_int_equal(close_at(2), HF_OK);
    assert_window(1, 2, 2, HF_OBJECT_OVERHEAD + 21, HF_CUT_NOW);
    assert_int_equal(close_at(2), HF_EFULL);
    assert_int_equal(hf_cutter_next_seq(cutter), 3);
    journal.floor_s = SLOT + WINDOW_S;
    assert_int_equal(next(0), HF_OK);
    assert_window(3, 5, 3, HF_OBJECT_OVERHEAD + 32, HF_CUT_TIME);
}

static void
close_ends_behind_its_sequence_when_more_was_taken_already(void **state)
{
    (void)state;
    given_add(&journal, SLOT, 5, 10, 1);
    journal.floor_s = SLOT;
    start(true, 0, 1000, 1);
    assert_int_equal(next(0), HF_EFULL);
    assert_int_equal(close_at(2), HF_OK);
    assert_window(1, 5, 5, HF_OBJECT_OVERHEAD + 54, HF_CUT_NOW);
    assert_int_equal(close_at(2), HF_EFULL);
}

static void
close_returns_the_windows_before_it_first_and_needs_no_floor(void **state)
{
    (void)state;
    given_add(&journal, SLOT, 3, 10, 1);
    given_add(&journal, SLOT + WINDOW_S, 3, 10, 1);
    start(true, 0, HF_OBJECT_OVERHEAD + 21, 1);
    assert_int_equal(close_at(6), HF_OK);
    assert_window(1, 2, 2, HF_OBJECT_OVERHEAD + 21, HF_CUT_SIZE);
    assert_int_equal(close_at(6), HF_OK);
    assert_window(3, 3, 1, HF_OBJECT_OVERHEAD + 10, HF_CUT_TIME);
    assert_int_equal(close_at(6), HF_OK);
    assert_window(4, 5, 2, HF_OBJECT_OVERHEAD + 21, HF_CUT_SIZE);
    assert_int_equal(close_at(6), HF_OK);
    assert_window(6, 6, 1, HF_OBJECT_OVERHEAD + 10, HF_CUT_NOW);
    assert_int_equal(close_at(6), HF_EFULL);
}

static void
loss_inside_a_window_is_told_and_the_window_goes_on_behind_it(void **state)
{
    (void)state;
    given_add(&journal, SLOT, 2, 10, 1);
    given_add(&journal, SLOT, 3, 10, 1)->lost = true;
    given_add(&journal, SLOT, 2, 10, 1);
    journal.floor_s = SLOT + WINDOW_S;
    start(true, 0, 1000, 1);
    assert_int_equal(next(0), HF_ECORRUPT);
    assert_int_equal(loss.first_seq, 3);
    assert_int_equal(loss.last_seq, 5);
    assert_int_equal(hf_cutter_next_seq(cutter), 1);
    assert_int_equal(next(0), HF_OK);
    assert_window(1, 7, 4, HF_OBJECT_OVERHEAD + 43, HF_CUT_TIME);
    assert_int_equal(journal.losses_reported, 1);
}

static void
loss_at_the_end_lets_close_finish(void **state)
{
    (void)state;
    given_add(&journal, SLOT, 2, 10, 1);
    given_add(&journal, SLOT, 3, 10, 1)->lost = true;
    start(true, 0, 1000, 1);
    assert_int_equal(close_at(4), HF_ECORRUPT);
    assert_int_equal(close_at(4), HF_OK);
    assert_window(1, 2, 2, HF_OBJECT_OVERHEAD + 21, HF_CUT_NOW);
    assert_int_equal(close_at(4), HF_EFULL);
    assert_int_equal(close_at(5), HF_EFULL);
}

static void
loss_of_everything_leaves_nothing_to_cut(void **state)
{
    (void)state;
    given_add(&journal, SLOT, 3, 10, 1)->lost = true;
    journal.floor_s = SLOT + WINDOW_S;
    start(true, 0, 1000, 1);
    assert_int_equal(next(0), HF_ECORRUPT);
    assert_int_equal(next(0), HF_EFULL);
    assert_int_equal(close_at(3), HF_EFULL);
    assert_int_equal(hf_cutter_next_seq(cutter), 4);
}

/* A trail that asks for the oldest event there is may ask for one that was released long ago. */
static void
close_before_the_first_event_that_is_left_ends(void **state)
{
    (void)state;
    given_add(&journal, SLOT, 2, 10, 1);
    journal.batches[0].first_seq = 100;
    start(true, 0, 1000, 1);
    assert_int_equal(close_at(50), HF_EFULL);
    assert_int_equal(close_at(101), HF_OK);
    assert_window(100, 101, 2, HF_OBJECT_OVERHEAD + 21, HF_CUT_NOW);
}

static void
start_inside_a_batch_takes_only_what_follows(void **state)
{
    (void)state;
    given_add(&journal, SLOT, 5, 10, 1);
    start(true, 0, 1000, 4);
    assert_int_equal(hf_cutter_next_seq(cutter), 4);
    assert_int_equal(close_at(5), HF_OK);
    assert_window(4, 5, 2, HF_OBJECT_OVERHEAD + 21, HF_CUT_NOW);
}

static void
slots_are_multiples_of_the_window_since_the_epoch(void **state)
{
    (void)state;
    given_add(&journal, SLOT + WINDOW_S - 1, 1, 10, 1);
    given_add(&journal, SLOT + WINDOW_S, 1, 10, 1);
    journal.floor_s = SLOT + 2 * WINDOW_S;
    start(true, 0, 1000, 1);
    assert_int_equal(next(0), HF_OK);
    assert_window(1, 1, 1, HF_OBJECT_OVERHEAD + 10, HF_CUT_TIME);
    assert_int_equal(window.slot_s, SLOT);
    assert_int_equal(next(0), HF_OK);
    assert_int_equal(window.slot_s, SLOT + WINDOW_S);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_cut_from_an_empty_journal),
        TEST(window_closes_when_the_floor_passes_its_slot),
        TEST(delay_holds_a_time_cut_back_also_when_the_next_slot_has_begun),
        TEST(delay_does_not_hold_a_size_cut),
        TEST(clock_that_went_back_does_not_hold_a_window),
        TEST(size_cut_lies_inside_a_batch),
        TEST(record_larger_than_a_window_gets_one_of_its_own),
        TEST(unselected_events_cost_no_bytes_and_stay_covered),
        TEST(event_times_before_the_epoch_are_kept),
        TEST(close_ends_inside_a_batch_and_the_rest_follows),
        TEST(close_ends_behind_its_sequence_when_more_was_taken_already),
        TEST(close_returns_the_windows_before_it_first_and_needs_no_floor),
        TEST(loss_inside_a_window_is_told_and_the_window_goes_on_behind_it),
        TEST(loss_at_the_end_lets_close_finish),
        TEST(loss_of_everything_leaves_nothing_to_cut),
        TEST(close_before_the_first_event_that_is_left_ends),
        TEST(start_inside_a_batch_takes_only_what_follows),
        TEST(slots_are_multiples_of_the_window_since_the_epoch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
