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
    connection->is_silent = false;
}

/* ---- each owner's ---- */

void
hf_crowd_join(struct hf_connection *connection)
{
    struct hf_socket_source *source = connection->source;
    struct hf_crowd *crowd;
    LIST_FOREACH(crowd, &source->crowds, entry)
    if (crowd->owner == connection->owner)
        break;
    if (!crowd) {
        crowd = hf_alloc(sizeof(*crowd));
        crowd->owner = connection->owner; /* a connection of it holds him */
        TAILQ_INIT(&crowd->connections);
        LIST_INSERT_HEAD(&source->crowds, crowd, entry);
        source->crowd_count++;
    }
    TAILQ_INSERT_TAIL(&crowd->connections, connection, of_crowd);
    crowd->count++;
    connection->crowd = crowd;
}

void
hf_crowd_leave(struct hf_connection *connection)
{
    struct hf_crowd *crowd = connection->crowd;
    TAILQ_REMOVE(&crowd->connections, connection, of_crowd);
    if (--crowd->count > 0)
        return;
    LIST_REMOVE(crowd, entry);
    connection->source->crowd_count--;
    hf_freep(&crowd);
}

/* ---- more than there are places ---- */

/* It is told why; whether it listens is its own business. */
static void
turn_away(struct hf_connection *connection, const char *why)
{
    char reply[HF_REPLY_SIZE];
    int size = snprintf(reply, sizeof(reply), "ERROR %s\n", why);
    bool between = connection->out_sent == connection->out_size;
    if (between && send(connection->fd, reply, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        hf_log_debug("socket.turned_away",
                     HF_STR("source", connection->source->source.config.name));
    hf_connection_close(connection);
}

/* The oldest that never said a word for so long; NULL. */
static struct hf_connection *
silent_of(struct hf_crowd *crowd, uint64_t silent_ms)
{
    uint64_t now_ms = hf_boot_ms();
    struct hf_connection *connection;
    TAILQ_FOREACH(connection, &crowd->connections, of_crowd)
    {
        if (now_ms - connection->since_ms < silent_ms)
            return NULL;
        if (connection->is_silent)
            return connection;
    }
    return NULL;
}

/* The oldest whose greeting is not whole; NULL. */
static struct hf_connection *
ungreeted_of(struct hf_crowd *crowd)
{
    struct hf_connection *connection;
    TAILQ_FOREACH(connection, &crowd->connections, of_crowd)
    if (connection->session.state == HF_SESSION_HELLO)
        return connection;
    return NULL;
}

static struct hf_crowd *
largest(struct hf_socket_source *source)
{
    struct hf_crowd *crowd, *largest = LIST_FIRST(&source->crowds);
    LIST_FOREACH(crowd, &source->crowds, entry)
    if (crowd->count > largest->count)
        largest = crowd;
    return largest;
}

/* Of who has his share it is one of his own that goes, and that is the newest when all others are of
 * use; else whoever has most loses one for another's: one that is not used, or the oldest. */
void
hf_crowd_make_room(struct hf_connection *newest)
{
    struct hf_socket_source *source = newest->source;
    struct hf_error err = { .status = HF_OK };
    size_t most = source->source.timing.connections_max;
    struct hf_crowd *crowd = newest->crowd;
    bool is_over = crowd->count > most / source->crowd_count;
    if (!is_over)
        crowd = largest(source);
    hf_budget_note_refusal(crowd->owner, HF_BUDGET_CONNECTIONS, NULL);
    struct hf_connection *silent = silent_of(crowd, is_over ? source->source.timing.silent_ms : 0);
    if (silent && silent != newest) {
        turn_away(silent, "too many connections, and this one has not said anything");
    } else if (is_over) {
        char why[HF_REPLY_SIZE - 16];
        snprintf(why, sizeof(why), "%zu connections are open; close some, or connect again later",
                 most);
        hf_fail(&err, HF_ELIMIT, "%zu connections are open; further ones are turned away", most);
        hf_source_problem(&source->source, &err);
        turn_away(newest, why);
    } else {
        struct hf_connection *ungreeted = ungreeted_of(crowd);
        turn_away(ungreeted ? ungreeted : TAILQ_FIRST(&crowd->connections),
                  "too many connections are yours, and others want one; connect again later");
    }
}
