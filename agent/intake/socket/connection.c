/* One connection: receive, take into the journal, reply.
 *
 * Memory is bounded both ways: in the buffer is at most one line that is not whole and one read,
 * and of replies only the one that is being sent; the next one is made from the newest state when
 * that is out. */
#include "agent/intake/socket/socket_impl.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct hf_intake *
intake_of(const struct hf_connection *connection)
{
    return connection->source->source.intake;
}

/* ---- replies ---- */

static void
send_replies(struct hf_connection *connection)
{
    while (!connection->failed) {
        if (connection->out_sent == connection->out_size) {
            connection->out_sent = 0;
            connection->out_size = hf_session_reply(&connection->session, connection->out);
            if (connection->out_size == 0)
                return;
        }
        ssize_t sent =
            send(connection->fd, connection->out + connection->out_sent,
                 connection->out_size - connection->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent >= 0)
            connection->out_sent += (size_t)sent;
        else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            event_add(connection->writable, NULL);
            return;
        } else if (errno != EINTR)
            connection->failed = true;
    }
}

static bool
is_told(const struct hf_connection *connection)
{
    const struct hf_session *session = &connection->session;
    return connection->out_size == 0 && !session->refusal[0] && !session->tell_ok &&
           session->told == session->durable;
}

/* Nothing is left to do for it. */
static bool
is_over(const struct hf_connection *connection)
{
    if (connection->failed)
        return true;
    switch (connection->session.state) {
    case HF_SESSION_HELLO:
    case HF_SESSION_PLAIN: return connection->ended && connection->in.size == 0;
    case HF_SESSION_NAMED: return connection->ended;
    case HF_SESSION_LINES:
        return connection->ended && connection->in.size == 0 && is_told(connection) &&
               connection->stream->durable == connection->stream->taken;
    case HF_SESSION_REFUSED: return is_told(connection);
    }
    return true;
}

/* ---- the stream ---- */

static void
open_if_durable(struct hf_connection *connection)
{
    struct hf_stream *stream = connection->stream;
    if (connection->session.state != HF_SESSION_NAMED || stream->durable != stream->taken)
        return; /* lines of an earlier connection are on their way: what they were is told when they
                   are safe */
    hf_session_open(&connection->session, stream->durable);
    connection->skip = stream->begun.parts > 0 ? stream->begun.bytes : 0;
    if (connection->source->source.pressure.told_full || connection->waits)
        hf_session_full(&connection->session, true, stream->taken);
}

static void
on_durable(void *context)
{
    struct hf_connection *connection = context;
    if (connection->session.state == HF_SESSION_LINES)
        hf_session_durable(&connection->session, connection->stream->durable);
    hf_connection_work(connection);
}

/* The newest connection has the stream. */
static void
take_stream(struct hf_connection *connection)
{
    struct hf_stream *stream =
        hf_stream_get(intake_of(connection)->streams, connection->session.uuid, connection->owner);
    if (!stream) {
        hf_session_refuse(&connection->session, "GONE");
        return;
    }
    struct hf_connection *older = stream->connection;
    stream->connection = connection;
    stream->on_durable = on_durable;
    connection->stream = stream;
    if (older) {
        older->stream = NULL;
        hf_connection_close(older);
    }
    open_if_durable(connection);
}

/* ---- the work ---- */

static void
read_or_not(struct hf_connection *connection)
{
    const struct hf_intake *intake = intake_of(connection);
    bool lines = hf_session_takes_lines(&connection->session);
    bool wanted = !connection->ended && !intake->stopped &&
                  (connection->session.state == HF_SESSION_HELLO ||
                   (lines && !connection->waits && !connection->source->source.pressure.blocked));
    if (wanted)
        event_add(connection->readable, NULL);
    else
        event_del(connection->readable);
}

void
hf_connection_work(struct hf_connection *connection)
{
    if (connection->session.state == HF_SESSION_HELLO && connection->in.size > 0) {
        hf_connection_consume(connection,
                              hf_session_hello(&connection->session, hf_buf_slice(&connection->in),
                                               connection->ended));
        hf_connection_wait_for_hello(connection);
        if (connection->session.state == HF_SESSION_NAMED)
            take_stream(connection);
    }
    if (connection->session.state == HF_SESSION_NAMED && connection->stream)
        open_if_durable(connection);
    if (hf_session_takes_lines(&connection->session))
        hf_connection_take_lines(connection);
    send_replies(connection);
    if (is_over(connection))
        hf_connection_close(connection);
    else
        read_or_not(connection);
}

static bool
has_buffer(struct hf_connection *connection)
{
    const struct hf_socket_source *source = connection->source;
    if (connection->in.size + HF_SOCKET_READ <= connection->in.capacity ||
        connection->in.size < HF_SOCKET_READ)
        return true;
    return source->buffered + 2 * connection->in.size <=
           HF_SOCKET_BUFFERS + 2 * source->source.max_event;
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
    struct hf_connection *connection = context;
    struct hf_buf *in = &connection->in;
    size_t got = 0;
    (void)what;
    if (!has_buffer(connection) || hf_buf_reserve(in, HF_SOCKET_READ) != HF_OK) {
        hf_session_refuse(&connection->session,
                          "ERROR too many long lines at once; connect again later");
        hf_connection_work(connection);
        return;
    }
    hf_connection_count(connection);
    enum hf_status status = hf_fs_read(fd, in->ptr + in->size, HF_SOCKET_READ, &got, NULL);
    if (status == HF_EFULL)
        return;
    hf_connection_has_spoken(connection);
    if (status != HF_OK)
        connection->failed = true;
    else if (got == 0)
        connection->ended = true;
    in->size += got;
    connection->received += got;
    hf_connection_work(connection);
}

static void
on_writable(evutil_socket_t fd, short what, void *context)
{
    (void)fd, (void)what;
    hf_connection_work(context);
}

void
hf_connection_full(struct hf_connection *connection, bool full)
{
    if (connection->session.state != HF_SESSION_LINES)
        return;
    hf_session_full(&connection->session, full, connection->stream->taken);
    send_replies(connection);
}

/* ---- drain: all that the client had sent when it was asked for ---- */

void
hf_connection_drain(struct hf_connection *connection)
{
    int waiting = 0;
    if (ioctl(connection->fd, FIONREAD, &waiting) != 0 || waiting < 0)
        waiting = 0;
    connection->drain_to = connection->received + (uint64_t)waiting;
}

bool
hf_connection_drained(const struct hf_connection *connection)
{
    if (!hf_session_takes_lines(&connection->session) &&
        connection->session.state != HF_SESSION_HELLO)
        return true;
    if (connection->waits)
        return false;
    return connection->ended ? connection->in.size == 0
                             : connection->received >= connection->drain_to;
}

/* ---- coming and going ---- */

static void
note_peer(struct hf_connection *connection)
{
    struct hf_source *source = &connection->source->source;
    struct ucred who;
    socklen_t size = sizeof(who);
    char cgroup[4096], name[HF_OWNER_SIZE];
    if (getsockopt(connection->fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) {
        connection->owner = hf_owner_get(source->account, "clients of unknown users");
        return;
    }
    connection->peer.known = true;
    connection->peer.uid = who.uid;
    connection->peer.gid = who.gid;
    connection->peer.pid = who.pid;
    hf_owner_cgroup(who.pid, cgroup, sizeof(cgroup));
    hf_owner_of_client(source->intake->users, who.uid, cgroup, name);
    connection->owner = hf_owner_get(source->account, name);
}

struct hf_connection *
hf_connection_new(struct hf_socket_source *source, int fd)
{
    struct event_base *loop = source->source.intake->loop;
    struct hf_connection *connection = hf_alloc(sizeof(*connection));
    connection->source = source;
    connection->fd = fd;
    connection->since_ms = hf_boot_ms();
    note_peer(connection);
    hf_buf_init(&connection->in, (size_t)source->source.max_event + 4 * HF_SOCKET_READ);
    connection->readable = event_new(loop, fd, EV_READ | EV_PERSIST, on_readable, connection);
    connection->writable = event_new(loop, fd, EV_WRITE, on_writable, connection);
    LIST_INSERT_HEAD(&source->connections, connection, all);
    connection->is_silent = true;
    source->connection_count++;
    hf_crowd_join(connection);
    if (connection->readable && connection->writable && event_add(connection->readable, NULL) == 0)
        return connection;
    hf_connection_close(connection);
    return NULL;
}

void
hf_connection_close(struct hf_connection *connection)
{
    LIST_REMOVE(connection, all);
    hf_crowd_leave(connection);
    hf_connection_has_spoken(connection);
    connection->source->connection_count--;
    connection->source->buffered -= connection->counted;
    if (connection->readable)
        event_free(connection->readable);
    if (connection->writable)
        event_free(connection->writable);
    if (connection->late)
        event_free(connection->late);
    if (connection->stream)
        hf_stream_put(connection->stream);
    hf_fs_close(&connection->fd);
    hf_owner_put(connection->owner);
    hf_buf_done(&connection->in);
    hf_long_line_reset(&connection->line);
    hf_freep(&connection);
}
