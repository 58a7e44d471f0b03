/* Lines as they come out of a process, and as they are put together. */
#include "agent/base/base_impl.h"
#include "tests/unit/base/child.h"

#include <errno.h>
#include <pthread.h>

static const char *
body_of(bool json, const struct hf_field *fields)
{
    static struct hf_log_line line;

    hf_log_body(&line, json, "object.delivered", fields);
    assert_true(line.size < sizeof(line.bytes));
    line.bytes[line.size] = '\0';
    return line.bytes;
}
#define TEXT(...) body_of(false, (const struct hf_field[]){ __VA_ARGS__, { .key = NULL } })
#define JSON(...) body_of(true, (const struct hf_field[]){ __VA_ARGS__, { .key = NULL } })

static void
text_quotes_only_what_needs_it(void **state)
{
    (void)state;
    assert_string_equal(body_of(false, NULL), "object.delivered");
    assert_string_equal(TEXT(HF_STR("key", "a/b-c_1.json.gz"), HF_NUM("bytes", -5)),
                        "object.delivered key=a/b-c_1.json.gz bytes=-5");
    assert_string_equal(TEXT(HF_STR("a", "two words"), HF_STR("b", ""), HF_STR("c", "x=y")),
                        "object.delivered a=\"two words\" b=\"\" c=\"x=y\"");
    assert_string_equal(TEXT(HF_STR("a", NULL)), "object.delivered a=-");
    assert_string_equal(TEXT(HF_STR("a", "say \"\\\"")), "object.delivered a=\"say \\\"\\\\\\\"\"");
    assert_string_equal(TEXT(HF_STR("a", "K\xc3\xb6ln")), "object.delivered a=\"K\xc3\xb6ln\"");
}

static void
json_is_quoted_as_json_wants_it(void **state)
{
    (void)state;
    assert_string_equal(body_of(true, NULL), "\"event\":\"object.delivered\"");
    assert_string_equal(JSON(HF_STR("key", "plain"), HF_NUM("n", INT64_MIN), HF_STR("none", NULL)),
                        "\"event\":\"object.delivered\",\"key\":\"plain\",\"n\":-"
                        "9223372036854775808,\"none\":null");
    assert_string_equal(JSON(HF_STR("a", "q\"b\\n\nt\t")),
                        "\"event\":\"object.delivered\",\"a\":\"q\\\"b\\\\n\\nt\\t\"");
}

static void
nothing_in_a_value_reaches_the_terminal(void **state)
{
    (void)state;
    /* ESC, DEL, CR, C1 CSI as UTF-8 and bare, a lone continuation, a surrogate, an overlong slash,
     * past U+10FFFF */
    static const char evil[] =
        "\x1b[2J\x7f\r\xc2\x9b\x9b\x80\xed\xa0\x80\xc0\xaf\xf4\x90\x80\x80\xe2\x82";
    static const char shown[] =
        "\\x1b["
        "2J\\x7f\\x0d\\xc2\\x9b\\x9b\\x80\\xed\\xa0\\x80\\xc0\\xaf\\xf4\\x90\\x80\\x80\\xe2\\x82";
    char wanted[512];

    snprintf(wanted, sizeof(wanted), "object.delivered a=\"%s\"", shown);
    assert_string_equal(TEXT(HF_STR("a", evil)), wanted);
    const char *json = JSON(HF_STR("a", evil));
    assert_non_null(strstr(json, "\"a\":\"\\\\x1b[2J\\\\x7f\\\\x0d\\\\xc2\\\\x9b"));
    for (const char *c = json; *c; c++)
        assert_in_range(*c, 0x20, 0x7e);
    assert_string_equal(TEXT(HF_STR("a", "\xe2\x82\xac \xf0\x9f\x94\x92")),
                        "object.delivered a=\"\xe2\x82\xac \xf0\x9f\x94\x92\"");
}

static void
a_line_fits_whatever_is_in_it(void **state)
{
    (void)state;
    static char large[10000];
    struct hf_log_line body;
    struct hf_log_line line;
    struct hf_field many[101] = { 0 };

    for (int filler = 1; filler < 256; filler++) {
        memset(large, filler, sizeof(large) - 1);
        for (int style = 0; style < 4; style++) {
            struct hf_log_style how = { .json = style & 1, .journal = style & 2 };
            const struct hf_field fields[] = {
                HF_STR("first", "1"), HF_STR("large", large), HF_STR("last", "3"), { .key = NULL }
            };
            hf_log_body(&body, how.json, "event", fields);
            hf_log_whole(&line, how, HF_LOG_ERROR, INT64_MAX, body.bytes, body.size, UINT64_MAX);
            assert_true(line.size <= HF_LOG_LINE_MAX + 1);
            assert_int_equal(line.bytes[line.size - 1], '\n');
            assert_int_equal(line.bytes[line.size - 2] == '}', how.json);
            assert_non_null(memmem(line.bytes, line.size, "...\"", 4));
        }
    }
    for (int i = 0; i < 100; i++)
        many[i] =
            HF_NUM("a_key_that_is_exactly_as_long_as_a_key_may_be_which_is_64_bytes", INT64_MIN);
    hf_log_body(&body, true, "event", many);
    hf_log_whole(&line, (struct hf_log_style){ .json = true, .journal = true }, HF_LOG_ERROR, 0,
                 body.bytes, body.size, UINT64_MAX);
    assert_true(line.size <= HF_LOG_LINE_MAX + 1);
}

static void
log_one_of_each_level(void)
{
    hf_log_setup(HF_LOG_INFO, false);
    errno = EDOM;
    hf_log_debug("not.shown");
    hf_log_info("agent.started", HF_NUM("pid", 1));
    hf_log_warn("store.slow", HF_STR("store", "a b"));
    hf_log_error("store.refused", HF_ERR(&(struct hf_error){ .text = "it's full" }));
    if (errno != EDOM)
        exit(1);
}

static void
each_line_has_time_level_event_and_fields(void **state)
{
    (void)state;
    struct child child;
    static const char *const wanted[] = {
        " info  agent.started pid=1",
        " warn  store.slow store=\"a b\"",
        " error store.refused error=\"it's full\"",
    };
    char *rest = child.output;

    unsetenv("JOURNAL_STREAM");
    child_run(log_one_of_each_level, &child);
    assert_true(child_succeeded(&child));
    for (size_t i = 0; i < HF_COUNT(wanted); i++) {
        char *line = strsep(&rest, "\n");
        int64_t second;
        assert_true(strlen(line) > 20);
        assert_string_equal(line + 20, wanted[i]);
        line[20] = '\0';
        assert_true(hf_time_parse_rfc3339(line, &second));
        assert_true(second >= hf_build_s());
    }
    assert_string_equal(rest, "");
}

static void
log_in_json(void)
{
    hf_log_setup(HF_LOG_DEBUG, true);
    hf_log_debug("a.b", HF_NUM("n", 7));
}

static void
json_lines_are_objects(void **state)
{
    (void)state;
    struct child child;

    child_run(log_in_json, &child);
    assert_true(child_succeeded(&child));
    assert_true(hf_starts_with(child.output, "{\"time\":\"2"));
    assert_true(hf_ends_with(child.output, "Z\",\"level\":\"debug\",\"event\":\"a.b\",\"n\":7}\n"));
}

static void
pretend_stderr_is_the_journal(unsigned long long inode_shift)
{
    struct stat info;
    char stream[64];

    if (fstat(STDERR_FILENO, &info) != 0)
        exit(1);
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)info.st_dev,
             (unsigned long long)info.st_ino + inode_shift);
    setenv("JOURNAL_STREAM", stream, 1);
    hf_log_setup(HF_LOG_DEBUG, false);
}

static void
log_to_the_journal(void)
{
    pretend_stderr_is_the_journal(0);
    hf_log_debug("d");
    hf_log_info("i", HF_NUM("n", 1));
    hf_log_warn("w");
    hf_log_error("e");
}

static void
the_journal_gets_a_priority_and_no_time(void **state)
{
    (void)state;
    struct child child;

    child_run(log_to_the_journal, &child);
    assert_string_equal(child.output, "<7>debug d\n<6>info  i n=1\n<4>warn  w\n<3>error e\n");
}

static void
log_to_another_file_than_the_journal(void)
{
    pretend_stderr_is_the_journal(1);
    hf_log_info("i");
}

static void
a_redirected_stream_is_not_the_journal(void **state)
{
    (void)state;
    struct child child;

    child_run(log_to_another_file_than_the_journal, &child);
    assert_int_equal(child.output[0], '2');
}

static void
repeat_a_warning(void)
{
    pretend_stderr_is_the_journal(0);
    for (int i = 0; i < 5; i++)
        hf_log_warn("store.down", HF_STR("store", "a"));
    hf_log_warn("store.down", HF_STR("store", "b"));
    hf_log_error("store.down", HF_STR("store", "a"));
    for (int i = 0; i < 2; i++)
        hf_log_info("tick");
    hf_log_forget_old(hf_boot_ms() + HF_LOG_REPEAT_MS - 5000);
    hf_log_info("not.yet");
    hf_log_forget_old(hf_boot_ms() + HF_LOG_REPEAT_MS);
    hf_log_info("now");
    hf_log_warn("store.down", HF_STR("store", "a"));
    hf_log_warn("store.down", HF_STR("store", "a"));
}

static void
repeated_warnings_are_counted_and_nothing_else_is(void **state)
{
    (void)state;
    struct child child;

    child_run(repeat_a_warning, &child);
    assert_true(child_succeeded(&child));
    assert_string_equal(child.output, "<4>warn  store.down store=a\n"
                                      "<4>warn  store.down store=b\n"
                                      "<3>error store.down store=a\n"
                                      "<6>info  tick\n"
                                      "<6>info  tick\n"
                                      "<6>info  not.yet\n"
                                      "<4>warn  store.down store=a repeated=4\n"
                                      "<6>info  now\n"
                                      "<4>warn  store.down store=a\n"
                                      "<4>warn  store.down store=a repeated=1\n"); /* at exit */
}

static void
warn_of_many_things(void)
{
    pretend_stderr_is_the_journal(0);
    hf_log_warn("first");
    hf_log_warn("first");
    for (int i = 0; i < 40; i++)
        hf_log_warn("other", HF_NUM("n", i));
}

static void
a_count_that_gives_way_is_written(void **state)
{
    (void)state;
    struct child child;

    child_run(warn_of_many_things, &child);
    const char *count = strstr(child.output, "<4>warn  first repeated=1\n");
    assert_non_null(count);
    assert_non_null(strstr(count, "n=39"));
}

static void
repeat_in_json(void)
{
    hf_log_setup(HF_LOG_INFO, true);
    hf_log_warn("w", HF_NUM("n", 1));
    hf_log_warn("w", HF_NUM("n", 1));
    hf_log_setup(HF_LOG_ERROR, true);
    hf_log_warn("w", HF_NUM("n", 2));
}

static void
a_new_setup_writes_the_counts_first(void **state)
{
    (void)state;
    struct child child;

    child_run(repeat_in_json, &child);
    assert_true(hf_ends_with(child.output, "\"event\":\"w\",\"n\":1,\"repeated\":1}\n"));
    assert_null(strstr(child.output, "\"n\":2"));
}

static void
log_without_a_reader(void)
{
    close(STDERR_FILENO);
    hf_log_info("nobody.reads");
    hf_log_error("nobody.reads");
}

static void
a_log_without_a_reader_stops_nothing(void **state)
{
    (void)state;
    struct child child;

    child_run(log_without_a_reader, &child);
    assert_true(child_succeeded(&child));
}

#define WRITERS 4
#define LINES   50

static void *
write_lines(void *argument)
{
    for (int i = 0; i < LINES; i++) {
        hf_log_info("line", HF_STR("who", argument), HF_NUM("n", i));
        hf_log_warn("again", HF_STR("who", "all"));
    }
    return NULL;
}

static void
log_from_many_threads(void)
{
    static char names[WRITERS][2] = { "a", "b", "c", "d" };
    pthread_t threads[WRITERS];

    pretend_stderr_is_the_journal(0);
    for (int i = 0; i < WRITERS; i++)
        if (pthread_create(&threads[i], NULL, write_lines, names[i]) != 0)
            exit(1);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
}

static void
threads_write_whole_lines_and_count_together(void **state)
{
    (void)state;
    struct child child;
    char *rest = child.output;
    char *line;
    int next[WRITERS] = { 0 };
    int others = 0;

    child_run(log_from_many_threads, &child);
    assert_true(child_succeeded(&child));
    while ((line = strsep(&rest, "\n")) != NULL && *line) {
        char who;
        int n;
        if (sscanf(line, "<6>info  line who=%c n=%d", &who, &n) == 2)
            assert_int_equal(n, next[who - 'a']++);
        else
            others++;
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(next[i], LINES);
    assert_int_equal(others, 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_quotes_only_what_needs_it),
        cmocka_unit_test(json_is_quoted_as_json_wants_it),
        cmocka_unit_test(nothing_in_a_value_reaches_the_terminal),
        cmocka_unit_test(a_line_fits_whatever_is_in_it),
        cmocka_unit_test(each_line_has_time_level_event_and_fields),
        cmocka_unit_test(json_lines_are_objects),
        cmocka_unit_test(the_journal_gets_a_priority_and_no_time),
        cmocka_unit_test(a_redirected_stream_is_not_the_journal),
        cmocka_unit_test(repeated_warnings_are_counted_and_nothing_else_is),
        cmocka_unit_test(a_count_that_gives_way_is_written),
        cmocka_unit_test(a_new_setup_writes_the_counts_first),
        cmocka_unit_test(a_log_without_a_reader_stops_nothing),
        cmocka_unit_test(threads_write_whole_lines_and_count_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
