/* From a request's target and body to an answer: the table of operations, and AWS JSON 1.1's
 * errors. */
#include "api_impl.h"

#include <holdfast/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TARGET_PREFIX "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101."

static const struct operation {
    const char *name;
    json_t *(*run)(const struct hf_api_options *options, const json_t *request,
                   struct api_error *error);
} operations[] = {
    { "DescribeTrails", api_describe_trails },
    { "GetTrailStatus", api_get_trail_status },
    { "ListPublicKeys", api_list_public_keys },
};

json_t *
api_fail(struct api_error *error, const char *code, const char *format, ...)
{
    va_list args;
    error->http_status = 400;
    error->code = code;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return NULL;
}

/* Some clients send CloudTrail_20131101.OP without the name space before it. */
static const struct operation *
find_operation(const char *target)
{
    const char *dot = target ? strrchr(target, '.') : NULL;
    if (!dot || (strncmp(target, TARGET_PREFIX, strlen(TARGET_PREFIX)) != 0 &&
                 !hf_starts_with(target, "CloudTrail_20131101.")))
        return NULL;
    for (size_t i = 0; i < HF_COUNT(operations); i++)
        if (strcmp(dot + 1, operations[i].name) == 0)
            return &operations[i];
    return NULL;
}

static json_t *
run(const struct hf_api_options *options, const char *target, struct hf_slice body,
    struct api_error *error)
{
    const struct operation *operation = find_operation(target);
    hf_owned(hf_doc_freep) json_t *request = NULL;
    if (!operation)
        return api_fail(
            error, "UnknownOperationException",
            "%.200s is not answered here; DescribeTrails, GetTrailStatus and ListPublicKeys are",
            target ? target : "a request without X-Amz-Target");
    if (body.size == 0)
        request = json_object();
    else if (hf_doc_parse(body, HF_API_BODY_MAX, "the request", &request, NULL) != HF_OK ||
             !json_is_object(request))
        return api_fail(error, "SerializationException", "the body is not a JSON object");
    return operation->run(options, request, error);
}

/* What a message quotes is the client's, and may be no text, or be cut within a character. */
static json_t *
message_of(struct api_error *error)
{
    if (!hf_utf8_valid(hf_slice_text(error->text)))
        for (char *c = error->text; *c; c++)
            *c = (unsigned char)*c < 0x80 ? *c : '?';
    return json_string_nocheck(error->text);
}

int
hf_api_answer(const struct hf_api_options *options, const char *target, struct hf_slice body,
              struct hf_buf *ret_body)
{
    struct api_error error = { .http_status = 200 };
    hf_owned(hf_doc_freep) json_t *answer = run(options, target, body, &error);
    if (!answer) {
        answer = json_object();
        hf_doc_set_text(answer, "__type", error.code);
        hf_doc_set(answer, "message", message_of(&error));
    }
    hf_buf_reset(ret_body);
    if (hf_doc_dump(answer, ret_body) == HF_OK)
        return error.http_status;
    hf_buf_reset(ret_body);
    return 500; /* larger than the caller wants to send */
}
