/* Offers lines to a socket source at a given rate and measures how long each takes to be acknowledged:
 *
 *   hf_feed SOCKET FILE MB_PER_S SECONDS     prints "offered_mb_s X acked N p50_ms X p99_ms X max_ms X"
 *
 * Lines go out in chunks of a millisecond's worth; the time of a line is that of its chunk. */
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

static double
now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double *sent_at, *latency;
static uint64_t sent, acked, room;

static void
take_acks(char *text, size_t *have)
{
    char *line = text, *end;
    double now = now_s();
    while ((end = memchr(line, '\n', (size_t)(text + *have - line))) != NULL) {
        uint64_t number;
        *end = '\0';
        if (sscanf(line, "ACK %" SCNu64, &number) == 1) {
            for (; acked < number && acked < sent; acked++)
                latency[acked] = now - sent_at[acked];
        } else if (strncmp(line, "FULL", 4) == 0) {
            fprintf(stderr, "hf_feed: the agent is full; the rate is more than it can take\n");
            exit(1);
        }
        line = end + 1;
    }
    *have -= (size_t)(line - text);
    memmove(text, line, *have);
}

static void
exchange(int fd, const char *bytes, size_t size, char *replies, size_t *have, int wait_ms)
{
    do {
        struct pollfd poll_fd = {.fd = fd, .events = (short)(POLLIN | (size ? POLLOUT : 0))};
        if (poll(&poll_fd, 1, size ? 1000 : wait_ms) <= 0)
            return;
        if (poll_fd.revents & POLLIN) {
            ssize_t got = recv(fd, replies + *have, 65536 - *have, 0);
            if (got <= 0)
                exit(1);
            *have += (size_t)got;
            take_acks(replies, have);
        }
        if (size && poll_fd.revents & POLLOUT) {
            ssize_t done = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (done < 0 && errno != EAGAIN)
                exit(1);
            bytes += done > 0 ? done : 0;
            size -= done > 0 ? (size_t)done : 0;
        }
    } while (size);
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
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static char replies[65536];
    size_t have = 0;
    FILE *file = argc == 5 ? fopen(argv[2], "rb") : NULL;
    if (!file || strlen(argv[1]) >= sizeof(address.sun_path)) {
        fprintf(stderr, "usage: hf_feed SOCKET FILE MB_PER_S SECONDS\n");
        return 2;
    }
    double rate = atof(argv[3]) * 1e6, length_s = atof(argv[4]);
    size_t size = (size_t)(rate * length_s * 1.05) + 65536;
    char *bytes = malloc(size);
    size = fread(bytes, 1, size, file);
    room = size / 200 + 1;
    sent_at = calloc(room, sizeof(double));
    latency = calloc(room, sizeof(double));
    memcpy(address.sun_path, argv[1], strlen(argv[1]));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        perror(argv[1]);
        return 1;
    }
    char hello[128];
    int hello_size = snprintf(hello, sizeof(hello), "HOLDFAST 1 STREAM %08x-0000-4000-8000-%012x\n", (unsigned)time(NULL), (unsigned)getpid());
    exchange(fd, hello, (size_t)hello_size, replies, &have, 1000);
    double start = now_s();
    size_t at = 0;
    while (now_s() - start < length_s && at < size) {
        double now = now_s();
        size_t due = (size_t)((now - start) * rate), end = due > at ? (due < size ? due : size) : at;
        const char *stop = end > at ? memrchr(bytes + at, '\n', end - at) : NULL;
        if (stop) {
            size_t chunk = (size_t)(stop + 1 - (bytes + at));
            for (const char *line = bytes + at; line < bytes + at + chunk && sent < room; sent++) {
                sent_at[sent] = now;
                line = (const char *)memchr(line, '\n', size) + 1;
            }
            exchange(fd, bytes + at, chunk, replies, &have, 0);
            at += chunk;
        }
        exchange(fd, NULL, 0, replies, &have, 1);
    }
    double offered = (double)at / (now_s() - start) / 1e6;
    for (double end = now_s() + 10; acked < sent && now_s() < end;)
        exchange(fd, NULL, 0, replies, &have, 100);
    qsort(latency, acked, sizeof(double), compare);
    if (!acked || acked < sent) {
        fprintf(stderr, "hf_feed: %" PRIu64 " of %" PRIu64 " lines acknowledged\n", acked, sent);
        return 1;
    }
    printf("offered_mb_s %.1f acked %" PRIu64 " p50_ms %.2f p99_ms %.2f max_ms %.2f\n", offered, acked, latency[acked / 2] * 1e3, latency[acked * 99 / 100] * 1e3, latency[acked - 1] * 1e3);
    return 0;
}
