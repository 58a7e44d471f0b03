/* Connections: a request in, what the plan says about it, a reply out. */
#include "tests/support/s3_server.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- replies ---- */

static bool
send_all(int fd, const void *bytes, size_t size)
{
    for (const char *at = bytes; size;) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

static void
wait_until_left(int fd)
{
    char ignored[4096];

    while (recv(fd, ignored, sizeof(ignored), 0) > 0)
        ;
}

static void
reset(int fd)
{
    struct linger at_once = { .l_onoff = 1 };

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* One byte a second, until the client has had enough. */
static void
drip(int fd, const struct hf_buf *bytes)
{
    struct pollfd polled = { .fd = fd, .events = POLLIN };

    for (size_t i = 0; i < bytes->size && send_all(fd, bytes->ptr + i, 1); i++) {
        if (poll(&polled, 1, 1000) > 0)
            return;
    }
}

/* More and more of the same, until the client has had enough. */
static void
send_on(int fd, struct hf_buf *bytes, const char *more)
{
    while (send_all(fd, bytes->ptr, bytes->size)) {
        hf_buf_reset(bytes);
        for (int i = 0; i < 1000; i++)
            ADD(bytes, "%s", more);
    }
}

/* True: the connection goes on. */
static bool
send_reply(int fd, const struct request *request, const struct reply *reply, enum act act)
{
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(BODY_MAX + HEAD_MAX);
    size_t promised = reply->body.size + (act == ACT_CUT_BODY ? 100 : 0) +
                      (act == ACT_ENDLESS_BODY ? (size_t)1 << 40 : 0);
    size_t head_size;
    char date[HF_TIME_SIZE];

    hf_time_http(world_now_s(), date);
    ADD(&bytes, "HTTP/1.1 %d Told\r\nServer: scripted\r\n%s%s%s%sContent-Length: %zu\r\n",
        reply->status, act == ACT_NO_DATE ? "" : "Date: ", act == ACT_NO_DATE ? "" : date,
        act == ACT_NO_DATE ? "" : "\r\n", hf_buf_text(&reply->headers), promised);
    if (act == ACT_ENDLESS_HEADERS) {
        send_on(fd, &bytes, "x-more: and more\r\n");
        return false;
    }
    if (act == ACT_LONG_HEADER) {
        ADD(&bytes, "x-amz-version-id: ");
        send_on(fd, &bytes, "long");
        return false;
    }
    ADD(&bytes, "\r\n");
    head_size = bytes.size;
    if (request->op != OP_HEAD)
        MUST(hf_buf_add(&bytes, reply->body.ptr, reply->body.size) == HF_OK);
    if (act == ACT_ENDLESS_BODY && request->op != OP_HEAD) {
        send_on(fd, &bytes, " and more");
        return false;
    }
    if (act == ACT_DRIP) {
        drip(fd, &bytes);
        return false;
    }
    if (act == ACT_CUT_BODY) { /* a HEAD has none: there the head is cut */
        size_t size = request->op == OP_HEAD ? head_size / 2 : head_size + reply->body.size / 2;
        (void)send_all(fd, bytes.ptr, size);
        return false;
    }
    return send_all(fd, bytes.ptr, bytes.size);
}

/* ---- one request ---- */

/* What is answered without doing anything. True: that was it, and *ret_go_on. */
static bool
fail_undone(int fd, const struct request *request, const struct fault *fault, bool *ret_go_on)
{
    struct reply reply = { .headers = HF_BUF(HEAD_MAX), .body = HF_BUF(HEAD_MAX) };

    *ret_go_on = false;
    switch (fault->act) {
    case ACT_REFUSE: reply_error(&reply, fault->status, fault->code); break;
    case ACT_HTML:
        reply.status = 200;
        ADD(&reply.headers, "Content-Type: text/html\r\n");
        ADD(&reply.body, "<!DOCTYPE html><html><body>Please log in</body></html>");
        break;
    case ACT_REDIRECT:
        reply.status = 307;
        ADD(&reply.headers, "Location: http://127.0.0.1:%u/elsewhere\r\n", world.other_port);
        break;
    case ACT_RESET: reset(fd); return true;
    case ACT_INTERIM:
        (void)send_all(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
        wait_until_left(fd);
        return true;
    case ACT_SILENT: wait_until_left(fd); return true;
    default: return false;
    }
    *ret_go_on = send_reply(fd, request, &reply, ACT_NONE);
    hf_buf_done(&reply.headers);
    hf_buf_done(&reply.body);
    return true;
}

static void
count_locked(const struct request *request)
{
    world.asked[request->op]++;
    world.with_expect += request_header(request, "expect") != NULL;
    if (request->key[0])
        object_find(request->key, true)->asked[request->op]++;
}

static bool
do_it(int fd, struct request *request, const struct fault *fault)
{
    struct reply reply = { .headers = HF_BUF(HEAD_MAX), .body = HF_BUF(BODY_MAX) };
    bool go_on = false;

    pthread_mutex_lock(&world.lock);
    op_check(request, &reply);
    if (!reply.status)
        op_do(request, fault, &reply);
    pthread_mutex_unlock(&world.lock);
    if (fault->act == ACT_LOST_REPLY)
        reset(fd);
    else
        go_on = send_reply(fd, request, &reply, fault->act);
    hf_buf_done(&reply.headers);
    hf_buf_done(&reply.body);
    return go_on;
}

/* True: the connection goes on. */
static bool
serve(int fd, struct request *request, bool is_reuse)
{
    const struct fault *fault;
    bool go_on = false, is_late, is_cut;

    pthread_mutex_lock(&world.lock);
    count_locked(request);
    fault = plan_take(request);
    is_cut = is_reuse && plan_cuts_reuse();
    pthread_mutex_unlock(&world.lock);
    is_late = (fault->act == ACT_LATE || fault->act == ACT_LATE_TWIN) && request->op == OP_PUT;
    if (is_cut) {
        reset(fd);
    } else if (fault->act == ACT_RESET_UPLOAD) {
        (void)request_read_body(fd, request, 50);
        reset(fd);
    } else if (!request_read_body(fd, request, 100)) {
        go_on = false;
    } else if (is_late) {
        wait_until_left(fd);
        pthread_mutex_lock(&world.lock);
        late_keep(request, fault->act == ACT_LATE_TWIN);
        pthread_mutex_unlock(&world.lock);
        return false;
    } else if (!fail_undone(fd, request, fault, &go_on)) {
        go_on = do_it(fd, request, fault);
    }
    request_free(request);
    return go_on;
}

void *
connection_run(void *argument)
{
    int fd = (int)(intptr_t)argument;
    struct request *request;
    unsigned served = 0;

    pthread_mutex_lock(&world.lock);
    world.connections++;
    pthread_mutex_unlock(&world.lock);
    while ((request = request_read_head(fd)) && serve(fd, request, served > 0))
        served++;
    close(fd);
    return NULL;
}
