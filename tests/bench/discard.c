/* A store that keeps nothing but what a confirmation asks for: hf_discard PORT_FILE [COUNT_FILE EXPECTED|any|-]
 *
 * Speaks as much S3 over plain HTTP as a delivery needs: PUT of an object, HEAD of it, an empty
 * listing, Object Lock on. With COUNT_FILE it says at SIGTERM what it saw: "events N missing N
 * doubled N other N plain N puts N bytes N objects N requests N connections N", and "compression:NAME N"
 * for what the metadata of so many objects name. With EXPECTED the objects stay in memory, and
 * hf_gen's events in them are counted in this process: the agent under test does not pay for it.
 * "any": those up to the highest seen are expected. "-": the objects cannot be read, only requests
 * are counted.
 */
#include "seen.h"
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX 16384

struct object {
    struct object *next;
    char key[2048], etag[64], sha256[80], lock_mode[32], retain_until[64], compression[32];
    size_t size;
    unsigned char *body;
};

static struct object *objects;
static uint64_t put_count, put_bytes, request_count, connection_count;
static int keep;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int
header(const char *head, const char *name, char *ret_value, size_t size)
{
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':') {
            const char *value = line + 3 + length;
            value += strspn(value, " ");
            snprintf(ret_value, size, "%.*s", (int)strcspn(value, "\r"), value);
            return 1;
        }
    }
    *ret_value = '\0';
    return 0;
}

static void
md5_etag(const char *base64, char *ret_hex, size_t room)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits = 0, have = 0;
    size_t used = 0;
    for (; *base64 && *base64 != '=' && used + 3 < room; base64++) {
        const char *at = strchr(letters, *base64);
        bits = bits << 6 | (unsigned)(at ? at - letters : 0);
        have += 6;
        if (have >= 8) {
            have -= 8;
            used += (size_t)snprintf(ret_hex + used, room - used, "%02x", bits >> have & 0xff);
        }
    }
}

static int
send_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return 0;
        bytes += sent;
        size -= (size_t)sent;
    }
    return 1;
}

static int
reply(int fd, const char *status, const char *headers, const char *body, int with_body)
{
    char text[4096], date[64];
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    int size = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nDate: %s\r\n%s%s%zu\r\n\r\n%s", status,
                        date, headers, with_body ? "Content-Length: " : "X-Nothing: ", strlen(body),
                        with_body ? body : "");
    return send_all(fd, text, (size_t)size);
}

static int
is_log_object(const struct object *object)
{
    return strstr(object->key, "/CloudTrail/") != NULL;
}

static int
read_body(int fd, struct object *object, size_t size, const char *rest, size_t rest_size)
{
    static __thread char scratch[1 << 18];
    size_t at = rest_size < size ? rest_size : size;
    int keeps = keep && is_log_object(object);
    if (keeps) {
        object->body = malloc(size + 1);
        memcpy(object->body, rest, at);
    }
    while (at < size) {
        size_t want = size - at < sizeof(scratch) || keeps ? size - at : sizeof(scratch);
        ssize_t got = recv(fd, keeps ? (char *)object->body + at : scratch, want, 0);
        if (got <= 0)
            return 0;
        at += (size_t)got;
    }
    return 1;
}

static int
put(int fd, const char *path, const char *head, const char *rest, size_t rest_size)
{
    char value[256], headers[512];
    struct object *object = calloc(1, sizeof(*object));
    snprintf(object->key, sizeof(object->key), "%s", path);
    header(head, "content-length", value, sizeof(value));
    object->size = strtoull(value, NULL, 10);
    header(head, "content-md5", value, sizeof(value));
    md5_etag(value, object->etag, sizeof(object->etag));
    header(head, "x-amz-meta-holdfast-sha256", object->sha256, sizeof(object->sha256));
    header(head, "x-amz-meta-holdfast-compression", object->compression,
           sizeof(object->compression));
    header(head, "x-amz-object-lock-mode", object->lock_mode, sizeof(object->lock_mode));
    header(head, "x-amz-object-lock-retain-until-date", object->retain_until,
           sizeof(object->retain_until));
    if (!read_body(fd, object, object->size, rest, rest_size))
        return 0;
    pthread_mutex_lock(&lock);
    object->next = objects;
    objects = object;
    put_count++;
    put_bytes += object->size;
    pthread_mutex_unlock(&lock);
    snprintf(headers, sizeof(headers), "ETag: \"%s\"\r\nx-amz-version-id: v1\r\n", object->etag);
    return reply(fd, "200 OK", headers, "", 1);
}

static int
head_object(int fd, const char *path)
{
    char headers[2048];
    pthread_mutex_lock(&lock);
    const struct object *object = objects;
    while (object && strcmp(object->key, path) != 0)
        object = object->next;
    pthread_mutex_unlock(&lock);
    if (!object)
        return reply(fd, "404 Not Found", "", "", 1);
    int used = snprintf(headers, sizeof(headers),
                        "ETag: \"%s\"\r\nx-amz-version-id: v1\r\nx-amz-meta-holdfast-sha256: "
                        "%s\r\nContent-Length: %zu\r\n",
                        object->etag, object->sha256, object->size);
    if (*object->lock_mode)
        snprintf(headers + used, sizeof(headers) - (size_t)used,
                 "x-amz-object-lock-mode: %s\r\nx-amz-object-lock-retain-until-date: %s\r\n",
                 object->lock_mode, object->retain_until);
    return reply(fd, "200 OK", headers, "", 0);
}

static int
answer(int fd, const char *head, const char *rest, size_t rest_size)
{
    char method[16], path[2048];
    if (sscanf(head, "%15s %2047s", method, path) != 2)
        return 0;
    char *query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    if (strcmp(method, "PUT") == 0 && !query)
        return put(fd, path, head, rest, rest_size);
    if (strcmp(method, "HEAD") == 0)
        return head_object(fd, path);
    if (query && strstr(query, "object-lock"))
        return reply(fd, "200 OK", "Content-Type: application/xml\r\n",
                     "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></"
                     "ObjectLockConfiguration>",
                     1);
    if (query && strstr(query, "list-type"))
        return reply(fd, "200 OK", "Content-Type: application/xml\r\n",
                     "<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></"
                     "ListBucketResult>",
                     1);
    return reply(fd, "404 Not Found", "Content-Type: application/xml\r\n",
                 "<Error><Code>NoSuchKey</Code></Error>", 1);
}

static void
seen_one(uint64_t *counter)
{
    pthread_mutex_lock(&lock);
    (*counter)++;
    pthread_mutex_unlock(&lock);
}

static void *
serve(void *context)
{
    int fd = (int)(intptr_t)context;
    char head[HEAD_MAX + 1];
    size_t have = 0;
    for (;;) {
        char *end;
        head[have] = '\0';
        while (!(end = strstr(head, "\r\n\r\n"))) {
            ssize_t got = have < HEAD_MAX ? recv(fd, head + have, HEAD_MAX - have, 0) : 0;
            if (got <= 0) {
                close(fd);
                return NULL;
            }
            have += (size_t)got;
            head[have] = '\0';
        }
        size_t head_size = (size_t)(end + 4 - head), rest = have - head_size;
        char value[32], rest_copy[HEAD_MAX];
        memcpy(rest_copy, head + head_size, rest);
        end[2] = '\0';
        header(head, "content-length", value, sizeof(value));
        seen_one(&request_count);
        size_t body = strtoull(value, NULL, 10);
        if (!answer(fd, head, rest_copy, rest)) {
            close(fd);
            return NULL;
        }
        size_t used = rest < body ? rest : body;
        have = rest - used;
        memcpy(head, rest_copy + used, have);
    }
}

static void *
accept_all(void *context)
{
    int listener = (int)(intptr_t)context;
    for (;;) {
        int fd = accept(listener, NULL, NULL), on = 1;
        pthread_t thread;
        if (fd < 0)
            continue;
        seen_one(&connection_count);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    }
    return NULL;
}

/* As the objects name it; one of each name. */
static void
count_compression(FILE *file)
{
    for (const struct object *first = objects; first; first = first->next) {
        const struct object *before = objects;
        uint64_t same = 0;
        while (before != first && strcmp(before->compression, first->compression) != 0)
            before = before->next;
        for (const struct object *object = first; object && before == first && *first->compression;
             object = object->next)
            same += strcmp(object->compression, first->compression) == 0;
        if (same)
            fprintf(file, " compression:%s %" PRIu64, first->compression, same);
    }
}

static int
count(const char *path, const char *expected)
{
    struct seen seen;
    uint64_t object_count = 0, unreadable = 0;
    seen_init(&seen);
    for (const struct object *object = objects; object; object = object->next) {
        object_count += is_log_object(object);
        if (keep && is_log_object(object) && !seen_object(&seen, object->body, object->size)) {
            fprintf(stderr, "%s: not one whole gzip member\n", object->key);
            unreadable++;
        }
    }
    FILE *file = fopen(path, "w");
    if (!file)
        return 1;
    int any = strcmp(expected, "any") == 0;
    uint64_t missing = keep ? seen_missing(&seen, any ? (seen.events ? seen.highest + 1 : 0)
                                                      : strtoull(expected, NULL, 10))
                            : 0;
    fprintf(file,
            "events %" PRIu64 " missing %" PRIu64 " doubled %" PRIu64 " other %" PRIu64
            " plain %" PRIu64 " puts %" PRIu64 " bytes %" PRIu64 " objects %" PRIu64
            " requests %" PRIu64 " connections %" PRIu64,
            seen.events, missing, seen.doubled, seen.other, seen.plain_bytes, put_count, put_bytes,
            object_count, request_count, connection_count);
    count_compression(file);
    fputc('\n', file);
    fclose(file);
    return missing || seen.doubled || unreadable;
}

int
main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    sigset_t signals;
    pthread_t thread;
    if (argc != 2 && argc != 4) {
        fprintf(stderr, "usage: hf_discard PORT_FILE [COUNT_FILE EXPECTED|any|-]\n");
        return 2;
    }
    keep = argc == 4 && strcmp(argv[3], "-") != 0;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    int listener = socket(AF_INET, SOCK_STREAM, 0), signal_number;
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 64) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        perror("hf_discard");
        return 1;
    }
    FILE *file = fopen(argv[1], "w");
    if (!file)
        return 1;
    fprintf(file, "%u\n", ntohs(address.sin_port));
    fclose(file);
    pthread_create(&thread, NULL, accept_all, (void *)(intptr_t)listener);
    sigwait(&signals, &signal_number);
    pthread_mutex_lock(&lock); /* what is still under way does not count any more */
    return argc == 4 ? count(argv[2], argv[3]) : 0;
}
