/* Files that change in place: truncated, copied and truncated, overwritten, and inode numbers given
 * out again. */
#include "help.h"

#include "agent/intake/file/position.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void
truncate_file(struct rig *rig, const char *name)
{
    assert_int_equal(truncate(rig_path(rig, name), 0), 0);
}

static void
copy_file(struct rig *rig, const char *from, const char *to)
{
    struct hf_buf bytes = HF_BUF(64u << 20);
    assert_int_equal(hf_fs_read_file(rig_path(rig, from), 64u << 20, &bytes, NULL), HF_OK);
    rig_append_bytes(rig, to, bytes.ptr, bytes.size);
    hf_buf_done(&bytes);
}

static const json_t *
gap_of(const json_t *events)
{
    size_t i;
    json_t *event;
    json_array_foreach((json_t *)events, i,
                       event) if (strcmp(event_name(event), "SourceGap") ==
                                  0) return json_object_get(event, "serviceEventDetails");
    return NULL;
}

static void
a_truncated_file_begins_anew_with_a_gap(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log");
    rig_configure(rig);
    rig_append_numbered(rig, "files/app.log", 0, 100);
    rig_append(rig, "files/app.log", "not yet a line");
    rig_until_count(rig, 100);
    rig_turn(rig, 5);
    truncate_file(rig, "files/app.log");
    rig_append_numbered(rig, "files/app.log", 100, 110);
    rig_until_count(rig, 111);
    rig_drain(rig);
    assert_numbered(rig, 110);
    json_t *events = rig_events(rig);
    assert_non_null(gap_of(events));
    assert_int_equal(json_integer_value(json_object_get(gap_of(events), "fromOffset")),
                     10 * 7 + 90 * 8);
    assert_int_equal(json_integer_value(json_object_get(gap_of(events), "unreadBytesSeen")), 14);
    json_decref(events);
    assert_int_equal(rig_gaps(rig), 1);
}

/* As long as before, or longer, when it is looked at again. */
static void
an_overwritten_file_is_a_new_generation(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log");
    rig_configure(rig);
    rig_append_numbered(rig, "files/app.log", 0, 1000);
    rig_until_count(rig, 1000);
    rig_stop(rig);
    truncate_file(rig, "files/app.log");
    rig_append_numbered(rig, "files/app.log", 1000, 3000);
    rig_start(rig);
    rig_until_count(rig, 3001);
    rig_drain(rig);
    assert_numbered(rig, 3000);
    assert_int_equal(rig_gaps(rig), 1);

    truncate_file(rig, "files/app.log");
    rig_append_numbered(rig, "files/app.log", 3000, 9000);
    rig_until_count(rig, 9002);
    rig_drain(rig);
    assert_numbered(rig, 9000);
    assert_int_equal(rig_gaps(rig), 2);
}

static void
a_partial_line_that_is_taken_back_is_not_remembered(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log");
    rig_configure(rig);
    rig_write(rig, "files/app.log", "a longer partial line");
    rig_turn(rig, 20);
    truncate_file(rig, "files/app.log");
    rig_append(rig, "files/app.log", "a\nb\nc\n");
    rig_until_count(rig, 3);
    rig_drain(rig);
    ASSERT_TEXTS(rig, "a", "b", "c");
}

/* A writer that does not append goes on at its old offset. */
static void
a_hole_after_a_truncation_is_no_line(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log");
    rig_configure(rig);
    int fd = open(rig_path(rig, "files/app.log"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(dprintf(fd, "one\n") > 0);
    rig_until_count(rig, 1);
    rig_hold(rig, 0);
    assert_int_equal(lseek(fd, 5000000, SEEK_SET), 5000000);
    assert_true(dprintf(fd, "\n") > 0);
    truncate_file(rig, "files/app.log");
    rig_let_go(rig);
    rig_until_count(rig, 2);
    assert_true(dprintf(fd, "two\n") > 0);
    assert_int_equal(write(fd, "four\n", 5), 5);
    rig_until_count(rig, 4);
    close(fd);
    rig_restart(rig);
    rig_append(rig, "files/app.log", "five\n");
    rig_until_count(rig, 5);
    rig_drain(rig);
    ASSERT_TEXTS(rig, "one", "two", "four", "five");
    assert_int_equal(rig_gaps(rig), 1);
}

/* logrotate's copytruncate, with the copy inside the pattern: it is made first, then the log is
 * truncated. */
static void
copytruncate_does_not_double(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log*");
    rig_configure(rig);
    rig_append_numbered(rig, "files/app.log", 0, 5000);
    rig_until_count(rig, 5000);
    copy_file(rig, "files/app.log", "files/app.log.1");
    rig_turn(rig, 10);
    truncate_file(rig, "files/app.log");
    rig_append_numbered(rig, "files/app.log", 5000, 6000);
    rig_until_count(rig, 6001);
    rig_turn(rig, 3 * (unsigned)rig->timing.quiet_ms);
    assert_numbered(rig, 6000);
    assert_int_equal(rig_gaps(rig), 1);
    rig_restart(rig);
    rig_turn(rig, 3 * (unsigned)rig->timing.quiet_ms);
    assert_numbered(rig, 6000);
}

/* What was written before the copy was made and not read yet is read from the copy. */
static void
copytruncate_while_stopped_goes_on_in_the_copy(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log*");
    rig_configure(rig);
    rig_append_numbered(rig, "files/app.log", 0, 5000);
    rig_until_count(rig, 5000);
    rig_stop(rig);
    rig_append_numbered(rig, "files/app.log", 5000, 6000);
    copy_file(rig, "files/app.log", "files/app.log.1");
    truncate_file(rig, "files/app.log");
    rig_append_numbered(rig, "files/app.log", 6000, 7000);
    rig_start(rig);
    rig_until_count(rig, 7001);
    rig_turn(rig, 3 * (unsigned)rig->timing.quiet_ms);
    assert_numbered(rig, 7000);
    assert_int_equal(rig_gaps(rig), 1);
}

/* The log grows between copy and truncation, and is read meanwhile: the copy is shorter than what
 * was read. */
static void
a_copy_shorter_than_what_was_read_is_not_read_again(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/app.log*");
    rig_configure(rig);
    rig_append_numbered(rig, "files/app.log", 0, 5000);
    rig_until_count(rig, 5000);
    copy_file(rig, "files/app.log", "files/app.log.1");
    rig_passes(rig, 6); /* it was seen before */
    rig_append_numbered(rig, "files/app.log", 5000, 5100);
    rig_until_count(rig, 5100);
    truncate_file(rig, "files/app.log");
    rig_append_numbered(rig, "files/app.log", 5100, 5200);
    rig_until_count(rig, 5201);
    rig_turn(rig, 3 * (unsigned)rig->timing.quiet_ms);
    assert_numbered(rig, 5200);
}

static void
a_file_that_only_looks_like_another_is_read(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_write(rig, "files/a.log", "start\n");
    rig_until_count(rig, 1);
    rig_write(rig, "files/b.log", "start\n");
    rig_until_count(rig, 2); /* after a while */
    rig_write(rig, "files/c.log", "start\n");
    rig_turn(rig, 5);
    rig_append(rig, "files/c.log", "differs\n");
    rig_until_count(rig, 4);
    ASSERT_TEXTS(rig, "start", "start", "start", "differs");
    assert_int_equal(rig_gaps(rig), 0);
}

/* It is held for a file that it began like; then it differs, and is held on only because of another
 * file that was truncated. The first one's truncation says nothing about it any more. */
static void
a_file_that_differs_from_what_it_was_held_for_is_read(void **state)
{
    struct rig *rig = *state;
    rig->timing.quiet_ms = 600;
    hf_intake_set_timing(rig->intake, &rig->timing);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_append_numbered(rig, "files/other.log", 0, 500);
    rig_write(rig, "files/a.log", "start\nand more of it, longer than the other\n");
    rig_until_count(rig, 502);
    rig_write(rig, "files/b.log", "start\n");
    rig_turn(rig, 20);
    truncate_file(rig, "files/other.log");
    rig_turn(rig, 20);
    rig_append(rig, "files/b.log", "differs\n");
    rig_turn(rig, 20);
    truncate_file(rig, "files/a.log");
    rig_until_count(rig, 506); /* two gaps, and its two lines */
    json_t *events = rig_events(rig), *event;
    size_t i, lines = 0;
    json_array_foreach(events, i, event)
    {
        lines += strcmp(event_text(event), "differs") == 0;
    }
    json_decref(events);
    assert_int_equal(lines, 1);
    assert_int_equal(rig_gaps(rig), 2);
}

/* ---- inode numbers ---- */

static struct hf_position
state_of_file(struct rig *rig, const char *name, const char *content)
{
    struct hf_fs_identity who;
    struct hf_print print = { .offset = 0 };
    struct hf_position file = { .seen_s = hf_wall_s(), .path = (char *)rig_path(rig, name) };
    assert_int_equal(hf_fs_identify(-1, rig_path(rig, name), &who, NULL), HF_OK);
    file.id = (struct hf_file_id){ .dev = who.dev, .ino = who.ino, .birth_ns = who.birth_ns };
    hf_print_add(&print, hf_slice_text(content));
    hf_print_hash(&print, &file.print);
    return file;
}

static void
set_state(struct rig *rig, const struct hf_position *file)
{
    char key[HF_FILE_KEY_SIZE];
    struct hf_buf value = HF_BUF(8192);
    hf_file_key("app", &file->id, key);
    assert_int_equal(hf_position_encode(file, &value), HF_OK);
    assert_int_equal(hf_journal_begin(rig->journal, true, NULL), HF_OK);
    assert_int_equal(
        hf_journal_set_state(rig->journal, "file/app", HF_SLICE_LITERAL("1 started"), NULL), HF_OK);
    assert_int_equal(hf_journal_set_state(rig->journal, key, hf_buf_slice(&value), NULL), HF_OK);
    hf_journal_commit(rig->journal);
    hf_buf_done(&value);
}

/* The state is that of an earlier file which had the same inode number. */
static void
a_reused_inode_with_other_content_is_read_from_its_beginning(void **state)
{
    struct rig *rig = *state;
    rig_write(rig, "files/a.log", "new one\nnew two\nnew three\n");
    struct hf_position old = state_of_file(rig, "files/a.log", "old one\n");
    set_state(rig, &old);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_until_count(rig, 4);
    rig_drain(rig);
    ASSERT_TEXTS(rig, "new one", "new two", "new three");
    assert_int_equal(rig_gaps(rig), 1);
}

static void
a_reused_inode_of_a_finished_file_is_no_gap(void **state)
{
    struct rig *rig = *state;
    rig_write(rig, "files/a.log", "new one\n");
    struct hf_position old = state_of_file(rig, "files/a.log", "old one\n");
    old.done = true;
    set_state(rig, &old);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_until_count(rig, 1);
    rig_drain(rig);
    ASSERT_TEXTS(rig, "new one");
    assert_int_equal(rig_gaps(rig), 0);
}

/* Another device number after a reboot: nothing is read twice. */
static void
a_renumbered_device_is_recognised_by_content(void **state)
{
    struct rig *rig = *state;
    rig_append_numbered(rig, "files/a.log", 0, 1000);
    struct hf_buf content = HF_BUF(1u << 20);
    assert_int_equal(hf_fs_read_file(rig_path(rig, "files/a.log"), 1u << 20, &content, NULL),
                     HF_OK);
    rig_append_numbered(rig, "files/a.log", 1000, 1010);
    struct hf_position old = state_of_file(rig, "files/a.log", hf_buf_text(&content));
    old.id.dev++;
    set_state(rig, &old);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_until_count(rig, 10);
    rig_drain(rig);
    assert_int_equal(rig_count(rig), 10);
    assert_int_equal(rig_gaps(rig), 0);
    rig_restart(rig);
    rig_drain(rig);
    assert_int_equal(rig_count(rig), 10);
    hf_buf_done(&content);
}

static void
a_state_reads_back_as_it_was_written(void **state)
{
    struct hf_buf value = HF_BUF(8192);
    char key[HF_FILE_KEY_SIZE], path[] = "/var/log/a name with spaces";
    struct hf_position back,
        file = { .id = { .dev = 0xfd01, .ino = 77, .birth_ns = 123456789012345 },
                 .print = { .offset = 5000, .head = { 1, 2 }, .tail = { 3, 4 } },
                 .line_parts = 2,
                 .line_bytes = 4000,
                 .seen_s = 1700000000,
                 .reported = true,
                 .path = path };
    (void)state;
    hf_file_key("app", &file.id, key);
    assert_int_equal(hf_position_encode(&file, &value), HF_OK);
    assert_true(hf_position_decode(key, hf_buf_slice(&value), &back));
    assert_true(hf_file_id_same(&back.id, &file.id));
    assert_memory_equal(&back.print, &file.print, sizeof(back.print));
    assert_string_equal(back.path, file.path);
    assert_true(back.line_parts == 2 && back.line_bytes == 4000 && back.seen_s == 1700000000 &&
                back.reported && !back.done);
    free(back.path);
    for (size_t cut = 0; cut + strlen(file.path) < value.size;
         cut++) /* a piece of it is refused, not guessed at */
        assert_false(hf_position_decode(key, hf_slice(value.ptr, cut), &back));
    hf_buf_done(&value);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_truncated_file_begins_anew_with_a_gap),
        TEST(an_overwritten_file_is_a_new_generation),
        TEST(a_partial_line_that_is_taken_back_is_not_remembered),
        TEST(a_hole_after_a_truncation_is_no_line),
        TEST(copytruncate_does_not_double),
        TEST(copytruncate_while_stopped_goes_on_in_the_copy),
        TEST(a_copy_shorter_than_what_was_read_is_not_read_again),
        TEST(a_file_that_only_looks_like_another_is_read),
        TEST(a_file_that_differs_from_what_it_was_held_for_is_read),
        TEST(a_reused_inode_with_other_content_is_read_from_its_beginning),
        TEST(a_reused_inode_of_a_finished_file_is_no_gap),
        TEST(a_renumbered_device_is_recognised_by_content),
        cmocka_unit_test(a_state_reads_back_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
