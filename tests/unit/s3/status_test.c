#include "tests/support/test.h"

#include <holdfast/s3.h>

struct row {
    const char *method;
    int http_status;
    const char *code;
    bool asked_lock, asked_sse_c;
    enum hf_status status;
    const char *says;
    const char *message; /* NULL: none */
};

static const struct row rows[] = {
    { "PUT", 200, "", false, false, HF_OK, "" },
    { "DELETE", 204, "", false, false, HF_OK, "" },
    { "PUT", 403, "RequestTimeTooSkewed", false, false, HF_ESKEW, "1200 s ahead" },
    { "PUT", 403, "SignatureDoesNotMatch", false, false, HF_ECREDENTIALS, "check the keys" },
    { "PUT", 403, "InvalidAccessKeyId", false, false, HF_ECREDENTIALS, "check the keys" },
    { "GET", 400, "ExpiredToken", false, false, HF_ECREDENTIALS, "renew" },
    { "GET", 401, "", false, false, HF_ECREDENTIALS, "check the keys" },
    { "PUT", 403, "AccessDenied", false, false, HF_EACCESS, "right" },
    { "PUT", 403, "AccessDenied", false, true, HF_EACCESS, "AWS blocks SSE-C" },
    { "HEAD", 403, "", false, false, HF_EACCESS, "right" },
    { "GET", 404, "NoSuchKey", false, false, HF_ENOTFOUND, "NoSuchKey" },
    { "GET", 404, "NoSuchBucket", false, false, HF_ENOTFOUND, "holdfast bucket apply" },
    { "HEAD", 404, "", false, false, HF_ENOTFOUND, "404" },
    { "GET", 404, "ObjectLockConfigurationNotFoundError", false, false, HF_ENOTFOUND, "no lock" },
    { "HEAD", 405, "", false, false, HF_ENOTFOUND, "delete marker" },
    { "PUT", 400, "InvalidRequest", true, false, HF_ENOTHELD, "holdfast bucket apply" },
    { "PUT", 404, "ObjectLockConfigurationNotFoundError", true, false, HF_ENOTHELD,
      "holdfast bucket apply" },
    { "PUT", 400, "InvalidRequest", false, false, HF_EREFUSED, "InvalidRequest" },
    { "DELETE", 400, "InvalidRequest", false, false, HF_EACCESS, "locked",
      "Object is WORM protected and cannot be overwritten" },
    { "PUT", 400, "InvalidRequest", false, false, HF_EACCESS, "locked",
      "Object is WORM protected and cannot be overwritten" },
    { "DELETE", 400, "InvalidRequest", false, false, HF_EREFUSED, "(no)", "no" },
    { "DELETE", 403, "AccessDenied", false, false, HF_EACCESS, "AccessDenied" },
    { "HEAD", 400, "", false, false, HF_EREFUSED, "SSE-C" },
    { "PUT", 412, "PreconditionFailed", true, false, HF_EEXISTS, "taken" },
    { "PUT", 412, "", true, false, HF_EEXISTS, "taken" },
    { "PUT", 409, "ConditionalRequestConflict", true, false, HF_EBUSYSTORE, "again" },
    { "PUT", 409, "BucketAlreadyOwnedByYou", false, false, HF_EEXISTS, "already" },
    { "PUT", 503, "SlowDown", false, false, HF_EBUSYSTORE, "again" },
    { "PUT", 500, "InternalError", false, false, HF_EBUSYSTORE, "again" },
    { "PUT", 502, "", false, false, HF_EBUSYSTORE, "again" },
    { "PUT", 504, "", false, false, HF_EBUSYSTORE, "again" },
    { "PUT", 429, "", false, false, HF_EBUSYSTORE, "again" },
    { "PUT", 400, "RequestTimeout", false, false, HF_EBUSYSTORE, "again" },
    { "PUT", 501, "NotImplemented", false, false, HF_EREFUSED, "does not have" },
    { "PUT", 301, "PermanentRedirect", false, false, HF_ECONFIG, "region 'eu-west-1'" },
    { "PUT", 307, "", false, false, HF_ECONFIG, "redirects are refused" },
    { "GET", 400, "AuthorizationHeaderMalformed", false, false, HF_ECONFIG, "region 'eu-west-1'" },
    { "PUT", 400, "BadDigest", false, false, HF_ECORRUPT, "bytes changed" },
    { "PUT", 400, "XAmzContentSHA256Mismatch", true, false, HF_ECORRUPT, "bytes changed" },
    { "PUT", 400, "EntityTooLarge", false, false, HF_EREFUSED, "EntityTooLarge" },
    { "PUT", 403, "QuotaExceeded", false, false, HF_EREFUSED, "quota" },
};

static void
each_answer_has_its_status_and_says_what_to_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct hf_s3_reply reply = { .outcome = HF_S3_ANSWERED, .http_status = row->http_status };
        struct hf_error err = { .text = "" };
        enum hf_status status;

        reply.asked_lock = row->asked_lock;
        reply.asked_sse_c = row->asked_sse_c;
        reply.date_s = 1;
        reply.skew_s = 1200;
        snprintf(reply.region, sizeof(reply.region), "eu-west-1");
        snprintf(reply.method, sizeof(reply.method), "%s", row->method);
        snprintf(reply.message, sizeof(reply.message), "%s", row->message ? row->message : "");
        snprintf(reply.code, sizeof(reply.code), "%s", row->code);
        status = hf_s3_status(&reply, "putting 'a/b'", &err);
        if (status != row->status || !strstr(err.text, row->says))
            fail_msg("%s %d %s: %s '%s'", row->method, row->http_status, row->code,
                     hf_status_name(status), err.text);
        if (status == HF_OK)
            continue;
        assert_true(hf_starts_with(err.text, "putting 'a/b': "));
        assert_int_equal(err.status, status);
        assert_int_equal(err.http_status, row->http_status);
        assert_string_equal(err.store_code, row->code);
        assert_int_equal(hf_s3_status(&reply, NULL, NULL), status);
    }
}

static void
what_does_not_speak_s3_is_named(void **state)
{
    (void)state;
    struct hf_error err;
    struct hf_s3_reply reply = {
        .outcome = HF_S3_ANSWERED, .http_status = 200, .not_s3 = true, .method = "PUT"
    };

    assert_int_equal(hf_s3_status(&reply, NULL, &err), HF_EFORMAT);
    reply.http_status = 403;
    assert_int_equal(hf_s3_status(&reply, NULL, &err), HF_EFORMAT);
    reply.http_status = 302;
    assert_int_equal(hf_s3_status(&reply, NULL, &err), HF_ECONFIG);
    reply.http_status = 502; /* a proxy's page: the store behind it is down */
    assert_int_equal(hf_s3_status(&reply, NULL, &err), HF_EBUSYSTORE);
}

static void
without_an_answer_the_transport_decides(void **state)
{
    (void)state;
    struct hf_error err;
    struct hf_s3_reply reply = { .outcome = HF_S3_UNKNOWN,
                                 .transport = HF_ETIMEOUT,
                                 .transport_text = "slow" };

    assert_int_equal(hf_s3_status(&reply, "getting 'k'", &err), HF_ETIMEOUT);
    assert_string_equal(err.text, "getting 'k': slow");
}

static void
a_redirect_names_its_place(void **state)
{
    (void)state;
    struct hf_s3_reply reply = { .outcome = HF_S3_ANSWERED,
                                 .http_status = 301,
                                 .headers = HF_BUF(256) };
    struct hf_error err;

    assert_int_equal(hf_buf_add(&reply.headers, "Location\0https://other.example/", 32), HF_OK);
    assert_int_equal(hf_s3_status(&reply, NULL, &err), HF_ECONFIG);
    assert_non_null(strstr(err.text, "https://other.example/"));
    hf_s3_reply_done(&reply);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_status_and_says_what_to_do),
        cmocka_unit_test(what_does_not_speak_s3_is_named),
        cmocka_unit_test(without_an_answer_the_transport_decides),
        cmocka_unit_test(a_redirect_names_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
