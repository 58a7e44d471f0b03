/* The file source on files that only grow. */
#include "help.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void
lines_arrive_in_order_with_their_source(void **state)
{
    struct rig *rig = *state;
    rig_write(rig, "files/a.log", "one\ntwo\r\n\n\r\nthree\n");
    rig_source(rig, "app", HF_SOURCE_FILE, "files/a.log");
    rig_configure(rig);
    rig_until_count(rig, 5);
    rig_drain(rig); /* the source's thread has counted them, too */
    ASSERT_TEXTS(rig, "one", "two", "", "", "three");
    json_t *events = rig_events(rig);
    assert_string_equal(
        json_string_value(json_object_get(json_array_get(events, 0), "eventSource")),
        "app.holdfast");
    json_decref(events);
    struct hf_source_status status = rig_status(rig, 0);
    assert_int_equal(status.events, 5);
    assert_int_equal(status.files, 1);
    assert_int_equal(status.behind_bytes, 0);
    assert_int_equal(status.counts.text, 5);
    assert_string_equal(status.problem, "");
}

static void
blank_lines_are_left_out_where_that_is_asked_for(void **state)
{
    struct rig *rig = *state;
    rig_write(rig, "files/a.log", "one\ntwo\r\n\n\r\nthree\n");
    rig_source(rig, "app", HF_SOURCE_FILE, "files/a.log")->blank_lines = HF_BLANK_LINES_DROP;
    rig_configure(rig);
    rig_until_count(rig, 3);
    ASSERT_TEXTS(rig, "one", "two", "three");
}

static json_int_t
said_number(const json_t *event, const char *key)
{
    return json_integer_value(json_object_get(json_object_get(event, "holdfast"), key));
}

/* Offsets go on over units, restarts and parts, and a rotated file begins anew. */
static void
each_line_says_which_file_it_stood_in_and_where(void **state)
{
    static const json_int_t offsets[] = { 0, 4, 5, 1029, 2053, 3006, 0 };
    struct rig *rig = *state;
    char longer[3001];
    memset(longer, 'x', 3000);
    longer[3000] = '\0';
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log")->max_event = 1024;
    rig_write(rig, "files/a.log", "one\n\n");
    rig_configure(rig);
    rig_until_count(rig, 2);
    rig_restart(rig);
    rig_append(rig, "files/a.log", longer);
    rig_append(rig, "files/a.log", "\nend\n");
    rig_until_count(rig, 6);
    rig_write(rig, "files/b.log", "other\n");
    rig_until_count(rig, 7);
    json_t *events = rig_events(rig), *event;
    size_t i;
    json_array_foreach(events, i, event)
    {
        const json_t *said = json_object_get(event, "holdfast");
        assert_int_equal(said_number(event, "seq"), i + 1);
        assert_int_equal(said_number(event, "offset"), offsets[i]);
        assert_string_equal(json_string_value(json_object_get(said, "source")), "app");
        assert_string_equal(json_string_value(json_object_get(said, "file")),
                            rig_path(rig, i < 6 ? "files/a.log" : "files/b.log"));
    }
    json_decref(events);
}

static struct hf_journal_entry
entry_at(struct rig *rig, uint64_t seq)
{
    struct hf_error err;
    struct hf_journal_reader *reader;
    struct hf_journal_batch batch;
    struct hf_journal_loss loss;
    assert_int_equal(hf_journal_reader_open(rig->journal, seq, &reader, &err), HF_OK);
    assert_int_equal(hf_journal_reader_next(reader, &batch, &loss, &err), HF_OK);
    assert_in_range(seq, batch.first_seq, batch.first_seq + batch.count - 1);
    struct hf_journal_entry entry = batch.entries[seq - batch.first_seq];
    hf_journal_reader_close(reader);
    return entry;
}

/* The journal knows what of a record is not the client's; and a reload changes what comes, not what
 * is there. */
static void
provenance_may_be_switched_off_and_on(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_write(rig, "files/a.log", "one\n");
    rig_configure(rig);
    rig_until_count(rig, 1);
    rig->config.agent.provenance = HF_PROVENANCE_NONE;
    rig_configure(rig);
    rig_append(rig, "files/a.log", "two\n");
    rig_until_count(rig, 2);
    rig->config.agent.provenance = HF_PROVENANCE_FULL;
    rig_configure(rig);
    rig_append(rig, "files/a.log", "three\n");
    rig_until_count(rig, 3);
    ASSERT_TEXTS(rig, "one", "two", "three");
    json_t *events = rig_events(rig), *event;
    size_t i;
    json_array_foreach(events, i, event)
    {
        const json_t *said = json_object_get(event, "holdfast");
        hf_owned(hf_freep) char *text = said ? json_dumps(said, JSON_COMPACT) : NULL;
        assert_int_equal(said != NULL, i != 1);
        assert_int_equal(entry_at(rig, i + 1).appended,
                         text ? strlen(",\"holdfast\":") + strlen(text) : 0);
    }
    json_decref(events);
}

static void
growth_is_noticed(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_write(rig, "files/a.log", "one\n");
    rig_until_count(rig, 1);
    rig_append(rig, "files/a.log", "two\n");
    rig_until_count(rig, 2);
    rig_write(rig, "files/b.log", "three\n");
    rig_until_count(rig, 3);
    ASSERT_TEXTS(rig, "one", "two", "three");
}

static void
a_partial_line_of_a_live_file_waits(void **state)
{
    struct rig *rig = *state;
    rig_write(rig, "files/a.log", "one\ntw");
    rig_source(rig, "app", HF_SOURCE_FILE, "files/a.log");
    rig_configure(rig);
    rig_until_count(rig, 1);
    rig_turn(rig, 3 * (unsigned)rig->timing.quiet_ms);
    assert_int_equal(rig_count(rig), 1);
    rig_append(rig, "files/a.log", "o\nthr");
    rig_until_count(rig, 2);
    rig_restart(rig);
    rig_append(rig, "files/a.log", "ee\n");
    rig_until_count(rig, 3);
    ASSERT_TEXTS(rig, "one", "two", "three");
}

static void
the_first_start_at_the_end_skips_whole_lines_only(void **state)
{
    struct rig *rig = *state;
    rig_write(rig, "files/a.log", "old\nolder\nhal");
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log")->start = HF_START_END;
    rig_configure(rig);
    rig_append(rig, "files/a.log", "f\nnew\n");
    rig_until_count(rig, 2);
    rig_write(rig, "files/b.log", "appeared later\n");
    rig_until_count(rig, 3);
    ASSERT_TEXTS(rig, "half", "new", "appeared later");
}

static void
later_starts_read_new_files_from_their_beginning(void **state)
{
    struct rig *rig = *state;
    rig_write(rig, "files/a.log", "old\n");
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log")->start = HF_START_END;
    rig_configure(rig);
    rig_stop(rig);
    rig_append(rig, "files/a.log", "a while stopped\n");
    rig_write(rig, "files/b.log", "b while stopped\n");
    rig_start(rig);
    rig_until_count(rig, 2);
    json_t *events = rig_events(rig);
    assert_int_equal(json_array_size(events), 2);
    json_decref(events);
    rig_drain(rig);
    assert_int_equal(rig_count(rig), 2);
}

static void
restarts_neither_lose_nor_double(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/a.log");
    rig_configure(rig);
    for (size_t round = 0; round < 6; round++) {
        rig_append_numbered(rig, "files/a.log", round * 5000, (round + 1) * 5000);
        rig_turn(rig, (unsigned)round); /* stops somewhere in the middle */
        rig_restart(rig);
    }
    rig_drain(rig);
    assert_numbered(rig, 30000);
    assert_int_equal(rig_gaps(rig), 0);
}

static void
exclude_takes_names_and_paths_out(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(mkdir(rig_path(rig, "files/sub"), 0700), 0);
    assert_int_equal(mkdir(rig_path(rig, "files/other"), 0700), 0);
    rig_write(rig, "files/sub/a.log", "kept\n");
    rig_write(rig, "files/sub/debug.log", "left out by name\n");
    rig_write(rig, "files/other/a.log", "left out by path\n");
    rig_write(rig, "files/sub/.a.log", "hidden\n");
    struct hf_config_source *source = rig_source(rig, "app", HF_SOURCE_FILE, "files/*/*.log");
    source->exclude.items = calloc(2, sizeof(char *));
    source->exclude.items[0] = strdup("debug*");
    source->exclude.items[1] = strdup("*/other/*");
    source->exclude.count = 2;
    rig_configure(rig);
    rig_until_count(rig, 1);
    rig_write(rig, "files/sub/debug2.log", "left out by name\n");
    rig_write(rig, "files/sub/b.log", "new in a folder\n");
    rig_until_count(rig, 2);
    assert_int_equal(mkdir(rig_path(rig, "files/later"), 0700), 0);
    rig_write(rig, "files/later/c.log", "new folder\n");
    rig_until_count(rig, 3);
    rig_drain(rig);
    ASSERT_TEXTS(rig, "kept", "new in a folder", "new folder");
}

static void
what_is_no_regular_file_is_left_alone(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(mkfifo(rig_path(rig, "files/fifo.log"), 0600), 0);
    assert_int_equal(mkdir(rig_path(rig, "files/folder.log"), 0700), 0);
    rig_write(rig, "files/a.log", "one\n");
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_until_count(rig, 1);
    assert_int_equal(rig_status(rig, 0).files, 1);
}

static void
a_symbolic_link_is_followed(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(mkdir(rig_path(rig, "elsewhere"), 0700), 0);
    rig_write(rig, "elsewhere/real", "one\n");
    assert_int_equal(symlink(rig_path(rig, "elsewhere/real"), rig_path(rig, "files/a.log")), 0);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_until_count(rig, 1);
    rig_append(rig, "elsewhere/real", "two\n");
    rig_until_count(rig, 2);
    ASSERT_TEXTS(rig, "one", "two");
}

static void
a_folder_that_appears_later_is_found(void **state)
{
    struct rig *rig = *state;
    rig->timing.rescan_ms = 20; /* nothing but the slow scan can notice it */
    hf_intake_set_timing(rig->intake, &rig->timing);
    assert_int_equal(mkdir(rig_path(rig, "elsewhere"), 0700), 0);
    rig_source(rig, "app", HF_SOURCE_FILE, "late/*.log");
    rig_configure(rig);
    rig_turn(rig, 5);
    assert_int_equal(rename(rig_path(rig, "elsewhere"), rig_path(rig, "late")), 0);
    rig_write(rig, "late/a.log", "one\n");
    rig_until_count(rig, 1);
    ASSERT_TEXTS(rig, "one");
}

/* The big one, with all numbers below 60000, did not keep the others waiting. */
static void
assert_small_ones_first(struct rig *rig)
{
    json_t *events = rig_events(rig), *event;
    size_t i, last_small = 0, last_big = 0;
    json_array_foreach(events, i, event)
    {
        size_t *last = strtoul(event_text(event) + 5, NULL, 10) >= 60000 ? &last_small : &last_big;
        *last = i;
    }
    json_decref(events);
    assert_true(last_small < last_big);
}

static void
many_files_take_turns(void **state)
{
    struct rig *rig = *state;
    rig_append_numbered(rig, "files/0.log", 0, 60000);
    for (size_t i = 0; i < 20; i++) {
        char name[32];
        snprintf(name, sizeof(name), "files/%zu.log", i + 1);
        rig_append_numbered(rig, name, 60000 + 10 * i, 60000 + 10 * (i + 1));
    }
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_drain(rig);
    assert_numbered(rig, 60200);
    assert_small_ones_first(rig);
}

static void
sources_take_turns(void **state)
{
    struct rig *rig = *state;
    rig_stop(rig);
    rig->journal_bytes = 256u << 20; /* nobody is over his share of it */
    rig_start(rig);
    rig_append_numbered(rig, "big.log", 0, 60000);
    rig_append_numbered(rig, "small.log", 60000, 60010);
    rig_source(rig, "app", HF_SOURCE_FILE, "big.log");
    rig_source(rig, "aside", HF_SOURCE_FILE, "small.log");
    rig_configure(rig);
    rig_drain(rig);
    assert_numbered(rig, 60010);
    assert_small_ones_first(rig);
}

static void
drain_reads_what_is_there_at_the_call(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_append_numbered(rig, "files/a.log", 0, 20000);
    rig_append_numbered(rig, "files/b.log", 20000, 40000);
    rig_append(rig, "files/b.log", "not a whole line");
    rig_drain(rig);
    assert_numbered(rig, 40000);
}

static void
bad_lines_are_kept_and_counted(void **state)
{
    struct rig *rig = *state;
    hf_owned(hf_freep) char *deep = hf_alloc(20002);
    memset(deep, '[', 20000);
    memcpy(deep, "{\"a\":", 5);
    deep[20000] = '\n';
    rig_append_bytes(rig, "files/a.log", "a\0b\n\xff\xfe\n", 7);
    rig_append(rig, "files/a.log", deep);
    rig_append(rig, "files/a.log",
               "{\"eventTime\":\"2026-01-01T00:00:00Z\",\"eventSource\":\"s\",\"eventName\":\"n\"}"
               "\n{\"a\":1}\n");
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_until_count(rig, 5);
    struct hf_source_status status = rig_status(rig, 0);
    assert_int_equal(status.counts.base64, 2);
    assert_int_equal(status.counts.text, 1);
    assert_int_equal(status.counts.shaped, 1);
    assert_int_equal(status.counts.flat_json, 1);
    json_t *events = rig_events(rig);
    assert_int_equal(json_array_size(events), 5);
    json_decref(events);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(lines_arrive_in_order_with_their_source),
        TEST(blank_lines_are_left_out_where_that_is_asked_for),
        TEST(each_line_says_which_file_it_stood_in_and_where),
        TEST(provenance_may_be_switched_off_and_on),
        TEST(growth_is_noticed),
        TEST(a_partial_line_of_a_live_file_waits),
        TEST(the_first_start_at_the_end_skips_whole_lines_only),
        TEST(later_starts_read_new_files_from_their_beginning),
        TEST(restarts_neither_lose_nor_double),
        TEST(exclude_takes_names_and_paths_out),
        TEST(what_is_no_regular_file_is_left_alone),
        TEST(a_symbolic_link_is_followed),
        TEST(a_folder_that_appears_later_is_found),
        TEST(many_files_take_turns),
        TEST(sources_take_turns),
        TEST(drain_reads_what_is_there_at_the_call),
        TEST(bad_lines_are_kept_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
