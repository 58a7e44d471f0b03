#include "tests/unit/dir/dir_test.h"

static const char *const sorted[] = { "a-b", "a.b", "a/b/c", "a/b-c", "a/c", "a0", "b/x", "c" };

static void
put_all(struct bucket *bucket)
{
    for (size_t i = HF_COUNT(sorted); i-- > 0;)
        assert_int_equal(put_text(bucket, sorted[i], "x"), HF_OK);
}

static void
assert_list(struct bucket *bucket, const char *prefix, const char *after, size_t max,
            const char *const *wanted)
{
    struct hf_strings keys;
    struct hf_error err;
    size_t i;

    assert_int_equal(hf_dir_list(bucket->dir, prefix, after, max, &keys, &err), HF_OK);
    for (i = 0; wanted[i]; i++) {
        assert_true(i < keys.count);
        assert_string_equal(keys.items[i], wanted[i]);
    }
    assert_int_equal(keys.count, i);
    hf_strings_done(&keys);
}

/* In the order of strcmp over whole keys, which "a/b-c" before "a/b/c" shows: '-' is 0x2d, '/'
 * 0x2f. */
static void
keys_come_in_byte_order(void **state)
{
    struct bucket *bucket = bucket_of(state);

    put_all(bucket);
    assert_list(bucket, "", "", 100,
                (const char *[]){ "a-b", "a.b", "a/b-c", "a/b/c", "a/c", "a0", "b/x", "c", NULL });
}

static void
prefix_and_after_and_max_select(void **state)
{
    struct bucket *bucket = bucket_of(state);

    put_all(bucket);
    assert_list(bucket, "a/", "", 100, (const char *[]){ "a/b-c", "a/b/c", "a/c", NULL });
    assert_list(bucket, "a/b", "", 100, (const char *[]){ "a/b-c", "a/b/c", NULL });
    assert_list(bucket, "a", "a/b/c", 100, (const char *[]){ "a/c", "a0", NULL });
    assert_list(bucket, "", "a/", 100,
                (const char *[]){ "a/b-c", "a/b/c", "a/c", "a0", "b/x", "c", NULL });
    assert_list(bucket, "", "a/b", 2, (const char *[]){ "a/b-c", "a/b/c", NULL });
    assert_list(bucket, "", "c", 100, (const char *[]){ NULL });
    assert_list(bucket, "../", "", 100, (const char *[]){ NULL });
    assert_list(bucket, "", "", 0, (const char *[]){ NULL });
}

static void
listing_page_by_page_gives_every_key_once(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char after[100] = "";
    struct hf_strings all, page;
    struct hf_error err;

    put_all(bucket);
    assert_int_equal(hf_dir_list(bucket->dir, "", "", 100, &all, &err), HF_OK);
    for (size_t i = 0; i < all.count; i++) {
        assert_int_equal(hf_dir_list(bucket->dir, "", after, 1, &page, &err), HF_OK);
        assert_int_equal(page.count, 1);
        assert_string_equal(page.items[0], all.items[i]);
        snprintf(after, sizeof(after), "%s", page.items[0]);
        hf_strings_done(&page);
    }
    hf_strings_done(&all);
}

static void
what_is_no_object_is_left_out(void **state)
{
    struct bucket *bucket = bucket_of(state);
    char path[HF_PATH_MAX];

    assert_int_equal(put_text(bucket, "a/key", "x"), HF_OK);
    path_of(bucket, "a/.tmp-1-1", path);
    write_plainly(path, "x");
    path_of(bucket, "a/has space", path);
    write_plainly(path, "x");
    path_of(bucket, "a/alone.meta.json", path);
    write_plainly(path, "{}");
    path_of(bucket, "a/link", path);
    assert_int_equal(symlink("key", path), 0);
    path_of(bucket, "b", path);
    assert_int_equal(symlink("a", path), 0);
    path_of(bucket, ".snapshot", path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_list(bucket, "", "", 100, (const char *[]){ "a/key", NULL });
}

static void
a_missing_bucket_is_not_an_empty_one(void **state)
{
    struct bucket *bucket = bucket_of(state);
    struct hf_strings keys;
    struct hf_error err;
    char path[300];

    assert_list(bucket, "", "", 100, (const char *[]){ NULL });
    snprintf(path, sizeof(path), "%s/logs", bucket->root);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(hf_dir_list(bucket->dir, "", "", 100, &keys, &err), HF_ENOTFOUND);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, bucket_setup, bucket_teardown)
    const struct CMUnitTest tests[] = {
        T(keys_come_in_byte_order),
        T(prefix_and_after_and_max_select),
        T(listing_page_by_page_gives_every_key_once),
        T(what_is_no_object_is_left_out),
        T(a_missing_bucket_is_not_an_empty_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
