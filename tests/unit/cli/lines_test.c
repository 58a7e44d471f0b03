#include "tests/support/test.h"

#include "agent/cli/lines.h"

#include <holdfast/json.h>

/* What --json has as the text of the only line; the caller's. */
static char *
said(const char *text)
{
    struct options options = { .json = true };
    struct lines lines;
    lines_begin(&lines, &options);
    lines_add(&lines, LINE_FAIL, "logs", NULL, "%s", text);
    assert_int_equal(lines.failures, 1);
    char *found = hf_strdup(hf_doc_text_or(json_array_get(lines.list, 0), "text", NULL));
    json_decref(lines.list);
    assert_non_null(found);
    return found;
}

static void
nothing_that_a_store_sends_steers_a_terminal(void **state)
{
    (void)state;
    char *text = said("Statement 'a\x1b[2J\nok'");
    assert_string_equal(text, "Statement 'a?[2J?ok'");
    free(text);
}

static void
a_long_text_ends_with_a_whole_character(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 3; shift++) { /* the cut falls on each byte of a character */
        struct hf_buf long_text = HF_BUF(4096);
        assert_int_equal(hf_buf_add(&long_text, "ab", shift), HF_OK);
        for (size_t i = 0; i < 400; i++)
            assert_int_equal(hf_buf_add_text(&long_text, "\u20ac"), HF_OK);
        char *text = said(hf_buf_text(&long_text));
        assert_in_range(strlen(text), 1021, 1023);
        assert_true(hf_starts_with(hf_buf_text(&long_text), text));
        free(text);
        hf_buf_done(&long_text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_a_store_sends_steers_a_terminal),
        cmocka_unit_test(a_long_text_ends_with_a_whole_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
