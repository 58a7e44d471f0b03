/* The socket source: accepts, and hands room, fullness and drain on to its connections. */
#include "agent/intake/socket/socket_impl.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>

#define ACCEPT_AT_ONCE 32

_Static_assert(offsetof(struct hf_socket_source, source) == 0, "as hf_source_kind says");

struct hf_socket_source *
hf_socket_source(const struct hf_source *source)
{
    return hf_container_of(source, struct hf_socket_source, source);
}

static void
accept_later(struct hf_socket_source *source)
{
    static const struct timeval after = { 0, 200000 };
    event_del(source->acceptable);
    evtimer_add(source->accept_again, &after);
}

static void
on_acceptable(evutil_socket_t listening, short what, void *context)
{
    struct hf_socket_source *source = context;
    struct hf_error err = { .status = HF_OK };
    (void)what;
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            struct hf_connection *connection = hf_connection_new(source, fd);
            if (connection && source->connection_count > source->source.timing.connections_max)
                hf_crowd_make_room(connection);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            hf_fail_errno(&err, HF_ELIMIT, "accepting a connection");
            hf_source_problem(&source->source, &err);
            accept_later(source);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

/* Also when its place could not be taken: a full disk or one bad write must not leave a source
 * deaf. */
static void
open_doors(struct hf_socket_source *source)
{
    static const struct timeval after = { 1, 0 };
    struct hf_error err = { .status = HF_OK };
    if (source->prepared_path && hf_socket_take_place(source, &err) != HF_OK) {
        hf_source_problem(&source->source, &err);
        evtimer_add(source->accept_again, &after);
        return;
    }
    if (!source->running)
        hf_source_well(&source->source);
    event_add(source->acceptable, NULL);
    source->running = true;
}

static void
on_accept_again(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    open_doors(context);
}

static enum hf_status
socket_prepare(struct hf_source *base, struct hf_source *replaces, struct hf_error *err)
{
    struct hf_socket_source *source = hf_socket_source(base);
    source->fd = -1;
    LIST_INIT(&source->crowds);
    if (!base->config.path)
        return hf_fail(err, HF_ECONFIG, "a socket source needs a path");
    bool ours = replaces && replaces->kind == base->kind &&
                strcmp(replaces->config.path, base->config.path) == 0;
    enum hf_status status = hf_socket_listen(source, ours, err);
    if (status != HF_OK)
        return status;
    source->acceptable =
        event_new(base->intake->loop, source->fd, EV_READ | EV_PERSIST, on_acceptable, source);
    source->accept_again = evtimer_new(base->intake->loop, on_accept_again, source);
    if (!source->acceptable || !source->accept_again)
        return hf_fail(err, HF_EINTERNAL, "the event loop takes no socket");
    return HF_OK;
}

static void
socket_start(struct hf_source *base)
{
    open_doors(hf_socket_source(base));
}

/* No more connections and no more lines; acknowledgements go on until the source is freed. */
static void
socket_stop(struct hf_source *base)
{
    struct hf_socket_source *source = hf_socket_source(base);
    source->running = false;
    if (source->acceptable)
        event_del(source->acceptable);
    if (source->accept_again)
        evtimer_del(source->accept_again);
    for (struct hf_connection *connection = LIST_FIRST(&source->connections); connection;
         connection = LIST_NEXT(connection, all))
        event_del(connection->readable);
    hf_socket_leave_place(source);
}

static void
socket_free(struct hf_source *base)
{
    struct hf_socket_source *source = hf_socket_source(base);
    while (!LIST_EMPTY(&source->connections))
        hf_connection_close(LIST_FIRST(&source->connections));
    if (source->acceptable)
        event_free(source->acceptable);
    if (source->accept_again)
        event_free(source->accept_again);
    hf_socket_leave_place(source);
}

static void
socket_room(struct hf_source *base)
{
    struct hf_socket_source *source = hf_socket_source(base);
    for (struct hf_connection *connection = LIST_FIRST(&source->connections), *next; connection;
         connection = next) {
        next = LIST_NEXT(connection, all);
        connection->waits = false;
        hf_connection_work(connection);
    }
    for (struct hf_connection *connection = LIST_FIRST(&source->connections);
         connection && !base->pressure.blocked; connection = LIST_NEXT(connection, all))
        if (!connection->waits)
            hf_connection_full(connection, false);
}

static void
socket_full(struct hf_source *base)
{
    struct hf_socket_source *source = hf_socket_source(base);
    for (struct hf_connection *connection = LIST_FIRST(&source->connections); connection;
         connection = LIST_NEXT(connection, all))
        hf_connection_full(connection, true);
}

static void
socket_drain(struct hf_source *base)
{
    struct hf_socket_source *source = hf_socket_source(base);
    if (source->running)
        on_acceptable(source->fd, EV_READ, source);
    for (struct hf_connection *connection = LIST_FIRST(&source->connections); connection;
         connection = LIST_NEXT(connection, all))
        hf_connection_drain(connection);
}

static bool
socket_drained(struct hf_source *base)
{
    const struct hf_socket_source *source = hf_socket_source(base);
    if (base->pressure.blocked)
        return LIST_EMPTY(&source->connections);
    for (const struct hf_connection *connection = LIST_FIRST(&source->connections); connection;
         connection = LIST_NEXT(connection, all))
        if (!hf_connection_drained(connection))
            return false;
    return true;
}

static void
socket_status(struct hf_source *base, struct hf_source_status *status)
{
    status->connections = hf_socket_source(base)->connection_count;
}

const struct hf_source_kind hf_socket_kind = {
    .size = sizeof(struct hf_socket_source),
    .prepare = socket_prepare,
    .start = socket_start,
    .stop = socket_stop,
    .free = socket_free,
    .room = socket_room,
    .full = socket_full,
    .drain = socket_drain,
    .drained = socket_drained,
    .status = socket_status,
};
