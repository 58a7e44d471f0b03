/* From a connection's buffer into the journal: lines, in units with the position of the stream. */
#include "agent/intake/socket/socket_impl.h"

#include <string.h>

/* The sum that all connections share follows each buffer. */
void
hf_connection_count(struct hf_connection *connection)
{
    connection->source->buffered += connection->in.capacity - connection->counted;
    connection->counted = connection->in.capacity;
}

void
hf_connection_consume(struct hf_connection *connection, size_t size)
{
    struct hf_buf *in = &connection->in;
    if (size == 0)
        return;
    memmove(in->ptr, in->ptr + size, in->size - size);
    in->size -= size;
    if (in->size == 0 && in->capacity > 4 * HF_SOCKET_READ)
        hf_buf_done(in);
    hf_connection_count(connection);
}

/* The parts stay without a last one; the line counts from its beginning again. */
static void
forget_begun(struct hf_connection *connection)
{
    struct hf_unit unit;
    struct hf_cut none = { .consumed = 0 };
    connection->skip = 0;
    hf_session_refuse(
        &connection->session,
        "ERROR the long line that was begun is another one; connect again to send it anew");
    if (hf_unit_begin_for(&unit, &connection->source->source, connection->owner, NULL) != HF_OK ||
        hf_stream_write(&unit, connection->stream, &none) != HF_OK)
        return; /* told again next time */
    hf_unit_commit(&unit);
    hf_stream_taken(connection->stream, &unit, &none);
}

/* A line whose first parts are in the journal comes again from its beginning: these parts are
 * checked, not added. */
static void
skip_begun(struct hf_connection *connection)
{
    struct hf_stream *stream = connection->stream;
    struct hf_long_line *line = &connection->line;
    size_t size = (size_t)HF_MIN(connection->skip, (uint64_t)connection->in.size);
    if (size == 0)
        return;
    struct hf_slice again = hf_slice(connection->in.ptr, size);
    connection->skip_crc = hf_crc32c(connection->skip_crc, again.ptr, again.size);
    hf_long_line_add(line, line->hashed, again);
    connection->skip -= size;
    bool differs = memchr(again.ptr, '\n', again.size) ||
                   (connection->skip == 0 && connection->skip_crc != stream->begun.crc);
    if (differs) {
        forget_begun(connection);
        return;
    }
    if (connection->skip == 0) {
        line->parts = stream->begun.parts;
        line->bytes = stream->begun.bytes;
        line->crc = stream->begun.crc;
    }
    hf_connection_consume(connection, size);
}

/* Only he hears it. */
static void
wait_for_share(struct hf_connection *connection)
{
    connection->waits = true;
    if (connection->session.state == HF_SESSION_LINES)
        hf_session_full(&connection->session, true, connection->stream->taken);
}

/* One unit. false: there is nothing whole, or it was refused. */
static bool
hand_over(struct hf_connection *connection)
{
    struct hf_unit unit;
    struct hf_cut cut;
    struct hf_source *source = &connection->source->source;
    struct hf_slice input = hf_buf_slice(&connection->in);
    bool ended = connection->ended && connection->session.state == HF_SESSION_PLAIN;
    if (hf_piece_next(input, source->max_event, connection->line.parts > 0, ended).kind ==
        HF_PIECE_NONE)
        return false;
    if (hf_unit_begin_for(&unit, source, connection->owner, NULL) != HF_OK) {
        if (unit.owner_waits)
            wait_for_share(connection);
        return false;
    }
    if (connection->peer.known)
        hf_record_origin_peer(&unit.origin, connection->peer.uid, connection->peer.gid,
                              connection->peer.pid);
    enum hf_status status = hf_unit_lines(&unit, input, ended, &connection->line, &cut);
    if (status == HF_OK && connection->stream && unit.events > 0)
        status = hf_stream_write(&unit, connection->stream, &cut);
    if (status != HF_OK)
        return false;
    if (unit.events > 0)
        hf_unit_commit(&unit);
    else
        hf_unit_abandon(&unit); /* empty lines only */
    if (connection->stream && unit.events > 0)
        hf_stream_taken(connection->stream, &unit, &cut);
    hf_cut_keep(&cut, &connection->line);
    hf_connection_consume(connection, cut.consumed);
    return cut.more;
}

void
hf_connection_take_lines(struct hf_connection *connection)
{
    struct hf_intake *intake = connection->source->source.intake;
    const struct hf_pressure *pressure = &connection->source->source.pressure;
    if (connection->skip > 0)
        skip_begun(connection);
    while (hf_session_takes_lines(&connection->session) && connection->skip == 0 &&
           !pressure->blocked && !connection->waits && !intake->stopped)
        if (!hand_over(connection))
            break;
    /* What is left of a client of protocol 1 that is gone was never acknowledged. */
    if (connection->ended && connection->session.state == HF_SESSION_LINES && !pressure->blocked &&
        !connection->waits)
        hf_buf_reset(&connection->in);
    if (intake->waiter_count > 0)
        hf_intake_notice(intake);
}
