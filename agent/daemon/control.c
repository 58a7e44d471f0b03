/* The control socket: one line of JSON in, one line of JSON out. Only the agent's own user (and root) can connect: mode 0600. */
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

static json_t *
sources_doc(struct hf_daemon *daemon, bool *ret_well)
{
    static const char *const types[] = {"file", "socket", "stdin"};
    struct hf_source_status statuses[256];
    json_t *sources = json_array();
    size_t count = daemon->intake ? hf_intake_status(daemon->intake, statuses, HF_COUNT(statuses)) : 0; /* none any more while stopping */
    for (size_t i = 0; i < count; i++) {
        const struct hf_source_status *s = &statuses[i];
        json_t *source = json_object();
        hf_doc_set_text(source, "name", s->name);
        hf_doc_set_text(source, "type", types[s->type]);
        hf_doc_set_u64(source, "events", s->events);
        hf_doc_set_u64(source, "bytes", s->bytes);
        hf_doc_set_u64(source, "shaped", s->counts.shaped);
        hf_doc_set_u64(source, "flat_json", s->counts.flat_json);
        hf_doc_set_u64(source, "text", s->counts.text);
        hf_doc_set_u64(source, "base64", s->counts.base64);
        hf_doc_set_u64(source, "parts", s->counts.parts);
        hf_doc_set_u64(source, "files", s->files);
        hf_doc_set_u64(source, "connections", s->connections);
        hf_doc_set_u64(source, "behind_bytes", s->behind_bytes);
        hf_doc_set_u64(source, "gaps", s->gaps);
        hf_doc_set_bool(source, "waiting", s->waiting);
        hf_doc_set_text(source, "problem", *s->problem ? s->problem : NULL);
        json_array_append_new(sources, source);
        *ret_well = *ret_well && !*s->problem;
    }
    return sources;
}

/* Until the journal would be full if nothing were sealed from now on, at the rate since the start; 0: nothing comes in. */
static uint64_t
seconds_left(const struct hf_daemon *daemon, const struct hf_journal_info *info)
{
    uint64_t held = info->next_seq - info->oldest_seq, uptime_s = (uint64_t)HF_MAX(hf_wall_s() - daemon->started_s, 1);
    if (!held || !info->events || info->bytes >= info->max_bytes)
        return 0;
    double bytes_per_s = (double)info->events / (double)uptime_s * ((double)info->bytes / (double)held);
    double left_s = (double)(info->max_bytes - info->bytes) / HF_MAX(bytes_per_s, 1e-9);
    return left_s < 1e12 ? (uint64_t)left_s : 0;
}

static json_t *
journal_doc(struct hf_daemon *daemon, bool *ret_well)
{
    struct hf_journal_info info;
    hf_journal_info(daemon->journal, &info);
    json_t *doc = json_object();
    hf_doc_set_u64(doc, "next_sequence", info.next_seq);
    hf_doc_set_u64(doc, "durable_sequence", info.durable_seq);
    hf_doc_set_u64(doc, "oldest_sequence", info.oldest_seq);
    hf_doc_set_u64(doc, "bytes", info.bytes);
    hf_doc_set_u64(doc, "max_bytes", info.max_bytes);
    hf_doc_set_u64(doc, "commits", info.commits);
    hf_doc_set_u64(doc, "events", info.events);
    hf_doc_set_u64(doc, "seconds_left", seconds_left(daemon, &info));
    hf_doc_set_bool(doc, "full", info.full);
    hf_doc_set_text(doc, "reason", *info.reason ? info.reason : NULL);
    *ret_well = *ret_well && !info.full;
    return doc;
}

static json_t *
agent_doc(const struct hf_daemon *daemon)
{
    char started[HF_TIME_SIZE];
    hf_time_rfc3339(daemon->started_s, started);
    json_t *doc = json_object();
    hf_doc_set_text(doc, "version", HF_VERSION);
    hf_doc_set_u64(doc, "pid", (uint64_t)getpid());
    hf_doc_set_text(doc, "host", daemon->identity.host);
    hf_doc_set_text(doc, "journal", daemon->identity.journal);
    hf_doc_set_text(doc, "boot", daemon->identity.boot);
    hf_doc_set_text(doc, "started", started);
    hf_doc_set_text(doc, "config", daemon->config_path);
    hf_doc_set_bool(doc, "stopping", daemon->stopping);
    return doc;
}

struct status_wait {
    struct client *client;
    json_t *doc;
};

static bool
trails_well(const json_t *doc)
{
    size_t index;
    json_t *trail;
    json_array_foreach(json_object_get(doc, "trails"), index, trail) {
        if (json_is_string(json_object_get(trail, "reason")) || json_is_true(json_object_get(trail, "spool_full")))
            return false;
    }
    return true;
}

static void
status_on_loop(struct hf_daemon *daemon, void *argument)
{
    struct status_wait *wait = argument;
    struct client *client = wait->client;
    bool well = trails_well(wait->doc);
    json_t *reply = json_object(), *sources = sources_doc(daemon, &well), *journal = journal_doc(daemon, &well);
    hf_doc_set_u64(reply, "schema", 1);
    hf_doc_set_bool(reply, "ok", well);
    hf_doc_set(reply, "agent", agent_doc(daemon));
    hf_doc_set(reply, "journal", journal);
    hf_doc_set(reply, "sources", sources);
    json_object_update(reply, wait->doc);
    json_decref(wait->doc);
    hf_freep(&wait);
    answer(client, reply);
}

static void
status_done(void *context, json_t *doc)
{
    struct status_wait *wait = context;
    wait->doc = doc;
    loop_post(wait->client->daemon, status_on_loop, wait);
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
        struct status_wait *wait = hf_alloc(sizeof(*wait));
        wait->client = client;
        hf_trails_status(client->daemon->trails, status_done, wait);
    } else if (strcmp(command, "flush") == 0) {
        uint64_t timeout_ms = HF_MIN(hf_doc_u64_or(request, "timeout_ms", 60000), 24u * 3600 * 1000);
        flush_begin(client->daemon, timeout_ms, flush_done, client);
    } else if (strcmp(command, "chain-new") == 0) {
        struct chain_wait *wait = hf_alloc(sizeof(*wait));
        wait->client = client;
        hf_trails_chain_new(client->daemon->trails, hf_doc_text_or(request, "trail", ""), chain_done, wait);
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
accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address, int size, void *context)
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
    enum hf_status status = control_place_take(&control->place, daemon->config->agent.control, &fd, err);
    if (status != HF_OK)
        return status;
    control->listener = evconnlistener_new(daemon->loop, accepted, daemon, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, BACKLOG, fd);
    if (control->listener)
        return HF_OK;
    status = hf_fail_errno(err, HF_ECONFIG, "listening on control socket '%s'", control->place.path);
    hf_fs_close(&fd);
    return status;
}

void
control_close(struct hf_daemon *daemon)
{
    struct control *control = daemon->control;
    if (!control)
        return;
    control_place_leave(&control->place); /* while the socket is open: until then nothing else has its inode number */
    if (control->listener)
        evconnlistener_free(control->listener);
    while (control->clients)
        client_free(control->clients);
    hf_freep(&daemon->control);
}
