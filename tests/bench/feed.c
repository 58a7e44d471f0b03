/* Offers lines to a socket source and measures how long each takes to be acknowledged:
 *
 *   hf_feed SOCKET FILE MB_PER_S SECONDS     at this rate, for so long
 *   hf_feed SOCKET FILE max                  the whole file, as fast as the agent takes it
 *
 * Prints "offered_mb_s X acked N p50_ms X p99_ms X max_ms X bytes N". Lines go out in chunks of
 * a millisecond's worth, or of 256 KiB; the time of a line is that of its chunk. At a rate FULL
 * is an error: then the rate was more than the agent could take. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CHUNK      (256u << 10)
#define LINE_LEAST 128 /* no line of hf_gen's is shorter */
#define STALL_S    60

static double
now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int fd, may_be_full, full;
static char replies[65536];
static size_t have;
static double *sent_at, *latency;
static uint64_t sent, acked, room;

static void
fail(const char *text)
{
    fprintf(stderr, "hf_feed: %s, after %" PRIu64 " lines of which %" PRIu64 " are acknowledged\n",
            text, sent, acked);
    exit(1);
}

static void
take_replies(void)
{
    char *line = replies, *end;
    double now = now_s();
    while ((end = memchr(line, '\n', (size_t)(replies + have - line))) != NULL) {
        uint64_t number;
        *end = '\0';
        if (sscanf(line, "ACK %" SCNu64, &number) == 1) {
            for (; acked < number && acked < sent; acked++)
                latency[acked] = now - sent_at[acked];
        } else if (strncmp(line, "FULL", 4) == 0) {
            if (!may_be_full)
                fail("the agent is full: the rate is more than it can take");
            full = 1;
        } else if (strncmp(line, "GO", 2) == 0) {
            full = 0;
        } else if (strncmp(line, "OK", 2) != 0) {
            fail(line);
        }
        line = end + 1;
    }
    have -= (size_t)(line - replies);
    memmove(replies, line, have);
}

/* One look: sends what can be sent, takes what has come. Gives how much was sent. */
static size_t
exchange(const char *bytes, size_t size, int wait_ms)
{
    struct pollfd poll_fd = { .fd = fd, .events = (short)(POLLIN | (size && !full ? POLLOUT : 0)) };
    ssize_t done = 0;
    if (poll(&poll_fd, 1, wait_ms) <= 0)
        return 0;
    if (poll_fd.revents & POLLIN) {
        ssize_t got = recv(fd, replies + have, sizeof(replies) - have, 0);
        if (got <= 0)
            fail("the agent hung up");
        have += (size_t)got;
        take_replies();
    }
    if (poll_fd.revents & POLLOUT) {
        done = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (done < 0 && errno != EAGAIN)
            fail("sending failed");
    }
    return done > 0 ? (size_t)done : 0;
}

static void
send_all(const char *bytes, size_t size)
{
    for (double end = now_s() + STALL_S; size > 0;) {
        size_t done = exchange(bytes, size, 1000);
        if (done > 0)
            end = now_s() + STALL_S;
        if (now_s() > end)
            fail("the agent takes nothing any more");
        bytes += done;
        size -= done;
    }
}

static void
send_lines(const char *bytes, size_t size)
{
    double now = now_s();
    for (const char *line = bytes; line < bytes + size && sent < room; sent++) {
        sent_at[sent] = now;
        line = (const char *)memchr(line, '\n', (size_t)(bytes + size - line)) + 1;
    }
    send_all(bytes, size);
}

static size_t
offer(const char *bytes, size_t size, double bytes_per_s, double length_s)
{
    size_t at = 0;
    double start = now_s();
    while (at < size && (bytes_per_s <= 0 || now_s() - start < length_s)) {
        size_t due = bytes_per_s > 0 ? (size_t)((now_s() - start) * bytes_per_s) : at + CHUNK;
        due = due < size ? due : size;
        const char *stop = due > at ? memrchr(bytes + at, '\n', due - at) : NULL;
        if (stop) {
            size_t chunk = (size_t)(stop + 1 - (bytes + at));
            send_lines(bytes + at, chunk);
            at += chunk;
        }
        if (bytes_per_s > 0)
            exchange(NULL, 0, 1);
    }
    return at;
}

static char *
load(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    size_t all = (size_t)ftell(file);
    rewind(file);
    *size = *size < all ? *size : all;
    char *bytes = malloc(*size + 1);
    if (!bytes || fread(bytes, 1, *size, file) != *size)
        exit(1);
    fclose(file);
    const char *end = memrchr(bytes, '\n', *size);
    *size = end ? (size_t)(end + 1 - bytes) : 0;
    return bytes;
}

static void
greet(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char hello[128];
    if (strlen(path) >= sizeof(address.sun_path)) {
        fprintf(stderr, "hf_feed: %s: too long for a socket\n", path);
        exit(1);
    }
    memcpy(address.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        perror(path);
        exit(1);
    }
    int size = snprintf(hello, sizeof(hello), "HOLDFAST 1 STREAM %08x-0000-4000-8000-%012x\n",
                        (unsigned)time(NULL), (unsigned)getpid());
    send_all(hello, (size_t)size);
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
    int max = argc == 4 && strcmp(argv[3], "max") == 0;
    if (argc != 5 && !max) {
        fprintf(stderr,
                "usage: hf_feed SOCKET FILE MB_PER_S SECONDS, or hf_feed SOCKET FILE max\n");
        return 2;
    }
    double rate = max ? 0 : strtod(argv[3], NULL) * 1e6, length_s = max ? 0 : strtod(argv[4], NULL);
    size_t size = max ? SIZE_MAX : (size_t)(rate * length_s * 1.05) + 65536;
    char *bytes = load(argv[2], &size);
    may_be_full = max;
    room = size / LINE_LEAST + 1;
    sent_at = calloc(room, sizeof(double));
    latency = calloc(room, sizeof(double));
    greet(argv[1]);
    double start = now_s();
    size_t at = offer(bytes, size, rate, length_s);
    double offered = (double)at / (now_s() - start) / 1e6;
    uint64_t before = acked;
    for (double end = now_s() + STALL_S; acked < sent && now_s() < end; before = acked) {
        exchange(NULL, 0, 100);
        if (acked > before)
            end = now_s() + STALL_S;
    }
    if (!acked || acked < sent)
        fail("not all lines were acknowledged");
    qsort(latency, acked, sizeof(double), compare);
    printf("offered_mb_s %.1f acked %" PRIu64 " p50_ms %.2f p99_ms %.2f max_ms %.2f bytes %zu\n",
           offered, acked, latency[acked / 2] * 1e3, latency[acked * 99 / 100] * 1e3,
           latency[acked - 1] * 1e3, at);
    free(bytes);
    free(sent_at);
    free(latency);
    return 0;
}
