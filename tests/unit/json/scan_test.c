/* The scanner's rules, one table each; every row runs through all twins. */
#include "tests/unit/json/scan_test.h"

static void
assert_valid(struct hf_slice text)
{
    struct hf_json_scan result;
    if (!scan(text, &result))
        fail_msg("%.*s: %s at %zu", (int)text.size, (const char *)text.ptr, result.reason,
                 result.where);
}

static void
assert_refused(struct hf_slice text, const char *reason, size_t where)
{
    struct hf_json_scan result;
    if (scan(text, &result))
        fail_msg("%.*s: accepted", (int)text.size, (const char *)text.ptr);
    assert_string_equal(result.reason, reason);
    if (result.where != where)
        fail_msg("%.*s: at %zu, not %zu", (int)text.size, (const char *)text.ptr, result.where,
                 where);
    assert_null(result.text.ptr);
    for (size_t i = 0; i < HF_JSON_MEMBERS; i++)
        assert_null(result.member[i].ptr);
}

static void
grammatical_objects_are_valid(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        " \t\r\n{ \t\r\n} \t\r\n",
        "{\"\":\"\"}",
        "{\"a\":1,\"b\":2}",
        "{ \"a\" : [ ] , \"b\" : { } }",
        "{\"a\":true,\"b\":false,\"c\":null}",
        "{\"a\":[1,[2,{\"b\":[]}],\"x\"]}",
        "{\"a\":{\"a\":{\"a\":0}}}",
        "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}",
        "{\"a\":\"\\u0000\\u001f\\uFFFF\\uabCD\"}",
        "{\"a\":\"\\ud800\\udc00\\uDBFF\\uDFFF\"}",
        "{\"a\":\"\x7f\"}",
        "{\"a\":\"\xc2\x80\xdf\xbf\"}",
        "{\"a\":\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\"}",
        "{\"a\":\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"}",
        "{\"\xc3\xa9\":1,\"\\u0000\":2}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":0}",
        "{\"a\":-0}",
        "{\"a\":10.0}",
        "{\"a\":-1.25}",
        "{\"a\":0.0e0}",
        "{\"a\":1E5}",
        "{\"a\":1e+05}",
        "{\"a\":1e-9}",
        "{\"a\":1e999999}",
        "{\"a\":123456789012345678901234567890123456789012345678901234567890}",
    };
    for (size_t i = 0; i < HF_COUNT(texts); i++)
        assert_valid(hf_slice_text(texts[i]));
}

static const struct {
    const char *text;
    const char *reason;
    size_t where;
} refused[] = {
    { "", "not a JSON object", 0 },
    { "  ", "not a JSON object", 2 },
    { "[]", "not a JSON object", 0 },
    { "1", "not a JSON object", 0 },
    { "\"a\"", "not a JSON object", 0 },
    { "null", "not a JSON object", 0 },
    { "\xef\xbb\xbf{}", "not a JSON object", 0 }, /* byte order mark */
    { "\v{}", "not a JSON object", 0 },
    { "{} {}", "something follows the object", 3 },
    { "{}x", "something follows the object", 2 },
    { "{", "expected a key in quotes", 1 },
    { "{ ", "expected a key in quotes", 2 },
    { "{a:1}", "expected a key in quotes", 1 },
    { "{'a':1}", "expected a key in quotes", 1 },
    { "{1:1}", "expected a key in quotes", 1 },
    { "{,}", "expected a key in quotes", 1 },
    { "{\"a\":1,}", "expected a key in quotes", 7 },
    { "{\"a\":1,", "expected a key in quotes", 7 },
    { "{]", "expected a key in quotes", 1 },
    { "{\"a\"}", "expected a colon after the key", 4 },
    { "{\"a\"", "expected a colon after the key", 4 },
    { "{\"a\" 1}", "expected a colon after the key", 5 },
    { "{\"a\":", "expected a value", 5 },
    { "{\"a\":}", "expected a value", 5 },
    { "{\"a\"::1}", "expected a value", 5 },
    { "{\"a\":[", "expected a value", 6 },
    { "{\"a\":[1,]}", "expected a value", 8 },
    { "{\"a\":[,1]}", "expected a value", 6 },
    { "{\"a\":nul}", "expected a value", 5 },
    { "{\"a\":TRUE}", "expected a value", 5 },
    { "{\"a\":fals", "expected a value", 5 },
    { "{\"a\":NaN}", "expected a value", 5 },
    { "{\"a\":Infinity}", "expected a value", 5 },
    { "{\"a\":+1}", "expected a value", 5 },
    { "{\"a\":.5}", "expected a value", 5 },
    { "{\"a\":/**/1}", "expected a value", 5 },
    { "{\"a\":1", "expected a comma or the closing bracket", 6 },
    { "{\"a\":1 2}", "expected a comma or the closing bracket", 7 },
    { "{\"a\":1]", "expected a comma or the closing bracket", 6 },
    { "{\"a\":[1}", "expected a comma or the closing bracket", 7 },
    { "{\"a\":nullx}", "expected a comma or the closing bracket", 9 },
    { "{\"a\":0x10}", "expected a comma or the closing bracket", 6 },
    { "{\"a\":\"b\"\"c\"}", "expected a comma or the closing bracket", 8 },
    { "{\"a\":\"b", "unfinished string", 7 },
    { "{\"a", "unfinished string", 3 },
    { "{\"a\":\"\\\"}", "unfinished string", 9 },
    { "{\"a\":\"\t\"}", "control character in a string", 6 },
    { "{\"a\":\"\x1f\"}", "control character in a string", 6 },
    { "{\"a\n\":1}", "control character in a string", 3 },
    { "{\"a\":\"\\x41\"}", "invalid escape", 6 },
    { "{\"a\":\"\\'\"}", "invalid escape", 6 },
    { "{\"a\":\"\\u12\"}", "invalid escape", 6 },
    { "{\"a\":\"\\u12g4\"}", "invalid escape", 6 },
    { "{\"a\":\"\\U0041\"}", "invalid escape", 6 },
    { "{\"a\":\"\\", "invalid escape", 6 },
    { "{\"a\":\"\\ud800\"}", "unpaired surrogate", 6 },
    { "{\"a\":\"\\udc00\"}", "unpaired surrogate", 6 },
    { "{\"a\":\"\\ud800\\u0041\"}", "unpaired surrogate", 6 },
    { "{\"a\":\"\\ud800\\ud800\"}", "unpaired surrogate", 6 },
    { "{\"a\":\"\\ud800\\n\"}", "unpaired surrogate", 6 },
    { "{\"a\":\"\\udfff\\ud800\"}", "unpaired surrogate", 6 },
    { "{\"a\":-}", "invalid number", 5 },
    { "{\"a\":01}", "invalid number", 5 },
    { "{\"a\":-01}", "invalid number", 5 },
    { "{\"a\":00}", "invalid number", 5 },
    { "{\"a\":1.}", "invalid number", 5 },
    { "{\"a\":1.e5}", "invalid number", 5 },
    { "{\"a\":1e}", "invalid number", 5 },
    { "{\"a\":1e+}", "invalid number", 5 },
    { "{\"a\":-a}", "invalid number", 5 },
};

static void
everything_else_is_refused_with_reason_and_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_COUNT(refused); i++)
        assert_refused(hf_slice_text(refused[i].text), refused[i].reason, refused[i].where);
}

static void
nul_is_refused_wherever_it_stands(void **state)
{
    (void)state;
    assert_refused(S("{\"a\":\"\0\"}"), "control character in a string", 6);
    assert_refused(S("{\"a\":\"\\\0\"}"), "invalid escape", 6);
    assert_refused(S("{\"a\":1\0}"), "expected a comma or the closing bracket", 6);
    assert_refused(S("{}\0"), "something follows the object", 2);
    assert_refused(S("\0{}"), "not a JSON object", 0);
    assert_refused(S("{\"a\":\0}"), "expected a value", 5);
}

static void
malformed_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const sequences[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2\x41",
        "\xc2\xc0",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xe1\x80",
        "\xe1\x80\x41",
        "\xe1\x41\x80",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x80\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf1\x80\x80",
        "\xf1\x80\x80\x41",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xfe",
        "\xff",
    };
    for (size_t i = 0; i < HF_COUNT(sequences); i++) {
        for (size_t before = 0; before < 40; before++) {
            char text[128];
            snprintf(text, sizeof(text), "{\"a\":\"%.*s%s\"}", (int)before,
                     "0123456789012345678901234567890123456789", sequences[i]);
            assert_refused(hf_slice_text(text), "invalid UTF-8", 6 + before);
            assert_false(hf_utf8_valid(hf_slice_text(text)));
        }
    }
}

static void
cut_off_utf8_is_refused_without_reading_on(void **state)
{
    (void)state;
    static const char whole[] = "{\"a\":\"\xf0\x9f\x98\x80";
    for (size_t size = sizeof(whole) - 4; size < sizeof(whole) - 1; size++) {
        uint8_t *exact = hf_alloc(size); /* AddressSanitizer watches its end */
        memcpy(exact, whole, size);
        assert_refused(hf_slice(exact, size), "invalid UTF-8", 6);
        free(exact);
    }
}

static void
utf8_helper_allows_nul_and_all_planes(void **state)
{
    (void)state;
    assert_true(hf_utf8_valid(S("")));
    assert_true(hf_utf8_valid(S("a\0b")));
    assert_true(hf_utf8_valid(S("12345678\xc3\xa9 12345678 \xf4\x8f\xbf\xbf")));
    assert_false(hf_utf8_valid(S("12345678\xed\xa0\x80")));
    assert_false(hf_utf8_valid(S("1234567\xc3")));
}

static void
special_byte_is_found_at_every_offset(void **state)
{
    (void)state;
    for (size_t size = 0; size < 100; size++) {
        for (size_t at = 0; at < size; at++) {
            size_t whole = size + 9;
            char *text = hf_alloc(whole);
            snprintf(text, whole, "{\"a\":\"");
            memset(text + 6, 'x', size);
            memcpy(text + 6 + size, "\"} ", 3);
            assert_valid(hf_slice(text, whole));
            text[6 + at] = '\n';
            assert_refused(hf_slice(text, whole), "control character in a string", 6 + at);
            text[6 + at] = '\x80';
            assert_refused(hf_slice(text, whole), "invalid UTF-8", 6 + at);
            text[6 + at] = '"';
            struct hf_json_scan result;
            assert_false(scan(hf_slice(text, whole), &result));
            assert_int_equal(result.where, 7 + at);
            free(text);
        }
    }
}

static void
every_byte_is_plain_in_a_string_or_not(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 0x80; byte++) {
        char text[64];
        size_t size = (size_t)snprintf(text, sizeof(text), "{\"a\":\"%s\"}",
                                       "........................................");
        text[12] = (char)byte;
        struct hf_json_scan result;
        assert_int_equal(scan(hf_slice(text, size), &result),
                         byte >= 0x20 && byte != '"' && byte != '\\');
    }
}

static void
nested_text(char *text, size_t depth, char open, char close)
{
    size_t at = 0;
    memcpy(text, "{\"a\":", 5);
    at = 5;
    for (size_t i = 1; i < depth; i++) {
        if (open == '{' && i + 1 < depth) {
            memcpy(text + at, "{\"a\":", 5);
            at += 5;
        } else {
            text[at++] = open;
        }
    }
    for (size_t i = 1; i < depth; i++)
        text[at++] = close;
    memcpy(text + at, "}", 2);
}

static void
sixty_four_levels_are_the_limit(void **state)
{
    (void)state;
    char text[1024];
    nested_text(text, 64, '[', ']');
    assert_valid(hf_slice_text(text));
    nested_text(text, 65, '[', ']');
    assert_refused(hf_slice_text(text), "nested too deep", 5 + 63);
    nested_text(text, 64, '{', '}');
    assert_valid(hf_slice_text(text));
    nested_text(text, 65, '{', '}');
    assert_refused(hf_slice_text(text), "nested too deep", 5 * 64);
}

static void
kinds_of_all_levels_are_remembered(void **state)
{
    (void)state;
    /* Alternating kinds down to the limit, and each closing bracket wrong in turn. */
    char text[1024] = "{\"a\":";
    size_t at = 5;
    for (size_t i = 1; i < 64; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at,
                               i % 2    ? "["
                               : i < 63 ? "{\"a\":"
                                        : "{");
    size_t closing = at;
    for (size_t i = 63; i >= 1; i--)
        text[at++] = i % 2 ? ']' : '}';
    text[at++] = '}';
    assert_valid(hf_slice(text, at));
    for (size_t i = closing; i < at; i++) {
        char right = text[i];
        text[i] = right == ']' ? '}' : ']';
        struct hf_json_scan result;
        assert_false(scan(hf_slice(text, at), &result));
        assert_int_equal(result.where, i);
        text[i] = right;
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grammatical_objects_are_valid),
        cmocka_unit_test(everything_else_is_refused_with_reason_and_place),
        cmocka_unit_test(nul_is_refused_wherever_it_stands),
        cmocka_unit_test(malformed_utf8_is_refused),
        cmocka_unit_test(cut_off_utf8_is_refused_without_reading_on),
        cmocka_unit_test(utf8_helper_allows_nul_and_all_planes),
        cmocka_unit_test(special_byte_is_found_at_every_offset),
        cmocka_unit_test(every_byte_is_plain_in_a_string_or_not),
        cmocka_unit_test(sixty_four_levels_are_the_limit),
        cmocka_unit_test(kinds_of_all_levels_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
