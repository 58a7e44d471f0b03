/* confirm: head. */
#include "tests/unit/deliver/deliver_test.h"

static void
a_put_is_confirmed_by_reading_its_version(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    answer_put(fixture, "v1");
    answer_head(
        fixture,
        (struct shown){ .expect = "?versionId=v1 ", .version_id = "v1", .lock_until = LATER_TEXT });
    assert_int_equal(play(fixture), HF_OK);
    const struct hf_receipt *receipt = &fixture->delivery.receipt;
    assert_string_equal(receipt->version_id, "v1");
    assert_string_equal(receipt->etag, fixture->etag);
    assert_string_equal(receipt->confirmed, "head");
    assert_int_equal(receipt->lock_mode, HF_LOCK_GOVERNANCE);
    assert_int_equal(receipt->retain_until_s, LATER);
    assert_int_equal(receipt->repeated, 0);
    assert_false(receipt->advisory);
    assert_true(hf_starts_with(receipt->checksum, "md5:"));
    assert_in_range(receipt->delivered_s, fixture->date_s, fixture->date_s + 60);
    assert_false(fixture->delivery.unknown);
}

static void
a_put_says_everything_that_was_sealed(void **state)
{
    struct fixture *fixture = *state;

    fixture->sealed.signature = (char *)"abcd";
    fixture->sealed.signature_algorithm = (char *)"SHA256withRSA";
    fixture->sealed.legal_hold = true;
    fixture->sealed.encryption = HF_ENCRYPT_SSE_S3;
    answer_head_missing(fixture);
    answer(fixture, "PUT", "403 Forbidden", "", "<Error><Code>AccessDenied</Code></Error>");
    assert_int_equal(play(fixture), HF_EACCESS);
    assert_request_has(fixture, "\r\nIf-None-Match: *\r\n");
    assert_request_has(fixture, "\r\nContent-MD5: ");
    assert_request_has(fixture, "\r\nx-amz-content-sha256: ");
    assert_request_has(fixture, fixture->sealed.sha256);
    assert_request_has(fixture, "\r\nx-amz-object-lock-mode: GOVERNANCE\r\n");
    assert_request_has(fixture,
                       "\r\nx-amz-object-lock-retain-until-date: 2100-01-01T00:00:00Z\r\n");
    assert_request_has(fixture, "\r\nx-amz-object-lock-legal-hold: ON\r\n");
    assert_request_has(fixture, "\r\nContent-Type: application/json\r\n");
    assert_request_has(fixture, "\r\nContent-Encoding: gzip\r\n");
    assert_request_has(fixture, "\r\nx-amz-meta-holdfast-sha256: ");
    assert_request_has(fixture, "\r\nx-amz-meta-holdfast-chain: chain-1\r\n");
    assert_request_has(fixture, "\r\nx-amz-meta-holdfast-window: window-1\r\n");
    assert_request_has(fixture, "\r\nx-amz-meta-signature: abcd\r\n");
    assert_request_has(fixture, "\r\nx-amz-meta-signature-algorithm: SHA256withRSA\r\n");
    assert_request_has(fixture, "\r\nx-amz-server-side-encryption: AES256\r\n");
    assert_request_has(fixture, "\r\n\r\n" BODY);
    assert_false(fixture->delivery.unknown);
}

static void
what_was_not_asked_for_is_not_sent(void **state)
{
    struct fixture *fixture = *state;

    fixture->sealed.lock_mode = HF_LOCK_NONE;
    fixture->sealed.content_encoding = NULL;
    fixture->delivery.retain_until_s = fixture->delivery.first_retain_until_s = 0;
    fixture->store.checksum = HF_CHECKSUM_SHA256;
    answer_head_missing(fixture);
    answer(fixture, "PUT", "403 Forbidden", "", "<Error><Code>AccessDenied</Code></Error>");
    assert_int_equal(play(fixture), HF_EACCESS);
    assert_request_lacks(fixture, "x-amz-object-lock");
    assert_request_lacks(fixture, "Content-Encoding");
    assert_request_lacks(fixture, "Content-MD5");
    assert_request_lacks(fixture, "server-side-encryption");
    assert_request_lacks(fixture, "meta-signature");
    assert_request_has(fixture, "\r\nx-amz-checksum-sha256: ");
}

static void
without_a_retention_no_lock_is_asked_after(void **state)
{
    struct fixture *fixture = *state;

    fixture->sealed.lock_mode = HF_LOCK_NONE;
    fixture->delivery.retain_until_s = fixture->delivery.first_retain_until_s = 0;
    answer_head_missing(fixture);
    answer_put(fixture, NULL);
    answer_head(fixture, (struct shown){ .expect = "HEAD /logs/" KEY " HTTP" });
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.receipt.version_id, "");
    assert_int_equal(fixture->delivery.receipt.lock_mode, HF_LOCK_NONE);
}

static void
under_a_known_clock_a_first_put_goes_out_at_once(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 2; i++) {
        if (i == 0)
            answer_head_missing(fixture);
        answer_put(fixture, "v1");
        answer_head(fixture, (struct shown){ .version_id = "v1", .lock_until = LATER_TEXT });
    }
    begin_server(fixture);
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_OK);
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_OK);
    assert_string_equal(hf_script_failure(fixture->server), "");
    assert_int_equal(hf_script_played(fixture->server), 5);
}

/* ---- the lock ---- */

static void
a_lock_that_head_does_not_show_is_asked_for(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    answer_put(fixture, "v1");
    answer_head(fixture, (struct shown){ .version_id = "v1" });
    /* Ceph's nine digits of a second */
    answer_retention(fixture, "GET /logs/" KEY "?retention=&versionId=v1 ", "GOVERNANCE",
                     "2100-01-01T00:00:00.000000000Z");
    assert_int_equal(play(fixture), HF_OK);
    assert_int_equal(fixture->delivery.receipt.retain_until_s, LATER);
}

static void
a_missing_lock_is_added_once_and_then_held(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    answer_put(fixture, "v1");
    answer_head(fixture, (struct shown){ .version_id = "v1" });
    answer(fixture, "GET", "404 Not Found", "", no_retention);
    answer(fixture, "PUT /logs/" KEY "?retention=&versionId=v1 ", "200 OK", "", "");
    answer_retention(fixture, "GET", "GOVERNANCE", LATER_TEXT);
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.receipt.confirmed, "head");
    assert_int_equal(fixture->delivery.receipt.lock_mode, HF_LOCK_GOVERNANCE);
}

static void
a_store_that_never_locks_is_not_believed(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    answer_put(fixture, "v1");
    answer_head(fixture, (struct shown){ .version_id = "v1" });
    answer(fixture, "GET", "404 Not Found", "", no_retention);
    answer(fixture, "PUT", "200 OK", "", "");
    answer(fixture, "GET", "404 Not Found", "", no_retention);
    assert_int_equal(play(fixture), HF_ENOTHELD);
    assert_true(fixture->delivery.unknown);
    assert_non_null(strstr(fixture->delivery.error.text, "without a lock"));
}

static void
a_lock_that_may_not_be_added_is_told(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    answer_put(fixture, "v1");
    answer_head(fixture, (struct shown){ .version_id = "v1" });
    answer(fixture, "GET", "404 Not Found", "", no_retention);
    answer(fixture, "PUT", "403 Forbidden", "", "<Error><Code>AccessDenied</Code></Error>");
    assert_int_equal(play(fixture), HF_ENOTHELD);
    assert_true(fixture->delivery.unknown);
}

static void
a_lock_that_is_too_short_is_made_longer(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    answer_put(fixture, "v1");
    answer_head(fixture,
                (struct shown){ .version_id = "v1", .lock_until = "2099-12-31T00:00:00Z" });
    answer(fixture, "PUT /logs/" KEY "?retention=", "200 OK", "", "");
    answer_retention(fixture, "GET", "GOVERNANCE", LATER_TEXT);
    assert_int_equal(play(fixture), HF_OK);
}

static void
a_lock_of_the_first_attempt_is_right(void **state)
{
    struct fixture *fixture = *state;

    fixture->delivery.maybe_there = true;
    fixture->delivery.first_retain_until_s = LATER - 86400;
    answer_head(fixture,
                (struct shown){ .version_id = "v1", .lock_until = "2099-12-31T00:00:00Z" });
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.receipt.confirmed, "adopted");
    assert_int_equal(fixture->delivery.receipt.retain_until_s, LATER - 86400);
}

static void
the_weaker_mode_is_not_right(void **state)
{
    struct fixture *fixture = *state;

    fixture->sealed.lock_mode = HF_LOCK_COMPLIANCE;
    answer_head_missing(fixture);
    answer_put(fixture, "v1");
    answer_head(fixture, (struct shown){ .version_id = "v1", .lock_until = LATER_TEXT });
    answer(fixture, "PUT", "200 OK", "", "");
    answer_retention(fixture, "GET", "COMPLIANCE", LATER_TEXT);
    assert_int_equal(play(fixture), HF_OK);
    assert_int_equal(fixture->delivery.receipt.lock_mode, HF_LOCK_COMPLIANCE);
}

static void
a_bucket_without_lock_is_named(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    answer(fixture, "PUT", "400 Bad Request", "", "<Error><Code>InvalidRequest</Code></Error>");
    assert_int_equal(play(fixture), HF_ENOTHELD);
    assert_non_null(strstr(fixture->delivery.error.text, "bucket 'logs' has no Object Lock"));
    assert_non_null(strstr(fixture->delivery.error.text, "holdfast bucket apply"));
    assert_false(fixture->delivery.unknown);
}

static void
a_legal_hold_is_added_only_by_our_own_put(void **state)
{
    struct fixture *fixture = *state;

    fixture->sealed.legal_hold = true;
    fixture->delivery.maybe_there = true;
    answer_head(fixture, (struct shown){ .version_id = "v1", .lock_until = LATER_TEXT });
    assert_int_equal(play(fixture), HF_ENOTHELD);
    assert_true(fixture->delivery.unknown);
    assert_non_null(strstr(fixture->delivery.error.text, "legal hold"));
}

static void
a_legal_hold_that_is_shown_is_adopted(void **state)
{
    struct fixture *fixture = *state;

    fixture->sealed.legal_hold = true;
    fixture->delivery.maybe_there = true;
    answer_head(fixture, (struct shown){ .version_id = "v1",
                                         .lock_until = LATER_TEXT,
                                         .more = "x-amz-object-lock-legal-hold: ON\r\n" });
    assert_int_equal(play(fixture), HF_OK);
    assert_true(fixture->delivery.receipt.legal_hold);
}

/* ---- what is there already ---- */

static void
what_an_earlier_attempt_left_is_adopted_without_a_put(void **state)
{
    struct fixture *fixture = *state;

    fixture->delivery.maybe_there = true;
    answer_head(fixture, (struct shown){ .version_id = "v7", .lock_until = LATER_TEXT });
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.receipt.version_id, "v7");
    assert_string_equal(fixture->delivery.receipt.confirmed, "adopted");
    assert_string_equal(fixture->delivery.receipt.etag, fixture->etag);
}

static void
a_412_of_the_same_bytes_is_adopted(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    answer(fixture, "PUT", "412 Precondition Failed", "",
           "<Error><Code>PreconditionFailed</Code></Error>");
    answer_head(fixture, (struct shown){ .expect = "HEAD /logs/" KEY " HTTP",
                                         .version_id = "v7",
                                         .lock_until = LATER_TEXT });
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.receipt.version_id, "v7");
    assert_string_equal(fixture->delivery.receipt.confirmed, "adopted");
}

static void
a_412_of_other_bytes_is_foreign(void **state)
{
    static const struct shown others[] = {
        { .size = 5, .lock_until = LATER_TEXT },
        { .sha256 = "0000000000000000000000000000000000000000000000000000000000000000",
          .lock_until = LATER_TEXT },
        { .etag = OTHER_ETAG, .lock_until = LATER_TEXT },
    };
    (void)state;

    for (size_t i = 0; i < HF_COUNT(others); i++) {
        void *own = NULL;
        fixture_setup(&own);
        struct fixture *fixture = own;
        answer_head_missing(fixture);
        answer(fixture, "PUT", "412 Precondition Failed", "",
               "<Error><Code>PreconditionFailed</Code></Error>");
        answer_head(fixture, others[i]);
        assert_int_equal(play(fixture), HF_EFOREIGN);
        assert_false(fixture->delivery.unknown);
        fixture_teardown(&own);
    }
}

static void
an_adopted_object_without_lock_gets_it(void **state)
{
    struct fixture *fixture = *state;

    fixture->delivery.maybe_there = true;
    answer_head(fixture, (struct shown){ .version_id = "v7" });
    answer(fixture, "GET /logs/" KEY "?retention=&versionId=v7 ", "404 Not Found", "",
           no_retention);
    answer(fixture, "PUT /logs/" KEY "?retention=&versionId=v7 ", "200 OK", "", "");
    answer_retention(fixture, "GET", "GOVERNANCE", LATER_TEXT);
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.receipt.confirmed, "adopted");
}

static void
a_late_twin_is_counted_as_repeated(void **state)
{
    struct fixture *fixture = *state;

    fixture->delivery.maybe_there = true;
    answer_head_missing(fixture);
    answer_put(fixture, "v2");
    /* the PUT that was given up landed after all, on top of ours */
    answer_head(fixture, (struct shown){ .expect = "HEAD /logs/" KEY " HTTP",
                                         .version_id = "v3",
                                         .lock_until = LATER_TEXT });
    answer_head(
        fixture,
        (struct shown){ .expect = "?versionId=v2 ", .version_id = "v2", .lock_until = LATER_TEXT });
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.receipt.version_id, "v2");
    assert_int_equal(fixture->delivery.receipt.repeated, 1);
}

static void
a_foreign_version_on_top_is_not_ours_to_count(void **state)
{
    struct fixture *fixture = *state;

    fixture->delivery.maybe_there = true;
    answer_head_missing(fixture);
    answer_put(fixture, "v2");
    answer_head(fixture, (struct shown){ .version_id = "v3", .size = 3 });
    answer_head(
        fixture,
        (struct shown){ .expect = "?versionId=v2 ", .version_id = "v2", .lock_until = LATER_TEXT });
    assert_int_equal(play(fixture), HF_OK);
    assert_int_equal(fixture->delivery.receipt.repeated, 0);
}

/* ---- a 403 for what is not there: ListBucket is allowed under the prefix only ---- */

static void
answer_listing(struct fixture *fixture, const char *key)
{
    char body[500];

    snprintf(body, sizeof(body),
             "<ListBucketResult><IsTruncated>false</IsTruncated>%s%s%s</ListBucketResult>",
             key ? "<Contents><Key>" : "", key ? key : "", key ? "</Key></Contents>" : "");
    answer(fixture, "GET /logs?", "200 OK", "Content-Type: application/xml\r\n", body);
}

static void
what_head_forbids_a_listing_tells(void **state)
{
    struct fixture *fixture = *state;

    fixture->delivery.maybe_there = true;
    answer(fixture, "HEAD", "403 Forbidden", "", "");
    answer_listing(fixture, KEY ".longer");
    answer_put(fixture, NULL);
    answer_head(fixture, (struct shown){ .lock_until = LATER_TEXT });
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.receipt.confirmed, "head");
}

static void
what_is_listed_and_may_not_be_read_is_told(void **state)
{
    struct fixture *fixture = *state;

    fixture->delivery.maybe_there = true;
    answer(fixture, "HEAD", "403 Forbidden", "", "");
    answer_listing(fixture, KEY);
    assert_int_equal(play(fixture), HF_EACCESS);
    assert_true(fixture->delivery.unknown);
    assert_non_null(strstr(fixture->delivery.error.text, "GetObject"));
}

static void
without_the_right_to_list_either_nothing_is_put(void **state)
{
    struct fixture *fixture = *state;

    fixture->delivery.maybe_there = true;
    answer(fixture, "HEAD", "403 Forbidden", "", "");
    answer(fixture, "prefix=h%2FAWSLogs%2F", "403 Forbidden", "",
           "<Error><Code>AccessDenied</Code></Error>");
    assert_int_equal(play(fixture), HF_EACCESS);
    assert_true(fixture->delivery.unknown);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_put_is_confirmed_by_reading_its_version),
        T(a_put_says_everything_that_was_sealed),
        T(what_was_not_asked_for_is_not_sent),
        T(without_a_retention_no_lock_is_asked_after),
        T(under_a_known_clock_a_first_put_goes_out_at_once),
        T(a_lock_that_head_does_not_show_is_asked_for),
        T(a_missing_lock_is_added_once_and_then_held),
        T(a_store_that_never_locks_is_not_believed),
        T(a_lock_that_may_not_be_added_is_told),
        T(a_lock_that_is_too_short_is_made_longer),
        T(a_lock_of_the_first_attempt_is_right),
        T(the_weaker_mode_is_not_right),
        T(a_bucket_without_lock_is_named),
        T(a_legal_hold_is_added_only_by_our_own_put),
        T(a_legal_hold_that_is_shown_is_adopted),
        T(what_an_earlier_attempt_left_is_adopted_without_a_put),
        T(a_412_of_the_same_bytes_is_adopted),
        T(an_adopted_object_without_lock_gets_it),
        T(a_late_twin_is_counted_as_repeated),
        T(a_foreign_version_on_top_is_not_ours_to_count),
        T(what_head_forbids_a_listing_tells),
        T(what_is_listed_and_may_not_be_read_is_told),
        T(without_the_right_to_list_either_nothing_is_put),
        cmocka_unit_test(a_412_of_other_bytes_is_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
