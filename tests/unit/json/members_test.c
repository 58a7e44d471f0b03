/* What the scanner picks out of a valid object. */
#include "tests/unit/json/scan_test.h"

static void
each_member_is_picked_out_raw(void **state)
{
    (void)state;
    static const char *const values[] = {
        "\"x\\n\\u0041\"",     "-1.5e3", "{\"eventName\":\"inner\"}",
        "[1,{\"eventID\":2}]", "null",   "\"\""
    };
    for (size_t i = 0; i < HF_JSON_MEMBERS; i++) {
        for (size_t v = 0; v < HF_COUNT(values); v++) {
            char text[256];
            int size = snprintf(text, sizeof(text),
                                " {\"other\":{\"eventTime\":0} , \"%s\" : %s , \"z\":[]} ",
                                hf_json_member_names[i], values[v]);
            struct hf_json_scan result;
            assert_true(scan(hf_slice(text, (size_t)size), &result));
            for (size_t k = 0; k < HF_JSON_MEMBERS; k++) {
                if (k == i)
                    assert_true(hf_slice_is(result.member[k], values[v]));
                else
                    assert_null(result.member[k].ptr);
            }
            assert_int_equal(hf_json_is_string(result.member[i]), values[v][0] == '"');
        }
    }
}

static void
similar_keys_are_not_picked_out(void **state)
{
    (void)state;
    struct hf_json_scan result;
    assert_true(scan(
        S("{\"eventname\":1,\"EventName\":1,\"eventNamee\":1,\"eventNam\":1,\"event\\u004eame\":1,"
          "\"eventNbme\":1,\"xwsRegion\":1,\"awsregion\":1,\"eventIDs\":1,\"\":1,\"eventid\":1,"
          "\"recipientAccountID\":1,\"eventTyme\":1,\"abcdefg\":1,\"eventversion\":1}"),
        &result));
    for (size_t i = 0; i < HF_JSON_MEMBERS; i++)
        assert_null(result.member[i].ptr);
}

static void
last_of_repeated_members_wins(void **state)
{
    (void)state;
    struct hf_json_scan result;
    assert_true(scan(S("{\"eventName\":\"a\",\"eventName\":{},\"eventName\":\"b\"}"), &result));
    assert_true(hf_slice_is(result.member[HF_JSON_EVENT_NAME], "\"b\""));
}

static void
text_is_the_object_without_space_around_it(void **state)
{
    (void)state;
    struct hf_json_scan result;
    assert_true(scan(S("\r\n {\"a\": 1 } \t\n"), &result));
    assert_true(hf_slice_is(result.text, "{\"a\": 1 }"));
    assert_false(result.empty);
    assert_true(scan(S(" { } "), &result));
    assert_true(hf_slice_is(result.text, "{ }"));
    assert_true(result.empty);
    assert_true(scan(S("{\"a\":{}}"), &result));
    assert_false(result.empty);
}

static void
absent_text_is_refused(void **state)
{
    (void)state;
    struct hf_json_scan result;
    assert_false(hf_json_scan(hf_slice(NULL, 0), &result));
    assert_string_equal(result.reason, "not a JSON object");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_member_is_picked_out_raw),
        cmocka_unit_test(similar_keys_are_not_picked_out),
        cmocka_unit_test(last_of_repeated_members_wins),
        cmocka_unit_test(text_is_the_object_without_space_around_it),
        cmocka_unit_test(absent_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
