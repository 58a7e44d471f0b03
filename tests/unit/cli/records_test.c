#include "tests/support/test.h"

#include "agent/cli/records.h"

/* What is printed for `json`, or NULL when it is refused. */
static char *
printed(const char *json, size_t size, bool to_terminal, uint64_t *ret_count)
{
    char *text = NULL;
    size_t text_size = 0;
    struct hf_error err = { 0 };
    FILE *out = open_memstream(&text, &text_size);
    *ret_count = 0;
    enum hf_status status = records_write(hf_slice(json, size), out, to_terminal, ret_count, &err);
    fclose(out);
    if (status != HF_OK) {
        assert_int_equal(status, HF_EFORMAT);
        free(text);
        return NULL;
    }
    return text;
}

static void
is(const char *json, const char *expected, uint64_t expected_count)
{
    uint64_t count;
    char *text = printed(json, strlen(json), false, &count);
    assert_non_null(text);
    assert_string_equal(text, expected);
    assert_int_equal(count, expected_count);
    free(text);
}

static void
each_record_is_a_line_as_it_stands(void **state)
{
    (void)state;
    is("{\"Records\":[]}", "", 0);
    is("{\"Records\":[{\"a\":1}]}", "{\"a\":1}\n", 1);
    is("{\"Records\":[{\"a\":1},{ \"b\" : [1, 2] }]}", "{\"a\":1}\n{ \"b\" : [1, 2] }\n", 2);
    is("{\"Records\":[{\"a\":\"}],{\\\"\\\\\"},{}]}", "{\"a\":\"}],{\\\"\\\\\"}\n{}\n", 2);
    is("{\"Records\":[{\"n\":1.00000000000000000001}]}", "{\"n\":1.00000000000000000001}\n", 1);
}

static void
line_ends_between_tokens_become_blanks(void **state)
{
    (void)state;
    is("{\n \"Records\" : [\r\n {\"a\":\n1,\r\"b\":2}\n ,\n {}\n]\n}", "{\"a\": 1, \"b\":2}\n{}\n",
       2);
}

static void
a_terminal_is_not_steered_by_a_record(void **state)
{
    static const char json[] = "{\"Records\":[{\"a\":\"\xc2\x9b"
                               "2J\x7f \xc3\xa9\xc2\xa0\x1b\"}]}";
    uint64_t count;
    (void)state;
    char *text = printed(json, strlen(json), true, &count);
    assert_string_equal(text, "{\"a\":\"\\u009b2J\\u007f \xc3\xa9\xc2\xa0\\u001b\"}\n");
    free(text);
    is("{\"Records\":[{\"a\":\"\xc2\x9b\x7f\"}]}", "{\"a\":\"\xc2\x9b\x7f\"}\n", 1);
}

static void
anything_else_is_refused(void **state)
{
    static const char *const wrong[] = { "",
                                         "[]",
                                         "{}",
                                         "{\"Other\":[]}",
                                         "{\"Records\":{}}",
                                         "{\"Records\":[",
                                         "{\"Records\":[{\"a\":1}",
                                         "{\"Records\":[{\"a\":1}{}]}",
                                         "{\"Records\":[1]}",
                                         "{\"Records\":[{},]}",
                                         "{\"Records\":[{\"a\":\"]}",
                                         "{\"Records\":[{\"a\\",
                                         "{\"Records\":[{\"a\":\"\\" };
    (void)state;
    for (size_t i = 0; i < HF_COUNT(wrong); i++) {
        uint64_t count;
        char *text = printed(wrong[i], strlen(wrong[i]), false, &count);
        if (text)
            fail_msg("'%s' was taken: %s", wrong[i], text);
    }
}

static void
a_full_disk_is_an_error(void **state)
{
    struct hf_error err = { 0 };
    uint64_t count = 0;
    FILE *full = fopen("/dev/full", "w");
    (void)state;
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    assert_int_equal(
        records_write(hf_slice_text("{\"Records\":[{\"a\":1}]}"), full, false, &count, &err),
        HF_ENOSPC);
    fclose(full);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_record_is_a_line_as_it_stands),
        cmocka_unit_test(line_ends_between_tokens_become_blanks),
        cmocka_unit_test(a_terminal_is_not_steered_by_a_record),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(a_full_disk_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
