#include "tests/unit/dir/dir_test.h"

static void
what_was_put_can_be_read(void **state)
{
    struct bucket *bucket = bucket_of(state);
    struct hf_dir_info info;
    struct hf_error err;
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of(KEY, "the body", sha256);

    object.signature = "abcdef";
    object.signature_algorithm = "SHA256withRSA";
    object.legal_hold = true;
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    assert_body(bucket, KEY, "the body");
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_OK);
    assert_int_equal(info.size, 8);
    assert_string_equal(info.sha256, sha256);
    assert_string_equal(info.content_type, "application/json");
    assert_string_equal(info.content_encoding, "gzip");
    assert_string_equal(info.chain, "chain-1");
    assert_string_equal(info.window, "window-1");
    assert_string_equal(info.compression, "libdeflate-6");
    assert_string_equal(info.signature, "abcdef");
    assert_string_equal(info.signature_algorithm, "SHA256withRSA");
    assert_int_equal(info.lock_mode, HF_LOCK_GOVERNANCE);
    assert_int_equal(info.retain_until_s, LATER);
    assert_true(info.legal_hold);
    assert_true(info.advisory);
    assert_in_range(info.last_modified_s, hf_wall_s() - 100, hf_wall_s() + 100);
}

static void
without_a_lock_nothing_is_advisory(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of(KEY, "x", sha256);
    struct hf_dir_info info;
    struct hf_error err;

    object.lock_mode = HF_LOCK_NONE;
    object.retain_until_s = 0;
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_OK);
    assert_int_equal(info.lock_mode, HF_LOCK_NONE);
    assert_int_equal(info.retain_until_s, 0);
    assert_false(info.advisory);
}

static void
a_part_of_a_file_is_put(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char source[300], sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of(KEY, "the body", sha256);
    struct hf_error err;

    snprintf(source, sizeof(source), "%s/sealed", bucket->root);
    write_plainly(source, "HEADER....the bodyTAIL");
    object.body = hf_slice(NULL, 0);
    object.path = source;
    object.offset = 10;
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_OK);
    assert_body(bucket, KEY, "the body");
}

static void
files_are_read_only(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char path[HF_PATH_MAX];
    struct stat info;

    assert_int_equal(put_text(bucket, KEY, "x"), HF_OK);
    path_of(bucket, KEY, path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0440);
    assert_int_equal(info.st_nlink, 1);
    path_of(bucket, KEY ".meta.json", path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0440);
}

static void
nothing_is_put_over_what_is_there(void **state)
{
    struct bucket *bucket = bucket_of(state);

    assert_int_equal(put_text(bucket, KEY, "first"), HF_OK);
    assert_int_equal(put_text(bucket, KEY, "first"), HF_EEXISTS);
    assert_int_equal(put_text(bucket, KEY, "other"), HF_EEXISTS);
    assert_body(bucket, KEY, "first");
}

static void
bytes_that_changed_since_sealing_are_not_put(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of(KEY, "as sealed", sha256);
    struct hf_dir_info info;
    struct hf_error err;

    object.body = hf_slice_text("as seaLed");
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_ECORRUPT);
    assert_int_equal(hf_dir_head(bucket->dir, KEY, &info, &err), HF_ENOTFOUND);
}

static void
a_sealed_file_that_is_short_or_gone_is_corrupt(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char source[300], sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of(KEY, "the body", sha256);
    struct hf_error err;

    snprintf(source, sizeof(source), "%s/sealed", bucket->root);
    object.path = source;
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_ECORRUPT);
    write_plainly(source, "the b");
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_ECORRUPT);
}

static void
a_missing_bucket_is_never_made_by_a_put(void **state)
{
    struct bucket *bucket = bucket_of(state);
    struct hf_error err;
    char path[300];
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of(KEY, "x", sha256);

    snprintf(path, sizeof(path), "%s/logs", bucket->root);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(hf_dir_put(bucket->dir, &object, &err), HF_ENOTFOUND);
    assert_non_null(strstr(err.text, "holdfast bucket apply"));
    assert_int_equal(access(path, F_OK), -1);
}

static void
reading_is_bounded(void **state)
{
    struct bucket *bucket = bucket_of(state);
    struct hf_buf body = HF_BUF(0);
    struct hf_error err;

    assert_int_equal(put_text(bucket, KEY, "12345678"), HF_OK);
    assert_int_equal(hf_dir_get(bucket->dir, KEY, 7, &body, NULL, &err), HF_ELIMIT);
    assert_int_equal(hf_dir_get(bucket->dir, KEY, 8, &body, NULL, &err), HF_OK);
    hf_buf_done(&body);
}

static void
an_empty_body_is_an_object(void **state)
{
    struct bucket *bucket = bucket_of(state);
    struct hf_buf body = HF_BUF(0);
    struct hf_error err;

    assert_int_equal(put_text(bucket, KEY, ""), HF_OK);
    assert_int_equal(hf_dir_get(bucket->dir, KEY, 10, &body, NULL, &err), HF_OK);
    assert_int_equal(body.size, 0);
    hf_buf_done(&body);
}

static void
bucket_state_tells(void **state)
{
    struct bucket *bucket = bucket_of(state);
    bool there = false, writable = false;
    struct hf_error err;
    char path[300];

    assert_int_equal(hf_dir_bucket_state(bucket->dir, &there, &writable, &err), HF_OK);
    assert_true(there && writable);
    snprintf(path, sizeof(path), "%s/logs", bucket->root);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(hf_dir_bucket_state(bucket->dir, &there, &writable, &err), HF_OK);
    assert_false(there || writable);
    write_plainly(path, "a file");
    assert_int_equal(hf_dir_bucket_state(bucket->dir, &there, &writable, &err), HF_ECONFIG);
}

static int
may_not_open(void *path, struct hf_fs_call *call)
{
    return strcmp(call->name, "open") == 0 && call->path && strcmp(call->path, path) == 0 ? EACCES
                                                                                          : 0;
}

/* So that whoever reads many goes on with the next. */
static void
one_that_may_not_be_read_is_refused_and_no_fault_of_the_disk(void **state)
{
    struct bucket *bucket = bucket_of(state);
    struct hf_buf body = HF_BUF(0);
    char path[HF_PATH_MAX];
    struct hf_error err;

    assert_int_equal(put_text(bucket, KEY, "x"), HF_OK);
    path_of(bucket, KEY, path);
    hf_fs_interpose(may_not_open, path);
    assert_int_equal(hf_dir_get(bucket->dir, KEY, 100, &body, NULL, &err), HF_EREFUSED);
    hf_fs_interpose(NULL, NULL);
    assert_int_equal(err.status, HF_EREFUSED);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, "give uid"));
    hf_buf_done(&body);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, bucket_setup, bucket_teardown)
    const struct CMUnitTest tests[] = {
        T(what_was_put_can_be_read),
        T(without_a_lock_nothing_is_advisory),
        T(a_part_of_a_file_is_put),
        T(files_are_read_only),
        T(nothing_is_put_over_what_is_there),
        T(bytes_that_changed_since_sealing_are_not_put),
        T(a_sealed_file_that_is_short_or_gone_is_corrupt),
        T(a_missing_bucket_is_never_made_by_a_put),
        T(reading_is_bounded),
        T(one_that_may_not_be_read_is_refused_and_no_fault_of_the_disk),
        T(an_empty_body_is_an_object),
        T(bucket_state_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
