/* Every function of store.h against a real store. Environment, all of it from tests/support/live:
 *
 *   HF_STORE_URL, HF_STORE_VIRTUAL_URL, HF_STORE_REGION, HF_STORE_CA, HF_STORE_CREDENTIALS
 *
 * test_store_live [virtual]: buckets in the host's name. A bucket of a fresh name is made with
 * Object Lock and left behind. */
#include "tests/support/test.h"

#include <holdfast/crypto.h>
#include <holdfast/s3.h>
#include <holdfast/store.h>

static struct hf_config_store config;
static char bucket[64];
static int64_t until_s;

static bool virtual;

static char *
environment(const char *name)
{
    char *value = getenv(name);

    if (!value || !*value)
        fail_msg("no %s: tests/support/live says it", name);
    return value;
}

static struct hf_store *
open_store(void)
{
    struct hf_store *store = NULL;
    struct hf_error err;

    if (hf_store_open(&config, bucket, &store, &err) != HF_OK)
        fail_msg("%s", err.text);
    return store;
}

static int
set_up(void **state)
{
    uint8_t noise[6];
    char hex[HF_HEX_SIZE(6)];

    (void)state;
    config = (struct hf_config_store){
        .name = (char *)"live",
        .url = environment(virtual ? "HF_STORE_VIRTUAL_URL" : "HF_STORE_URL"),
        .region = environment("HF_STORE_REGION"),
        .ca_file = environment("HF_STORE_CA"),
        .credentials_file = environment("HF_STORE_CREDENTIALS"),
        .addressing = virtual ? HF_ADDRESSING_VIRTUAL : HF_ADDRESSING_PATH,
        .timeout_s = 20,
        .connections = 4,
    };
    hf_random(noise, sizeof(noise));
    hf_hex(noise, sizeof(noise), hex);
    snprintf(bucket, sizeof(bucket), "holdfast-live-%s", hex);
    until_s = hf_wall_s() + 3600;
    return 0;
}

#define MUST(call, expected)                                                                       \
    do {                                                                                           \
        struct hf_error why_ = { .text = "" };                                                     \
        struct hf_error *err = &why_;                                                              \
        enum hf_status status_ = (call);                                                           \
        if (status_ != (expected))                                                                 \
            fail_msg("%s: %s: %s", #call, hf_status_name(status_), err->text);                     \
    } while (0)

static void
a_bucket_is_made_with_object_lock(void **state)
{
    (void)state;
    struct hf_store *store = open_store();
    enum hf_lock_state found = HF_BUCKET_LOCKED;

    MUST(hf_store_bucket_state(store, &found, err), HF_OK);
    assert_int_equal(found, HF_BUCKET_MISSING);
    MUST(hf_store_bucket_create(store, err), HF_OK);
    MUST(hf_store_bucket_state(store, &found, err), HF_OK);
    assert_int_equal(found, HF_BUCKET_LOCKED);
    assert_in_range(hf_store_skew_s(store) + 60, 0, 120);
    hf_store_close(store);
}

static void
an_object_with_an_awkward_key_comes_back_whole(void **state)
{
    (void)state;
    static const char key[] = "a/b c+=&:@$,'()!*~%41/\xc3\xa9.json";
    struct hf_store *store = open_store();
    struct hf_buf body = HF_BUF(1024);
    struct hf_object_info info, got;
    struct hf_strings keys;

    MUST(hf_store_probe_put(store, key, HF_SLICE_LITERAL("body"), HF_LOCK_NONE, 0, &info, err),
         HF_OK);
    MUST(hf_store_get(store, key, NULL, 1024, &body, &got, err), HF_OK);
    assert_string_equal(hf_buf_text(&body), "body");
    assert_string_equal(got.version_id, info.version_id);
    assert_int_equal(got.size, 4);
    assert_string_equal(got.content_type, "application/octet-stream");
    assert_int_equal(strlen(got.sha256), 64);
    assert_in_range(got.last_modified_s - hf_wall_s() + 60, 0, 120);
    MUST(hf_store_get(store, key, info.version_id, 1024, &body, NULL, err), HF_OK);
    MUST(hf_store_get(store, key, NULL, 3, &body, NULL, err), HF_ELIMIT);
    MUST(hf_store_list(store, "a/", "", 10, &keys, err), HF_OK);
    assert_int_equal(keys.count, 1);
    assert_string_equal(keys.items[0], key);
    hf_strings_done(&keys);
    MUST(hf_store_head(store, "a/absent", NULL, &info, err), HF_ENOTFOUND);
    hf_buf_done(&body);
    hf_store_close(store);
}

static void
a_locked_version_cannot_be_deleted(void **state)
{
    (void)state;
    struct hf_store *store = open_store();
    struct hf_object_info info;

    MUST(hf_store_probe_put(store, "locked", HF_SLICE_LITERAL("body"), HF_LOCK_GOVERNANCE, until_s,
                            &info, err),
         HF_OK);
    assert_int_equal(info.lock_mode, HF_LOCK_GOVERNANCE);
    assert_int_equal(info.retain_until_s, until_s);
    assert_true(info.version_id[0]);
    MUST(hf_store_delete_version(store, "locked", info.version_id, false, err), HF_EACCESS);
    MUST(hf_store_set_retention(store, "locked", info.version_id, HF_LOCK_GOVERNANCE, until_s - 600,
                                false, err),
         HF_EACCESS);
    MUST(hf_store_set_retention(store, "locked", info.version_id, HF_LOCK_GOVERNANCE, until_s + 600,
                                false, err),
         HF_OK);
    MUST(hf_store_head(store, "locked", info.version_id, &info, err), HF_OK);
    assert_int_equal(info.retain_until_s, until_s + 600);
    MUST(hf_store_delete_version(store, "locked", info.version_id, true, err), HF_OK);
    MUST(hf_store_head(store, "locked", info.version_id, &info, err), HF_ENOTFOUND);
    hf_store_close(store);
}

static void
versions_and_delete_markers_are_listed(void **state)
{
    (void)state;
    struct hf_store *store = open_store();
    struct hf_version_entry *entries;
    struct hf_object_info first, second, beside;
    size_t count;

    MUST(hf_store_probe_put(store, "v", HF_SLICE_LITERAL("1"), HF_LOCK_NONE, 0, &first, err),
         HF_OK);
    MUST(hf_store_probe_put(store, "v", HF_SLICE_LITERAL("22"), HF_LOCK_NONE, 0, &second, err),
         HF_OK);
    MUST(hf_store_probe_put(store, "v2", HF_SLICE_LITERAL("x"), HF_LOCK_NONE, 0, &beside, err),
         HF_OK);
    MUST(hf_store_delete_version(store, "v", NULL, false, err), HF_OK); /* a delete marker */
    MUST(hf_store_versions(store, "v", &entries, &count, err), HF_OK);
    assert_int_equal(count, 3);
    size_t markers = 0, seconds = 0;

    for (size_t i = 0; i < count; i++) {
        markers += entries[i].is_delete_marker && entries[i].is_latest;
        seconds += strcmp(entries[i].version_id, second.version_id) == 0 && entries[i].size == 2;
    }
    assert_int_equal(markers, 1);
    assert_int_equal(seconds, 1);
    hf_store_versions_free(entries, count);
    MUST(hf_store_head(store, "v", NULL, &first, err), HF_ENOTFOUND);
    MUST(hf_store_versions(store, "absent", &entries, &count, err), HF_OK);
    assert_int_equal(count, 0);
    hf_store_versions_free(entries, count);
    hf_store_close(store);
}

static void
long_listings_are_complete_and_in_order(void **state)
{
    (void)state;
    enum { KEYS = 25 };
    struct hf_store *store = open_store();
    struct hf_object_info info;
    struct hf_strings keys;
    char key[32];

    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "list/%03d", i);
        MUST(hf_store_probe_put(store, key, HF_SLICE_LITERAL("x"), HF_LOCK_NONE, 0, &info, err),
             HF_OK);
    }
    MUST(hf_store_list(store, "list/", "list/004", 7, &keys, err), HF_OK);
    assert_int_equal(keys.count, 7);
    assert_string_equal(keys.items[0], "list/005");
    assert_string_equal(keys.items[6], "list/011");
    hf_strings_done(&keys);
    MUST(hf_store_list(store, "list/", "", 1000, &keys, err), HF_OK);
    assert_int_equal(keys.count, KEYS);
    hf_strings_done(&keys);
    MUST(hf_store_list(store, "none/", "", 1000, &keys, err), HF_OK);
    assert_int_equal(keys.count, 0);
    hf_strings_done(&keys);
    hf_store_close(store);
}

static void
documents_are_put_and_read_back(void **state)
{
    (void)state;
    static const char lifecycle[] = "<LifecycleConfiguration "
                                    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/"
                                    "\"><Rule><ID>expire</ID><Filter><Prefix>x/</Prefix></Filter>"
                                    "<Status>Enabled</Status><Expiration><Days>30</Days></"
                                    "Expiration></Rule></LifecycleConfiguration>";
    static const char lock[] = "<ObjectLockConfiguration "
                               "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/"
                               "\"><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>"
                               "<DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></"
                               "DefaultRetention></Rule></ObjectLockConfiguration>";
    struct hf_store *store = open_store();
    struct hf_buf document = HF_BUF(65536);
    struct hf_s3_lock_config lock_config;
    char *policy = hf_asprintf(
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\","
        "\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::%s/private/*\"}]}",
        bucket);

    MUST(hf_store_bucket_get(store, "policy", &document, err), HF_ENOTFOUND);
    MUST(hf_store_bucket_get(store, "lifecycle", &document, err), HF_ENOTFOUND);
    MUST(hf_store_bucket_put(store, "policy", "application/json", hf_slice_text(policy), err),
         HF_OK);
    MUST(hf_store_bucket_get(store, "policy", &document, err), HF_OK);
    assert_non_null(strstr(hf_buf_text(&document), "s3:GetObject"));
    MUST(hf_store_bucket_put(store, "lifecycle", "application/xml", hf_slice_text(lifecycle), err),
         HF_OK);
    MUST(hf_store_bucket_get(store, "lifecycle", &document, err), HF_OK);
    assert_non_null(strstr(hf_buf_text(&document), "<Days>30</Days>"));
    MUST(hf_store_bucket_put(store, "object-lock", "application/xml", hf_slice_text(lock), err),
         HF_OK);
    MUST(hf_store_bucket_get(store, "object-lock", &document, err), HF_OK);
    MUST(hf_s3_parse_lock_config(hf_buf_slice(&document), &lock_config, err), HF_OK);
    assert_int_equal(lock_config.default_mode, HF_LOCK_GOVERNANCE);
    assert_int_equal(lock_config.days, 1);
    free(policy);
    hf_buf_done(&document);
    hf_store_close(store);
}

/* Put with the client below the façade, which has no reason to write such objects itself. */
static void
put_encrypted(const uint8_t key[32])
{
    struct hf_s3_request request = { .method = "PUT",
                                     .bucket = bucket,
                                     .key = "sealed",
                                     .body = HF_SLICE_LITERAL("secret"),
                                     .content_md5 = true,
                                     .sse_c_key = key,
                                     .expect = HF_S3_EXPECT_OBJECT };
    struct hf_s3_options options;
    struct hf_s3_reply reply;
    struct hf_s3 *s3 = NULL;

    hf_s3_options_of(&config, &options);
    MUST(hf_s3_open(&options, &s3, err), HF_OK);
    MUST(hf_s3_call(s3, &request, &reply, err), HF_OK);
    MUST(hf_s3_status(&reply, NULL, err), HF_OK);
    hf_s3_reply_done(&reply);
    hf_s3_close(s3);
}

static void
sse_c_objects_need_their_key_and_others_are_still_read(void **state)
{
    (void)state;
    struct hf_store *store = open_store();
    struct hf_buf body = HF_BUF(1024);
    struct hf_object_info info;
    uint8_t key[32];

    hf_random(key, sizeof(key));
    put_encrypted(key);
    MUST(hf_store_head(store, "sealed", NULL, &info, err), HF_EREFUSED);
    MUST(hf_store_get(store, "sealed", NULL, 1024, &body, &info, err), HF_EREFUSED);
    MUST(hf_store_set_sse_c(store, key, err), HF_OK);
    MUST(hf_store_get(store, "sealed", NULL, 1024, &body, &info, err), HF_OK);
    assert_string_equal(hf_buf_text(&body), "secret");
    MUST(hf_store_head(store, "sealed", NULL, &info, err), HF_OK);
    MUST(hf_store_probe_put(store, "open", HF_SLICE_LITERAL("open"), HF_LOCK_NONE, 0, &info, err),
         HF_OK);
    MUST(hf_store_get(store, "open", NULL, 1024, &body, &info, err), HF_OK);
    assert_string_equal(hf_buf_text(&body), "open");
    hf_buf_done(&body);
    hf_store_close(store);
}

/* ---- as the deliverer works: several at once, streamed from a file, locked, never twice ---- */

struct uploads {
    size_t put, taken, wrong;
    char why[512];
};

static void
count_upload(void *context, struct hf_s3_reply *reply)
{
    struct uploads *uploads = context;
    struct hf_error err = { .text = "" };
    enum hf_status status = hf_s3_status(reply, NULL, &err);

    uploads->put += status == HF_OK && reply->version_id[0];
    uploads->taken += status == HF_EEXISTS;
    uploads->wrong += status != HF_OK && status != HF_EEXISTS;
    if (status != HF_OK)
        snprintf(uploads->why, sizeof(uploads->why), "%s", err.text);
}

static void
upload_all(struct hf_s3 *s3, int fd, const char *sha256, const uint8_t *key, size_t count)
{
    static const struct hf_s3_pair headers[] = { { "Content-Type", "application/json" },
                                                 { "Content-Encoding", "gzip" },
                                                 { "Content-MD5", "tWH4cgLQSVnjdYjuBc9bEA==" },
                                                 { "x-amz-meta-a", "1" },
                                                 { "x-amz-meta-a-b", "2" } };
    struct uploads uploads = { .put = 0 };

    for (size_t i = 0; i < count; i++) {
        char name[40];
        struct hf_s3_request request = {
            .method = "PUT",
            .bucket = bucket,
            .key = name,
            .headers = headers,
            .header_count = HF_COUNT(headers),
            .body_fd_used = true,
            .body_fd = fd,
            .body_size = 1 << 20,
            .payload_sha256 = sha256,
            .lock_mode = HF_LOCK_GOVERNANCE,
            .retain_until_s = until_s,
            .sse_c_key = key,
            .expect = HF_S3_EXPECT_OBJECT,
        };

        snprintf(name, sizeof(name), "side-by-side/%02zu", i);
        MUST(hf_s3_start(s3, &request, count_upload, &uploads, err), HF_OK);
    }
    while (hf_s3_pending(s3))
        hf_s3_run(s3, 1000);
    if (uploads.put != count || uploads.wrong)
        fail_msg("%zu put, %zu wrong: %s", uploads.put, uploads.wrong, uploads.why);
}

static void
sixteen_files_go_up_side_by_side(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    struct hf_store *store = open_store();
    struct hf_s3_options options;
    struct hf_object_info info;
    struct hf_s3 *s3 = NULL;
    char sha256[HF_SHA256_HEX_SIZE], path[] = "/tmp/hf-test-body-XXXXXX";
    uint8_t key[32], *bytes = hf_alloc(SIZE);
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    memset(bytes, 'x', SIZE);
    assert_int_equal(write(fd, bytes, SIZE), SIZE);
    hf_sha256_hex(bytes, SIZE, sha256);
    hf_random(key, sizeof(key));
    hf_s3_options_of(&config, &options);
    MUST(hf_s3_open(&options, &s3, err), HF_OK);
    upload_all(s3, fd, sha256, key, 16);
    MUST(hf_store_set_sse_c(store, key, err), HF_OK);
    MUST(hf_store_head(store, "side-by-side/15", NULL, &info, err), HF_OK);
    assert_int_equal(info.size, SIZE);
    assert_int_equal(info.lock_mode, HF_LOCK_GOVERNANCE);
    assert_int_equal(info.retain_until_s, until_s);
    hf_s3_close(s3);
    hf_store_close(store);
    close(fd);
    free(bytes);
}

static void
wrong_keys_are_named_as_such(void **state)
{
    (void)state;
    struct hf_store *store = NULL;
    struct hf_buf document = HF_BUF(1024);

    static const char text[] =
        "[default]\naws_access_key_id = nobody\naws_secret_access_key = nothing\n";
    char folder[256], path[300];
    struct hf_config_store wrong = config;

    hf_test_tempdir(folder);
    snprintf(path, sizeof(path), "%s/credentials", folder);
    MUST(hf_fs_replace(path, text, sizeof(text) - 1, 0600, err), HF_OK);
    wrong.credentials_file = path;
    MUST(hf_store_open(&wrong, bucket, &store, err), HF_OK);
    MUST(hf_store_bucket_get(store, "policy", &document, err), HF_ECREDENTIALS);
    hf_store_close(store);
    hf_test_tempdir_remove(folder);
}

static void
an_unknown_authority_is_refused(void **state)
{
    (void)state;
    struct hf_config_store stranger = config;
    struct hf_store *store = NULL;
    enum hf_lock_state found;

    stranger.ca_file = NULL;
    MUST(hf_store_open(&stranger, bucket, &store, err), HF_OK);
    MUST(hf_store_bucket_state(store, &found, err), HF_ETLS);
    hf_store_close(store);
}

int
main(int argc, char **argv)
{
    virtual = argc > 1 && strcmp(argv[1], "virtual") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_is_made_with_object_lock),
        cmocka_unit_test(an_object_with_an_awkward_key_comes_back_whole),
        cmocka_unit_test(a_locked_version_cannot_be_deleted),
        cmocka_unit_test(versions_and_delete_markers_are_listed),
        cmocka_unit_test(long_listings_are_complete_and_in_order),
        cmocka_unit_test(sse_c_objects_need_their_key_and_others_are_still_read),
        cmocka_unit_test(sixteen_files_go_up_side_by_side),
        cmocka_unit_test(wrong_keys_are_named_as_such),
        cmocka_unit_test(an_unknown_authority_is_refused),
        cmocka_unit_test(documents_are_put_and_read_back), /* last: sets a default retention */
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
