#include "agent/base/base_impl.h"
#include "tests/support/test.h"

#include <errno.h>
#include <sys/timex.h>
#include <time.h>

static int kernel_state, kernel_status;
int __wrap_adjtimex(struct timex *ret_now);

int
__wrap_adjtimex(struct timex *ret_now)
{
    assert_int_equal(ret_now->modes, 0); /* it would set the clock */
    ret_now->status = kernel_status;
    if (kernel_state < 0)
        errno = EPERM; /* as a filter of system calls says it */
    return kernel_state;
}

static void
only_the_kernel_says_that_a_clock_is_kept(void **state)
{
    static const struct {
        int state, status;
        bool kept;
    } cases[] = {
        { TIME_OK, 0, true },
        { TIME_OK, STA_PLL | STA_NANO, true },
        { TIME_INS, STA_PLL | STA_INS, true }, /* a leap second is announced */
        { TIME_OK, STA_UNSYNC, false },
        { TIME_ERROR, STA_UNSYNC, false },
        { TIME_ERROR, STA_PPSTIME, false },
        { -1, 0, false },
    };
    (void)state;
    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        kernel_state = cases[i].state;
        kernel_status = cases[i].status;
        assert_int_equal(hf_clock_is_synchronised(), cases[i].kept);
    }
}

static void
clocks_go_forward_from_the_build(void **state)
{
    (void)state;
    uint64_t boot_ms = hf_boot_ms();
    uint64_t wall_ns = hf_wall_ns();
    int64_t wall_s = hf_wall_s();

    assert_true(hf_build_s() > 1700000000);
    assert_true(wall_s >= hf_build_s());
    assert_true(wall_s - (int64_t)(wall_ns / HF_NS_PER_S) <= 1);
    assert_true(hf_boot_ms() >= boot_ms);
}

static void
each_form_shows_the_same_second(void **state)
{
    (void)state;
    char text[HF_TIME_SIZE];
    const int64_t second = 1795359845; /* date -u -d 2026-11-22T15:04:05Z +%s */

    hf_time_rfc3339(second, text);
    assert_string_equal(text, "2026-11-22T15:04:05Z");
    hf_time_compact(second, text);
    assert_string_equal(text, "20261122T150405Z");
    hf_time_minute(second, text);
    assert_string_equal(text, "20261122T1504Z");
    hf_time_folder(second, text);
    assert_string_equal(text, "2026/11/22");
    hf_time_http(second, text);
    assert_string_equal(text, "Sun, 22 Nov 2026 15:04:05 GMT");
}

static void
the_calendar_agrees_with_the_c_library(void **state)
{
    (void)state;
    char ours[HF_TIME_SIZE];
    char theirs[64];

    /* A step prime to the day and the week, across 8000 years: every day of the year and hour comes
     * by. */
    for (int64_t second = -62135596800; second < 190000000000; second += 9998737) {
        time_t same = second;
        struct tm parts;
        gmtime_r(&same, &parts);
        parts.tm_zone = "GMT";
        snprintf(theirs, sizeof(theirs), "%04d-%02d-%02dT%02d:%02d:%02dZ", parts.tm_year + 1900,
                 parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
        hf_time_rfc3339(second, ours);
        assert_string_equal(ours, theirs);
        hf_time_http(second, ours);
        assert_true(strncmp(ours, hf_weekday_names[parts.tm_wday], 3) == 0);
        assert_true(strncmp(ours + 8, hf_month_names[parts.tm_mon], 3) == 0);
    }
}

static void
what_is_shown_can_be_read_back(void **state)
{
    (void)state;
    char text[HF_TIME_SIZE];
    int64_t back;

    for (int64_t second = -62167219200; second <= 253402300799; second += 86399 * 365) {
        hf_time_rfc3339(second, text);
        assert_true(hf_time_parse_rfc3339(text, &back) && back == second);
        hf_time_compact(second, text);
        assert_true(hf_time_parse_compact(text, &back) && back == second);
        hf_time_http(second, text);
        assert_true(hf_time_parse_http(text, &back) && back == second);
    }
}

static void
a_time_past_four_digits_is_shown_as_the_last_that_fits(void **state)
{
    (void)state;
    char text[HF_TIME_SIZE];

    hf_time_rfc3339(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    hf_time_http(INT64_MAX, text);
    assert_string_equal(text, "Fri, 31 Dec 9999 23:59:59 GMT");
    hf_time_rfc3339(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00Z");
}

static void
rfc3339_is_read_with_offset_and_fraction(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } right[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "2026-11-22T15:04:05Z", 1795359845 },
        { "2026-11-22t15:04:05z", 1795359845 },
        { "2026-11-22T15:04:05.999999999Z", 1795359845 },
        { "2026-11-22T15:04:05.1Z", 1795359845 },
        { "2026-11-22T17:04:05+02:00", 1795359845 },
        { "2026-11-22T09:34:05.25-05:30", 1795359845 },
        { "2026-11-22T15:04:05-00:00", 1795359845 },
        { "2024-02-29T00:00:00Z", 1709164800 },
        { "2016-12-31T23:59:60Z", 1483228800 },
    };
    int64_t seconds;

    for (size_t i = 0; i < HF_COUNT(right); i++) {
        assert_true(hf_time_parse_rfc3339(right[i].text, &seconds));
        assert_true(seconds == right[i].seconds);
    }
}

static void
what_is_not_rfc3339_changes_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "2026",
        "2026-11-22",
        "2026-11-22T15:04Z",
        "2026-11-22T15:04:05",
        "2026-11-22 15:04:05Z",
        "2026-11-22T15:04:05.Z",
        "2026-11-22T15:04:05,5Z",
        "2026-11-22T15:04:05+0200",
        "2026-11-22T15:04:05+24:00",
        "2026-11-22T15:04:05+02:60",
        "2026-11-22T15:04:05Zx",
        " 2026-11-22T15:04:05Z",
        "2026-13-22T15:04:05Z",
        "2026-00-22T15:04:05Z",
        "2026-11-00T15:04:05Z",
        "2026-11-31T15:04:05Z",
        "2026-02-29T15:04:05Z",
        "1900-02-29T00:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T15:60:05Z",
        "2026-11-22T15:04:61Z",
        "26-11-22T15:04:05Z",
        "+026-11-22T15:04:05Z",
        "2026-1-22T15:04:05Z",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z",
        "0000-01-01T00:00:00+00:01",
    };
    int64_t seconds = 42;

    for (size_t i = 0; i < HF_COUNT(wrong); i++)
        assert_false(hf_time_parse_rfc3339(wrong[i], &seconds));
    assert_true(seconds == 42);
}

static void
http_dates_have_one_form(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun",
        "Sun, 06 No",
    };
    int64_t seconds = 42;

    for (size_t i = 0; i < HF_COUNT(wrong); i++)
        assert_false(hf_time_parse_http(wrong[i], &seconds));
    assert_true(seconds == 42);
    assert_true(hf_time_parse_http("Sun, 06 Nov 1994 08:49:37 GMT", &seconds));
    assert_true(seconds == 784111777);
}

static void
compact_times_have_one_form(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "20261122T150405",
        "20261122150405Z",
        "20261122T1504Z",
        "20261132T150405Z",
        "20261122T150405Zx",
        "20261122T15040Z",
    };
    int64_t seconds = 42;

    for (size_t i = 0; i < HF_COUNT(wrong); i++)
        assert_false(hf_time_parse_compact(wrong[i], &seconds));
    assert_true(seconds == 42);
    assert_true(hf_time_parse_compact("20261122T150405Z", &seconds));
    assert_true(seconds == 1795359845);
}

static void
the_day_after_begins_at_midnight(void **state)
{
    (void)state;
    assert_true(hf_day_after(0) == 86400);
    assert_true(hf_day_after(86399) == 86400);
    assert_true(hf_day_after(86400) == 172800);
    assert_true(hf_day_after(-1) == 0);
    assert_true(hf_day_after(-86400) == 0);
    assert_true(hf_day_after(-86401) == -86400);
    assert_true(hf_day_after(1795359845) == 1795392000); /* 2026-11-23T00:00:00Z */
    assert_true(hf_day_after(INT64_MAX) == 253402300800);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_kernel_says_that_a_clock_is_kept),
        cmocka_unit_test(clocks_go_forward_from_the_build),
        cmocka_unit_test(each_form_shows_the_same_second),
        cmocka_unit_test(the_calendar_agrees_with_the_c_library),
        cmocka_unit_test(what_is_shown_can_be_read_back),
        cmocka_unit_test(a_time_past_four_digits_is_shown_as_the_last_that_fits),
        cmocka_unit_test(rfc3339_is_read_with_offset_and_fraction),
        cmocka_unit_test(what_is_not_rfc3339_changes_nothing),
        cmocka_unit_test(http_dates_have_one_form),
        cmocka_unit_test(compact_times_have_one_form),
        cmocka_unit_test(the_day_after_begins_at_midnight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
