#include "tests/support/test.h"

#include "agent/cli/opt.h"

#define NOW 1795364750 /* 2026-11-22T16:25:50Z */

static void
is(const char *text, int64_t expected)
{
    int64_t seconds = -1;
    if (!when_parse(text, NOW, &seconds) || seconds != expected)
        fail_msg("'%s' became %lld, expected %lld", text, (long long)seconds, (long long)expected);
}

static void
times_absolute_and_ago(void **state)
{
    (void)state;
    is("now", NOW);
    is("2026-11-22T16:25:50Z", NOW);
    is("2026-11-22T17:25:50+01:00", NOW);
    is("2026-11-22", NOW - 16 * 3600 - 25 * 60 - 50);
    is("90s", NOW - 90);
    is("5m", NOW - 300);
    is("2h", NOW - 7200);
    is("1d", NOW - 86400);
}

static void
what_could_be_two_things_is_refused(void **state)
{
    static const char *const wrong[] = { "",
                                         "1795364750",
                                         "300",
                                         "yesterday",
                                         "-2h",
                                         "2h ago",
                                         "2026-13-01",
                                         "2026-11-22T16:25",
                                         "22.11.2026",
                                         "1w",
                                         "99999999999999999999d" };
    int64_t seconds = 7;
    (void)state;
    for (size_t i = 0; i < HF_COUNT(wrong); i++)
        if (when_parse(wrong[i], NOW, &seconds))
            fail_msg("'%s' was taken", wrong[i]);
    assert_int_equal(seconds, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_absolute_and_ago),
        cmocka_unit_test(what_could_be_two_things_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
