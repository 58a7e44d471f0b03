/* Windows on their way, the bytes that they take, and how often one may look for another key. */
#include "agent/trail/outbox.h"
#include "tests/support/test.h"
#include "tests/unit/trail/ahead.h"

static struct window *
add(struct outbox *outbox, uint64_t first_seq, uint64_t last_seq)
{
    struct hf_window range = { .first_seq = first_seq, .last_seq = last_seq, .bytes = 100 };
    return outbox_add(outbox, &range, 1, 0, "key");
}

static struct hf_sealed *
sealed_of(uint64_t size)
{
    struct hf_sealed *sealed = hf_alloc(sizeof(*sealed));
    sealed->size = size;
    return sealed;
}

static void
windows_stay_in_order_and_are_found_by_their_range(void **state)
{
    struct outbox outbox = { .folder = "sealed" };
    (void)state;
    struct window *first = add(&outbox, 1, 9), *second = add(&outbox, 10, 19);
    assert_ptr_equal(outbox.windows, first);
    assert_ptr_equal(outbox_find(&outbox, "10-19"), second);
    assert_null(outbox_find(&outbox, "10-1"));
    assert_null(outbox_find(&outbox, "key"));
    assert_string_equal(second->out.path, "sealed/w10-19.0");
    outbox_remove(&outbox, first);
    assert_ptr_equal(outbox.windows, second);
    outbox_done(&outbox);
    assert_null(outbox.windows);
}

static void
spool_counts_what_is_sealed_and_waits(void **state)
{
    struct outbox outbox = { .folder = "sealed" };
    (void)state;
    struct window *first = add(&outbox, 1, 9), *second = add(&outbox, 10, 19);
    outbox_hold(&outbox, &first->out, sealed_of(100));
    outbox_hold(&outbox, &second->out, sealed_of(10));
    assert_int_equal(outbox.spool_bytes, 110);
    outbox_hold(&outbox, &second->out, sealed_of(20)); /* in place of the other */
    assert_int_equal(outbox.spool_bytes, 120);
    outbox_release(&outbox, &first->out);
    outbox_release(&outbox, &first->out);
    assert_null(first->out.sealed);
    assert_int_equal(outbox.spool_bytes, 20);
    outbox_remove(&outbox, second);
    assert_int_equal(outbox.spool_bytes, 0);
    outbox_done(&outbox);
}

static void
sealed_up_to_the_first_that_is_not(void **state)
{
    struct outbox outbox = { .folder = "sealed" };
    (void)state;
    assert_int_equal(outbox_sealed_seq(&outbox, 30), 30);
    struct window *first = add(&outbox, 5, 9), *second = add(&outbox, 10, 19);
    assert_int_equal(outbox_sealed_seq(&outbox, 30), 4);
    assert_int_equal(outbox_unsealed(&outbox), 2);
    first->state = WINDOW_SEALED;
    assert_int_equal(outbox_sealed_seq(&outbox, 30), 9);
    assert_int_equal(outbox_unsealed_bytes(&outbox, 20), 100);
    assert_int_equal(outbox_unsealed_bytes(&outbox, 10), 0);
    second->state = WINDOW_SEALED;
    assert_int_equal(outbox_sealed_seq(&outbox, 30), 30);
    second->out.in_flight = true;
    assert_int_equal(outbox_in_flight(&outbox), 1);
    outbox_done(&outbox);
}

static void
window_that_moves_was_never_tried(void **state)
{
    struct outbox outbox = { .folder = "sealed" };
    (void)state;
    struct window *window = add(&outbox, 1, 9);
    outgoing_attempt(&window->out, 86400, false);
    outgoing_attempt(&window->out, 2 * 86400, true);
    assert_int_equal(window->out.first_retain_s, 86400);
    assert_int_equal(window->out.last_retain_s, 2 * 86400);
    outgoing_recover(&window->out);
    assert_true(window->out.maybe_there); /* how the attempt ended is not known */
    outbox_move(&outbox, window, "other", 1);
    assert_string_equal(window->out.path, "sealed/w1-9.1");
    assert_string_equal(window->key, "other");
    assert_int_equal(window->out.first_retain_s, -1);
    assert_false(window->out.foreign || window->out.maybe_there);
    outgoing_recover(&window->out);
    assert_false(window->out.maybe_there);
    outbox_done(&outbox);
}

static void
further_keys_come_one_at_a_time_after_pauses_that_grow(void **state)
{
    struct outbox outbox = { .folder = "sealed" };
    (void)state;
    for (size_t moves = 1; moves <= GENERATIONS_MOST; moves++)
        assert_true(outbox_may_move(&outbox, moves));
    for (unsigned i = 0; i < 10; i++) {
        int64_t pause_ms = HF_MIN((int64_t)MOVE_PAUSE_FIRST_MS << i, (int64_t)MOVE_PAUSE_MOST_MS);
        assert_false(outbox_may_move(&outbox, GENERATIONS_MOST + 1));
        ahead_ms += pause_ms - 1000;
        assert_false(outbox_may_move(&outbox, GENERATIONS_MOST + 1));
        ahead_ms += 1000;
        assert_true(outbox_may_move(&outbox, GENERATIONS_MOST + 1));
    }
    assert_false(outbox_may_move(&outbox, GENERATIONS_MOST + 1));
    outbox_moved_well(&outbox, false); /* another one has found its place: the next need not wait */
    assert_true(outbox_may_move(&outbox, GENERATIONS_MOST + 1));
    outbox_moved_well(&outbox, true);
    assert_int_equal(outbox.moves, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_stay_in_order_and_are_found_by_their_range),
        cmocka_unit_test(spool_counts_what_is_sealed_and_waits),
        cmocka_unit_test(sealed_up_to_the_first_that_is_not),
        cmocka_unit_test(window_that_moves_was_never_tried),
        cmocka_unit_test(further_keys_come_one_at_a_time_after_pauses_that_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
