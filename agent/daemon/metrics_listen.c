/* The listener on agent.metrics: GET and HEAD of /metrics, on the loop. Nobody is asked who he is:
 * it stands on the loopback only, and says names, numbers and classes of errors, no texts. One
 * request per connection, which has to be over in CLIENT_MS.
 *
 *   READING  a request without end, or none   ──▶ closed when its time is over, or when its place is needed
 *            a whole head                     ──▶ ASKED (the status) or ENDING (an error)
 *   ASKED    the status is there              ──▶ ENDING
 *   ENDING   all is written: our end is shut, and what still comes is thrown away until the client closes, too
 *
 * Not libevent's evhttp: it has no limit of connections, and none of the time that one may take. */
#include "agent/daemon/daemon_impl.h"
#include "agent/daemon/metrics_impl.h"
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG     16
#define CLIENTS_MAX 8
#define CLIENT_MS   10000

struct client;

struct asked {             /* for a status that is under way: outlives the client */
    struct client *client; /* NULL: it has gone */
};

struct client {
    struct client *next; /* younger */
    struct metrics_listener *listener;
    struct bufferevent *stream;
    struct event *deadline;
    enum { READING, ASKED, ENDING } state;
    bool head_only, says_no_more;
    struct asked *asked;
};

struct metrics_listener {
    struct hf_daemon *daemon;
    struct evconnlistener *socket;
    struct client *clients; /* oldest first */
    size_t client_count;
};

static void
client_free(struct client *client)
{
    for (struct client **at = &client->listener->clients; *at; at = &(*at)->next) {
        if (*at == client) {
            *at = client->next;
            client->listener->client_count--;
            break;
        }
    }
    if (client->asked)
        client->asked->client = NULL;
    event_free(client->deadline);
    bufferevent_free(client->stream);
    hf_freep(&client);
}

static void
on_deadline(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    client_free(context);
}

/* Who has asked may close his end and still read. */
static void
on_gone(struct bufferevent *stream, short what, void *context)
{
    struct client *client = context;
    bool waits =
        client->state == ASKED ||
        (client->state == ENDING && evbuffer_get_length(bufferevent_get_output(stream)) > 0);
    if (what == (BEV_EVENT_READING | BEV_EVENT_EOF) && waits) {
        client->says_no_more = true;
        return;
    }
    client_free(client);
}

/* ---- the answer ---- */

static void
throw_away(struct bufferevent *stream, void *context)
{
    struct evbuffer *input = bufferevent_get_input(stream);
    (void)context;
    evbuffer_drain(input, evbuffer_get_length(input));
}

static void
all_written(struct bufferevent *stream, void *context)
{
    struct client *client = context;
    if (client->says_no_more) {
        client_free(client);
        return;
    }
    (void)shutdown(bufferevent_getfd(stream),
                   SHUT_WR); /* to close with something unread would take the answer back */
}

static void
send_answer(struct client *client, const char *code, const char *type, struct hf_slice text)
{
    struct evbuffer *output = bufferevent_get_output(client->stream);
    client->state = ENDING;
    bufferevent_setcb(client->stream, throw_away, all_written, on_gone, client);
    evbuffer_add_printf(output,
                        "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: "
                        "no-store\r\nConnection: close\r\n%s\r\n",
                        code, type, text.size,
                        hf_starts_with(code, "405") ? "Allow: GET, HEAD\r\n" : "");
    if (!client->head_only)
        evbuffer_add(output, text.ptr, text.size);
    throw_away(client->stream, client);
}

static void
refuse(struct client *client, const char *code)
{
    char text[128];
    snprintf(text, sizeof(text), "%s: this answers GET and HEAD of /metrics\n", code);
    send_answer(client, code, "text/plain; charset=utf-8", hf_slice_text(text));
}

static void
status_answer(struct hf_daemon *daemon, void *argument, json_t *status)
{
    struct asked *asked = argument;
    struct client *client = asked->client;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(HF_METRICS_MAX);
    (void)daemon;
    if (client) {
        client->asked = NULL;
        if (hf_metrics_text(status, &text) == HF_OK)
            send_answer(client, "200 OK", HF_METRICS_CONTENT_TYPE, hf_buf_slice(&text));
        else
            refuse(client, "500 Internal Server Error");
    }
    json_decref(status);
    hf_freep(&asked);
}

/* ---- the request ---- */

static void
ask(struct client *client, bool head_only)
{
    client->head_only = head_only;
    client->state = ASKED;
    client->asked = hf_alloc(sizeof(*client->asked));
    client->asked->client = client;
    bufferevent_setcb(client->stream, throw_away, NULL, on_gone, client);
    status_begin(client->listener->daemon, status_answer, client->asked);
}

static void
on_readable(struct bufferevent *stream, void *context)
{
    struct client *client = context;
    uint8_t head[METRICS_REQUEST_MAX];
    ev_ssize_t size = evbuffer_copyout(bufferevent_get_input(stream), head, sizeof(head));
    enum metrics_request request =
        metrics_request_parse(hf_slice(head, size > 0 ? (size_t)size : 0));
    switch (request) {
    case METRICS_REQUEST_MORE: return;
    case METRICS_REQUEST_GET:
    case METRICS_REQUEST_HEAD: ask(client, request == METRICS_REQUEST_HEAD); return;
    case METRICS_REQUEST_ELSEWHERE:
        client->head_only = size >= 5 && memcmp(head, "HEAD ", 5) == 0;
        refuse(client, "404 Not Found");
        return;
    case METRICS_REQUEST_METHOD: refuse(client, "405 Method Not Allowed"); return;
    case METRICS_REQUEST_LONG: refuse(client, "431 Request Header Fields Too Large"); return;
    case METRICS_REQUEST_BAD: refuse(client, "400 Bad Request"); return;
    }
}

/* ---- connections ---- */

/* The place of the oldest one that has not asked yet, or of one that has its answer and does not
 * go. */
static bool
make_room(struct metrics_listener *listener)
{
    struct client *leaves = NULL;
    for (struct client *client = listener->clients; client; client = client->next) {
        if (client->state == READING || (client->state == ENDING && !leaves))
            leaves = client;
        if (client->state == READING)
            break;
    }
    if (leaves)
        client_free(leaves);
    return leaves != NULL;
}

static void
accepted(struct evconnlistener *socket, evutil_socket_t fd, struct sockaddr *address, int size,
         void *context)
{
    struct metrics_listener *listener = context;
    (void)socket;
    (void)address;
    (void)size;
    if (listener->client_count >= CLIENTS_MAX && !make_room(listener)) {
        close(fd);
        return;
    }
    struct client *client = hf_alloc(sizeof(*client)), **end = &listener->clients;
    client->listener = listener;
    client->stream = bufferevent_socket_new(listener->daemon->loop, fd, BEV_OPT_CLOSE_ON_FREE);
    client->deadline = event_new(listener->daemon->loop, -1, 0, on_deadline, client);
    hf_assert(client->stream && client->deadline);
    while (*end)
        end = &(*end)->next;
    *end = client;
    listener->client_count++;
    event_add(client->deadline, &(struct timeval){ .tv_sec = CLIENT_MS / 1000 });
    bufferevent_setcb(client->stream, on_readable, NULL, on_gone, client);
    bufferevent_setwatermark(client->stream, EV_READ, 0, METRICS_REQUEST_MAX);
    bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

/* ---- open, close ---- */

static struct evconnlistener *
bind_socket(struct metrics_listener *listener, const char *text)
{
    char address[HF_LISTEN_SIZE];
    uint16_t port;
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    bool right = hf_listen_parse(text, address, &port);
    hf_assert(right && hf_is_loopback(address)); /* the configuration was checked */
    four.sin_port = six.sin6_port = htons(port);
    bool is_six = inet_pton(AF_INET, address, &four.sin_addr) != 1;
    if (is_six)
        (void)inet_pton(AF_INET6, address, &six.sin6_addr);
    return evconnlistener_new_bind(
        listener->daemon->loop, accepted, listener,
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG,
        is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four,
        is_six ? sizeof(six) : sizeof(four));
}

enum hf_status
metrics_listen(struct hf_daemon *daemon, const char *address,
               struct metrics_listener **ret_listener, struct hf_error *err)
{
    *ret_listener = NULL;
    if (!address)
        return HF_OK;
    struct metrics_listener *listener = hf_alloc(sizeof(*listener));
    listener->daemon = daemon;
    listener->socket = bind_socket(listener, address);
    if (!listener->socket) {
        enum hf_status status = hf_fail_errno(
            err, HF_ECONFIG,
            "agent.metrics: listening on '%s' (name a port that is free, or end what has it)",
            address);
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
    if (listener->socket)
        evconnlistener_free(listener->socket);
    while (listener->clients)
        client_free(listener->clients);
    hf_freep(&listener);
}
