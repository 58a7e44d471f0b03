/* The HTTP side: one libevent loop, one request at a time. Bodies, headers and times are bounded;
 * there are no other paths than "/" and no other method than POST. */
#include "api_impl.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <holdfast/crypto.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define REPLY_MAX   (4u << 20)
#define HEADERS_MAX (16u << 10)
#define IDLE_S      15

static void
add_header(struct evhttp_request *request, const char *name, const char *value)
{
    evhttp_add_header(evhttp_request_get_output_headers(request), name, value);
}

static void
send_reply(struct evhttp_request *request, int http_status, struct hf_slice body)
{
    uint8_t random[16];
    char id[33];
    struct evbuffer *out = evbuffer_new();
    hf_assert(out);
    hf_random(random, sizeof(random));
    hf_hex(random, sizeof(random), id);
    add_header(request, "Content-Type", "application/x-amz-json-1.1");
    add_header(request, "x-amzn-RequestId", id);
    add_header(request, "Cache-Control", "no-store");
    if (body.size > 0)
        evbuffer_add(out, body.ptr, body.size);
    evhttp_send_reply(request, http_status, http_status == 200 ? "OK" : "Error", out);
    evbuffer_free(out);
}

/* "localhost:8099", "127.0.0.1", "[::1]:8099" */
static bool
is_loopback_host(const char *host)
{
    const char *end = host ? host + strcspn(host, *host == '[' ? "]" : ":") : NULL;
    struct in_addr v4;
    struct in6_addr v6;
    if (!end)
        return false;
    hf_owned(hf_freep) char *name = hf_strndup(host, (size_t)(end - host));
    if (*name == '[')
        return *end == ']' && inet_pton(AF_INET6, name + 1, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
    return strcasecmp(name, "localhost") == 0 ||
           (inet_pton(AF_INET, name, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127);
}

static void
on_request(struct evhttp_request *request, void *context)
{
    const struct hf_api_options *options = context;
    if (!options->any_host &&
        !is_loopback_host(evhttp_find_header(evhttp_request_get_input_headers(request), "Host"))) {
        send_reply(request, 403,
                   HF_SLICE_LITERAL("{\"__type\":\"AccessDeniedException\",\"message\":\"the Host "
                                    "header is not this host's loopback\"}"));
        return;
    }
    struct evbuffer *in = evhttp_request_get_input_buffer(request);
    size_t size = evbuffer_get_length(in);
    const char *target =
        evhttp_find_header(evhttp_request_get_input_headers(request), "X-Amz-Target");
    hf_owned(hf_buf_done) struct hf_buf reply = HF_BUF(REPLY_MAX);
    int http_status = hf_api_answer(
        options, target, hf_slice(size > 0 ? evbuffer_pullup(in, -1) : NULL, size), &reply);
    send_reply(request, http_status, hf_buf_slice(&reply));
}

static void
on_other_path(struct evhttp_request *request, void *context)
{
    (void)context;
    send_reply(
        request, 404,
        HF_SLICE_LITERAL(
            "{\"__type\":\"UnknownOperationException\",\"message\":\"only POST / is answered\"}"));
}

static void
on_signal(evutil_socket_t signal_number, short what, void *loop)
{
    (void)signal_number;
    (void)what;
    event_base_loopbreak(loop);
}

static enum hf_status
bind_socket(struct evhttp *http, const char *address, uint16_t port, char *ret_address, size_t size,
            uint16_t *ret_port, struct hf_error *err)
{
    struct sockaddr_storage bound = { 0 };
    socklen_t bound_size = sizeof(bound);
    struct evhttp_bound_socket *handle = evhttp_bind_socket_with_handle(http, address, port);
    if (!handle)
        return hf_fail_errno(err, HF_EUSAGE, "listening on %s port %u", address, port);
    if (getsockname(evhttp_bound_socket_get_fd(handle), (struct sockaddr *)&bound, &bound_size) !=
        0)
        return hf_fail_errno(err, HF_EIO, "asking for the port of %s", address);
    bool six = bound.ss_family == AF_INET6;
    const void *ip = six ? (const void *)&((struct sockaddr_in6 *)&bound)->sin6_addr
                         : (const void *)&((struct sockaddr_in *)&bound)->sin_addr;
    if (!inet_ntop(bound.ss_family, ip, ret_address, (socklen_t)size))
        return hf_fail_errno(err, HF_EIO, "reading the address of %s", address);
    *ret_port = ntohs(six ? ((struct sockaddr_in6 *)&bound)->sin6_port
                          : ((struct sockaddr_in *)&bound)->sin_port);
    return HF_OK;
}

static void
limit(struct evhttp *http)
{
    evhttp_set_allowed_methods(http, EVHTTP_REQ_POST);
    evhttp_set_max_body_size(http, HF_API_BODY_MAX);
    evhttp_set_max_headers_size(http, HEADERS_MAX);
    evhttp_set_timeout(http, IDLE_S);
}

enum hf_status
hf_api_serve(const struct hf_api_options *options, const char *address, uint16_t port,
             void (*ready)(void *context, const char *address, uint16_t port), struct hf_error *err)
{
    static const int ending[] = { SIGTERM, SIGINT };
    struct event *signals[HF_COUNT(ending)];
    char bound[INET6_ADDRSTRLEN];
    struct event_base *loop = event_base_new();
    struct evhttp *http = loop ? evhttp_new(loop) : NULL;
    hf_assert(http);
    limit(http);
    evhttp_set_cb(http, "/", on_request, (void *)options);
    evhttp_set_gencb(http, on_other_path, NULL);
    for (size_t i = 0; i < HF_COUNT(ending); i++) {
        signals[i] = evsignal_new(loop, ending[i], on_signal, loop);
        hf_assert(signals[i] && event_add(signals[i], NULL) == 0);
    }
    enum hf_status status = bind_socket(http, address, port, bound, sizeof(bound), &port, err);
    if (status == HF_OK) {
        if (ready)
            ready(options->context, bound, port);
        event_base_dispatch(loop);
    }
    evhttp_free(http);
    for (size_t i = 0; i < HF_COUNT(ending); i++)
        event_free(signals[i]);
    event_base_free(loop);
    return status;
}
