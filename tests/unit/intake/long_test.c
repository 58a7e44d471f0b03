/* Lines longer than max_event, from files: parts that give the line back, whatever happens between
 * them. */
#include "help.h"

#include <holdfast/crypto.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_EVENT 4096

static int
set_up(void **state)
{
    struct rig *rig = rig_new();
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log")->max_event = MAX_EVENT;
    rig_configure(rig);
    *state = rig;
    return 0;
}

static char *
long_line(size_t size)
{
    char *line = hf_alloc(size + 2);
    for (size_t i = 0; i < size; i++)
        line[i] = (char)('a' + i * 7 % 26);
    line[size] = '\n';
    return line;
}

static const json_t *
part_of(const json_t *event)
{
    return json_object_get(json_object_get(event, "additionalEventData"), "part");
}

/* The parts from `first` on are those of `line`, numbered, the last one with length and hash. */
static void
assert_parts(struct rig *rig, size_t first, const char *line, size_t size)
{
    json_t *events = rig_events(rig);
    struct hf_buf all = HF_BUF(64u << 20);
    char wanted[HF_SHA256_HEX_SIZE];
    hf_sha256_hex(line, size, wanted);
    for (size_t i = first;; i++) {
        const json_t *event = json_array_get(events, i), *part = part_of(event);
        assert_non_null(part);
        assert_int_equal(json_integer_value(json_object_get(part, "number")), i - first + 1);
        assert_int_equal(hf_buf_add_text(&all, event_text(event)), HF_OK);
        if (!json_object_get(part, "sha256"))
            continue;
        assert_string_equal(json_string_value(json_object_get(part, "sha256")), wanted);
        assert_int_equal(json_integer_value(json_object_get(part, "ofBytes")), size);
        assert_int_equal(json_integer_value(json_object_get(part, "of")), i - first + 1);
        break;
    }
    assert_true(hf_slice_equal(hf_buf_slice(&all), hf_slice(line, size)));
    hf_buf_done(&all);
    json_decref(events);
}

static void
the_parts_of_a_long_line_give_it_back(void **state)
{
    struct rig *rig = *state;
    hf_owned(hf_freep) char *line = long_line(3000001);
    rig_append(rig, "files/a.log", "before\n");
    rig_append(rig, "files/a.log", line);
    rig_append(rig, "files/a.log", "after\n");
    size_t parts = (3000001 + MAX_EVENT - 1) / MAX_EVENT;
    rig_until_count(rig, parts + 2);
    assert_parts(rig, 1, line, 3000001);
    json_t *events = rig_events(rig);
    assert_string_equal(event_text(json_array_get(events, parts + 1)), "after");
    json_decref(events);
    assert_int_equal(rig_status(rig, 0).counts.parts, parts);
}

static void
a_restart_in_the_middle_of_a_long_line_goes_on_there(void **state)
{
    struct rig *rig = *state;
    hf_owned(hf_freep) char *line = long_line(100000);
    for (size_t at = 0; at < 100001; at += 9091) {
        size_t size = HF_MIN((size_t)9091, 100001 - at);
        rig_append_bytes(rig, "files/a.log", line + at, size);
        rig_until_count(rig, (at + size - 1) / MAX_EVENT);
        rig_restart(rig);
    }
    rig_append(rig, "files/a.log", "after\n");
    rig_until_count(rig, 100000 / MAX_EVENT + 2);
    assert_parts(rig, 0, line, 100000);
    rig_drain(rig);
    assert_int_equal(rig_count(rig), 100000 / MAX_EVENT + 2);
}

static void
several_long_lines_in_one_block_each_have_their_own_hash(void **state)
{
    struct rig *rig = *state;
    hf_owned(hf_freep) char *one = long_line(MAX_EVENT + 1);
    hf_owned(hf_freep) char *two = long_line(2 * MAX_EVENT + 1);
    rig_append(rig, "files/a.log", one);
    rig_append(rig, "files/a.log", two);
    rig_append(rig, "files/a.log", one);
    rig_until_count(rig, 2 + 3 + 2);
    assert_parts(rig, 0, one, MAX_EVENT + 1);
    assert_parts(rig, 2, two, 2 * MAX_EVENT + 1);
    assert_parts(rig, 5, one, MAX_EVENT + 1);
}

static void
a_line_of_exactly_the_limit_is_whole(void **state)
{
    struct rig *rig = *state;
    hf_owned(hf_freep) char *line = long_line(MAX_EVENT);
    rig_append(rig, "files/a.log", line);
    rig_until_count(rig, 1);
    json_t *events = rig_events(rig);
    assert_null(part_of(json_array_get(events, 0)));
    assert_int_equal(strlen(event_text(json_array_get(events, 0))), MAX_EVENT);
    json_decref(events);
}

static void
a_long_last_line_without_newline_ends_with_its_file(void **state)
{
    struct rig *rig = *state;
    hf_owned(hf_freep) char *line = long_line(10000);
    line[10000] = '\0';
    rig_append(rig, "files/a.log", line);
    rig_until_count(rig, 2);
    rig_unlink(rig, "files/a.log");
    rig_until_count(rig, 3);
    assert_parts(rig, 0, line, 10000);
}

/* A megabyte of one-byte lines is hundreds of megabytes of records: they come in bounded units. */
static void
many_short_lines_do_not_make_one_huge_unit(void **state)
{
    struct rig *rig = *state;
    hf_owned(hf_freep) char *lines = hf_alloc(200001);
    for (size_t i = 0; i < 200000; i += 2)
        memcpy(lines + i, "x\n", 2);
    rig_stop(rig);
    rig->journal_bytes = 256u << 20;
    rig_start(rig);
    rig_append(rig, "files/a.log", lines);
    rig_drain(rig);
    assert_int_equal(rig_count(rig), 100000);
    struct hf_journal_info info;
    hf_journal_info(rig->journal, &info);
    assert_true(info.commits >= 20);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_parts_of_a_long_line_give_it_back),
        TEST(a_restart_in_the_middle_of_a_long_line_goes_on_there),
        TEST(several_long_lines_in_one_block_each_have_their_own_hash),
        TEST(a_line_of_exactly_the_limit_is_whole),
        TEST(a_long_last_line_without_newline_ends_with_its_file),
        TEST(many_short_lines_do_not_make_one_huge_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
