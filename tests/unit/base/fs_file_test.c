#include "tests/unit/base/fs_fixture.h"

#include <errno.h>
#include <sys/wait.h>

static void
a_file_is_read_whole(void **state)
{
    struct fixture *fixture = *state;

    write_plainly(fixture->path, "0123456789");
    assert_int_equal(hf_fs_read_file(fixture->path, 10, &fixture->bytes, &fixture->err), HF_OK);
    assert_string_equal(hf_buf_text(&fixture->bytes), "0123456789");
    fixture->faults = (struct faults){ .longest = 3 };
    faults_begin(&fixture->faults);
    assert_int_equal(hf_fs_read_file(fixture->path, 100000, &fixture->bytes, &fixture->err), HF_OK);
    assert_string_equal(hf_buf_text(&fixture->bytes), "0123456789");
    write_plainly(fixture->path, "");
    assert_int_equal(hf_fs_read_file(fixture->path, 10, &fixture->bytes, &fixture->err), HF_OK);
    assert_int_equal(fixture->bytes.size, 0);
}

static void
a_file_over_its_limit_is_refused_and_the_buffer_left(void **state)
{
    struct fixture *fixture = *state;
    int descriptors = count_open_descriptors();

    assert_int_equal(hf_buf_add_text(&fixture->bytes, "before"), HF_OK);
    write_plainly(fixture->path, "0123456789");
    assert_int_equal(hf_fs_read_file(fixture->path, 9, &fixture->bytes, &fixture->err), HF_ELIMIT);
    assert_int_equal(hf_fs_read_file("/nowhere", 9, &fixture->bytes, &fixture->err), HF_ENOTFOUND);
    assert_int_equal(hf_fs_read_file(fixture->directory, 1 << 20, &fixture->bytes, &fixture->err),
                     HF_EIO);
    /* A file of /proc says it has no bytes, and has some. */
    assert_int_equal(hf_fs_read_file("/proc/self/status", 64, &fixture->bytes, &fixture->err),
                     HF_ELIMIT);
    for (int nth = 1; nth <= 4; nth++) {
        fixture->faults = (struct faults){ .fail_at = nth, .failure = EIO };
        faults_begin(&fixture->faults);
        assert_int_equal(hf_fs_read_file(fixture->path, 100, &fixture->bytes, &fixture->err),
                         HF_EIO);
        faults_end();
    }
    assert_string_equal(hf_buf_text(&fixture->bytes), "before");
    assert_int_equal(count_open_descriptors(), descriptors);
    assert_int_equal(hf_fs_read_file("/proc/self/status", 1 << 20, &fixture->bytes, &fixture->err),
                     HF_OK);
    assert_true(fixture->bytes.size > 64);
}

static void
a_secret_is_read_when_only_we_and_our_group_can(void **state)
{
    struct fixture *fixture = *state;
    static const mode_t right[] = { 0600, 0400, 0440, 0640, 0700, 0740 };

    write_plainly(fixture->path, "secret");
    for (size_t i = 0; i < HF_COUNT(right); i++) {
        assert_int_equal(chmod(fixture->path, right[i]), 0);
        assert_int_equal(hf_fs_read_secret(fixture->path, 6, &fixture->bytes, &fixture->err),
                         HF_OK);
        assert_string_equal(hf_buf_text(&fixture->bytes), "secret");
    }
    assert_int_equal(hf_fs_read_secret(fixture->path, 5, &fixture->bytes, &fixture->err),
                     HF_ELIMIT);
    assert_int_equal(hf_fs_read_secret("/nowhere", 5, &fixture->bytes, &fixture->err),
                     HF_ENOTFOUND);
}

static void
a_secret_that_systemd_loaded_is_read_from_there(void **state)
{
    struct fixture *fixture = *state;
    char named[HF_PATH_MAX], loaded[HF_PATH_MAX];

    hf_path_join(named, sizeof(named), fixture->directory, "secrets/key");
    hf_path_join(loaded, sizeof(loaded), fixture->directory, "secrets_key");
    assert_int_equal(hf_fs_read_secret(named, 9, &fixture->bytes, &fixture->err), HF_ENOTFOUND);
    write_plainly(loaded, "secret");
    assert_int_equal(chmod(loaded, 0440), 0);
    assert_int_equal(hf_fs_read_secret(named, 9, &fixture->bytes, &fixture->err), HF_ENOTFOUND);
    setenv("CREDENTIALS_DIRECTORY", fixture->directory, 1);
    assert_int_equal(hf_fs_read_secret(named, 9, &fixture->bytes, &fixture->err), HF_OK);
    assert_string_equal(hf_buf_text(&fixture->bytes), "secret");
    /* Its rights are looked at there, too; what was not loaded is read where it lies. */
    assert_int_equal(chmod(loaded, 0644), 0);
    assert_int_equal(hf_fs_read_secret(named, 9, &fixture->bytes, &fixture->err), HF_ECONFIG);
    write_plainly(fixture->path, "other");
    assert_int_equal(chmod(fixture->path, 0600), 0);
    assert_int_equal(hf_fs_read_secret(fixture->path, 9, &fixture->bytes, &fixture->err), HF_OK);
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_string_equal(hf_fs_secret_path("key", loaded), "key");
}

static void
a_secret_open_to_others_is_refused_with_the_chmod_that_mends_it(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        mode_t mode;
        const char *said;
        const char *mends;
    } wrong[] = {
        { 0644, "has mode 0644, open to others", ": chmod 0640 '" },
        { 0604, "mode 0604", ": chmod 0600 '" },
        { 0602, "mode 0602", ": chmod 0600 '" },
        { 0601, "mode 0601", ": chmod 0600 '" },
        { 0660, "mode 0660, open to changes by its group", ": chmod 0640 '" },
        { 0620, "mode 0620", ": chmod 0600 '" },
        { 0777, "mode 0777", ": chmod 0750 '" },
    };

    write_plainly(fixture->path, "secret");
    for (size_t i = 0; i < HF_COUNT(wrong); i++) {
        assert_int_equal(chmod(fixture->path, wrong[i].mode), 0);
        assert_int_equal(hf_fs_read_secret(fixture->path, 100, &fixture->bytes, &fixture->err),
                         HF_ECONFIG);
        assert_non_null(strstr(fixture->err.text, wrong[i].said));
        assert_non_null(strstr(fixture->err.text, wrong[i].mends));
        assert_non_null(strstr(fixture->err.text, fixture->path));
        assert_null(strstr(fixture->err.text, "secret\n"));
    }
    assert_null(fixture->bytes.ptr);
}

static void
a_mended_secret_is_accepted(void **state)
{
    struct fixture *fixture = *state;

    write_plainly(fixture->path, "secret");
    assert_int_equal(chmod(fixture->path, 0777), 0);
    assert_int_equal(hf_fs_read_secret(fixture->path, 100, &fixture->bytes, &fixture->err),
                     HF_ECONFIG);
    const char *mode = strstr(fixture->err.text, "chmod ");
    assert_non_null(mode);
    assert_int_equal(chmod(fixture->path, (mode_t)strtoul(mode + 6, NULL, 8)), 0);
    assert_int_equal(hf_fs_read_secret(fixture->path, 100, &fixture->bytes, &fixture->err), HF_OK);
}

static void
a_secret_of_somebody_else_is_refused(void **state)
{
    struct fixture *fixture = *state;

    write_plainly(fixture->path, "secret");
    assert_int_equal(chmod(fixture->path, 0600), 0);
    if (geteuid() != 0) {
        /* Root's are accepted: /etc/shadow shows that it is the access, not the owner, that is
         * refused. */
        assert_int_not_equal(
            hf_fs_read_secret("/etc/shadow", 1 << 20, &fixture->bytes, &fixture->err), HF_ECONFIG);
        return;
    }
    assert_int_equal(chown(fixture->path, 12345, 0), 0);
    assert_int_equal(hf_fs_read_secret(fixture->path, 100, &fixture->bytes, &fixture->err),
                     HF_ECONFIG);
    assert_non_null(
        strstr(fixture->err.text, "is owned by uid 12345, not by uid 0 or root: chown 0 '"));
}

static void
a_secret_that_is_no_file_is_refused_without_waiting(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    assert_int_equal(hf_fs_read_secret(fixture->path, 100, &fixture->bytes, &fixture->err),
                     HF_ECONFIG);
    assert_non_null(strstr(fixture->err.text, "is not a regular file"));
    assert_int_equal(hf_fs_read_secret(fixture->directory, 100, &fixture->bytes, &fixture->err),
                     HF_ECONFIG);
}

static int
grow_after_fstat(void *context, struct hf_fs_call *call)
{
    if (strcmp(call->name, "pread") == 0)
        write_plainly(context, "longer than before");
    return 0;
}

static void
a_secret_that_changes_while_read_is_refused(void **state)
{
    struct fixture *fixture = *state;

    write_plainly(fixture->path, "secret");
    assert_int_equal(chmod(fixture->path, 0600), 0);
    hf_fs_interpose(grow_after_fstat, fixture->path);
    assert_int_equal(hf_fs_read_secret(fixture->path, 100, &fixture->bytes, &fixture->err), HF_EIO);
    assert_non_null(strstr(fixture->err.text, "changed while it was read"));
    assert_null(fixture->bytes.ptr);
}

static void
a_secret_read_fails_whole(void **state)
{
    struct fixture *fixture = *state;
    int descriptors = count_open_descriptors();

    write_plainly(fixture->path, "secret");
    assert_int_equal(chmod(fixture->path, 0600), 0);
    for (int nth = 1; nth <= 3; nth++) {
        fixture->faults = (struct faults){ .fail_at = nth, .failure = EIO };
        faults_begin(&fixture->faults);
        assert_int_equal(hf_fs_read_secret(fixture->path, 100, &fixture->bytes, &fixture->err),
                         HF_EIO);
        faults_end();
    }
    assert_null(fixture->bytes.ptr);
    assert_int_equal(count_open_descriptors(), descriptors);
}

static void
a_lock_is_held_once_and_given_back_by_closing(void **state)
{
    struct fixture *fixture = *state;
    int first = -1;
    int second = -1;
    int descriptors = count_open_descriptors();

    assert_int_equal(hf_fs_lock(fixture->path, &first, &fixture->err), HF_OK);
    assert_int_equal(hf_fs_lock(fixture->path, &second, &fixture->err), HF_EBUSY);
    assert_int_equal(second, -1);
    assert_non_null(strstr(fixture->err.text, "is locked by another process"));
    hf_fs_close(&first);
    assert_int_equal(hf_fs_lock(fixture->path, &second, &fixture->err), HF_OK);
    hf_fs_close(&second);
    fixture->faults = (struct faults){ .fail_at = 2, .failure = EINTR };
    faults_begin(&fixture->faults);
    assert_int_equal(hf_fs_lock(fixture->path, &first, &fixture->err), HF_OK);
    hf_fs_close(&first);
    fixture->faults = (struct faults){ .fail_at = 2, .failure = ENOLCK };
    faults_begin(&fixture->faults);
    assert_int_equal(hf_fs_lock(fixture->path, &first, &fixture->err), HF_EIO);
    assert_int_equal(count_open_descriptors(), descriptors);
}

static void
a_lock_dies_with_its_process(void **state)
{
    struct fixture *fixture = *state;
    int fd = -1;
    int ready[2], leave[2];
    char byte = 'x';

    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(leave), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(leave[1]);
        if (hf_fs_lock(fixture->path, &fd, NULL) != HF_OK || write(ready[1], &byte, 1) != 1)
            _exit(1);
        _exit(read(leave[0], &byte, 1) == 0 ? 0 : 1);
    }
    close(ready[1]);
    close(leave[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(hf_fs_lock(fixture->path, &fd, &fixture->err), HF_EBUSY);
    close(leave[1]);
    close(ready[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(hf_fs_lock(fixture->path, &fd, &fixture->err), HF_OK);
    hf_fs_close(&fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_read_whole),
        TEST(a_file_over_its_limit_is_refused_and_the_buffer_left),
        TEST(a_secret_is_read_when_only_we_and_our_group_can),
        TEST(a_secret_that_systemd_loaded_is_read_from_there),
        TEST(a_secret_open_to_others_is_refused_with_the_chmod_that_mends_it),
        TEST(a_mended_secret_is_accepted),
        TEST(a_secret_of_somebody_else_is_refused),
        TEST(a_secret_that_is_no_file_is_refused_without_waiting),
        TEST(a_secret_that_changes_while_read_is_refused),
        TEST(a_secret_read_fails_whole),
        TEST(a_lock_is_held_once_and_given_back_by_closing),
        TEST(a_lock_dies_with_its_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
