/* The insides of one S3 client.
 *
 *   hf_s3_start -> waiting -> active (a curl handle) -> callback
 *                     \-> failed (no credentials)   -> callback
 *
 * client.c moves jobs along; request.c copies and checks one; sign.c makes its headers; transfer.c
 * is all that knows curl's options; reply.c reads what came back; status.c judges it.
 */
#ifndef HOLDFAST_S3_IMPL_H
#define HOLDFAST_S3_IMPL_H

#include "agent/s3/sigv4.h"

#include <curl/curl.h>
#include <holdfast/s3.h>

/* ---- credentials.c ---- */

struct hf_s3_credentials {
    char *file; /* NULL: the environment */
    char *profile;
    char *access_key;
    char *secret_key;
    char *session_token; /* NULL: none */
    struct stat seen;    /* the file when it was read */
    bool stale;          /* the store refused them: read again before the next request */
};
enum hf_status hf_s3_credentials_init(struct hf_s3_credentials *credentials, const char *file,
                                      const char *profile, struct hf_error *err) hf_must_check;
/* Reads the file again if it changed or they were refused; *ret_changed then. What was known stays
 * on failure. */
enum hf_status hf_s3_credentials_refresh(struct hf_s3_credentials *credentials, bool *ret_changed,
                                         struct hf_error *err) hf_must_check;
void hf_s3_credentials_done(struct hf_s3_credentials *credentials);
/* One section of an INI file. For tests and fuzzing apart from any file. */
enum hf_status hf_s3_credentials_parse(struct hf_slice text, const char *profile,
                                       struct hf_s3_credentials *ret_credentials,
                                       struct hf_error *err) hf_must_check;

/* ---- endpoint.c ---- */

struct hf_s3_endpoint {
    char *url; /* as configured, for messages */
    bool tls;
    bool virtual_host;
    char *host; /* with ":PORT" unless it is the scheme's own */
};
enum hf_status hf_s3_endpoint_init(struct hf_s3_endpoint *endpoint, const char *url, int addressing,
                                   struct hf_error *err) hf_must_check;
void hf_s3_endpoint_done(struct hf_s3_endpoint *endpoint);
enum hf_status hf_s3_endpoint_target(const struct hf_s3_endpoint *endpoint, const char *bucket,
                                     const char *key, struct hf_buf *ret_host,
                                     struct hf_buf *ret_path) hf_must_check;
/* Link-local, or the metadata service of a cloud host, which would answer anything with the host's
 * own credentials. */
bool hf_s3_is_metadata_address(const char *host);

/* ---- one request ---- */

#define HF_S3_HEADERS_OWN   12 /* what is added to the caller's */
#define HF_S3_REPLY_DEFAULT (1024 * 1024)
#define HF_S3_ERROR_MAX     (64 * 1024)
/* what the deadline allows for where no body is wanted */
#define HF_S3_ERROR_USUAL         (16 * 1024)
#define HF_S3_REPLY_HEADERS_MAX   (64 * 1024)
#define HF_S3_REPLY_HEADER_LINES  200
#define HF_S3_SLOWEST_BYTES_PER_S 4096

struct hf_s3_job {
    struct hf_s3_job *next;
    struct hf_s3 *s3;
    hf_s3_callback callback;
    void *context;

    char *bucket, *key;
    struct hf_s3_pair query[HF_S3_PAIRS_MAX]; /* owned, like the headers */
    size_t query_count;
    struct hf_s3_pair headers[HF_S3_PAIRS_MAX + HF_S3_HEADERS_OWN];
    size_t header_count;

    struct {
        struct hf_slice bytes; /* or, fd_used, `size` of fd from `offset` on */
        bool fd_used;
        int fd;
        off_t offset;
        uint64_t size;
        uint64_t given; /* to curl */
    } body;
    char payload_sha256[HF_SHA256_HEX_SIZE];

    bool fresh_connection;
    size_t max_reply;
    enum hf_s3_expect expect;

    CURL *easy; /* NULL unless active */
    struct curl_slist *lines;
    char curl_error[CURL_ERROR_SIZE];
    size_t reply_header_bytes, reply_header_lines;
    bool head_complete; /* the empty line after the last status line's headers was seen */
    bool headers_too_large, body_too_large, address_refused;
    struct hf_buf error_body;
    struct hf_error body_error;
    struct hf_s3_reply reply;
};

/* request.c */
enum hf_status hf_s3_job_new(struct hf_s3 *s3, const struct hf_s3_request *request,
                             struct hf_s3_job **ret_job, struct hf_error *err) hf_must_check;
void hf_s3_job_free(struct hf_s3_job *job);

/* sign.c: the URL and every header line, signed for now. */
enum hf_status hf_s3_job_sign(struct hf_s3_job *job, struct hf_buf *ret_url,
                              struct hf_error *err) hf_must_check;

/* transfer.c */
enum hf_status hf_s3_job_prepare(struct hf_s3_job *job,
                                 struct hf_error *err) hf_must_check; /* makes job->easy */
void hf_s3_job_judge(struct hf_s3_job *job, CURLcode result); /* fills outcome and transport */
void hf_s3_job_fail(struct hf_s3_job *job, enum hf_s3_outcome outcome, enum hf_status status,
                    const char *text);

/* reply.c */
bool hf_s3_reply_take_header(struct hf_s3_reply *reply, const char *line,
                             size_t size); /* false: no memory for it */
void hf_s3_reply_finish(struct hf_s3_reply *reply, enum hf_s3_expect expect,
                        struct hf_slice error_body);

/* status.c */
bool hf_s3_code_is_credentials(const char *code);

struct hf_s3 {
    struct hf_s3_endpoint endpoint;
    char *region, *ca_file, *proxy;
    uint64_t timeout_s;
    unsigned connections;
    struct hf_s3_credentials credentials;
    struct hf_sigv4_key signing_key;
    bool skew_known;
    int64_t skew_s;

    CURLM *multi;
    CURLSH *share; /* TLS sessions, for the next connection */
    struct hf_s3_job *waiting, **waiting_end;
    struct hf_s3_job *failed, **failed_end;
    struct hf_s3_job *active;
    unsigned active_count;
    size_t pending;
    bool running, closing;
};

#endif
