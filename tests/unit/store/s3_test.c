/* The S3 driver against a scripted server: paging, and answers that do not go together. */
#include "tests/support/scripted_store.h"

#define LIST(body)                                                                                 \
    XML("200 OK", "<ListBucketResult><EncodingType>url</EncodingType>" body "</ListBucketResult>")
#define KEY(key) "<Contents><Key>" key "</Key></Contents>"
#define MORE(token)                                                                                \
    "<IsTruncated>true</IsTruncated><NextContinuationToken>" token "</NextContinuationToken>"
#define VERSIONS(body) XML("200 OK", "<ListVersionsResult>" body "</ListVersionsResult>")
#define VERSION(key, id)                                                                           \
    "<Version><Key>" key "</Key><VersionId>" id "</VersionId><Size>1</Size></Version>"

static struct scripted_store scripted;

static void
begin(const struct hf_script_step *steps, size_t count)
{
    scripted_store_begin(&scripted, "b", steps, count);
}

static void
end(size_t played)
{
    scripted_store_end(&scripted, played);
}

static void
a_listing_is_followed_over_its_pages(void **state)
{
    (void)state;
    static const struct hf_script_step steps[] = {
        { .expect =
              "GET /b?encoding-type=url&list-type=2&max-keys=4&prefix=p%2F&start-after=p%2F0 ",
          .reply = LIST(KEY("p%2F1") KEY("p/a+b") MORE("t%2F")) },
        { .expect =
              "GET "
              "/b?continuation-token=t%252F&encoding-type=url&list-type=2&max-keys=2&prefix=p%2F ",
          .reply = LIST(MORE("u")) },
        { .expect = "continuation-token=u",
          .reply = LIST(KEY("p/b") KEY("p/c") KEY("p/d") MORE("v")) },
    };
    struct hf_strings keys;
    struct hf_error err;

    begin(steps, HF_COUNT(steps));
    assert_int_equal(hf_store_list(scripted.store, "p/", "p/0", 4, &keys, &err), HF_OK);
    assert_int_equal(keys.count, 4);
    assert_string_equal(keys.items[0], "p/1");
    assert_string_equal(keys.items[1], "p/a b");
    assert_string_equal(keys.items[3], "p/c");
    hf_strings_done(&keys);
    end(3);
}

static void
a_listing_out_of_order_or_beside_the_prefix_is_refused(void **state)
{
    (void)state;
    static const struct hf_script_step steps[] = {
        { .reply = LIST(KEY("p/2") KEY("p/1")) },
        { .reply = LIST(KEY("q/1")) },
        { .reply = LIST(KEY("p/1") MORE("t")) },
        { .reply = LIST(KEY("p/1") MORE("t")) },
    };
    struct hf_strings keys = { .count = 77 };
    struct hf_error err;

    begin(steps, HF_COUNT(steps));
    for (int i = 0; i < 3; i++)
        assert_int_equal(hf_store_list(scripted.store, "p/", "", 1000, &keys, &err), HF_EFORMAT);
    assert_int_equal(keys.count, 77);
    end(4);
}

static void
versions_are_those_of_the_exact_key(void **state)
{
    (void)state;
    static const struct hf_script_step steps[] = {
        { .expect = "GET /b?encoding-type=url&prefix=k&versions= ",
          .reply = VERSIONS(VERSION(
              "k", "v3") "<DeleteMarker><Key>k</Key><VersionId>v2</VersionId></DeleteMarker>"
                         "<IsTruncated>true</IsTruncated><NextKeyMarker>k</"
                         "NextKeyMarker><NextVersionIdMarker>v2</NextVersionIdMarker>") },
        { .expect = "?encoding-type=url&key-marker=k&prefix=k&version-id-marker=v2&versions= ",
          .reply = VERSIONS(VERSION("k", "v1") VERSION(
              "k2", "x") "<IsTruncated>true</IsTruncated><NextKeyMarker>k2</NextKeyMarker>") },
    };
    struct hf_version_entry *entries;
    struct hf_error err;
    size_t count;

    begin(steps, HF_COUNT(steps));
    assert_int_equal(hf_store_versions(scripted.store, "k", &entries, &count, &err), HF_OK);
    assert_int_equal(count, 3);
    assert_string_equal(entries[0].version_id, "v3");
    assert_true(entries[1].is_delete_marker);
    assert_string_equal(entries[2].version_id, "v1");
    hf_store_versions_free(entries, count);
    end(2);
}

#define MARKER(key, latest)                                                                        \
    "<DeleteMarker><Key>" key "</Key><VersionId>m</VersionId><IsLatest>" latest                    \
    "</IsLatest></DeleteMarker>"

static void
hidden_is_what_a_delete_marker_is_the_latest_of(void **state)
{
    (void)state;
    static const struct hf_script_step steps[] = {
        { .expect = "GET /b?encoding-type=url&prefix=p%2F&versions= ",
          .reply = VERSIONS(VERSION("p/a", "v1") MARKER("p/b", "true") VERSION(
              "p/b", "v1") "<IsTruncated>true</IsTruncated><NextKeyMarker>p/b</NextKeyMarker>"
                           "<NextVersionIdMarker>v1</NextVersionIdMarker>") },
        { .expect = "?encoding-type=url&key-marker=p%2Fb&prefix=p%2F&version-id-marker=v1&"
                    "versions= ",
          .reply = VERSIONS(VERSION("p/c", "v2") MARKER("p/c", "false") MARKER("p/d", "true")) },
        { .reply = XML("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>") },
    };
    struct hf_strings keys;
    struct hf_error err;

    begin(steps, HF_COUNT(steps));
    assert_int_equal(hf_store_hidden(scripted.store, "p/", &keys, &err), HF_OK);
    assert_int_equal(keys.count, 2);
    assert_string_equal(keys.items[0], "p/b");
    assert_string_equal(keys.items[1], "p/d");
    hf_strings_done(&keys);
    assert_int_equal(hf_store_hidden(scripted.store, "p/", &keys, &err), HF_EREFUSED);
    assert_int_equal(keys.count, 0);
    end(3);
}

static void
versions_that_may_not_be_listed_are_refused(void **state)
{
    (void)state;
    static const struct hf_script_step step = {
        .reply = XML("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>")
    };
    struct hf_version_entry *entries;
    struct hf_error err;
    size_t count;

    begin(&step, 1);
    assert_int_equal(hf_store_versions(scripted.store, "k", &entries, &count, &err), HF_EREFUSED);
    assert_int_equal(err.status, HF_EREFUSED);
    end(1);
}

static void
the_state_of_a_bucket_is_told_apart(void **state)
{
    (void)state;
    static const struct hf_script_step steps[] = {
        { .expect = "GET /b?object-lock= ",
          .reply = XML("200 OK", "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</"
                                 "ObjectLockEnabled></ObjectLockConfiguration>") },
        { .reply = XML("404 Not Found",
                       "<Error><Code>ObjectLockConfigurationNotFoundError</Code></Error>") },
        { .expect = "HEAD /b ", .reply = XML("200 OK", "") },
        { .reply = XML("404 Not Found",
                       "<Error><Code>ObjectLockConfigurationNotFoundError</Code></Error>") },
        { .expect = "HEAD /b ", .reply = XML("404 Not Found", "") }, /* MinIO */
        { .reply = XML("404 Not Found", "<Error><Code>NoSuchBucket</Code></Error>") },
        { .reply = XML("501 Not Implemented", "<Error><Code>NotImplemented</Code></Error>") },
        { .reply = XML("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>") },
        { .reply = XML("200 OK", "<html></html>") },
    };
    static const struct {
        enum hf_status status;
        enum hf_lock_state state;
    } expected[] = { { HF_OK, HF_BUCKET_LOCKED },
                     { HF_OK, HF_BUCKET_UNLOCKED },
                     { HF_OK, HF_BUCKET_MISSING },
                     { HF_OK, HF_BUCKET_MISSING },
                     { HF_OK, HF_BUCKET_UNLOCKED },
                     { HF_EACCESS, 0 },
                     { HF_EFORMAT, 0 } };
    struct hf_error err;

    begin(steps, HF_COUNT(steps));
    for (size_t i = 0; i < HF_COUNT(expected); i++) {
        enum hf_lock_state found = 0;

        assert_int_equal(hf_store_bucket_state(scripted.store, &found, &err), expected[i].status);
        assert_int_equal(found, expected[i].state);
    }
    end(HF_COUNT(steps));
}

static void
a_bucket_is_made_with_lock_and_with_its_region_where_asked_for(void **state)
{
    (void)state;
    static const struct hf_script_step steps[] = {
        { .expect = "\r\nx-amz-bucket-object-lock-enabled: true\r\n",
          .reply = XML("400 Bad Request",
                       "<Error><Code>IllegalLocationConstraintException</Code></Error>") },
        { .expect = "\r\nContent-Length: 153\r\n", .reply = XML("200 OK", "") },
    };
    struct hf_error err;

    begin(steps, HF_COUNT(steps));
    assert_int_equal(hf_store_bucket_create(scripted.store, &err), HF_OK);
    end(2);
}

static void
sub_resources_are_put_with_content_md5(void **state)
{
    (void)state;
    static const struct hf_script_step steps[] = {
        { .expect = "\r\nContent-MD5: ", .reply = XML("204 No Content", "") },
        { .expect = "PUT /b/k?retention=&versionId=v1 ", .reply = XML("200 OK", "") },
        { .expect = "\r\nx-amz-bypass-governance-retention: true\r\n",
          .reply = XML("204 No Content", "") },
        { .reply = XML("404 Not Found", "<Error><Code>NoSuchBucketPolicy</Code></Error>") },
    };
    struct hf_buf document = HF_BUF(1024);
    struct hf_error err;

    begin(steps, HF_COUNT(steps));
    assert_int_equal(hf_store_bucket_put(scripted.store, "policy", "application/json",
                                         HF_SLICE_LITERAL("{}"), &err),
                     HF_OK);
    assert_int_equal(hf_store_set_retention(scripted.store, "k", "v1", HF_LOCK_GOVERNANCE,
                                            1795359600, false, &err),
                     HF_OK);
    assert_int_equal(hf_store_delete_version(scripted.store, "k", "v1", true, &err), HF_OK);
    assert_int_equal(hf_store_bucket_get(scripted.store, "policy", &document, &err), HF_ENOTFOUND);
    hf_buf_done(&document);
    end(4);
}

static void
an_object_is_read_with_its_signature(void **state)
{
    (void)state;
    static const struct hf_script_step steps[] = {
        { .expect = "GET /b/k?versionId=v1 ",
          .reply = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nx-amz-meta-signature: "
                   "ab\r\nx-amz-meta-signature-algorithm: SHA256withRSA\r\nContent-Length: "
                   "4\r\n\r\nbody" },
        { .reply = "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: 4\r\n\r\nbody" },
        { .reply = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", .expect = "HEAD /b/k " },
    };
    struct hf_object_info info;
    struct hf_buf body = HF_BUF(4096);
    struct hf_error err;

    begin(steps, HF_COUNT(steps));
    assert_int_equal(hf_store_get(scripted.store, "k", "v1", 4, &body, &info, &err), HF_OK);
    assert_string_equal(hf_buf_text(&body), "body");
    assert_string_equal(info.version_id,
                        "v1"); /* the one that was asked for, where the store does not repeat it */
    assert_string_equal(info.signature, "ab");
    assert_string_equal(info.signature_algorithm, "SHA256withRSA");
    assert_int_equal(info.size, 4);
    assert_int_equal(hf_store_get(scripted.store, "k", NULL, 3, &body, &info, &err), HF_ELIMIT);
    assert_string_equal(hf_buf_text(&body), "body");
    assert_int_equal(hf_store_head(scripted.store, "k", NULL, &info, &err), HF_ENOTFOUND);
    hf_buf_done(&body);
    end(3);
}

static void
no_customer_key_goes_over_plain_http(void **state)
{
    (void)state;
    static const uint8_t key[32];
    static const struct hf_script_step step = { .then = HF_SCRIPT_CLOSE };
    struct hf_error err;

    begin(&step, 1);
    assert_int_equal(hf_store_set_sse_c(scripted.store, key, &err), HF_ECONFIG);
    end(0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listing_is_followed_over_its_pages),
        cmocka_unit_test(a_listing_out_of_order_or_beside_the_prefix_is_refused),
        cmocka_unit_test(versions_are_those_of_the_exact_key),
        cmocka_unit_test(hidden_is_what_a_delete_marker_is_the_latest_of),
        cmocka_unit_test(versions_that_may_not_be_listed_are_refused),
        cmocka_unit_test(the_state_of_a_bucket_is_told_apart),
        cmocka_unit_test(a_bucket_is_made_with_lock_and_with_its_region_where_asked_for),
        cmocka_unit_test(sub_resources_are_put_with_content_md5),
        cmocka_unit_test(an_object_is_read_with_its_signature),
        cmocka_unit_test(no_customer_key_goes_over_plain_http),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
