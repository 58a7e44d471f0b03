/* What a client can send on an intake socket: the first byte says in which pieces it comes, the
 * rest is the stream.
 *
 * Checked: how the bytes are cut into reads makes no difference; every byte behind the first line
 * is in exactly one piece; parts are cut only from lines that are too long; replies are well
 * formed, and acknowledgements only grow. */
#include "agent/intake/socket/protocol.h"

#include <stdlib.h>
#include <string.h>

#define MAX_EVENT 24

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first bytes as a client sends them, `step` at a time. Returns what the first line took. */
static size_t
say_hello(struct hf_session *session, struct hf_slice input, size_t step)
{
    *session = (struct hf_session){ .state = HF_SESSION_HELLO };
    for (size_t have = 0;;) {
        have = HF_MIN(have + step, input.size);
        bool ended = have == input.size;
        size_t took = hf_session_hello(session, hf_slice(input.ptr, have), ended);
        hf_assert(took <= have);
        if (session->state != HF_SESSION_HELLO)
            return took;
        hf_assert(took == 0 && have < HF_HELLO_MAX);
        if (ended)
            return 0;
    }
}

static void
check_replies(struct hf_session *session, uint64_t *told)
{
    char reply[HF_REPLY_SIZE];
    size_t size;
    for (int count = 0; (size = hf_session_reply(session, reply)) > 0; count++) {
        hf_assert(count < 4);
        hf_assert(size < sizeof(reply) && reply[size - 1] == '\n' &&
                  memchr(reply, '\n', size) == reply + size - 1);
        if (memcmp(reply, "ACK ", 4) != 0)
            continue;
        uint64_t n = strtoull(reply + 4, NULL, 10);
        hf_assert(n > *told && n == session->durable);
        *told = n;
    }
}

/* Cuts all lines as they come; every third one is full, and acknowledged a little later. */
static void
send_lines(struct hf_session *session, struct hf_slice input, size_t step)
{
    size_t at = 0, have = 0;
    uint64_t lines = 0, told = 0;
    bool in_parts = false;
    for (;;) {
        have = HF_MIN(have + step, input.size);
        bool ended = have == input.size;
        struct hf_piece piece =
            hf_piece_next(hf_slice(input.ptr + at, have - at), MAX_EVENT, in_parts, ended);
        if (piece.kind == HF_PIECE_NONE && ended)
            break;
        if (piece.kind == HF_PIECE_NONE)
            continue;
        bool newline = piece.consumed == piece.bytes.size + 1;
        hf_assert(piece.consumed <= have - at && piece.bytes.size <= MAX_EVENT &&
                  piece.bytes.ptr == input.ptr + at);
        hf_assert(!memchr(piece.bytes.ptr, '\n', piece.bytes.size));
        hf_assert((piece.kind == HF_PIECE_LAST) == (in_parts && piece.kind != HF_PIECE_PART));
        hf_assert(piece.kind != HF_PIECE_PART || (!newline && piece.bytes.size > MAX_EVENT - 4));
        at += piece.consumed;
        in_parts = piece.kind == HF_PIECE_PART;
        lines += !in_parts;
        hf_session_full(session, lines % 3 == 0, lines);
        if (lines % 4 == 0)
            hf_session_durable(session, lines);
        if (lines % 2)
            check_replies(session, &told);
    }
    hf_assert(at == input.size);
    hf_session_durable(session, lines);
    check_replies(session, &told);
    hf_assert(session->state != HF_SESSION_LINES || told == lines);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_session session, at_once;
    if (size == 0)
        return 0;
    struct hf_slice input = hf_slice(data + 1, size - 1);
    size_t step = (size_t)data[0] % 64 + 1;
    size_t took = say_hello(&session, input, step);
    hf_assert(took == say_hello(&at_once, input, input.size + 1));
    hf_assert(session.state == at_once.state);
    if (session.state == HF_SESSION_NAMED) {
        hf_assert(hf_uuid_valid(hf_slice_text(session.uuid)) &&
                  strcmp(session.uuid, at_once.uuid) == 0);
        hf_assert(hf_uuid_made_s(session.uuid) >= -1);
        hf_session_open(&session, 0);
    }
    if (hf_session_takes_lines(&session))
        send_lines(&session, hf_slice(input.ptr + took, input.size - took), step);
    char reply[HF_REPLY_SIZE];
    if (session.state == HF_SESSION_REFUSED)
        hf_assert(hf_session_reply(&session, reply) > 0 && hf_session_reply(&session, reply) == 0);
    return 0;
}
