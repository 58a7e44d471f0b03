/* Why a trail waits or is held, when it tries again, and when all is well. */
#include "agent/trail/health.h"
#include "tests/support/test.h"
#include "tests/unit/trail/ahead.h"

static struct hf_error
error_of(enum hf_status status, const char *text)
{
    struct hf_error err = { 0 };
    hf_fail(&err, status, "%s", text);
    return err;
}

static struct health
ready(void)
{
    struct health health = { .trail = "all" };
    health_checked(&health);
    assert_int_equal(health.state, TRAIL_READY);
    return health;
}

static void
store_that_is_away_is_waited_for_and_tried_without_a_check(void **state)
{
    struct health health = ready();
    struct hf_error away = error_of(HF_EUNREACHABLE, "away");
    (void)state;
    health_put_failed(&health, &away);
    assert_int_equal(health.state, TRAIL_WAITING);
    assert_string_equal(health.why, "away");
    health_turn(&health); /* not yet */
    assert_int_equal(health.state, TRAIL_WAITING);
    ahead_ms += RETRY_WAIT_MS;
    health_turn(&health);
    assert_int_equal(health.state, TRAIL_READY);
    assert_string_equal(health.why, "away"); /* nothing has come through yet */
    health_came_through(&health, true);
    assert_string_equal(health.why, "");
    assert_int_equal(health.failed, 1);
    assert_int_equal(health.errors[HF_EUNREACHABLE], 1);
}

static void
what_a_person_has_to_mend_holds_and_is_checked_anew(void **state)
{
    struct health health = ready();
    struct hf_error denied = error_of(HF_EACCESS, "denied");
    (void)state;
    health_put_failed(&health, &denied);
    assert_int_equal(health.state, TRAIL_HELD);
    assert_int_equal(health.status, HF_EACCESS);
    assert_false(health_may_check(&health));
    ahead_ms += RETRY_HELD_MS;
    health_turn(&health);
    assert_int_equal(health.state, TRAIL_CHECKING);
    assert_true(health_may_check(&health));
    health_checked(&health); /* proves nothing of what a PUT has said */
    assert_int_equal(health.state, TRAIL_READY);
    assert_string_equal(health.why, "denied");
    health_came_through(&health, true);
    assert_string_equal(health.why, "");
}

static void
check_that_works_ends_what_a_check_has_begun(void **state)
{
    struct health health = ready();
    struct hf_error away = error_of(HF_ETIMEOUT, "slow");
    (void)state;
    health_failed(&health, &away);
    ahead_ms += RETRY_WAIT_MS;
    health_turn(&health);
    health_checked(&health);
    assert_string_equal(health.why, "");
}

static void
waits_grow_up_to_half_a_minute_and_begin_anew(void **state)
{
    struct health health = ready();
    struct hf_error away = error_of(HF_EUNREACHABLE, "away");
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        int64_t most = HF_MIN((int64_t)RETRY_WAIT_MS << i, RETRY_MOST_MS);
        int64_t before_ms = (int64_t)hf_boot_ms();
        health_failed(&health, &away);
        assert_in_range(health.retry_ms - before_ms, most / 2, most + 1000);
    }
    health_came_through(&health, true);
    assert_int_equal(health.failures, 0);
}

static void
reason_and_its_time_stay_while_it_goes_on(void **state)
{
    struct health health = ready();
    struct hf_error away = error_of(HF_EUNREACHABLE, "away"),
                    denied = error_of(HF_EACCESS, "denied");
    (void)state;
    health_put_failed(&health, &away);
    int64_t since_s = health.since_s;
    ahead_ms += 100000;
    health_turn(&health);
    health_put_failed(&health, &denied);
    assert_int_equal(health.since_s, since_s);
    assert_string_equal(health.why, "denied");
    assert_int_equal(health.class, HF_EACCESS);
    health_came_through(&health, false); /* one of our keys is still taken */
    assert_int_equal(health.state, TRAIL_READY);
    assert_string_equal(health.why, "denied");
    health_came_through(&health, true);
    assert_string_equal(health.why, "");
}

static void
who_asks_now_does_not_wait(void **state)
{
    struct health health = ready();
    struct hf_error denied = error_of(HF_EACCESS, "denied");
    (void)state;
    health_failed(&health, &denied);
    assert_true(health_is_stuck(&health));
    health_try_now(&health);
    health_turn(&health);
    assert_true(health_may_check(&health));
    health_failed(&health, &denied);
    health_check_anew(&health);
    assert_true(health_may_check(&health));
}

/* What came through while a check is under way does not end the check. */
static void
check_under_way_is_not_cut_short(void **state)
{
    struct health health = { .trail = "all" };
    (void)state;
    health_came_through(&health, true);
    assert_int_equal(health.state, TRAIL_CHECKING);
}

/* They are in what `holdfast status` prints, for scripts, too. */
static void
each_state_has_its_word(void **state)
{
    static const char *const words[] = {
        [TRAIL_CHECKING] = "checking", [TRAIL_READY] = "ready", [TRAIL_WAITING] = "waiting",
        [TRAIL_HELD] = "held",         [TRAIL_ENDED] = "ended",
    };
    (void)state;
    for (size_t i = 0; i < HF_COUNT(words); i++)
        assert_string_equal(health_text((enum trail_state)i), words[i]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_that_is_away_is_waited_for_and_tried_without_a_check),
        cmocka_unit_test(what_a_person_has_to_mend_holds_and_is_checked_anew),
        cmocka_unit_test(check_that_works_ends_what_a_check_has_begun),
        cmocka_unit_test(waits_grow_up_to_half_a_minute_and_begin_anew),
        cmocka_unit_test(reason_and_its_time_stay_while_it_goes_on),
        cmocka_unit_test(who_asks_now_does_not_wait),
        cmocka_unit_test(check_under_way_is_not_cut_short),
        cmocka_unit_test(each_state_has_its_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
