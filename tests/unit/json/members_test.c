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
        S("{\"eventNamee\":1,\"eventNam\":1,\"eventNbme\":1,\"xwsRegion\":1,\"eventIDs\":1,"
          "\"\":1,\"eventTyme\":1,\"abcdefg\":1,\"xventversion\":1,\"holdfas\":1,"
          "\"holdfasts\":1,\"hold.fast\":1,\"e\":{\"holdfast\":1,\"eventID\":1,\"eventID\":2}}"),
        &result));
    for (size_t i = 0; i < HF_JSON_MEMBERS; i++)
        assert_null(result.member[i].ptr);
    assert_null(result.doubt);
}

static void
a_key_is_what_it_says_whatever_its_escapes(void **state)
{
    (void)state;
    struct hf_json_scan result;
    assert_true(scan(S("{\"event\\u004eame\":1,\"\\u0065ventID\":2}"), &result));
    assert_true(hf_slice_is(result.member[HF_JSON_EVENT_NAME], "1"));
    assert_true(hf_slice_is(result.member[HF_JSON_EVENT_ID], "2"));
    assert_null(result.doubt);
}

/* Of each name, and of those that are not picked out but are CloudTrail's. */
static void
a_member_that_stands_twice_is_doubted_in_any_case_and_escape(void **state)
{
    (void)state;
    static const char *const others[] = {
        "userAgent",
        "errorCode",
        "errorMessage",
        "requestID",
        "additionalEventData",
        "apiVersion",
        "managementEvent",
        "readOnly",
        "resources",
        "sharedEventID",
        "serviceEventDetails",
        "vpcEndpointId",
        "eventContext",
        "vpcEndpointAccountId",
        "addendum",
        "tlsDetails",
        "edgeDeviceDetails",
        "insightDetails",
        "sessionCredentialFromConsole",
    };
    for (size_t i = 0; i < HF_JSON_MEMBERS + HF_COUNT(others); i++) {
        const char *name =
            i < HF_JSON_MEMBERS ? hf_json_member_names[i] : others[i - HF_JSON_MEMBERS];
        char upper[64] = "", text[512];
        struct hf_json_scan result;
        for (size_t k = 0; name[k]; k++)
            upper[k] = (char)(name[k] >= 'a' && name[k] <= 'z' ? name[k] - 32 : name[k]);
        snprintf(text, sizeof(text), "{\"%s\":1,\"other\":2}", name);
        assert_true(scan(hf_slice_text(text), &result));
        assert_null(result.doubt);
        snprintf(text, sizeof(text), "{\"%s\":1}", upper);
        assert_true(scan(hf_slice_text(text), &result));
        assert_int_equal(result.doubt != NULL, i < HF_JSON_MEMBERS);
        snprintf(text, sizeof(text), "{\"%s\":1,\"%s\":1}", name, name);
        assert_true(scan(hf_slice_text(text), &result));
        assert_non_null(result.doubt);
        snprintf(text, sizeof(text), "{\"%s\":1,\"%s\":1}", upper, name);
        assert_true(scan(hf_slice_text(text), &result));
        assert_non_null(result.doubt);
        snprintf(text, sizeof(text), "{\"%s\":1,\"\\u%04x%s\":1}", name, (unsigned)name[0],
                 name + 1);
        assert_true(scan(hf_slice_text(text), &result));
        assert_non_null(result.doubt);
    }
}

static void
holdfast_is_doubted_however_it_is_written(void **state)
{
    (void)state;
    static const char *const keys[] = { "holdfast",       "HOLDFAST",        "Holdfast",
                                        "h\\u006fldfast", "\\u0048oldfast",  "holdfa\xc5\xbft",
                                        "holdfa\\u017ft", "holdfast\\u0000", "holdfast\\u0000x" };
    for (size_t i = 0; i < HF_COUNT(keys); i++) {
        char text[128];
        struct hf_json_scan result;
        snprintf(text, sizeof(text), "{\"a\":1,\"%s\":{}}", keys[i]);
        assert_true(scan(hf_slice_text(text), &result));
        assert_non_null(result.doubt);
        snprintf(text, sizeof(text), "{\"a\":{\"%s\":{}}}", keys[i]);
        assert_true(scan(hf_slice_text(text), &result));
        assert_null(result.doubt);
    }
}

static void
letters_that_fold_into_ascii_are_those_letters(void **state)
{
    (void)state;
    static const char *const keys[] = { "event\xc4\xb0"
                                        "D",
                                        "event\xc4\xb1"
                                        "d",
                                        "event\\u0130D", "requestParameter\xc5\xbf",
                                        "eventT\\u0131me" };
    for (size_t i = 0; i < HF_COUNT(keys); i++) {
        char text[128];
        struct hf_json_scan result;
        snprintf(text, sizeof(text), "{\"%s\":1}", keys[i]);
        assert_true(scan(hf_slice_text(text), &result));
        assert_non_null(result.doubt);
    }
}

static void
the_agents_own_sources_are_known_however_they_are_written(void **state)
{
    (void)state;
    static const char *const ours[] = { "\"holdfast\"",           "\"HoldFast\"",
                                        "\"app.holdfast\"",       "\"a.b.HOLDFAST\"",
                                        "\".holdfast\"",          "\"hold\\u0066ast\"",
                                        "\"app\\u002eholdfast\"", "\"holdfa\xc5\xbft\"",
                                        "\"\xc3\xa4.holdfast\"",  "\"holdfast\\u0000\"" };
    static const char *const others[] = { "\"\"",
                                          "\"s3.amazonaws.com\"",
                                          "\"holdfast.example\"",
                                          "\"xholdfast\"",
                                          "\"a-holdfast\"",
                                          "\"oldfast\"",
                                          "\"xhold\\u0066ast\"",
                                          "17",
                                          "{\"a\":\"holdfast\"}" };
    for (size_t i = 0; i < HF_COUNT(ours); i++)
        assert_true(hf_json_names_holdfast(hf_slice_text(ours[i])));
    for (size_t i = 0; i < HF_COUNT(others); i++)
        assert_false(hf_json_names_holdfast(hf_slice_text(others[i])));
}

static void
last_of_repeated_members_wins(void **state)
{
    (void)state;
    struct hf_json_scan result;
    assert_true(scan(S("{\"eventName\":\"a\",\"eventName\":{},\"eventName\":\"b\"}"), &result));
    assert_true(hf_slice_is(result.member[HF_JSON_EVENT_NAME], "\"b\""));
    assert_non_null(result.doubt);
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
        cmocka_unit_test(a_key_is_what_it_says_whatever_its_escapes),
        cmocka_unit_test(a_member_that_stands_twice_is_doubted_in_any_case_and_escape),
        cmocka_unit_test(holdfast_is_doubted_however_it_is_written),
        cmocka_unit_test(letters_that_fold_into_ascii_are_those_letters),
        cmocka_unit_test(the_agents_own_sources_are_known_however_they_are_written),
        cmocka_unit_test(last_of_repeated_members_wins),
        cmocka_unit_test(text_is_the_object_without_space_around_it),
        cmocka_unit_test(absent_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
