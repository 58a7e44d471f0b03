/* What a pattern matches, before there is an agent and while one reads: files, what is no file, and
 * nothing at all. */
#include "help.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct hf_source_look
look(struct rig *rig)
{
    struct hf_source_look look;
    struct hf_error err = { .status = HF_OK };
    if (hf_intake_look(&rig->sources[0], &look, &err) != HF_OK)
        fail_msg("%s", err.text);
    return look;
}

static void
make_others(struct rig *rig)
{
    assert_int_equal(mkfifo(rig_path(rig, "files/fifo.log"), 0600), 0);
    assert_int_equal(mkdir(rig_path(rig, "files/folder.log"), 0700), 0);
    assert_int_equal(symlink("nowhere", rig_path(rig, "files/link.log")), 0);
    rig_write(rig, "files/a.log", "one\n");
    rig_write(rig, "files/a.txt", "no\n");
}

static bool
has_looked(struct rig *rig, void *context)
{
    (void)context;
    return rig_status(rig, 0).look.others == 3;
}

static void
what_is_no_file_is_named_and_counted(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    make_others(rig);
    struct hf_source_look before = look(rig);
    assert_int_equal(before.matched, 1);
    assert_int_equal(before.unread, 0);
    assert_int_equal(before.others, 3);
    assert_non_null(strstr(before.others_text, "1 FIFO, 1 folder, 1 link that leads nowhere"));
    assert_non_null(strstr(before.others_text, "and others"));
    rig_configure(rig);
    rig_until_count(rig, 1);
    rig_until(rig, has_looked, NULL);
    struct hf_source_status status = rig_status(rig, 0);
    assert_int_equal(status.look.matched, 1);
    assert_string_equal(status.look.others_text, before.others_text);
    /* A stranger's names make the agent not ill. */
    assert_string_equal(status.problem, "");
}

static bool
has_problem(struct rig *rig, void *context)
{
    return strstr(rig_status(rig, 0).problem, context) != NULL;
}

static void
a_path_that_is_no_file_is_a_problem(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(mkfifo(rig_path(rig, "files/fifo.log"), 0600), 0);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/fifo.log");
    rig_configure(rig);
    rig_until(rig, has_problem, (void *)(uintptr_t) "1 FIFO, '");
}

static void
a_pattern_that_has_never_matched_is_a_problem_unless_it_may_be_empty(void **state)
{
    struct rig *rig = *state;
    rig->timing.unmatched_ms = 100;
    hf_intake_set_timing(rig->intake, &rig->timing);
    struct hf_config_source *source = rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    assert_string_equal(rig_status(rig, 0).problem, "");
    rig_until(rig, has_problem, (void *)(uintptr_t) "nothing has ever matched");
    assert_int_equal(look(rig).matched, 0);
    rig_write(rig, "files/a.log", "one\n");
    rig_until_count(rig, 1);
    rig_unlink(rig, "files/a.log"); /* it has matched */
    rig_turn(rig, 300);
    assert_string_equal(rig_status(rig, 0).problem, "");
    rig_stop(rig);
    source->may_be_empty = true;
    free(source->name);
    source->name = strdup("other");
    rig_start(rig);
    rig_configure(rig);
    rig_turn(rig, 300);
    assert_string_equal(rig_status(rig, 0).problem, "");
}

static bool
has_counted(struct rig *rig, void *context)
{
    (void)context;
    struct hf_source_status status = rig_status(rig, 0);
    return status.nul_bytes > 0 && status.behind_bytes == 0;
}

static bool
has_skipped(struct rig *rig, void *context)
{
    (void)context;
    return rig_status(rig, 0).skipped_bytes > 0 && rig_status(rig, 0).nul_bytes == 0;
}

static void
holes_and_nul_tails_are_counted(void **state)
{
    enum { ROOM = 1 << 20 };
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_write(rig, "files/a.log", "one\n");
    assert_int_equal(truncate(rig_path(rig, "files/a.log"), ROOM), 0);
    rig_configure(rig);
    rig_until_count(rig, 1);
    rig_until(rig, has_counted, NULL);
    assert_int_equal(rig_status(rig, 0).nul_bytes, ROOM - 4);
    rig_append(rig, "files/a.log", "two\n");
    rig_until_count(rig, 2);
    rig_until(rig, has_skipped, NULL);
    assert_true(rig_status(rig, 0).skipped_bytes <= ROOM - 4);
    ASSERT_TEXTS(rig, "one", "two");
}

static void
what_is_written_into_the_middle_of_a_hole_is_read(void **state)
{
    enum { ROOM = 1 << 20, AT = 600000 };
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_write(rig, "files/a.log", "one\n");
    assert_int_equal(truncate(rig_path(rig, "files/a.log"), ROOM), 0);
    rig_configure(rig);
    rig_until_count(rig, 1);
    rig_until(rig, has_counted, NULL);
    int fd = open(rig_path(rig, "files/a.log"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "two\n", 4, AT), 4);
    close(fd);
    rig_until_count(rig, 2);
    rig_until(rig, has_counted, NULL);
    assert_int_equal(rig_status(rig, 0).nul_bytes, ROOM - AT - 4);
    ASSERT_TEXTS(rig, "one", "two");
}

static void
a_sparse_file_is_named_before_it_is_read(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_write(rig, "files/a.log", "one\n");
    assert_int_equal(truncate(rig_path(rig, "files/a.log"), (off_t)1 << 40), 0);
    assert_int_equal(look(rig).sparse, 1);
    rig_configure(rig);
    rig_until_count(rig, 1);
    rig_drain(rig);
    assert_int_equal(rig_status(rig, 0).look.sparse, 1);
}

static void
positions_of_a_source_that_has_another_name_now_are_counted(void **state)
{
    struct rig *rig = *state;
    size_t count;
    struct hf_config_source *source = rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_write(rig, "files/a.log", "one\n");
    rig_write(rig, "files/b.log", "two\n");
    rig_configure(rig);
    rig_until_count(rig, 2);
    hf_intake_left(rig->intake, &count);
    assert_int_equal(count, 0);
    rig_stop(rig);
    free(source->name);
    source->name = strdup("apps");
    rig_start(rig);
    const struct hf_left *left = hf_intake_left(rig->intake, &count);
    assert_int_equal(count, 1);
    assert_string_equal(left[0].source, "app");
    assert_int_equal(left[0].positions, 2);
    rig_until_count(rig, 4); /* from the beginning, as `start` says */
}

/* ---- what a drain names ---- */

static void
unread_is(struct rig *rig, const char *text)
{
    hf_owned(hf_freep) char *unread = hf_intake_unread(rig->intake);
    if (!text && unread)
        fail_msg("nothing was to be unread: %s", unread);
    if (text && (!unread || !strstr(unread, text)))
        fail_msg("expected '%s' in '%s'", text, unread ? unread : "");
}

struct fault {
    const char *call, *path;
    int failure;
};

static int
interpose(void *context, struct hf_fs_call *call)
{
    const struct fault *fault = context;
    return strcmp(call->name, fault->call) == 0 && call->path && strstr(call->path, fault->path)
               ? fault->failure
               : 0;
}

static void
a_drain_names_what_cannot_be_opened_or_found(void **state)
{
    static const struct {
        struct fault fault;
        const char *text;
    } cases[] = {
        { { "openat2", "/a.log", EACCES }, "source app: 1 not read: '" },
        { { "openat2", "/a.log", EMFILE }, "/files/a.log': opening" },
        { { "statx", "a.log", EIO }, "/files/a.log': " },
        { { "readdir", "/files", EIO }, "/files': " },
        { { "openat2", "/files", EACCES }, "/files': " },
    };
    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        struct fault fault = cases[i].fault;
        struct rig *rig = *state;
        rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
        rig_write(rig, "files/a.log", "one\n");
        rig_write(rig, "files/b.log", "two\n");
        hf_fs_interpose(interpose, &fault);
        rig_configure(rig);
        rig_drain(rig);
        unread_is(rig, cases[i].text);
        hf_fs_interpose(NULL, NULL);
        rig_drain(rig);
        unread_is(rig, NULL);
        assert_int_equal(rig_count(rig), 2);
        rig_tear_down(state);
        rig_set_up_quick(state);
    }
}

static int
interpose_fd(void *context, struct hf_fs_call *call)
{
    const struct fault *fault = context;
    char link[32], path[512] = "";
    snprintf(link, sizeof(link), "/proc/self/fd/%d", call->fd);
    if (strcmp(call->name, fault->call) != 0 || readlink(link, path, sizeof(path) - 1) < 0)
        return 0;
    return strstr(path, fault->path) ? fault->failure : 0;
}

static void
a_drain_names_what_cannot_be_read(void **state)
{
    struct fault fault = { "pread", "a.log", EIO };
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_write(rig, "files/a.log", "one\n");
    rig_until_count(rig, 1);
    hf_fs_interpose(interpose_fd, &fault);
    rig_append(rig, "files/a.log", "two\n");
    rig_drain(rig);
    unread_is(rig, "/files/a.log': it cannot be read");
    hf_fs_interpose(NULL, NULL);
    rig_drain(rig);
    unread_is(rig, NULL);
}

/* Half a line, NUL bytes at the end, and what is no file. */
static void
what_waits_rightly_is_not_named(void **state)
{
    struct rig *rig = *state;
    make_others(rig);
    rig_write(rig, "files/half.log", "ha");
    rig_write(rig, "files/nul.log", "two\n");
    assert_int_equal(truncate(rig_path(rig, "files/nul.log"), 100000), 0);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*.log");
    rig_configure(rig);
    rig_drain(rig);
    assert_int_equal(rig_count(rig), 2);
    unread_is(rig, NULL);
}

static void
set_done(void *context)
{
    *(bool *)context = true;
}

/* A drain waits for it, and says so. */
static void
a_drain_names_what_is_held(void **state)
{
    struct rig *rig = *state;
    bool done = false;
    rig->timing.quiet_ms = 100000;
    hf_intake_set_timing(rig->intake, &rig->timing);
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*");
    rig_configure(rig);
    rig_write(rig, "files/a.log", "one\n");
    rig_until_count(rig, 1);
    rig_write(rig, "files/a.log.1", "one\n");
    hf_intake_drain(rig->intake, set_done, &done);
    rig_turn(rig, 300);
    assert_false(done);
    unread_is(rig, "/files/a.log.1': it waits, because it may be a copy");
    assert_int_equal(rig_status(rig, 0).held, 1);
    hf_intake_drain_cancel(rig->intake, &done);
}

/* Names are strangers'. */
static void
a_name_is_said_in_one_line(void **state)
{
    struct rig *rig = *state;
    struct fault fault = { "openat2", "all is well", EACCES };
    rig_source(rig, "app", HF_SOURCE_FILE, "files/*");
    rig_write(rig, "files/a\nall is well\033[2J", "one\n");
    hf_fs_interpose(interpose, &fault);
    rig_configure(rig);
    rig_drain(rig);
    unread_is(rig, "/files/a?all is well?[2J': ");
    assert_null(strpbrk(rig_status(rig, 0).problem, "\n\033"));
    hf_fs_interpose(NULL, NULL);
}

/* Whoever may make one folder makes them as deep as a path goes. */
static void
folders_within_each_other_are_looked_through(void **state)
{
    struct rig *rig = *state;
    rig_source(rig, "app", HF_SOURCE_FILE, "files/**/*.log");
    int fd = open(rig_path(rig, "files"), O_RDONLY | O_DIRECTORY), middle = -1;
    for (int depth = 0; depth < 2100; depth++) {
        assert_true(fd >= 0 && mkdirat(fd, "d", 0700) == 0);
        int next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
        close(fd);
        fd = next;
        if (depth == 1000) {
            int file = openat(fd, "a.log", O_CREAT | O_WRONLY, 0600);
            assert_int_equal(write(file, "deep\n", 5), 5);
            close(file);
            middle = dup(fd);
        }
    }
    close(fd);
    rig_write(rig, "files/z.log", "beside it\n");
    rig_configure(rig);
    rig_until_count(rig, 2);
    rig_drain(rig);
    assert_int_equal(rig_status(rig, 0).look.others, 1); /* no path leads farther */
    assert_non_null(strstr(rig_status(rig, 0).look.others_text, "too long a path"));
    rig_stop(rig); /* and so that it can be taken away again: */
    assert_int_equal(renameat(middle, "d", AT_FDCWD, rig_path(rig, "files/rest")), 0);
    close(middle);
    rig_start(rig);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up_quick, rig_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_file_is_named_and_counted),
        TEST(a_path_that_is_no_file_is_a_problem),
        TEST(a_pattern_that_has_never_matched_is_a_problem_unless_it_may_be_empty),
        TEST(holes_and_nul_tails_are_counted),
        TEST(what_is_written_into_the_middle_of_a_hole_is_read),
        TEST(a_sparse_file_is_named_before_it_is_read),
        TEST(positions_of_a_source_that_has_another_name_now_are_counted),
        TEST(a_drain_names_what_cannot_be_opened_or_found),
        TEST(a_drain_names_what_cannot_be_read),
        TEST(what_waits_rightly_is_not_named),
        TEST(a_drain_names_what_is_held),
        TEST(a_name_is_said_in_one_line),
        TEST(folders_within_each_other_are_looked_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
