/* Jobs from the queue to curl and back. At most `connections` are with curl, so that a job's
 * time-outs and its signature begin when it is its turn, not while it waits.
 */
#include "agent/s3/s3_impl.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void
init_curl(void)
{
    hf_assert(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

void
hf_s3_options_of(const struct hf_config_store *store, struct hf_s3_options *ret_options)
{
    *ret_options = (struct hf_s3_options){
        .url = store->url,
        .region = store->region,
        .ca_file = store->ca_file,
        .credentials_file = store->credentials_file,
        .profile = store->profile,
        .proxy = store->proxy,
        .addressing = store->addressing,
        .timeout_s = store->timeout_s,
        .connections = (unsigned)store->connections,
    };
}

static enum hf_status
check_options(const struct hf_s3_options *options, struct hf_error *err)
{
    struct stat unused;

    for (const char *at = options->region ? options->region : "us-east-1"; *at; at++) {
        if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
              (*at >= '0' && *at <= '9') || *at == '-' || *at == '_'))
            return hf_fail(err, HF_ECONFIG, "region '%s' has characters no region has",
                           options->region);
    }
    if (options->proxy && !hf_starts_with(options->proxy, "http://"))
        return hf_fail(err, HF_ECONFIG, "proxy '%s' is not http://HOST:PORT", options->proxy);
    if (options->ca_file && hf_fs_stat(options->ca_file, &unused, err) != HF_OK) {
        if (err)
            err->status = HF_ECONFIG;
        return hf_while(err, HF_ECONFIG, "ca_file");
    }
    return HF_OK;
}

enum hf_status
hf_s3_open(const struct hf_s3_options *options, struct hf_s3 **ret_s3, struct hf_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct hf_s3 *s3;
    enum hf_status status;

    pthread_once(&once, init_curl);
    s3 = hf_alloc(sizeof(*s3));
    s3->waiting_end = &s3->waiting;
    s3->failed_end = &s3->failed;
    s3->region = hf_strdup(options->region ? options->region : "us-east-1");
    s3->ca_file = hf_strdup(options->ca_file);
    s3->proxy = hf_strdup(options->proxy);
    s3->timeout_s = options->timeout_s ? HF_MIN(options->timeout_s, 86400) : 60;
    s3->connections = options->connections ? options->connections : 4;
    s3->multi = curl_multi_init();
    hf_assert(s3->multi);
    curl_multi_setopt(s3->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)s3->connections);
    curl_multi_setopt(s3->multi, CURLMOPT_MAXCONNECTS, (long)s3->connections);
    curl_multi_setopt(s3->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    /* Connections and names are the multi handle's; TLS sessions would be each transfer's own, and
     * every new connection a full handshake (of four that begin at once, two to four take a session
     * up). One thread: no locks. A session was verified when it began: an authority that is taken
     * out of ca_file counts until the store ends the session, or this client goes (a restart, a
     * reload that changes the store). */
    s3->share = curl_share_init();
    hf_assert(s3->share);
    hf_assert(curl_share_setopt(s3->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) ==
              CURLSHE_OK);

    status = check_options(options, err);
    if (status == HF_OK)
        status = hf_s3_endpoint_init(&s3->endpoint, options->url, options->addressing, err);
    if (status == HF_OK)
        status = hf_s3_credentials_init(&s3->credentials, options->credentials_file,
                                        options->profile, err);
    if (status != HF_OK) {
        hf_s3_close(s3);
        return status;
    }
    *ret_s3 = s3;
    return HF_OK;
}

bool
hf_s3_is_tls(const struct hf_s3 *s3)
{
    return s3->endpoint.tls;
}

const char *
hf_s3_url(const struct hf_s3 *s3)
{
    return s3->endpoint.url;
}

const char *
hf_s3_region(const struct hf_s3 *s3)
{
    return s3->region;
}

size_t
hf_s3_pending(const struct hf_s3 *s3)
{
    return s3->pending;
}

int64_t
hf_s3_skew_s(const struct hf_s3 *s3)
{
    return s3->skew_s;
}

void
hf_s3_wakeup(struct hf_s3 *s3)
{
    curl_multi_wakeup(s3->multi);
}

static void
deliver(struct hf_s3 *s3, struct hf_s3_job *job)
{
    s3->pending--;
    job->callback(job->context, &job->reply);
    hf_s3_job_free(job);
}

/* ---- queue -> curl ---- */

static struct hf_s3_job *
take_waiting(struct hf_s3 *s3)
{
    struct hf_s3_job *job = s3->waiting;

    s3->waiting = job->next;
    if (!s3->waiting)
        s3->waiting_end = &s3->waiting;
    job->next = NULL;
    return job;
}

static enum hf_status
send_job(struct hf_s3 *s3, struct hf_s3_job *job, struct hf_error *err)
{
    bool changed = false;
    enum hf_status status = hf_s3_credentials_refresh(&s3->credentials, &changed, err);

    if (changed)
        hf_sigv4_key_forget(&s3->signing_key);
    if (status == HF_OK)
        status = hf_s3_job_prepare(job, err);
    if (status == HF_OK && curl_multi_add_handle(s3->multi, job->easy) != CURLM_OK)
        status = hf_fail(err, HF_EINTERNAL, "a request could not be added to curl");
    return status;
}

static void
launch(struct hf_s3 *s3)
{
    while (s3->waiting && s3->active_count < s3->connections) {
        struct hf_s3_job *job = take_waiting(s3);
        struct hf_error why = { .text = "" };
        enum hf_status status = send_job(s3, job, &why);

        if (status != HF_OK) {
            hf_s3_job_fail(job, HF_S3_NEVER_SENT, status, why.text);
            *s3->failed_end = job;
            s3->failed_end = &job->next;
            continue;
        }
        job->next = s3->active;
        s3->active = job;
        s3->active_count++;
    }
}

/* ---- curl -> callback ---- */

static void
remove_active(struct hf_s3 *s3, struct hf_s3_job *job)
{
    struct hf_s3_job **link = &s3->active;

    while (*link != job)
        link = &(*link)->next;
    *link = job->next;
    job->next = NULL;
    s3->active_count--;
    curl_multi_remove_handle(s3->multi, job->easy);
}

static void
learn(struct hf_s3 *s3, const struct hf_s3_reply *reply)
{
    if (reply->outcome != HF_S3_ANSWERED || reply->not_s3)
        return;
    if (reply->date_s) {
        s3->skew_s = reply->skew_s;
        s3->skew_known = true;
    }
    /* A 403 to a HEAD has no body to tell: reading the file once more costs little. */
    if (hf_s3_code_is_credentials(reply->code) || reply->http_status == 401 ||
        (reply->http_status == 403 && strcmp(reply->method, "HEAD") == 0))
        s3->credentials.stale = true;
}

static void
finish(struct hf_s3 *s3)
{
    struct CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(s3->multi, &left))) {
        CURLcode result = message->data.result;
        struct hf_s3_job *job = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &job);
        hf_s3_job_judge(job, result);
        remove_active(s3, job);
        learn(s3, &job->reply);
        deliver(s3, job);
    }
    while (s3->failed) {
        struct hf_s3_job *job = s3->failed;

        s3->failed = job->next;
        if (!s3->failed)
            s3->failed_end = &s3->failed;
        deliver(s3, job);
    }
}

void
hf_s3_run(struct hf_s3 *s3, int wait_ms)
{
    int running = 0;

    hf_assert(!s3->running);
    s3->running = true;
    launch(s3);
    curl_multi_poll(s3->multi, NULL, 0, s3->failed ? 0 : wait_ms, NULL);
    curl_multi_perform(s3->multi, &running);
    finish(s3);
    launch(s3); /* what a callback started is on its way when we return */
    s3->running = false;
}

enum hf_status
hf_s3_start(struct hf_s3 *s3, const struct hf_s3_request *request, hf_s3_callback callback,
            void *context, struct hf_error *err)
{
    struct hf_s3_job *job = NULL;
    enum hf_status status;

    if (s3->closing)
        return hf_fail(err, HF_ESTOPPED, "the client of '%s' is closing", s3->endpoint.url);
    status = hf_s3_job_new(s3, request, &job, err);
    if (status != HF_OK)
        return status;
    job->callback = callback;
    job->context = context;
    *s3->waiting_end = job;
    s3->waiting_end = &job->next;
    s3->pending++;
    return HF_OK;
}

struct blocking {
    struct hf_s3_reply *ret_reply;
    bool done;
};

static void
take_reply(void *context, struct hf_s3_reply *reply)
{
    struct blocking *blocking = context;

    *blocking->ret_reply = *reply;
    memset(&reply->body, 0, sizeof(reply->body));
    memset(&reply->headers, 0, sizeof(reply->headers));
    blocking->done = true;
}

enum hf_status
hf_s3_call(struct hf_s3 *s3, const struct hf_s3_request *request, struct hf_s3_reply *ret_reply,
           struct hf_error *err)
{
    struct blocking blocking = { .ret_reply = ret_reply };
    enum hf_status status = hf_s3_start(s3, request, take_reply, &blocking, err);

    if (status != HF_OK)
        return status;
    while (!blocking.done)
        hf_s3_run(s3, 1000);
    return HF_OK;
}

/* ---- the end ---- */

static void
abandon(struct hf_s3 *s3, struct hf_s3_job *job, enum hf_s3_outcome outcome)
{
    hf_s3_job_fail(job, outcome, HF_ESTOPPED, "stopped before the store had answered");
    deliver(s3, job);
}

void
hf_s3_close(struct hf_s3 *s3)
{
    if (!s3)
        return;
    hf_assert(!s3->running);
    s3->closing = true;
    while (s3->active) {
        struct hf_s3_job *job = s3->active;

        remove_active(s3, job);
        abandon(s3, job, HF_S3_UNKNOWN);
    }
    finish(s3);
    while (s3->waiting)
        abandon(s3, take_waiting(s3), HF_S3_NEVER_SENT);
    curl_multi_cleanup(s3->multi);
    curl_share_cleanup(s3->share);
    hf_s3_credentials_done(&s3->credentials);
    hf_sigv4_key_forget(&s3->signing_key);
    hf_s3_endpoint_done(&s3->endpoint);
    free(s3->region);
    free(s3->ca_file);
    free(s3->proxy);
    free(s3);
}

void
hf_s3_closep(struct hf_s3 **s3)
{
    hf_s3_close(*s3);
    *s3 = NULL;
}
