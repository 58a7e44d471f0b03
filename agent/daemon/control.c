/* The control socket: one line of JSON in, one line of JSON out. Only the agent's own user (and
 * root) can connect: mode 0600. */
#include "agent/daemon/daemon_impl.h"
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <holdfast/json.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 16

struct client {
    struct client *next;
    struct hf_daemon *daemon;
    struct bufferevent *stream;
    bool asked; /* an answer is under way: the struct lives until then */
    bool gone;
};

struct control {
    struct evconnlistener *listener;
    struct client *clients;
    size_t client_count;
    struct control_place place;
};

static void
client_free(struct client *client)
{
    struct control *control = client->daemon->control;
    for (struct client **at = &control->clients; *at; at = &(*at)->next) {
        if (*at == client) {
            *at = client->next;
            control->client_count--;
            break;
        }
    }
    bufferevent_free(client->stream);
    hf_freep(&client);
}

static void
client_gone(struct bufferevent *stream, short what, void *context)
{
    struct client *client = context;
    (void)stream;
    (void)what;
    client->gone = true;
    if (!client->asked)
        client_free(client);
}

static void
all_written(struct bufferevent *stream, void *context)
{
    if (evbuffer_get_length(bufferevent_get_output(stream)) == 0)
        client_free(context);
}

/* Answers and closes when the answer is written. Takes the reference. */
static void
answer(struct client *client, json_t *reply)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(HF_CONTROL_REPLY_MAX);
    enum hf_status status = hf_doc_dump(reply, &text);
    json_decref(reply);
    client->asked = false;
    if (client->gone || status != HF_OK || hf_buf_add(&text, "\n", 1) != HF_OK) {
        client_free(client);
        return;
    }
    bufferevent_setcb(client->stream, NULL, all_written, client_gone, client);
    bufferevent_write(client->stream, text.ptr, text.size);
}

static void
answer_error(struct client *client, const char *text)
{
    answer(client, json_pack("{s:i, s:b, s:s}", "schema", 1, "ok", 0, "error", text));
}

/* ---- status ---- */

static void
status_answer(struct hf_daemon *daemon, void *argument, json_t *reply)
{
    (void)daemon;
    answer(argument, reply);
}

/* ---- flush ---- */

static void
flush_done(struct hf_daemon *daemon, void *argument, uint64_t last_seq, const char *failed)
{
    json_t *reply = json_object();
    (void)daemon;
    hf_doc_set_u64(reply, "schema", 1);
    hf_doc_set_bool(reply, "ok", !failed);
    hf_doc_set_u64(reply, "sequence", last_seq);
    hf_doc_set_text(reply, "failed", failed);
    answer(argument, reply);
}

/* ---- chain new ---- */

struct chain_wait {
    struct client *client;
    char *failed;
};

static void
chain_on_loop(struct hf_daemon *daemon, void *argument)
{
    struct chain_wait *wait = argument;
    json_t *reply = json_object();
    (void)daemon;
    hf_doc_set_u64(reply, "schema", 1);
    hf_doc_set_bool(reply, "ok", !wait->failed);
    hf_doc_set_text(reply, "failed", wait->failed);
    answer(wait->client, reply);
    hf_freep(&wait->failed);
    hf_freep(&wait);
}

static void
chain_done(void *context, const char *failed)
{
    struct chain_wait *wait = context;
    wait->failed = hf_strdup(failed);
    loop_post(wait->client->daemon, chain_on_loop, wait);
}

/* ---- connections ---- */

static void
handle(struct client *client, struct hf_slice line)
{
    struct hf_error err;
    hf_owned(hf_doc_freep) json_t *request = NULL;
    client->asked = true;
    if (hf_doc_parse(line, HF_CONTROL_REQUEST_MAX, "request", &request, &err) != HF_OK) {
        answer_error(client, err.text);
        return;
    }
    const char *command = hf_doc_text_or(request, "command", "");
    if (strcmp(command, "status") == 0) {
        status_begin(client->daemon, status_answer, client);
    } else if (strcmp(command, "flush") == 0) {
        uint64_t timeout_ms =
            HF_MIN(hf_doc_u64_or(request, "timeout_ms", 60000), 24u * 3600 * 1000);
        flush_begin(client->daemon, timeout_ms, flush_done, client);
    } else if (strcmp(command, "chain-new") == 0) {
        struct chain_wait *wait = hf_alloc(sizeof(*wait));
        wait->client = client;
        hf_trails_chain_new(client->daemon->trails, hf_doc_text_or(request, "trail", ""),
                            chain_done, wait);
    } else {
        answer_error(client, "unknown command; expected status, flush or chain-new");
    }
}

static void
client_readable(struct bufferevent *stream, void *context)
{
    struct client *client = context;
    struct evbuffer *input = bufferevent_get_input(stream);
    size_t size = 0;
    char *line = evbuffer_readln(input, &size, EVBUFFER_EOL_LF);
    if (line && !client->asked) {
        bufferevent_disable(stream, EV_READ);
        handle(client, hf_slice(line, size));
    } else if (!line && evbuffer_get_length(input) > HF_CONTROL_REQUEST_MAX) {
        client_free(client);
    }
    hf_freep(&line);
}

static void
accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int size,
         void *context)
{
    struct hf_daemon *daemon = context;
    struct control *control = daemon->control;
    (void)listener;
    (void)address;
    (void)size;
    if (control->client_count >= CONTROL_CLIENTS_MAX) {
        close(fd);
        return;
    }
    struct client *client = hf_alloc(sizeof(*client));
    client->daemon = daemon;
    client->stream = bufferevent_socket_new(daemon->loop, fd, BEV_OPT_CLOSE_ON_FREE);
    client->next = control->clients;
    control->clients = client;
    control->client_count++;
    bufferevent_setcb(client->stream, client_readable, NULL, client_gone, client);
    bufferevent_setwatermark(client->stream, EV_READ, 0, HF_CONTROL_REQUEST_MAX + 1);
    bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

enum hf_status
control_open(struct hf_daemon *daemon, struct hf_error *err)
{
    struct control *control = hf_alloc(sizeof(*control));
    int fd = -1;
    daemon->control = control;
    enum hf_status status =
        control_place_take(&control->place, daemon->config->agent.control, &fd, err);
    if (status != HF_OK)
        return status;
    control->listener = evconnlistener_new(
        daemon->loop, accepted, daemon, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);
    if (control->listener)
        return HF_OK;
    status =
        hf_fail_errno(err, HF_ECONFIG, "listening on control socket '%s'", control->place.path);
    hf_fs_close(&fd);
    return status;
}

void
control_close(struct hf_daemon *daemon)
{
    struct control *control = daemon->control;
    if (!control)
        return;
    control_place_leave(
        &control
             ->place); /* while the socket is open: until then nothing else has its inode number */
    if (control->listener)
        evconnlistener_free(control->listener);
    while (control->clients)
        client_free(control->clients);
    hf_freep(&daemon->control);
}
