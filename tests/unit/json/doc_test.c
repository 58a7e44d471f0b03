/* The helpers around jansson, and strings on their way into JSON. */
#include "tests/support/test.h"

#include <holdfast/json.h>

#define S(text) HF_SLICE_LITERAL(text)

static json_t *
parsed(const char *text)
{
    json_t *doc = NULL;
    struct hf_error err;
    if (hf_doc_parse(hf_slice_text(text), 4096, "the test", &doc, &err) != HF_OK)
        fail_msg("%s", err.text);
    return doc;
}

static void
parse_refuses_what_is_too_large(void **state)
{
    (void)state;
    json_t *doc = NULL;
    struct hf_error err;
    assert_int_equal(hf_doc_parse(S("{\"a\":1}"), 6, "receipt 'x'", &doc, &err), HF_ELIMIT);
    assert_non_null(strstr(err.text, "receipt 'x'"));
    assert_null(doc);
    assert_int_equal(hf_doc_parse(S("{\"a\":1}"), 7, "receipt 'x'", &doc, &err), HF_OK);
    hf_doc_freep(&doc);
    assert_null(doc);
}

static void
parse_names_document_line_and_reason(void **state)
{
    (void)state;
    json_t *doc = NULL;
    struct hf_error err;
    assert_int_equal(hf_doc_parse(S("{\"a\":1,\n\"b\":}"), 100, "digest 'k'", &doc, &err),
                     HF_EFORMAT);
    assert_non_null(strstr(err.text, "digest 'k' is not valid JSON: line 2"));
    assert_null(doc);
}

static void
parse_refuses_doubtful_documents(void **state)
{
    (void)state;
    static const char *const texts[] = { "",
                                         " ",
                                         "1",
                                         "{\"a\":1,\"a\":2}",
                                         "{\"a\":\"\\u0000\"}",
                                         "{} {}",
                                         "{\"a\":\"\xff\"}",
                                         "{\"a\":99999999999999999999}" };
    for (size_t i = 0; i < HF_COUNT(texts); i++) {
        json_t *doc = NULL;
        assert_int_equal(hf_doc_parse(hf_slice_text(texts[i]), 100, "x", &doc, NULL), HF_EFORMAT);
        assert_null(doc);
    }
    json_t *doc = NULL;
    assert_int_equal(hf_doc_parse(hf_slice(NULL, 0), 100, "x", &doc, NULL), HF_EFORMAT);
}

static void
dump_keeps_insertion_order(void **state)
{
    (void)state;
    hf_owned(hf_doc_freep) json_t *doc =
        parsed("{ \"z\": [1, 2], \"a\": {\"y\": null, \"b\": true}, \"m\": \"\xc3\xa9\" }");
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1000);
    assert_int_equal(hf_buf_add_text(&text, "> "), HF_OK);
    assert_int_equal(hf_doc_dump(doc, &text), HF_OK);
    assert_string_equal(hf_buf_text(&text),
                        "> {\"z\":[1,2],\"a\":{\"y\":null,\"b\":true},\"m\":\"\xc3\xa9\"}");
    hf_buf_reset(&text);
    assert_int_equal(hf_doc_dump_pretty(doc, &text), HF_OK);
    assert_non_null(strstr(hf_buf_text(&text), "{\n  \"z\": [\n    1,"));
}

static void
dump_past_the_maximum_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    hf_owned(hf_doc_freep) json_t *doc = parsed("{\"key\":\"0123456789\"}");
    for (size_t max = 3; max < 3 + 20; max++) {
        hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(max);
        assert_int_equal(hf_buf_add_text(&text, "old"), HF_OK);
        assert_int_equal(hf_doc_dump(doc, &text), HF_ELIMIT);
        assert_string_equal(hf_buf_text(&text), "old");
        assert_int_equal(text.size, 3);
    }
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(20);
    assert_int_equal(hf_doc_dump(doc, &text), HF_OK);
}

static void
typed_access_returns_values(void **state)
{
    (void)state;
    hf_owned(hf_doc_freep) json_t *doc =
        parsed("{\"t\":\"x\",\"n\":9223372036854775807,\"b\":true,\"f\":false,\"l\":[1]}");
    const char *text = NULL;
    uint64_t number = 0;
    bool flag = false;
    json_t *list = NULL;
    assert_int_equal(hf_doc_text(doc, "t", &text, NULL), HF_OK);
    assert_string_equal(text, "x");
    assert_int_equal(hf_doc_u64(doc, "n", &number, NULL), HF_OK);
    assert_true(number == INT64_MAX);
    assert_int_equal(hf_doc_bool(doc, "b", &flag, NULL), HF_OK);
    assert_true(flag);
    assert_int_equal(hf_doc_bool(doc, "f", &flag, NULL), HF_OK);
    assert_false(flag);
    assert_int_equal(hf_doc_array(doc, "l", &list, NULL), HF_OK);
    assert_int_equal(json_array_size(list), 1);
}

static void
typed_access_names_the_key_that_is_wrong(void **state)
{
    (void)state;
    hf_owned(hf_doc_freep) json_t *doc =
        parsed("{\"t\":\"x\",\"n\":-1,\"o\":{},\"r\":1.5,\"z\":null,\"b\":true}");
    const char *text = "before";
    uint64_t number = 7;
    bool flag = true;
    json_t *list = NULL;
    struct hf_error err;
    assert_int_equal(hf_doc_text(doc, "missing", &text, &err), HF_EFORMAT);
    assert_string_equal(err.text, "key 'missing' is missing, expected a string");
    assert_int_equal(hf_doc_text(doc, "z", &text, &err), HF_EFORMAT);
    assert_string_equal(err.text, "key 'z' is null, expected a string");
    assert_int_equal(hf_doc_u64(doc, "n", &number, &err), HF_EFORMAT);
    assert_string_equal(err.text, "key 'n' is negative");
    assert_int_equal(hf_doc_u64(doc, "r", &number, &err), HF_EFORMAT);
    assert_string_equal(err.text, "key 'r' is a number with a fraction, expected a whole number");
    assert_int_equal(hf_doc_bool(doc, "t", &flag, &err), HF_EFORMAT);
    assert_string_equal(err.text, "key 't' is a string, expected true or false");
    assert_int_equal(hf_doc_array(doc, "o", &list, &err), HF_EFORMAT);
    assert_string_equal(err.text, "key 'o' is an object, expected an array");
    assert_int_equal(hf_doc_text(NULL, "t", &text, &err), HF_EFORMAT);
    assert_string_equal(text, "before");
    assert_int_equal(number, 7);
    assert_true(flag);
    assert_null(list);
}

static void
fallbacks_stand_in_for_what_is_absent_or_null(void **state)
{
    (void)state;
    hf_owned(hf_doc_freep) json_t *doc = parsed("{\"t\":\"x\",\"n\":5,\"z\":null,\"m\":-5}");
    assert_string_equal(hf_doc_text_or(doc, "t", "f"), "x");
    assert_string_equal(hf_doc_text_or(doc, "z", "f"), "f");
    assert_string_equal(hf_doc_text_or(doc, "n", "f"), "f");
    assert_null(hf_doc_text_or(doc, "missing", NULL));
    assert_int_equal(hf_doc_u64_or(doc, "n", 1), 5);
    assert_int_equal(hf_doc_u64_or(doc, "m", 1), 1);
    assert_int_equal(hf_doc_u64_or(doc, "t", 1), 1);
    assert_int_equal(hf_doc_u64_or(doc, "missing", 1), 1);
}

static void
setters_build_a_document(void **state)
{
    (void)state;
    hf_owned(hf_doc_freep) json_t *doc = json_object();
    hf_doc_set_text(doc, "t", "x\"y");
    hf_doc_set_text(doc, "z", NULL);
    hf_doc_set_u64(doc, "n", 12);
    hf_doc_set_bool(doc, "b", true);
    hf_doc_set_bool(doc, "c", false);
    hf_doc_set(doc, "l", json_array());
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1000);
    assert_int_equal(hf_doc_dump(doc, &text), HF_OK);
    assert_string_equal(hf_buf_text(&text),
                        "{\"t\":\"x\\\"y\",\"z\":null,\"n\":12,\"b\":true,\"c\":false,\"l\":[]}");
}

static void
added_string_reads_back_the_same(void **state)
{
    (void)state;
    char all[0x7f + 8];
    size_t size = 0;
    for (int byte = 1; byte < 0x80; byte++)
        all[size++] = (char)byte;
    memcpy(all + size, "\xc3\xa9\xe2\x82\xac", 5);
    size += 5;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(4096);
    assert_int_equal(hf_buf_add_text(&text, "{\"a\":"), HF_OK);
    assert_int_equal(hf_json_add_string(&text, hf_slice(all, size)), HF_OK);
    assert_int_equal(hf_buf_add_text(&text, "}"), HF_OK);
    struct hf_json_scan scan;
    assert_true(hf_json_scan(hf_buf_slice(&text), &scan));
    hf_owned(hf_doc_freep) json_t *doc = parsed(hf_buf_text(&text));
    const char *back = NULL;
    assert_int_equal(hf_doc_text(doc, "a", &back, NULL), HF_OK);
    assert_int_equal(strlen(back), size);
    assert_memory_equal(back, all, size);
}

static void
added_string_uses_short_escapes(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(4096);
    assert_int_equal(hf_json_add_string(&text, S("a\"\\/\b\f\n\r\t\x01\x1f")), HF_OK);
    assert_string_equal(hf_buf_text(&text), "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\"");
    hf_buf_reset(&text);
    assert_int_equal(hf_json_add_string(&text, hf_slice(NULL, 0)), HF_OK);
    assert_string_equal(hf_buf_text(&text), "\"\"");
}

static void
added_string_past_the_maximum_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    for (size_t max = 1; max < 1 + 9; max++) {
        hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(max);
        assert_int_equal(hf_buf_add_text(&text, "x"), HF_OK);
        assert_int_equal(hf_json_add_string(&text, S("abc\n\nd")), max < 11 ? HF_ELIMIT : HF_OK);
        assert_string_equal(hf_buf_text(&text), "x");
    }
}

static void
only_quoted_values_are_strings(void **state)
{
    (void)state;
    assert_true(hf_json_is_string(S("\"\"")));
    assert_true(hf_json_is_string(S("\"a\"")));
    assert_false(hf_json_is_string(S("1")));
    assert_false(hf_json_is_string(S("{\"a\":1}")));
    assert_false(hf_json_is_string(hf_slice(NULL, 0)));
}

/* Names of files are any bytes, and a text may have been cut within a character. */
static void
what_json_cannot_hold_is_set_as_near_as_it_can(void **state)
{
    (void)state;
    json_t *doc = json_object();
    hf_doc_set_text(doc, "text",
                    "a\xff"
                    "b\xc3");
    assert_string_equal(hf_doc_text_or(doc, "text", ""), "a?b?");
    hf_doc_set_u64(doc, "number", UINT64_MAX);
    assert_int_equal(hf_doc_u64_or(doc, "number", 0), INT64_MAX);
    hf_doc_set_u64(doc, "number", (uint64_t)INT64_MAX + 1);
    assert_int_equal(hf_doc_u64_or(doc, "number", 0), INT64_MAX);
    hf_doc_freep(&doc);
}

/* ---- bounded ---- */

static json_t *
bounded_doc(void)
{
    return json_pack("{s:s, s:s, s:s%, s:n, s:s, s:s, s:i}", "word", "four", "control", "a\nb",
                     "nul", "a\0b", (size_t)3, "null", "time", "2026-11-22T15:04:05Z", "no_time",
                     "yesterday", "number", 1);
}

static void
taken_texts_are_bounded_and_plain(void **state)
{
    json_t *doc = bounded_doc();
    char *text = NULL;
    struct hf_error err;
    (void)state;
    assert_int_equal(hf_doc_take_text(doc, "word", false, 3, &text, &err), HF_EFORMAT);
    assert_non_null(strstr(err.text, "'word'"));
    assert_int_equal(hf_doc_take_text(doc, "control", false, 10, &text, &err), HF_EFORMAT);
    assert_int_equal(hf_doc_take_text(doc, "number", true, 10, &text, &err), HF_EFORMAT);
    assert_int_equal(hf_doc_take_text(doc, "none", false, 10, &text, &err), HF_EFORMAT);
    assert_int_equal(hf_doc_take_text(doc, "null", false, 10, &text, &err), HF_EFORMAT);
    assert_int_equal(hf_doc_take_text(doc, "none", true, 10, &text, &err), HF_OK);
    assert_int_equal(hf_doc_take_text(doc, "null", true, 10, &text, &err), HF_OK);
    assert_null(text);
    assert_int_equal(hf_doc_take_text(doc, "word", true, 4, &text, &err), HF_OK);
    assert_string_equal(text, "four");
    free(text);
    hf_doc_freep(&doc);
}

static void
copied_texts_are_whole(void **state)
{
    json_t *doc = bounded_doc();
    char text[5] = "as";
    (void)state;
    assert_int_equal(hf_doc_copy_text(doc, "word", text, 4, NULL), HF_EFORMAT);
    assert_int_equal(hf_doc_copy_text(doc, "nul", text, sizeof(text), NULL), HF_EFORMAT);
    assert_int_equal(hf_doc_copy_text(doc, "null", text, sizeof(text), NULL), HF_EFORMAT);
    assert_string_equal(text, "as");
    assert_int_equal(hf_doc_copy_text(doc, "word", text, sizeof(text), NULL), HF_OK);
    assert_string_equal(text, "four");
    assert_int_equal(hf_doc_copy_text(doc, "control", text, sizeof(text), NULL), HF_OK);
    hf_doc_freep(&doc);
}

static void
times_and_words_are_what_they_may_be(void **state)
{
    json_t *doc = bounded_doc();
    int64_t seconds = 7;
    struct hf_error err;
    (void)state;
    assert_int_equal(hf_doc_time(doc, "no_time", true, &seconds, &err), HF_EFORMAT);
    assert_int_equal(hf_doc_time(doc, "none", false, &seconds, &err), HF_EFORMAT);
    assert_int_equal(hf_doc_time(doc, "null", true, &seconds, &err), HF_OK);
    assert_int_equal(seconds, 7);
    assert_int_equal(hf_doc_time(doc, "time", false, &seconds, &err), HF_OK);
    assert_int_equal(seconds, 1795359845);
    assert_int_equal(hf_doc_word(doc, "word", "four", &err), HF_OK);
    assert_int_equal(hf_doc_word(doc, "word", "five", &err), HF_EFORMAT);
    assert_non_null(strstr(err.text, "expected 'five'"));
    hf_doc_freep(&doc);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_refuses_what_is_too_large),
        cmocka_unit_test(parse_names_document_line_and_reason),
        cmocka_unit_test(parse_refuses_doubtful_documents),
        cmocka_unit_test(dump_keeps_insertion_order),
        cmocka_unit_test(dump_past_the_maximum_leaves_the_buffer_as_it_was),
        cmocka_unit_test(typed_access_returns_values),
        cmocka_unit_test(typed_access_names_the_key_that_is_wrong),
        cmocka_unit_test(fallbacks_stand_in_for_what_is_absent_or_null),
        cmocka_unit_test(setters_build_a_document),
        cmocka_unit_test(taken_texts_are_bounded_and_plain),
        cmocka_unit_test(copied_texts_are_whole),
        cmocka_unit_test(times_and_words_are_what_they_may_be),
        cmocka_unit_test(what_json_cannot_hold_is_set_as_near_as_it_can),
        cmocka_unit_test(added_string_reads_back_the_same),
        cmocka_unit_test(added_string_uses_short_escapes),
        cmocka_unit_test(added_string_past_the_maximum_leaves_the_buffer_as_it_was),
        cmocka_unit_test(only_quoted_values_are_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
