/* A delivery to a scripted store: a sealed file of one line, the steps the store plays, and the
 * wait for the end. */
#ifndef HOLDFAST_TESTS_DELIVER_TEST_H
#define HOLDFAST_TESTS_DELIVER_TEST_H

#include "tests/support/test.h"

#include "tests/support/script_server.h"

#include <fcntl.h>
#include <holdfast/crypto.h>
#include <holdfast/deliver.h>

#define LATER      4102444800 /* 2100-01-01T00:00:00Z */
#define LATER_TEXT "2100-01-01T00:00:00Z"
#define KEY        "h/AWSLogs/000000000000/CloudTrail/local/2026/11/22/one.json.gz"
#define BODY       "the sealed bytes"
#define OTHER_ETAG "00000000000000000000000000000000"
#define STEPS_MAX  16

static const char no_key[] = "<Error><Code>NoSuchKey</Code></Error>";
static const char no_retention[] = "<Error><Code>NoSuchObjectLockConfiguration</Code></Error>";

struct fixture {
    char root[256];
    char sealed_path[300], credentials_path[300];
    struct hf_config_store store;
    struct hf_sealed sealed;
    char etag[HF_HEX_SIZE(HF_MD5_SIZE)];
    struct hf_script_step steps[STEPS_MAX];
    size_t step_count;
    int64_t date_s; /* what the store takes for now */
    struct hf_script_server *server;
    struct hf_deliverer *deliverer;
    struct hf_queue *done;
    struct hf_delivery delivery;
};

static inline void
write_file(const char *path, const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static inline void
seal(struct fixture *fixture)
{
    struct hf_sealed *sealed = &fixture->sealed;

    snprintf(fixture->sealed_path, sizeof(fixture->sealed_path), "%s/sealed", fixture->root);
    write_file(fixture->sealed_path, "HEADER" BODY, 0600);
    *sealed = (struct hf_sealed){
        .kind = HF_SEALED_OBJECT,
        .path = fixture->sealed_path,
        .trail = (char *)"audit",
        .chain = (char *)"chain-1",
        .window = (char *)"window-1",
        .store = (char *)"main",
        .bucket = (char *)"logs",
        .key = (char *)KEY,
        .content_type = (char *)"application/json",
        .content_encoding = (char *)"gzip",
        .encryption = HF_ENCRYPT_NONE,
        .lock_mode = HF_LOCK_GOVERNANCE,
        .lock_days = 1,
        .size = strlen(BODY),
        .body_offset = 6,
    };
    hf_sha256_hex(BODY, strlen(BODY), sealed->sha256);
    hf_md5(BODY, strlen(BODY), sealed->md5);
    hf_hex(sealed->md5, HF_MD5_SIZE, fixture->etag);
}

static inline void
on_done(void *context, struct hf_delivery *delivery)
{
    assert_true(hf_queue_try_put(context, delivery));
}

static inline int
fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    hf_test_tempdir(fixture->root);
    snprintf(fixture->credentials_path, sizeof(fixture->credentials_path), "%s/credentials",
             fixture->root);
    write_file(fixture->credentials_path,
               "[default]\naws_access_key_id = A\naws_secret_access_key = S\n", 0600);
    fixture->store = (struct hf_config_store){
        .name = (char *)"main",
        .region = (char *)"us-east-1",
        .credentials_file = fixture->credentials_path,
        .profile = (char *)"default",
        .addressing = HF_ADDRESSING_PATH,
        .confirm = HF_CONFIRM_HEAD,
        .checksum = HF_CHECKSUM_MD5,
        .timeout_s = 20,
        .connections = 1,
    };
    seal(fixture);
    fixture->date_s = hf_wall_s();
    fixture->done = hf_queue_new("done", 1000);
    fixture->delivery = (struct hf_delivery){
        .kind = HF_JOB_PUT,
        .sealed = &fixture->sealed,
        .retain_until_s = LATER,
        .first_retain_until_s = LATER,
        .done = on_done,
        .context = fixture->done,
    };
    *state = fixture;
    return 0;
}

static inline void
fixture_stop(struct fixture *fixture)
{
    hf_deliverer_stop(fixture->deliverer, 0);
    fixture->deliverer = NULL;
}

static inline int
fixture_teardown(void **state)
{
    struct fixture *fixture = *state;

    fixture_stop(fixture);
    if (fixture->server)
        (void)hf_script_stop(fixture->server);
    for (size_t i = 0; i < fixture->step_count; i++)
        free((char *)fixture->steps[i].reply);
    hf_buf_done(&fixture->delivery.newest_digest);
    hf_freep(&fixture->delivery.newest_signature);
    hf_queue_free(fixture->done);
    hf_test_tempdir_remove(fixture->root);
    free(fixture);
    return 0;
}

/* ---- the script ---- */

static inline void
add_step(struct fixture *fixture, const char *expect, char *reply, enum hf_script_then then)
{
    assert_true(fixture->step_count < STEPS_MAX);
    fixture->steps[fixture->step_count++] =
        (struct hf_script_step){ .expect = expect, .reply = reply, .then = then };
}

/* "200 OK" and so on; `headers` are whole lines; the length is the body's. */
static inline void
answer(struct fixture *fixture, const char *expect, const char *status_line, const char *headers,
       const char *body)
{
    char date[HF_TIME_SIZE];

    hf_time_http(fixture->date_s, date);
    add_step(fixture, expect,
             hf_asprintf("HTTP/1.1 %s\r\nDate: %s\r\n%sContent-Length: %zu\r\n\r\n%s", status_line,
                         date, headers, strlen(body), body),
             HF_SCRIPT_KEEP);
}

struct shown {
    const char *expect;
    const char *version_id;
    const char *etag;       /* NULL: the right one */
    const char *sha256;     /* NULL: the right one */
    const char *lock_until; /* NULL: none is shown */
    const char *more;       /* further header lines */
    int size;               /* 0: the right one */
};

/* An answer to HEAD that shows an object. */
static inline void
answer_head(struct fixture *fixture, struct shown shown)
{
    char date[HF_TIME_SIZE], lock[200] = "", version[100] = "";

    hf_time_http(fixture->date_s, date);
    if (shown.lock_until)
        snprintf(
            lock, sizeof(lock),
            "x-amz-object-lock-mode: GOVERNANCE\r\nx-amz-object-lock-retain-until-date: %s\r\n",
            shown.lock_until);
    if (shown.version_id)
        snprintf(version, sizeof(version), "x-amz-version-id: %s\r\n", shown.version_id);
    add_step(fixture, shown.expect ? shown.expect : "HEAD /logs/" KEY,
             hf_asprintf("HTTP/1.1 200 OK\r\nDate: %s\r\nETag: \"%s\"\r\nContent-Length: %d\r\n"
                         "x-amz-meta-holdfast-sha256: %s\r\n%s%s%s\r\n",
                         date, shown.etag ? shown.etag : fixture->etag,
                         shown.size ? shown.size : (int)fixture->sealed.size,
                         shown.sha256 ? shown.sha256 : fixture->sealed.sha256, lock, version,
                         shown.more ? shown.more : ""),
             HF_SCRIPT_KEEP);
}

static inline void
answer_head_missing(struct fixture *fixture)
{
    answer(fixture, "HEAD /logs/" KEY " HTTP/1.1", "404 Not Found", "", "");
}

static inline void
answer_put(struct fixture *fixture, const char *version_id)
{
    char headers[200], version[100] = "";

    if (version_id)
        snprintf(version, sizeof(version), "x-amz-version-id: %s\r\n", version_id);
    snprintf(headers, sizeof(headers), "ETag: \"%s\"\r\n%s", fixture->etag, version);
    answer(fixture, "PUT /logs/" KEY " HTTP/1.1", "200 OK", headers, "");
}

static inline void
answer_retention(struct fixture *fixture, const char *expect, const char *mode, const char *until)
{
    char body[300];

    snprintf(body, sizeof(body),
             "<Retention "
             "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>%s</Mode><RetainUntilDate>%s"
             "</RetainUntilDate></Retention>",
             mode, until);
    answer(fixture, expect, "200 OK", "Content-Type: application/xml\r\n", body);
}

/* ---- running ---- */

static inline void
begin_server(struct fixture *fixture)
{
    fixture->server = hf_script_start(fixture->steps, fixture->step_count);
    fixture->store.url = (char *)hf_script_url(fixture->server);
}

static inline void
await(struct fixture *fixture)
{
    assert_ptr_equal(hf_queue_take(fixture->done, 60000), &fixture->delivery);
}

static inline void
deliver_once(struct fixture *fixture)
{
    if (!fixture->deliverer)
        fixture->deliverer = hf_deliverer_start(&fixture->store);
    hf_deliverer_submit(fixture->deliverer, &fixture->delivery);
    await(fixture);
}

/* Plays the script for one delivery and returns how it ended. Every step must have been played as
 * expected. */
static inline enum hf_status
play(struct fixture *fixture)
{
    begin_server(fixture);
    deliver_once(fixture);
    assert_string_equal(hf_script_failure(fixture->server), "");
    assert_int_equal(hf_script_played(fixture->server), fixture->step_count);
    return fixture->delivery.status;
}

static inline void
assert_request_has(struct fixture *fixture, const char *text)
{
    char *request = hf_script_last_request(fixture->server);

    if (!strcasestr(request, text))
        fail_msg("'%s' is not in: %s", text, request);
    free(request);
}

static inline void
assert_request_lacks(struct fixture *fixture, const char *text)
{
    char *request = hf_script_last_request(fixture->server);

    if (strcasestr(request, text))
        fail_msg("'%s' is in: %s", text, request);
    free(request);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
