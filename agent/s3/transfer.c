/* All that knows curl's options: one transfer, from a signed request to an outcome.
 */
#include "agent/s3/s3_impl.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CA_CACHE_S 10L

/* ---- what curl calls ---- */

static size_t
give_body(char *to, size_t size, size_t count, void *context)
{
    struct hf_s3_job *job = context;
    size_t room = size * count, read = 0;
    uint64_t left = job->body.size - job->body.given;

    if (room > left)
        room = (size_t)left;
    if (!room)
        return 0;
    if (!job->body.fd_used) {
        memcpy(to, job->body.bytes.ptr + job->body.given, room);
        read = room;
    } else if (hf_fs_pread(job->body.fd, to, room, job->body.offset + (off_t)job->body.given, &read,
                           &job->body_error) != HF_OK) {
        return CURL_READFUNC_ABORT;
    } else if (!read) {
        hf_fail(&job->body_error, HF_EIO, "the file of the body ends %llu bytes early",
                (unsigned long long)left);
        return CURL_READFUNC_ABORT;
    }
    job->body.given += read;
    return read;
}

/* curl repeats a request on a fresh connection when a kept one turns out dead. Once a body was
 * begun that would be a second PUT behind the caller's back, so it may not rewind. */
static int
seek_body(void *context, curl_off_t offset, int origin)
{
    const struct hf_s3_job *job = context;

    return job->body.given == 0 && offset == 0 && origin == SEEK_SET ? CURL_SEEKFUNC_OK
                                                                     : CURL_SEEKFUNC_FAIL;
}

static size_t
take_header(char *line, size_t size, size_t count, void *context)
{
    struct hf_s3_job *job = context;
    size_t total = size * count;

    job->reply_header_bytes += total;
    job->reply_header_lines++;
    if (total >= 5 && memcmp(line, "HTTP/", 5) == 0)
        job->head_complete = false;
    else if (line[0] == '\r' || line[0] == '\n')
        job->head_complete = true;
    if (job->reply_header_bytes > HF_S3_REPLY_HEADERS_MAX ||
        job->reply_header_lines > HF_S3_REPLY_HEADER_LINES ||
        !hf_s3_reply_take_header(&job->reply, line, total)) {
        job->headers_too_large = true;
        return 0;
    }
    return total;
}

static size_t
take_body(char *bytes, size_t size, size_t count, void *context)
{
    struct hf_s3_job *job = context;
    size_t total = size * count;
    long http_status = 0;

    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &http_status);
    if (http_status >= 200 && http_status < 300) {
        if (hf_buf_add(&job->reply.body, bytes, total) == HF_OK)
            return total;
        job->body_too_large = true;
        return 0;
    }
    /* of an error only the beginning matters; what is past it is read and forgotten until the
     * deadline */
    if (hf_buf_add(&job->error_body, bytes,
                   HF_MIN(total, HF_S3_ERROR_MAX - job->error_body.size)) != HF_OK)
        return 0;
    return total;
}

static curl_socket_t
open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct hf_s3_job *job = context;
    char text[INET6_ADDRSTRLEN] = "";

    (void)purpose;
    if (address->family == AF_INET)
        inet_ntop(AF_INET, &((struct sockaddr_in *)&address->addr)->sin_addr, text, sizeof(text));
    else if (address->family == AF_INET6)
        inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&address->addr)->sin6_addr, text,
                  sizeof(text));
    if (hf_s3_is_metadata_address(text)) {
        job->address_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- options ---- */

#define SET(easy, option, value) hf_assert(curl_easy_setopt((easy), (option), (value)) == CURLE_OK)

static void
set_security(CURL *easy, const struct hf_s3 *s3)
{
    SET(easy, CURLOPT_PROTOCOLS_STR, s3->endpoint.tls ? "https" : "http");
    SET(easy, CURLOPT_FOLLOWLOCATION, 0L);
    SET(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_NONE);
    SET(easy, CURLOPT_UNRESTRICTED_AUTH, 0L);
    SET(easy, CURLOPT_PROXY, s3->proxy ? s3->proxy : ""); /* "": not the environment's either */
    SET(easy, CURLOPT_NOPROXY, "");
    SET(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (s3->ca_file) {
        SET(easy, CURLOPT_CAINFO, s3->ca_file);
        SET(easy, CURLOPT_CAPATH, NULL); /* only these, not the system's beside them */
    }
    SET(easy, CURLOPT_SHARE, s3->share);
    /* libcurl keeps what it read for a day: a file that was mended would not be seen. */
    SET(easy, CURLOPT_CA_CACHE_TIMEOUT, CA_CACHE_S);
}

/* curl's own low-speed guard sees a transfer that stands; the deadline sees one that drips. */
static void
set_limits(CURL *easy, const struct hf_s3_job *job)
{
    const struct hf_s3 *s3 = job->s3;
    bool wants_body = strcmp(job->reply.method, "GET") == 0;
    uint64_t bytes = job->body.size + (wants_body ? job->max_reply : HF_S3_ERROR_USUAL);
    uint64_t deadline_s = s3->timeout_s + bytes / HF_S3_SLOWEST_BYTES_PER_S;

    SET(easy, CURLOPT_NOSIGNAL, 1L);
    SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(s3->timeout_s * 1000));
    SET(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(easy, CURLOPT_LOW_SPEED_TIME, (long)s3->timeout_s);
    SET(easy, CURLOPT_TIMEOUT_MS, (long)(HF_MIN(deadline_s, 7 * 86400) * 1000));
    /* Not longer: a firewall may forget a quiet connection without telling either end, and then a
     * PUT hangs until the time-out and its outcome is unknown. A new one costs two round trips, its
     * TLS session being known. */
    SET(easy, CURLOPT_MAXAGE_CONN, 60L);
    SET(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    SET(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(easy, CURLOPT_HTTP09_ALLOWED, 0L);
}

static void
set_callbacks(CURL *easy, struct hf_s3_job *job)
{
    SET(easy, CURLOPT_PRIVATE, job);
    SET(easy, CURLOPT_ERRORBUFFER, job->curl_error);
    SET(easy, CURLOPT_HEADERFUNCTION, take_header);
    SET(easy, CURLOPT_HEADERDATA, job);
    SET(easy, CURLOPT_WRITEFUNCTION, take_body);
    SET(easy, CURLOPT_WRITEDATA, job);
    SET(easy, CURLOPT_READFUNCTION, give_body);
    SET(easy, CURLOPT_READDATA, job);
    SET(easy, CURLOPT_SEEKFUNCTION, seek_body);
    SET(easy, CURLOPT_SEEKDATA, job);
    SET(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(easy, CURLOPT_OPENSOCKETDATA, job);
}

static void
set_request(CURL *easy, const struct hf_s3_job *job, const char *url)
{
    const char *method = job->reply.method;

    SET(easy, CURLOPT_URL, url);
    SET(easy, CURLOPT_PATH_AS_IS, 1L);
    SET(easy, CURLOPT_USERAGENT, "holdfast/" HF_VERSION);
    SET(easy, CURLOPT_HTTPHEADER, job->lines);
    if (strcmp(method, "HEAD") == 0) {
        SET(easy, CURLOPT_NOBODY, 1L);
    } else if (strcmp(method, "PUT") == 0 || strcmp(method, "POST") == 0) {
        SET(easy, CURLOPT_UPLOAD, 1L);
        SET(easy, CURLOPT_INFILESIZE_LARGE,
            (curl_off_t)job->body.size); /* known, so never chunked */
        SET(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
    }
    SET(easy, CURLOPT_CUSTOMREQUEST, method);
    SET(easy, CURLOPT_FRESH_CONNECT, (long)job->fresh_connection);
}

enum hf_status
hf_s3_job_prepare(struct hf_s3_job *job, struct hf_error *err)
{
    struct hf_buf url hf_owned(hf_buf_done) = HF_BUF(64 * 1024);
    enum hf_status status = hf_s3_job_sign(job, &url, err);

    if (status != HF_OK)
        return status;
    job->easy = curl_easy_init();
    hf_assert(job->easy);
    set_security(job->easy, job->s3);
    set_limits(job->easy, job);
    set_callbacks(job->easy, job);
    set_request(job->easy, job, hf_buf_text(&url));
    return HF_OK;
}

/* ---- outcome ---- */

void
hf_s3_job_fail(struct hf_s3_job *job, enum hf_s3_outcome outcome, enum hf_status status,
               const char *text)
{
    job->reply.outcome = outcome;
    job->reply.transport = status;
    snprintf(job->reply.transport_text, sizeof(job->reply.transport_text), "%s", text);
}

static enum hf_status
status_of(const struct hf_s3_job *job, CURLcode result)
{
    switch (result) {
    case CURLE_OPERATION_TIMEDOUT: return HF_ETIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return HF_ETLS;
    case CURLE_WRITE_ERROR: return job->body_too_large ? HF_ELIMIT : HF_EFORMAT;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING: return HF_EFORMAT;
    case CURLE_ABORTED_BY_CALLBACK: return HF_EIO;
    case CURLE_OUT_OF_MEMORY: /* also what curl 7.88 calls a header line over its own 100 KiB */
        return job->reply_header_lines ? HF_EFORMAT : HF_ENOMEM;
    default: return HF_EUNREACHABLE;
    }
}

static void
hint(const struct hf_s3_job *job, CURLcode result, enum hf_status status, char *ret_text,
     size_t size)
{
    const char *ca_file = job->s3->ca_file;

    ret_text[0] = 0;
    if (job->address_refused)
        snprintf(
            ret_text, size,
            "; its name leads to a link-local address or a metadata service: correct url or DNS");
    else if (job->headers_too_large || result == CURLE_OUT_OF_MEMORY)
        snprintf(ret_text, size, "; its header has no end: is the url an S3 endpoint?");
    else if (status == HF_ETLS && ca_file)
        snprintf(ret_text, size,
                 "; does its certificate name this host, signed by ca_file '%.70s'?", ca_file);
    else if (status == HF_ETLS)
        snprintf(
            ret_text, size,
            "; does its certificate name this host? set ca_file to the authority that signed it");
    else if (result == CURLE_COULDNT_RESOLVE_HOST || result == CURLE_COULDNT_CONNECT)
        snprintf(ret_text, size, "; is the url right and the store up?");
    else if (result == CURLE_COULDNT_RESOLVE_PROXY)
        snprintf(ret_text, size, "; is proxy right?");
}

static void
judge_failure(struct hf_s3_job *job, CURLcode result)
{
    enum hf_status status = status_of(job, result);
    enum hf_s3_outcome outcome;
    char text[sizeof(job->reply.transport_text)], what_to_do[160];
    long sent = 0;

    hint(job, result, status, what_to_do, sizeof(what_to_do));
    /* A body cut short cannot be applied: its length and hash were promised. */
    curl_easy_getinfo(job->easy, CURLINFO_REQUEST_SIZE, &sent);
    outcome = (sent == 0 && job->body.given == 0) || result == CURLE_ABORTED_BY_CALLBACK
                  ? HF_S3_NEVER_SENT
                  : HF_S3_UNKNOWN;
    if (result == CURLE_ABORTED_BY_CALLBACK)
        snprintf(text, sizeof(text), "the body could not be read: %.240s", job->body_error.text);
    else if (job->body_too_large)
        snprintf(text, sizeof(text), "'%.100s' answered with more than %zu bytes",
                 job->s3->endpoint.url, job->max_reply);
    else
        snprintf(text, sizeof(text), "'%.64s': %.90s%s", job->s3->endpoint.url,
                 job->curl_error[0] ? job->curl_error : curl_easy_strerror(result), what_to_do);
    hf_s3_job_fail(job, outcome, status, text);
}

void
hf_s3_job_judge(struct hf_s3_job *job, CURLcode result)
{
    long http_status = 0;

    /* Where no body is expected curl takes a head that was cut off for a whole one. */
    if (result == CURLE_OK && !job->head_complete) {
        snprintf(job->curl_error, sizeof(job->curl_error), "its answer ended within the header");
        result = CURLE_PARTIAL_FILE;
    }
    if (result != CURLE_OK) {
        judge_failure(job, result);
        return;
    }
    curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &http_status);
    job->reply.outcome = HF_S3_ANSWERED;
    job->reply.transport = HF_OK;
    job->reply.http_status = (int)http_status;
    hf_s3_reply_finish(&job->reply, job->expect, hf_buf_slice(&job->error_body));
}
