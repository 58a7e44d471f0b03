/* hf_fs_replace() under every failure: the path names the old content or the new, whole. */
#include "tests/unit/base/fs_fixture.h"

#include <errno.h>

#define OLD "the old content"
#define NEW "the new content, which is longer than the old"

static enum hf_status
replace(struct fixture *fixture)
{
    return hf_fs_replace(fixture->path, NEW, strlen(NEW), 0640, &fixture->err);
}

static void
replace_makes_and_replaces(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    mode_t umask_before = umask(077);

    assert_int_equal(replace(fixture), HF_OK);
    assert_string_equal(read_plainly(fixture->path), NEW);
    assert_int_equal(stat(fixture->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(hf_fs_replace(fixture->path, NULL, 0, 0600, &fixture->err), HF_OK);
    assert_string_equal(read_plainly(fixture->path), "");
    assert_int_equal(stat(fixture->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(count_entries(fixture->directory), 1);
    umask(umask_before);
}

static void
replace_takes_a_path_from_here(void **state)
{
    struct fixture *fixture = *state;
    int before = open(".", O_RDONLY | O_DIRECTORY);

    assert_true(before >= 0);
    assert_int_equal(chdir(fixture->directory), 0);
    assert_int_equal(hf_fs_replace("file", NEW, strlen(NEW), 0600, &fixture->err), HF_OK);
    assert_int_equal(fchdir(before), 0);
    close(before);
    assert_string_equal(read_plainly(fixture->path), NEW);
}

static void
replace_does_its_steps_in_order(void **state)
{
    struct fixture *fixture = *state;
    static const char *const steps[] = { "open ",   "fchmod ", "write ", "fsync ", "close ",
                                         "rename ", "open ",   "fsync ", "close " };

    faults_begin(&fixture->faults);
    assert_int_equal(replace(fixture), HF_OK);
    faults_end();
    assert_int_equal(fixture->faults.recorded, HF_COUNT(steps));
    for (size_t i = 0; i < HF_COUNT(steps); i++)
        assert_true(hf_starts_with(fixture->faults.calls[i], steps[i]));
    /* What is synced first is the temporary, and last the directory it stands in. */
    assert_non_null(strstr(fixture->faults.calls[3], "/.file.tmp-"));
    assert_true(hf_ends_with(fixture->faults.calls[7], fixture->directory));
}

/* Fails the first, second, ... call until none is left to fail. */
static void
replace_leaves_old_or_new_whatever_call_fails(void **state)
{
    struct fixture *fixture = *state;
    static const int failures[] = { EIO, ENOSPC, EACCES };
    int descriptors = count_open_descriptors();

    for (size_t i = 0; i < HF_COUNT(failures); i++) {
        enum hf_status status = HF_EIO;
        bool renamed = false;
        for (int nth = 1; status != HF_OK || fixture->faults.count >= nth; nth++) {
            write_plainly(fixture->path, OLD);
            fixture->faults =
                (struct faults){ .fail_at = nth, .failure = failures[i], .longest = 20 };
            faults_begin(&fixture->faults);
            status = replace(fixture);
            faults_end();
            const char *text = read_plainly(fixture->path);
            bool is_new = strcmp(text, NEW) == 0;
            assert_true(is_new || strcmp(text, OLD) == 0);
            assert_true(is_new || status != HF_OK);
            assert_false(renamed && !is_new);
            renamed = is_new && status != HF_OK;
            assert_int_equal(count_entries(fixture->directory), 1);
            assert_int_equal(count_open_descriptors(), descriptors);
            if (status != HF_OK)
                assert_true(hf_starts_with(fixture->err.text, "replacing '"));
            assert_true(nth < 50);
        }
    }
}

/* From the n-th call on nothing works any more: a disk that goes away, or a crash. */
static void
replace_leaves_old_or_new_when_the_disk_dies(void **state)
{
    struct fixture *fixture = *state;
    enum hf_status status = HF_EIO;

    for (int nth = 1; status != HF_OK || fixture->faults.count >= nth; nth++) {
        write_plainly(fixture->path, OLD);
        fixture->faults =
            (struct faults){ .fail_at = nth, .for_ever = true, .failure = EIO, .longest = 20 };
        faults_begin(&fixture->faults);
        status = replace(fixture);
        faults_end();
        const char *text = read_plainly(fixture->path);
        assert_true(strcmp(text, NEW) == 0 || (strcmp(text, OLD) == 0 && status != HF_OK));
        assert_true(nth < 50);
    }
}

static void
a_temporary_that_cannot_be_removed_is_named(void **state)
{
    struct fixture *fixture = *state;

    fixture->faults = (struct faults){ .fail_at = 4, .for_ever = true, .failure = EIO };
    faults_begin(&fixture->faults);
    assert_int_equal(replace(fixture), HF_EIO);
    assert_non_null(strstr(fixture->err.text, "leaving '"));
    assert_non_null(strstr(fixture->err.text, "/.file.tmp-"));
}

struct leftovers {
    int left;
};

/* Puts a file in the way of the temporary, as a crashed process with our process id would have left
 * it. */
static int
leave_a_temporary(void *context, struct hf_fs_call *call)
{
    struct leftovers *leftovers = context;

    if (strcmp(call->name, "open") == 0 && strstr(call->path, ".tmp-") && leftovers->left-- > 0)
        write_plainly(call->path, "left over");
    return 0;
}

static void
replace_steps_over_what_a_crash_left(void **state)
{
    struct fixture *fixture = *state;
    struct leftovers leftovers = { .left = 3 };

    hf_fs_interpose(leave_a_temporary, &leftovers);
    assert_int_equal(replace(fixture), HF_OK);
    assert_string_equal(read_plainly(fixture->path), NEW);
    assert_int_equal(count_entries(fixture->directory), 4);
}

static void
replace_refuses_what_names_no_file(void **state)
{
    struct fixture *fixture = *state;
    char long_name[300];

    assert_int_equal(hf_fs_replace("", "x", 1, 0600, &fixture->err), HF_EUSAGE);
    assert_int_equal(hf_fs_replace("/tmp/", "x", 1, 0600, &fixture->err), HF_EUSAGE);
    assert_int_equal(hf_fs_replace("/nowhere/x", "x", 1, 0600, &fixture->err), HF_ENOTFOUND);
    memset(long_name, 'x', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    hf_path_join(fixture->path, sizeof(fixture->path), fixture->directory, long_name);
    assert_int_equal(replace(fixture), HF_EIO);
    char too_long[HF_PATH_MAX + 2];
    memset(too_long, 'x', sizeof(too_long));
    too_long[sizeof(too_long) - 1] = '\0';
    assert_int_equal(hf_fs_replace(too_long, "x", 1, 0600, &fixture->err), HF_ELIMIT);
    assert_int_equal(count_entries(fixture->directory), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(replace_makes_and_replaces),
        TEST(replace_takes_a_path_from_here),
        TEST(replace_does_its_steps_in_order),
        TEST(replace_leaves_old_or_new_whatever_call_fails),
        TEST(replace_leaves_old_or_new_when_the_disk_dies),
        TEST(a_temporary_that_cannot_be_removed_is_named),
        TEST(replace_steps_over_what_a_crash_left),
        TEST(replace_refuses_what_names_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
