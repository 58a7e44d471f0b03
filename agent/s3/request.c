/* One request: checked, copied, and given the headers that need no clock.
 */
#include "agent/s3/s3_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_token(const char *text, size_t max)
{
    size_t size = strlen(text);

    for (size_t i = 0; i < size; i++) {
        bool letter = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z');

        if (!letter && !(text[i] >= '0' && text[i] <= '9') && !strchr("-_.", text[i]))
            return false;
    }
    return size > 0 && size <= max;
}

/* A header that is empty is not sent by curl as we sign it; one with a line break would be two. */
static bool
is_header_value(const char *text)
{
    bool some = false;

    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if ((*at < 0x20 && *at != '\t') || *at == 0x7f)
            return false;
        some = some || (*at != ' ' && *at != '\t');
    }
    return some && strlen(text) <= 8192;
}

static enum hf_status
check_names(const struct hf_s3_request *request, struct hf_error *err)
{
    static const char *const methods[] = { "GET", "HEAD", "PUT", "DELETE", "POST" };
    bool known = false;

    for (size_t i = 0; i < HF_COUNT(methods); i++)
        known = known || strcmp(methods[i], request->method) == 0;
    if (!known)
        return hf_fail(err, HF_EUSAGE, "no S3 request has the method '%s'", request->method);
    if (request->bucket && (!is_token(request->bucket, 255) || request->bucket[0] == '.'))
        return hf_fail(err, HF_EUSAGE, "'%s' is no bucket name", request->bucket);
    if (request->key && (!request->bucket || !*request->key))
        return hf_fail(err, HF_EUSAGE, "a key is empty or has no bucket");
    if (request->key && strlen(request->key) > HF_S3_KEY_MAX)
        return hf_fail(err, HF_ELIMIT, "a key of %zu bytes; S3 takes %d: shorten the prefix",
                       strlen(request->key), HF_S3_KEY_MAX);
    if (request->query_count > HF_S3_PAIRS_MAX || request->header_count > HF_S3_PAIRS_MAX)
        return hf_fail(err, HF_ELIMIT, "a request with more than %d query pairs or headers",
                       HF_S3_PAIRS_MAX);
    for (size_t i = 0; i < request->header_count; i++) {
        if (!is_token(request->headers[i].name, 256) || !request->headers[i].value ||
            !is_header_value(request->headers[i].value))
            return hf_fail(err, HF_EUSAGE, "header '%s' has a name or value that cannot be sent",
                           request->headers[i].name);
    }
    return HF_OK;
}

static enum hf_status
check_body(const struct hf_s3 *s3, const struct hf_s3_request *request, struct hf_error *err)
{
    uint8_t hash[HF_SHA256_SIZE];
    bool writes = strcmp(request->method, "PUT") == 0 || strcmp(request->method, "POST") == 0;

    if (!writes && (request->body_fd_used || request->body.size))
        return hf_fail(err, HF_EUSAGE, "a %s request with a body", request->method);
    if (request->body_fd_used &&
        (request->body.size || request->content_md5 || !request->payload_sha256))
        return hf_fail(err, HF_EUSAGE, "a body from a file needs its SHA-256 and no second body");
    if (request->payload_sha256 &&
        !hf_unhex(request->payload_sha256, strlen(request->payload_sha256), hash, sizeof(hash)))
        return hf_fail(err, HF_EUSAGE, "'%s' is no SHA-256 in hex", request->payload_sha256);
    if (request->sse_c_key && !s3->endpoint.tls)
        return hf_fail(err, HF_ECONFIG,
                       "SSE-C sends its key with each request, so '%s' must be https://",
                       s3->endpoint.url);
    return HF_OK;
}

static void
add_header(struct hf_s3_job *job, const char *name, const char *value)
{
    hf_assert(job->header_count < HF_COUNT(job->headers));
    job->headers[job->header_count].name = hf_strdup(name);
    job->headers[job->header_count++].value = hf_strdup(value);
}

static void
add_lock_headers(struct hf_s3_job *job, const struct hf_s3_request *request)
{
    char until[HF_TIME_SIZE];

    if (request->lock_mode != HF_LOCK_NONE) {
        hf_time_rfc3339(request->retain_until_s, until);
        add_header(job, "x-amz-object-lock-mode", hf_lock_mode_text(request->lock_mode));
        add_header(job, "x-amz-object-lock-retain-until-date", until);
    }
    if (request->legal_hold)
        add_header(job, "x-amz-object-lock-legal-hold", "ON");
    job->reply.asked_lock = request->lock_mode != HF_LOCK_NONE || request->legal_hold;
}

static void
add_sse_c_headers(struct hf_s3_job *job, const uint8_t *key)
{
    char text[HF_BASE64_SIZE(32)], md5_text[HF_BASE64_SIZE(HF_MD5_SIZE)];
    uint8_t md5[HF_MD5_SIZE];

    if (!key)
        return;
    hf_base64(key, 32, text);
    hf_md5(key, 32, md5);
    hf_base64(md5, sizeof(md5), md5_text);
    add_header(job, "x-amz-server-side-encryption-customer-algorithm", "AES256");
    add_header(job, "x-amz-server-side-encryption-customer-key", text);
    add_header(job, "x-amz-server-side-encryption-customer-key-MD5", md5_text);
    hf_wipe(text, sizeof(text));
    job->reply.asked_sse_c = true;
}

static void
take_body(struct hf_s3_job *job, const struct hf_s3_request *request)
{
    uint8_t md5[HF_MD5_SIZE];
    char md5_text[HF_BASE64_SIZE(HF_MD5_SIZE)];

    job->body.bytes = request->body;
    job->body.fd_used = request->body_fd_used;
    job->body.fd = request->body_fd;
    job->body.offset = request->body_offset;
    job->body.size = request->body_fd_used ? request->body_size : request->body.size;
    if (request->payload_sha256)
        memcpy(job->payload_sha256, request->payload_sha256, sizeof(job->payload_sha256));
    else
        hf_sha256_hex(job->body.bytes.ptr ? (const void *)job->body.bytes.ptr : "",
                      job->body.bytes.size, job->payload_sha256);
    if (request->content_md5) {
        hf_md5(job->body.bytes.ptr ? (const void *)job->body.bytes.ptr : "", job->body.bytes.size,
               md5);
        hf_base64(md5, sizeof(md5), md5_text);
        add_header(job, "Content-MD5", md5_text);
    }
}

enum hf_status
hf_s3_job_new(struct hf_s3 *s3, const struct hf_s3_request *request, struct hf_s3_job **ret_job,
              struct hf_error *err)
{
    enum hf_status status = check_names(request, err);
    struct hf_s3_job *job;

    if (status == HF_OK)
        status = check_body(s3, request, err);
    if (status != HF_OK)
        return status;
    job = hf_alloc(sizeof(*job));
    job->s3 = s3;
    job->bucket = hf_strdup(request->bucket);
    job->key = hf_strdup(request->key);
    snprintf(job->reply.method, sizeof(job->reply.method), "%s", request->method);
    for (size_t i = 0; i < request->query_count; i++) {
        job->query[i].name = hf_strdup(request->query[i].name);
        job->query[i].value = hf_strdup(request->query[i].value);
        job->query_count++;
    }
    for (size_t i = 0; i < request->header_count; i++)
        add_header(job, request->headers[i].name, request->headers[i].value);
    add_lock_headers(job, request);
    add_sse_c_headers(job, request->sse_c_key);
    take_body(job, request);
    job->max_reply = request->max_reply ? request->max_reply : HF_S3_REPLY_DEFAULT;
    job->expect = request->expect;
    job->fresh_connection = request->fresh_connection;
    hf_buf_init(&job->error_body, HF_S3_ERROR_MAX);
    hf_buf_init(&job->reply.body, job->max_reply);
    hf_buf_init(&job->reply.headers, 2 * HF_S3_REPLY_HEADERS_MAX);
    *ret_job = job;
    return HF_OK;
}

static void
free_pairs(struct hf_s3_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *name = (char *)pairs[i].name, *value = (char *)pairs[i].value; /* copies of our own */

        free(name);
        if (value)
            hf_wipe(value, strlen(value));
        free(value);
    }
}

void
hf_s3_job_free(struct hf_s3_job *job)
{
    if (job->easy)
        curl_easy_cleanup(job->easy);
    for (struct curl_slist *line = job->lines; line; line = line->next)
        hf_wipe(line->data, strlen(line->data)); /* the customer key and the token are among them */
    curl_slist_free_all(job->lines);
    free_pairs(job->query, job->query_count);
    free_pairs(job->headers, job->header_count);
    hf_buf_done(&job->error_body);
    hf_s3_reply_done(&job->reply);
    free(job->bucket);
    free(job->key);
    free(job);
}
