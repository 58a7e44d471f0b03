/* s3: one S3 endpoint: requests signed with Signature Version 4, sent over libcurl, replies parsed
 * and judged.
 *
 * A struct hf_s3 has its own connections (kept alive) and credentials, and belongs to one thread;
 * only hf_s3_wakeup() may be called from another. Nothing here retries: what a failed request may
 * have done is told (enum hf_s3_outcome), what to do about it is the caller's rule. (libcurl's own
 * repeat on a connection that died idle is held back as soon as a body was begun.)
 */
#ifndef HOLDFAST_S3_H
#define HOLDFAST_S3_H

#include <holdfast/base.h>
#include <holdfast/config.h>
#include <holdfast/crypto.h>

struct hf_s3;

struct hf_s3_options {
    const char *url;     /* https://HOST[:PORT] or http://HOST[:PORT] */
    const char *region;  /* NULL: us-east-1 */
    const char *ca_file; /* NULL: the system's certificates */
    /* NULL: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN */
    const char *credentials_file;
    const char *profile;  /* NULL: default */
    const char *proxy;    /* NULL: none, whatever the environment says */
    int addressing;       /* HF_ADDRESSING_* */
    uint64_t timeout_s;   /* 0: 60. A request that moves no bytes for this long has failed */
    unsigned connections; /* 0: 4. Requests under way at once; further ones wait in order */
};
/* The options a configured store asks for; borrows its strings. */
void hf_s3_options_of(const struct hf_config_store *store, struct hf_s3_options *ret_options);

/* Copies the options, reads the credentials (HF_ECREDENTIALS, HF_EACCESS), sends nothing.
 * HF_ECONFIG for a URL that is no bare endpoint, or that names the metadata service
 * 169.254.169.254. */
enum hf_status hf_s3_open(const struct hf_s3_options *options, struct hf_s3 **ret_s3,
                          struct hf_error *err) hf_must_check;
/* Abandons what is pending first: each callback runs, with HF_ESTOPPED. */
void hf_s3_close(struct hf_s3 *s3);
void hf_s3_closep(struct hf_s3 **s3);
bool hf_s3_is_tls(const struct hf_s3 *s3);
const char *hf_s3_url(const struct hf_s3 *s3);
const char *hf_s3_region(const struct hf_s3 *s3);

/* ---- request ---- */

struct hf_s3_pair {
    const char *name;
    const char *value; /* query: NULL is a sub-resource without a value (?object-lock) */
};

/* What a 2xx answer must look like; otherwise it was not S3 that answered (a captive portal's 200):
 * HF_EFORMAT. */
enum hf_s3_expect {
    HF_S3_EXPECT_ANY,    /* anything but HTML */
    HF_S3_EXPECT_OBJECT, /* an ETag: PUT, GET and HEAD of an object; of a HEAD its length, too */
    HF_S3_EXPECT_XML,    /* an XML document */
};

#define HF_S3_KEY_MAX   1024
#define HF_S3_PAIRS_MAX 32

struct hf_s3_request {
    const char *method; /* GET HEAD PUT DELETE POST */
    const char *bucket; /* NULL: the service */
    const char *key;    /* NULL: the bucket; at most HF_S3_KEY_MAX bytes, not yet encoded */
    const struct hf_s3_pair *query; /* not yet encoded, any order */
    size_t query_count;
    /* all of them are signed; Host, Authorization, Content-Length and what follows are added */
    const struct hf_s3_pair *headers;
    size_t header_count;

    /* The body: `body`, or, when body_fd_used, body_size bytes of body_fd from body_offset on,
     * which never enter memory as a whole. */
    struct hf_slice body;
    bool body_fd_used;
    int body_fd;
    off_t body_offset;
    uint64_t body_size;
    const char *payload_sha256; /* 64 hex digits; needed with body_fd, else computed when NULL */
    bool content_md5; /* compute Content-MD5; for `body` only (with body_fd give the header) */

    int lock_mode; /* HF_LOCK_*: x-amz-object-lock-mode and -retain-until-date */
    int64_t retain_until_s;
    bool legal_hold;          /* x-amz-object-lock-legal-hold: ON, sent only when true */
    const uint8_t *sse_c_key; /* 32 bytes or NULL: the SSE-C headers; HF_ECONFIG over plain HTTP */

    bool fresh_connection; /* not on one that was used before: some servers close those unasked */
    size_t max_reply;      /* most bytes of body; 0: 1 MiB. An error reply may always have 64 KiB */
    enum hf_s3_expect expect;
};

/* ---- reply ---- */

/* Whether the request may have been applied. */
enum hf_s3_outcome {
    /* the store's whole answer is here; what a 5xx did is the caller's to doubt */
    HF_S3_ANSWERED,
    /* it was not: no connection, no TLS, no credentials, or the body could not be read to its
     * end */
    HF_S3_NEVER_SENT,
    /* it may have been: time-out, reset or a broken answer after sending had begun */
    HF_S3_UNKNOWN,
};

struct hf_s3_reply {
    enum hf_s3_outcome outcome;
    enum hf_status transport; /* HF_OK when answered, else why not */
    char transport_text[320]; /* the reason, names the endpoint */

    int http_status; /* 0 when not answered */
    char code[64];   /* the store's error code and message; "" when it told none */
    char message[256];
    char region[64]; /* x-amz-bucket-region, or the Region of an error */

    char etag[128]; /* without quotes; "" when absent, like all of these */
    char version_id[256];
    char checksum_sha256[64]; /* base64 */
    char content_type[64];
    char content_encoding[32];
    uint64_t content_length;
    bool delete_marker;
    int lock_mode;          /* HF_LOCK_* */
    int64_t retain_until_s; /* 0 when absent */
    bool legal_hold;
    int64_t last_modified_s; /* 0 when absent */
    int64_t date_s;          /* the store's Date; 0 when absent */
    int64_t skew_s;          /* Date minus our wall clock at its arrival */

    struct hf_buf body; /* of a 2xx; the callback may take it (leave HF_BUF(0)) */

    /* What was asked, for hf_s3_status(). */
    char method[8];
    bool asked_lock, asked_sse_c;
    bool not_s3; /* what answered does not look like S3: HTML, or nothing of what was expected */

    struct hf_buf headers; /* private; see hf_s3_reply_header() */
};
/* A header's value by its lower-case name ("x-amz-meta-holdfast-sha256"); NULL when absent. As
 * long-lived as the reply. */
const char *hf_s3_reply_header(const struct hf_s3_reply *reply, const char *name);
void hf_s3_reply_done(struct hf_s3_reply *reply);

/* The one place that turns an answer, or its absence, into a status, and a text that says what to
 * do. HF_OK for 2xx of the expected kind. `doing` ("putting 'KEY'") prefixes the text.
 *
 *   HF_EEXISTS       412                         HF_ENOTFOUND     404, delete markers
 *   HF_EACCESS       403 and locked versions     HF_ECREDENTIALS  unknown or expired keys
 *   HF_EBUSYSTORE    500, 503, 429, 409          HF_ESKEW         clocks differ
 *   HF_ENOTHELD      lock refused                HF_ECONFIG       redirects, wrong region
 *   HF_EFORMAT       not S3                      HF_EREFUSED      any other 4xx
 *   HF_EUNREACHABLE, HF_ETIMEOUT, HF_ETLS        no answer
 *   HF_ELIMIT        reply over max_reply        HF_EIO           body_fd cannot be read */
enum hf_status hf_s3_status(const struct hf_s3_reply *reply, const char *doing,
                            struct hf_error *err) hf_must_check;

/* ---- asynchronous use ---- */

/* The reply is freed after the callback. The callback may start further requests, not run or close.
 */
typedef void (*hf_s3_callback)(void *context, struct hf_s3_reply *reply);

/* Copies the request, except `body`, which stays until the callback, like body_fd. Fails only for a
 * request that cannot be sent as it is (HF_EUSAGE, HF_ECONFIG, HF_ELIMIT), then the callback never
 * runs; else it runs exactly once, in hf_s3_run(), hf_s3_call() or hf_s3_close(). Signed when it
 * leaves the queue, not here. */
enum hf_status hf_s3_start(struct hf_s3 *s3, const struct hf_s3_request *request,
                           hf_s3_callback callback, void *context,
                           struct hf_error *err) hf_must_check;
/* Waits for network, hf_s3_wakeup() or wait_ms, then moves bytes and runs callbacks. 0 polls. */
void hf_s3_run(struct hf_s3 *s3, int wait_ms);
void hf_s3_wakeup(struct hf_s3 *s3);          /* from any thread */
size_t hf_s3_pending(const struct hf_s3 *s3); /* started, callback not yet run */

/* Blocks until the reply is there (other pending callbacks run too). Returns HF_OK when there is a
 * reply to judge with hf_s3_status(), answered or not; the caller calls hf_s3_reply_done(). */
enum hf_status hf_s3_call(struct hf_s3 *s3, const struct hf_s3_request *request,
                          struct hf_s3_reply *ret_reply, struct hf_error *err) hf_must_check;

/* The last known Date minus our wall clock; requests are signed with it once it is known. */
int64_t hf_s3_skew_s(const struct hf_s3 *s3);

/* ---- documents (at most 1 MiB; no DTD, no entities but XML's own) ---- */

/* GET ?retention. An empty Mode is HF_LOCK_NONE. */
enum hf_status hf_s3_parse_retention(struct hf_slice xml, int *ret_lock_mode,
                                     int64_t *ret_retain_until_s,
                                     struct hf_error *err) hf_must_check;
/* PUT ?retention (send it with content_md5: MinIO insists). */
enum hf_status hf_s3_retention_document(int lock_mode, int64_t retain_until_s,
                                        struct hf_buf *ret_xml) hf_must_check;

struct hf_s3_lock_config {
    bool enabled;
    int default_mode; /* HF_LOCK_NONE: no default retention */
    uint64_t days;    /* one of the two */
    uint64_t years;
};
/* GET ?object-lock. */
enum hf_status hf_s3_parse_lock_config(struct hf_slice xml, struct hf_s3_lock_config *ret_config,
                                       struct hf_error *err) hf_must_check;

/* One page of GET ?list-type=2 (ask with encoding-type=url, so that any key survives XML). */
struct hf_s3_list_page {
    struct hf_strings keys;
    char *next_token; /* NULL on the last page */
};
enum hf_status hf_s3_parse_list(struct hf_slice xml, struct hf_s3_list_page *ret_page,
                                struct hf_error *err) hf_must_check;
void hf_s3_list_page_done(struct hf_s3_list_page *page);

struct hf_s3_version {
    char *key;
    char *version_id;
    bool is_latest;
    bool is_delete_marker;
    char etag[128]; /* without quotes */
    uint64_t size;
};
/* One page of GET ?versions. */
struct hf_s3_versions_page {
    struct hf_s3_version *items;
    size_t count;
    char *next_key;        /* NULL on the last page */
    char *next_version_id; /* NULL when the next page begins with a new key */
};
enum hf_status hf_s3_parse_versions(struct hf_slice xml, struct hf_s3_versions_page *ret_page,
                                    struct hf_error *err) hf_must_check;
void hf_s3_versions_page_done(struct hf_s3_versions_page *page);

#endif
