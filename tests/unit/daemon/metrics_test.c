/* The text of the metrics, and METRICS.md beside the code. With --write the latter is written
 * instead. */
#include "tests/support/page.h"

#include <holdfast/daemon.h>
#include <holdfast/json.h>

static char *
text_of(const char *json)
{
    static struct hf_buf text;
    json_t *doc = NULL;
    struct hf_error err = { 0 };
    if (hf_doc_parse(hf_slice_text(json), 1 << 20, "test", &doc, &err) != HF_OK)
        fail_msg("%s", err.text);
    hf_buf_done(&text);
    hf_buf_init(&text, HF_METRICS_MAX);
    assert_int_equal(hf_metrics_text(doc, &text), HF_OK);
    json_decref(doc);
    return text.size ? (char *)(uintptr_t)hf_buf_text(&text) : NULL;
}

static void
has(const char *json, const char *line)
{
    const char *text = text_of(json);
    hf_owned(hf_freep) char *found = hf_asprintf("\n%s\n", line);
    if (!text || !strstr(text, found))
        fail_msg("no line '%s' in:\n%s", line, text ? text : "");
}

static void
says_nothing(const char *json)
{
    const char *text = text_of(json);
    if (text)
        fail_msg("expected nothing, got:\n%s", text);
}

static void
each_form_has_its_sample(void **state)
{
    (void)state;
    has("{\"ok\":true}", "holdfast_well 1");
    has("{\"ok\":false}", "holdfast_well 0");
    has("{\"journal\":{\"bytes\":4096}}", "holdfast_journal_bytes 4096");
    has("{\"journal\":{\"bytes\":0}}", "holdfast_journal_bytes 0");
    has("{\"journal\":{\"seconds_left\":7}}", "holdfast_journal_fill_seconds 7");
    has("{\"agent\":{\"version\":\"1.2.3\"}}", "holdfast_build_info{version=\"1.2.3\"} 1");
    has("{\"agent\":{\"started\":\"2026-11-22T16:25:50Z\"}}",
        "holdfast_start_time_seconds 1795364750");
    has("{\"sources\":[{\"name\":\"app\",\"text\":2,\"base64\":3}]}",
        "holdfast_source_unparsed_events_total{source=\"app\"} 5");
    has("{\"trails\":[{\"name\":\"t\",\"reason\":\"away\"}]}",
        "holdfast_trail_held{trail=\"t\"} 1");
    has("{\"trails\":[{\"name\":\"t\",\"reason\":null}]}", "holdfast_trail_held{trail=\"t\"} 0");
    has("{\"trails\":[{\"name\":\"t\",\"class\":\"HF_EACCESS\"}]}",
        "holdfast_trail_held_reason{trail=\"t\",class=\"HF_EACCESS\"} 1");
    has("{\"trails\":[{\"name\":\"t\",\"errors\":{\"HF_EIO\":2,\"HF_ETLS\":1}}]}",
        "holdfast_trail_errors_total{trail=\"t\",class=\"HF_EIO\"} 2\n"
        "holdfast_trail_errors_total{trail=\"t\",class=\"HF_ETLS\"} 1");
    has("{\"trails\":[{\"name\":\"t\",\"store\":\"s\",\"bucket\":\"b\",\"encryption\":\"cms\","
        "\"lock_mode\":\"NONE\"}]}",
        "holdfast_trail_info{trail=\"t\",store=\"s\",bucket=\"b\",encryption=\"cms\",lock_mode="
        "\"NONE\"} 1");
    has("{\"stores\":[{\"name\":\"s\",\"skew_s\":-3}]}",
        "holdfast_store_clock_skew_seconds{store=\"s\"} -3");
}

static void
what_is_not_known_has_no_sample(void **state)
{
    (void)state;
    says_nothing("{}");
    says_nothing("{\"journal\":{\"seconds_left\":0}}");
    says_nothing("{\"journal\":{\"bytes\":\"many\"},\"ok\":null,\"sources\":[],\"trails\":null}");
    says_nothing("{\"agent\":{\"started\":\"yesterday\"}}");
    const char *well = text_of("{\"trails\":[{\"name\":\"t\",\"reason\":null,\"class\":null,"
                               "\"since\":null,\"errors\":{}}]}");
    assert_non_null(well);
    assert_null(strstr(well, "class="));
    says_nothing("{\"sources\":[{\"name\":\"app\",\"text\":2}]}");
}

static void
help_and_type_come_once_before_the_samples(void **state)
{
    (void)state;
    const char *text =
        text_of("{\"sources\":[{\"name\":\"a\",\"events\":1},{\"name\":\"b\",\"events\":2}]}");
    const char *expected = "# TYPE holdfast_source_events_total counter\n"
                           "holdfast_source_events_total{source=\"a\"} 1\n"
                           "holdfast_source_events_total{source=\"b\"} 2\n";
    const char *help = strstr(text, "# HELP holdfast_source_events_total ");
    assert_non_null(help);
    assert_null(strstr(help + 1, "# HELP holdfast_source_events_total "));
    assert_ptr_equal(strchr(help, '\n') + 1, strstr(text, expected));
}

static void
label_values_are_escaped(void **state)
{
    (void)state;
    has("{\"sources\":[{\"name\":\"a\\\"b\\\\c\\nd\",\"events\":1}]}",
        "holdfast_source_events_total{source=\"a\\\"b\\\\c\\nd\"} 1");
}

static void
what_does_not_fit_is_an_error(void **state)
{
    struct hf_buf small = HF_BUF(100), large = HF_BUF(1 << 16);
    json_t *doc = json_pack("{s:b, s:{s:i}}", "ok", 1, "journal", "bytes", 7);
    (void)state;
    assert_int_equal(hf_metrics_text(doc, &small), HF_ELIMIT);
    assert_int_equal(hf_metrics_text(doc, &large), HF_OK);
    assert_true(small.size <= 100);
    json_decref(doc);
    hf_buf_done(&small);
    hf_buf_done(&large);
}

/* ---- the table ---- */

static struct hf_buf
reference(void)
{
    struct hf_buf made = HF_BUF(1 << 20);
    assert_int_equal(hf_metrics_reference(&made), HF_OK);
    return made;
}

static bool
ends_well(const char *name, size_t size, const char *end)
{
    size_t length = strlen(end);
    return size >= length && memcmp(name + size - length, end, length) == 0;
}

/* A metric that is told to alert on exists. */
static void
alerts_name_metrics_of_the_table(void **state)
{
    struct hf_buf made = reference();
    const char *text = hf_buf_text(&made), *at = strstr(text, "## To begin with");
    size_t count = 0;
    (void)state;
    assert_non_null(at);
    for (; (at = strstr(at, "holdfast_")) != NULL; count++) {
        hf_owned(hf_freep) char *row =
            hf_asprintf("| `%.*s` |", (int)strspn(at, "abcdefghijklmnopqrstuvwxyz_"), at);
        if (!strstr(text, row))
            fail_msg("%s is none of the table", row);
        at++;
    }
    assert_in_range(count, 8, 40);
    hf_buf_done(&made);
}

/* Prometheus' conventions: one prefix, counters end in _total and nothing else does, base units. */
static void
names_follow_the_conventions(void **state)
{
    struct hf_buf made = reference();
    size_t count = 0;
    (void)state;
    for (const char *at = hf_buf_text(&made); (at = strstr(at, "\n| `")) != NULL; count++) {
        at += strlen("\n| `");
        if (strstr(hf_buf_text(&made), "## To begin with") < at)
            break;
        size_t size = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
        if (at[size] != '`' || memcmp(at, "holdfast_", 9) != 0)
            fail_msg("'%.60s' is no name", at);
        bool counter = memcmp(at + size, "` | counter", 11) == 0;
        if (counter != ends_well(at, size, "_total"))
            fail_msg("'%.*s': a counter, and only a counter, ends in _total", (int)size, at);
        for (size_t i = 0; i < 4; i++)
            if (ends_well(at, size,
                          ((const char *const[]){ "_ms", "_minutes", "_kib", "_percent" })[i]))
                fail_msg("'%.*s' is not in base units", (int)size, at);
    }
    assert_in_range(count, 40, 200);
    hf_buf_done(&made);
}

static void
no_name_stands_twice(void **state)
{
    struct hf_buf made = reference();
    (void)state;
    for (const char *at = hf_buf_text(&made); (at = strstr(at, "\n| `")) != NULL; at++) {
        hf_owned(hf_freep) char *name = hf_strndup(at, strcspn(at + 4, "`") + 5);
        if (strstr(at + 1, name))
            fail_msg("%s stands twice", name + 3);
    }
    hf_buf_done(&made);
}

static struct page page = { hf_metrics_reference, "update_metrics", NULL };

static void
committed_reference_is_the_tables(void **state)
{
    (void)state;
    page_is_current(&page);
}

int
main(int argc, char **argv)
{
    int code;
    if (pages_begin(&page, 1, argc, argv, &code) || code)
        return code;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_has_its_sample),
        cmocka_unit_test(what_is_not_known_has_no_sample),
        cmocka_unit_test(help_and_type_come_once_before_the_samples),
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(what_does_not_fit_is_an_error),
        cmocka_unit_test(names_follow_the_conventions),
        cmocka_unit_test(alerts_name_metrics_of_the_table),
        cmocka_unit_test(no_name_stands_twice),
        cmocka_unit_test(committed_reference_is_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
