#include "tests/rig/stream.h"
#include "tests/rig/calls.h"

#include <errno.h>
#include <holdfast/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct talk {
    struct stream *stream;
    int fd;
    int64_t until_ms;
    char line[256]; /* under construction */
    size_t size;
};

void
stream_init(struct stream *stream, const struct stage *stage)
{
    uint8_t random[10];
    uint64_t ms = (uint64_t)hf_wall_s() * 1000;
    memset(stream, 0, sizeof(*stream));
    stream->stage = stage;
    hf_random(random, sizeof(random));
    snprintf(stream->uuid, sizeof(stream->uuid), "%08x-%04x-7%03x-8%03x-%02x%02x%02x%02x%02x%02x",
             (unsigned)(ms >> 16), (unsigned)(ms & 0xffff),
             (unsigned)(random[0] << 8 | random[1]) & 0xfff,
             (unsigned)(random[2] << 8 | random[3]) & 0xfff, random[4], random[5], random[6],
             random[7], random[8], random[9]);
}

static bool
wait_for(struct talk *talk, short events)
{
    for (;;) {
        struct pollfd wait = { .fd = talk->fd, .events = events };
        int64_t left_ms = talk->until_ms - (int64_t)hf_boot_ms();
        if (left_ms <= 0)
            return false;
        int ready = poll(&wait, 1, (int)left_ms);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

/* One reply without its newline; false when the connection ends. */
static bool
read_reply(struct talk *talk, char ret_reply[256])
{
    for (;;) {
        char *end = memchr(talk->line, '\n', talk->size);
        if (end) {
            size_t size = (size_t)(end - talk->line);
            memcpy(ret_reply, talk->line, size);
            ret_reply[size] = '\0';
            talk->size -= size + 1;
            memmove(talk->line, end + 1, talk->size);
            return true;
        }
        if (talk->size == sizeof(talk->line) || !wait_for(talk, POLLIN))
            return false;
        ssize_t got = recv(talk->fd, talk->line + talk->size, sizeof(talk->line) - talk->size, 0);
        if (got <= 0)
            return false;
        talk->size += (size_t)got;
    }
}

static bool
send_bytes(struct talk *talk, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent =
            wait_for(talk, POLLOUT) ? send(talk->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (sent < 0)
            return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool
hello(struct talk *talk, unsigned *ret_known)
{
    char text[80], reply[256];
    struct stream *stream = talk->stream;
    snprintf(text, sizeof(text), "HOLDFAST 1 STREAM %s\n", stream->uuid);
    if (!send_bytes(talk, (const uint8_t *)text, strlen(text)) || !read_reply(talk, reply))
        return false;
    if (sscanf(reply, "OK %u", ret_known) != 1) {
        snprintf(stream->problem, sizeof(stream->problem), "the hello was answered '%.60s'", reply);
        return false;
    }
    if (*ret_known < stream->acknowledged) {
        stream->taken_back += stream->acknowledged - *ret_known;
        stream->acknowledged = *ret_known;
    }
    return true;
}

static void
note(struct stream *stream, unsigned known)
{
    uint64_t now_ns = calls_now_ns();
    for (unsigned i = stream->acknowledged; i < known && i < STREAM_LINES_MAX; i++)
        stream->acknowledged_ns[i] = now_ns;
    stream->acknowledged = HF_MAX(stream->acknowledged, known);
}

static bool
talk_lines(struct talk *talk, unsigned from, unsigned end)
{
    hf_owned(hf_buf_done) struct hf_buf lines = HF_BUF(8u << 20);
    char reply[256];
    unsigned number;
    for (unsigned i = from; i < end; i++) {
        stage_line(WAY_STREAM, i, &lines);
    }
    if (!send_bytes(talk, lines.ptr, lines.size))
        return false;
    while (talk->stream->acknowledged < end) {
        if (!read_reply(talk, reply))
            return false;
        if (sscanf(reply, "ACK %u", &number) == 1)
            note(talk->stream, number);
        else if (strncmp(reply, "FULL ", 5) != 0 && strncmp(reply, "GO ", 3) != 0)
            snprintf(talk->stream->problem, sizeof(talk->stream->problem),
                     "lines were answered '%.60s'", reply);
        if (*talk->stream->problem)
            return false;
    }
    return true;
}

static bool
open_talk(struct talk *talk, struct stream *stream, int64_t most_ms)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    *talk = (struct talk){ .stream = stream, .until_ms = (int64_t)hf_boot_ms() + most_ms };
    snprintf(address.sun_path, sizeof(address.sun_path), "%.80s/in.sock", stream->stage->folder);
    talk->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return talk->fd >= 0 && connect(talk->fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

bool
stream_send(struct stream *stream, unsigned end, int64_t most_ms)
{
    struct talk talk;
    unsigned known;
    bool done = open_talk(&talk, stream, most_ms) && hello(&talk, &known);
    if (done) {
        note(stream, known);
        done = talk_lines(&talk, known, end);
    }
    close(talk.fd);
    return done;
}

bool
stream_ask(struct stream *stream, unsigned *ret_known, int64_t most_ms)
{
    struct talk talk;
    bool done = open_talk(&talk, stream, most_ms) && hello(&talk, ret_known);
    close(talk.fd);
    return done;
}
