#include "api_test.h"

/* The answer, parsed; the HTTP status is checked. */
static json_t *
ask(struct fake_agent *agent, const char *target, const char *body, int expected_status)
{
    struct hf_api_options options = test_options(agent);
    struct hf_buf reply = HF_BUF(1 << 20);
    int status = hf_api_answer(&options, target, hf_slice_text(body), &reply);
    if (status != expected_status)
        fail_msg("%s %s: %d %s", target, body, status, hf_buf_text(&reply));
    json_t *doc = json_loads(hf_buf_text(&reply), 0, NULL);
    assert_non_null(doc);
    hf_buf_done(&reply);
    return doc;
}

static void
fails(struct fake_agent *agent, const char *target, const char *body, int status, const char *code)
{
    json_t *doc = ask(agent, target, body, status);
    assert_string_equal(hf_doc_text_or(doc, "__type", ""), code);
    assert_true(*hf_doc_text_or(doc, "message", ""));
    json_decref(doc);
}

static size_t
described(const char *body)
{
    struct fake_agent agent = { 0 };
    json_t *doc = ask(&agent, TARGET "DescribeTrails", body, 200);
    size_t count = json_array_size(json_object_get(doc, "trailList"));
    json_decref(doc);
    return count;
}

static void
trails_are_described_as_cloudtrail_does(void **state)
{
    (void)state;
    struct fake_agent agent = { 0 };
    json_t *doc = ask(&agent, TARGET "DescribeTrails", "{}", 200),
           *list = json_object_get(doc, "trailList");
    assert_int_equal(json_array_size(list), 2);
    json_t *first = json_array_get(list, 0), *second = json_array_get(list, 1);
    assert_string_equal(hf_doc_text_or(first, "Name", ""), "audit");
    assert_string_equal(hf_doc_text_or(first, "S3BucketName", ""), "logs");
    assert_string_equal(hf_doc_text_or(first, "S3KeyPrefix", ""), "host1");
    assert_string_equal(hf_doc_text_or(first, "HomeRegion", ""), "local");
    assert_string_equal(hf_doc_text_or(first, "TrailARN", ""),
                        "arn:aws:cloudtrail:local:123456789012:trail/audit");
    assert_true(json_is_true(json_object_get(first, "LogFileValidationEnabled")));
    assert_true(json_is_false(json_object_get(first, "IsOrganizationTrail")));
    assert_null(json_object_get(first, "KmsKeyId"));
    assert_null(json_object_get(second, "S3KeyPrefix")); /* absent, not empty */
    assert_true(json_is_true(json_object_get(second, "IsOrganizationTrail")));
    assert_string_equal(hf_doc_text_or(second, "KmsKeyId", ""), "k");
    json_decref(doc);
}

static void
trails_are_chosen_by_name_or_arn(void **state)
{
    (void)state;
    assert_int_equal(described(""), 2);
    assert_int_equal(described("{\"trailNameList\":null,\"includeShadowTrails\":false}"), 2);
    assert_int_equal(described("{\"trailNameList\":[]}"), 2);
    assert_int_equal(described("{\"trailNameList\":[\"audit\",\"nobody\"]}"), 1);
    assert_int_equal(
        described("{\"trailNameList\":[\"arn:aws:cloudtrail:local:123456789012:trail/held.one\"]}"),
        1);
    assert_int_equal(
        described(
            "{\"trailNameList\":[\"arn:aws:cloudtrail:elsewhere:123456789012:trail/audit\"]}"),
        0);
}

static void
wrong_names_get_cloudtrails_errors(void **state)
{
    (void)state;
    struct fake_agent agent = { 0 };
    static const char *const operation = TARGET "DescribeTrails", *const status =
                                                                      TARGET "GetTrailStatus";
    fails(&agent, operation, "{\"trailNameList\":[\"ab\"]}", 400, "InvalidTrailNameException");
    fails(&agent, operation, "{\"trailNameList\":[\"-abc\"]}", 400, "InvalidTrailNameException");
    fails(&agent, operation, "{\"trailNameList\":[\"a b c\"]}", 400, "InvalidTrailNameException");
    fails(&agent, operation, "{\"trailNameList\":[\"arn:aws:s3:::bucket\"]}", 400,
          "CloudTrailARNInvalidException");
    fails(&agent, operation, "{\"trailNameList\":[\"arn:aws:cloudtrail:local:1:trail/\"]}", 400,
          "CloudTrailARNInvalidException");
    fails(&agent, operation, "{\"trailNameList\":[7]}", 400, "SerializationException");
    fails(&agent, operation, "{\"trailNameList\":\"audit\"}", 400, "SerializationException");
    fails(&agent, status, "{}", 400, "InvalidTrailNameException");
    fails(&agent, status, "{\"Name\":\"unknown\"}", 400, "TrailNotFoundException");
    fails(&agent, status, "{\"Name\":\"arn:aws:cloudtrail:local:123456789012:trail/unknown\"}", 400,
          "TrailNotFoundException");
}

static void
status_comes_from_the_agent(void **state)
{
    (void)state;
    struct fake_agent agent = { 0 };
    json_t *doc = ask(&agent, TARGET "GetTrailStatus", "{\"Name\":\"audit\"}", 200);
    assert_true(json_is_true(json_object_get(doc, "IsLogging")));
    assert_int_equal(json_integer_value(json_object_get(doc, "LatestDeliveryTime")), 60);
    assert_int_equal(json_integer_value(json_object_get(doc, "StartLoggingTime")), 10);
    assert_null(json_object_get(doc, "LatestDigestDeliveryTime"));
    assert_null(json_object_get(doc, "LatestDeliveryError"));
    assert_string_equal(hf_doc_text_or(doc, "TimeLoggingStopped", "?"), "");
    json_decref(doc);

    doc = ask(&agent, TARGET "GetTrailStatus", "{\"Name\":\"held.one\"}", 200);
    assert_true(json_is_false(json_object_get(doc, "IsLogging"))); /* it only drains */
    assert_string_equal(hf_doc_text_or(doc, "LatestDeliveryError", ""), "no Object Lock");
    json_decref(doc);
}

static void
without_an_agent_a_trail_is_not_logging(void **state)
{
    (void)state;
    struct fake_agent agent = { .away = true };
    json_t *doc = ask(&agent, TARGET "GetTrailStatus", "{\"Name\":\"audit\"}", 200);
    assert_true(json_is_false(json_object_get(doc, "IsLogging")));
    assert_null(json_object_get(doc, "LatestDeliveryTime"));
    json_decref(doc);
}

/* Fingerprints of the answer, in order. */
static void
listed(const char *body, const char *expected)
{
    struct fake_agent agent = { 0 };
    char found[64] = "";
    json_t *doc = ask(&agent, TARGET "ListPublicKeys", body, 200), *key;
    size_t index;
    json_array_foreach(json_object_get(doc, "PublicKeyList"), index, key)
        snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s ",
                 hf_doc_text_or(key, "Fingerprint", "?"));
    if (strcmp(found, expected) != 0)
        fail_msg("%s: listed '%s', expected '%s'", body, found, expected);
    json_decref(doc);
}

static void
keys_are_those_of_the_time_asked_for(void **state)
{
    (void)state;
    listed("", "aa bb cc ");
    listed("{\"StartTime\":1769904000,\"EndTime\":1772323200}", "aa cc ");     /* February 2026 */
    listed("{\"StartTime\":1782864000.5,\"EndTime\":1785542400.5}", "bb cc "); /* July 2026 */
    listed("{\"StartTime\":1780275600,\"EndTime\":1780279200}",
           "aa bb cc "); /* an hour after the rotation: both */
    listed("{\"StartTime\":-1e300,\"EndTime\":1e300}", "aa bb cc ");
    listed("{\"EndTime\":1600000000}", "cc "); /* a file's time says nothing */
}

static void
a_key_is_told_with_value_and_validity(void **state)
{
    (void)state;
    struct fake_agent agent = { 0 };
    json_t *doc = ask(&agent, TARGET "ListPublicKeys", "{}", 200);
    json_t *key = json_array_get(json_object_get(doc, "PublicKeyList"), 0),
           *open = json_array_get(json_object_get(doc, "PublicKeyList"), 1);
    assert_string_equal(hf_doc_text_or(key, "Value", ""), "QQ==");
    assert_int_equal(json_integer_value(json_object_get(key, "ValidityStartTime")), 1767225600);
    assert_int_equal(json_integer_value(json_object_get(key, "ValidityEndTime")), 1780272000);
    assert_true(json_integer_value(json_object_get(open, "ValidityEndTime")) > 4000000000);
    json_decref(doc);
}

static void
what_is_not_understood_is_an_error(void **state)
{
    (void)state;
    struct fake_agent agent = { 0 }, broken = { .keys_broken = true };
    fails(&agent, NULL, "{}", 400, "UnknownOperationException");
    fails(&agent, "", "{}", 400, "UnknownOperationException");
    fails(&agent, "DescribeTrails", "{}", 400, "UnknownOperationException");
    fails(&agent, TARGET "CreateTrail", "{}", 400, "UnknownOperationException");
    fails(&agent, "com.amazonaws.s3.DescribeTrails", "{}", 400, "UnknownOperationException");
    fails(&agent, TARGET "DescribeTrails", "[]", 400, "SerializationException");
    fails(&agent, TARGET "DescribeTrails", "{", 400, "SerializationException");
    fails(&agent, TARGET "ListPublicKeys", "{\"StartTime\":\"2026\"}", 400,
          "SerializationException");
    fails(&agent, TARGET "ListPublicKeys", "{\"StartTime\":2,\"EndTime\":1}", 400,
          "InvalidTimeRangeException");
    fails(&broken, TARGET "ListPublicKeys", "{}", 500, "InternalFailure");
}

static void
an_answer_never_grows_past_the_buffer(void **state)
{
    (void)state;
    struct fake_agent agent = { 0 };
    struct hf_api_options options = test_options(&agent);
    struct hf_buf small = HF_BUF(64);
    assert_int_equal(hf_api_answer(&options, TARGET "DescribeTrails", hf_slice_text("{}"), &small),
                     500);
    assert_int_equal(small.size, 0);
    hf_buf_done(&small);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trails_are_described_as_cloudtrail_does),
        cmocka_unit_test(trails_are_chosen_by_name_or_arn),
        cmocka_unit_test(wrong_names_get_cloudtrails_errors),
        cmocka_unit_test(status_comes_from_the_agent),
        cmocka_unit_test(without_an_agent_a_trail_is_not_logging),
        cmocka_unit_test(keys_are_those_of_the_time_asked_for),
        cmocka_unit_test(a_key_is_told_with_value_and_validity),
        cmocka_unit_test(what_is_not_understood_is_an_error),
        cmocka_unit_test(an_answer_never_grows_past_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
