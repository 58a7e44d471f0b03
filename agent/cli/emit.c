/* Protocol 1, the client's side (the agent's is in agent/intake): one connection at a time,
 * reconnected until there was no progress for the timeout.
 *
 *   AWAY ──connect──▶ GREETED ──OK n──▶ OPEN ◀──GO n── FULL
 *    ▲                   │               │ └──FULL n──▶ │
 *    └───────────── connection lost ─────┴──────────────┘
 *
 * FULL only pauses: what was sent before it came is still read after GO. */
#include "emit_impl.h"
#include "say.h"

#include <errno.h>
#include <holdfast/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 500 /* it is a socket of this host: asking costs next to nothing */
#define READ_SIZE      (64u << 10)
#define REPLY_LINE_MAX 256

enum link_state { LINK_AWAY, LINK_GREETED, LINK_OPEN, LINK_FULL };

struct emit {
    const struct emit_options *options;
    struct emit_window window;
    enum link_state state;
    int fd;
    bool known; /* the agent has answered OK at least once */
    bool noted;
    bool hungry;
    bool told_error; /* `last` holds what the agent said before it closed */
    struct hf_buf reply;
    uint64_t backoff_ms, retry_at_ms, progress_ms;
    struct hf_error last; /* why the last connection ended */
};

static volatile sig_atomic_t stopping;

void
emit_stop(void)
{
    stopping = 1;
}

/* ---- the connection ---- */

static void
lose(struct emit *emit)
{
    uint8_t random[2];
    hf_random(random, sizeof(random));
    emit->backoff_ms =
        HF_MIN(HF_MAX(emit->backoff_ms * 2, (uint64_t)BACKOFF_MIN_MS), (uint64_t)BACKOFF_MAX_MS);
    emit->retry_at_ms =
        hf_boot_ms() + emit->backoff_ms / 2 + hf_get_le16(random) % emit->backoff_ms;
    hf_fs_close(&emit->fd);
    hf_buf_reset(&emit->reply);
    emit->window.sent = 0;
    emit->state = LINK_AWAY;
    emit->told_error = false;
    if (!emit->noted && (emit->window.count > 0 || !emit->known))
        say_note("%s; trying again", emit->last.text);
    emit->noted = true;
}

static enum hf_status
connect_once(struct emit *emit)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = emit->options->socket;
    memcpy(address.sun_path, path, strlen(path) + 1);
    emit->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (emit->fd < 0)
        return hf_fail_errno(&emit->last, HF_EINTERNAL, "making a socket");
    if (connect(emit->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return hf_fail_errno(&emit->last, errno == EACCES ? HF_EACCESS : HF_EUNREACHABLE,
                             "connecting to the agent at '%s'", path);
    char greeting[80];
    int size =
        snprintf(greeting, sizeof(greeting), "HOLDFAST 1 STREAM %s\n", emit->options->stream);
    if (send(emit->fd, greeting, (size_t)size, MSG_NOSIGNAL) !=
        size) /* fits the socket's empty buffer whole */
        return hf_fail_errno(&emit->last, HF_EUNREACHABLE, "greeting the agent at '%s'", path);
    emit->state = LINK_GREETED;
    return HF_OK;
}

/* ---- replies ---- */

static enum hf_status
on_ok(struct emit *emit, uint64_t n, struct hf_error *err)
{
    struct emit_window *window = &emit->window;
    if (emit->state != LINK_GREETED)
        return hf_fail(err, HF_EFORMAT, "the agent said OK twice");
    if (!emit->known && emit->options->resumed) {
        window->skip = n;
        window->first = n + 1;
    } else if (!emit->known && n > 0) {
        return hf_fail(err, HF_EFOREIGN, "the agent has lines of the new stream %s already",
                       emit->options->stream);
    } else if (n + 1 < window->first) {
        return hf_fail(err, HF_ECORRUPT,
                       "the agent had acknowledged line %llu of stream %s and now knows %llu only",
                       (unsigned long long)(window->first - 1), emit->options->stream,
                       (unsigned long long)n);
    }
    window->sent =
        window->bytes.size -
        window->at; /* earlier connections may have sent them; what is beyond n is sent again */
    enum hf_status status = emit_window_acknowledge(window, n, err);
    window->sent = 0;
    emit->known = true;
    emit->noted = false;
    emit->backoff_ms = 0;
    emit->progress_ms = hf_boot_ms();
    emit->state = LINK_OPEN;
    return status;
}

static enum hf_status
on_reply(struct emit *emit, const char *line, struct hf_error *err)
{
    uint64_t n = 0;
    const char *number = strchr(line, ' ');
    bool numbered = number && hf_parse_u64(number + 1, 0, UINT64_MAX / 2, &n);
    if (numbered && hf_starts_with(line, "OK "))
        return on_ok(emit, n, err);
    if (numbered && emit->state >= LINK_OPEN && hf_starts_with(line, "ACK ")) {
        emit->progress_ms = hf_boot_ms();
        return emit_window_acknowledge(&emit->window, n, err);
    }
    if (numbered && emit->state == LINK_OPEN && hf_starts_with(line, "FULL ")) {
        emit->state = LINK_FULL;
        (void)hf_fail(&emit->last, HF_EFULL,
                      "the agent's journal is full (`holdfast status` says why)");
        say_note("%s; waiting", emit->last.text);
        return HF_OK;
    }
    if (numbered && emit->state >= LINK_OPEN && hf_starts_with(line, "GO ")) {
        emit->state = LINK_OPEN;
        return HF_OK;
    }
    if (hf_starts_with(line, "GONE"))
        return hf_fail(err, HF_EREFUSED,
                       "the agent has forgotten stream %s (it keeps one for a day after its last "
                       "line); which of its lines are "
                       "durable only the trails can tell",
                       emit->options->stream);
    if (hf_starts_with(line,
                       "ERROR ")) { /* it closes the connection now; another one may do better */
        (void)hf_fail(&emit->last, HF_EREFUSED, "the agent says: %.200s", line + strlen("ERROR "));
        emit->told_error = true;
        return HF_OK;
    }
    return hf_fail(err, HF_EFORMAT, "the agent answered '%.100s'", line);
}

static enum hf_status
read_replies(struct emit *emit, struct hf_error *err)
{
    char chunk[4096];
    ssize_t size = recv(emit->fd, chunk, sizeof(chunk), 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return HF_OK;
    if (size <= 0) {
        if (size == 0)
            errno = ECONNRESET;
        if (!emit->told_error)
            (void)hf_fail_errno(&emit->last, HF_EUNREACHABLE, "the agent closed the connection");
        lose(emit);
        return HF_OK;
    }
    for (ssize_t i = 0; i < size; i++) {
        enum hf_status status = HF_OK;
        if (chunk[i] != '\n') {
            if (hf_buf_add(&emit->reply, &chunk[i], 1) != HF_OK)
                return hf_fail(err, HF_EFORMAT, "the agent's answer is longer than %d bytes",
                               REPLY_LINE_MAX);
            continue;
        }
        status = on_reply(emit, hf_buf_text(&emit->reply), err);
        hf_buf_reset(&emit->reply);
        if (status != HF_OK)
            return status;
    }
    return HF_OK;
}

/* ---- lines ---- */

static void
send_lines(struct emit *emit)
{
    struct hf_slice unsent = emit_window_unsent(&emit->window);
    ssize_t size = unsent.size > 0 ? send(emit->fd, unsent.ptr, unsent.size, MSG_NOSIGNAL) : 0;
    if (size >= 0) {
        emit->window.sent += (size_t)size;
    } else if (errno != EAGAIN && errno != EINTR) {
        (void)hf_fail_errno(&emit->last, HF_EUNREACHABLE, "sending to the agent");
        lose(emit);
    }
}

static enum hf_status
read_input(struct emit *emit, struct hf_error *err)
{
    struct hf_buf *input = &emit->window.input;
    size_t size = 0;
    enum hf_status status = hf_buf_reserve(input, READ_SIZE);
    if (status != HF_OK)
        return hf_fail(err, HF_ELIMIT, "a line of the input is longer than %u bytes",
                       EMIT_LINE_MAX);
    status = hf_fs_read(emit->options->input, input->ptr + input->size, READ_SIZE, &size, err);
    if (status == HF_EFULL)
        return HF_OK; /* EAGAIN: somebody made our standard input non-blocking */
    if (status != HF_OK)
        return hf_while(err, status, "reading the input");
    input->size += size;
    emit->window.input_ended = size == 0;
    return HF_OK;
}

static enum hf_status
fill(struct emit *emit, struct hf_error *err)
{
    size_t before = emit->window.count;
    if (!emit->known && emit->options->resumed) { /* how many to skip is not known yet */
        emit->hungry = false;
        return HF_OK;
    }
    enum hf_status status = emit_window_fill(&emit->window, &emit->hungry, err);
    if (before == 0 && emit->window.count > 0)
        emit->progress_ms = hf_boot_ms(); /* the timeout runs only while something waits */
    return status;
}

/* ---- the loop ---- */

static bool
is_waiting(const struct emit *emit)
{
    return emit->window.count > 0 || (emit->options->resumed && !emit->known);
}

static enum hf_status
wait_once(struct emit *emit, struct hf_error *err)
{
    bool sending = emit->state == LINK_OPEN && emit_window_unsent(&emit->window).size > 0;
    struct pollfd polled[2] = {
        { .fd = emit->fd, .events = (short)(POLLIN | (sending ? POLLOUT : 0)) },
        { .fd = emit->hungry ? emit->options->input : -1, .events = POLLIN },
    };
    uint64_t now_ms = hf_boot_ms();
    uint64_t wait_ms =
        emit->state == LINK_AWAY ? emit->retry_at_ms - HF_MIN(now_ms, emit->retry_at_ms) : 500;
    if (poll(polled, 2, (int)HF_MIN(wait_ms, (uint64_t)500)) < 0 && errno != EINTR)
        return hf_fail_errno(err, HF_EINTERNAL, "waiting");
    if (emit->fd >= 0 && (polled[0].revents & (POLLIN | POLLHUP | POLLERR))) {
        enum hf_status status = read_replies(emit, err);
        if (status != HF_OK)
            return status;
    }
    if (emit->fd >= 0 && emit->state == LINK_OPEN && (polled[0].revents & POLLOUT))
        send_lines(emit);
    return polled[1].revents ? read_input(emit, err) : HF_OK;
}

static enum hf_status
step(struct emit *emit, struct hf_error *err)
{
    enum hf_status status = fill(emit, err);
    if (status != HF_OK)
        return status;
    if (emit->state == LINK_AWAY && hf_boot_ms() >= emit->retry_at_ms) {
        status = connect_once(emit);
        if (status == HF_EACCESS || status == HF_EINTERNAL) {
            *err = emit->last;
            return status;
        }
        if (status != HF_OK)
            lose(emit);
    }
    if (is_waiting(emit) && hf_boot_ms() - emit->progress_ms >= emit->options->timeout_ms)
        return hf_fail(err, HF_ETIMEOUT, "no progress for %llu s: %s",
                       (unsigned long long)(emit->options->timeout_ms / 1000),
                       *emit->last.text ? emit->last.text : "the agent does not answer");
    if (stopping)
        return hf_fail(err, HF_ESTOPPED, "stopped by a signal");
    return emit_window_empty(&emit->window) && !is_waiting(emit) ? HF_OK : wait_once(emit, err);
}

enum hf_status
emit_lines(const struct emit_options *options, uint64_t *ret_acknowledged, struct hf_error *err)
{
    struct emit emit = {
        .options = options, .fd = -1, .reply = HF_BUF(REPLY_LINE_MAX), .progress_ms = hf_boot_ms()
    };
    struct sockaddr_un address;
    enum hf_status status = HF_OK;
    *ret_acknowledged = 0;
    if (strlen(options->socket) >= sizeof(address.sun_path))
        return hf_fail(err, HF_EUSAGE,
                       "'%s' is longer than %zu bytes, the most for a socket's path",
                       options->socket, sizeof(address.sun_path) - 1);
    stopping = 0;
    emit_window_init(&emit.window, options->window_bytes, options->window_lines);
    while (status == HF_OK && (is_waiting(&emit) || !emit_window_empty(&emit.window)))
        status = step(&emit, err);
    *ret_acknowledged = emit.window.first - 1;
    hf_fs_close(&emit.fd);
    hf_buf_done(&emit.reply);
    emit_window_done(&emit.window);
    return status;
}

/* ---- streams ---- */

bool
emit_stream_valid(const char *uuid)
{
    if (strlen(uuid) != 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? uuid[i] != '-' : !strchr("0123456789abcdef", uuid[i]))
            return false;
    }
    return true;
}

/* RFC 9562 section 5.7: 48 bits of milliseconds, version, random. */
void
emit_stream_new(char ret_uuid[37])
{
    uint8_t bytes[16];
    char hex[33];
    uint64_t ms = hf_wall_ns() / 1000000;
    hf_random(bytes, sizeof(bytes));
    for (size_t i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    bytes[6] = (uint8_t)(0x70 | (bytes[6] & 0x0f));
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));
    hf_hex(bytes, sizeof(bytes), hex);
    snprintf(ret_uuid, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}
