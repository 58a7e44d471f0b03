/* From a request to a URL and header lines, signed for this moment by the store's clock.
 */
#include "agent/s3/s3_impl.h"

#include <stdlib.h>
#include <string.h>

#define TARGET_MAX (32 * 1024)

struct draft {
    struct hf_s3_pair headers[HF_S3_PAIRS_MAX + HF_S3_HEADERS_OWN + 4];
    size_t count;
};

static void
add(struct draft *draft, const char *name, const char *value)
{
    hf_assert(draft->count < HF_COUNT(draft->headers));
    draft->headers[draft->count++] = (struct hf_s3_pair){ name, value };
}

static void
add_line(struct hf_s3_job *job, const char *name, const char *value)
{
    char *line = value ? hf_asprintf("%s: %s", name, value) : hf_asprintf("%s:", name);
    struct curl_slist *lines = curl_slist_append(job->lines, line);

    hf_assert(lines);
    job->lines = lines;
    hf_wipe(line, strlen(line));
    free(line);
}

static enum hf_status
authorize(struct hf_s3_job *job, const struct hf_sigv4_input *input)
{
    struct hf_s3 *s3 = job->s3;
    struct hf_sigv4_scope scope = {
        .region = s3->region,
        .service = "s3",
        .access_key = s3->credentials.access_key,
        .secret_key = s3->credentials.secret_key,
    };
    struct hf_buf value hf_owned(hf_buf_done) = HF_BUF(TARGET_MAX);
    enum hf_status status = hf_sigv4_authorization(&scope, &s3->signing_key, input, &value);

    if (status == HF_OK)
        add_line(job, "Authorization", hf_buf_text(&value));
    return status;
}

static enum hf_status
make_url(const struct hf_s3_job *job, const char *host, const char *path, struct hf_buf *ret_url)
{
    enum hf_status status =
        hf_buf_addf(ret_url, "%s://%s%s", job->s3->endpoint.tls ? "https" : "http", host, path);

    if (status == HF_OK && job->query_count) {
        status = hf_buf_add_text(ret_url, "?");
        if (status == HF_OK)
            status = hf_sigv4_query(job->query, job->query_count, ret_url);
    }
    return status;
}

enum hf_status
hf_s3_job_sign(struct hf_s3_job *job, struct hf_buf *ret_url, struct hf_error *err)
{
    struct hf_s3 *s3 = job->s3;
    struct hf_buf host hf_owned(hf_buf_done) = HF_BUF(TARGET_MAX);
    struct hf_buf path hf_owned(hf_buf_done) = HF_BUF(TARGET_MAX);
    struct draft draft = { .count = 0 };
    char date[HF_TIME_SIZE];
    int64_t now_s = hf_wall_s() + (s3->skew_known ? s3->skew_s : 0);
    enum hf_status status =
        hf_s3_endpoint_target(&s3->endpoint, job->bucket, job->key, &host, &path);

    if (status == HF_OK)
        status = make_url(job, hf_buf_text(&host), hf_buf_text(&path), ret_url);
    if (status != HF_OK)
        return hf_fail(err, status, "the request's URL is longer than %d bytes", TARGET_MAX);

    hf_time_compact(now_s, date);
    add(&draft, "Host", hf_buf_text(&host));
    add(&draft, "x-amz-date", date);
    add(&draft, "x-amz-content-sha256", job->payload_sha256);
    if (s3->credentials.session_token)
        add(&draft, "x-amz-security-token", s3->credentials.session_token);
    for (size_t i = 0; i < job->header_count; i++)
        add(&draft, job->headers[i].name, job->headers[i].value);

    for (size_t i = 0; i < draft.count; i++)
        add_line(job, draft.headers[i].name, draft.headers[i].value);
    add_line(job, "Expect", NULL); /* never wait for 100-continue */
    status = authorize(job, &(struct hf_sigv4_input){
                                .method = job->reply.method,
                                .path = hf_buf_text(&path),
                                .query = job->query,
                                .query_count = job->query_count,
                                .headers = draft.headers,
                                .header_count = draft.count,
                                .payload_sha256 = job->payload_sha256,
                                .time_s = now_s,
                            });
    if (status != HF_OK)
        return hf_fail(err, status, "the request's headers are too large to sign");
    return HF_OK;
}
