#include "config_test.h"

static void
expect_name(const char *name, const char *expected)
{
    struct hf_error err = { 0 };
    enum hf_status status = hf_trail_name_check(name, "us-east-1", &err);
    if (!expected) {
        if (status != HF_OK)
            fail_msg("'%s': %s", name, err.text);
        return;
    }
    assert_int_equal(status, HF_ECONFIG);
    assert_string_equal(err.text, expected);
}

static void
good_names_pass(void **state)
{
    (void)state;
    char longest[129];
    memset(longest, 'a', 128);
    longest[128] = '\0';
    const char *const names[] = { "abc",         "A1b",        "my-trail_2.x", "1.2.3",
                                  "1.2.3.4.5",   "1234.1.1.1", "us-east-1",    "x_us-east-1",
                                  "us-east-1_x", longest };
    for (size_t i = 0; i < HF_COUNT(names); i++)
        expect_name(names[i], NULL);
    assert_int_equal(hf_trail_name_check("a_b_c", NULL, NULL), HF_OK);
}

static void
bad_names_get_cloudtrails_words(void **state)
{
    (void)state;
    char long_name[130];
    memset(long_name, 'a', 129);
    long_name[129] = '\0';
    expect_name("", "Trail name too short. Minimum allowed length: 3 characters. Specified name "
                    "length: 0 characters.");
    expect_name("ab", "Trail name too short. Minimum allowed length: 3 characters. Specified name "
                      "length: 2 characters.");
    expect_name(long_name, "Trail name too long. Maximum allowed length: 128 characters. Specified "
                           "name length: 129 characters.");
    expect_name("-abc", "Trail name must starts with a letter or number.");
    expect_name("abc_", "Trail name must ends with a letter or number.");
    const char *characters =
        "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, "
        "periods (.), hyphens (-), and underscores (_).";
    expect_name("a b", characters);
    expect_name("a/b", characters);
    expect_name("a\xc3\xa4z", characters);
    const char *adjacent =
        "Trail name must not have adjacent periods (.), hyphens (-), or underscores (_).";
    expect_name("a..b", adjacent);
    expect_name("a_-b", adjacent);
    expect_name("192.168.5.4", "Trail name must not be in IP address format.");
}

static void
a_region_between_underscores_is_refused(void **state)
{
    (void)state;
    expect_name("a_us-east-1_b",
                "Trail name must not contain '_us-east-1_': the region between underscores marks "
                "where the name ends in a digest's key.");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_names_pass),
        cmocka_unit_test(bad_names_get_cloudtrails_words),
        cmocka_unit_test(a_region_between_underscores_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
