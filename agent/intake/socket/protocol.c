#include "agent/intake/socket/protocol.h"

#include <stdio.h>
#include <string.h>

#define WORD  "HOLDFAST"
#define HELLO "HOLDFAST 1 STREAM "

void
hf_session_refuse(struct hf_session *session, const char *reply)
{
    session->state = HF_SESSION_REFUSED;
    snprintf(session->refusal, sizeof(session->refusal) - 1, "%s", reply);
}

static void
read_hello(struct hf_session *session, struct hf_slice line)
{
    size_t begin = strlen(HELLO);
    if (line.size < begin || memcmp(line.ptr, HELLO, begin) != 0) {
        hf_session_refuse(session, "ERROR this agent understands 'HOLDFAST 1 STREAM uuid' only");
        return;
    }
    struct hf_slice uuid = hf_slice(line.ptr + begin, line.size - begin);
    if (!hf_uuid_valid(uuid)) {
        hf_session_refuse(session, "ERROR a stream is named by a UUID of 36 characters");
        return;
    }
    for (size_t i = 0; i < uuid.size; i++) {
        char c = (char)uuid.ptr[i];
        session->uuid[i] = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
    }
    session->uuid[uuid.size] = '\0';
    session->state = HF_SESSION_NAMED;
}

size_t
hf_session_hello(struct hf_session *session, struct hf_slice input, bool ended)
{
    size_t word = HF_MIN(input.size, strlen(WORD));
    if (word > 0 && memcmp(input.ptr, WORD, word) != 0) {
        session->state = HF_SESSION_PLAIN;
        return 0;
    }
    size_t look = HF_MIN(input.size, (size_t)HF_HELLO_MAX);
    const uint8_t *newline = look ? memchr(input.ptr, '\n', look) : NULL;
    if (newline && word == strlen(WORD)) {
        size_t size = (size_t)(newline - input.ptr);
        read_hello(session, hf_slice(input.ptr, size));
        return size + 1;
    }
    if (ended && word < strlen(WORD))
        session->state = HF_SESSION_PLAIN; /* a short last line that happens to begin so */
    else if (ended || look == HF_HELLO_MAX)
        hf_session_refuse(session, "ERROR the first line is too long or not whole");
    return 0;
}

void
hf_session_open(struct hf_session *session, uint64_t durable)
{
    hf_assert(session->state == HF_SESSION_NAMED);
    session->state = HF_SESSION_LINES;
    session->tell_ok = true;
    session->durable = session->told = durable;
}

void
hf_session_durable(struct hf_session *session, uint64_t durable)
{
    hf_assert(durable >= session->durable);
    session->durable = durable;
}

void
hf_session_full(struct hf_session *session, bool full, uint64_t taken)
{
    session->full = full;
    session->full_at = taken;
}

bool
hf_session_takes_lines(const struct hf_session *session)
{
    return session->state == HF_SESSION_LINES || session->state == HF_SESSION_PLAIN;
}

static size_t
tell(char ret_reply[HF_REPLY_SIZE], const char *word, uint64_t number)
{
    return (size_t)snprintf(ret_reply, HF_REPLY_SIZE, "%s %llu\n", word,
                            (unsigned long long)number);
}

size_t
hf_session_reply(struct hf_session *session, char ret_reply[HF_REPLY_SIZE])
{
    if (session->state == HF_SESSION_REFUSED) {
        if (!session->refusal[0])
            return 0;
        size_t size = (size_t)snprintf(ret_reply, HF_REPLY_SIZE, "%s\n", session->refusal);
        session->refusal[0] = '\0';
        return size;
    }
    if (session->state != HF_SESSION_LINES)
        return 0;
    if (session->tell_ok) {
        session->tell_ok = false;
        return tell(ret_reply, "OK", session->told);
    }
    if (session->durable > session->told) {
        session->told = session->durable;
        return tell(ret_reply, "ACK", session->told);
    }
    if (session->full != session->told_full) {
        session->told_full = session->full;
        return tell(ret_reply, session->full ? "FULL" : "GO", session->full_at);
    }
    return 0;
}
