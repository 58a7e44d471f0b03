/* worm: filer. The real thing is a volume that this machine does not have: the interposer plays
 * what such a volume refuses. An ordinary file system must be found out. */
#include "tests/unit/dir/dir_test.h"

static bool has_committed;

/* Once the write bits are gone nothing gives them back, no date goes down and nobody opens it for
 * writing, not even root. The interposer does not see flags, but of a body nobody opens one for
 * reading in between. */
static int
worm_volume(void *context, struct hf_fs_call *call)
{
    bool is_body = call->path && hf_ends_with(call->path, "one.json.gz");
    struct stat info;
    (void)context;

    if (!is_body || stat(call->path, &info) != 0)
        return 0;
    has_committed = (info.st_mode & 0222) == 0;
    if (has_committed && (strcmp(call->name, "chmod") == 0 || strcmp(call->name, "open") == 0))
        return EROFS;
    return 0;
}

static void
an_ordinary_file_system_is_found_out(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char sha256[HF_SHA256_HEX_SIZE], path[HF_PATH_MAX];
    struct hf_dir_object object = object_of(KEY, "x", sha256);
    struct hf_error err;
    struct stat info;

    bucket_open(bucket, HF_WORM_FILER);
    object.retain_until_s = hf_wall_s() + 86400;
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_ENOTHELD);
    assert_non_null(strstr(err.text, "WORM volume"));
    path_of(bucket, KEY, path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0222, 0);
    /* and again for who adopts it */
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_EEXISTS);
    assert_int_equal(hf_dir_adopt(bucket->dir, &object, &err), HF_ENOTHELD);
}

static void
a_worm_volume_gets_the_date_and_is_not_advisory(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char sha256[HF_SHA256_HEX_SIZE], path[HF_PATH_MAX];
    struct hf_dir_object object = object_of(KEY, "x", sha256);
    struct hf_dir_info dir_info;
    struct hf_error err;
    struct stat info;

    bucket_open(bucket, HF_WORM_FILER);
    object.retain_until_s = hf_wall_s() + 86400;
    hf_fs_interpose(worm_volume, NULL);
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    hf_fs_interpose(NULL, NULL);
    assert_true(has_committed);
    path_of(bucket, KEY, path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_atim.tv_sec, object.retain_until_s);
    assert_int_equal(info.st_mode & 07777, 0440);
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &dir_info, &err), HF_OK);
    assert_false(dir_info.advisory);
}

static void
a_date_that_grows_grows_on_the_volume_too(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char sha256[HF_SHA256_HEX_SIZE], path[HF_PATH_MAX];
    struct hf_dir_object object = object_of(KEY, "x", sha256);
    struct hf_error err;
    struct stat info;

    bucket_open(bucket, HF_WORM_FILER);
    object.retain_until_s = hf_wall_s() + 86400;
    hf_fs_interpose(worm_volume, NULL);
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    hf_fs_interpose(NULL, NULL);
    /* The interposer would refuse the reading in between: what it does not let through is put by
     * hand. */
    path_of(bucket, KEY, path);
    assert_int_equal(hf_dir_set_retention(bucket->dir, KEY, HF_LOCK_GOVERNANCE,
                                          object.retain_until_s + 86400, &err),
                     HF_ENOTHELD); /* an ordinary file system again, and it says so */
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_atim.tv_sec, object.retain_until_s + 86400);
}

static void
without_a_lock_nothing_is_committed(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char sha256[HF_SHA256_HEX_SIZE], path[HF_PATH_MAX];
    struct hf_dir_object object = object_of(KEY, "x", sha256);
    struct hf_error err;
    struct stat info;

    bucket_open(bucket, HF_WORM_FILER);
    object.lock_mode = HF_LOCK_NONE;
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    path_of(bucket, KEY, path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_not_equal(info.st_mode & 0222, 0);
}

static int
forget_atime(void *context, struct hf_fs_call *call)
{
    (void)context;
    /* as a volume that cannot keep the date: the call succeeds and the date is another */
    if (strcmp(call->name, "chmod") == 0 && call->path && hf_ends_with(call->path, "one.json.gz")) {
        struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_nsec = UTIME_OMIT } };
        assert_int_equal(utimensat(AT_FDCWD, call->path, times, 0), 0);
    }
    return 0;
}

static void
a_date_that_was_not_kept_is_found_out(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of(KEY, "x", sha256);
    struct hf_dir_info info;
    struct hf_error err;

    bucket_open(bucket, HF_WORM_FILER);
    hf_fs_interpose(forget_atime, NULL);
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_ENOTHELD);
    hf_fs_interpose(NULL, NULL);
    assert_non_null(strstr(err.text, "did not keep"));
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_OK);
    assert_true(info.advisory);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, bucket_setup, bucket_teardown)
    const struct CMUnitTest tests[] = {
        T(an_ordinary_file_system_is_found_out),
        T(a_worm_volume_gets_the_date_and_is_not_advisory),
        T(a_date_that_grows_grows_on_the_volume_too),
        T(without_a_lock_nothing_is_committed),
        T(a_date_that_was_not_kept_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
