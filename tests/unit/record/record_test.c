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
    .host = "host1",
    .account = "000000000000",
    .region = "local",
    .journal_id = { 1, 2, 3 },
    .provenance = true,
};
static const char app_tail[] = ",\"holdfast\":{\"seq\":7,\"source\":\"app\"}}";

struct made {
    struct hf_buf buf, whole;
    struct hf_record record;
    struct hf_record_counts counts;
    json_t *doc;
};

static void
make_line(struct made *made, const struct hf_record_maker *by,
          const struct hf_record_origin *origin, const struct hf_record_line *line)
{
    *made = (struct made){ .buf = HF_BUF(64u << 20), .whole = HF_BUF(64u << 20) };
    assert_int_equal(hf_record_make(by, origin, line, &made->buf, &made->record, &made->counts),
                     HF_OK);
    for (size_t i = 0; i < HF_COUNT(made->record.parts); i++)
        assert_int_equal(
            hf_buf_add(&made->whole, made->record.parts[i].ptr, made->record.parts[i].size), HF_OK);
    assert_int_equal(made->whole.size, made->record.size);
    assert_in_range(made->record.appended, 0, HF_RECORD_APPENDED_MAX);
    made->doc = json_loadb((const char *)made->whole.ptr, made->whole.size, JSON_ALLOW_NUL, NULL);
    assert_non_null(made->doc);
    assert_null(memchr(made->whole.ptr, '\n', made->whole.size));
}

static void
make(struct made *made, struct hf_slice bytes, const struct hf_record_part *part)
{
    struct hf_record_origin origin;
    hf_record_origin(&origin, "app", "LogLine");
    make_line(
        made, &maker, &origin,
        &(struct hf_record_line){ .bytes = bytes, .seq = 7, .arrival_s = ARRIVAL_S, .part = part });
}

/* As a line of a file; `unended`: without a newline. */
static void
make_of_file(struct made *made, const struct hf_record_maker *by, const char *path,
             struct hf_slice bytes, bool unended)
{
    struct hf_record_origin origin;
    hf_record_origin(&origin, "app", "LogLine");
    hf_record_origin_file(&origin, path);
    make_line(
        made, by, &origin,
        &(struct hf_record_line){
            .bytes = bytes, .seq = 7, .offset = 4711, .arrival_s = ARRIVAL_S, .unended = unended });
}

static const char *
text_of(const struct made *made)
{
    return hf_buf_text(&made->whole);
}

static const json_t *
said(const struct made *made, const char *key)
{
    return json_object_get(json_object_get(made->doc, "holdfast"), key);
}

static void
done(struct made *made)
{
    json_decref(made->doc);
    hf_buf_done(&made->buf);
    hf_buf_done(&made->whole);
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
    struct hf_slice inner = HF_SLICE_LITERAL("{" ALL_REQUIRED ", \"x\" : [1, 2] ");
    assert_true(hf_slice_equal(made.record.parts[0], inner));
    assert_ptr_equal(made.record.parts[0].ptr, line.ptr + 2); /* nothing was copied */
    assert_true(hf_slice_is(made.record.parts[1], app_tail));
    assert_int_equal(made.record.appended, sizeof(app_tail) - 2);
    assert_int_equal(made.counts.shaped, 1);
    assert_int_equal(made.record.event_time_s, 1795359600);
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
    assert_non_null(strstr(text_of(&made), ",\"eventTime\":\"2026-11-22T15:00:00Z\","
                                           "\"eventSource\":\"a\",\"eventName\":\"b\","
                                           "\"holdfast\":{"));
    assert_string_equal(json_string_value(said(&made, "eventTime")),
                        "2026-11-22T15:00:00.123+00:00");
    /* Cut out again, it is the line, but for the time. */
    json_int_t inserted = json_integer_value(said(&made, "inserted"));
    assert_memory_equal(text_of(&made) + 1 + inserted, "\"eventTime\":", 12);
    assert_string_equal(json_string_value(json_object_get(made.doc, "sourceIPAddress")), "host1");
    assert_string_equal(json_string_value(json_object_get(made.doc, "eventVersion")), "1.11");
    assert_string_equal(json_string_value(json_object_get(made.doc, "recipientAccountId")),
                        "000000000000");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(made.doc, "userIdentity"), "type")),
        "Unknown");
    assert_true(json_is_null(json_object_get(made.doc, "requestParameters")));
    assert_int_equal(made.record.event_time_s, 1795359600);
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
        assert_int_equal(json_object_size(made.doc), HF_COUNT(required) + 1);
        size_t inserted = (size_t)json_integer_value(said(&made, "inserted"));
        assert_memory_equal(text_of(&made) + 1 + inserted, line + 1, strlen(line) - 2);
        assert_true(
            hf_starts_with(text_of(&made) + inserted + strlen(line) - 1, ",\"holdfast\":{"));
        done(&made);
        free(line);
        json_decref(event);
    }
}

#define TIMED(time) "{\"eventTime\":\"" time "\",\"eventSource\":\"a\",\"eventName\":\"b\"}"

static void
a_time_in_another_form_is_written_as_cloudtrail_writes_it(void **state)
{
    (void)state;
    static const struct {
        const char *written, *line;
    } cases[] = {
        { "2026-11-28T10:00:01.250Z", TIMED("2026-11-28T10:00:01.250Z") },
        { "2026-11-28T15:30:01+05:30", TIMED("2026-11-28T15:30:01+05:30") },
        { "2026-11-28T02:00:01.5-0800", TIMED("2026-11-28T02:00:01.5-0800") },
        { "2026-11-28T12:00:01+02", TIMED("2026-11-28T12:00:01+02") },
        { "2026-11-28 10:00:01", TIMED("2026-11-28 10:00:01") },
        { "2026-11-28 10:00:01,123", TIMED("2026-11-28 10:00:01,123") },
        { "2026-11-28 10:00:01 UTC", TIMED("2026-11-28 10:00:01 UTC") },
        { "2026-11-28T10:00:01", TIMED("2026-11-28T10:00:01") },
        { "2026-11-28t10:00:01z", TIMED("2026-11-28t10:00:01z") },
        { "20261128T100001Z", TIMED("20261128T100001Z") },
        { "Sat, 28 Nov 2026 10:00:01 GMT", TIMED("Sat, 28 Nov 2026 10:00:01 GMT") },
        { "2026-11-28T09:59:60.5Z", TIMED("2026-11-28T09:59:60.5Z") },
        { "2026-11-28T10:00:01Z", TIMED("2026-11-28T10:00:01\\u005a") },
    };
    for (size_t i = 0; i < HF_COUNT(cases); i++) {
        struct made made;
        make(&made, hf_slice_text(cases[i].line), NULL);
        bool leap = strstr(cases[i].written, ":60") != NULL;
        assert_int_equal(made.counts.shaped, 1);
        assert_string_equal(json_string_value(json_object_get(made.doc, "eventTime")),
                            leap ? "2026-11-28T10:00:00Z" : "2026-11-28T10:00:01Z");
        assert_string_equal(json_string_value(said(&made, "eventTime")), cases[i].written);
        assert_int_equal(made.record.event_time_s, leap ? 1795860000 : 1795860001);
        done(&made);
    }
}

static void
what_is_no_time_is_not_shaped(void **state)
{
    (void)state;
    static const char *const lines[] = {
        TIMED(""),
        TIMED("yesterday"),
        TIMED("2026-02-30T10:00:00Z"),
        TIMED("0000-01-01T00:00:00Z"),
        TIMED("0001-01-01T00:00:00+05:00"),
        TIMED("9999-12-31T23:59:59-01:00"),
        TIMED("2026-11-28T10:00:00+"),
        TIMED("2026-11-28T10:00:00+1"),
        TIMED("2026-11-28T10:00:00+02:"),
        TIMED("2026-11-28T10:00:00+02:0"),
        TIMED("2026-11-28T10:00:00+02000"),
        TIMED("2026-11-28T10:00:00.Z"),
        TIMED("2026-11-28T24:00:00Z"),
        TIMED("2026-11-28"),
        TIMED("2026-11-28T10:00:00Z\\u0000"),
    };
    for (size_t i = 0; i < HF_COUNT(lines); i++) {
        struct made made;
        make(&made, hf_slice_text(lines[i]), NULL);
        assert_int_equal(made.counts.flat_json, 1);
        assert_int_equal(made.record.event_time_s, ARRIVAL_S);
        assert_non_null(strstr(text_of(&made), lines[i]));
        assert_string_equal(original(&made, "reason"), "its eventTime is no time");
        done(&made);
    }
}

/* Each speaks for the agent, or to each reader differently. */
static void
what_would_deceive_a_reader_is_wrapped(void **state)
{
    (void)state;
#define EVENT "\"eventTime\":\"2026-11-22T15:00:00Z\",\"eventName\":\"b\","
    static const char *const lines[] = {
        "{" EVENT "\"eventSource\":\"holdfast\"}",
        "{" EVENT "\"eventSource\":\"app.HoldFast\"}",
        "{" EVENT "\"eventSource\":\"hold\\u0066ast\"}",
        "{" EVENT "\"eventSource\":\"a\",\"holdfast\":{\"seq\":1}}",
        "{" EVENT "\"eventSource\":\"a\",\"H\\u004fLDFAST\":null}",
        "{" EVENT "\"eventSource\":\"a\",\"eventSource\":\"b\"}",
        "{" EVENT "\"eventSource\":\"a\",\"EVENTSOURCE\":\"holdfast\"}",
        "{" EVENT "\"eventSource\":\"a\",\"event\\u0053ource\":\"b\"}",
        "{" EVENT "\"eventSource\":\"a\",\"EventID\":\"b\"}", /* beside ours */
        "{" EVENT "\"eventSource\":\"a\",\"userAgent\":1,\"useragent\":2}",
        "{" ALL_REQUIRED ",\"awsregion\":\"x\"}",
    };
    for (size_t i = 0; i < HF_COUNT(lines); i++) {
        struct made made;
        make(&made, hf_slice_text(lines[i]), NULL);
        assert_int_equal(made.counts.flat_json, 1);
        assert_non_null(original(&made, "reason"));
        hf_owned(hf_freep) char *wrapped =
            hf_asprintf("\"additionalEventData\":{\"json\":%s,", lines[i]);
        assert_non_null(strstr(text_of(&made), wrapped));
        assert_string_equal(json_string_value(json_object_get(made.doc, "eventSource")),
                            "app.holdfast");
        done(&made);
    }
}

static void
other_keys_may_stand_twice(void **state)
{
    struct made made;
    (void)state;
    make(&made,
         HF_SLICE_LITERAL("{" ALL_REQUIRED ",\"a\":1,\"A\":2,\"a\":3,\"useragent\":1,"
                          "\"x\":{\"holdfast\":1,\"eventID\":1,\"eventID\":2}}"),
         NULL);
    assert_int_equal(made.counts.shaped, 1);
    done(&made);
}

static void
a_record_says_where_its_line_stood(void **state)
{
    struct made made;
    (void)state;
    make_of_file(&made, &maker, "/var/log/\xc3\xa4 \"x\".log", HF_SLICE_LITERAL("hello"), false);
    assert_true(hf_ends_with(
        text_of(&made), ",\"holdfast\":{\"seq\":7,\"source\":\"app\",\"file\":\"/var/log/\xc3\xa4"
                        " \\\"x\\\".log\",\"offset\":4711}}"));
    done(&made);
    make_of_file(&made, &maker, "/\xff", HF_SLICE_LITERAL("hello"), false);
    assert_string_equal(json_string_value(said(&made, "file")), "/\\xff");
    done(&made);
}

static void
a_record_says_who_had_connected(void **state)
{
    struct made made;
    struct hf_record_origin origin;
    (void)state;
    hf_record_origin(&origin, "app", "LogLine");
    hf_record_origin_peer(&origin, (uid_t)-2, 5, 42);
    make_line(
        &made, &maker, &origin,
        &(struct hf_record_line){ .bytes = HF_SLICE_LITERAL(" {\"a\":1}\r"), .seq = INT64_MAX });
    assert_true(
        hf_ends_with(text_of(&made),
                     ",\"holdfast\":{\"seq\":9223372036854775807,\"source\":\"app\",\"atConnect\":{"
                     "\"uid\":4294967294,\"gid\":5,\"pid\":42}}}"));
    done(&made);
}

/* Whatever a path is made of, the member stays within its bound, and the name's end is text. */
static void
a_long_name_is_its_end_and_its_hash(void **state)
{
    (void)state;
    static const char *const pieces[] = { "x", "\xe2\x82\xac", "\xff", "\x01", "\"", "\\", "\\x" };
    for (size_t i = 0; i < HF_COUNT(pieces); i++) {
        hf_owned(hf_buf_done) struct hf_buf path = HF_BUF(HF_PATH_MAX);
        struct made made;
        assert_int_equal(hf_buf_add_text(&path, "/"), HF_OK);
        while (path.size + strlen(pieces[i]) < HF_PATH_MAX - 1)
            assert_int_equal(hf_buf_add_text(&path, pieces[i]), HF_OK);
        make_of_file(&made, &maker, hf_buf_text(&path), HF_SLICE_LITERAL("hello\r"), true);
        assert_int_equal(strlen(json_string_value(said(&made, "fileSha256"))), 64);
        const char *end = json_string_value(said(&made, "file"));
        hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(8 * HF_PATH_MAX);
        assert_int_equal(hf_record_add_path(&whole, hf_buf_text(&path)), HF_OK);
        json_t *name = json_loadb((const char *)whole.ptr, whole.size, JSON_DECODE_ANY, NULL);
        assert_true(hf_ends_with(json_string_value(name), end));
        assert_true(strlen(end) > 30 && strlen(end) <= HF_RECORD_FILE_MAX);
        json_decref(name);
        done(&made);
    }
    hf_owned(hf_freep) char *fits = hf_alloc(HF_RECORD_FILE_MAX + 1);
    struct made made;
    memset(fits, 'y', HF_RECORD_FILE_MAX);
    make_of_file(&made, &maker, fits, HF_SLICE_LITERAL("hello"), false);
    assert_string_equal(json_string_value(said(&made, "file")), fits);
    assert_null(said(&made, "fileSha256"));
    done(&made);
}

static const char *
around(const struct made *made, const char *key)
{
    const char *text = json_string_value(json_object_get(said(made, "around"), key));
    return text ? text : "";
}

static void
what_stood_around_a_line_of_a_file_is_kept(void **state)
{
    struct made made;
    (void)state;
    make_of_file(&made, &maker, "/x", HF_SLICE_LITERAL("\xef\xbb\xbf \t{" ALL_REQUIRED "} \r"),
                 true);
    assert_int_equal(made.counts.shaped, 1);
    assert_string_equal(around(&made, "before"), "\xef\xbb\xbf \t");
    assert_string_equal(around(&made, "after"), " \r");
    assert_true(json_is_false(json_object_get(said(&made, "around"), "newline")));
    done(&made);
    make_of_file(&made, &maker, "/x", HF_SLICE_LITERAL(" {\"a\":1}\r"), false);
    assert_int_equal(made.counts.flat_json, 1);
    assert_string_equal(around(&made, "before"), " ");
    assert_string_equal(around(&made, "after"), "\r");
    assert_null(json_object_get(said(&made, "around"), "newline"));
    done(&made);
    make_of_file(&made, &maker, "/x", HF_SLICE_LITERAL("\r"), false);
    assert_string_equal(original(&made, "text"), "");
    assert_string_equal(around(&made, "after"), "\r");
    done(&made);
    make_of_file(&made, &maker, "/x", HF_SLICE_LITERAL("\xff\r"), false);
    assert_string_equal(original(&made, "base64"), "/w0=");
    assert_null(said(&made, "around"));
    done(&made);
}

static void
a_line_with_too_much_around_it_is_text(void **state)
{
    char line[1000];
    struct made made;
    (void)state;
    memset(line, ' ', sizeof(line));
    memcpy(line + 600, TIMED("2026-11-28T10:00:01Z"), sizeof(TIMED("2026-11-28T10:00:01Z")) - 1);
    make_of_file(&made, &maker, "/x", hf_slice(line, sizeof(line)), false);
    assert_int_equal(made.counts.shaped, 0);
    assert_int_equal(made.counts.text, 1);
    assert_memory_equal(original(&made, "text"), line, sizeof(line));
    assert_non_null(original(&made, "reason"));
    done(&made);
    make(&made, hf_slice(line, sizeof(line)), NULL); /* who is no file is not made again */
    assert_int_equal(made.counts.shaped, 1);
    done(&made);
}

static void
without_provenance_nothing_is_added_but_what_would_be_lost(void **state)
{
    struct hf_record_maker bare = maker;
    struct made made;
    (void)state;
    bare.provenance = false;
    make_of_file(&made, &bare, "/x", HF_SLICE_LITERAL("{" ALL_REQUIRED "}"), false);
    assert_string_equal(text_of(&made), "{" ALL_REQUIRED "}");
    assert_int_equal(made.record.appended, 0);
    done(&made);
    make_of_file(&made, &bare, "/x", HF_SLICE_LITERAL(TIMED("2026-11-28 10:00:01") "\r"), false);
    assert_true(hf_ends_with(text_of(&made), ",\"holdfast\":{\"eventTime\":\"2026-11-28 10:00:01\","
                                             "\"around\":{\"after\":\"\\r\"}}}"));
    done(&made);
}

static void
another_object_becomes_a_flat_record_with_its_own_bytes(void **state)
{
    struct made made;
    (void)state;
    make(&made, HF_SLICE_LITERAL(" {\"eventTime\":5, \"a\":1.50}\r"), NULL);
    assert_complete(made.doc);
    assert_non_null(
        strstr(text_of(&made), "\"additionalEventData\":{\"json\":{\"eventTime\":5, \"a\":1.50}}"));
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
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(65536);
    struct hf_record record;
    (void)state;
    assert_int_equal(
        hf_record_make_own(&maker, "SourceGap", 7, ARRIVAL_S, "{\"a\":1}", &buf, &record), HF_OK);
    assert_true(hf_slice_equal(record.parts[0], hf_buf_slice(&buf)));
    assert_int_equal(record.size, buf.size);
    assert_true(
        hf_ends_with(hf_buf_text(&buf), ",\"holdfast\":{\"seq\":7,\"source\":\"holdfast\"}}"));
    json_t *doc = json_loadb((const char *)buf.ptr, buf.size, 0, NULL);
    assert_non_null(doc);
    assert_complete(doc);
    assert_string_equal(json_string_value(json_object_get(doc, "eventSource")), "holdfast");
    assert_string_equal(json_string_value(json_object_get(doc, "eventName")), "SourceGap");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(doc, "serviceEventDetails"), "a")), 1);
    json_decref(doc);
}

static void
a_record_over_the_buffers_limit_leaves_the_buffer_alone(void **state)
{
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(100);
    struct hf_record_counts counts = { 0 };
    struct hf_record record = { .size = 1 };
    struct hf_record_origin origin;
    (void)state;
    hf_record_origin(&origin, "app", "LogLine");
    assert_int_equal(hf_buf_add_text(&buf, "before"), HF_OK);
    assert_int_equal(hf_record_make(&maker, &origin,
                                    &(struct hf_record_line){ .bytes = HF_SLICE_LITERAL("a line"),
                                                              .arrival_s = ARRIVAL_S },
                                    &buf, &record, &counts),
                     HF_ELIMIT);
    assert_int_equal(record.size, 1);
    assert_string_equal(hf_buf_text(&buf), "before");
    assert_int_equal(buf.size, 6);
    assert_int_equal(counts.text, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_complete_event_keeps_its_bytes),
        cmocka_unit_test(missing_fields_are_inserted_and_the_rest_stays),
        cmocka_unit_test(each_missing_field_is_the_only_one_inserted),
        cmocka_unit_test(a_time_in_another_form_is_written_as_cloudtrail_writes_it),
        cmocka_unit_test(what_is_no_time_is_not_shaped),
        cmocka_unit_test(what_would_deceive_a_reader_is_wrapped),
        cmocka_unit_test(other_keys_may_stand_twice),
        cmocka_unit_test(a_record_says_where_its_line_stood),
        cmocka_unit_test(a_record_says_who_had_connected),
        cmocka_unit_test(a_long_name_is_its_end_and_its_hash),
        cmocka_unit_test(what_stood_around_a_line_of_a_file_is_kept),
        cmocka_unit_test(a_line_with_too_much_around_it_is_text),
        cmocka_unit_test(without_provenance_nothing_is_added_but_what_would_be_lost),
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
