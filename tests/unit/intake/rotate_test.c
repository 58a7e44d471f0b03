/* Files whose names change or go: renamed, unlinked, while the agent looks and while it does not.
 */
#include "help.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
has_files(struct rig *rig, void *context)
{
    return rig_status(rig, 0).files == *(size_t *)context;
}

static void
until_files(struct rig *rig, size_t count)
{
    rig_until(rig, has_files, &count);
}

static void
renaming_twice_while_written_loses_and_doubles_nothing(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log");
    rig_configure(rig);
    size_t n = 0;
    for (int rotation = 0; rotation < 3; rotation++) {
        for (int i = 0; i < 20; i++, n += 100) {
            rig_append_numbered(rig, "files/app.log", n, n + 100);
            rig_turn(rig, 1);
        }
        /* The writer goes on in the renamed file for a moment. */
        int fd = open(rig_path(rig, "files/app.log"), O_WRONLY | O_APPEND | O_CLOEXEC);
        if (rotation > 0)
            rig_rename(rig, "files/app.log.1", "files/app.log.2");
        rig_rename(rig, "files/app.log", "files/app.log.1");
        rig_turn(rig, 2);
        assert_true(dprintf(fd, "line %zu\n", n++) > 0);
        close(fd);
    }
    rig_append_numbered(rig, "files/app.log", n, n + 100);
    n += 100;
    rig_until_count(rig, n);
    until_files(rig, 1);
    rig_drain(rig);
    assert_numbered(rig, n);
    assert_int_equal(rig_gaps(rig), 0);
}

static void
rotation_inside_the_pattern_keeps_each_file_its_place(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log*");
    rig_configure(rig);
    for (size_t i = 0; i < 5; i++) {
        rig_append_numbered(rig, "files/app.log", 1000 * i, 1000 * (i + 1));
        if (i % 2)
            rig_turn(rig, 3);
        if (i >= 2)
            rig_rename(rig, "files/app.log.1", "files/app.log.2");
        if (i >= 1 && i < 4)
            rig_rename(rig, "files/app.log", "files/app.log.1");
        if (i == 2)
            rig_restart(rig);
    }
    rig_drain(rig);
    rig_turn(rig, 3 * (unsigned)rig->timing.quiet_ms);
    assert_numbered(rig, 5000);
    assert_int_equal(rig_gaps(rig), 0);
}

/* All of it happens before the agent gets to look once. */
static void
files_rotated_before_they_were_ever_opened_are_found(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log");
    rig_configure(rig);
    rig_turn(rig, 5);
    rig_append_numbered(rig, "files/app.log", 0, 10);
    rig_rename(rig, "files/app.log", "files/app.log.1");
    rig_append_numbered(rig, "files/app.log", 10, 20);
    rig_rename(rig, "files/app.log.1", "files/app.log.2");
    rig_rename(rig, "files/app.log", "files/app.log.1");
    rig_append_numbered(rig, "files/app.log", 20, 30);
    rig_until_count(rig, 30);
    rig_turn(rig, 3 * (unsigned)rig->timing.quiet_ms);
    assert_numbered(rig, 30);
    assert_int_equal(rig_gaps(rig), 0);
}

static void
a_file_rotated_while_the_agent_was_stopped_is_read_to_its_end(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log");
    rig_configure(rig);
    rig_append_numbered(rig, "files/app.log", 0, 100);
    rig_until_count(rig, 100);
    rig_stop(rig);
    rig_append_numbered(rig, "files/app.log", 100, 200);
    rig_append(rig, "files/app.log", "line 200"); /* its last line */
    rig_rename(rig, "files/app.log", "files/app.log-20261122");
    rig_append_numbered(rig, "files/app.log", 201, 300);
    rig_start(rig);
    rig_until_count(rig, 300);
    until_files(rig, 1);
    assert_numbered(rig, 300);
    assert_int_equal(rig_gaps(rig), 0);
    rig_restart(rig);
    rig_drain(rig);
    assert_numbered(rig, 300);
}

/* The place of the last event that begins so. */
static size_t
last_of(json_t *events, const char *prefix)
{
    size_t last = 0, index;
    json_t *event;
    json_array_foreach(events, index, event)
    {
        if (strncmp(event_text(event), prefix, strlen(prefix)) == 0)
            last = index;
    }
    return last;
}

static void
the_oldest_rotated_file_is_read_to_its_end_before_the_others(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log*");
    rig->timing.quiet_ms = 5000; /* none of them is through before the others are there */
    rig_configure(rig);
    for (int i = 0; i < 6; i++) {
        char name[32], line[32];
        snprintf(name, sizeof(name), "files/app.log.%d", i);
        snprintf(line, sizeof(line), "from %d\n", i);
        rig_append(rig, "files/app.log", line);
        rig_until_count(rig, (size_t)i + 1);
        rig_rename(rig, "files/app.log", name);
        rig_turn(rig, 20); /* birth times are of the kernel's tick */
    }
    rig_stop(rig);
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(16u << 20);
    for (int i = 5; i >= 0; i--) {
        char name[32];
        snprintf(name, sizeof(name), "files/app.log.%d", i);
        hf_buf_reset(&text);
        for (int n = 0; n < 1000; n++)
            assert_int_equal(hf_buf_addf(&text, "from %d, line %d%01000d\n", i, n, 0), HF_OK);
        rig_append_bytes(rig, name, text.ptr, text.size);
    }
    rig_start(rig);
    rig_until_count(rig, 6 + 6 * 1000);
    json_t *events = rig_events(rig);
    /* Of the last two either may come first: every other turn is anyone's. */
    for (int i = 0; i < 3; i++) {
        char older[32], younger[32];
        snprintf(older, sizeof(older), "from %d", i);
        snprintf(younger, sizeof(younger), "from %d", i + 1);
        assert_true(last_of(events, older) < last_of(events, younger));
    }
    /* Half of the turns: its end comes when no more than as much of the others was read. */
    assert_true(last_of(events, "from 0") < 3 * 1000);
    json_decref(events);
    assert_int_equal(rig_gaps(rig), 0);
}

static void
an_unlinked_file_is_read_to_its_end_with_its_last_line(void **state)
{
    struct rig *rig = *state;
    rig_append_numbered(rig, "files/app.log", 0, 50000);
    rig_append(rig, "files/app.log", "line 50000");
    rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log");
    rig_configure(rig);
    int fd = open(rig_path(rig, "files/app.log"), O_WRONLY | O_APPEND | O_CLOEXEC);
    rig_unlink(rig, "files/app.log");
    rig_until_count(rig, 1);
    assert_true(dprintf(fd, "\nline 50001\nline 50002") > 0);
    close(fd);
    rig_until_count(rig, 50003);
    until_files(rig, 0);
    assert_numbered(rig, 50003);
    assert_int_equal(rig_gaps(rig), 0);
    json_t *events = rig_events(rig);
    assert_int_equal(json_array_size(events), 50003);
    json_decref(events);
}

static void
the_state_of_an_unlinked_file_goes_with_it(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_write(rig, "files/a.log", "one\n");
    rig_until_count(rig, 1);
    assert_int_equal(rig_positions(rig), 1);
    rig_unlink(rig, "files/a.log");
    until_files(rig, 0);
    assert_int_equal(rig_positions(rig), 0);
}

static void
a_file_that_left_and_came_back_is_read_on(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(mkdir(rig_path(rig, "elsewhere"), 0700), 0);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_write(rig, "files/a.log", "one\n");
    rig_until_count(rig, 1);
    rig_rename(rig, "files/a.log", "elsewhere/a.log");
    until_files(rig, 0);
    rig_append(rig, "elsewhere/a.log", "two\n");
    rig_rename(rig, "elsewhere/a.log", "files/b.log");
    rig_until_count(rig, 2);
    rig_restart(rig);
    rig_append(rig, "files/b.log", "three\n");
    rig_until_count(rig, 3);
    rig_drain(rig);
    ASSERT_TEXTS(rig, "one", "two", "three");
    assert_int_equal(rig_gaps(rig), 0);
}

static void
a_file_gone_while_the_agent_was_stopped_is_a_gap_once(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_write(rig, "files/a.log", "one\n");
    rig_until_count(rig, 1);
    rig_stop(rig);
    rig_append(rig, "files/a.log", "never seen\n");
    rig_unlink(rig, "files/a.log");
    rig_start(rig);
    rig_until_count(rig, 2);
    assert_int_equal(rig_gaps(rig), 1);
    json_t *events = rig_events(rig);
    const json_t *details = json_object_get(json_array_get(events, 1), "serviceEventDetails");
    assert_string_equal(json_string_value(json_object_get(details, "source")), "app");
    assert_string_equal(json_string_value(json_object_get(details, "path")),
                        rig_path(rig, "files/a.log"));
    assert_int_equal(json_integer_value(json_object_get(details, "fromOffset")), 4);
    assert_string_equal(json_string_value(json_object_get(details, "toOffset")), "unknown");
    json_decref(events);
    rig_restart(rig);
    rig_drain(rig);
    assert_int_equal(rig_gaps(rig), 1);
}

/* A folder that is not mounted yet says nothing about its files. */
static void
a_missing_folder_is_waited_for(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_write(rig, "files/a.log", "one\n");
    rig_until_count(rig, 1);
    rig_stop(rig);
    rig_append(rig, "files/a.log", "two\n");
    rig_rename(rig, "files", "away");
    rig->timing.rescan_ms = 20;
    rig->timing.late_ms = 600000;
    rig_start(rig);
    rig_turn(rig, 50);
    assert_int_equal(rig_count(rig), 1);
    rig_rename(rig, "away", "files");
    rig_until_count(rig, 2);
    rig_drain(rig);
    ASSERT_TEXTS(rig, "one", "two");
    assert_int_equal(rig_gaps(rig), 0);
}

static void
a_file_that_came_and_went_unseen_is_a_gap(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_turn(rig, 5);
    rig_hold(rig, 0);
    rig_write(rig, "files/a.log", "never seen\n");
    rig_write(rig, "files/other.txt", "not ours\n");
    rig_unlink(rig, "files/a.log");
    rig_unlink(rig, "files/other.txt");
    rig_let_go(rig);
    rig_until_count(rig, 1);
    rig_drain(rig);
    assert_int_equal(rig_count(rig), 1);
    assert_int_equal(rig_gaps(rig), 1);
    assert_int_equal(rig_status(rig, 0).gaps, 1);
    assert_int_equal(rig_status(rig, 0).events, 0);
}

/* Moved to a folder that nobody watches: what is told of its name afterwards is about another file. */
static void
a_file_unseen_under_the_name_of_one_that_moved_away_is_a_gap(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(mkdir(rig_path(rig, "elsewhere"), 0700), 0);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_write(rig, "files/a.log", "one\n");
    rig_until_count(rig, 1);
    rig_hold(rig, 0);
    rig_rename(rig, "files/a.log", "elsewhere/a.log");
    rig_write(rig, "files/a.log", "never seen\n");
    rig_unlink(rig, "files/a.log");
    rig_append(rig, "elsewhere/a.log", "two\n");
    rig_let_go(rig);
    rig_until_count(rig, 3);
    until_files(rig, 0);
    ASSERT_TEXTS(rig, "one", "two");
    assert_int_equal(rig_gaps(rig), 1);
}

struct race {
    struct rig *rig;
    atomic_uint left; /* rotations to come */
};

/* Between what inotify told and what the scan sees. */
static int
rotate_now(void *context, struct hf_fs_call *call)
{
    struct race *race = context;
    if (strcmp(call->name, "readdir") == 0 && hf_ends_with(call->path, "/files") &&
        atomic_load(&race->left) > 0) {
        atomic_fetch_sub(&race->left, 1);
        rig_rename(race->rig, "files/app.log", "files/app.log.1");
        rig_write(race->rig, "files/app.log", "half");
    }
    return 0;
}

static bool
has_raced(struct rig *rig, void *context)
{
    (void)rig;
    return atomic_load(&((struct race *)context)->left) == 0;
}

static void
what_is_told_late_is_not_the_new_file_s(void **state)
{
    struct rig *rig = *state;
    struct race race = { .rig = rig, .left = 1 };
    rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log*");
    rig_write(rig, "files/app.log", "one\n");
    rig_configure(rig);
    rig_until_count(rig, 1);
    hf_fs_interpose(rotate_now, &race);
    rig_append(rig, "files/app.log", "two\n");
    rig_write(rig, "files/app.log.9", "three\n"); /* looked for by a scan */
    rig_until(rig, has_raced, &race);
    rig_until_count(rig, 3);
    hf_fs_interpose(NULL, NULL);
    rig_turn(rig, 4 * (unsigned)rig->timing.quiet_ms);
    rig_append(rig, "files/app.log", " and half\n");
    rig_until_count(rig, 4);
    json_t *events = rig_events(rig);
    assert_string_equal(event_text(json_array_get(events, 3)), "half and half");
    json_decref(events);
    assert_int_equal(rig_gaps(rig), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(renaming_twice_while_written_loses_and_doubles_nothing),
        TEST(rotation_inside_the_pattern_keeps_each_file_its_place),
        TEST(files_rotated_before_they_were_ever_opened_are_found),
        TEST(a_file_rotated_while_the_agent_was_stopped_is_read_to_its_end),
        TEST(the_oldest_rotated_file_is_read_to_its_end_before_the_others),
        TEST(an_unlinked_file_is_read_to_its_end_with_its_last_line),
        TEST(the_state_of_an_unlinked_file_goes_with_it),
        TEST(a_file_that_left_and_came_back_is_read_on),
        TEST(a_file_gone_while_the_agent_was_stopped_is_a_gap_once),
        TEST(a_missing_folder_is_waited_for),
        TEST(a_file_that_came_and_went_unseen_is_a_gap),
        TEST(a_file_unseen_under_the_name_of_one_that_moved_away_is_a_gap),
        TEST(what_is_told_late_is_not_the_new_file_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
