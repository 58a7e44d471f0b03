/* What a store can answer: the first bytes choose what was asked and the status, then come header
 * lines up to an empty one, then the body. Whatever it is, it becomes a status and one line of
 * text. */
#include "agent/s3/s3_impl.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(const char *text, size_t size)
{
    hf_assert(memchr(text, 0, size));
}

static void
check_fields(const struct hf_s3_reply *reply)
{
    check_text(reply->code, sizeof(reply->code));
    check_text(reply->message, sizeof(reply->message));
    check_text(reply->region, sizeof(reply->region));
    check_text(reply->etag, sizeof(reply->etag));
    check_text(reply->version_id, sizeof(reply->version_id));
    check_text(reply->checksum_sha256, sizeof(reply->checksum_sha256));
    check_text(reply->content_type, sizeof(reply->content_type));
    check_text(reply->content_encoding, sizeof(reply->content_encoding));
    hf_assert(reply->lock_mode == HF_LOCK_NONE || reply->lock_mode == HF_LOCK_GOVERNANCE ||
              reply->lock_mode == HF_LOCK_COMPLIANCE || reply->lock_mode == HF_UNSET);
}

static void
check_status(const struct hf_s3_reply *reply)
{
    struct hf_error err = { 0 };
    enum hf_status status = hf_s3_status(reply, "doing", &err);

    hf_assert(status != HF_OK || (reply->http_status >= 200 && reply->http_status < 300));
    hf_assert(status == HF_OK || err.status == status);
    for (const char *c = err.text; *c; c++)
        hf_assert((uint8_t)*c >= 0x20 && *c != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = { 200, 204, 206, 301, 307, 400, 403, 404,
                                    405, 409, 411, 412, 429, 500, 501, 503 };
    static const char *const methods[] = { "PUT", "HEAD", "GET", "POST" };
    if (size < 2)
        return 0;
    struct hf_s3_reply reply = { .outcome = HF_S3_ANSWERED,
                                 .http_status = statuses[data[0] % 16],
                                 .asked_lock = data[1] & 16,
                                 .asked_sse_c = data[1] & 32,
                                 .body = HF_BUF(HF_S3_REPLY_DEFAULT),
                                 .headers = HF_BUF(HF_S3_REPLY_HEADERS_MAX) };
    snprintf(reply.method, sizeof(reply.method), "%s", methods[data[1] & 3]);
    size_t at = 2;
    while (at < size) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t line = end ? (size_t)(end + 1 - data) - at : size - at;
        bool last = line <= 1;
        if (!hf_s3_reply_take_header(&reply, (const char *)data + at, line))
            break;
        at += line;
        if (last)
            break;
    }
    struct hf_slice body = hf_slice(data + at, size - at);
    if (reply.http_status < 300 && hf_buf_add(&reply.body, body.ptr, body.size) != HF_OK)
        hf_buf_reset(&reply.body);
    hf_s3_reply_finish(&reply, (enum hf_s3_expect)(data[0] / 16 % 3), body);
    check_fields(&reply);
    check_status(&reply);
    hf_s3_reply_done(&reply);
    return 0;
}
