/* The other end of the control socket. Blocking, with one deadline over all. */
#include <errno.h>
#include <holdfast/daemon.h>
#include <holdfast/json.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static enum hf_status
connect_to(const char *path, int *ret_fd, struct hf_error *err)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof(address.sun_path))
        return hf_fail(err, HF_ECONFIG, "control socket '%s': the path is longer than %zu bytes",
                       path, sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, path, strlen(path));
    hf_owned(hf_fs_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return hf_fail_errno(err, HF_EINTERNAL, "making a socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return hf_fail_errno(
            err, HF_EUNREACHABLE,
            "no agent answers at '%s' (is `holdfast run` running, and may you read its state_dir?)",
            path);
    *ret_fd = fd;
    fd = -1;
    return HF_OK;
}

static enum hf_status
send_all(int fd, const uint8_t *bytes, size_t size, struct hf_error *err)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return hf_fail_errno(err, HF_EUNREACHABLE, "asking the agent");
        bytes += sent;
        size -= (size_t)sent;
    }
    return HF_OK;
}

static enum hf_status
receive_all(int fd, int64_t deadline_ms, struct hf_buf *reply, struct hf_error *err)
{
    for (;;) {
        int64_t left_ms = deadline_ms - (int64_t)hf_boot_ms();
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        int ready = left_ms > 0 ? poll(&wait, 1, (int)HF_MIN(left_ms, 60000)) : 0;
        if (ready < 0 && errno != EINTR)
            return hf_fail_errno(err, HF_EUNREACHABLE, "waiting for the agent");
        if (left_ms <= 0)
            return hf_fail(err, HF_ETIMEOUT, "the agent did not answer in time");
        if (ready <= 0)
            continue;
        uint8_t chunk[16384];
        ssize_t size = recv(fd, chunk, sizeof(chunk), 0);
        if (size < 0 && errno != EINTR)
            return hf_fail_errno(err, HF_EUNREACHABLE, "reading the agent's answer");
        if (size == 0)
            return HF_OK;
        if (size > 0 && hf_buf_add(reply, chunk, (size_t)size) != HF_OK)
            return hf_fail(err, HF_ELIMIT, "the agent's answer is longer than %u bytes",
                           HF_CONTROL_REPLY_MAX);
    }
}

enum hf_status
hf_control_call(const char *socket_path, const json_t *request, uint64_t timeout_ms,
                json_t **ret_reply, struct hf_error *err)
{
    int64_t deadline_ms = (int64_t)(hf_boot_ms() + timeout_ms);
    hf_owned(hf_fs_close) int fd = -1;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(HF_CONTROL_REQUEST_MAX),
                                        reply = HF_BUF(HF_CONTROL_REPLY_MAX);
    enum hf_status status = hf_doc_dump(request, &text);
    if (status == HF_OK)
        status = hf_buf_add(&text, "\n", 1);
    if (status != HF_OK)
        return hf_fail(err, status, "the request is too long");
    status = connect_to(socket_path, &fd, err);
    if (status == HF_OK)
        status = send_all(fd, text.ptr, text.size, err);
    if (status == HF_OK)
        status = receive_all(fd, deadline_ms, &reply, err);
    if (status != HF_OK)
        return status;
    if (reply.size == 0)
        return hf_fail(err, HF_EUNREACHABLE,
                       "the agent closed the connection without an answer: it may be stopping");
    return hf_doc_parse(hf_buf_slice(&reply), HF_CONTROL_REPLY_MAX, "the agent's answer", ret_reply,
                        err);
}
