/* Writers who are late: in a file that was renamed or unlinked, within `late` and after it; folders
 * that are gone; and many positions at once. */
#include "help.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rlimit descriptors; /* as they were */

static int
set_up(void **state)
{
    struct rig *rig = rig_new();
    rig->timing.late_ms = 100000;
    rig->timing.rescan_ms = 30;
    hf_intake_set_timing(rig->intake, &rig->timing);
    *state = rig;
    return 0;
}

/* The share of one owner: 35 files. */
static int
set_up_few_descriptors(void **state)
{
    struct rlimit few = { 80, 80 };
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &descriptors), 0);
    few.rlim_max = descriptors.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    return set_up(state);
}

static int
tear_down_few_descriptors(void **state)
{
    hf_fs_interpose(NULL, NULL);
    rig_free(*state);
    return setrlimit(RLIMIT_NOFILE, &descriptors);
}

static int
tear_down(void **state)
{
    hf_fs_interpose(NULL, NULL);
    rig_free(*state);
    return 0;
}

static void
set_late(struct rig *rig, uint64_t late_ms)
{
    rig->timing.late_ms = late_ms;
    hf_intake_set_timing(rig->intake, &rig->timing);
}

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
until_quiet(struct rig *rig)
{
    rig_turn(rig, 4 * (unsigned)rig->timing.quiet_ms);
}

static int
open_writer(struct rig *rig, const char *name)
{
    int fd = open(rig_path(rig, name), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static void
start_reading(struct rig *rig, const char *pattern)
{
    rig_source(rig, "app", HF_SOURCE_FILE, pattern);
    rig_configure(rig);
    rig_append(rig, "files/app.log", "one\n");
    rig_until_count(rig, 1);
}

static void
what_is_written_late_to_a_renamed_file_is_read(void **state)
{
    struct rig *rig = *state;
    start_reading(rig, "files/app.log");
    int fd = open_writer(rig, "files/app.log");
    rig_rename(rig, "files/app.log", "files/app.log.1");
    rig_write(rig, "files/app.log", "");
    until_quiet(rig);
    assert_true(dprintf(fd, "two\nhal") > 0);
    until_quiet(rig);
    assert_true(dprintf(fd, "f\n") > 0); /* one event */
    rig_until_count(rig, 3);
    ASSERT_TEXTS(rig, "one", "two", "half");
    assert_true(dprintf(fd, "fo") > 0);
    until_quiet(rig);
    rig_restart(rig); /* it has a name by which it is found again */
    assert_true(dprintf(fd, "ur\n") > 0);
    rig_until_count(rig, 4);
    close(fd);
    ASSERT_TEXTS(rig, "one", "two", "half", "four");
    assert_int_equal(rig_gaps(rig), 0);
}

static void
a_renamed_file_that_grows_after_its_time_is_read_when_its_folder_is_looked_through(void **state)
{
    struct rig *rig = *state;
    set_late(rig, 60);
    start_reading(rig, "files/app.log");
    int fd = open_writer(rig, "files/app.log");
    rig_rename(rig, "files/app.log", "files/app.log.1");
    until_files(rig, 0);
    for (int i = 0; i < 2; i++) {
        assert_true(dprintf(fd, "late %d\n", i) > 0);
        rig_until_count(rig, 2 + (size_t)i);
        until_files(rig, 0);
    }
    rig_restart(rig);
    rig_rename(rig, "files/app.log.1", "files/app.log.2");
    assert_true(dprintf(fd, "late 2\n") > 0);
    rig_until_count(rig, 4);
    close(fd);
    ASSERT_TEXTS(rig, "one", "late 0", "late 1", "late 2");
    assert_int_equal(rig_gaps(rig), 0);
}

static void
what_is_written_late_to_an_unlinked_file_is_read(void **state)
{
    struct rig *rig = *state;
    start_reading(rig, "files/*.log");
    int fd = open_writer(rig, "files/app.log");
    rig_unlink(rig, "files/app.log");
    until_quiet(rig);
    assert_true(dprintf(fd, "two\n") > 0);
    rig_until_count(rig, 2);
    until_quiet(rig);
    assert_true(dprintf(fd, "half") > 0);
    until_quiet(rig);
    assert_int_equal(rig_count(rig), 2);
    rig_restart(rig); /* half a line of what cannot be found again is a record */
    rig_drain(rig);
    close(fd);
    ASSERT_TEXTS(rig, "one", "two", "half");
    assert_int_equal(rig_gaps(rig), 0);
}

static void
half_a_line_of_an_unlinked_file_is_a_record_when_its_time_is_over(void **state)
{
    struct rig *rig = *state;
    set_late(rig, 300);
    start_reading(rig, "files/*.log");
    int fd = open_writer(rig, "files/app.log");
    assert_true(dprintf(fd, "half") > 0);
    rig_unlink(rig, "files/app.log");
    until_quiet(rig);
    until_files(rig, 0);
    close(fd);
    ASSERT_TEXTS(rig, "one", "half");
    assert_int_equal(rig_gaps(rig), 0);
}

static bool
has_no_position(struct rig *rig, void *context)
{
    (void)context;
    return rig_positions(rig) == 0;
}

/* A crash after that is no loss of it: there is nothing about it in the journal. */
static void
an_unlinked_file_that_was_read_has_no_position_any_more(void **state)
{
    struct rig *rig = *state;
    start_reading(rig, "files/*.log");
    assert_int_equal(rig_positions(rig), 1);
    int fd = open_writer(rig, "files/app.log");
    rig_unlink(rig, "files/app.log");
    rig_until(rig, has_no_position, NULL);
    assert_int_equal(rig_status(rig, 0).files, 1);
    assert_true(dprintf(fd, "two\n") > 0);
    rig_until_count(rig, 2);
    assert_int_equal(rig_positions(rig), 1);
    rig_until(rig, has_no_position, NULL);
    close(fd);
    assert_int_equal(rig_gaps(rig), 0);
}

/* ---- folders ---- */

static void
a_vanished_folder_is_a_gap_like_a_vanished_file(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*/*.log");
    rig_configure(rig);
    assert_int_equal(mkdir(rig_path(rig, "files/a"), 0700), 0);
    assert_int_equal(mkdir(rig_path(rig, "files/b"), 0700), 0);
    rig_write(rig, "files/a/a.log", "one\n");
    rig_write(rig, "files/b/b.log", "two\n");
    rig_until_count(rig, 2);
    rig_stop(rig);
    rig_unlink(rig, "files/b/b.log");
    rig_unlink(rig, "files/a/a.log");
    assert_int_equal(rmdir(rig_path(rig, "files/a")), 0);
    rig_start(rig);
    rig_until_count(rig, 4);
    rig_drain(rig);
    assert_int_equal(rig_gaps(rig), 2);
    rig_restart(rig);
    rig_drain(rig);
    assert_int_equal(rig_gaps(rig), 2);
}

static void
the_patterns_own_folder_is_waited_for_as_long_as_late(void **state)
{
    struct rig *rig = *state;
    start_reading(rig, "files/*.log");
    rig_stop(rig);
    rig_unlink(rig, "files/app.log");
    assert_int_equal(rmdir(rig_path(rig, "files")), 0);
    rig_start(rig);
    rig_turn(rig, 200);
    assert_int_equal(rig_gaps(rig), 0);
    set_late(rig, 60);
    rig_until_count(rig, 2);
    assert_int_equal(rig_gaps(rig), 1);
    assert_int_equal(mkdir(rig_path(rig, "files"), 0700), 0);
}

/* ---- errors that say nothing ---- */

struct fault {
    const char *name, *path;
    int failure;
    atomic_bool on;
};

static int
interpose(void *context, struct hf_fs_call *call)
{
    const struct fault *fault = context;
    return fault->on && strcmp(call->name, fault->name) == 0 && call->path &&
                   strstr(call->path, fault->path)
               ? fault->failure
               : 0;
}

static void
an_error_says_nothing_about_a_name(void **state)
{
    static const int failures[] = { EACCES, EIO, ESTALE, EMFILE };
    static const struct {
        const char *call, *path;
    } calls[] = { { "statx", "app.log" }, { "openat2", "/files" }, { "readdir", "/files" } };
    for (size_t i = 0; i < HF_COUNT(failures) * HF_COUNT(calls); i++) {
        struct fault fault = { .name = calls[i % HF_COUNT(calls)].call,
                               .path = calls[i % HF_COUNT(calls)].path,
                               .failure = failures[i / HF_COUNT(calls)] };
        struct rig *rig = *state;
        set_late(rig, 60);
        hf_fs_interpose(interpose, &fault);
        start_reading(rig, "files/*.log");
        rig_append(rig, "files/app.log", "ha");
        fault.on = true;
        rig_turn(rig, 200); /* time enough to take it for gone, and half a line for one */
        assert_int_equal(rig_status(rig, 0).files, 1);
        assert_string_not_equal(rig_status(rig, 0).problem, "");
        rig_stop(rig);
        rig_start(rig);
        rig_turn(rig, 200);
        fault.on = false;
        rig_append(rig, "files/app.log", "lf\n");
        rig_until_count(rig, 2);
        ASSERT_TEXTS(rig, "one", "half");
        assert_int_equal(rig_gaps(rig), 0);
        tear_down(state);
        set_up(state);
    }
}

/* ---- more positions than a unit takes ---- */

static void
many_positions_go_in_several_units(void **state)
{
    enum { MANY = 3000 };
    struct rig *rig = *state;
    char folder[300], name[400];
    rig_stop(rig);
    rig->segment_bytes = 1u << 20;
    rig->timing.rescan_ms = 100000;
    rig_start(rig);
    snprintf(folder, sizeof(folder), "files/%0200d", 1);
    assert_int_equal(mkdir(rig_path(rig, folder), 0700), 0);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "%s/%d.log", folder, i);
        rig_write(rig, name, "");
    }
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*/*.log");
    rig_configure(rig);
    rig_drain(rig);
    rig_append(rig, name, "one\n");
    rig_until_count(rig, 1);
    assert_int_equal(rig_positions(rig), MANY);
    /* All of them gone, which is as many positions once more. */
    rig_stop(rig);
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "%s/%d.log", folder, i);
        rig_unlink(rig, name);
    }
    rig->timing.rescan_ms = 30;
    rig_start(rig);
    rig_write(rig, "files/0", "");
    rig_until_count(rig, 3);
    rig_turn(rig, 300);
    json_t *events = rig_events(rig), *event;
    size_t index, files = 0;
    json_array_foreach(events, index, event)
    {
        const json_t *details = json_object_get(event, "serviceEventDetails");
        if (strcmp(event_name(event), "SourceGap") == 0)
            files += json_object_get(details, "files")
                         ? (size_t)json_integer_value(json_object_get(details, "files"))
                         : 1;
    }
    json_decref(events);
    assert_int_equal(files, MANY);
    assert_true(rig_gaps(rig) < 20);
}

static bool
has_read(struct rig *rig, void *context)
{
    return rig_status(rig, 0).events ==
           *(uint64_t *)context; /* those of the agent's own do not count */
}

static void
come_and_go(struct rig *rig, unsigned first, unsigned count)
{
    char name[32], line[32];
    for (unsigned i = first; i < first + count; i++) {
        snprintf(name, sizeof(name), "files/%u.log", i);
        snprintf(line, sizeof(line), "line of file %u\n", i);
        uint64_t events = i + 1;
        rig_write(rig, name, line);
        rig_until(rig, has_read, &events);
        unlink(rig_path(rig, name));
    }
}

/* Whoever waits for late writers in as many files as he may have open is not refused the next one. */
static void
oldest_that_waits_gives_way_to_a_new_file_of_its_owner(void **state)
{
    struct rig *rig = *state;
    rig->timing.files_max = 1000; /* the share is less */
    hf_intake_set_timing(rig->intake, &rig->timing);
    rig_stop(rig);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_start(rig);
    come_and_go(rig, 0, 30);
    until_quiet(rig);
    come_and_go(rig, 30, 20);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_late_to_a_renamed_file_is_read),
        TEST(a_renamed_file_that_grows_after_its_time_is_read_when_its_folder_is_looked_through),
        TEST(what_is_written_late_to_an_unlinked_file_is_read),
        TEST(half_a_line_of_an_unlinked_file_is_a_record_when_its_time_is_over),
        TEST(an_unlinked_file_that_was_read_has_no_position_any_more),
        TEST(a_vanished_folder_is_a_gap_like_a_vanished_file),
        TEST(the_patterns_own_folder_is_waited_for_as_long_as_late),
        TEST(an_error_says_nothing_about_a_name),
        TEST(many_positions_go_in_several_units),
        cmocka_unit_test_setup_teardown(oldest_that_waits_gives_way_to_a_new_file_of_its_owner,
                                        set_up_few_descriptors, tear_down_few_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
