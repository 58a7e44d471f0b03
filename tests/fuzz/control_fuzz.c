/* The control socket, both sides of it. An even first byte: the rest is what a client sends; it gets
 * one line of JSON or nothing, also when the answer comes after it has left (bit 2). An odd one: the
 * rest is what an agent answers. What the agent would do stands below, in place of its own. */
#include "agent/daemon/daemon_impl.h"
#include "tests/fuzz/scratch.h"

#include <fcntl.h>
#include <holdfast/json.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MAX (2 * HF_CONTROL_REQUEST_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- the agent, as far as control.c asks it ---- */

static struct {
    bool late; /* it answers at `answer_late()` */
    void (*status)(struct hf_daemon *daemon, void *argument, json_t *status);
    void (*flush)(struct hf_daemon *daemon, void *argument, uint64_t last_seq, const char *failed);
    void (*chain)(void *context, const char *failed);
    void *argument;
} asked;

static void
answer_late(struct hf_daemon *daemon)
{
    if (asked.status)
        asked.status(daemon, asked.argument, json_pack("{s:i, s:b}", "schema", 1, "ok", 1));
    if (asked.flush)
        asked.flush(daemon, asked.argument, 7, NULL);
    if (asked.chain)
        asked.chain(asked.argument, "no");
    asked.status = NULL;
    asked.flush = NULL;
    asked.chain = NULL;
}

void
status_begin(struct hf_daemon *daemon,
             void (*done)(struct hf_daemon *daemon, void *argument, json_t *status), void *argument)
{
    asked.status = done;
    asked.argument = argument;
    if (!asked.late)
        answer_late(daemon);
}

void
flush_begin(struct hf_daemon *daemon, uint64_t timeout_ms,
            void (*done)(struct hf_daemon *daemon, void *argument, uint64_t last_seq,
                         const char *failed),
            void *argument)
{
    must(timeout_ms <= 24u * 3600 * 1000, "a wait without an end");
    asked.flush = done;
    asked.argument = argument;
    if (!asked.late)
        answer_late(daemon);
}

void
hf_trails_chain_new(struct hf_trails *trails, const char *trail,
                    void (*done)(void *context, const char *failed), void *context)
{
    (void)trails;
    must(trail != NULL, "no name");
    asked.chain = done;
    asked.argument = context;
    if (!asked.late)
        answer_late(NULL);
}

void
loop_post(struct hf_daemon *daemon, void (*call)(struct hf_daemon *daemon, void *argument),
          void *argument)
{
    call(daemon, argument);
}

/* ---- a client that sends anything ---- */

static struct hf_daemon *
open_daemon(void)
{
    static struct hf_config config;
    static struct hf_daemon daemon;

    if (daemon.loop)
        return &daemon;
    signal(SIGPIPE, SIG_IGN); /* as the agent does */
    config.agent.control = hf_strdup(scratch_path("control"));
    daemon.config = &config;
    daemon.loop = event_base_new();
    must(daemon.loop && control_open(&daemon, NULL) == HF_OK, "no control socket");
    return &daemon;
}

static int
connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    hf_assert(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path) + 1);
    must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "no answer");
    return fd;
}

static void
turn(struct hf_daemon *daemon)
{
    for (int i = 0; i < 6; i++)
        event_base_loop(daemon->loop, EVLOOP_NONBLOCK);
}

static void
check_reply(int fd)
{
    char reply[8192];
    ssize_t size = recv(fd, reply, sizeof(reply), 0);
    hf_owned(hf_doc_freep) json_t *doc = NULL;

    if (size <= 0)
        return;
    must(memchr(reply, '\n', (size_t)size) == reply + size - 1, "not one line");
    must(hf_doc_parse(hf_slice(reply, (size_t)size), sizeof(reply), "reply", &doc, NULL) == HF_OK &&
             hf_doc_u64_or(doc, "schema", 0) == 1 && json_is_boolean(json_object_get(doc, "ok")),
         "not an answer");
}

static void
ask(const uint8_t *bytes, size_t size, bool leave)
{
    struct hf_daemon *daemon = open_daemon();
    hf_owned(hf_fs_close) int fd = connect_to(daemon->config->agent.control);

    asked.late = leave;
    must(send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size, "not sent whole");
    turn(daemon);
    if (leave)
        hf_fs_close(&fd);
    else
        shutdown(fd, SHUT_WR);
    turn(daemon);
    answer_late(daemon);
    turn(daemon);
    if (!leave)
        check_reply(fd);
}

/* ---- an agent that answers anything ---- */

struct answer {
    int listener;
    const uint8_t *bytes;
    size_t size;
};

static void *
answer_any(void *argument)
{
    const struct answer *answer = argument;
    hf_owned(hf_fs_close) int fd = accept(answer->listener, NULL, NULL);
    char request[256];

    must(fd >= 0 && recv(fd, request, sizeof(request), 0) > 0, "no request");
    must(send(fd, answer->bytes, answer->size, MSG_NOSIGNAL) >= 0 || answer->size == 0, "no room");
    return NULL;
}

static void
call(const uint8_t *bytes, size_t size)
{
    static struct answer answer = { .listener = -1 };
    static char *path;
    hf_owned(hf_doc_freep) json_t *request = json_pack("{s:s}", "command", "status"), *reply = NULL;
    pthread_t thread;

    if (answer.listener < 0) {
        struct control_place place = { .path = "" };
        path = hf_strdup(scratch_path("answers"));
        must(control_place_take(&place, path, &answer.listener, NULL) == HF_OK &&
                 fcntl(answer.listener, F_SETFL, 0) == 0 && listen(answer.listener, 4) == 0,
             "no listener");
    }
    answer.bytes = bytes;
    answer.size = size;
    must(pthread_create(&thread, NULL, answer_any, &answer) == 0, "no thread");
    enum hf_status status = hf_control_call(path, request, 60000, &reply, NULL);
    must((status == HF_OK) == (reply != NULL), "half an answer");
    pthread_join(thread, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX)
        return 0;
    if (data[0] % 2)
        call(data + 1, size - 1);
    else
        ask(data + 1, size - 1, data[0] & 2);
    return 0;
}
