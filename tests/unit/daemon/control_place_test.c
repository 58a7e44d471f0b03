/* The place of the control socket: ours, or left alone. */
#include "tests/support/test.h"

#include "agent/daemon/daemon_impl.h"

#include <sys/socket.h>

static char folder[256], path[300];

static int
make_folder(void **state)
{
    (void)state;
    hf_test_tempdir(folder);
    snprintf(path, sizeof(path), "%s/control.sock", folder);
    return 0;
}

static int
remove_folder(void **state)
{
    (void)state;
    hf_test_tempdir_remove(folder);
    return 0;
}

static bool
is_there(void)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

static void
only_its_user_may_connect_whatever_the_umask_is(void **state)
{
    struct control_place place = { .path = "" };
    struct stat info;
    int fd = -1;
    (void)state;
    mode_t before = umask(0);
    assert_int_equal(control_place_take(&place, path, &fd, NULL), HF_OK);
    umask(before);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    control_place_leave(&place);
    assert_false(is_there());
    close(fd);
}

static void
one_that_a_crash_left_is_replaced(void **state)
{
    struct control_place first = { .path = "" }, second = { .path = "" };
    int first_fd = -1, fd = -1; /* the first stays open: else its inode number may come again */
    (void)state;
    assert_int_equal(control_place_take(&first, path, &first_fd, NULL), HF_OK);
    assert_int_equal(control_place_take(&second, path, &fd, NULL), HF_OK);
    control_place_leave(&first); /* another one stands there now */
    assert_true(is_there());
    control_place_leave(&second);
    assert_false(is_there());
    close(fd);
    close(first_fd);
}

static void
one_that_is_answered_is_left_alone(void **state)
{
    struct control_place first = { .path = "" }, second = { .path = "" };
    struct hf_error err;
    int fd = -1, none = -1;
    (void)state;
    assert_int_equal(control_place_take(&first, path, &fd, NULL), HF_OK);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(control_place_take(&second, path, &none, &err), HF_EBUSY);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(none, -1);
    control_place_leave(&second);
    assert_true(is_there());
    control_place_leave(&first);
    close(fd);
}

static void
what_is_no_socket_is_left_alone(void **state)
{
    struct control_place place = { .path = "" };
    struct hf_error err;
    int fd = -1;
    (void)state;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(control_place_take(&place, path, &fd, &err), HF_EEXISTS);
    control_place_leave(&place);
    assert_true(is_there());
    assert_int_equal(unlink(path), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_its_user_may_connect_whatever_the_umask_is),
        cmocka_unit_test(one_that_a_crash_left_is_replaced),
        cmocka_unit_test(one_that_is_answered_is_left_alone),
        cmocka_unit_test(what_is_no_socket_is_left_alone),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
