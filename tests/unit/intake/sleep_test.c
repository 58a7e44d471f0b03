/* Files that sleep: read to their end and not written, they cost no descriptor; whatever happens to
 * them then is noticed as it is of an open one. And with more files than descriptors each has its
 * turn. */
#include "help.h"

#include "agent/intake/file/scan.h"
#include "agent/intake/file/sleep.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MANY 200

static int
set_up(void **state)
{
    struct rig *rig = rig_new();
    rig->timing.rescan_ms = 20;
    rig->timing.late_ms = 0; /* of the configuration: 0, so it is quiet_ms */
    rig->timing.sleep_ms = 1;
    hf_intake_set_timing(rig->intake, &rig->timing);
    *state = rig;
    return 0;
}

/* ---- what is open ---- */

static size_t
open_files(struct rig *rig)
{
    char **names, link[64], path[512], folder[300];
    size_t count, open = 0;
    snprintf(folder, sizeof(folder), "%s/files/", rig->dir);
    assert_int_equal(hf_fs_list("/proc/self/fd", 65536, &names, &count, NULL), HF_OK);
    for (size_t i = 0; i < count; i++) {
        snprintf(link, sizeof(link), "/proc/self/fd/%s", names[i]);
        ssize_t size = readlink(link, path, sizeof(path) - 1);
        path[HF_MAX(size, 0)] = '\0';
        open += hf_starts_with(path, folder);
    }
    hf_fs_names_free(names, count);
    return open;
}

static bool
all_sleep(struct rig *rig, void *context)
{
    (void)context;
    return open_files(rig) == 0;
}

static void
fall_asleep(struct rig *rig)
{
    rig_until(rig, all_sleep, NULL);
}

static void
one_that_sleeps(struct rig *rig, const char *pattern, const char *text)
{
    rig_source(rig, "app", HF_SOURCE_FILE, pattern);
    rig_configure(rig);
    rig_append(rig, "files/app.log", text);
    rig_until_count(rig, 1);
    fall_asleep(rig);
}

static struct hf_file_source *
source_of(struct rig *rig)
{
    return hf_file_source(rig->intake->sources[0]);
}

/* Longer than a KiB, so that a file is known by it. */
static const char *
long_text(void)
{
    static char text[1200];
    memset(text, 'x', sizeof(text) - 1);
    return text;
}

/* ---- falling asleep, and waking ---- */

static void
write_all(struct rig *rig, size_t files, size_t *line)
{
    char name[64];
    for (size_t i = 0; i < files; i++) {
        snprintf(name, sizeof(name), "files/%zu.log", i);
        rig_append_numbered(rig, name, *line, *line + 1);
        ++*line;
    }
}

static void
quiet_files_cost_no_descriptor(void **state)
{
    struct rig *rig = *state;
    size_t line = 0;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    write_all(rig, MANY, &line);
    rig_until_count(rig, MANY);
    fall_asleep(rig);
    assert_int_equal(rig_status(rig, 0).files, MANY);
    assert_int_equal(rig_positions(rig), MANY);
    write_all(rig, MANY, &line);
    rig_until_count(rig, 2 * MANY);
    fall_asleep(rig);
    rig_restart(rig);
    fall_asleep(rig);
    write_all(rig, MANY, &line);
    rig_until_count(rig, 3 * MANY);
    assert_numbered(rig, line);
    assert_int_equal(rig_gaps(rig), 0);
    assert_int_equal(rig_positions(rig), MANY);
}

static void
more_files_than_descriptors_take_turns(void **state)
{
    struct rig *rig = *state;
    size_t line = 0;
    rig->timing.sleep_ms = 50;
    rig->timing.rescan_ms = 500;
    rig->timing.files_max = 10;
    hf_intake_set_timing(rig->intake, &rig->timing);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    for (size_t round = 1; round <= 3; round++) {
        write_all(rig, MANY, &line);
        rig_drain(rig);
        assert_int_equal(rig_count(rig), round * MANY); /* and nothing is left out of a drain */
        hf_owned(hf_freep) char *unread = hf_intake_unread(rig->intake);
        assert_null(unread);
        assert_true(open_files(rig) <= 10 + HF_FILES_SPARE);
    }
    rig_restart(rig);
    write_all(rig, MANY, &line);
    rig_drain(rig);
    assert_int_equal(rig_count(rig), line);
    assert_numbered(rig, line);
    assert_int_equal(rig_gaps(rig), 0);
}

/* All of them are there at the first start, and what is in them is not wanted. */
static void
each_is_placed_at_its_end(void **state)
{
    struct rig *rig = *state;
    size_t line = 0, before = MANY;
    rig->timing.files_max = 10;
    hf_intake_set_timing(rig->intake, &rig->timing);
    write_all(rig, MANY, &before);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log")->start = HF_START_END;
    rig_configure(rig);
    rig_drain(rig);
    assert_int_equal(rig_positions(rig), MANY);
    write_all(rig, MANY, &line);
    rig_drain(rig);
    assert_numbered(rig, MANY);
    assert_int_equal(rig_gaps(rig), 0);
}

static void
each_is_read_from_its_beginning(void **state)
{
    struct rig *rig = *state;
    size_t line = 0;
    rig->timing.files_max = 10;
    hf_intake_set_timing(rig->intake, &rig->timing);
    write_all(rig, MANY, &line);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_until_count(rig, MANY);
    assert_int_equal(rig_positions(rig), MANY);
    write_all(rig, MANY, &line);
    rig_drain(rig);
    assert_numbered(rig, line);
    assert_int_equal(rig_gaps(rig), 0);
}

/* ---- what happens to one that sleeps ---- */

static void
one_that_is_renamed_is_read_on(void **state)
{
    struct rig *rig = *state;
    one_that_sleeps(rig, "files/app.log", "one\n");
    rig_rename(rig, "files/app.log", "files/app.log.1"); /* out of the pattern */
    rig_append(rig, "files/app.log.1", "late\n");
    rig_append(rig, "files/app.log", "two\n");
    rig_until_count(rig, 3);
    rig_rename(rig, "files/app.log.1", "files/app.log.2");
    rig_restart(rig);
    rig_append(rig, "files/app.log", "three\n");
    rig_until_count(rig, 4);
    assert_int_equal(rig_gaps(rig), 0);
}

/* While nobody looks: its folder is searched by inode. */
static void
one_that_is_renamed_while_we_do_not_look_is_read_on(void **state)
{
    struct rig *rig = *state;
    one_that_sleeps(rig, "files/*.log", "one\n");
    rig_stop(rig);
    rig_rename(rig, "files/app.log", "files/app.old");
    rig_append(rig, "files/app.old", "late\n");
    rig_start(rig);
    rig_until_count(rig, 2);
    ASSERT_TEXTS(rig, "one", "late");
    assert_int_equal(rig_gaps(rig), 0);
}

static bool
no_position(struct rig *rig, void *context)
{
    (void)context;
    return rig_status(rig, 0).files == 0;
}

static void
one_that_is_unlinked_was_read_and_is_no_gap(void **state)
{
    struct rig *rig = *state;
    one_that_sleeps(rig, "files/*.log", "one\n");
    rig_unlink(rig, "files/app.log");
    rig_until(rig, no_position, NULL);
    rig_passes(rig, 10);
    rig_restart(rig);
    rig_turn(rig, 50);
    rig_append(rig, "files/app.log", "one\n"); /* the same is another file's */
    rig_until_count(rig, 2);
    ASSERT_TEXTS(rig, "one", "one");
    assert_int_equal(rig_gaps(rig), 0);
}

/* Until it is asked to stop: it goes on with that. */
static void
nap(void *context)
{
    (void)context;
    usleep(100000);
}

/* Told, but not yet heard when we stop. */
static void
one_that_is_unlinked_as_we_stop_is_no_gap(void **state)
{
    struct rig *rig = *state;
    one_that_sleeps(rig, "files/*.log", "one\n");
    rig_hold(rig, 0);
    rig_unlink(rig, "files/app.log");
    hf_thread_post(rig->intake->sources[0]->thread, nap, NULL);
    rig_let_go(rig);
    rig_restart(rig);
    rig_turn(rig, 100);
    assert_int_equal(rig_count(rig), 1);
}

static void
one_that_grew_and_is_unlinked_is_a_gap(void **state)
{
    struct rig *rig = *state;
    one_that_sleeps(rig, "files/*.log", "one\n");
    rig_hold(rig, 0);
    rig_append(rig, "files/app.log", "unseen\n");
    rig_unlink(rig, "files/app.log");
    rig_let_go(rig);
    rig_until_count(rig, 2);
    assert_int_equal(rig_gaps(rig), 1);
}

static void
be_blind(void *context)
{
    struct rig *rig = context;
    source_of(rig)->counted.blind++; /* as after an overflow */
}

static void
one_that_is_unlinked_unwatched_is_a_gap(void **state)
{
    struct rig *rig = *state;
    rig->timing.rescan_ms = 20;
    one_that_sleeps(rig, "files/*.log", "one\n");
    rig_hold(rig, 0);
    hf_thread_post(rig->intake->sources[0]->thread, be_blind, rig);
    rig_unlink(rig, "files/app.log");
    rig_let_go(rig);
    rig_until_count(rig, 2);
    assert_int_equal(rig_gaps(rig), 1);
}

static void
copy_and_truncate(struct rig *rig, const char *copy)
{
    struct hf_buf text = HF_BUF(1u << 20);
    assert_int_equal(hf_fs_read_file(rig_path(rig, "files/app.log"), 1u << 20, &text, NULL), HF_OK);
    rig_append_bytes(rig, copy, text.ptr, text.size);
    rig_write(rig, "files/app.log", "");
    hf_buf_done(&text);
}

/* A short one, and one that is known by how it begins; under a name made of its own, and another. */
static void
one_that_is_copied_and_truncated_is_not_read_twice(void **state)
{
    struct rig *rig = *state;
    const char *copies[] = { "files/app.log.1", "files/other.log" };
    size_t count = 1;
    one_that_sleeps(rig, "files/*.log*", "short\n");
    for (size_t i = 0; i < 2 * HF_COUNT(copies); i++) {
        hf_owned(hf_freep) char *line =
            hf_asprintf("%zu %s\n", i, i < HF_COUNT(copies) ? long_text() : "brief");
        copy_and_truncate(rig, copies[i % 2]);
        rig_append(rig, "files/app.log", line);
        rig_until_count(rig, count + 2); /* the gap of the truncation, and the line */
        rig_turn(rig,
                 3 * (unsigned)rig->timing.quiet_ms); /* a copy that waits may be read by then */
        fall_asleep(rig);
        count += 2;
        assert_int_equal(rig_count(rig), count);
        rig_unlink(rig, copies[i % 2]);
    }
}

static void
one_that_is_overwritten_is_a_gap_and_read_anew(void **state)
{
    struct rig *rig = *state;
    one_that_sleeps(rig, "files/*.log", "one\n");
    rig_write(rig, "files/app.log", "two\n");
    rig_until_count(rig, 3);
    ASSERT_TEXTS(rig, "one", "two");
    assert_int_equal(rig_gaps(rig), 1);
}

static void
a_longer_one_in_its_place_is_read_on(void **state)
{
    struct rig *rig = *state;
    one_that_sleeps(rig, "files/*.log", "one\n");
    rig_append(rig, "files/app.new", "one\ntwo\n");
    rig_rename(rig, "files/app.new", "files/app.log");
    rig_until_count(rig, 2);
    fall_asleep(rig);
    rig_append(rig, "files/app.new", "three\n");
    rig_rename(rig, "files/app.new", "files/app.log");
    rig_until_count(rig, 3);
    rig_turn(rig, 100);
    ASSERT_TEXTS(rig, "one", "two", "three");
    assert_int_equal(rig_gaps(rig), 0);
}

static void
a_second_name_and_chmod_wake_nothing_twice(void **state)
{
    struct rig *rig = *state;
    one_that_sleeps(rig, "files/*.log", "one\n");
    assert_int_equal(link(rig_path(rig, "files/app.log"), rig_path(rig, "files/too.log")), 0);
    assert_int_equal(chmod(rig_path(rig, "files/app.log"), 0640), 0);
    rig_turn(rig, 100);
    rig_unlink(rig, "files/app.log");
    rig_append(rig, "files/too.log", "two\n");
    rig_until_count(rig, 2);
    ASSERT_TEXTS(rig, "one", "two");
    assert_int_equal(rig_gaps(rig), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(quiet_files_cost_no_descriptor),
        TEST(more_files_than_descriptors_take_turns),
        TEST(each_is_placed_at_its_end),
        TEST(each_is_read_from_its_beginning),
        TEST(one_that_is_renamed_is_read_on),
        TEST(one_that_is_renamed_while_we_do_not_look_is_read_on),
        TEST(one_that_is_unlinked_was_read_and_is_no_gap),
        TEST(one_that_is_unlinked_as_we_stop_is_no_gap),
        TEST(one_that_grew_and_is_unlinked_is_a_gap),
        TEST(one_that_is_unlinked_unwatched_is_a_gap),
        TEST(one_that_is_copied_and_truncated_is_not_read_twice),
        TEST(one_that_is_overwritten_is_a_gap_and_read_anew),
        TEST(a_longer_one_in_its_place_is_read_on),
        TEST(a_second_name_and_chmod_wake_nothing_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
