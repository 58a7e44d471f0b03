#include "tests/unit/dir/dir_test.h"

static void
keys_of_the_layout_are_allowed(void **state)
{
    struct hf_error err;
    (void)state;

    assert_int_equal(hf_dir_key_check(KEY, &err), HF_OK);
    assert_int_equal(hf_dir_key_check("a", &err), HF_OK);
    assert_int_equal(hf_dir_key_check("AZaz09!_.*'()/=+@:,-x", &err), HF_OK);
    assert_int_equal(hf_dir_key_check("a.meta.jsonx/b", &err), HF_OK);
}

static void
what_could_leave_the_bucket_is_refused(void **state)
{
    static const char *const keys[] = { "",
                                        "/",
                                        "/a",
                                        "a/",
                                        "a//b",
                                        ".",
                                        "..",
                                        "../a",
                                        "a/..",
                                        "a/../b",
                                        "a/./b",
                                        ".a",
                                        "a/.b",
                                        "a\\b",
                                        "a b",
                                        "a\nb",
                                        "a%2fb",
                                        "\xc3\xa4",
                                        "a\x7f",
                                        "~",
                                        "a;b",
                                        "a|b",
                                        "a$b",
                                        "x.meta.json",
                                        "a/x.meta.json",
                                        "a.meta.json/b",
                                        "a\"b" };
    struct hf_error err;
    (void)state;

    for (size_t i = 0; i < HF_COUNT(keys); i++)
        assert_int_equal(hf_dir_key_check(keys[i], &err), HF_EREFUSED);
}

static void
keys_and_segments_have_a_longest_length(void **state)
{
    char key[1100];
    struct hf_error err;
    (void)state;

    memset(key, 'a', sizeof(key));
    key[HF_DIR_SEGMENT_MAX] = '\0';
    assert_int_equal(hf_dir_key_check(key, &err), HF_OK);
    key[HF_DIR_SEGMENT_MAX] = 'a';
    key[HF_DIR_SEGMENT_MAX + 1] = '\0';
    assert_int_equal(hf_dir_key_check(key, &err), HF_EREFUSED);
    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = i % 100 == 99 ? '/' : 'a';
    key[HF_DIR_KEY_MAX] = '\0';
    assert_int_equal(hf_dir_key_check(key, &err), HF_OK);
    key[HF_DIR_KEY_MAX] = 'a';
    key[HF_DIR_KEY_MAX + 1] = '\0';
    assert_int_equal(hf_dir_key_check(key, &err), HF_EREFUSED);
}

static void
no_call_takes_a_key_that_is_refused(void **state)
{
    struct bucket *bucket = bucket_of(state);
    struct hf_dir_info info;
    struct hf_buf body = HF_BUF(0);
    struct hf_error err;

    assert_int_equal(put_text(bucket, "../escaped", "x"), HF_EREFUSED);
    assert_int_equal(hf_dir_head(bucket->dir, "../escaped", &info, &err), HF_EREFUSED);
    assert_int_equal(hf_dir_get(bucket->dir, "../escaped", 10, &body, NULL, &err), HF_EREFUSED);
    assert_int_equal(hf_dir_delete(bucket->dir, "../escaped", true, &err), HF_EREFUSED);
    assert_int_equal(
        hf_dir_set_retention(bucket->dir, "../escaped", HF_LOCK_COMPLIANCE, LATER, &err),
        HF_EREFUSED);
}

static void
a_linked_folder_does_not_lead_out(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char outside[300], link[HF_PATH_MAX], escaped[400];
    struct hf_dir_info info;
    struct hf_error err;

    snprintf(outside, sizeof(outside), "%s/outside", bucket->root);
    assert_int_equal(mkdir(outside, 0700), 0);
    path_of(bucket, "sub", link);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(put_text(bucket, "sub/key", "x"), HF_EREFUSED);
    snprintf(escaped, sizeof(escaped), "%s/key", outside);
    assert_int_equal(access(escaped, F_OK), -1);
    write_plainly(escaped, "x");
    assert_int_equal(hf_dir_head(bucket->dir, "sub/key", &info, &err), HF_EREFUSED);
}

static void
a_linked_body_is_not_read(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char outside[300], link[HF_PATH_MAX];
    struct hf_dir_info info;
    struct hf_error err;

    snprintf(outside, sizeof(outside), "%s/outside", bucket->root);
    write_plainly(outside, "secret");
    path_of(bucket, "key", link);
    assert_int_equal(symlink(outside, link), 0);
    assert_int_equal(hf_dir_head(bucket->dir, "key", &info, &err), HF_EREFUSED);
    assert_int_equal(put_text(bucket, "key", "x"), HF_EEXISTS);
}

static void
directories_and_buckets_are_checked(void **state)
{
    struct hf_dir *dir = NULL;
    struct hf_error err;
    (void)state;

    assert_int_equal(hf_dir_open("", "b", HF_WORM_ADVISORY, &dir, &err), HF_ECONFIG);
    assert_int_equal(hf_dir_open("relative", "b", HF_WORM_ADVISORY, &dir, &err), HF_ECONFIG);
    assert_int_equal(hf_dir_open("/tmp", "..", HF_WORM_ADVISORY, &dir, &err), HF_ECONFIG);
    assert_int_equal(hf_dir_open("/tmp", "a/b", HF_WORM_ADVISORY, &dir, &err), HF_ECONFIG);
    assert_int_equal(hf_dir_open("/tmp//", "b", HF_WORM_ADVISORY, &dir, &err), HF_OK);
    assert_string_equal(hf_dir_path(dir), "/tmp/b");
    hf_dir_closep(&dir);
    assert_int_equal(hf_dir_open("/", "b", HF_WORM_ADVISORY, &dir, &err), HF_OK);
    assert_string_equal(hf_dir_path(dir), "/b");
    hf_dir_close(dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_the_layout_are_allowed),
        cmocka_unit_test(what_could_leave_the_bucket_is_refused),
        cmocka_unit_test(keys_and_segments_have_a_longest_length),
        cmocka_unit_test_setup_teardown(no_call_takes_a_key_that_is_refused, bucket_setup,
                                        bucket_teardown),
        cmocka_unit_test_setup_teardown(a_linked_folder_does_not_lead_out, bucket_setup,
                                        bucket_teardown),
        cmocka_unit_test_setup_teardown(a_linked_body_is_not_read, bucket_setup, bucket_teardown),
        cmocka_unit_test(directories_and_buckets_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
