/* What counts as a step of the wall clock: what a time service bends does not, nor does a
 * suspend, which both clocks count. */
#include "tests/support/test.h"

#include "agent/daemon/daemon_impl.h"

#define NOW_MS  INT64_C(1795000000000)
#define HOUR_MS INT64_C(3600000)

static struct clock_watch
watch_at(int64_t wall_ms, int64_t boot_ms)
{
    return (struct clock_watch){ .offset_ms = wall_ms - boot_ms, .boot_ms = boot_ms };
}

static void
hour_either_way_is_a_step_and_told_once(void **state)
{
    struct clock_watch watch = watch_at(NOW_MS, 5000);
    int64_t step_ms;
    (void)state;
    assert_false(clock_watch_compare(&watch, NOW_MS + 100, 5100, &step_ms));
    assert_true(clock_watch_compare(&watch, NOW_MS + 200 - HOUR_MS, 5200, &step_ms));
    assert_int_equal(step_ms, -HOUR_MS);
    assert_false(clock_watch_compare(&watch, NOW_MS + 300 - HOUR_MS, 5300, &step_ms));
    assert_true(clock_watch_compare(&watch, NOW_MS + 400, 5400, &step_ms));
    assert_int_equal(step_ms, HOUR_MS);
}

static void
back_to_1970_and_years_ahead_are_steps(void **state)
{
    struct clock_watch watch = watch_at(NOW_MS, 5000);
    int64_t step_ms;
    (void)state;
    assert_true(clock_watch_compare(&watch, 0, 5010, &step_ms));
    assert_int_equal(step_ms, -NOW_MS - 10);
    assert_true(clock_watch_compare(&watch, 2 * NOW_MS, 5020, &step_ms));
    assert_int_equal(step_ms, 2 * NOW_MS - 10);
}

static void
one_second_is_a_step_and_less_is_none(void **state)
{
    struct clock_watch watch = watch_at(NOW_MS, 5000);
    int64_t step_ms;
    (void)state;
    assert_false(clock_watch_compare(&watch, NOW_MS + 999, 5000, &step_ms));
    assert_true(clock_watch_compare(&watch, NOW_MS + 1000, 5000, &step_ms));
    assert_int_equal(step_ms, 1000);
}

/* 500 parts in a million is what ntpd does at most; looked at often, seldom, and in turns. */
static void
bent_clock_makes_no_step_however_often_it_is_looked_at(void **state)
{
    static const int64_t pauses_ms[] = { 1, 10, 999, 1000, 1001, 60000, HOUR_MS };
    (void)state;
    for (int sign = -1; sign <= 1; sign += 2) {
        for (size_t i = 0; i < HF_COUNT(pauses_ms); i++) {
            struct clock_watch watch = watch_at(NOW_MS, 0);
            int64_t step_ms, boot_ms = 0;
            for (int look = 0; look < 200000 && boot_ms < 100 * HOUR_MS; look++) {
                boot_ms += i == 2 && look % 7 ? 3 : pauses_ms[i];
                assert_false(clock_watch_compare(&watch, NOW_MS + boot_ms + sign * boot_ms / 2000,
                                                 boot_ms, &step_ms));
            }
        }
    }
}

/* Many small sets are one large one. */
static void
creeping_in_halves_of_a_second_is_seen(void **state)
{
    struct clock_watch watch = watch_at(NOW_MS, 0);
    int64_t step_ms, seen_ms = 0;
    (void)state;
    for (int64_t i = 1; i <= 100; i++) {
        if (clock_watch_compare(&watch, NOW_MS + i * 100 + i * 500, i * 100, &step_ms))
            seen_ms += step_ms;
    }
    assert_in_range(seen_ms, 48000, 50000);
}

static void
suspend_is_no_step(void **state)
{
    struct clock_watch watch = watch_at(NOW_MS, 5000);
    int64_t step_ms;
    (void)state;
    assert_false(
        clock_watch_compare(&watch, NOW_MS + 8 * HOUR_MS + 300, 5000 + 8 * HOUR_MS, &step_ms));
    assert_true(clock_watch_compare(&watch, NOW_MS + 9 * HOUR_MS, 5000 + 8 * HOUR_MS,
                                    &step_ms)); /* one after it is */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hour_either_way_is_a_step_and_told_once),
        cmocka_unit_test(back_to_1970_and_years_ahead_are_steps),
        cmocka_unit_test(one_second_is_a_step_and_less_is_none),
        cmocka_unit_test(bent_clock_makes_no_step_however_often_it_is_looked_at),
        cmocka_unit_test(creeping_in_halves_of_a_second_is_seen),
        cmocka_unit_test(suspend_is_no_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
