/* Reading a valid text without a tree. */
#include "tests/unit/json/scan_test.h"

static struct hf_slice
valid(const char *text)
{
    struct hf_json_scan result;

    assert_true(hf_json_scan(hf_slice_text(text), &result));
    return result.text;
}

static void
items_come_in_order_and_whole(void **state)
{
    static const char *const keys[] = { "\"a\"", "\"b\\\"\"", "\"\"", "\"d\"" };
    static const char *const values[] = { "[1, {\"x\":\"]}\"}]", "\"\\\\\"", "{ }", "-1.5e3" };
    struct hf_json_items items;
    struct hf_slice key, value;
    size_t count = 0;

    (void)state;
    assert_true(hf_json_items_begin(valid(" { \"a\" : [1, {\"x\":\"]}\"}] ,\"b\\\"\":\"\\\\\",\"\""
                                          ":{ },\n\"d\":-1.5e3 } "),
                                    '{', &items));
    while (hf_json_items_next(&items, &key, &value)) {
        assert_true(hf_slice_is(key, keys[count]));
        assert_true(hf_slice_is(value, values[count]));
        count++;
    }
    assert_int_equal(count, 4);
}

static void
items_of_an_array_have_no_keys(void **state)
{
    struct hf_json_items items;
    struct hf_slice key, value;
    size_t count = 0;

    (void)state;
    assert_true(hf_json_items_begin(HF_SLICE_LITERAL("[ null , [] ,true]"), '[', &items));
    while (hf_json_items_next(&items, &key, &value)) {
        assert_null(key.ptr);
        count++;
    }
    assert_int_equal(count, 3);
    assert_true(hf_slice_is(value, "true"));
    assert_true(hf_json_items_begin(HF_SLICE_LITERAL("[ ]"), '[', &items));
    assert_false(hf_json_items_next(&items, &key, &value));
    assert_false(hf_json_items_begin(HF_SLICE_LITERAL("{}"), '[', &items));
    assert_false(hf_json_items_begin(hf_slice(NULL, 0), '{', &items));
}

static void
strings_are_decoded_or_refused(void **state)
{
    char text[8];

    (void)state;
    assert_true(hf_json_decode(HF_SLICE_LITERAL("\"a\\u00e9\\n\\/\""), text, sizeof(text)));
    assert_string_equal(text, "a\xc3\xa9\n/");
    assert_true(hf_json_decode(HF_SLICE_LITERAL("\"\\ud83d\\ude00\\u20ac\""), text, sizeof(text)));
    assert_string_equal(text, "\xf0\x9f\x98\x80\xe2\x82\xac");
    assert_true(hf_json_decode(HF_SLICE_LITERAL("\"1234567\""), text, sizeof(text)));
    assert_false(hf_json_decode(HF_SLICE_LITERAL("\"12345678\""), text, sizeof(text)));
    assert_false(hf_json_decode(HF_SLICE_LITERAL("\"1234567\\u00e9\""), text, sizeof(text)));
    assert_false(hf_json_decode(HF_SLICE_LITERAL("\"a\\u0000\""), text, sizeof(text)));
    assert_false(hf_json_decode(HF_SLICE_LITERAL("null"), text, sizeof(text)));
}

static void
members_are_picked_decoded_and_once(void **state)
{
    static const char *const names[] = { "one", "two" };
    struct hf_slice values[2];
    const char *twice;

    (void)state;
    assert_true(hf_json_pick(valid("{\"three\":{\"one\":0},\"o\\u006ee\":1,\"One\":2}"), names, 2,
                             values, &twice));
    assert_true(hf_slice_is(values[0], "1"));
    assert_null(values[1].ptr);
    assert_false(hf_json_pick(valid("{\"two\":0,\"\\u0074wo\":1}"), names, 2, values, &twice));
    assert_string_equal(twice, "two");
    assert_false(hf_json_pick(HF_SLICE_LITERAL("[]"), names, 2, values, &twice));
    assert_null(twice);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_in_order_and_whole),
        cmocka_unit_test(items_of_an_array_have_no_keys),
        cmocka_unit_test(strings_are_decoded_or_refused),
        cmocka_unit_test(members_are_picked_decoded_and_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
