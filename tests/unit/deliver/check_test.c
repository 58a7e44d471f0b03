/* CHECK: may this trail deliver, and what is its newest digest? */
#include "tests/unit/deliver/deliver_test.h"

#define PREFIX "h/AWSLogs/000000000000/CloudTrail-Digest/local/"
#define DIGEST(day, trail, stamp)                                                                  \
    PREFIX day "/000000000000_CloudTrail-Digest_local_" trail "_local_" stamp ".json.gz"
#define LIST_EXPECT "GET /logs?"

static const struct hf_layout layout = {
    .prefix = "h", .account = "000000000000", .region = "local", .trail = "audit"
};
static const char lock_on[] =
    "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>"
    "</ObjectLockConfiguration>";
static const char xml[] = "Content-Type: application/xml\r\n";

static int
check_setup(void **state)
{
    fixture_setup(state);
    struct fixture *fixture = *state;
    fixture->delivery.kind = HF_JOB_CHECK;
    fixture->delivery.sealed = NULL;
    fixture->delivery.layout = &layout;
    fixture->delivery.bucket = "logs";
    fixture->delivery.needs_lock = true;
    return 0;
}

static void
answer_lock(struct fixture *fixture)
{
    answer(fixture, "object-lock", "200 OK", xml, lock_on);
}

/* `keys` ends with NULL. */
static void
answer_page(struct fixture *fixture, const char *expect, const char *const *keys,
            const char *next_token)
{
    char body[4000];
    int size = snprintf(body, sizeof(body), "<ListBucketResult><IsTruncated>%s</IsTruncated>",
                        next_token ? "true" : "false");

    if (next_token)
        size += snprintf(body + size, sizeof(body) - (size_t)size,
                         "<NextContinuationToken>%s</NextContinuationToken>", next_token);
    for (; *keys; keys++)
        size += snprintf(body + size, sizeof(body) - (size_t)size,
                         "<Contents><Key>%s</Key></Contents>", *keys);
    snprintf(body + size, sizeof(body) - (size_t)size, "</ListBucketResult>");
    answer(fixture, expect, "200 OK", xml, body);
}

static void
a_bucket_without_digests_may_be_delivered_to(void **state)
{
    struct fixture *fixture = *state;
    const char *none[] = { NULL };

    answer_lock(fixture);
    for (int span = 0; span < 3; span++)
        answer_page(fixture, "start-after=", none, NULL);
    answer_page(fixture, LIST_EXPECT, none, NULL);
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.newest_digest_key, "");
    assert_int_equal(fixture->delivery.newest_digest.size, 0);
    assert_false(fixture->delivery.chain_unseen);
    assert_request_lacks(fixture, "start-after");
}

static void
the_newest_digest_of_this_trail_is_fetched(void **state)
{
    struct fixture *fixture = *state;
    const char *keys[] = { DIGEST("2026/11/21", "audit", "20261121T230000Z"),
                           DIGEST("2026/11/22", "audit", "20261122T100000Z"),
                           DIGEST("2026/11/22", "audit", "20261122T110000Z"),
                           DIGEST("2026/11/22", "zebra", "20261122T120000Z"),
                           PREFIX "keys/abc.pem",
                           NULL };

    answer_lock(fixture);
    answer_page(fixture, LIST_EXPECT, keys, NULL);
    answer(fixture, "GET /logs/" DIGEST("2026/11/22", "audit", "20261122T110000Z") " ", "200 OK",
           "ETag: \"x\"\r\n", "digest bytes");
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.newest_digest_key,
                        DIGEST("2026/11/22", "audit", "20261122T110000Z"));
    assert_string_equal(hf_buf_text(&fixture->delivery.newest_digest), "digest bytes");
}

/* A chain that cannot be seen now is not a chain that is not there. */
static void
a_digest_that_cannot_be_fetched_fails_the_check(void **state)
{
    struct fixture *fixture = *state;
    const char *keys[] = { DIGEST("2026/11/22", "audit", "20261122T110000Z"), NULL };

    answer_lock(fixture);
    answer_page(fixture, LIST_EXPECT, keys, NULL);
    answer(fixture, "GET /logs/" DIGEST("2026/11/22", "audit", "20261122T110000Z") " ",
           "503 Slow Down", "", "<Error><Code>SlowDown</Code></Error>");
    assert_int_equal(play(fixture), HF_EBUSYSTORE);
    assert_non_null(strstr(fixture->delivery.error.text, "reading the newest digest"));
    assert_string_equal(fixture->delivery.newest_digest_key, "");
}

static void
what_is_to_be_skipped_is_not_the_newest_and_the_signature_comes_along(void **state)
{
    struct fixture *fixture = *state;
    const char *keys[] = { DIGEST("2026/11/22", "audit", "20261122T100000Z"),
                           DIGEST("2026/11/22", "audit", "20261122T110000Z"),
                           DIGEST("2099/11/22", "audit", "20991122T110000Z"), NULL };
    char skip_1[] = DIGEST("2099/11/22", "audit", "20991122T110000Z"),
         skip_2[] = DIGEST("2026/11/22", "audit", "20261122T110000Z");
    char *skip[] = { skip_1, skip_2 };

    fixture->delivery.skip = skip;
    fixture->delivery.skip_count = HF_COUNT(skip);
    answer_lock(fixture);
    answer_page(fixture, LIST_EXPECT, keys, NULL);
    answer(fixture, "GET /logs/" DIGEST("2026/11/22", "audit", "20261122T100000Z") " ", "200 OK",
           "ETag: \"x\"\r\nx-amz-meta-signature: abcdef\r\n", "digest bytes");
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.newest_digest_key, keys[0]);
    assert_string_equal(fixture->delivery.newest_signature, "abcdef");
}

static void
it_is_found_on_later_pages_and_in_wider_spans(void **state)
{
    struct fixture *fixture = *state;
    const char *none[] = { NULL },
               *first[] = { DIGEST("2025/11/21", "audit", "20251121T230000Z"), NULL },
               *second[] = { DIGEST("2025/12/01", "audit", "20251201T230000Z"), NULL };

    answer_lock(fixture);
    answer_page(fixture, "start-after=", none, NULL);
    answer_page(fixture, "start-after=", none, NULL);
    answer_page(fixture, "start-after=", first, "more");
    answer_page(fixture, "continuation-token=more", second, NULL);
    answer(fixture, "20251201T230000Z", "200 OK", "ETag: \"x\"\r\n", "digest bytes");
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.newest_digest_key, second[0]);
}

static void
a_bucket_without_lock_is_refused_where_a_lock_is_needed(void **state)
{
    struct fixture *fixture = *state;
    const char *none[] = { NULL };

    answer(fixture, "object-lock", "404 Not Found", "",
           "<Error><Code>ObjectLockConfigurationNotFoundError</Code></Error>");
    answer_page(fixture, LIST_EXPECT, none, NULL);
    assert_int_equal(play(fixture), HF_ENOTHELD);
    assert_non_null(strstr(fixture->delivery.error.text, "bucket 'logs' has no Object Lock"));
}

/* MinIO says of a bucket that is not there that it has no lock. */
static void
one_that_only_seems_to_lack_it_is_missing(void **state)
{
    struct fixture *fixture = *state;

    answer(fixture, "object-lock", "404 Not Found", "",
           "<Error><Code>ObjectLockConfigurationNotFoundError</Code></Error>");
    answer(fixture, LIST_EXPECT, "404 Not Found", "", "<Error><Code>NoSuchBucket</Code></Error>");
    assert_int_equal(play(fixture), HF_ENOTFOUND);
    assert_non_null(strstr(fixture->delivery.error.text, "there is no bucket 'logs'"));
}

static void
and_is_fine_where_none_is(void **state)
{
    struct fixture *fixture = *state;

    fixture->store.confirm = HF_CONFIRM_PUT;
    fixture->delivery.needs_lock = false;
    answer(fixture, "object-lock", "404 Not Found", "",
           "<Error><Code>ObjectLockConfigurationNotFoundError</Code></Error>");
    assert_int_equal(play(fixture), HF_OK);
}

static void
a_missing_bucket_is_named_with_what_makes_it(void **state)
{
    struct fixture *fixture = *state;

    answer(fixture, "object-lock", "404 Not Found", "", "<Error><Code>NoSuchBucket</Code></Error>");
    assert_int_equal(play(fixture), HF_ENOTFOUND);
    assert_non_null(strstr(fixture->delivery.error.text, "holdfast bucket apply"));
}

static void
a_writer_need_not_see_the_lock_configuration(void **state)
{
    struct fixture *fixture = *state;

    fixture->store.confirm = HF_CONFIRM_PUT;
    answer(fixture, "object-lock", "403 Forbidden", "", "<Error><Code>AccessDenied</Code></Error>");
    assert_int_equal(play(fixture), HF_OK);
    assert_true(fixture->delivery.chain_unseen);
}

static void
the_right_to_list_is_needed(void **state)
{
    struct fixture *fixture = *state;

    answer_lock(fixture);
    answer(fixture, LIST_EXPECT, "403 Forbidden", "", "<Error><Code>AccessDenied</Code></Error>");
    assert_int_equal(play(fixture), HF_EACCESS);
    assert_non_null(strstr(fixture->delivery.error.text, "listing"));
}

static void
a_wrong_clock_is_told_before_any_put(void **state)
{
    struct fixture *fixture = *state;

    fixture->date_s += 3600;
    answer_lock(fixture);
    assert_int_equal(play(fixture), HF_ESKEW);
}

static void
answers_without_a_date_are_told(void **state)
{
    struct fixture *fixture = *state;

    add_step(fixture, "object-lock",
             hf_asprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n%s", xml, strlen(lock_on),
                         lock_on),
             HF_SCRIPT_KEEP);
    assert_int_equal(play(fixture), HF_ESKEW);
    assert_non_null(strstr(fixture->delivery.error.text, "no Date"));
}

/* Else a host whose clock was put right waits for one more round, with what it knew before. */
static void
what_was_signed_by_an_old_clock_is_asked_once_more(void **state)
{
    static const char skewed[] = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
    struct fixture *fixture = *state;

    fixture->store.confirm = HF_CONFIRM_PUT;
    answer(fixture, "object-lock", "403 Forbidden", xml, skewed);
    answer_lock(fixture);
    assert_int_equal(play(fixture), HF_OK);
}

static void
and_not_for_ever(void **state)
{
    static const char skewed[] = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
    struct fixture *fixture = *state;

    answer(fixture, "object-lock", "403 Forbidden", xml, skewed);
    answer(fixture, "object-lock", "403 Forbidden", xml, skewed);
    assert_int_equal(play(fixture), HF_ESKEW);
}

static void
a_listing_that_does_not_go_on_is_refused(void **state)
{
    const char *one[] = { DIGEST("2026/11/21", "audit", "20261121T230000Z"), NULL },
               *two[] = { DIGEST("2026/11/22", "audit", "20261122T230000Z"), NULL };
    const struct {
        const char *const *first, *const *second;
        const char *token, *next_token;
    } wrong[] = {
        { one, one, "a", "b" },  /* the same keys */
        { two, one, "a", NULL }, /* backwards */
        { one, two, "a", "a" },  /* the same place to go on */
    };
    (void)state;

    for (size_t i = 0; i < HF_COUNT(wrong); i++) {
        void *own = NULL;
        check_setup(&own);
        answer_lock(own);
        answer_page(own, "start-after=", wrong[i].first, wrong[i].token);
        answer_page(own, "continuation-token=a", wrong[i].second, wrong[i].next_token);
        assert_int_equal(play(own), HF_EFORMAT);
        fixture_teardown(&own);
    }
}

static void
what_is_not_s3_is_told(void **state)
{
    struct fixture *fixture = *state;

    answer(fixture, "object-lock", "200 OK", "Content-Type: text/html\r\n", "<html>log in</html>");
    assert_int_equal(play(fixture), HF_EFORMAT);
}

static void
retention_ends_at_the_midnight_after(void **state)
{
    (void)state;
    assert_int_equal(hf_retain_until(HF_LOCK_NONE, 10, 1000, 99), 0);
    assert_int_equal(hf_retain_until(HF_LOCK_GOVERNANCE, 0, 86399, 0), 86400);
    assert_int_equal(hf_retain_until(HF_LOCK_GOVERNANCE, 1, 0, 0), 2 * 86400);
    assert_int_equal(hf_retain_until(HF_LOCK_COMPLIANCE, 1, 86400, 0), 3 * 86400);
    assert_int_equal(hf_retain_until(HF_LOCK_COMPLIANCE, 1, 86400, LATER), LATER);
}

int
main(void)
{
#define C(name) cmocka_unit_test_setup_teardown(name, check_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        C(a_bucket_without_digests_may_be_delivered_to),
        C(the_newest_digest_of_this_trail_is_fetched),
        C(a_digest_that_cannot_be_fetched_fails_the_check),
        C(what_is_to_be_skipped_is_not_the_newest_and_the_signature_comes_along),
        C(it_is_found_on_later_pages_and_in_wider_spans),
        C(a_bucket_without_lock_is_refused_where_a_lock_is_needed),
        C(one_that_only_seems_to_lack_it_is_missing),
        C(and_is_fine_where_none_is),
        C(a_missing_bucket_is_named_with_what_makes_it),
        C(a_writer_need_not_see_the_lock_configuration),
        C(the_right_to_list_is_needed),
        C(a_wrong_clock_is_told_before_any_put),
        C(answers_without_a_date_are_told),
        C(what_was_signed_by_an_old_clock_is_asked_once_more),
        C(and_not_for_ever),
        cmocka_unit_test(a_listing_that_does_not_go_on_is_refused),
        C(what_is_not_s3_is_told),
        cmocka_unit_test(retention_ends_at_the_midnight_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
