/* The same against a store that is one. Environment: what tests/support/live says. */
#include "tests/unit/deliver/deliver_test.h"

#include <holdfast/s3.h>

#define MANY 40

static char bucket[64], plain_bucket[64];

static void
make_bucket(struct fixture *fixture, const char *name, bool with_lock)
{
    struct hf_s3_pair header = { "x-amz-bucket-object-lock-enabled", "true" };
    struct hf_s3_request request = {
        .method = "PUT", .bucket = name, .headers = &header, .header_count = with_lock
    };
    hf_owned(hf_s3_closep) struct hf_s3 *s3 = NULL;
    struct hf_s3_options options;
    struct hf_s3_reply reply = { .http_status = 0 };
    struct hf_error err;

    hf_s3_options_of(&fixture->store, &options);
    assert_int_equal(hf_s3_open(&options, &s3, &err), HF_OK);
    assert_int_equal(hf_s3_call(s3, &request, &reply, &err), HF_OK);
    if (hf_s3_status(&reply, "making a bucket", &err) != HF_OK)
        fail_msg("%s", err.text);
    hf_s3_reply_done(&reply);
}

/* Two days from now, at midnight: the objects stay that long in GOVERNANCE. */
static int
live_setup(void **state)
{
    static bool made;
    char text[300];
    fixture_setup(state);
    struct fixture *fixture = *state;
    uint32_t number;

    snprintf(text, sizeof(text), "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
             getenv("HF_STORE_ADMIN_ACCESS_KEY"), getenv("HF_STORE_ADMIN_SECRET_KEY"));
    write_file(fixture->credentials_path, text, 0600);
    fixture->store.url = getenv("HF_STORE_URL");
    fixture->store.region = getenv("HF_STORE_REGION");
    const char *ca_file = getenv("HF_STORE_CA");
    fixture->store.ca_file = ca_file && *ca_file ? (char *)ca_file : NULL;
    fixture->store.connections = 4;
    if (!made) {
        hf_random(&number, sizeof(number));
        snprintf(bucket, sizeof(bucket), "deliver-%08x", number);
        snprintf(plain_bucket, sizeof(plain_bucket), "deliver-plain-%08x", number);
        make_bucket(fixture, bucket, true);
        make_bucket(fixture, plain_bucket, false);
        made = true;
    }
    fixture->sealed.bucket = bucket;
    fixture->delivery.retain_until_s = hf_retain_until(HF_LOCK_GOVERNANCE, 1, hf_wall_s(), 0);
    fixture->delivery.first_retain_until_s = fixture->delivery.retain_until_s;
    return 0;
}

static void
assert_delivered(struct fixture *fixture, const char *confirmed)
{
    deliver_once(fixture);
    if (fixture->delivery.status != HF_OK)
        fail_msg("%s: %s", hf_status_name(fixture->delivery.status), fixture->delivery.error.text);
    assert_string_equal(fixture->delivery.receipt.confirmed, confirmed);
}

static void
an_object_is_put_and_found_again(void **state)
{
    struct fixture *fixture = *state;
    char version[256];

    fixture->sealed.key = (char *)"found/again.json.gz";
    assert_delivered(fixture, "head");
    assert_string_not_equal(fixture->delivery.receipt.version_id, "");
    assert_string_equal(fixture->delivery.receipt.etag, fixture->etag);
    assert_int_equal(fixture->delivery.receipt.lock_mode, HF_LOCK_GOVERNANCE);
    assert_int_equal(fixture->delivery.receipt.retain_until_s, fixture->delivery.retain_until_s);
    snprintf(version, sizeof(version), "%s", fixture->delivery.receipt.version_id);
    fixture->delivery.maybe_there = true;
    assert_delivered(fixture, "adopted");
    assert_string_equal(fixture->delivery.receipt.version_id, version);
    assert_in_range(hf_deliverer_skew_s(fixture->deliverer) + 5, 0, 10);
}

static void
other_bytes_under_the_key_are_foreign(void **state)
{
    struct fixture *fixture = *state;

    fixture->sealed.key = (char *)"foreign.json.gz";
    assert_delivered(fixture, "head");
    write_file(fixture->sealed_path, "HEADERTHE SEALED BYTES", 0600);
    hf_sha256_hex("THE SEALED BYTES", 16, fixture->sealed.sha256);
    hf_md5("THE SEALED BYTES", 16, fixture->sealed.md5);
    fixture->delivery.maybe_there = true;
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_EFOREIGN);
}

static void
a_short_lock_grows(void **state)
{
    struct fixture *fixture = *state;

    fixture->sealed.key = (char *)"grows.json.gz";
    assert_delivered(fixture, "head");
    fixture->delivery.maybe_there = true;
    fixture->delivery.retain_until_s += 86400;
    fixture->delivery.first_retain_until_s += 86400;
    assert_delivered(fixture, "adopted");
    assert_int_equal(fixture->delivery.receipt.retain_until_s, fixture->delivery.retain_until_s);
}

static void
a_bucket_without_lock_is_told(void **state)
{
    struct fixture *fixture = *state;

    fixture->sealed.bucket = plain_bucket;
    fixture->sealed.key = (char *)"unlocked.json.gz";
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_ENOTHELD);
    assert_non_null(strstr(fixture->delivery.error.text, "holdfast bucket apply"));
    assert_false(fixture->delivery.unknown);
    fixture->sealed.lock_mode = HF_LOCK_NONE;
    fixture->delivery.retain_until_s = fixture->delivery.first_retain_until_s = 0;
    assert_delivered(fixture, "head");
    assert_string_equal(fixture->delivery.receipt.version_id, "");
}

static void
the_condition_holds_where_there_are_no_versions(void **state)
{
    struct fixture *fixture = *state;

    fixture->sealed.bucket = plain_bucket;
    fixture->sealed.key = (char *)"taken.json.gz";
    fixture->sealed.lock_mode = HF_LOCK_NONE;
    fixture->delivery.retain_until_s = fixture->delivery.first_retain_until_s = 0;
    assert_delivered(fixture, "head");
    assert_delivered(fixture, "adopted");
}

static void
a_writer_confirms_by_put_and_retention(void **state)
{
    struct fixture *fixture = *state;

    fixture->store.confirm = HF_CONFIRM_PUT;
    fixture->store.checksum = HF_CHECKSUM_SHA256;
    fixture->sealed.key = (char *)"by-put.json.gz";
    assert_delivered(fixture, "put");
    assert_int_equal(fixture->delivery.receipt.retain_until_s, fixture->delivery.retain_until_s);
    assert_true(hf_starts_with(fixture->delivery.receipt.checksum, "sha256:"));
    fixture->delivery.maybe_there = true;
    assert_delivered(fixture, "put");
}

static void
a_legal_hold_and_a_strict_lock_are_set(void **state)
{
    struct fixture *fixture = *state;

    fixture->sealed.key = (char *)"held.json.gz";
    fixture->sealed.legal_hold = true;
    assert_delivered(fixture, "head");
    assert_true(fixture->delivery.receipt.legal_hold);
    fixture->delivery.maybe_there = true;
    assert_delivered(fixture, "adopted");
    assert_true(fixture->delivery.receipt.legal_hold);
}

static void
encryption_by_the_store(void **state)
{
    struct fixture *fixture = *state;
    char key_path[300];

    snprintf(key_path, sizeof(key_path), "%s/key", fixture->root);
    write_file(key_path, "0123456789abcdef0123456789abcdef", 0600);
    fixture->sealed.encryption = HF_ENCRYPT_SSE_C;
    fixture->sealed.sse_c_key_file = key_path;
    fixture->sealed.key = (char *)"sse-c.json.gz";
    assert_delivered(fixture, "head");
    fixture->delivery.maybe_there = true;
    assert_delivered(fixture, "adopted");
    fixture->sealed.encryption = HF_ENCRYPT_SSE_KMS;
    fixture->sealed.kms_key_id = getenv("HF_STORE_KMS_KEY");
    fixture->sealed.key = (char *)"sse-kms.json.gz";
    fixture->delivery.maybe_there = false;
    assert_delivered(fixture, "head");
}

static void
many_at_once_are_all_locked(void **state)
{
    struct fixture *fixture = *state;
    struct hf_sealed *sealed = calloc(MANY, sizeof(*sealed));
    struct hf_delivery *deliveries = calloc(MANY, sizeof(*deliveries));
    char keys[MANY][40];

    assert_non_null(sealed);
    assert_non_null(deliveries);
    fixture->deliverer = hf_deliverer_start(&fixture->store);
    for (int i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof(keys[i]), "many/%d.json.gz", i);
        sealed[i] = fixture->sealed;
        sealed[i].key = keys[i];
        deliveries[i] = fixture->delivery;
        deliveries[i].sealed = &sealed[i];
        hf_deliverer_submit(fixture->deliverer, &deliveries[i]);
    }
    for (int i = 0; i < MANY; i++)
        assert_non_null(hf_queue_take(fixture->done, 60000));
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(deliveries[i].status, HF_OK);
        assert_int_equal(deliveries[i].receipt.lock_mode, HF_LOCK_GOVERNANCE);
    }
    free(sealed);
    free(deliveries);
}

static void
check_sees_the_bucket_and_the_newest_digest(void **state)
{
    static const struct hf_layout layout = {
        .prefix = "p", .account = "000000000000", .region = "local", .trail = "audit"
    };
    struct fixture *fixture = *state;
    char key[HF_KEY_MAX];

    for (int age = 3; age >= 1; age -= 2) {
        hf_layout_digest_key(&layout, hf_wall_s() - age * 86400, key);
        fixture->delivery.kind = HF_JOB_PUT;
        fixture->sealed.key = key;
        fixture->sealed.signature = (char *)"00ff";
        fixture->sealed.signature_algorithm = (char *)"SHA256withRSA";
        fixture->delivery.sealed = &fixture->sealed;
        assert_delivered(fixture, "head");
        fixture->delivery.kind = HF_JOB_CHECK;
        fixture->delivery.layout = &layout;
        fixture->delivery.bucket = bucket;
        fixture->delivery.needs_lock = true;
        deliver_once(fixture);
        assert_int_equal(fixture->delivery.status, HF_OK);
        assert_string_equal(fixture->delivery.newest_digest_key, key);
        assert_string_equal(hf_buf_text(&fixture->delivery.newest_digest), BODY);
    }
    fixture->delivery.bucket = plain_bucket;
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_ENOTHELD);
    fixture->delivery.needs_lock = false;
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_OK);
    assert_string_equal(fixture->delivery.newest_digest_key, "");
    fixture->delivery.bucket = "there-is-no-such-bucket";
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_ENOTFOUND);
}

/* As HF_WRITER_HEAD_* or HF_WRITER_PUT_*, who has the rights that agent/deliver/RIGHTS.md names
 * for this way to confirm, and no others, under `writer` of a bucket. */
static void
deliver_as(struct fixture *fixture, const char *bucket_word, const char *credentials_word,
           const char *first, const char *again)
{
    static const struct hf_layout layout = {
        .prefix = "writer", .account = "000000000000", .region = "local", .trail = "audit"
    };

    fixture->store.credentials_file = getenv(credentials_word);
    fixture->sealed.bucket = getenv(bucket_word);
    assert_non_null(fixture->store.credentials_file);
    assert_non_null(fixture->sealed.bucket);
    fixture->sealed.key = (char *)"writer/one.json.gz";
    assert_delivered(fixture, first);
    fixture->delivery.maybe_there = true;
    assert_delivered(fixture, again);
    fixture->delivery.kind = HF_JOB_CHECK;
    fixture->delivery.layout = &layout;
    fixture->delivery.bucket = fixture->sealed.bucket;
    fixture->delivery.needs_lock = true;
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_OK);
    assert_int_equal(fixture->delivery.chain_unseen, fixture->store.confirm == HF_CONFIRM_PUT);
    /* And no more than these: beside its prefix it may not put. */
    fixture->delivery.kind = HF_JOB_PUT;
    fixture->delivery.maybe_there = false;
    fixture->sealed.key = (char *)"elsewhere/one.json.gz";
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_EACCESS);
}

static void
a_writer_with_the_rights_of_confirm_head_delivers(void **state)
{
    struct fixture *fixture = *state;

    fixture->store.confirm = HF_CONFIRM_HEAD;
    deliver_as(fixture, "HF_WRITER_HEAD_BUCKET", "HF_WRITER_HEAD_CREDENTIALS", "head", "adopted");
}

static void
a_writer_with_the_rights_of_confirm_put_delivers(void **state)
{
    struct fixture *fixture = *state;

    fixture->store.confirm = HF_CONFIRM_PUT;
    deliver_as(fixture, "HF_WRITER_PUT_BUCKET", "HF_WRITER_PUT_CREDENTIALS", "put", "put");
}

int
main(void)
{
#define L(name) cmocka_unit_test_setup_teardown(name, live_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        L(an_object_is_put_and_found_again),
        L(other_bytes_under_the_key_are_foreign),
        L(a_short_lock_grows),
        L(a_bucket_without_lock_is_told),
        L(the_condition_holds_where_there_are_no_versions),
        L(a_writer_confirms_by_put_and_retention),
        L(a_legal_hold_and_a_strict_lock_are_set),
        L(encryption_by_the_store),
        L(many_at_once_are_all_locked),
        L(check_sees_the_bucket_and_the_newest_digest),
        L(a_writer_with_the_rights_of_confirm_head_delivers),
        L(a_writer_with_the_rights_of_confirm_put_delivers),
    };

    if (!getenv("HF_STORE_URL") || !getenv("HF_STORE_ADMIN_ACCESS_KEY")) {
        printf("no HF_STORE_URL: tests/support/live says what is needed here\n");
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
