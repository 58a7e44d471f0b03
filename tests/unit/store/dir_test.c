/* The directory driver: the same face over agent/dir. */
#include "tests/support/test.h"

#include <holdfast/store.h>

static char folder[256], url[300];
static struct hf_config_store config;

static int
open_dir(void **state)
{
    struct hf_store *store = NULL;

    hf_test_tempdir(folder);
    snprintf(url, sizeof(url), "dir://%s", folder);
    config =
        (struct hf_config_store){ .name = (char *)"here", .url = url, .worm = HF_WORM_ADVISORY };
    hf_config_store_derive(&config);
    assert_int_equal(hf_store_open(&config, "bucket", &store, NULL), HF_OK);
    *state = store;
    return 0;
}

static int
close_dir(void **state)
{
    hf_store_close(*state);
    hf_test_tempdir_remove(folder);
    return 0;
}

static void
a_bucket_is_missing_until_it_is_made(void **state)
{
    enum hf_lock_state found;

    assert_true(hf_store_is_dir(*state));
    assert_string_equal(hf_store_bucket(*state), "bucket");
    assert_int_equal(hf_store_bucket_state(*state, &found, NULL), HF_OK);
    assert_int_equal(found, HF_BUCKET_MISSING);
    assert_int_equal(hf_store_bucket_create(*state, NULL), HF_OK);
    assert_int_equal(hf_store_bucket_state(*state, &found, NULL), HF_OK);
    assert_int_equal(found, HF_BUCKET_LOCKED);
}

static void
an_object_comes_back_with_its_lock(void **state)
{
    int64_t until_s = hf_wall_s() + 86400;
    struct hf_object_info info;
    struct hf_buf body = HF_BUF(64);
    struct hf_error err;

    assert_int_equal(hf_store_bucket_create(*state, &err), HF_OK);
    assert_int_equal(hf_store_probe_put(*state, "a/k", HF_SLICE_LITERAL("body"), HF_LOCK_GOVERNANCE,
                                        until_s, &info, &err),
                     HF_OK);
    assert_int_equal(info.lock_mode, HF_LOCK_GOVERNANCE);
    assert_int_equal(info.retain_until_s, until_s);
    assert_true(info.advisory);
    assert_int_equal(hf_store_get(*state, "a/k", "", 64, &body, &info, &err), HF_OK);
    assert_string_equal(hf_buf_text(&body), "body");
    assert_int_equal(strlen(info.sha256), 64);
    assert_int_equal(hf_store_get(*state, "a/k", NULL, 3, &body, &info, &err), HF_ELIMIT);
    assert_int_equal(hf_store_head(*state, "a/k", "v1", &info, &err), HF_ENOTFOUND);

    assert_int_equal(hf_store_delete_version(*state, "a/k", "", false, &err), HF_EACCESS);
    assert_int_equal(err.status, HF_EACCESS);
    assert_int_equal(
        hf_store_set_retention(*state, "a/k", "", HF_LOCK_GOVERNANCE, until_s - 10, false, &err),
        HF_EACCESS);
    assert_int_equal(
        hf_store_set_retention(*state, "a/k", "", HF_LOCK_GOVERNANCE, until_s + 10, false, &err),
        HF_OK);
    assert_int_equal(hf_store_delete_version(*state, "a/k", "", true, &err), HF_OK);
    assert_int_equal(hf_store_head(*state, "a/k", NULL, &info, &err), HF_ENOTFOUND);
    hf_buf_done(&body);
}

static void
keys_are_listed_and_have_one_version_each(void **state)
{
    struct hf_version_entry *entries;
    struct hf_object_info info;
    struct hf_strings keys;
    size_t count;

    assert_int_equal(hf_store_bucket_create(*state, NULL), HF_OK);
    assert_int_equal(
        hf_store_probe_put(*state, "a/1", HF_SLICE_LITERAL("x"), HF_LOCK_NONE, 0, &info, NULL),
        HF_OK);
    assert_int_equal(
        hf_store_probe_put(*state, "a/2", HF_SLICE_LITERAL("xy"), HF_LOCK_NONE, 0, &info, NULL),
        HF_OK);
    assert_int_equal(hf_store_list(*state, "a/", "a/1", 10, &keys, NULL), HF_OK);
    assert_int_equal(keys.count, 1);
    assert_string_equal(keys.items[0], "a/2");
    hf_strings_done(&keys);
    assert_int_equal(hf_store_versions(*state, "a/2", &entries, &count, NULL), HF_OK);
    assert_int_equal(count, 1);
    assert_int_equal(entries[0].size, 2);
    assert_string_equal(entries[0].version_id, "");
    hf_store_versions_free(entries, count);
    assert_int_equal(hf_store_versions(*state, "a/3", &entries, &count, NULL), HF_OK);
    assert_int_equal(count, 0);
}

static void
what_a_directory_has_not_is_said(void **state)
{
    static const uint8_t key[32];
    struct hf_buf document = HF_BUF(64);

    assert_int_equal(hf_store_set_sse_c(*state, key, NULL), HF_ECONFIG);
    assert_int_equal(hf_store_bucket_get(*state, "policy", &document, NULL), HF_ENOTFOUND);
    assert_int_equal(hf_store_bucket_put(*state, "policy", NULL, HF_SLICE_LITERAL("{}"), NULL),
                     HF_EREFUSED);
    assert_int_equal(hf_store_skew_s(*state), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_bucket_is_missing_until_it_is_made, open_dir, close_dir),
        cmocka_unit_test_setup_teardown(an_object_comes_back_with_its_lock, open_dir, close_dir),
        cmocka_unit_test_setup_teardown(keys_are_listed_and_have_one_version_each, open_dir,
                                        close_dir),
        cmocka_unit_test_setup_teardown(what_a_directory_has_not_is_said, open_dir, close_dir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
