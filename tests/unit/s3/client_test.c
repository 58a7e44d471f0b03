/* The client against a scripted server: what it sends, and what it makes of a store that
 * misbehaves. */
#include "tests/support/script_server.h"
#include "tests/support/test.h"

#include <fcntl.h>
#include <holdfast/s3.h>
#include <pthread.h>

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OK_OBJECT    "HTTP/1.1 200 OK\r\nETag: \"0123\"\r\nContent-Length: 0\r\n\r\n"

static int
set_environment(void **state)
{
    (void)state;
    setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hunter2", 1);
    unsetenv("AWS_SESSION_TOKEN");
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* must not be honoured */
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    return 0;
}

static struct hf_s3 *
open_at(const char *url)
{
    struct hf_s3_options options = { .url = url, .timeout_s = 1 };
    struct hf_s3 *s3 = NULL;
    struct hf_error err;

    if (hf_s3_open(&options, &s3, &err) != HF_OK)
        fail_msg("%s", err.text);
    return s3;
}

static enum hf_status
call(struct hf_s3 *s3, const struct hf_s3_request *request, struct hf_s3_reply *reply,
     struct hf_error *err)
{
    memset(reply, 0, sizeof(*reply));
    assert_int_equal(hf_s3_call(s3, request, reply, err), HF_OK);
    return hf_s3_status(reply, NULL, err);
}

/* One request against one step; the reply is freed. */
static enum hf_status
call_once(const struct hf_script_step *step, const struct hf_s3_request *request,
          struct hf_s3_reply *ret_reply, struct hf_error *err)
{
    struct hf_script_server *server = hf_script_start(step, 1);
    struct hf_s3 *s3 = open_at(hf_script_url(server));
    enum hf_status status = call(s3, request, ret_reply, err);

    assert_string_equal(hf_script_failure(server), "");
    hf_s3_reply_done(ret_reply);
    hf_s3_close(s3);
    assert_int_equal(hf_script_stop(server), 1);
    return status;
}

static const struct hf_s3_request get_request = {
    .method = "GET", .bucket = "b", .key = "k", .expect = HF_S3_EXPECT_OBJECT
};
static const struct hf_s3_request put_request = { .method = "PUT",
                                                  .bucket = "b",
                                                  .key = "k",
                                                  .body = HF_SLICE_LITERAL("body"),
                                                  .expect = HF_S3_EXPECT_OBJECT };

/* ---- what is sent ---- */

static void
assert_sent(const char *request, const char *line)
{
    if (!strstr(request, line))
        fail_msg("'%s' not in '%s'", line, request);
}

#define OK_WITH(headers) "HTTP/1.1 200 OK\r\n" headers "\r\nContent-Length: 0\r\n\r\n"

static void
a_version_or_an_etag_that_is_none_of_s3s_is_refused(void **state)
{
    static const char *const replies[] = {
        OK_WITH("ETag: \"0123\"\r\nx-amz-version-id: v\xc2\x9b\x31"),
        OK_WITH("ETag: \"0123\"\r\nx-amz-version-id: a b"),
        OK_WITH("ETag: \"01\xc2\x9b\""),
    };
    (void)state;
    for (size_t i = 0; i < HF_COUNT(replies); i++) {
        struct hf_script_step step = { .reply = replies[i], .expect = "PUT /b/k" };
        struct hf_script_server *server = hf_script_start(&step, 1);
        struct hf_s3 *s3 = open_at(hf_script_url(server));
        struct hf_s3_reply reply;
        struct hf_error err;
        assert_int_equal(call(s3, &put_request, &reply, &err), HF_EFORMAT);
        assert_string_equal(reply.version_id, "");
        hf_s3_reply_done(&reply);
        hf_s3_close(s3);
        hf_script_stop(server);
    }
}

static void
a_put_is_signed_and_complete(void **state)
{
    (void)state;
    struct hf_script_step step = { .reply = OK_OBJECT,
                                   .expect = "PUT /b/a%20b%2Bc/d?x=&y=1%202 HTTP/1.1\r\n" };
    struct hf_s3_pair query[] = { { "y", "1 2" }, { "x", NULL } },
                      header = { "x-amz-meta-Test", "value" };
    struct hf_s3_request request = put_request;
    struct hf_script_server *server = hf_script_start(&step, 1);
    struct hf_s3 *s3 = open_at(hf_script_url(server));
    struct hf_s3_reply reply;
    struct hf_error err;
    char *sent, *host;

    request.key = "a b+c/d";
    request.query = query;
    request.query_count = 2;
    request.headers = &header;
    request.header_count = 1;
    request.content_md5 = true;
    request.lock_mode = HF_LOCK_COMPLIANCE;
    request.retain_until_s = 1795359600;
    request.legal_hold = true;
    assert_int_equal(call(s3, &request, &reply, &err), HF_OK);
    assert_string_equal(hf_script_failure(server), "");
    assert_string_equal(reply.etag, "0123");
    sent = hf_script_last_request(server);
    host = hf_asprintf("\r\nHost: 127.0.0.1:%u\r\n", hf_script_port(server));
    assert_sent(sent, host);
    assert_sent(sent, "\r\nx-amz-content-sha256: "
                      "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5\r\n");
    assert_sent(sent, "\r\nContent-MD5: hBotaJrYa9FhFEdFPCLG/A==\r\n");
    assert_sent(sent, "\r\nx-amz-object-lock-mode: COMPLIANCE\r\n");
    assert_sent(sent, "\r\nx-amz-object-lock-retain-until-date: 2026-11-22T15:00:00Z\r\n");
    assert_sent(sent, "\r\nx-amz-object-lock-legal-hold: ON\r\n");
    assert_sent(sent, "\r\nx-amz-meta-Test: value\r\n");
    assert_sent(sent, "\r\nContent-Length: 4\r\n");
    assert_sent(
        sent,
        "SignedHeaders=content-md5;host;x-amz-content-sha256;x-amz-date;x-amz-meta-test;"
        "x-amz-object-lock-legal-hold;x-amz-object-lock-mode;x-amz-object-lock-retain-until-date,");
    assert_sent(sent, "\r\n\r\nbody");
    assert_null(strstr(sent, "Expect"));
    assert_null(strstr(sent, "chunked"));
    assert_null(strstr(sent, "hunter2"));
    free(sent);
    free(host);
    hf_s3_reply_done(&reply);
    hf_s3_close(s3);
    hf_script_stop(server);
}

static void
an_empty_put_says_so_and_a_get_has_no_body(void **state)
{
    (void)state;
    struct hf_s3_request request = put_request;
    struct hf_s3_reply reply;
    struct hf_error err;

    request.body = hf_slice(NULL, 0);
    assert_int_equal(call_once(&(struct hf_script_step){ .reply = OK_OBJECT,
                                                         .expect = "\r\nContent-Length: 0\r\n" },
                               &request, &reply, &err),
                     HF_OK);
    assert_int_equal(
        call_once(
            &(struct hf_script_step){ .reply = OK_OBJECT,
                                      .expect = "\r\nx-amz-content-sha256: " EMPTY_SHA256 "\r\n" },
            &get_request, &reply, &err),
        HF_OK);
}

static void
a_session_token_is_sent_and_signed(void **state)
{
    (void)state;
    struct hf_s3_reply reply;
    struct hf_error err;

    setenv("AWS_SESSION_TOKEN", "to/ken==", 1);
    assert_int_equal(call_once(&(struct hf_script_step){ .reply = OK_OBJECT,
                                                         .expect = ";x-amz-security-token," },
                               &get_request, &reply, &err),
                     HF_OK);
    assert_int_equal(
        call_once(&(struct hf_script_step){ .reply = OK_OBJECT,
                                            .expect = "\r\nx-amz-security-token: to/ken==\r\n" },
                  &get_request, &reply, &err),
        HF_OK);
    unsetenv("AWS_SESSION_TOKEN");
}

static int
make_file(const char *text)
{
    char path[] = "/tmp/hf-test-body-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return fd;
}

static void
a_body_streams_from_a_file(void **state)
{
    (void)state;
    struct hf_script_step step = { .reply = OK_OBJECT, .expect = "\r\nContent-Length: 4\r\n" };
    struct hf_script_server *server = hf_script_start(&step, 1);
    struct hf_s3 *s3 = open_at(hf_script_url(server));
    struct hf_s3_request request = { .method = "PUT",
                                     .bucket = "b",
                                     .key = "k",
                                     .body_fd_used = true,
                                     .body_offset = 3,
                                     .body_size = 4 };
    char sha256[HF_SHA256_HEX_SIZE], *sent;
    struct hf_s3_reply reply;
    struct hf_error err;

    request.body_fd = make_file("xxxbodyyyy");
    assert_int_equal(hf_s3_call(s3, &request, &reply, &err), HF_EUSAGE); /* without its hash */
    hf_sha256_hex("body", 4, sha256);
    request.payload_sha256 = sha256;
    assert_int_equal(call(s3, &request, &reply, &err), HF_OK);
    sent = hf_script_last_request(server);
    assert_sent(sent, "\r\n\r\nbody");
    assert_null(strstr(sent, "bodyy"));
    free(sent);
    hf_s3_reply_done(&reply);
    hf_s3_close(s3);
    hf_script_stop(server);
    close(request.body_fd);
}

static void
a_body_that_ends_early_was_never_sent(void **state)
{
    (void)state;
    struct hf_s3_request request = { .method = "PUT",
                                     .bucket = "b",
                                     .key = "k",
                                     .body_fd_used = true,
                                     .body_size = 20,
                                     .payload_sha256 = EMPTY_SHA256 };
    struct hf_script_step step = { .skip_body = true, .then = HF_SCRIPT_STALL };
    struct hf_script_server *server = hf_script_start(&step, 1);
    struct hf_s3 *s3 = open_at(hf_script_url(server));
    struct hf_s3_reply reply;
    struct hf_error err;

    request.body_fd = make_file("short");
    assert_int_equal(call(s3, &request, &reply, &err), HF_EIO);
    assert_int_equal(reply.outcome, HF_S3_NEVER_SENT);
    assert_non_null(strstr(err.text, "15 bytes early"));
    hf_s3_reply_done(&reply);
    hf_s3_close(s3);
    hf_script_stop(server);
    close(request.body_fd);
}

static void
what_cannot_be_sent_is_refused_at_once(void **state)
{
    (void)state;
    static const uint8_t key[32];
    char long_key[HF_S3_KEY_MAX + 2];
    struct hf_s3 *s3 = open_at("http://127.0.0.1:1");
    struct hf_s3_pair line_break = { "x-a", "b\r\nx-c: d" }, empty = { "x-a", " " },
                      odd = { "x a", "b" };
    const struct {
        struct hf_s3_request request;
        enum hf_status status;
    } table[] = {
        { { .method = "PATCH", .bucket = "b" }, HF_EUSAGE },
        { { .method = "GET", .bucket = "b/../c" }, HF_EUSAGE },
        { { .method = "GET", .bucket = ".." }, HF_EUSAGE },
        { { .method = "GET", .bucket = "b", .key = "" }, HF_EUSAGE },
        { { .method = "GET", .key = "k" }, HF_EUSAGE },
        { { .method = "GET", .bucket = "b", .key = long_key }, HF_ELIMIT },
        { { .method = "GET", .bucket = "b", .body = HF_SLICE_LITERAL("x") }, HF_EUSAGE },
        { { .method = "GET", .bucket = "b", .headers = &line_break, .header_count = 1 },
          HF_EUSAGE },
        { { .method = "GET", .bucket = "b", .headers = &empty, .header_count = 1 }, HF_EUSAGE },
        { { .method = "GET", .bucket = "b", .headers = &odd, .header_count = 1 }, HF_EUSAGE },
        { { .method = "PUT", .bucket = "b", .payload_sha256 = "abc" }, HF_EUSAGE },
        { { .method = "GET", .bucket = "b", .sse_c_key = key }, HF_ECONFIG }, /* over plain HTTP */
        { { .method = "GET", .bucket = "b", .query = &odd, .query_count = HF_S3_PAIRS_MAX + 1 },
          HF_ELIMIT },
    };

    memset(long_key, 'k', sizeof(long_key) - 1);
    long_key[sizeof(long_key) - 1] = 0;
    for (size_t i = 0; i < HF_COUNT(table); i++)
        assert_int_equal(hf_s3_start(s3, &table[i].request, NULL, NULL, NULL), table[i].status);
    assert_int_equal(hf_s3_pending(s3), 0);
    hf_s3_close(s3);
}

/* ---- what is read ---- */

static void
the_headers_of_an_object_are_read(void **state)
{
    (void)state;
    static const struct hf_script_step step = {
        .reply = "HTTP/1.1 100 Continue\r\nETag: \"interim\"\r\n\r\n"
                 "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 15:00:00 GMT\r\netag:  \"abc\"  "
                 "\r\nX-Amz-Version-Id: v.1\r\n"
                 "x-amz-object-lock-mode: GOVERNANCE\r\nx-amz-object-lock-retain-until-date: "
                 "2026-11-22T15:07:27.000000000Z\r\n"
                 "x-amz-object-lock-legal-hold: ON\r\nx-amz-meta-holdfast-sha256: "
                 "ff\r\nX-Amz-Meta-Signature: 00ff\r\n"
                 "Content-Type: application/json\r\nContent-Encoding: gzip\r\nLast-Modified: Sun, "
                 "22 Nov 2026 14:00:00 GMT\r\n"
                 "x-amz-checksum-sha256: abc=\r\nContent-Length: 3\r\n\r\n\x1f\x8b!",
    };
    struct hf_script_server *server = hf_script_start(&step, 1);
    struct hf_s3 *s3 = open_at(hf_script_url(server));
    struct hf_s3_reply reply;
    struct hf_error err;

    assert_int_equal(call(s3, &get_request, &reply, &err), HF_OK);
    assert_string_equal(reply.etag, "abc");
    assert_string_equal(reply.version_id, "v.1");
    assert_int_equal(reply.lock_mode, HF_LOCK_GOVERNANCE);
    assert_int_equal(reply.retain_until_s, 1795360047);
    assert_true(reply.legal_hold);
    assert_string_equal(hf_s3_reply_header(&reply, "x-amz-meta-signature"), "00ff");
    assert_string_equal(hf_s3_reply_header(&reply, "x-amz-meta-holdfast-sha256"), "ff");
    assert_null(hf_s3_reply_header(&reply, "x-amz-meta"));
    assert_string_equal(reply.content_type, "application/json");
    assert_string_equal(reply.content_encoding, "gzip"); /* told, and not undone */
    assert_string_equal(reply.checksum_sha256, "abc=");
    assert_int_equal(reply.last_modified_s, 1795356000);
    assert_int_equal(reply.date_s, 1795359600);
    assert_int_equal(reply.content_length, 3);
    assert_true(hf_slice_equal(hf_buf_slice(&reply.body), HF_SLICE_LITERAL("\x1f\x8b!")));
    assert_in_range(reply.skew_s - (1795359600 - hf_wall_s()) + 5, 0, 10);
    assert_int_equal(hf_s3_skew_s(s3), reply.skew_s);
    hf_s3_reply_done(&reply);
    hf_s3_close(s3);
    hf_script_stop(server);
}

static void
a_lock_that_cannot_be_read_is_none(void **state)
{
    (void)state;
    static const struct hf_script_step steps[] = {
        { .reply = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 0\r\nx-amz-object-lock-mode: "
                   "COMPLIANCE\r\n"
                   "x-amz-object-lock-retain-until-date: never\r\n\r\n" },
        /* a ledger could not say it again */
        { .reply = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 0\r\nx-amz-object-lock-mode: "
                   "COMPLIANCE\r\n"
                   "x-amz-object-lock-retain-until-date: 9999-12-31T23:59:59-23:59\r\n\r\n" },
        { .reply = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 0\r\nx-amz-object-lock-mode: "
                   "COMPLIANCE\r\n"
                   "x-amz-object-lock-retain-until-date: 1969-12-31T23:59:59Z\r\n\r\n" },
        { .reply = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 0\r\nx-amz-object-lock-mode: "
                   "COMPLIANCE\r\n\r\n" },
    };
    struct hf_s3_reply reply;
    struct hf_error err;

    for (size_t i = 0; i < HF_COUNT(steps); i++) {
        assert_int_equal(call_once(&steps[i], &get_request, &reply, &err), HF_OK);
        assert_int_equal(reply.lock_mode, HF_LOCK_NONE);
        assert_int_equal(reply.retain_until_s, 0);
    }
}

static void
the_known_skew_is_signed_with(void **state)
{
    (void)state;
    static const struct hf_script_step steps[] = {
        { .reply = "HTTP/1.1 403 Forbidden\r\nDate: Fri, 24 May 2013 10:00:00 "
                   "GMT\r\nContent-Length: 50\r\n\r\n"
                   "<Error><Code>RequestTimeTooSkewed</Code></Error>  " },
        { .reply = OK_OBJECT, .expect = "\r\nx-amz-date: 20130524T10" },
    };
    struct hf_script_server *server = hf_script_start(steps, 2);
    struct hf_s3 *s3 = open_at(hf_script_url(server));
    struct hf_s3_reply reply;
    struct hf_error err;

    assert_int_equal(call(s3, &get_request, &reply, &err), HF_ESKEW);
    assert_non_null(strstr(err.text, "behind"));
    hf_s3_reply_done(&reply);
    assert_int_equal(call(s3, &get_request, &reply, &err), HF_OK);
    hf_s3_reply_done(&reply);
    assert_string_equal(hf_script_failure(server), "");
    hf_s3_close(s3);
    hf_script_stop(server);
}

/* ---- a store that misbehaves ---- */

static const struct misbehaviour {
    const char *name;
    struct hf_script_step step;
    bool puts;
    enum hf_status status;
    enum hf_s3_outcome outcome;
    const char *says;
} misbehaviours[] = {
    { "reset after the request",
      { .then = HF_SCRIPT_RESET },
      true,
      HF_EUNREACHABLE,
      HF_S3_UNKNOWN,
      "" },
    { "closed after the request",
      { .then = HF_SCRIPT_CLOSE },
      true,
      HF_EUNREACHABLE,
      HF_S3_UNKNOWN,
      "" },
    { "reset in the body of the answer",
      { .reply = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 10\r\n\r\nabc",
        .then = HF_SCRIPT_RESET },
      false,
      HF_EUNREACHABLE,
      HF_S3_UNKNOWN,
      "" },
    { "truncated body",
      { .reply = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 10\r\n\r\nabc",
        .then = HF_SCRIPT_CLOSE },
      false,
      HF_EUNREACHABLE,
      HF_S3_UNKNOWN,
      "" },
    { "stall", { .then = HF_SCRIPT_STALL }, true, HF_ETIMEOUT, HF_S3_UNKNOWN, "" },
    { "stall in the head",
      { .reply = "HTTP/1.1 200 OK\r\nETa", .then = HF_SCRIPT_STALL },
      true,
      HF_ETIMEOUT,
      HF_S3_UNKNOWN,
      "" },
    { "endless headers",
      { .reply = "HTTP/1.1 200 OK\r\n", .repeat = "x-a: b\r\n", .then = HF_SCRIPT_ENDLESS },
      true,
      HF_EFORMAT,
      HF_S3_UNKNOWN,
      "no end" },
    { "one endless header",
      { .reply = "HTTP/1.1 200 OK\r\nx: ", .repeat = "aaaaaaaa", .then = HF_SCRIPT_ENDLESS },
      true,
      HF_EFORMAT,
      HF_S3_UNKNOWN,
      "no end" },
    { "endless interim answers",
      { .reply = "", .repeat = "HTTP/1.1 100 Continue\r\n\r\n", .then = HF_SCRIPT_ENDLESS },
      true,
      HF_EFORMAT,
      HF_S3_UNKNOWN,
      "no end" },
    { "endless body",
      { .reply = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\n\r\n",
        .repeat = "xxxxxxxxxxxxxxxx",
        .then = HF_SCRIPT_ENDLESS },
      false,
      HF_ELIMIT,
      HF_S3_UNKNOWN,
      "more than 4096 bytes" },
    { "not HTTP",
      { .reply = "SSH-2.0-OpenSSH_9.2\r\n", .then = HF_SCRIPT_CLOSE },
      true,
      HF_EFORMAT,
      HF_S3_UNKNOWN,
      "" },
    { "a portal's 200",
      { .reply = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: "
                 "13\r\n\r\n<html></html>" },
      true,
      HF_EFORMAT,
      HF_S3_ANSWERED,
      "does not speak S3" },
    { "a portal's 403",
      { .reply = "HTTP/1.1 403 No\r\nContent-Type: text/html\r\nContent-Length: "
                 "13\r\n\r\n<html></html>" },
      true,
      HF_EFORMAT,
      HF_S3_ANSWERED,
      "does not speak S3" },
    { "a proxy's 502",
      { .reply = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: "
                 "13\r\n\r\n<html></html>" },
      true,
      HF_EBUSYSTORE,
      HF_S3_ANSWERED,
      "502" },
    { "a redirect",
      { .reply = "HTTP/1.1 307 Temporary Redirect\r\nLocation: "
                 "http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n" },
      true,
      HF_ECONFIG,
      HF_S3_ANSWERED,
      "redirects are refused" },
    { "busy",
      { .reply = "HTTP/1.1 503 Slow Down\r\nContent-Length: "
                 "38\r\n\r\n<Error><Code>SlowDown</Code></Error>  " },
      true,
      HF_EBUSYSTORE,
      HF_S3_ANSWERED,
      "SlowDown" },
    { "a head cut between its lines",
      { .reply = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 0\r\n",
        .then = HF_SCRIPT_CLOSE },
      true,
      HF_EUNREACHABLE,
      HF_S3_UNKNOWN,
      "" },
    { "an interim answer and no more",
      { .reply = "HTTP/1.1 100 Continue\r\n\r\n", .then = HF_SCRIPT_CLOSE },
      true,
      HF_EUNREACHABLE,
      HF_S3_UNKNOWN,
      "" },
    { "an answer before the body was read",
      { .reply = "HTTP/1.1 403 Forbidden\r\nContent-Length: 40\r\nConnection: "
                 "close\r\n\r\n<Error><Code>AccessDenied</Code></Error>",
        .skip_body = true,
        .then = HF_SCRIPT_CLOSE },
      true,
      HF_EACCESS,
      HF_S3_ANSWERED,
      "AccessDenied" },
};

static void
a_store_that_misbehaves_is_not_believed(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_COUNT(misbehaviours); i++) {
        const struct misbehaviour *wrong = &misbehaviours[i];
        struct hf_s3_request request = wrong->puts ? put_request : get_request;
        struct hf_s3_reply reply;
        struct hf_error err = { .text = "" };
        enum hf_status status;

        request.max_reply = 4096;
        status = call_once(&wrong->step, &request, &reply, &err);
        if (status != wrong->status || reply.outcome != wrong->outcome ||
            !strstr(err.text, wrong->says))
            fail_msg("%s: %s, outcome %d: %s", wrong->name, hf_status_name(status), reply.outcome,
                     err.text);
        assert_null(strstr(err.text, "hunter2"));
    }
}

/* curl alone takes a HEAD's answer for whole as soon as its status line is there. */
static void
a_head_that_is_cut_or_has_no_length_shows_no_object(void **state)
{
    (void)state;
    static const struct {
        struct hf_script_step step;
        enum hf_status status;
        enum hf_s3_outcome outcome;
        const char *says;
    } cuts[] = {
        { { .reply = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\n", .then = HF_SCRIPT_CLOSE },
          HF_EUNREACHABLE,
          HF_S3_UNKNOWN,
          "ended within the header" },
        { { .reply = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 12\r\nx-amz-meta-holdf",
            .then = HF_SCRIPT_CLOSE },
          HF_EUNREACHABLE,
          HF_S3_UNKNOWN,
          "ended within the header" },
        { { .reply = "HTTP/1.1 404 Not Found\r\nDate", .then = HF_SCRIPT_CLOSE },
          HF_EUNREACHABLE,
          HF_S3_UNKNOWN,
          "ended within the header" },
        { { .reply = "HTTP/1.1 200 OK\r\nETag: \"a\"\r\n\r\n", .then = HF_SCRIPT_CLOSE },
          HF_EFORMAT,
          HF_S3_ANSWERED,
          "does not speak S3" },
    };

    for (size_t i = 0; i < HF_COUNT(cuts); i++) {
        struct hf_s3_request request = get_request;
        struct hf_s3_reply reply;
        struct hf_error err = { .text = "" };
        enum hf_status status;

        request.method = "HEAD";
        request.expect = HF_S3_EXPECT_OBJECT;
        status = call_once(&cuts[i].step, &request, &reply, &err);
        if (status != cuts[i].status || reply.outcome != cuts[i].outcome ||
            !strstr(err.text, cuts[i].says))
            fail_msg("%zu: %s, outcome %d: %s", i, hf_status_name(status), reply.outcome, err.text);
    }
}

/* Whatever a reply may hold elsewhere: where no body is wanted, a minute is not waited for one. */
static void
a_put_is_not_given_the_time_of_a_large_reply(void **state)
{
    (void)state;
    static const struct hf_script_step step = {
        .reply = "HTTP/1.1 200 OK\r\nETag: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\r\n\r\n",
        .drip_ms = 200,
        .then = HF_SCRIPT_STALL
    };
    struct hf_s3_request request = put_request;
    uint64_t began_ms = hf_boot_ms();
    struct hf_s3_reply reply;
    struct hf_error err;

    assert_int_equal(call_once(&step, &request, &reply, &err), HF_ETIMEOUT);
    assert_in_range(hf_boot_ms() - began_ms, 1000, 8000);
}

/* Each byte alone keeps curl's low-speed guard quiet; the deadline is what ends it. */
static void
a_store_that_drips_runs_into_the_deadline(void **state)
{
    (void)state;
    static const struct hf_script_step step = {
        .reply = "HTTP/1.1 200 OK\r\nETag: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\r\n\r\n",
        .drip_ms = 200,
        .then = HF_SCRIPT_STALL
    };
    struct hf_s3_request request = get_request;
    uint64_t began_ms = hf_boot_ms();
    struct hf_s3_reply reply;
    struct hf_error err;

    request.max_reply = 4096;
    assert_int_equal(call_once(&step, &request, &reply, &err), HF_ETIMEOUT);
    assert_in_range(hf_boot_ms() - began_ms, 1000, 6000);
}

static void
a_closed_port_was_never_sent_to(void **state)
{
    (void)state;
    static const struct hf_script_step step = { .then = HF_SCRIPT_CLOSE };
    struct hf_script_server *server = hf_script_start(&step, 1);
    struct hf_s3 *s3 = open_at(hf_script_url(server));
    struct hf_s3_reply reply;
    struct hf_error err;

    hf_script_stop(server);
    assert_int_equal(call(s3, &put_request, &reply, &err), HF_EUNREACHABLE);
    assert_int_equal(reply.outcome, HF_S3_NEVER_SENT);
    assert_non_null(strstr(err.text, "is the url right and the store up?"));
    hf_s3_reply_done(&reply);
    hf_s3_close(s3);
}

static void
tls_against_a_plain_port_names_the_certificate_setting(void **state)
{
    (void)state;
    static const struct hf_script_step step = { .on_accept = true,
                                                .reply = "HTTP/1.1 400 Bad Request\r\n\r\n",
                                                .then = HF_SCRIPT_CLOSE };
    struct hf_script_server *server = hf_script_start(&step, 1);
    char *url = hf_asprintf("https://127.0.0.1:%u", hf_script_port(server));
    struct hf_s3 *s3 = open_at(url);
    struct hf_s3_reply reply;
    struct hf_error err;

    assert_int_equal(call(s3, &put_request, &reply, &err), HF_ETLS);
    assert_int_equal(reply.outcome, HF_S3_NEVER_SENT);
    assert_non_null(strstr(err.text, "ca_file"));
    hf_s3_reply_done(&reply);
    hf_s3_close(s3);
    free(url);
    hf_script_stop(server);
}

/* A kept connection that died must not make curl send a PUT twice by itself. */
static void
a_put_on_a_dead_connection_is_not_repeated_unasked(void **state)
{
    (void)state;
    static const struct hf_script_step steps[] = { { .reply = OK_OBJECT },
                                                   { .then = HF_SCRIPT_RESET },
                                                   { .reply = OK_OBJECT } };
    struct hf_script_server *server = hf_script_start(steps, 3);
    struct hf_s3 *s3 = open_at(hf_script_url(server));
    struct hf_s3_reply reply;
    struct hf_error err;

    assert_int_equal(call(s3, &put_request, &reply, &err), HF_OK);
    hf_s3_reply_done(&reply);
    assert_int_not_equal(call(s3, &put_request, &reply, &err), HF_OK);
    assert_int_equal(reply.outcome, HF_S3_UNKNOWN);
    hf_s3_reply_done(&reply);
    assert_int_equal(hf_script_played(server), 2);
    hf_s3_close(s3);
    hf_script_stop(server);
}

/* ---- the loop ---- */

struct tally {
    struct hf_s3 *s3;
    size_t answered, stopped, never_sent;
    size_t to_start;
};

static void
count_reply(void *context, struct hf_s3_reply *reply)
{
    struct tally *tally = context;

    tally->answered += reply->outcome == HF_S3_ANSWERED && hf_s3_status(reply, NULL, NULL) == HF_OK;
    tally->stopped += reply->transport == HF_ESTOPPED;
    tally->never_sent += reply->outcome == HF_S3_NEVER_SENT;
    if (tally->to_start) {
        tally->to_start--;
        assert_int_equal(hf_s3_start(tally->s3, &put_request, count_reply, tally, NULL), HF_OK);
    }
}

static void
requests_wait_their_turn_on_kept_connections(void **state)
{
    (void)state;
    static const struct hf_script_step steps[] = { { .reply = OK_OBJECT },
                                                   { .reply = OK_OBJECT },
                                                   { .reply = OK_OBJECT },
                                                   { .reply = OK_OBJECT },
                                                   { .reply = OK_OBJECT } };
    struct hf_script_server *server = hf_script_start(steps, HF_COUNT(steps));
    struct hf_s3_options options = { .url = hf_script_url(server),
                                     .timeout_s = 5,
                                     .connections = 1 };
    struct tally tally = { .to_start = 2 };

    assert_int_equal(hf_s3_open(&options, &tally.s3, NULL), HF_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(hf_s3_start(tally.s3, &put_request, count_reply, &tally, NULL), HF_OK);
    assert_int_equal(hf_s3_pending(tally.s3), 3);
    while (hf_s3_pending(tally.s3))
        hf_s3_run(tally.s3, 1000);
    assert_int_equal(tally.answered, 5); /* two of them begun by callbacks */
    assert_string_equal(hf_script_failure(server), "");
    hf_s3_close(tally.s3);
    assert_int_equal(hf_script_stop(server), 5);
}

static void
closing_gives_every_request_back(void **state)
{
    (void)state;
    static const struct hf_script_step step = { .then = HF_SCRIPT_STALL };
    struct hf_script_server *server = hf_script_start(&step, 1);
    struct hf_s3_options options = { .url = hf_script_url(server),
                                     .timeout_s = 60,
                                     .connections = 1 };
    struct tally tally = { .to_start = 0 };

    assert_int_equal(hf_s3_open(&options, &tally.s3, NULL), HF_OK);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(hf_s3_start(tally.s3, &put_request, count_reply, &tally, NULL), HF_OK);
    while (!hf_script_played(server))
        hf_s3_run(tally.s3, 10);
    hf_s3_close(tally.s3);
    assert_int_equal(tally.stopped, 3);
    assert_int_equal(tally.never_sent, 2); /* the one that was on its way may have been applied */
    hf_script_stop(server);
}

static void *
wake(void *context)
{
    hf_s3_wakeup(context);
    return NULL;
}

static void
a_wakeup_ends_the_wait(void **state)
{
    (void)state;
    struct hf_s3 *s3 = open_at("http://127.0.0.1:1");
    uint64_t began_ms = hf_boot_ms();
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, wake, s3), 0);
    hf_s3_run(s3, 60000);
    assert_true(hf_boot_ms() - began_ms < 30000);
    pthread_join(thread, NULL);
    hf_s3_close(s3);
}

static void
refused_credentials_are_read_again(void **state)
{
    (void)state;
    static const struct hf_script_step steps[] = {
        { .expect = "Credential=OLD/",
          .reply = "HTTP/1.1 403 Forbidden\r\nContent-Length: "
                   "48\r\n\r\n<Error><Code>InvalidAccessKeyId</Code></Error>  " },
        { .expect = "Credential=NEW/", .reply = OK_OBJECT },
    };
    static const char old[] = "[p]\naws_access_key_id=OLD\naws_secret_access_key=hunter2\n";
    static const char new[] = "[p]\naws_access_key_id=NEW\naws_secret_access_key=hunter2\n";
    struct hf_script_server *server = hf_script_start(steps, 2);
    struct hf_s3_options options = { .url = hf_script_url(server), .timeout_s = 5, .profile = "p" };
    char folder[256], path[300];
    struct hf_s3 *s3 = NULL;
    struct hf_s3_reply reply;
    struct hf_error err;

    hf_test_tempdir(folder);
    snprintf(path, sizeof(path), "%s/credentials", folder);
    options.credentials_file = path;
    assert_int_equal(hf_fs_replace(path, old, sizeof(old) - 1, 0600, NULL), HF_OK);
    assert_int_equal(hf_s3_open(&options, &s3, &err), HF_OK);
    assert_int_equal(call(s3, &get_request, &reply, &err), HF_ECREDENTIALS);
    hf_s3_reply_done(&reply);
    assert_int_equal(hf_fs_replace(path, new, sizeof(new) - 1, 0600, NULL), HF_OK);
    assert_int_equal(call(s3, &get_request, &reply, &err), HF_OK);
    hf_s3_reply_done(&reply);
    assert_string_equal(hf_script_failure(server), "");

    hf_s3_close(s3);
    hf_script_stop(server);
    hf_test_tempdir_remove(folder);
}

static void
options_that_cannot_work_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct hf_s3_options options;
        enum hf_status status;
    } table[] = {
        { { .url = "http://169.254.169.254" }, HF_ECONFIG },
        { { .url = "http://h", .region = "a/b" }, HF_ECONFIG },
        { { .url = "http://h", .proxy = "socks5://h" }, HF_ECONFIG },
        { { .url = "https://h", .ca_file = "/does/not/exist" }, HF_ECONFIG },
        { { .url = "http://h", .credentials_file = "/does/not/exist" }, HF_ECREDENTIALS },
    };

    for (size_t i = 0; i < HF_COUNT(table); i++) {
        struct hf_s3 *s3 = NULL;
        struct hf_error err;

        assert_int_equal(hf_s3_open(&table[i].options, &s3, &err), table[i].status);
        assert_int_equal(err.status, table[i].status);
        assert_null(s3);
    }
}

static void
a_proxy_is_used_when_configured(void **state)
{
    (void)state;
    static const struct hf_script_step step = {
        .expect = "PUT http://store.invalid:9000/b/k HTTP/1.1\r\n", .reply = OK_OBJECT
    };
    struct hf_script_server *server = hf_script_start(&step, 1);
    struct hf_s3_options options = { .url = "http://store.invalid:9000",
                                     .timeout_s = 5,
                                     .proxy = hf_script_url(server) };
    struct hf_s3 *s3 = NULL;
    struct hf_s3_reply reply;
    struct hf_error err;

    assert_int_equal(hf_s3_open(&options, &s3, &err), HF_OK);
    assert_int_equal(call(s3, &put_request, &reply, &err), HF_OK);
    assert_string_equal(hf_script_failure(server), "");
    hf_s3_reply_done(&reply);
    hf_s3_close(s3);
    hf_script_stop(server);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_or_an_etag_that_is_none_of_s3s_is_refused),
        cmocka_unit_test(a_put_is_signed_and_complete),
        cmocka_unit_test(an_empty_put_says_so_and_a_get_has_no_body),
        cmocka_unit_test(a_session_token_is_sent_and_signed),
        cmocka_unit_test(a_body_streams_from_a_file),
        cmocka_unit_test(a_body_that_ends_early_was_never_sent),
        cmocka_unit_test(what_cannot_be_sent_is_refused_at_once),
        cmocka_unit_test(the_headers_of_an_object_are_read),
        cmocka_unit_test(a_lock_that_cannot_be_read_is_none),
        cmocka_unit_test(the_known_skew_is_signed_with),
        cmocka_unit_test(a_store_that_misbehaves_is_not_believed),
        cmocka_unit_test(a_head_that_is_cut_or_has_no_length_shows_no_object),
        cmocka_unit_test(a_put_is_not_given_the_time_of_a_large_reply),
        cmocka_unit_test(a_store_that_drips_runs_into_the_deadline),
        cmocka_unit_test(a_closed_port_was_never_sent_to),
        cmocka_unit_test(tls_against_a_plain_port_names_the_certificate_setting),
        cmocka_unit_test(a_put_on_a_dead_connection_is_not_repeated_unasked),
        cmocka_unit_test(requests_wait_their_turn_on_kept_connections),
        cmocka_unit_test(closing_gives_every_request_back),
        cmocka_unit_test(a_wakeup_ends_the_wait),
        cmocka_unit_test(refused_credentials_are_read_again),
        cmocka_unit_test(options_that_cannot_work_are_refused),
        cmocka_unit_test(a_proxy_is_used_when_configured),
    };

    return cmocka_run_group_tests(tests, set_environment, NULL);
}
