/* confirm: put, for credentials that may not read. */
#include "tests/unit/deliver/deliver_test.h"

static int
put_only_setup(void **state)
{
    fixture_setup(state);
    ((struct fixture *)*state)->store.confirm = HF_CONFIRM_PUT;
    return 0;
}

static void
nothing_there(struct fixture *fixture)
{
    answer(fixture, "GET /logs/" KEY "?retention= ", "404 Not Found", "", no_key);
}

static void
answer_taken(struct fixture *fixture)
{
    answer(fixture, "PUT", "412 Precondition Failed", "",
           "<Error><Code>PreconditionFailed</Code></Error>");
}

static void
the_answer_stands_for_the_bytes_and_retention_for_the_lock(void **state)
{
    struct fixture *fixture = *state;

    nothing_there(fixture);
    answer_put(fixture, "v1");
    answer_retention(fixture, "GET /logs/" KEY "?retention=&versionId=v1 ", "GOVERNANCE",
                     LATER_TEXT);
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.receipt.confirmed, "put");
    assert_string_equal(fixture->delivery.receipt.version_id, "v1");
    assert_string_equal(fixture->delivery.receipt.etag, fixture->etag);
    assert_int_equal(fixture->delivery.receipt.retain_until_s, LATER);
}

static void
a_question_that_is_forbidden_does_not_stop_the_put(void **state)
{
    struct fixture *fixture = *state;

    answer(fixture, "GET", "403 Forbidden", "", "<Error><Code>AccessDenied</Code></Error>");
    answer_put(fixture, "v1");
    answer_retention(fixture, "GET", "GOVERNANCE", LATER_TEXT);
    assert_int_equal(play(fixture), HF_OK);
}

static void
a_missing_lock_is_added_once(void **state)
{
    struct fixture *fixture = *state;

    nothing_there(fixture);
    answer_put(fixture, "v1");
    answer(fixture, "GET", "404 Not Found", "", no_retention);
    answer(fixture, "PUT /logs/" KEY "?retention=&versionId=v1 ", "200 OK", "", "");
    answer(fixture, "GET", "404 Not Found", "", no_retention);
    assert_int_equal(play(fixture), HF_ENOTHELD);
    assert_true(fixture->delivery.unknown);
}

static void
a_lock_that_stays_less_than_was_asked_for_is_told_with_both(void **state)
{
    struct fixture *fixture = *state;

    nothing_there(fixture);
    answer_put(fixture, "v1");
    answer_retention(fixture, "GET", "GOVERNANCE", "2099-01-01T00:00:00Z");
    answer(fixture, "PUT /logs/" KEY "?retention=&versionId=v1 ", "200 OK", "", "");
    answer_retention(fixture, "GET", "GOVERNANCE", "2099-01-01T00:00:00Z");
    assert_int_equal(play(fixture), HF_ENOTHELD);
    assert_non_null(strstr(fixture->delivery.error.text,
                           "in GOVERNANCE until 2099-01-01T00:00:00Z, not in GOVERNANCE until "
                           "2100-01-01T00:00:00Z"));
    assert_true(fixture->delivery.unknown);
}

static void
an_answer_about_the_lock_that_is_none_is_told(void **state)
{
    struct fixture *fixture = *state;

    nothing_there(fixture);
    answer_put(fixture, "v1");
    answer(fixture, "GET", "200 OK", "Content-Type: application/xml\r\n", "<Retention><Mode>");
    assert_int_equal(play(fixture), HF_EFORMAT);
    assert_true(fixture->delivery.unknown); /* it was put */
}

static void
a_store_in_trouble_at_the_first_question_gets_no_put(void **state)
{
    struct fixture *fixture = *state;

    answer(fixture, "GET /logs/" KEY "?retention= ", "503 Slow Down", "",
           "<Error><Code>SlowDown</Code></Error>");
    assert_int_equal(play(fixture), HF_EBUSYSTORE);
    assert_non_null(strstr(fixture->delivery.error.text, KEY));
}

static void
a_taken_key_is_adopted_on_its_lock_after_an_unknown_attempt(void **state)
{
    struct fixture *fixture = *state;

    fixture->delivery.maybe_there = true;
    answer_retention(fixture, "GET /logs/" KEY "?retention= ", "GOVERNANCE", LATER_TEXT);
    answer_taken(fixture);
    answer_retention(fixture, "GET /logs/" KEY "?retention= ", "GOVERNANCE", LATER_TEXT);
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.receipt.confirmed, "put");
    assert_string_equal(fixture->delivery.receipt.version_id, "");
}

static void
a_taken_key_that_we_never_put_is_foreign(void **state)
{
    struct fixture *fixture = *state;

    nothing_there(fixture);
    answer_taken(fixture);
    assert_int_equal(play(fixture), HF_EFOREIGN);
    assert_false(fixture->delivery.unknown);
}

static void
what_was_foreign_before_is_not_adopted_by_its_lock(void **state)
{
    struct fixture *fixture = *state;

    fixture->delivery.maybe_there = fixture->delivery.foreign = true;
    answer_retention(fixture, "GET", "GOVERNANCE", LATER_TEXT);
    answer(fixture, "PUT", "412 Precondition Failed", "",
           "<Error><Code>PreconditionFailed</Code></Error>");
    assert_int_equal(play(fixture), HF_EFOREIGN);
}

static void
a_store_that_ignores_the_condition_repeats(void **state)
{
    struct fixture *fixture = *state;

    fixture->delivery.maybe_there = true;
    answer_retention(fixture, "GET", "GOVERNANCE", LATER_TEXT);
    answer_put(fixture, "v2");
    answer_retention(fixture, "GET /logs/" KEY "?retention=&versionId=v2 ", "GOVERNANCE",
                     LATER_TEXT);
    assert_int_equal(play(fixture), HF_OK);
    assert_int_equal(fixture->delivery.receipt.repeated, 1);
}

static void
a_wrong_etag_or_checksum_is_not_our_object(void **state)
{
    static const char *const headers[] = {
        "ETag: \"" OTHER_ETAG "\"\r\n",
        "ETag: \"x-2\"\r\nx-amz-checksum-sha256: 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n",
    };
    (void)state;

    for (size_t i = 0; i < HF_COUNT(headers); i++) {
        void *own = NULL;
        put_only_setup(&own);
        nothing_there(own);
        answer(own, "PUT", "200 OK", headers[i], "");
        /* Nobody could tell at the next attempt: the lock alone would make it ours. */
        assert_int_equal(play(own), HF_EFOREIGN);
        fixture_teardown(&own);
    }
}

static void
an_etag_of_a_kms_bucket_is_not_compared(void **state)
{
    struct fixture *fixture = *state;

    nothing_there(fixture);
    answer(fixture, "PUT", "200 OK",
           "ETag: \"" OTHER_ETAG "\"\r\nx-amz-server-side-encryption: aws:kms\r\n", "");
    answer_retention(fixture, "GET", "GOVERNANCE", LATER_TEXT);
    assert_int_equal(play(fixture), HF_OK);
}

static void
without_a_retention_the_answer_is_all(void **state)
{
    struct fixture *fixture = *state;

    fixture->sealed.lock_mode = HF_LOCK_NONE;
    fixture->delivery.retain_until_s = fixture->delivery.first_retain_until_s = 0;
    nothing_there(fixture);
    answer_put(fixture, "v1");
    assert_int_equal(play(fixture), HF_OK);
    assert_string_equal(fixture->delivery.receipt.confirmed, "put");
}

static void
an_earlier_attempt_stays_unknown_when_this_one_is_refused(void **state)
{
    struct fixture *fixture = *state;

    fixture->delivery.maybe_there = true;
    nothing_there(fixture);
    answer(fixture, "PUT", "403 Forbidden", "", "<Error><Code>AccessDenied</Code></Error>");
    assert_int_equal(play(fixture), HF_EACCESS);
    assert_true(fixture->delivery.unknown);
}

int
main(void)
{
#define P(name) cmocka_unit_test_setup_teardown(name, put_only_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        P(the_answer_stands_for_the_bytes_and_retention_for_the_lock),
        P(a_question_that_is_forbidden_does_not_stop_the_put),
        P(a_missing_lock_is_added_once),
        P(a_lock_that_stays_less_than_was_asked_for_is_told_with_both),
        P(an_answer_about_the_lock_that_is_none_is_told),
        P(a_store_in_trouble_at_the_first_question_gets_no_put),
        P(a_taken_key_is_adopted_on_its_lock_after_an_unknown_attempt),
        P(a_taken_key_that_we_never_put_is_foreign),
        P(what_was_foreign_before_is_not_adopted_by_its_lock),
        P(a_store_that_ignores_the_condition_repeats),
        P(an_etag_of_a_kms_bucket_is_not_compared),
        P(without_a_retention_the_answer_is_all),
        P(an_earlier_attempt_stays_unknown_when_this_one_is_refused),
        cmocka_unit_test(a_wrong_etag_or_checksum_is_not_our_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
