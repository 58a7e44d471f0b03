/* A store whose answers are a script's: what script_server.h plays, opened by hf_store_open(). */
#ifndef HOLDFAST_TESTS_SCRIPTED_STORE_H
#define HOLDFAST_TESTS_SCRIPTED_STORE_H

#include "tests/support/script_server.h"
#include "tests/support/test.h"

#include <holdfast/store.h>

/* The rest of a step after `.reply =`: an answer in XML, or one in JSON. */
#define HF_SCRIPT_ANSWER(type, status, body)                                                       \
    "HTTP/1.1 " status "\r\nContent-Type: " type "\r\nConnection: close\r\n\r\n" body,             \
        .then = HF_SCRIPT_CLOSE
#define XML(status, body)  HF_SCRIPT_ANSWER("application/xml", status, body)
#define JSON(status, body) HF_SCRIPT_ANSWER("application/json", status, body)

struct scripted_store {
    struct hf_script_server *server;
    struct hf_store *store;
};

/* The steps are borrowed until the end. */
static inline void
scripted_store_begin(struct scripted_store *scripted, const char *bucket,
                     const struct hf_script_step *steps, size_t count)
{
    struct hf_error err;
    setenv("AWS_ACCESS_KEY_ID", "AK", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
    scripted->server = hf_script_start(steps, count);
    struct hf_config_store config = { .name = (char *)"main",
                                      .url = (char *)hf_script_url(scripted->server),
                                      .timeout_s = 5,
                                      .connections = 1 };
    if (hf_store_open(&config, bucket, &scripted->store, &err) != HF_OK)
        fail_msg("%s", err.text);
}

/* Every step was played, and as expected. */
static inline void
scripted_store_end(struct scripted_store *scripted, size_t played)
{
    assert_string_equal(hf_script_failure(scripted->server), "");
    hf_store_close(scripted->store);
    assert_int_equal(hf_script_stop(scripted->server), played);
}

#endif
