/* A bucket in a temporary directory, and objects to put there. */
#ifndef HOLDFAST_TESTS_DIR_TEST_H
#define HOLDFAST_TESTS_DIR_TEST_H

#include "tests/support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <holdfast/crypto.h>
#include <holdfast/dir.h>

#define KEY    "host/AWSLogs/000000000000/CloudTrail/local/2026/11/22/one.json.gz"
#define FOLDER "host/AWSLogs/000000000000/CloudTrail/local/2026/11/22"
#define LATER  4102444800 /* 2100-01-01 */

struct bucket {
    char root[256];
    struct hf_dir *dir;
};

static inline struct bucket *
bucket_of(void **state)
{
    return *state;
}

static inline void
bucket_open(struct bucket *bucket, int worm)
{
    struct hf_error err;

    hf_dir_close(bucket->dir);
    assert_int_equal(hf_dir_open(bucket->root, "logs", worm, &bucket->dir, &err), HF_OK);
}

static inline int
bucket_setup(void **state)
{
    struct bucket *bucket = calloc(1, sizeof(*bucket));
    struct hf_error err;

    assert_non_null(bucket);
    hf_test_tempdir(bucket->root);
    bucket_open(bucket, HF_WORM_ADVISORY);
    assert_int_equal(hf_dir_bucket_create(bucket->dir, &err), HF_OK);
    *state = bucket;
    return 0;
}

static inline int
bucket_teardown(void **state)
{
    struct bucket *bucket = *state;

    hf_fs_interpose(NULL, NULL);
    hf_dir_close(bucket->dir);
    hf_test_tempdir_remove(bucket->root);
    free(bucket);
    return 0;
}

static inline struct hf_dir_object
object_of(const char *key, const char *text, char ret_sha256[HF_SHA256_HEX_SIZE])
{
    hf_sha256_hex(text, strlen(text), ret_sha256);
    return (struct hf_dir_object){
        .key = key,
        .content_type = "application/json",
        .content_encoding = "gzip",
        .chain = "chain-1",
        .window = "window-1",
        .compression = "libdeflate-6",
        .body = hf_slice_text(text),
        .size = strlen(text),
        .sha256 = ret_sha256,
        .lock_mode = HF_LOCK_GOVERNANCE,
        .retain_until_s = LATER,
    };
}

static inline enum hf_status
put_text(struct bucket *bucket, const char *key, const char *text)
{
    char sha256[HF_SHA256_HEX_SIZE];
    struct hf_dir_object object = object_of(key, text, sha256);
    struct hf_error err;

    return hf_dir_put(bucket->dir, &object, &err);
}

static inline void
path_of(const struct bucket *bucket, const char *name, char ret_path[HF_PATH_MAX])
{
    snprintf(ret_path, HF_PATH_MAX, "%s/logs/%s", bucket->root, name);
}

static inline void
assert_body(struct bucket *bucket, const char *key, const char *text)
{
    struct hf_buf body = HF_BUF(0);
    struct hf_error err;

    assert_int_equal(hf_dir_get(bucket->dir, key, 1 << 20, &body, NULL, &err), HF_OK);
    assert_string_equal(hf_buf_text(&body), text);
    hf_buf_done(&body);
}

static inline void
write_plainly(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

#endif
