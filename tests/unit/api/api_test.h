/* Two trails, two keys, and an agent that answers unless it is told not to. */
#ifndef HOLDFAST_TESTS_API_TEST_H
#define HOLDFAST_TESTS_API_TEST_H

#include "tests/support/test.h"

#include <holdfast/api.h>
#include <holdfast/json.h>

struct fake_agent {
    bool away;
    bool keys_broken;
};

static inline json_t *
test_keys(void *context, struct hf_error *err)
{
    const struct fake_agent *agent = context;
    if (agent->keys_broken) {
        (void)hf_fail(err, HF_EIO, "the disk is gone");
        return NULL;
    }
    return json_loads("{\"schema\":1,\"keys\":["
                      "{\"fingerprint\":\"aa\",\"public_key\":\"QQ==\",\"valid_from\":\"2026-01-"
                      "01T00:00:00Z\",\"valid_to\":\"2026-06-01T00:00:00Z\","
                      "\"revoked_at\":null,\"registered\":true},"
                      "{\"fingerprint\":\"bb\",\"public_key\":\"Qg==\",\"valid_from\":\"2026-06-"
                      "01T00:00:00Z\",\"valid_to\":null,\"revoked_at\":null,"
                      "\"registered\":true},"
                      "{\"fingerprint\":\"cc\",\"public_key\":\"Qw==\",\"valid_from\":\"2030-06-"
                      "01T00:00:00Z\",\"valid_to\":null,\"revoked_at\":null,"
                      "\"registered\":false},"
                      "{\"fingerprint\":\"dd\",\"public_key\":\"RA==\",\"valid_from\":\"2026-01-"
                      "01T00:00:00Z\",\"valid_to\":null,"
                      "\"revoked_at\":\"2026-07-01T00:00:00Z\",\"registered\":true}]}",
                      0, NULL);
}

static inline json_t *
test_status(void *context)
{
    const struct fake_agent *agent = context;
    if (agent->away)
        return NULL;
    return json_loads("{\"agent\":{\"started\":\"1970-01-01T00:00:10Z\"},\"trails\":["
                      "{\"name\":\"audit\",\"draining\":false,\"reason\":null,\"last_delivery\":"
                      "\"1970-01-01T00:01:00Z\",\"last_digest\":null},"
                      "{\"name\":\"held.one\",\"draining\":true,\"reason\":\"no Object "
                      "Lock\",\"last_delivery\":null,\"last_digest\":null}]}",
                      0, NULL);
}

static const struct hf_api_trail test_trails[] = {
    { .name = "audit", .bucket = "logs", .prefix = "host1" },
    { .name = "held.one",
      .bucket = "logs",
      .prefix = "",
      .organization = "o-1",
      .kms_key_id = "k" },
};

static inline struct hf_api_options
test_options(struct fake_agent *agent)
{
    return (struct hf_api_options){
        .account = "123456789012",
        .region = "local",
        .trails = test_trails,
        .trail_count = HF_COUNT(test_trails),
        .keys = test_keys,
        .agent_status = test_status,
        .context = agent,
    };
}

#define TARGET "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."

#endif
