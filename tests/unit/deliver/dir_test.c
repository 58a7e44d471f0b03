/* A directory as the store. */
#include "tests/unit/deliver/deliver_test.h"

#include <holdfast/dir.h>

static const struct hf_layout layout = {
    .prefix = "h", .account = "000000000000", .region = "local", .trail = "audit"
};

struct dir_fixture {
    struct fixture *base;
    char url[300];
    struct hf_dir *dir;
};

static int
dir_setup(void **state)
{
    struct dir_fixture *own = calloc(1, sizeof(*own));
    void *base = NULL;
    struct hf_error err;

    assert_non_null(own);
    fixture_setup(&base);
    own->base = base;
    snprintf(own->url, sizeof(own->url), "dir://%s", own->base->root);
    own->base->store.url = own->url;
    hf_config_store_derive(&own->base->store);
    assert_int_equal(hf_dir_open(own->base->root, "logs", HF_WORM_ADVISORY, &own->dir, &err),
                     HF_OK);
    assert_int_equal(hf_dir_bucket_create(own->dir, &err), HF_OK);
    *state = own;
    return 0;
}

static int
dir_teardown(void **state)
{
    struct dir_fixture *own = *state;
    void *base = own->base;

    fixture_teardown(&base);
    hf_dir_close(own->dir);
    free(own);
    return 0;
}

static void
a_sealed_file_is_linked_in_place(void **state)
{
    struct dir_fixture *own = *state;
    struct hf_buf body = HF_BUF(0);
    struct hf_dir_info info;
    struct hf_error err;
    const struct hf_receipt *receipt = &own->base->delivery.receipt;

    deliver_once(own->base);
    assert_int_equal(own->base->delivery.status, HF_OK);
    assert_string_equal(receipt->confirmed, "link");
    assert_string_equal(receipt->version_id, "");
    assert_int_equal(receipt->lock_mode, HF_LOCK_GOVERNANCE);
    assert_int_equal(receipt->retain_until_s, LATER);
    assert_true(receipt->advisory);
    assert_true(hf_starts_with(receipt->checksum, "sha256:"));
    assert_int_equal(hf_dir_get(own->dir, KEY, 1000, &body, &info, &err), HF_OK);
    assert_string_equal(hf_buf_text(&body), BODY);
    assert_string_equal(info.window, "window-1");
    hf_buf_done(&body);
}

static void
the_same_again_is_adopted_and_keeps_its_date(void **state)
{
    struct dir_fixture *own = *state;

    deliver_once(own->base);
    own->base->delivery.retain_until_s = LATER + 86400;
    own->base->delivery.maybe_there = true;
    deliver_once(own->base);
    assert_int_equal(own->base->delivery.status, HF_OK);
    assert_string_equal(own->base->delivery.receipt.confirmed, "adopted");
    assert_int_equal(own->base->delivery.receipt.retain_until_s, LATER);
}

static void
other_bytes_are_foreign(void **state)
{
    struct dir_fixture *own = *state;

    deliver_once(own->base);
    write_file(own->base->sealed_path, "HEADERother bytes here", 0600);
    own->base->sealed.size = strlen("other bytes here");
    hf_sha256_hex("other bytes here", own->base->sealed.size, own->base->sealed.sha256);
    deliver_once(own->base);
    assert_int_equal(own->base->delivery.status, HF_EFOREIGN);
    assert_false(own->base->delivery.unknown);
}

static void
a_missing_bucket_is_named(void **state)
{
    struct dir_fixture *own = *state;

    assert_int_equal(rmdir(hf_dir_path(own->dir)), 0);
    deliver_once(own->base);
    assert_int_equal(own->base->delivery.status, HF_ENOTFOUND);
    assert_non_null(strstr(own->base->delivery.error.text, "holdfast bucket apply"));
    own->base->delivery.kind = HF_JOB_CHECK;
    own->base->delivery.layout = &layout;
    own->base->delivery.bucket = "logs";
    deliver_once(own->base);
    assert_int_equal(own->base->delivery.status, HF_ENOTFOUND);
}

static void
a_directory_does_not_encrypt(void **state)
{
    static const int encryptions[] = { HF_ENCRYPT_SSE_S3, HF_ENCRYPT_SSE_KMS, HF_ENCRYPT_SSE_C };
    struct dir_fixture *own = *state;
    struct hf_dir_info info;
    struct hf_error err;

    for (size_t i = 0; i < HF_COUNT(encryptions); i++) {
        own->base->sealed.encryption = encryptions[i];
        deliver_once(own->base);
        assert_int_equal(own->base->delivery.status, HF_ECONFIG);
        assert_int_equal(hf_dir_head(own->dir, KEY, &info, &err), HF_ENOTFOUND);
    }
    own->base->sealed.encryption = HF_ENCRYPT_CMS;
    deliver_once(own->base);
    assert_int_equal(own->base->delivery.status, HF_OK);
}

static void
a_sealed_file_that_changed_is_not_delivered(void **state)
{
    struct dir_fixture *own = *state;

    write_file(own->base->sealed_path, "HEADERthe sealed byteZ", 0600);
    deliver_once(own->base);
    assert_int_equal(own->base->delivery.status, HF_ECORRUPT);
}

static void
put_digest(struct dir_fixture *own, int64_t end_s, const char *text)
{
    char key[HF_KEY_MAX], sha256[HF_SHA256_HEX_SIZE];
    struct hf_error err;

    hf_layout_digest_key(&layout, end_s, key);
    hf_sha256_hex(text, strlen(text), sha256);
    struct hf_dir_object object = {
        .key = key, .body = hf_slice_text(text), .size = strlen(text), .sha256 = sha256
    };
    assert_int_equal(hf_dir_put(own->dir, &object, &err), HF_OK);
}

static void
check_finds_the_newest_digest_wherever_it_lies(void **state)
{
    struct dir_fixture *own = *state;
    int64_t now_s = hf_wall_s();
    char key[HF_KEY_MAX];

    own->base->delivery.kind = HF_JOB_CHECK;
    own->base->delivery.layout = &layout;
    own->base->delivery.bucket = "logs";
    deliver_once(own->base);
    assert_int_equal(own->base->delivery.status, HF_OK);
    assert_string_equal(own->base->delivery.newest_digest_key, "");
    const int64_t ages_s[] = { 900 * 86400, 300 * 86400, 10 * 86400, 7200, 3600, 0, -40 * 86400 };
    for (size_t i = 0; i < HF_COUNT(ages_s); i++) {
        char text[30];
        snprintf(text, sizeof(text), "digest %zu", i);
        put_digest(own, now_s - ages_s[i], text);
        deliver_once(own->base);
        assert_int_equal(own->base->delivery.status, HF_OK);
        hf_layout_digest_key(&layout, now_s - ages_s[i], key);
        assert_string_equal(own->base->delivery.newest_digest_key, key);
        assert_string_equal(hf_buf_text(&own->base->delivery.newest_digest), text);
    }
}

static void
a_directory_tells_no_other_time(void **state)
{
    struct dir_fixture *own = *state;

    deliver_once(own->base);
    assert_int_equal(hf_deliverer_skew_s(own->base->deliverer), 0);
    assert_in_range(hf_deliverer_now_s(own->base->deliverer), hf_wall_s() - 2, hf_wall_s() + 2);
}

int
main(void)
{
#define D(name) cmocka_unit_test_setup_teardown(name, dir_setup, dir_teardown)
    const struct CMUnitTest tests[] = {
        D(a_sealed_file_is_linked_in_place),
        D(the_same_again_is_adopted_and_keeps_its_date),
        D(other_bytes_are_foreign),
        D(a_missing_bucket_is_named),
        D(a_directory_does_not_encrypt),
        D(a_sealed_file_that_changed_is_not_delivered),
        D(check_finds_the_newest_digest_wherever_it_lies),
        D(a_directory_tells_no_other_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
