/* A directory as the store. */
#include "tests/unit/deliver/deliver_test.h"

#include <errno.h>
#include <holdfast/dir.h>
#include <stdatomic.h>
#include <sys/timex.h>

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

static bool kept;
int __wrap_adjtimex(struct timex *ret_now);

int
__wrap_adjtimex(struct timex *ret_now)
{
    ret_now->status = kept ? 0 : STA_UNSYNC;
    return kept ? TIME_OK : TIME_ERROR;
}

/* Neither a job of one kind nor of the other goes past it, nor is anything left behind. */
static void
what_is_far_after_the_last_time_known_is_not_put(void **state)
{
    struct dir_fixture *own = *state;
    struct hf_dir_info info;
    struct hf_error err;

    kept = false;
    own->base->delivery.last_s = hf_wall_s() - 31 * 86400;
    own->base->delivery.layout = &layout;
    own->base->delivery.bucket = "logs";
    for (int kind = HF_JOB_PUT; kind <= HF_JOB_CHECK; kind++) {
        own->base->delivery.kind = (enum hf_job_kind)kind;
        deliver_once(own->base);
        assert_int_equal(own->base->delivery.status, HF_ESKEW);
        assert_non_null(strstr(own->base->delivery.error.text, "31 days after"));
        assert_false(own->base->delivery.unknown);
    }
    assert_int_equal(hf_dir_head(own->dir, KEY, &info, &err), HF_ENOTFOUND);
    own->base->delivery.kind = HF_JOB_PUT;
    kept = true;
    deliver_once(own->base);
    assert_int_equal(own->base->delivery.status, HF_OK);
    kept = false;
}

/* ---- a disk that fails ---- */

static struct {
    atomic_int skip; /* so many calls go well first */
    atomic_uint failed;
    const char *name; /* of the calls; NULL: any */
    int error;
} fault;

static int
fail_call(void *context, struct hf_fs_call *call)
{
    (void)context;
    if (strcmp(call->name, "close") == 0 || (fault.name && strcmp(call->name, fault.name) != 0) ||
        atomic_fetch_sub(&fault.skip, 1) != 0)
        return 0;
    atomic_fetch_add(&fault.failed, 1);
    return fault.error;
}

static void
fail_at(const char *name, int skip, int error)
{
    fault.name = name;
    fault.error = error;
    atomic_store(&fault.skip, skip);
    atomic_store(&fault.failed, 0);
    hf_fs_interpose(fail_call, NULL);
}

/* What is told as delivered is there, with its lock; what is not is told with what failed, and the
 * next attempt delivers it. */
static void
whichever_call_fails_a_put_is_done_or_told_and_done_by_the_next(void **state)
{
    struct dir_fixture *own = *state;
    struct hf_delivery *delivery = &own->base->delivery;
    unsigned told = 0;

    fault.failed = 1;
    for (int n = 0; atomic_load(&fault.failed) > 0; n++) {
        struct hf_dir_info info;
        char key[64];
        snprintf(key, sizeof(key), "h/object-%d.json.gz", n);
        own->base->sealed.key = key;
        fail_at(NULL, n, EIO);
        deliver_once(own->base);
        hf_fs_interpose(NULL, NULL);
        if (delivery->status != HF_OK) {
            told++;
            assert_int_not_equal(delivery->error.text[0], '\0');
            assert_int_equal(delivery->status, delivery->error.status);
            deliver_once(own->base);
        }
        assert_int_equal(delivery->status, HF_OK);
        assert_int_equal(hf_dir_head(own->dir, key, &info, NULL), HF_OK);
        assert_int_equal(info.lock_mode, HF_LOCK_GOVERNANCE);
        assert_int_equal(delivery->receipt.lock_mode, HF_LOCK_GOVERNANCE);
    }
    assert_true(told > 5);
}

static void
whichever_call_fails_a_check_is_never_told_that_there_is_no_chain(void **state)
{
    struct dir_fixture *own = *state;
    struct hf_delivery *delivery = &own->base->delivery;
    char key[HF_KEY_MAX];
    int64_t now_s = hf_wall_s();
    unsigned told = 0;

    put_digest(own, now_s, "the newest");
    hf_layout_digest_key(&layout, now_s, key);
    delivery->kind = HF_JOB_CHECK;
    delivery->layout = &layout;
    delivery->bucket = "logs";
    fault.failed = 1;
    for (int n = 0; atomic_load(&fault.failed) > 0; n++) {
        fail_at(NULL, n, EIO);
        deliver_once(own->base);
        hf_fs_interpose(NULL, NULL);
        if (delivery->status == HF_OK)
            assert_string_equal(delivery->newest_digest_key, key);
        else
            assert_non_null(strstr(delivery->error.text, "checking bucket 'logs'"));
        told += delivery->status != HF_OK;
    }
    assert_true(told > 3);
}

static void
a_bucket_that_may_not_be_written_to_is_told_before_any_put(void **state)
{
    struct dir_fixture *own = *state;

    own->base->delivery.kind = HF_JOB_CHECK;
    own->base->delivery.layout = &layout;
    own->base->delivery.bucket = "logs";
    fail_at("access", 0, EACCES);
    deliver_once(own->base);
    hf_fs_interpose(NULL, NULL);
    assert_int_equal(own->base->delivery.status, HF_EACCESS);
    assert_non_null(strstr(own->base->delivery.error.text, "may not be written to"));
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
        D(what_is_far_after_the_last_time_known_is_not_put),
        D(whichever_call_fails_a_put_is_done_or_told_and_done_by_the_next),
        D(whichever_call_fails_a_check_is_never_told_that_there_is_no_chain),
        D(a_bucket_that_may_not_be_written_to_is_told_before_any_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
