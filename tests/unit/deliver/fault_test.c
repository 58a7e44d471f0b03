/* What goes wrong: is it told for what it is, and does the next attempt know whether to look first?
 */
#include "tests/unit/deliver/deliver_test.h"

static void
a_lost_answer_is_unknown_and_found_by_the_next_attempt(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    add_step(fixture, "PUT", NULL, HF_SCRIPT_RESET);
    answer_head(fixture, (struct shown){ .version_id = "v1", .lock_until = LATER_TEXT });
    begin_server(fixture);
    deliver_once(fixture);
    assert_int_equal(hf_status_next(fixture->delivery.status), HF_NEXT_WAIT);
    assert_true(fixture->delivery.unknown);
    fixture->delivery.maybe_there = fixture->delivery.unknown;
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_OK);
    assert_string_equal(fixture->delivery.receipt.confirmed, "adopted");
    assert_string_equal(hf_script_failure(fixture->server), "");
}

static void
a_store_that_lets_no_connection_be_used_again_gets_the_second_try(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    answer_head_missing(fixture);
    answer_put(fixture, "v1");
    answer_head(fixture, (struct shown){ .version_id = "v1", .lock_until = LATER_TEXT });
    for (size_t i = 0; i < fixture->step_count; i++)
        fixture->steps[i].then = HF_SCRIPT_RESET_REUSE;
    begin_server(fixture);
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_EUNREACHABLE);
    fixture->delivery.maybe_there = fixture->delivery.unknown;
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_OK);
    assert_string_equal(fixture->delivery.receipt.confirmed, "head");
    assert_string_equal(hf_script_failure(fixture->server), "");
}

static void
after_a_timeout_the_timeout_is_waited_once_more(void **state)
{
    struct fixture *fixture = *state;

    fixture->store.timeout_s = 1;
    answer_head_missing(fixture);
    add_step(fixture, "PUT", NULL, HF_SCRIPT_STALL);
    answer_head(fixture, (struct shown){ .version_id = "v1", .lock_until = LATER_TEXT });
    begin_server(fixture);
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_ETIMEOUT);
    assert_true(fixture->delivery.unknown);
    int64_t not_before_ms = fixture->delivery.not_before_boot_ms;
    assert_in_range(not_before_ms, (int64_t)hf_boot_ms() + 500, (int64_t)hf_boot_ms() + 1000);
    fixture->delivery.maybe_there = true;
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_OK);
    assert_true((int64_t)hf_boot_ms() >= not_before_ms);
}

struct refusal {
    const char *status_line, *headers, *body;
    enum hf_status status;
    bool unknown;
};

static void
each_answer_to_a_put_is_told_for_what_it_is(void **state)
{
    static const struct refusal refusals[] = {
        { "403 Forbidden", "", "<Error><Code>AccessDenied</Code></Error>", HF_EACCESS, false },
        { "403 Forbidden", "", "<Error><Code>InvalidAccessKeyId</Code></Error>", HF_ECREDENTIALS,
          false },
        { "403 Forbidden", "", "<Error><Code>RequestTimeTooSkewed</Code></Error>", HF_ESKEW,
          false },
        { "404 Not Found", "", "<Error><Code>NoSuchBucket</Code></Error>", HF_ENOTFOUND, false },
        { "503 Slow Down", "", "<Error><Code>SlowDown</Code></Error>", HF_EBUSYSTORE, true },
        { "500 Oops", "", "<Error><Code>InternalError</Code></Error>", HF_EBUSYSTORE, true },
        { "502 Bad Gateway", "", "", HF_EBUSYSTORE, true },
        { "409 Conflict", "", "<Error><Code>ConditionalRequestConflict</Code></Error>",
          HF_EBUSYSTORE, false },
        { "400 Bad Request", "", "<Error><Code>BadDigest</Code></Error>", HF_ECORRUPT, false },
        { "307 Temporary Redirect", "Location: http://127.0.0.1:1/x\r\n", "", HF_ECONFIG, false },
        { "200 OK", "Content-Type: text/html\r\n", "<html>please log in</html>", HF_EFORMAT, true },
        { "200 OK", "", "", HF_EFORMAT, true }, /* no ETag: not an answer of S3 */
    };
    (void)state;

    for (size_t i = 0; i < HF_COUNT(refusals); i++) {
        void *own = NULL;
        fixture_setup(&own);
        struct fixture *fixture = own;
        answer_head_missing(fixture);
        answer(fixture, "PUT", refusals[i].status_line, refusals[i].headers, refusals[i].body);
        enum hf_status status = play(fixture);
        if (status != refusals[i].status || fixture->delivery.unknown != refusals[i].unknown)
            fail_msg("'%s' %s gave %s, unknown %d: %s", refusals[i].status_line, refusals[i].body,
                     hf_status_name(status), fixture->delivery.unknown,
                     fixture->delivery.error.text);
        assert_int_equal(fixture->delivery.error.status, status);
        assert_non_null(strstr(fixture->delivery.error.text, KEY));
        fixture_teardown(&own);
    }
}

static void
each_answer_to_the_first_look_stops_before_the_put(void **state)
{
    static const struct refusal refusals[] = {
        { "500 Oops", "", "", HF_EBUSYSTORE, true },
        { "301 Moved Permanently", "", "", HF_ECONFIG, true },
        { "200 OK", "Content-Type: text/html\r\n", "", HF_EFORMAT, true },
    };
    (void)state;

    for (size_t i = 0; i < HF_COUNT(refusals); i++) {
        void *own = NULL;
        fixture_setup(&own);
        struct fixture *fixture = own;
        fixture->delivery.maybe_there = true;
        answer(fixture, "HEAD", refusals[i].status_line, refusals[i].headers, refusals[i].body);
        assert_int_equal(play(fixture), refusals[i].status);
        assert_int_equal(fixture->delivery.unknown, refusals[i].unknown);
        fixture_teardown(&own);
    }
}

static void
what_is_put_and_not_confirmed_is_unknown(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    answer_put(fixture, "v1");
    answer(fixture, "HEAD", "503 Slow Down", "", "");
    assert_int_equal(play(fixture), HF_EBUSYSTORE);
    assert_true(fixture->delivery.unknown);
}

static void
an_object_that_is_accepted_and_not_there_is_tried_again(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    answer_put(fixture, "v1");
    answer(fixture, "HEAD", "404 Not Found", "", "");
    assert_int_equal(play(fixture), HF_EBUSYSTORE);
    assert_true(fixture->delivery.unknown);
}

static void
wrong_bytes_under_our_version_are_corrupt(void **state)
{
    static const struct shown wrong[] = {
        { .version_id = "v1", .lock_until = LATER_TEXT, .size = 3 },
        { .version_id = "v1", .lock_until = LATER_TEXT, .sha256 = "00" },
        { .version_id = "v1", .lock_until = LATER_TEXT, .etag = OTHER_ETAG },
        { .version_id = "v1",
          .lock_until = LATER_TEXT,
          .more = "x-amz-checksum-sha256: 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n" },
    };
    (void)state;

    for (size_t i = 0; i < HF_COUNT(wrong); i++) {
        void *own = NULL;
        fixture_setup(&own);
        struct fixture *fixture = own;
        answer_head_missing(fixture);
        answer_put(fixture, "v1");
        answer_head(fixture, wrong[i]);
        assert_int_equal(play(fixture), HF_ECORRUPT);
        assert_true(fixture->delivery.unknown);
        fixture_teardown(&own);
    }
}

/* ---- the clock ---- */

static void
under_a_wrong_clock_nothing_is_put(void **state)
{
    static const int64_t offsets[] = { 3600, -3600, 16 * 60, -16 * 60 };
    (void)state;

    for (size_t i = 0; i < HF_COUNT(offsets); i++) {
        void *own = NULL;
        fixture_setup(&own);
        struct fixture *fixture = own;
        fixture->date_s += offsets[i];
        answer_head_missing(fixture);
        assert_int_equal(play(fixture), HF_ESKEW);
        assert_false(fixture->delivery.unknown);
        assert_in_range(hf_deliverer_skew_s(fixture->deliverer) - offsets[i] + 5, 0, 10);
        assert_in_range(hf_deliverer_now_s(fixture->deliverer), fixture->date_s,
                        fixture->date_s + 60);
        fixture_teardown(&own);
    }
}

static void
a_small_skew_is_learned_and_does_not_matter(void **state)
{
    struct fixture *fixture = *state;

    fixture->date_s += 300;
    answer_head_missing(fixture);
    answer_put(fixture, "v1");
    answer_head(fixture, (struct shown){ .version_id = "v1", .lock_until = LATER_TEXT });
    assert_int_equal(play(fixture), HF_OK);
    assert_in_range(hf_deliverer_skew_s(fixture->deliverer), 298, 302);
    assert_in_range(fixture->delivery.receipt.delivered_s, fixture->date_s, fixture->date_s + 60);
}

static void
a_clock_that_is_right_again_is_noticed_by_looking(void **state)
{
    struct fixture *fixture = *state;

    fixture->date_s += 3600;
    answer_head_missing(fixture);
    fixture->date_s -= 3600;
    answer_head_missing(fixture);
    answer_put(fixture, "v1");
    answer_head(fixture, (struct shown){ .version_id = "v1", .lock_until = LATER_TEXT });
    begin_server(fixture);
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_ESKEW);
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_OK);
    assert_string_equal(hf_script_failure(fixture->server), "");
}

/* ---- before anything is sent ---- */

static void
keys_of_the_store_never_go_over_plain_http(void **state)
{
    static const int encryptions[] = { HF_ENCRYPT_SSE_C, HF_ENCRYPT_SSE_KMS };
    (void)state;

    for (size_t i = 0; i < HF_COUNT(encryptions); i++) {
        void *own = NULL;
        fixture_setup(&own);
        struct fixture *fixture = own;
        char key_path[300];
        snprintf(key_path, sizeof(key_path), "%s/key", fixture->root);
        write_file(key_path, "0123456789abcdef0123456789abcdef", 0600);
        fixture->sealed.encryption = encryptions[i];
        fixture->sealed.sse_c_key_file = key_path;
        fixture->sealed.kms_key_id = (char *)"key-1";
        answer_head_missing(fixture);
        begin_server(fixture);
        deliver_once(fixture);
        assert_int_equal(fixture->delivery.status, HF_ECONFIG);
        assert_false(fixture->delivery.unknown);
        assert_int_equal(hf_script_played(fixture->server), 0);
        fixture_teardown(&own);
    }
}

static void
a_sealed_file_that_is_gone_is_corrupt(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(unlink(fixture->sealed_path), 0);
    answer_head_missing(fixture);
    assert_int_equal(play(fixture), HF_ECORRUPT);
    assert_false(fixture->delivery.unknown);
}

static void
credentials_that_come_later_are_taken(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(unlink(fixture->credentials_path), 0);
    answer_head_missing(fixture);
    answer_put(fixture, "v1");
    answer_head(fixture, (struct shown){ .version_id = "v1", .lock_until = LATER_TEXT });
    begin_server(fixture);
    deliver_once(fixture);
    assert_int_not_equal(fixture->delivery.status, HF_OK);
    assert_int_equal(hf_status_next(fixture->delivery.status), HF_NEXT_FIX);
    assert_non_null(strstr(fixture->delivery.error.text, "main"));
    write_file(fixture->credentials_path,
               "[default]\naws_access_key_id = A\naws_secret_access_key = S\n", 0600);
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_OK);
}

static void
nobody_there_is_not_unknown(void **state)
{
    struct fixture *fixture = *state;

    begin_server(fixture); /* for a port that was free a moment ago */
    fixture->store.url = hf_strdup(fixture->store.url);
    (void)hf_script_stop(fixture->server);
    fixture->server = NULL;
    deliver_once(fixture);
    assert_int_equal(fixture->delivery.status, HF_EUNREACHABLE);
    assert_false(fixture->delivery.unknown);
    free(fixture->store.url);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_lost_answer_is_unknown_and_found_by_the_next_attempt),
        T(a_store_that_lets_no_connection_be_used_again_gets_the_second_try),
        T(after_a_timeout_the_timeout_is_waited_once_more),
        T(what_is_put_and_not_confirmed_is_unknown),
        T(an_object_that_is_accepted_and_not_there_is_tried_again),
        T(a_small_skew_is_learned_and_does_not_matter),
        T(a_clock_that_is_right_again_is_noticed_by_looking),
        T(a_sealed_file_that_is_gone_is_corrupt),
        T(credentials_that_come_later_are_taken),
        T(nobody_there_is_not_unknown),
        cmocka_unit_test(each_answer_to_a_put_is_told_for_what_it_is),
        cmocka_unit_test(each_answer_to_the_first_look_stops_before_the_put),
        cmocka_unit_test(wrong_bytes_under_our_version_are_corrupt),
        cmocka_unit_test(under_a_wrong_clock_nothing_is_put),
        cmocka_unit_test(keys_of_the_store_never_go_over_plain_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
