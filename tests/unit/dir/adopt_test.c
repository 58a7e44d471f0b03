#include "tests/unit/dir/dir_test.h"

static void
the_same_bytes_are_adopted(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of(KEY, "x", sha256);
    struct hf_dir_info info;
    struct hf_error err;

    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    assert_int_equal(hf_dir_adopt(bucket->dir, &object, &err), HF_OK);
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_OK);
    assert_int_equal(info.retain_until_s, LATER);
}

static void
adopting_only_grows_the_lock(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of(KEY, "x", sha256);
    struct hf_dir_info info;
    struct hf_error err;

    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    object.retain_until_s = LATER - 86400;
    object.lock_mode = HF_LOCK_NONE;
    assert_int_equal(hf_dir_adopt(bucket->dir, &object, &err), HF_OK);
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_OK);
    assert_int_equal(info.retain_until_s, LATER);
    assert_int_equal(info.lock_mode, HF_LOCK_GOVERNANCE);
    object.retain_until_s = LATER + 86400;
    object.lock_mode = HF_LOCK_COMPLIANCE;
    assert_int_equal(hf_dir_adopt(bucket->dir, &object, &err), HF_OK);
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_OK);
    assert_int_equal(info.retain_until_s, LATER + 86400);
    assert_int_equal(info.lock_mode, HF_LOCK_COMPLIANCE);
}

static void
other_bytes_are_foreign_and_stay(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object longer = object_of(KEY, "other", sha256);
    char sha256_same_size[HF_SHA256_HEX_SIZE];
    struct hf_dir_object same_size = object_of(KEY, "y", sha256_same_size);
    struct hf_dir_info before, after;
    struct hf_error err;

    assert_int_equal(put_text(bucket, KEY, "x"), HF_OK);
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &before, &err), HF_OK);
    assert_int_equal(hf_dir_adopt(bucket->dir, &longer, &err), HF_EFOREIGN);
    assert_int_equal(hf_dir_adopt(bucket->dir, &same_size, &err), HF_EFOREIGN);
    assert_body(bucket, KEY, "x");
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &after, &err), HF_OK);
    assert_string_equal(before.sha256, after.sha256);
}

static void
a_folder_in_the_way_is_foreign(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of("host", "x", sha256);
    struct hf_error err;

    assert_int_equal(put_text(bucket, KEY, "x"), HF_OK);
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_EEXISTS);
    assert_int_equal(hf_dir_adopt(bucket->dir, &object, &err), HF_EFOREIGN);
}

static void
a_meta_file_without_a_body_is_no_object(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char path[HF_PATH_MAX];
    struct hf_dir_info info;
    struct hf_strings keys;
    struct hf_error err;

    assert_int_equal(put_text(bucket, KEY, "x"), HF_OK);
    path_of(bucket, KEY, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_ENOTFOUND);
    assert_int_equal(hf_dir_list(bucket->dir, "", "", 10, &keys, &err), HF_OK);
    assert_int_equal(keys.count, 0);
    hf_strings_done(&keys);
}

static void
it_is_taken_over_by_the_same_bytes_and_keeps_its_longer_lock(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char path[HF_PATH_MAX], sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of(KEY, "x", sha256);
    struct hf_dir_info info;
    struct hf_error err;

    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    path_of(bucket, KEY, path);
    assert_int_equal(unlink(path), 0);
    object.retain_until_s = LATER - 1;
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_OK);
    assert_int_equal(info.retain_until_s, LATER);
}

static void
it_is_foreign_to_other_bytes(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char path[HF_PATH_MAX];

    assert_int_equal(put_text(bucket, KEY, "x"), HF_OK);
    path_of(bucket, KEY, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(put_text(bucket, KEY, "y"), HF_EFOREIGN);
    assert_int_equal(access(path, F_OK), -1);
}

static void
a_damaged_meta_file_is_told_and_adopting_mends_it(void **state)
{
    static const char *const damaged[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"format\":2}",
        "{\"format\":1,\"size\":1,\"sha256\":\"zz\"}",
        "{\"format\":1,\"size\":1,\"sha256\":"
        "\"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\",\"lock\":{\"mode\":"
        "\"WEAK\"}}",
        "{\"format\":1,\"size\":1,\"sha256\":"
        "\"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\",\"lock\":7}",
        "{\"format\":1,\"size\":1,\"sha256\":"
        "\"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\",\"contentType\":7}",
    };
    struct bucket *bucket = bucket_of(state);
    char path[HF_PATH_MAX], sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of(KEY, "x", sha256);
    struct hf_dir_info info;
    struct hf_error err;

    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    path_of(bucket, KEY ".meta.json", path);
    for (size_t i = 0; i < HF_COUNT(damaged); i++) {
        assert_int_equal(unlink(path), 0);
        write_plainly(path, damaged[i]);
        assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_ECORRUPT);
        assert_int_equal(hf_dir_adopt(bucket->dir, &object, &err), HF_OK);
        assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_OK);
        assert_int_equal(info.retain_until_s, LATER);
    }
}

static void
a_body_without_a_meta_file_is_unlocked_until_adopted(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char path[HF_PATH_MAX], sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of(KEY, "x", sha256);
    struct hf_dir_info info;
    struct hf_error err;

    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    path_of(bucket, KEY ".meta.json", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_OK);
    assert_int_equal(info.lock_mode, HF_LOCK_NONE);
    assert_string_equal(info.sha256, "");
    assert_int_equal(hf_dir_adopt(bucket->dir, &object, &err), HF_OK);
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_OK);
    assert_int_equal(info.lock_mode, HF_LOCK_GOVERNANCE);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, bucket_setup, bucket_teardown)
    const struct CMUnitTest tests[] = {
        T(the_same_bytes_are_adopted),
        T(adopting_only_grows_the_lock),
        T(other_bytes_are_foreign_and_stay),
        T(a_folder_in_the_way_is_foreign),
        T(a_meta_file_without_a_body_is_no_object),
        T(it_is_taken_over_by_the_same_bytes_and_keeps_its_longer_lock),
        T(it_is_foreign_to_other_bytes),
        T(a_damaged_meta_file_is_told_and_adopting_mends_it),
        T(a_body_without_a_meta_file_is_unlocked_until_adopted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
