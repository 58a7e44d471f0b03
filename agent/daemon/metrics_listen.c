/* The listener on agent.metrics: GET and HEAD of /metrics, on the loop. Nobody is asked who he is: it stands on the loopback only, and says
 * names, numbers and classes of errors, no texts. One request per connection.
 *
 * libevent's evhttp knows no limit of connections and of the time one may take, so each gets a slot here, which holds its bufferevent: while
 * all are taken nobody else is accepted, and whoever has one for too long loses it. */
#include "agent/daemon/daemon_impl.h"
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define BACKLOG 16
#define SLOTS 8
#define SLOT_MOST_MS 15000
#define SWEEP_MS 250
#define IDLE_S 5
#define HEADERS_MAX (8u << 10)
#define BODY_MAX 4096 /* of a request: there is no use for one */

struct slot {
    struct bufferevent *stream; /* NULL: free */
    uint64_t since_ms;
};

struct metrics_listener {
    struct hf_daemon *daemon;
    struct evhttp *http;
    struct evconnlistener *socket; /* the http's */
    struct event *sweep;
    struct slot slots[SLOTS];
};

/* ---- connections ---- */

/* The bufferevent of a connection that is gone has no callbacks any more; ours was the last reference. */
static bool
is_gone(struct bufferevent *stream)
{
    bufferevent_data_cb read = NULL, write = NULL;
    bufferevent_event_cb other = NULL;
    bufferevent_getcb(stream, &read, &write, &other, NULL);
    return !read && !write && !other;
}

static size_t
sweep_slots(struct metrics_listener *listener)
{
    size_t taken = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &listener->slots[i];
        if (slot->stream && is_gone(slot->stream))
            bufferevent_decref(hf_take(slot->stream));
        else if (slot->stream && hf_boot_ms() - slot->since_ms > SLOT_MOST_MS)
            (void)shutdown(bufferevent_getfd(slot->stream), SHUT_RDWR); /* its end is then seen as if the client had gone */
        taken += slot->stream != NULL;
    }
    return taken;
}

static void
on_sweep(evutil_socket_t fd, short what, void *context)
{
    struct metrics_listener *listener = context;
    (void)fd;
    (void)what;
    size_t taken = sweep_slots(listener);
    if (taken < SLOTS)
        evconnlistener_enable(listener->socket);
    if (taken > 0)
        event_add(listener->sweep, &(struct timeval){.tv_usec = SWEEP_MS * 1000});
}

/* For each connection that is accepted. evhttp closes the descriptor itself. */
static struct bufferevent *
take_slot(struct event_base *loop, void *context)
{
    struct metrics_listener *listener = context;
    struct bufferevent *stream = bufferevent_socket_new(loop, -1, 0);
    size_t taken = sweep_slots(listener);
    hf_assert(stream);
    for (size_t i = 0; i < SLOTS; i++) {
        if (listener->slots[i].stream)
            continue;
        bufferevent_incref(stream);
        listener->slots[i] = (struct slot){.stream = stream, .since_ms = hf_boot_ms()};
        taken++;
        break;
    }
    if (taken == SLOTS)
        evconnlistener_disable(listener->socket);
    if (!event_pending(listener->sweep, EV_TIMEOUT, NULL))
        event_add(listener->sweep, &(struct timeval){.tv_usec = SWEEP_MS * 1000});
    return stream;
}

/* ---- requests ---- */

static void
send_text(struct evhttp_request *request, int code, const char *reason, const char *type, struct hf_slice text)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    struct evbuffer *body = evbuffer_new();
    char size[32];
    hf_assert(body);
    snprintf(size, sizeof(size), "%zu", text.size);
    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "Content-Length", size);
    evhttp_add_header(headers, "Cache-Control", "no-store");
    evhttp_add_header(headers, "Connection", "close");
    if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD)
        evbuffer_add(body, text.ptr, text.size);
    evhttp_send_reply(request, code, reason, body);
    evbuffer_free(body);
}

static void
refuse(struct evhttp_request *request, int code, const char *reason, const char *text)
{
    send_text(request, code, reason, "text/plain; charset=utf-8", hf_slice_text(text));
}

struct asked {
    struct evhttp_request *request; /* NULL: the client has gone, and it with it */
};

static void
client_gone(struct evhttp_connection *connection, void *context)
{
    struct asked *asked = context;
    (void)connection;
    asked->request = NULL;
}

static void
answer(struct hf_daemon *daemon, void *argument, json_t *status)
{
    struct asked *asked = argument;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(HF_METRICS_MAX);
    (void)daemon;
    if (asked->request) {
        evhttp_connection_set_closecb(evhttp_request_get_connection(asked->request), NULL, NULL);
        if (hf_metrics_text(status, &text) == HF_OK)
            send_text(asked->request, 200, "OK", HF_METRICS_CONTENT_TYPE, hf_buf_slice(&text));
        else
            refuse(asked->request, 500, "Internal Server Error", "the metrics are more than an answer may hold\n");
    }
    json_decref(status);
    hf_freep(&asked);
}

static void
on_metrics(struct evhttp_request *request, void *context)
{
    struct metrics_listener *listener = context;
    enum evhttp_cmd_type command = evhttp_request_get_command(request);
    if (command != EVHTTP_REQ_GET && command != EVHTTP_REQ_HEAD) {
        evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
        refuse(request, 405, "Method Not Allowed", "only GET and HEAD\n");
        return;
    }
    struct asked *asked = hf_alloc(sizeof(*asked));
    asked->request = request;
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), client_gone, asked);
    status_begin(listener->daemon, answer, asked);
}

static void
on_other_path(struct evhttp_request *request, void *context)
{
    (void)context;
    refuse(request, 404, "Not Found", "only /metrics is answered\n");
}

/* ---- open, close ---- */

static enum hf_status
bind_socket(struct metrics_listener *listener, const char *text, struct hf_error *err)
{
    char address[HF_LISTEN_SIZE];
    uint16_t port;
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    bool right = hf_listen_parse(text, address, &port);
    hf_assert(right && hf_is_loopback(address)); /* the configuration was checked */
    four.sin_port = six.sin6_port = htons(port);
    bool is_six = inet_pton(AF_INET, address, &four.sin_addr) != 1;
    if (is_six)
        (void)inet_pton(AF_INET6, address, &six.sin6_addr);
    listener->socket = evconnlistener_new_bind(listener->daemon->loop, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG,
                                               is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four, is_six ? sizeof(six) : sizeof(four));
    if (!listener->socket)
        return hf_fail_errno(err, HF_ECONFIG, "agent.metrics: listening on '%s' (name a port that is free, or stop what uses this one)", text);
    if (!evhttp_bind_listener(listener->http, listener->socket)) {
        evconnlistener_free(hf_take(listener->socket));
        return hf_fail(err, HF_EINTERNAL, "agent.metrics: the HTTP server takes no socket");
    }
    return HF_OK;
}

static void
limit(struct evhttp *http)
{
    evhttp_set_allowed_methods(http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS |
                                         EVHTTP_REQ_TRACE | EVHTTP_REQ_PATCH);
    evhttp_set_max_headers_size(http, HEADERS_MAX);
    evhttp_set_max_body_size(http, BODY_MAX);
    evhttp_set_timeout(http, IDLE_S);
}

enum hf_status
metrics_listen(struct hf_daemon *daemon, const char *address, struct metrics_listener **ret_listener, struct hf_error *err)
{
    *ret_listener = NULL;
    if (!address)
        return HF_OK;
    struct metrics_listener *listener = hf_alloc(sizeof(*listener));
    listener->daemon = daemon;
    listener->http = evhttp_new(daemon->loop);
    listener->sweep = event_new(daemon->loop, -1, 0, on_sweep, listener);
    hf_assert(listener->http && listener->sweep);
    limit(listener->http);
    evhttp_set_bevcb(listener->http, take_slot, listener);
    evhttp_set_cb(listener->http, "/metrics", on_metrics, listener);
    evhttp_set_gencb(listener->http, on_other_path, NULL);
    enum hf_status status = bind_socket(listener, address, err);
    if (status != HF_OK) {
        metrics_close(listener);
        return status;
    }
    hf_log_info("metrics.listening", HF_STR("address", address));
    *ret_listener = listener;
    return HF_OK;
}

void
metrics_close(struct metrics_listener *listener)
{
    if (!listener)
        return;
    event_free(listener->sweep);
    evhttp_free(listener->http); /* its connections, too, and the socket */
    for (size_t i = 0; i < SLOTS; i++) {
        if (listener->slots[i].stream)
            bufferevent_decref(listener->slots[i].stream);
    }
    hf_freep(&listener);
}
