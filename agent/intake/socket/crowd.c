/* Those who take a place and do not use it: greetings that are not whole, connections that never
 * say a word, and more of them than there are places. */
#include "agent/intake/socket/socket_impl.h"

#include <event2/event.h>
#include <stdio.h>
#include <sys/socket.h>

/* Who has begun a greeting and does not end it would hold his place for ever. */
static void
on_late(evutil_socket_t fd, short what, void *context)
{
    struct hf_connection *connection = context;
    (void)fd, (void)what;
    if (connection->session.state == HF_SESSION_HELLO)
        hf_session_refuse(&connection->session,
                          "ERROR the first line did not become whole in time");
    hf_connection_work(connection);
}

void
hf_connection_wait_for_hello(struct hf_connection *connection)
{
    const struct hf_intake *intake = connection->source->source.intake;
    struct timeval after = hf_timeval(connection->source->source.timing.hello_ms);
    if (connection->late && connection->session.state != HF_SESSION_HELLO)
        event_free(hf_take(connection->late));
    if (connection->late || connection->session.state != HF_SESSION_HELLO ||
        connection->in.size == 0)
        return;
    connection->late = evtimer_new(intake->loop, on_late, connection);
    if (connection->late)
        evtimer_add(connection->late, &after);
}

void
hf_connection_has_spoken(struct hf_connection *connection)
{
    if (connection->is_silent)
        TAILQ_REMOVE(&connection->source->silent, connection, silent);
    connection->is_silent = false;
}

bool
hf_connection_make_room(struct hf_socket_source *source)
{
    struct hf_connection *oldest = TAILQ_FIRST(&source->silent);
    if (!oldest || hf_boot_ms() - oldest->since_ms < source->source.timing.silent_ms)
        return false;
    hf_connection_has_spoken(oldest); /* it does not get the word any more */
    hf_session_refuse(&oldest->session,
                      "ERROR too many connections, and this one has not said anything");
    hf_connection_work(oldest);
    return true;
}

/* It is told why; whether it listens is its own business. */
void
hf_connection_turn_away(struct hf_socket_source *source, int fd)
{
    char reply[HF_REPLY_SIZE];
    int size = snprintf(reply, sizeof(reply),
                        "ERROR %zu connections are open; close some, or connect again later\n",
                        source->source.timing.connections_max);
    if (send(fd, reply, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        hf_log_debug("socket.turned_away", HF_STR("source", source->source.config.name));
    hf_fs_close(&fd);
}
