/* What two tries to get rid of a locked object come to. */
#include "bucket_test.h"
#include "tests/support/scripted_store.h"

#define LOCK_STATE XML("200 OK", "<ObjectLockConfiguration/>")
#define PUT_DONE                                                                                   \
    "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nx-amz-version-id: v1\r\nContent-Length: 0\r\n\r\n"
#define HEAD(until)                                                                                \
    "HTTP/1.1 200 OK\r\nETag: \"e\"\r\nx-amz-version-id: v1\r\nx-amz-object-lock-mode: "           \
    "GOVERNANCE\r\nx-amz-object-lock-retain-until-date: " until "\r\nContent-Length: 83\r\n\r\n"
#define DENIED XML("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>")

static struct hf_bucket_probe
probe(const struct hf_script_step *steps, size_t count)
{
    struct scripted_store scripted;
    struct hf_bucket_probe found;
    struct hf_error err;
    scripted_store_begin(&scripted, "logs", steps, count);
    if (hf_bucket_probe(scripted.store, "p/k", &found, &err) != HF_OK)
        fail_msg("%s", err.text);
    scripted_store_end(&scripted, count);
    return found;
}

static void
a_store_that_holds_refuses_both(void **state)
{
    static const struct hf_script_step steps[] = {
        { .reply = LOCK_STATE },
        { .expect = "PUT /logs/p/k ", .reply = PUT_DONE },
        { .expect = "HEAD /logs/p/k?versionId=v1 ", .reply = HEAD("2999-01-01T00:00:00Z") },
        { .expect = "PUT /logs/p/k?retention=&versionId=v1 ", .reply = DENIED },
        { .expect = "DELETE /logs/p/k?versionId=v1 ",
          .reply = XML("400 Bad Request", "<Error><Code>InvalidRequest</Code></Error>") },
    };
    (void)state;
    struct hf_bucket_probe found = probe(steps, HF_COUNT(steps));
    assert_false(found.missing);
    assert_true(found.held);
    assert_string_equal(found.key, "p/k");
    assert_string_equal(found.info.version_id, "v1");
    assert_int_equal(found.shorten.verdict, HF_ATTEMPT_REFUSED);
    assert_string_equal(found.shorten.err.store_code, "AccessDenied");
    assert_int_equal(found.remove.verdict, HF_ATTEMPT_REFUSED);
    assert_string_equal(found.remove.err.store_code, "InvalidRequest");
}

static void
a_store_that_does_not_hold_is_found_out(void **state)
{
    static const struct hf_script_step steps[] = {
        { .reply = LOCK_STATE },
        { .reply = PUT_DONE },
        { .reply = HEAD("2001-01-01T00:00:00Z") }, /* not what was asked for */
        { .reply = XML("200 OK", "") },
        { .reply = XML("204 No Content", "") },
    };
    (void)state;
    struct hf_bucket_probe found = probe(steps, HF_COUNT(steps));
    assert_false(found.held);
    assert_int_equal(found.shorten.verdict, HF_ATTEMPT_ALLOWED);
    assert_int_equal(found.remove.verdict, HF_ATTEMPT_ALLOWED);
}

static void
an_answer_that_is_no_refusal_says_nothing(void **state)
{
    static const struct hf_script_step steps[] = {
        { .reply = LOCK_STATE },
        { .reply = PUT_DONE },
        { .reply = HEAD("2999-01-01T00:00:00Z") },
        { .reply = DENIED },
        { .reply = XML("503 Slow Down", "<Error><Code>SlowDown</Code></Error>") },
    };
    (void)state;
    struct hf_bucket_probe found = probe(steps, HF_COUNT(steps));
    assert_int_equal(found.shorten.verdict, HF_ATTEMPT_REFUSED);
    assert_int_equal(found.remove.verdict, HF_ATTEMPT_UNKNOWN);
    assert_int_equal(found.remove.err.status, HF_EBUSYSTORE);
}

static void
nothing_is_put_where_no_bucket_is(void **state)
{
    static const struct hf_script_step steps[] = {
        { .reply = XML("404 Not Found", "<Error><Code>NoSuchBucket</Code></Error>") },
    };
    (void)state;
    assert_true(probe(steps, HF_COUNT(steps)).missing);
}

static void
the_key_lies_where_the_writer_may_write(void **state)
{
    struct hf_config *config = configuration("", "retention: none", ", prefix: below");
    char key[HF_KEY_MAX];
    (void)state;
    hf_bucket_probe_key(config, &config->buckets[0], HOST, key);
    assert_true(hf_starts_with(key, "below/holdfast-probe/"));
    hf_config_free(config);
    config = configuration("", "retention: none", "");
    hf_bucket_probe_key(config, &config->buckets[0], HOST, key);
    assert_true(hf_starts_with(key, HOST "/holdfast-probe/"));
    hf_config_free(config);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_that_holds_refuses_both),
        cmocka_unit_test(a_store_that_does_not_hold_is_found_out),
        cmocka_unit_test(an_answer_that_is_no_refusal_says_nothing),
        cmocka_unit_test(nothing_is_put_where_no_bucket_is),
        cmocka_unit_test_setup_teardown(the_key_lies_where_the_writer_may_write, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
