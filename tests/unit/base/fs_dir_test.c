#include "tests/unit/base/fs_fixture.h"

#include <errno.h>

static const char *
inside(struct fixture *fixture, const char *name)
{
    hf_path_join(fixture->path, sizeof(fixture->path), fixture->directory, name);
    return fixture->path;
}

static bool
is_directory(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static void
mkdirs_makes_all_that_is_missing(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;

    assert_int_equal(hf_fs_mkdirs(inside(fixture, "a//b/c/"), 0700, &fixture->err), HF_OK);
    assert_true(is_directory(inside(fixture, "a/b/c")));
    assert_int_equal(stat(inside(fixture, "a/b"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_int_equal(hf_fs_mkdirs(inside(fixture, "a/b/c"), 0700, &fixture->err), HF_OK);
    assert_int_equal(hf_fs_mkdirs("/", 0700, &fixture->err), HF_OK);
    assert_int_equal(hf_fs_mkdirs(".", 0700, &fixture->err), HF_OK);
}

static void
mkdirs_takes_a_path_from_here(void **state)
{
    struct fixture *fixture = *state;
    int before = open(".", O_RDONLY | O_DIRECTORY);

    assert_true(before >= 0);
    assert_int_equal(chdir(fixture->directory), 0);
    assert_int_equal(hf_fs_mkdirs("x", 0700, &fixture->err), HF_OK);
    assert_int_equal(hf_fs_mkdirs("./y/../y/z", 0700, &fixture->err), HF_OK);
    assert_true(is_directory(inside(fixture, "x")));
    assert_true(is_directory(inside(fixture, "y/z")));
    assert_int_equal(fchdir(before), 0);
    close(before);
}

static void
mkdirs_refuses_what_cannot_be_a_directory(void **state)
{
    struct fixture *fixture = *state;
    char long_path[HF_PATH_MAX + 10];

    write_plainly(inside(fixture, "file"), "");
    assert_int_equal(hf_fs_mkdirs(fixture->path, 0700, &fixture->err), HF_EEXISTS);
    assert_non_null(strstr(fixture->err.text, "is not a directory; move it away"));
    assert_int_not_equal(hf_fs_mkdirs(inside(fixture, "file/below"), 0700, &fixture->err), HF_OK);
    assert_int_equal(hf_fs_mkdirs("", 0700, &fixture->err), HF_ELIMIT);
    memset(long_path, 'x', sizeof(long_path));
    long_path[sizeof(long_path) - 1] = '\0';
    assert_int_equal(hf_fs_mkdirs(long_path, 0700, &fixture->err), HF_ELIMIT);
}

static void
mkdirs_syncs_the_parent_of_each_new_directory(void **state)
{
    struct fixture *fixture = *state;
    char wanted[600];
    int at = 0;

    faults_begin(&fixture->faults);
    assert_int_equal(hf_fs_mkdirs(inside(fixture, "a/b"), 0700, &fixture->err), HF_OK);
    faults_end();
    snprintf(wanted, sizeof(wanted), "mkdir %s/a", fixture->directory);
    assert_true((at = faults_find(&fixture->faults, at, wanted)) >= 0);
    snprintf(wanted, sizeof(wanted), "fsync %s", fixture->directory);
    assert_true((at = faults_find(&fixture->faults, at, wanted)) >= 0);
    snprintf(wanted, sizeof(wanted), "mkdir %s/a/b", fixture->directory);
    assert_true((at = faults_find(&fixture->faults, at, wanted)) >= 0);
    snprintf(wanted, sizeof(wanted), "fsync %s/a", fixture->directory);
    assert_true(faults_find(&fixture->faults, at, wanted) >= 0);
}

/* Fails the first, second, ... call. What is there afterwards is durable, so that trying again may
 * rely on it. */
static void
mkdirs_leaves_only_durable_directories_whatever_call_fails(void **state)
{
    struct fixture *fixture = *state;
    static const char *const parts[] = { "", "/a", "/a/b", "/a/b/c" };
    enum hf_status status = HF_EIO;
    char target[HF_PATH_MAX];
    char path[600];
    char wanted[700];
    int descriptors = count_open_descriptors();

    for (int nth = 1; status != HF_OK || fixture->faults.count >= nth; nth++) {
        char name[16];
        snprintf(name, sizeof(name), "try-%d", nth);
        hf_path_join(target, sizeof(target), inside(fixture, name), "a/b/c");
        assert_int_equal(mkdir(fixture->path, 0700), 0);

        fixture->faults = (struct faults){ .fail_at = nth, .failure = EIO };
        faults_begin(&fixture->faults);
        status = hf_fs_mkdirs(target, 0700, &fixture->err);
        faults_end();
        assert_true(status == HF_OK || fixture->faults.count >= nth);
        assert_int_equal(count_open_descriptors(), descriptors);
        for (size_t i = 1; i < HF_COUNT(parts); i++) {
            snprintf(path, sizeof(path), "%s/%s%s", fixture->directory, name, parts[i]);
            if (!is_directory(path))
                continue;
            snprintf(wanted, sizeof(wanted), "fsync %s/%s%s", fixture->directory, name,
                     parts[i - 1]);
            assert_true(faults_find(&fixture->faults, 0, wanted) >= 0);
        }
        assert_int_equal(hf_fs_mkdirs(target, 0700, &fixture->err), HF_OK);
        assert_true(is_directory(target));
        assert_true(nth < 50);
    }
}

static void
list_gives_the_names_in_byte_order(void **state)
{
    struct fixture *fixture = *state;
    static const char *const made[] = { "b", "a", "B", ".hidden", "\xc3\xa4", "a0", "a-" };
    static const char *const wanted[] = { ".hidden", "B", "a", "a-", "a0", "b", "\xc3\xa4" };
    char **names = NULL;
    size_t count = 99;

    assert_int_equal(hf_fs_list(fixture->directory, 0, &names, &count, &fixture->err), HF_OK);
    assert_int_equal(count, 0);
    hf_fs_names_free(names, count);
    for (size_t i = 0; i < HF_COUNT(made); i++)
        write_plainly(inside(fixture, made[i]), "");
    assert_int_equal(hf_fs_list(fixture->directory, 7, &names, &count, &fixture->err), HF_OK);
    assert_int_equal(count, HF_COUNT(wanted));
    for (size_t i = 0; i < count; i++)
        assert_string_equal(names[i], wanted[i]);
    hf_fs_names_free(names, count);
    hf_fs_names_free(NULL, 0);
}

static void
list_of_many_names_grows(void **state)
{
    struct fixture *fixture = *state;
    char name[16];
    char **names;
    size_t count;

    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "%03d", 99 - i);
        write_plainly(inside(fixture, name), "");
    }
    assert_int_equal(hf_fs_list(fixture->directory, 100, &names, &count, &fixture->err), HF_OK);
    assert_int_equal(count, 100);
    assert_string_equal(names[7], "007");
    hf_fs_names_free(names, count);
}

static void
list_fails_whole(void **state)
{
    struct fixture *fixture = *state;
    char **names = NULL;
    size_t count = 99;
    int descriptors = count_open_descriptors();

    write_plainly(inside(fixture, "a"), "");
    write_plainly(inside(fixture, "b"), "");
    assert_int_equal(hf_fs_list(fixture->directory, 1, &names, &count, &fixture->err), HF_ELIMIT);
    assert_int_equal(hf_fs_list("/nowhere", 1, &names, &count, &fixture->err), HF_ENOTFOUND);
    assert_int_equal(hf_fs_list(fixture->path, 1, &names, &count, &fixture->err), HF_ENOTFOUND);
    for (int nth = 1; nth <= 6; nth++) {
        fixture->faults = (struct faults){ .fail_at = nth, .failure = EIO };
        faults_begin(&fixture->faults);
        assert_int_equal(hf_fs_list(fixture->directory, 9, &names, &count, &fixture->err), HF_EIO);
        faults_end();
    }
    assert_null(names);
    assert_int_equal(count, 99);
    assert_int_equal(count_open_descriptors(), descriptors);
}

static void
sync_dir_syncs_directories_only(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(hf_fs_sync_dir(fixture->directory, &fixture->err), HF_OK);
    write_plainly(inside(fixture, "file"), "");
    assert_int_not_equal(hf_fs_sync_dir(fixture->path, &fixture->err), HF_OK);
    assert_int_equal(hf_fs_sync_dir("/nowhere", &fixture->err), HF_ENOTFOUND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(mkdirs_makes_all_that_is_missing),
        TEST(mkdirs_takes_a_path_from_here),
        TEST(mkdirs_refuses_what_cannot_be_a_directory),
        TEST(mkdirs_syncs_the_parent_of_each_new_directory),
        TEST(mkdirs_leaves_only_durable_directories_whatever_call_fails),
        TEST(list_gives_the_names_in_byte_order),
        TEST(list_of_many_names_grows),
        TEST(list_fails_whole),
        TEST(sync_dir_syncs_directories_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
