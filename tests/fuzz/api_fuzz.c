/* A request of CloudTrail's API: the first line is its target, the rest its body. Answered with
 * JSON, whatever it is. */
#include <holdfast/api.h>
#include <holdfast/json.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *
keys(void *context, struct hf_error *err)
{
    (void)context, (void)err;
    return json_pack("{s:[{s:s, s:s, s:s, s:n, s:n}]}", "keys", "fingerprint", "00ff", "public_key",
                     "MAo=", "valid_from", "2026-11-01T00:00:00Z", "valid_to", "revoked_at");
}

static json_t *
agent_status(void *context)
{
    (void)context;
    return json_pack("{s:i, s:b, s:[{s:s, s:s}]}", "schema", 1, "ok", 1, "trails", "name", "audit",
                     "state", "ok");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hf_api_trail trails[] = {
        { .name = "audit", .bucket = "b", .prefix = "p" },
        { .name = "second", .bucket = "c" },
    };
    static const struct hf_api_options options = { .account = "000000000000",
                                                   .region = "local",
                                                   .trails = trails,
                                                   .trail_count = HF_COUNT(trails),
                                                   .keys = keys,
                                                   .agent_status = agent_status };
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t line = end ? (size_t)(end - data) : size, body = HF_MIN(line + 1, size);
    hf_owned(hf_freep) char *target = hf_strndup((const char *)data, line);
    hf_owned(hf_buf_done) struct hf_buf reply = HF_BUF(1u << 20);
    hf_owned(hf_doc_freep) json_t *doc = NULL;

    int status = hf_api_answer(&options, *target ? target : NULL,
                               hf_slice(data + body, size - body), &reply);
    hf_assert(status == 200 || status == 400 || status == 500);
    hf_assert(hf_doc_parse(hf_buf_slice(&reply), 1u << 20, "reply", &doc, NULL) == HF_OK);
    hf_assert((status == 200) == !json_object_get(doc, "__type"));
    return 0;
}
