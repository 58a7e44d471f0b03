#include "tests/unit/dir/dir_test.h"

static void
retention_only_grows(void **state)
{
    struct bucket *bucket = bucket_of(state);
    struct hf_dir_info info;
    struct hf_error err;

    assert_int_equal(put_text(bucket, KEY, "x"), HF_OK);
    assert_int_equal(hf_dir_set_retention(bucket->dir, KEY, HF_LOCK_GOVERNANCE, LATER - 1, &err),
                     HF_EREFUSED);
    assert_int_equal(hf_dir_set_retention(bucket->dir, KEY, HF_LOCK_NONE, LATER + 1, &err),
                     HF_EREFUSED);
    assert_int_equal(hf_dir_set_retention(bucket->dir, KEY, HF_LOCK_GOVERNANCE, LATER, &err),
                     HF_OK);
    assert_int_equal(hf_dir_set_retention(bucket->dir, KEY, HF_LOCK_COMPLIANCE, LATER + 1, &err),
                     HF_OK);
    assert_int_equal(hf_dir_set_retention(bucket->dir, KEY, HF_LOCK_GOVERNANCE, LATER + 2, &err),
                     HF_EREFUSED);
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_OK);
    assert_int_equal(info.retain_until_s, LATER + 1);
    assert_int_equal(info.lock_mode, HF_LOCK_COMPLIANCE);
    assert_string_equal(info.window, "window-1");
    assert_int_equal(hf_dir_set_retention(bucket->dir, "absent", HF_LOCK_COMPLIANCE, LATER, &err),
                     HF_ENOTFOUND);
}

static void
a_locked_object_is_not_deleted(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of("strict", "x", sha256);
    struct hf_error err;

    assert_int_equal(put_text(bucket, KEY, "x"), HF_OK);
    object.lock_mode = HF_LOCK_COMPLIANCE;
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    assert_int_equal(hf_dir_delete(bucket->dir, KEY, false, &err), HF_EREFUSED);
    assert_int_equal(hf_dir_delete(bucket->dir, "strict", true, &err), HF_EREFUSED);
    assert_body(bucket, KEY, "x");
    assert_int_equal(hf_dir_delete(bucket->dir, KEY, true, &err), HF_OK);
    assert_int_equal(hf_dir_delete(bucket->dir, KEY, true, &err), HF_ENOTFOUND);
}

static void
an_expired_or_absent_lock_lets_go_of_both_files(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char sha256[HF_SHA256_HEX_SIZE], path[HF_PATH_MAX];
    struct hf_dir_object object = object_of(KEY, "x", sha256);
    struct hf_error err;

    object.lock_mode = HF_LOCK_COMPLIANCE;
    object.retain_until_s = hf_wall_s() - 10;
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    assert_int_equal(hf_dir_delete(bucket->dir, KEY, false, &err), HF_OK);
    path_of(bucket, KEY, path);
    assert_int_equal(access(path, F_OK), -1);
    path_of(bucket, KEY ".meta.json", path);
    assert_int_equal(access(path, F_OK), -1);
}

static void
a_legal_hold_holds_whatever_the_date(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of(KEY, "x", sha256);
    struct hf_dir_info info;
    struct hf_error err;

    object.lock_mode = HF_LOCK_NONE;
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    assert_int_equal(hf_dir_set_legal_hold(bucket->dir, KEY, true, &err), HF_OK);
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_OK);
    assert_true(info.legal_hold);
    assert_int_equal(hf_dir_delete(bucket->dir, KEY, true, &err), HF_EREFUSED);
    assert_int_equal(hf_dir_set_legal_hold(bucket->dir, KEY, false, &err), HF_OK);
    assert_int_equal(hf_dir_delete(bucket->dir, KEY, false, &err), HF_OK);
}

static int
refuse_unlink(void *context, struct hf_fs_call *call)
{
    (void)context;
    return strcmp(call->name, "unlink") == 0 ? EROFS : 0;
}

static void
what_the_file_system_holds_is_refused(void **state)
{
    struct bucket *bucket = bucket_of(state);
    struct hf_error err;

    assert_int_equal(put_text(bucket, KEY, "x"), HF_OK);
    hf_fs_interpose(refuse_unlink, NULL);
    assert_int_equal(hf_dir_delete(bucket->dir, KEY, true, &err), HF_EREFUSED);
    hf_fs_interpose(NULL, NULL);
    assert_body(bucket, KEY, "x");
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, bucket_setup, bucket_teardown)
    const struct CMUnitTest tests[] = {
        T(retention_only_grows),
        T(a_locked_object_is_not_deleted),
        T(an_expired_or_absent_lock_lets_go_of_both_files),
        T(a_legal_hold_holds_whatever_the_date),
        T(what_the_file_system_holds_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
