#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <holdfast/json.h>
#include <holdfast/record.h>

#define ARRIVAL_S 1795359845 /* 2026-11-22T15:04:05Z */
#define ALL_REQUIRED                                                                               \
    "\"eventVersion\":\"1.08\",\"userIdentity\":{\"type\":\"Root\"},\"eventTime\":\"2026-11-"      \
    "22T15:00:00Z\","                                                                              \
    "\"eventSource\":\"s3.amazonaws.com\",\"eventName\":\"PutObject\",\"awsRegion\":\"eu-west-"    \
    "1\","                                                                                         \
    "\"sourceIPAddress\":\"192.0.2.1\",\"requestParameters\":null,\"responseElements\":{},"        \
    "\"eventID\":\"x\","                                                                           \
    "\"eventType\":\"AwsApiCall\",\"recipientAccountId\":\"111111111111\",\"eventCategory\":"      \
    "\"Data\""

static const struct hf_record_maker maker = {
    .host = "host1", .account = "000000000000", .region = "local", .journal_id = { 1, 2, 3 }
};

struct made {
    struct hf_buf buf;
    struct hf_slice record; /* in buf, or in the line */
    int64_t time_s;
    struct hf_record_counts counts;
    json_t *doc;
};

static void
make(struct made *made, struct hf_slice line, const struct hf_record_part *part)
{
    *made = (struct made){ .buf = HF_BUF(64u << 20) };
    assert_int_equal(hf_record_make(&maker, "app", "LogLine", 7, ARRIVAL_S, line, part, &made->buf,
                                    &made->record, &made->time_s, &made->counts),
                     HF_OK);
    made->doc = json_loadb((const char *)made->record.ptr, made->record.size, 0, NULL);
    assert_non_null(made->doc);
    assert_null(memchr(made->record.ptr, '\n', made->record.size));
}

static void
done(struct made *made)
{
    json_decref(made->doc);
    hf_buf_done(&made->buf);
}

static const char *
original(const struct made *made, const char *key)
{
    return json_string_value(
        json_object_get(json_object_get(made->doc, "additionalEventData"), key));
}

static const char *const required[] = {
    "eventVersion", "userIdentity",       "eventTime",         "eventSource",      "eventName",
    "awsRegion",    "sourceIPAddress",    "requestParameters", "responseElements", "eventID",
    "eventType",    "recipientAccountId", "eventCategory"
};

static void
assert_complete(const json_t *doc)
{
    for (size_t i = 0; i < HF_COUNT(required); i++)
        assert_non_null(json_object_get(doc, required[i]));
}

static void
a_complete_event_keeps_its_bytes(void **state)
{
    struct made made;
    (void)state;
    struct hf_slice line = HF_SLICE_LITERAL(" \t{" ALL_REQUIRED ", \"x\" : [1, 2] } \r");
    make(&made, line, NULL);
    struct hf_slice inner = HF_SLICE_LITERAL("{" ALL_REQUIRED ", \"x\" : [1, 2] }");
    assert_true(hf_slice_equal(made.record, inner));
    assert_ptr_equal(made.record.ptr, line.ptr + 2); /* nothing was copied */
    assert_int_equal(made.counts.shaped, 1);
    assert_int_equal(made.time_s, 1795359600);
    done(&made);
}

static void
missing_fields_are_inserted_and_the_rest_stays(void **state)
{
    struct made made;
    (void)state;
    make(&made,
         HF_SLICE_LITERAL("{\"eventTime\":\"2026-11-22T15:00:00.123+00:00\",\"eventSource\":\"a\","
                          "\"eventName\":\"b\"}"),
         NULL);
    assert_complete(made.doc);
    assert_true(hf_ends_with(hf_buf_text(&made.buf),
                             ",\"eventTime\":\"2026-11-22T15:00:00.123+00:00\","
                             "\"eventSource\":\"a\",\"eventName\":\"b\"}"));
    assert_string_equal(json_string_value(json_object_get(made.doc, "sourceIPAddress")), "host1");
    assert_string_equal(json_string_value(json_object_get(made.doc, "eventVersion")), "1.11");
    assert_string_equal(json_string_value(json_object_get(made.doc, "recipientAccountId")),
                        "000000000000");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(made.doc, "userIdentity"), "type")),
        "Unknown");
    assert_true(json_is_null(json_object_get(made.doc, "requestParameters")));
    assert_int_equal(made.time_s, 1795359600);
    assert_int_equal(made.counts.shaped, 1);
    done(&made);
}

/* With one field missing at a time, exactly that one is inserted. */
static void
each_missing_field_is_the_only_one_inserted(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_COUNT(required); i++) {
        if (strcmp(required[i], "eventTime") == 0 || strcmp(required[i], "eventSource") == 0 ||
            strcmp(required[i], "eventName") == 0)
            continue;
        json_t *event = json_loads("{" ALL_REQUIRED "}", 0, NULL);
        json_object_del(event, required[i]);
        char *line = json_dumps(event, JSON_COMPACT);
        struct made made;
        make(&made, hf_slice_text(line), NULL);
        assert_complete(made.doc);
        assert_int_equal(json_object_size(made.doc), HF_COUNT(required));
        assert_true(hf_ends_with(hf_buf_text(&made.buf), line + 1));
        done(&made);
        free(line);
        json_decref(event);
    }
}

static void
a_time_that_is_none_is_the_arrival(void **state)
{
    struct made made;
    (void)state;
    make(
        &made,
        HF_SLICE_LITERAL("{\"eventTime\":\"yesterday\",\"eventSource\":\"a\",\"eventName\":\"b\"}"),
        NULL);
    assert_int_equal(made.time_s, ARRIVAL_S);
    assert_int_equal(made.counts.shaped, 1);
    done(&made);
}

static void
another_object_becomes_a_flat_record_with_its_own_bytes(void **state)
{
    struct made made;
    (void)state;
    make(&made, HF_SLICE_LITERAL(" {\"eventTime\":5, \"a\":1.50}\r"), NULL);
    assert_complete(made.doc);
    assert_non_null(strstr(hf_buf_text(&made.buf),
                           "\"additionalEventData\":{\"json\":{\"eventTime\":5, \"a\":1.50}}"));
    assert_string_equal(json_string_value(json_object_get(made.doc, "eventSource")),
                        "app.holdfast");
    assert_string_equal(json_string_value(json_object_get(made.doc, "eventName")), "LogLine");
    assert_string_equal(json_string_value(json_object_get(made.doc, "eventTime")),
                        "2026-11-22T15:04:05Z");
    assert_string_equal(json_string_value(json_object_get(made.doc, "eventType")),
                        "AwsServiceEvent");
    assert_string_equal(json_string_value(json_object_get(made.doc, "eventCategory")),
                        "Management");
    assert_int_equal(made.counts.flat_json, 1);
    done(&made);
}

static void
text_is_text_without_its_carriage_return(void **state)
{
    static const char *const lines[] = { "Nov 22 sshd: \"quoted\" \\ \x01 \xc3\xa4\r", "[1,2]\r",
                                         "17\r", "\"string\"\r" };
    (void)state;
    for (size_t i = 0; i < HF_COUNT(lines); i++) {
        struct made made;
        make(&made, hf_slice_text(lines[i]), NULL);
        assert_complete(made.doc);
        assert_non_null(original(&made, "text"));
        assert_int_equal(strlen(original(&made, "text")), strlen(lines[i]) - 1);
        assert_memory_equal(original(&made, "text"), lines[i], strlen(lines[i]) - 1);
        assert_null(original(&made, "reason"));
        assert_int_equal(made.counts.text, 1);
        done(&made);
    }
}

static void
broken_json_is_kept_and_marked(void **state)
{
    struct made made;
    (void)state;
    make(&made, HF_SLICE_LITERAL("{\"a\":1"), NULL);
    assert_string_equal(original(&made, "text"), "{\"a\":1");
    assert_non_null(original(&made, "reason"));
    done(&made);

    hf_owned(hf_freep) char *deep = hf_alloc(60001);
    memset(deep, '[', 30000);
    memset(deep + 30000, ']', 30000);
    memcpy(deep, "{\"a\":", 5);
    deep[59999] = '}';
    make(&made, hf_slice(deep, 60000), NULL);
    assert_string_equal(original(&made, "text"), deep);
    assert_non_null(strstr(original(&made, "reason"), "deep"));
    done(&made);
}

static void
assert_base64(const char *bytes, size_t size)
{
    struct made made;
    struct hf_buf back = HF_BUF(4096);
    make(&made, hf_slice(bytes, size), NULL);
    assert_non_null(original(&made, "base64"));
    assert_int_equal(
        hf_unbase64(original(&made, "base64"), strlen(original(&made, "base64")), &back), HF_OK);
    assert_true(hf_slice_equal(hf_buf_slice(&back), hf_slice(bytes, size)));
    assert_non_null(original(&made, "reason"));
    assert_int_equal(made.counts.base64, 1);
    hf_buf_done(&back);
    done(&made);
}

static void
what_is_no_text_is_kept_in_base64(void **state)
{
    (void)state;
    assert_base64("a\0b", 3);
    assert_base64("\xff\xfe", 2);
    assert_base64("\xed\xa0\x80", 3);          /* a surrogate */
    assert_base64("{\"a\":\"\xc0\x80\"}", 10); /* an overlong form */
}

static void
parts_say_which_they_are(void **state)
{
    struct made made;
    (void)state;
    make(&made, HF_SLICE_LITERAL("{\"eventTime\":\"2026-11-22T15:00:00Z\"\r"),
         &(struct hf_record_part){ .number = 2 });
    const json_t *part = json_object_get(json_object_get(made.doc, "additionalEventData"), "part");
    assert_int_equal(json_integer_value(json_object_get(part, "number")), 2);
    assert_null(json_object_get(part, "sha256"));
    assert_true(hf_ends_with(original(&made, "text"), "\r"));
    assert_int_equal(made.counts.parts, 1);
    done(&made);

    make(&made, HF_SLICE_LITERAL(""),
         &(struct hf_record_part){
             .number = 3, .count_known = 3, .total_bytes = 99, .sha256 = "ab" });
    part = json_object_get(json_object_get(made.doc, "additionalEventData"), "part");
    assert_int_equal(json_integer_value(json_object_get(part, "number")), 3);
    assert_int_equal(json_integer_value(json_object_get(part, "of")), 3);
    assert_int_equal(json_integer_value(json_object_get(part, "ofBytes")), 99);
    assert_string_equal(json_string_value(json_object_get(part, "sha256")), "ab");
    done(&made);
}

static void
the_event_id_depends_on_journal_and_sequence_only(void **state)
{
    char a[HF_EVENT_ID_SIZE], b[HF_EVENT_ID_SIZE];
    uint8_t other[16] = { 9 };
    (void)state;
    hf_event_id(maker.journal_id, 7, a);
    hf_event_id(maker.journal_id, 7, b);
    assert_string_equal(a, b);
    assert_int_equal(strlen(a), 36);
    assert_true(a[8] == '-' && a[13] == '-' && a[18] == '-' && a[23] == '-' && a[14] == '8' &&
                strchr("89ab", a[19]));
    hf_event_id(maker.journal_id, 8, b);
    assert_string_not_equal(a, b);
    hf_event_id(other, 7, b);
    assert_string_not_equal(a, b);

    struct made made;
    make(&made, HF_SLICE_LITERAL("x"), NULL);
    assert_string_equal(json_string_value(json_object_get(made.doc, "eventID")), a);
    done(&made);
}

static void
own_events_carry_their_details(void **state)
{
    struct hf_buf record = HF_BUF(65536);
    (void)state;
    assert_int_equal(hf_record_make_own(&maker, "SourceGap", 7, ARRIVAL_S, "{\"a\":1}", &record),
                     HF_OK);
    json_t *doc = json_loadb((const char *)record.ptr, record.size, 0, NULL);
    assert_non_null(doc);
    assert_complete(doc);
    assert_string_equal(json_string_value(json_object_get(doc, "eventSource")), "holdfast");
    assert_string_equal(json_string_value(json_object_get(doc, "eventName")), "SourceGap");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(doc, "serviceEventDetails"), "a")), 1);
    json_decref(doc);
    hf_buf_done(&record);
}

static void
a_record_over_the_buffers_limit_leaves_the_buffer_alone(void **state)
{
    struct hf_buf record = HF_BUF(100);
    struct hf_record_counts counts = { 0 };
    struct hf_slice bytes = { NULL, 0 };
    int64_t time_s = 1;
    (void)state;
    assert_int_equal(hf_buf_add_text(&record, "before"), HF_OK);
    assert_int_equal(hf_record_make(&maker, "app", "LogLine", 7, ARRIVAL_S,
                                    HF_SLICE_LITERAL("a line"), NULL, &record, &bytes, &time_s,
                                    &counts),
                     HF_ELIMIT);
    assert_null(bytes.ptr);
    assert_string_equal(hf_buf_text(&record), "before");
    assert_int_equal(record.size, 6);
    assert_int_equal(counts.text, 0);
    assert_int_equal(time_s, 1);
    hf_buf_done(&record);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_complete_event_keeps_its_bytes),
        cmocka_unit_test(missing_fields_are_inserted_and_the_rest_stays),
        cmocka_unit_test(each_missing_field_is_the_only_one_inserted),
        cmocka_unit_test(a_time_that_is_none_is_the_arrival),
        cmocka_unit_test(another_object_becomes_a_flat_record_with_its_own_bytes),
        cmocka_unit_test(text_is_text_without_its_carriage_return),
        cmocka_unit_test(broken_json_is_kept_and_marked),
        cmocka_unit_test(what_is_no_text_is_kept_in_base64),
        cmocka_unit_test(parts_say_which_they_are),
        cmocka_unit_test(the_event_id_depends_on_journal_and_sequence_only),
        cmocka_unit_test(own_events_carry_their_details),
        cmocka_unit_test(a_record_over_the_buffers_limit_leaves_the_buffer_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
