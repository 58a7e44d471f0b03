/* Calls that name a file by its path, and who a file is. */
#include "tests/unit/base/fs_fixture.h"

#include <errno.h>

static void
paths_can_be_renamed_linked_and_removed(void **state)
{
    struct fixture *fixture = *state;
    const char *other = fixture->other;
    struct stat info;

    assert_int_equal(hf_fs_link(fixture->path, other, NULL), HF_OK);
    assert_int_equal(hf_fs_link(fixture->path, other, &fixture->err), HF_EEXISTS);
    assert_non_null(strstr(fixture->err.text, "linking '"));
    assert_non_null(strstr(fixture->err.text, "/other': File exists"));
    assert_int_equal(hf_fs_unlink(fixture->path, NULL), HF_OK);
    assert_int_equal(hf_fs_unlink(fixture->path, &fixture->err), HF_ENOTFOUND);
    assert_int_equal(hf_fs_rename(other, fixture->path, NULL), HF_OK);
    assert_int_equal(hf_fs_rename(other, fixture->path, &fixture->err), HF_ENOTFOUND);
    assert_int_equal(hf_fs_stat(other, &info, &fixture->err), HF_ENOTFOUND);
    assert_int_equal(hf_fs_chmod(fixture->path, 0604, NULL), HF_OK);
    assert_int_equal(hf_fs_stat(fixture->path, &info, NULL), HF_OK);
    assert_int_equal(info.st_mode & 07777, 0604);
    assert_int_equal(hf_fs_chmod(other, 0604, &fixture->err), HF_ENOTFOUND);
}

static void
only_an_empty_directory_is_removed(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(hf_fs_rmdir(fixture->directory, &fixture->err), HF_EIO);
    assert_int_equal(mkdir(fixture->other, 0700), 0);
    assert_int_equal(hf_fs_rmdir(fixture->other, NULL), HF_OK);
    assert_int_equal(hf_fs_rmdir(fixture->other, &fixture->err), HF_ENOTFOUND);
}

static void
lstat_looks_at_the_link_and_stat_through_it(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;

    assert_int_equal(symlink("file", fixture->other), 0);
    assert_int_equal(hf_fs_lstat(fixture->other, &info, NULL), HF_OK);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(hf_fs_stat(fixture->other, &info, NULL), HF_OK);
    assert_true(S_ISREG(info.st_mode));
    assert_int_equal(hf_fs_lstat("/nowhere", &info, &fixture->err), HF_ENOTFOUND);
}

static void
access_tells_what_we_may_do(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(hf_fs_access(fixture->path, R_OK | W_OK, &fixture->err), HF_OK);
    /* A file that nobody may execute: not even root. */
    assert_int_equal(hf_fs_access(fixture->path, X_OK, &fixture->err), HF_EIO);
    assert_int_equal(fixture->err.sys_errno, EACCES);
    assert_non_null(strstr(fixture->err.text, "; give uid "));
    assert_int_equal(hf_fs_access(fixture->other, R_OK, &fixture->err), HF_ENOTFOUND);
}

static void
the_time_of_access_is_set_and_that_of_modification_left(void **state)
{
    struct fixture *fixture = *state;
    struct stat before;
    struct stat after;

    assert_int_equal(stat(fixture->path, &before), 0);
    assert_int_equal(hf_fs_set_atime(fixture->path, 4102444800, &fixture->err), HF_OK);
    assert_int_equal(stat(fixture->path, &after), 0);
    assert_true(after.st_atim.tv_sec == 4102444800);
    assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
    assert_int_equal(hf_fs_set_atime(fixture->other, 1, &fixture->err), HF_ENOTFOUND);
}

static void
a_file_is_the_same_by_path_and_by_descriptor(void **state)
{
    struct fixture *fixture = *state;
    struct hf_fs_identity by_path;
    struct hf_fs_identity by_fd;
    struct stat info;

    assert_int_equal(hf_fs_write(fixture->fd, "12345", 5, NULL), HF_OK);
    assert_int_equal(hf_fs_identify(-1, fixture->path, &by_path, &fixture->err), HF_OK);
    assert_int_equal(hf_fs_identify(fixture->fd, NULL, &by_fd, &fixture->err), HF_OK);
    assert_int_equal(fstat(fixture->fd, &info), 0);
    assert_true(by_path.dev == by_fd.dev && by_fd.dev == info.st_dev);
    assert_true(by_path.ino == by_fd.ino && by_fd.ino == info.st_ino);
    assert_true(by_path.birth_ns == by_fd.birth_ns);
    assert_int_equal(by_fd.size, 5);
    assert_int_equal(by_fd.mode, info.st_mode);
    assert_int_equal(by_fd.links, 1);
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(hf_fs_identify(fixture->fd, NULL, &by_fd, &fixture->err), HF_OK);
    assert_int_equal(by_fd.links, 0);
    assert_int_equal(hf_fs_identify(-1, fixture->path, &by_path, &fixture->err), HF_ENOTFOUND);
    assert_int_equal(hf_fs_identify(12345, NULL, &by_fd, &fixture->err), HF_EIO);
}

static void
a_real_path_has_no_links_in_it(void **state)
{
    struct fixture *fixture = *state;
    char real[HF_PATH_MAX];
    char wanted[HF_PATH_MAX] = "unchanged";

    assert_int_equal(symlink("file", fixture->other), 0);
    assert_int_equal(hf_fs_real_path(fixture->path, wanted, &fixture->err), HF_OK);
    assert_int_equal(hf_fs_real_path(fixture->other, real, &fixture->err), HF_OK);
    assert_string_equal(real, wanted);
    assert_true(hf_ends_with(real, "/file"));
    assert_int_equal(hf_fs_real_path("/nowhere", real, &fixture->err), HF_ENOTFOUND);
    assert_string_equal(real, wanted);
}

static void
the_group_is_set_and_the_owner_left(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    gid_t group = geteuid() == 0 ? 12345 : getegid();

    assert_int_equal(hf_fs_set_group(fixture->path, group, &fixture->err), HF_OK);
    assert_int_equal(stat(fixture->path, &info), 0);
    assert_int_equal(info.st_gid, group);
    assert_int_equal(info.st_uid, geteuid());
    assert_int_equal(hf_fs_set_group(fixture->other, group, &fixture->err), HF_ENOTFOUND);
}

static void
free_space_is_some_and_of_a_missing_path_none(void **state)
{
    struct fixture *fixture = *state;
    uint64_t bytes = 0;

    assert_int_equal(hf_fs_free_bytes(fixture->directory, &bytes, NULL), HF_OK);
    assert_true(bytes > 0);
    assert_int_equal(hf_fs_free_bytes("/nowhere", &bytes, &fixture->err), HF_ENOTFOUND);
}

static int
note_rename(void *context, struct hf_fs_call *call)
{
    char *text = context;

    snprintf(text, 64, "%s %s %s %d", call->name, call->path, call->to, call->fd);
    return EACCES;
}

static void
the_interposer_sees_both_names_and_can_refuse(void **state)
{
    struct fixture *fixture = *state;
    char text[64] = "";

    hf_fs_interpose(note_rename, text);
    assert_int_equal(hf_fs_rename("a", "b", &fixture->err), HF_EIO);
    hf_fs_interpose(NULL, NULL);
    assert_string_equal(text, "rename a b -1");
    assert_non_null(
        strstr(fixture->err.text, "renaming 'a': to 'b': Permission denied; give uid "));
}

static void
joined_paths_have_one_slash(void **state)
{
    (void)state;
    char path[HF_PATH_MAX];

    hf_path_join(path, sizeof(path), "/var", "x");
    assert_string_equal(path, "/var/x");
    hf_path_join(path, sizeof(path), "/", "x");
    assert_string_equal(path, "/x");
    hf_path_join(path, sizeof(path), "", "x");
    assert_string_equal(path, "x");
    hf_path_join(path, 5, "ab", "c");
    assert_string_equal(path, "ab/c");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_open, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(paths_can_be_renamed_linked_and_removed),
        TEST(only_an_empty_directory_is_removed),
        TEST(lstat_looks_at_the_link_and_stat_through_it),
        TEST(access_tells_what_we_may_do),
        TEST(the_time_of_access_is_set_and_that_of_modification_left),
        TEST(a_file_is_the_same_by_path_and_by_descriptor),
        TEST(a_real_path_has_no_links_in_it),
        TEST(the_group_is_set_and_the_owner_left),
        TEST(free_space_is_some_and_of_a_missing_path_none),
        TEST(the_interposer_sees_both_names_and_can_refuse),
        TEST(joined_paths_have_one_slash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
