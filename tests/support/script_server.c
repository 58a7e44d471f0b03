#include "tests/support/script_server.h"

#include "tests/support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX (1024 * 1024)

struct hf_script_server {
    const struct hf_script_step *steps;
    size_t count;
    int listener;
    int stop_pipe[2];
    unsigned short port;
    char url[64];
    pthread_t thread;

    struct {
        pthread_mutex_t lock;
        size_t played;
        char *request;
        char failure[512];
    } shared;

    char *gathered; /* the request being read */
    size_t gathered_size;
};

static void
must(int good, const char *what)
{
    if (!good) {
        perror(what);
        abort();
    }
}

/* ---- waiting, always also for the stop ---- */

/* False: the server is to stop, or the peer is gone. timeout_ms -1: for ever. */
static int
wait_for(struct hf_script_server *server, int fd, short events, int timeout_ms)
{
    struct pollfd polled[2] = { { .fd = server->stop_pipe[0], .events = POLLIN },
                                { .fd = fd, .events = events } };
    int ready = poll(polled, fd < 0 ? 1 : 2, timeout_ms);

    if (ready == 0)
        return 1;
    return ready > 0 && !polled[0].revents && (polled[1].revents & (events | POLLHUP));
}

static int
is_stopping(struct hf_script_server *server)
{
    struct pollfd polled = { .fd = server->stop_pipe[0], .events = POLLIN };

    return poll(&polled, 1, 0) > 0;
}

static int
send_all(struct hf_script_server *server, int fd, const char *bytes, size_t size)
{
    while (size) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (!wait_for(server, fd, POLLOUT, -1))
                return 0;
            continue;
        }
        if (sent < 0)
            return 0;
        bytes += sent;
        size -= (size_t)sent;
    }
    return 1;
}

/* ---- one request ---- */

/* More bytes of the request; false when the client is gone or the server is to stop. */
static int
gather(struct hf_script_server *server, int fd)
{
    ssize_t got;

    if (server->gathered_size == REQUEST_MAX || !wait_for(server, fd, POLLIN, -1))
        return 0;
    got =
        recv(fd, server->gathered + server->gathered_size, REQUEST_MAX - server->gathered_size, 0);
    if (got <= 0)
        return 0;
    server->gathered_size += (size_t)got;
    server->gathered[server->gathered_size] = 0;
    return 1;
}

static size_t
body_size_of(const char *head, const char *end)
{
    const char *line = strcasestr(head, "\r\ncontent-length:");

    return line && line < end ? strtoul(line + 17, NULL, 10) : 0;
}

static void
publish(struct hf_script_server *server, size_t size)
{
    pthread_mutex_lock(&server->shared.lock);
    free(server->shared.request);
    server->shared.request = strndup(server->gathered, size);
    pthread_mutex_unlock(&server->shared.lock);
}

/* Of all that goes wrong the first is kept, and said at once. expected NULL: no step at all. */
static void
blame(struct hf_script_server *server, const char *expected)
{
    pthread_mutex_lock(&server->shared.lock);
    char *failure = server->shared.failure;
    size_t size = sizeof(server->shared.failure);

    if (!*failure) {
        if (expected)
            snprintf(failure, size, "step %zu: '%.200s' not in '%.250s'", server->shared.played,
                     expected, server->gathered);
        else
            snprintf(failure, size, "no step foresees what came after the last of %zu: '%.250s'",
                     server->count, server->gathered);
        fprintf(stderr, "script server: %s\n", failure);
    }
    pthread_mutex_unlock(&server->shared.lock);
}

/* The size of the request's head, 0 when none came. */
static size_t
read_head(struct hf_script_server *server, int fd)
{
    const char *end;

    while (!(end = strstr(server->gathered, "\r\n\r\n"))) {
        if (!gather(server, fd))
            return 0;
    }
    return (size_t)(end + 4 - server->gathered);
}

/* What the client sent beyond this request stays for the next one. */
static int
read_request(struct hf_script_server *server, int fd, const struct hf_script_step *step)
{
    size_t head = read_head(server, fd), size;

    if (!head)
        return 0;
    size =
        step->skip_body ? head : head + body_size_of(server->gathered, server->gathered + head - 2);
    while (server->gathered_size < size) {
        if (!gather(server, fd))
            return 0;
    }
    publish(server, size);
    if (step->expect) {
        char kept = server->gathered[head];

        server->gathered[head] = 0;
        if (!strstr(server->gathered, step->expect))
            blame(server, step->expect);
        server->gathered[head] = kept;
    }
    memmove(server->gathered, server->gathered + size, server->gathered_size - size + 1);
    server->gathered_size -= size;
    return 1;
}

static int
send_reply(struct hf_script_server *server, int fd, const struct hf_script_step *step)
{
    size_t size = step->reply_size || !step->reply ? step->reply_size : strlen(step->reply);

    if (!step->drip_ms)
        return send_all(server, fd, step->reply, size);
    for (size_t i = 0; i < size; i++) {
        if (!send_all(server, fd, step->reply + i, 1) || is_stopping(server))
            return 0;
        if (!wait_for(server, -1, 0, (int)step->drip_ms))
            return 0;
    }
    return 1;
}

static void
wait_until_left(struct hf_script_server *server, int fd)
{
    char ignored[4096];

    while (wait_for(server, fd, POLLIN, -1) && recv(fd, ignored, sizeof(ignored), 0) > 0)
        ;
}

/* RST, once the connection is closed. */
static void
reset(int fd)
{
    struct linger at_once = { .l_onoff = 1 };

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* True: the connection goes on. */
static int
play(struct hf_script_server *server, int fd, const struct hf_script_step *step)
{
    if (!send_reply(server, fd, step))
        return 0;
    switch (step->then) {
    case HF_SCRIPT_KEEP: return 1;
    case HF_SCRIPT_CLOSE: return 0;
    case HF_SCRIPT_RESET_REUSE:
        (void)read_request(server, fd, &(struct hf_script_step){ .reply = NULL });
        /* fall through */
    case HF_SCRIPT_RESET: reset(fd); return 0;
    case HF_SCRIPT_STALL: wait_until_left(server, fd); return 0;
    case HF_SCRIPT_ENDLESS:
        while (send_all(server, fd, step->repeat, strlen(step->repeat)) && !is_stopping(server))
            ;
        return 0;
    }
    return 0;
}

static const struct hf_script_step *
next_step(struct hf_script_server *server)
{
    const struct hf_script_step *step = NULL;

    pthread_mutex_lock(&server->shared.lock);
    if (server->shared.played < server->count)
        step = &server->steps[server->shared.played];
    pthread_mutex_unlock(&server->shared.lock);
    return step;
}

static void
count_step(struct hf_script_server *server)
{
    pthread_mutex_lock(&server->shared.lock);
    server->shared.played++;
    pthread_mutex_unlock(&server->shared.lock);
}

/* The script is played: whoever asks for more is not left waiting, and the test has failed. A
 * connection that is only open, from before or new, asks for nothing. */
static void
refuse_more(struct hf_script_server *server, int fd)
{
    struct pollfd polled[3] = { { .fd = server->stop_pipe[0], .events = POLLIN },
                                { .fd = fd, .events = POLLIN },
                                { .fd = server->listener, .events = POLLIN } };

    if (!server->gathered_size && (poll(polled, 3, -1) < 0 || !polled[1].revents))
        return;
    if (read_head(server, fd)) {
        blame(server, NULL);
        reset(fd);
    }
}

static void
serve(struct hf_script_server *server, int fd)
{
    const struct hf_script_step *step;
    int on = 1;

    while (on && (step = next_step(server))) {
        if (!step->on_accept && !read_request(server, fd, step))
            break;
        count_step(server);
        on = play(server, fd, step);
    }
    if (on && !step)
        refuse_more(server, fd);
    server->gathered_size = 0;
    server->gathered[0] = 0;
    close(fd);
}

static void *
run(void *context)
{
    struct hf_script_server *server = context;

    while (wait_for(server, server->listener, POLLIN, -1) && !is_stopping(server)) {
        int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0)
            serve(server, fd);
    }
    return NULL;
}

/* ---- from the test's thread ---- */

struct hf_script_server *
hf_script_start(const struct hf_script_step *steps, size_t count)
{
    struct hf_script_server *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);

    must(server != NULL, "calloc");
    server->gathered = calloc(1, REQUEST_MAX + 1);
    must(server->gathered != NULL, "calloc");
    server->steps = steps;
    server->count = count;
    pthread_mutex_init(&server->shared.lock, NULL);
    must(pipe2(server->stop_pipe, O_CLOEXEC) == 0, "pipe2");
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(server->listener >= 0, "socket");
    must(bind(server->listener, (struct sockaddr *)&address, sizeof(address)) == 0, "bind");
    must(listen(server->listener, 16) == 0, "listen");
    must(getsockname(server->listener, (struct sockaddr *)&address, &size) == 0, "getsockname");
    server->port = ntohs(address.sin_port);
    snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u", server->port);
    must(pthread_create(&server->thread, NULL, run, server) == 0, "pthread_create");
    return server;
}

const char *
hf_script_url(const struct hf_script_server *server)
{
    return server->url;
}

unsigned short
hf_script_port(const struct hf_script_server *server)
{
    return server->port;
}

size_t
hf_script_played(struct hf_script_server *server)
{
    size_t played;

    pthread_mutex_lock(&server->shared.lock);
    played = server->shared.played;
    pthread_mutex_unlock(&server->shared.lock);
    return played;
}

char *
hf_script_last_request(struct hf_script_server *server)
{
    char *copy;

    pthread_mutex_lock(&server->shared.lock);
    copy = strdup(server->shared.request ? server->shared.request : "");
    pthread_mutex_unlock(&server->shared.lock);
    must(copy != NULL, "strdup");
    return copy;
}

const char *
hf_script_failure(struct hf_script_server *server)
{
    return server->shared.failure; /* read it when the requests in question are answered */
}

size_t
hf_script_stop(struct hf_script_server *server)
{
    char failure[sizeof(server->shared.failure)];
    size_t played;

    must(write(server->stop_pipe[1], "x", 1) == 1, "write");
    pthread_join(server->thread, NULL);
    played = server->shared.played;
    memcpy(failure, server->shared.failure, sizeof(failure));
    close(server->listener);
    close(server->stop_pipe[0]);
    close(server->stop_pipe[1]);
    pthread_mutex_destroy(&server->shared.lock);
    free(server->shared.request);
    free(server->gathered);
    free(server);
    if (*failure)
        fail_msg("script server: %s", failure);
    return played;
}
