#include "tests/unit/base/fs_fixture.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOMEBODY 65534
#define ANOTHER  65533

/* Each claim holds by openat2() and by the steps: with an error that says that there is none. */
static const int without[] = { 0, ENOSYS, EPERM };

struct scene {
    struct fixture *fixture;
    int no_openat2; /* the error it gives, or 0 */
    int steps;      /* openat() calls seen */
    int act_at;     /* before this one, or before openat2() when 0; -1: never */
    void (*act)(struct scene *scene);
};

static int
interpose(void *context, struct hf_fs_call *call)
{
    struct scene *scene = context;
    bool at_once = strcmp(call->name, "openat2") == 0;

    if (at_once && scene->no_openat2)
        return scene->no_openat2;
    if (!at_once && strcmp(call->name, "openat") != 0)
        return 0;
    if (scene->act && (at_once ? 0 : ++scene->steps) == scene->act_at) {
        void (*act)(struct scene * scene) = scene->act;
        scene->act = NULL;
        act(scene);
    }
    return 0;
}

static const char *
path_in(const struct fixture *fixture, const char *name)
{
    static char paths[8][HF_PATH_MAX];
    static size_t next;
    char *path = paths[next++ % HF_COUNT(paths)];

    hf_path_join(path, HF_PATH_MAX, fixture->directory, name);
    return path;
}

static void
put_folder(const struct fixture *fixture, const char *name, uid_t owner)
{
    assert_int_equal(mkdir(path_in(fixture, name), 0755), 0);
    assert_int_equal(chown(path_in(fixture, name), owner, (gid_t)-1), 0);
}

static void
put_link(const struct fixture *fixture, const char *target, const char *name, uid_t owner)
{
    assert_int_equal(symlink(target, path_in(fixture, name)), 0);
    assert_int_equal(lchown(path_in(fixture, name), owner, (gid_t)-1), 0);
}

/* What it comes to, in each way; the same in all. *ret_text: what was read. */
static enum hf_status
open_as(struct fixture *fixture, const char *path, const struct hf_fs_trust *trust,
        char ret_text[16])
{
    enum hf_status first = HF_OK;

    for (size_t i = 0; i < HF_COUNT(without); i++) {
        struct scene scene = { .fixture = fixture, .no_openat2 = without[i], .act_at = -1 };
        int fd = -1;
        size_t got = 0;
        hf_fs_openat2_forget();
        hf_fs_interpose(interpose, &scene);
        enum hf_status status = hf_fs_open_trusted(path, O_RDONLY, trust, &fd, NULL, &fixture->err);
        hf_fs_interpose(NULL, NULL);
        assert_int_equal(status == HF_OK, fd >= 0);
        if (i == 0)
            first = status;
        assert_int_equal(status, first);
        if (ret_text && status == HF_OK)
            assert_int_equal(hf_fs_pread(fd, ret_text, 15, 0, &got, NULL), HF_OK);
        if (ret_text)
            ret_text[got] = '\0';
        hf_fs_close(&fd);
    }
    hf_fs_openat2_forget();
    return first;
}

static void
links_of_root_and_our_own_are_followed_hop_by_hop(void **state)
{
    struct fixture *fixture = *state;
    char text[16];

    put_folder(fixture, "pods", geteuid());
    put_folder(fixture, "pods/a", geteuid());
    put_folder(fixture, "containers", geteuid());
    write_plainly(path_in(fixture, "pods/a/0.log"), "here");
    put_link(fixture, "../pods/./a//", "containers/pod", geteuid());
    put_link(fixture, path_in(fixture, "containers/pod/0.log"), "containers/0.log", geteuid());
    assert_int_equal(open_as(fixture, path_in(fixture, "pods/a/0.log"), NULL, text), HF_OK);
    assert_string_equal(text, "here");
    assert_int_equal(open_as(fixture, path_in(fixture, "containers/0.log"), NULL, text), HF_OK);
    assert_string_equal(text, "here");
    assert_int_equal(open_as(fixture, path_in(fixture, "pods/../containers/0.log"), NULL, text),
                     HF_OK);
    assert_int_equal(open_as(fixture, path_in(fixture, "pods/b/0.log"), NULL, NULL), HF_ENOTFOUND);
    assert_int_equal(open_as(fixture, path_in(fixture, "pods/a/0.log/x"), NULL, NULL),
                     HF_ENOTFOUND);
    assert_int_equal(open_as(fixture, "/", NULL, NULL), HF_OK);
    assert_int_equal(open_as(fixture, "", NULL, NULL), HF_ENOTFOUND);
}

static void
a_loop_of_links_ends(void **state)
{
    struct fixture *fixture = *state;

    put_link(fixture, "b", "a", geteuid());
    put_link(fixture, "a", "b", geteuid());
    assert_int_equal(open_as(fixture, path_in(fixture, "a"), NULL, NULL), HF_EIO);
    assert_int_equal(fixture->err.sys_errno, ELOOP);
}

static void
links_of_a_stranger_are_not_followed_unless_he_is_trusted(void **state)
{
    struct fixture *fixture = *state;
    static const uid_t trusted[] = { ANOTHER, SOMEBODY };
    const struct hf_fs_trust trust = { trusted, 2 }, less = { trusted, 1 };
    char text[16];

    if (geteuid() != 0)
        skip(); /* only root can make one */
    put_folder(fixture, "root", 0);
    put_folder(fixture, "his", SOMEBODY);
    write_plainly(path_in(fixture, "root/secret"), "secret");
    put_link(fixture, "../root/secret", "his/file", SOMEBODY);
    put_link(fixture, "../root", "his/folder", SOMEBODY);
    put_link(fixture, "../root/secret", "his/moved", 0); /* root's, in a folder of his */
    put_link(fixture, "his/folder", "over", 0);          /* root's, which leads over his */
    put_link(fixture, "his", "into", 0);                 /* root's, into his folder */
    write_plainly(path_in(fixture, "his/own"), "own");
    static const char *const names[] = { "his/file", "his/folder/secret", "his/moved",
                                         "over/secret", "into/file" };
    for (size_t i = 0; i < HF_COUNT(names); i++) {
        assert_int_equal(open_as(fixture, path_in(fixture, names[i]), NULL, NULL), HF_EREFUSED);
        assert_int_equal(open_as(fixture, path_in(fixture, names[i]), &less, NULL), HF_EREFUSED);
        assert_int_equal(open_as(fixture, path_in(fixture, names[i]), &trust, text), HF_OK);
        assert_string_equal(text, "secret");
    }
    /* A folder of his is passed, as long as no link follows. */
    assert_int_equal(open_as(fixture, path_in(fixture, "into/own"), NULL, text), HF_OK);
    assert_string_equal(text, "own");
}

/* ---- exchanged between two steps ---- */

static void
exchange_folder(struct scene *scene)
{
    assert_int_equal(
        rename(path_in(scene->fixture, "his/logs"), path_in(scene->fixture, "his/away")), 0);
    put_link(scene->fixture, "../root", "his/logs", SOMEBODY);
}

static void
exchange_file(struct scene *scene)
{
    assert_int_equal(unlink(path_in(scene->fixture, "his/logs/secret")), 0);
    put_link(scene->fixture, "../../root/secret", "his/logs/secret", SOMEBODY);
}

static void
whatever_is_exchanged_for_a_link_between_two_steps_leads_nowhere(void **state)
{
    struct fixture *fixture = *state;
    void (*const acts[])(struct scene * scene) = { exchange_folder, exchange_file };

    if (geteuid() != 0)
        skip();
    for (size_t a = 0; a < HF_COUNT(acts); a++) {
        for (size_t i = 0; i < HF_COUNT(without); i++) {
            struct scene scene = { .act_at = without[i] ? 1 : 0 };
            for (bool more = true; more; scene.act_at++) {
                int fd = -1;
                char text[16] = "";
                size_t got;
                tear_down(state);
                set_up(state);
                fixture = *state;
                put_folder(fixture, "root", 0);
                put_folder(fixture, "his", SOMEBODY);
                put_folder(fixture, "his/logs", SOMEBODY);
                write_plainly(path_in(fixture, "root/secret"), "secret");
                write_plainly(path_in(fixture, "his/logs/secret"), "own");
                scene = (struct scene){ .fixture = fixture,
                                        .no_openat2 = without[i],
                                        .act_at = scene.act_at,
                                        .act = acts[a] };
                hf_fs_openat2_forget();
                hf_fs_interpose(interpose, &scene);
                enum hf_status status = hf_fs_open_trusted(path_in(fixture, "his/logs/secret"),
                                                           O_RDONLY, NULL, &fd, NULL, NULL);
                hf_fs_interpose(NULL, NULL);
                more = !scene.act; /* it was reached */
                if (status == HF_OK)
                    assert_int_equal(hf_fs_pread(fd, text, 15, 0, &got, NULL), HF_OK);
                assert_string_not_equal(text, "secret");
                assert_true(status == HF_OK || status == HF_EREFUSED || status == HF_ENOTFOUND);
                hf_fs_close(&fd);
            }
            assert_true(scene.act_at > (without[i] ? 5 : 1));
        }
    }
    hf_fs_openat2_forget();
}

/* ---- who may write ---- */

static void
a_folder_is_ours_alone_when_nobody_else_can_put_anything_on_the_way(void **state)
{
    struct fixture *fixture = *state;

    put_folder(fixture, "a", geteuid());
    put_folder(fixture, "a/b", geteuid());
    char folder[HF_PATH_MAX];
    hf_path_join(folder, sizeof(folder), fixture->directory, "a/b");
    assert_int_equal(hf_fs_check_alone(folder, &fixture->err), HF_OK);
    assert_int_equal(hf_fs_check_alone("/", NULL), HF_OK);
    assert_int_equal(hf_fs_check_alone(path_in(fixture, "c"), &fixture->err), HF_ENOTFOUND);
    static const struct {
        const char *name;
        mode_t mode;
        enum hf_status is;
    } cases[] = { { "a/b", 0777, HF_EREFUSED },
                  { "a/b", 01777, HF_EREFUSED },
                  { "a/b", 0770, HF_OK },
                  { "a", 0777, HF_EREFUSED },
                  { "a", 01777, HF_OK } };
    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        assert_int_equal(chmod(path_in(fixture, cases[i].name), cases[i].mode), 0);
        assert_int_equal(hf_fs_check_alone(folder, &fixture->err), cases[i].is);
        assert_int_equal(chmod(path_in(fixture, cases[i].name), 0755), 0);
    }
    if (geteuid() != 0)
        return;
    assert_int_equal(chown(path_in(fixture, "a"), SOMEBODY, (gid_t)-1), 0);
    assert_int_equal(hf_fs_check_alone(folder, &fixture->err), HF_EREFUSED);
    assert_non_null(strstr(fixture->err.text, "uid 65534"));
    assert_int_equal(chown(path_in(fixture, "a"), 0, SOMEBODY), 0);
    assert_int_equal(chmod(path_in(fixture, "a"), 0775), 0);
    assert_int_equal(hf_fs_check_alone(folder, &fixture->err), HF_EREFUSED);
}

/* ---- what reads whole files ---- */

static void
a_file_is_not_read_over_a_strangers_link(void **state)
{
    struct fixture *fixture = *state;

    write_plainly(fixture->path, "secret");
    assert_int_equal(chmod(fixture->path, 0600), 0);
    put_link(fixture, "file", "mine", geteuid());
    assert_int_equal(hf_fs_read_file(path_in(fixture, "mine"), 10, &fixture->bytes, NULL), HF_OK);
    assert_int_equal(hf_fs_read_secret(path_in(fixture, "mine"), 10, &fixture->bytes, NULL), HF_OK);
    if (geteuid() != 0)
        skip();
    put_link(fixture, "file", "his", SOMEBODY);
    assert_int_equal(hf_fs_read_file(path_in(fixture, "his"), 10, &fixture->bytes, NULL),
                     HF_EREFUSED);
    assert_int_equal(hf_fs_read_secret(path_in(fixture, "his"), 10, &fixture->bytes, NULL),
                     HF_EREFUSED);
}

static void
a_pipe_is_read_when_it_was_handed_to_us_and_holds_nobody(void **state)
{
    struct fixture *fixture = *state;
    int ends[2];
    char path[40];

    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    assert_int_equal(hf_fs_read_file(fixture->path, 10, &fixture->bytes, &fixture->err),
                     HF_EREFUSED);
    assert_non_null(strstr(fixture->err.text, "is a pipe"));
    assert_int_equal(pipe(ends), 0);
    snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
    pid_t child = fork();
    if (child == 0) {
        usleep(50000); /* it is empty when it is opened */
        _exit(write(ends[1], "handed", 6) == 6 ? 0 : 1);
    }
    close(ends[1]);
    assert_int_equal(hf_fs_read_file(path, 10, &fixture->bytes, &fixture->err), HF_OK);
    assert_string_equal(hf_buf_text(&fixture->bytes), "handed");
    close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Each call that fails is told, and leaves no descriptor open. */
static void
whichever_call_fails_nothing_is_opened(void **state)
{
    struct fixture *fixture = *state;
    int descriptors = count_open_descriptors();

    put_folder(fixture, "a", geteuid());
    write_plainly(path_in(fixture, "a/file"), "here");
    put_link(fixture, "a/file", "link", geteuid());
    static const char *const calls[] = { "openat2", "openat", "readlink" };
    for (size_t i = 0; i < HF_COUNT(calls); i++) {
        int nth = 1;
        for (bool more = true; more; nth++) {
            int fd = -1;
            fixture->faults = (struct faults){ .fail_at = nth, .failure = EIO, .only = calls[i] };
            faults_begin(&fixture->faults);
            enum hf_status status = hf_fs_open_trusted(path_in(fixture, "link"), O_RDONLY, NULL,
                                                       &fd, NULL, &fixture->err);
            faults_end();
            more = fixture->faults.count >= nth;
            assert_int_equal(status, more ? HF_EIO : HF_OK);
            hf_fs_close(&fd);
            assert_int_equal(count_open_descriptors(), descriptors);
        }
        assert_true(nth > 2);
    }
}

static void
data_is_found_behind_a_hole(void **state)
{
    struct fixture *fixture = *state;
    uint64_t at = 0;

    assert_int_equal(hf_fs_pwrite(fixture->fd, "x", 1, 1 << 20, NULL), HF_OK);
    assert_int_equal(hf_fs_seek_data(fixture->fd, 0, &at, NULL), HF_OK);
    assert_true(at <= 1 << 20);
    assert_int_equal(hf_fs_truncate(fixture->fd, 4 << 20, NULL), HF_OK);
    enum hf_status status = hf_fs_seek_data(fixture->fd, 3 << 20, &at, NULL);
    assert_true(status == HF_ENOTFOUND || at == 3 << 20);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(links_of_root_and_our_own_are_followed_hop_by_hop),
        TEST(a_loop_of_links_ends),
        TEST(links_of_a_stranger_are_not_followed_unless_he_is_trusted),
        TEST(whatever_is_exchanged_for_a_link_between_two_steps_leads_nowhere),
        TEST(a_folder_is_ours_alone_when_nobody_else_can_put_anything_on_the_way),
        TEST(a_file_is_not_read_over_a_strangers_link),
        TEST(a_pipe_is_read_when_it_was_handed_to_us_and_holds_nobody),
        TEST(whichever_call_fails_nothing_is_opened),
        cmocka_unit_test_setup_teardown(data_is_found_behind_a_hole, set_up_open, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
