#include "tests/support/test.h"

#include <holdfast/base.h>

static void
numbers_are_digits_within_their_range(void **state)
{
    (void)state;
    uint64_t value = 42;

    assert_true(hf_parse_u64("0", 0, UINT64_MAX, &value));
    assert_true(value == 0);
    assert_true(hf_parse_u64("18446744073709551615", 0, UINT64_MAX, &value));
    assert_true(value == UINT64_MAX);
    assert_true(hf_parse_u64("007", 7, 7, &value));
    assert_true(value == 7);
}

static void
what_is_not_a_number_changes_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        " 1",
        "1 ",
        "+1",
        "-1",
        "0x10",
        "1e3",
        "1.0",
        "18446744073709551616",
        "99999999999999999999999",
        "x",
        "1\n",
    };
    uint64_t value = 42;

    for (size_t i = 0; i < HF_COUNT(wrong); i++)
        assert_false(hf_parse_u64(wrong[i], 0, UINT64_MAX, &value));
    assert_false(hf_parse_u64("4", 5, 9, &value));
    assert_false(hf_parse_u64("10", 5, 9, &value));
    assert_false(hf_parse_u64(NULL, 0, 9, &value));
    assert_true(value == 42);
}

static void
sizes_know_their_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } right[] = {
        { "4096", 4096 },
        { "0", 0 },
        { "1KiB", 1024 },
        { "16MiB", 16777216 },
        { "1GiB", 1073741824 },
        { "2TiB", 2199023255552 },
        { "1kB", 1000 },
        { "5MB", 5000000 },
        { "1GB", 1000000000 },
        { "3TB", 3000000000000 },
        { "16777215TiB", 16777215ull << 40 },
    };
    uint64_t bytes;

    for (size_t i = 0; i < HF_COUNT(right); i++) {
        assert_true(hf_parse_size(right[i].text, &bytes));
        assert_true(bytes == right[i].bytes);
    }
}

static void
a_wrong_size_changes_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = { "",    "MiB",   "1 MiB", "1mib",   "1M",
                                         "1KB", "1MiBs", "-1",    "1.5GiB", "16777216TiB" };
    uint64_t bytes = 42;

    for (size_t i = 0; i < HF_COUNT(wrong); i++)
        assert_false(hf_parse_size(wrong[i], &bytes));
    assert_false(hf_parse_size(NULL, &bytes));
    assert_true(bytes == 42);
}

static void
durations_know_their_units(void **state)
{
    (void)state;
    uint64_t seconds = 42;

    assert_true(hf_parse_duration("300", &seconds) && seconds == 300);
    assert_true(hf_parse_duration("60s", &seconds) && seconds == 60);
    assert_true(hf_parse_duration("5m", &seconds) && seconds == 300);
    assert_true(hf_parse_duration("1h", &seconds) && seconds == 3600);
    assert_true(hf_parse_duration("7d", &seconds) && seconds == 604800);
    static const char *const wrong[] = { "",      "s",   "5 m", "5min",
                                         "1h30m", "-5m", "1w",  "18446744073709551615d" };
    for (size_t i = 0; i < HF_COUNT(wrong); i++)
        assert_false(hf_parse_duration(wrong[i], &seconds));
    assert_true(seconds == 604800);
}

static void
fields_are_little_endian_at_any_address(void **state)
{
    (void)state;
    uint8_t bytes[16];

    for (size_t at = 0; at < 8; at++) {
        hf_put_le16(bytes + at, 0xf1e2);
        assert_memory_equal(bytes + at, "\xe2\xf1", 2);
        assert_int_equal(hf_get_le16(bytes + at), 0xf1e2);
        hf_put_le32(bytes + at, 0xf1e2d3c4u);
        assert_memory_equal(bytes + at, "\xc4\xd3\xe2\xf1", 4);
        assert_true(hf_get_le32(bytes + at) == 0xf1e2d3c4u);
        hf_put_le64(bytes + at, 0xf1e2d3c4b5a69788ull);
        assert_memory_equal(bytes + at, "\x88\x97\xa6\xb5\xc4\xd3\xe2\xf1", 8);
        assert_true(hf_get_le64(bytes + at) == 0xf1e2d3c4b5a69788ull);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_digits_within_their_range),
        cmocka_unit_test(what_is_not_a_number_changes_nothing),
        cmocka_unit_test(sizes_know_their_units),
        cmocka_unit_test(a_wrong_size_changes_nothing),
        cmocka_unit_test(durations_know_their_units),
        cmocka_unit_test(fields_are_little_endian_at_any_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
