/* Standard input: a pipe, a file, nothing. */
#include "help.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int saved;

static int
set_up(void **state)
{
    saved = dup(STDIN_FILENO);
    *state = rig_new();
    return 0;
}

static int
tear_down(void **state)
{
    rig_free(*state);
    dup2(saved, STDIN_FILENO);
    close(saved);
    return 0;
}

static void
start(struct rig *rig, int fd)
{
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    close(fd);
    rig_source(rig, "in", HF_SOURCE_STDIN, NULL)->max_event = 4096;
    rig_configure(rig);
}

static bool
has_ended(struct rig *rig, void *context)
{
    (void)context;
    return hf_intake_stdin_ended(rig->intake);
}

static void
a_pipe_is_read_to_its_end(void **state)
{
    struct rig *rig = *state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_true(hf_intake_stdin_ended(rig->intake)); /* there is no such source */
    start(rig, ends[0]);
    assert_true(dprintf(ends[1], "one\n\ntwo\nthr") > 0);
    rig_until_count(rig, 2);
    assert_false(hf_intake_stdin_ended(rig->intake));
    assert_true(dprintf(ends[1], "ee") > 0);
    close(ends[1]);
    rig_until(rig, has_ended, NULL);
    ASSERT_TEXTS(rig, "one", "two", "three");
    assert_int_equal(rig_status(rig, 0).events, 3);
}

static void
a_file_is_read_to_its_end(void **state)
{
    struct rig *rig = *state;
    rig_append_numbered(rig, "files/in", 0, 50000);
    start(rig, open(rig_path(rig, "files/in"), O_RDONLY | O_CLOEXEC));
    rig_until(rig, has_ended, NULL);
    assert_numbered(rig, 50000);
}

static void
nothing_ends_at_once(void **state)
{
    struct rig *rig = *state;
    start(rig, open("/dev/null", O_RDONLY | O_CLOEXEC));
    rig_until(rig, has_ended, NULL);
    assert_int_equal(rig_count(rig), 0);
}

static void
drain_takes_what_is_in_the_pipe(void **state)
{
    struct rig *rig = *state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    start(rig, ends[0]);
    for (int i = 0; i < 1000; i++)
        assert_true(dprintf(ends[1], "line %d\n", i) > 0);
    rig_drain(rig);
    assert_numbered(rig, 1000);
    close(ends[1]);
}

static void
a_long_line_becomes_parts(void **state)
{
    struct rig *rig = *state;
    int ends[2];
    char line[10001];
    memset(line, 'x', sizeof(line));
    line[10000] = '\n';
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    start(rig, ends[0]);
    assert_int_equal(write(ends[1], line, sizeof(line)), sizeof(line));
    rig_until_count(rig, 3);
    assert_int_equal(rig_status(rig, 0).counts.parts, 3);
    close(ends[1]);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_pipe_is_read_to_its_end), TEST(a_file_is_read_to_its_end),
        TEST(nothing_ends_at_once),      TEST(drain_takes_what_is_in_the_pipe),
        TEST(a_long_line_becomes_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
