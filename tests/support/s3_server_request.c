/* Requests, as they come in. */
#include "tests/support/s3_server.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static const char *
find(const struct pair *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(pairs[i].name, name) == 0)
            return pairs[i].value;
    }
    return NULL;
}

const char *
request_header(const struct request *request, const char *name)
{
    return find(request->headers, request->header_count, name);
}

const char *
request_query(const struct request *request, const char *name)
{
    return find(request->query, request->query_count, name);
}

void
request_free(struct request *request)
{
    hf_buf_done(&request->head);
    hf_buf_done(&request->body);
    free(request);
}

/* More bytes to the end of `to`; false when the client is gone. */
static bool
gather(int fd, struct hf_buf *to, size_t most)
{
    char bytes[16384];
    ssize_t got = recv(fd, bytes, HF_MIN(most, sizeof(bytes)), 0);

    return got > 0 && hf_buf_add(to, bytes, (size_t)got) == HF_OK;
}

/* In place. */
static char *
decoded(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        uint8_t byte = (uint8_t)*from;
        if (byte == '%' && hf_unhex(from + 1, strnlen(from + 1, 2), &byte, 1))
            from += 2;
        *to++ = (char)byte;
    }
    *to = '\0';
    return text;
}

static enum op
op_of(const struct request *request)
{
    bool puts = strcmp(request->method, "PUT") == 0, gets = strcmp(request->method, "GET") == 0;

    if (strcmp(request->method, "HEAD") == 0 && request->key[0])
        return OP_HEAD;
    if (request_query(request, "retention"))
        return puts ? OP_LOCK : gets ? OP_READ_LOCK : OP_OTHER;
    if (request->key[0])
        return puts ? OP_PUT : gets ? OP_GET : OP_OTHER;
    if (gets && request_query(request, "list-type"))
        return OP_LIST;
    if (gets && request_query(request, "versions"))
        return OP_VERSIONS;
    if (gets && (request_query(request, "object-lock") || request_query(request, "versioning")))
        return OP_BUCKET;
    return OP_OTHER;
}

static void
cut_query(struct request *request, char *query)
{
    char *word;

    while ((word = strsep(&query, "&")) && request->query_count < PAIRS_MAX) {
        char *value = strchr(word, '=');
        if (value)
            *value++ = '\0';
        request->query[request->query_count++] =
            (struct pair){ decoded(word), value ? decoded(value) : word + strlen(word) };
    }
}

/* "PUT /BUCKET/KEY?QUERY HTTP/1.1" and the header lines. */
static bool
cut_head(struct request *request)
{
    char *rest = (char *)request->head.ptr, *line = strsep(&rest, "\n");
    char *path, *query;

    request->method = strsep(&line, " ");
    path = strsep(&line, " ");
    if (!path || path[0] != '/' || !line)
        return false;
    query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    cut_query(request, query);
    request->key = strchr(path + 1, '/');
    request->key = request->key ? decoded(request->key + 1) : path + strlen(path);
    while (rest && (line = strsep(&rest, "\n")) && request->header_count < PAIRS_MAX) {
        char *value = strchr(line, ':');
        line[strcspn(line, "\r")] = '\0';
        if (!value)
            continue;
        *value++ = '\0';
        request->headers[request->header_count++] =
            (struct pair){ line, value + strspn(value, " ") };
    }
    request->op = op_of(request);
    return true;
}

struct request *
request_read_head(int fd)
{
    struct request *request = hf_alloc(sizeof(*request));

    request->head = HF_BUF(HEAD_MAX);
    request->body = HF_BUF(BODY_MAX);
    for (;;) {
        char *end = strstr(hf_buf_text(&request->head), "\r\n\r\n");
        size_t size = end ? (size_t)(end + 4 - (char *)request->head.ptr) : 0;
        if (end) { /* the client waits for each reply: what follows is this request's body */
            MUST(hf_buf_add(&request->body, end + 4, request->head.size - size) == HF_OK);
            end[2] = '\0';
            if (cut_head(request))
                return request;
        }
        if (end || !gather(fd, &request->head, SIZE_MAX)) {
            request_free(request);
            return NULL;
        }
    }
}

bool
request_read_body(int fd, struct request *request, unsigned percent)
{
    const char *length = request_header(request, "content-length");
    uint64_t size = 0;

    if (length && !hf_parse_u64(length, 0, BODY_MAX, &size))
        return false;
    size = size * percent / 100;
    while (request->body.size < size) {
        if (!gather(fd, &request->body, size - request->body.size))
            return false;
    }
    return true;
}
