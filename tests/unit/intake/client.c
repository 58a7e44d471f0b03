#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int
try_connect(struct rig *rig, const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", rig_path(rig, name));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

struct client
client_of(struct rig *rig, const char *name)
{
    struct client client = { .rig = rig, .fd = try_connect(rig, name) };
    assert_true(client.fd >= 0);
    return client;
}

struct client
client_new(struct rig *rig)
{
    return client_of(rig, "in.sock");
}

void
hang_up(struct client *client)
{
    close(client->fd);
    client->fd = -1;
}

void
say_bytes(struct client *client, const char *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t sent = send(client->fd, bytes + at, size - at, MSG_NOSIGNAL);
        if (sent > 0)
            at += (size_t)sent;
        else
            rig_turn(client->rig, 1);
        assert_true(sent > 0 || errno == EAGAIN);
    }
}

void
say(struct client *client, const char *text)
{
    say_bytes(client, text, strlen(text));
}

void
listen_once(struct client *client)
{
    ssize_t got = recv(client->fd, client->in + client->size, sizeof(client->in) - 1 - client->size,
                       MSG_DONTWAIT);
    if (got > 0)
        client->size += (size_t)got;
    else if (got == 0 || errno == ECONNRESET)
        client->closed = true;
    client->in[client->size] = '\0';
}

static bool
heard_it(struct rig *rig, void *context)
{
    struct {
        struct client *client;
        const char *text;
    } *wanted = context;
    (void)rig;
    listen_once(wanted->client);
    return strcmp(wanted->client->in, wanted->text) == 0;
}

/* Everything heard until now is exactly this; then it is forgotten. */
void
hear(struct client *client, const char *text)
{
    struct {
        struct client *client;
        const char *text;
    } wanted = { client, text };
    rig_until(client->rig, heard_it, &wanted);
    client->size = 0;
    client->in[0] = '\0';
}

static bool
ends_with_it(struct rig *rig, void *context)
{
    struct {
        struct client *client;
        const char *text;
    } *wanted = context;
    (void)rig;
    listen_once(wanted->client);
    return hf_ends_with(wanted->client->in, wanted->text);
}

/* Acknowledgements may come in steps: this one in the end. */
void
hear_last(struct client *client, const char *text)
{
    struct {
        struct client *client;
        const char *text;
    } wanted = { client, text };
    rig_until(client->rig, ends_with_it, &wanted);
    client->size = 0;
    client->in[0] = '\0';
}

static bool
is_closed(struct rig *rig, void *context)
{
    struct client *client = context;
    (void)rig;
    listen_once(client);
    return client->closed;
}

void
until_closed(struct client *client)
{
    rig_until(client->rig, is_closed, client);
    assert_int_equal(client->size, 0);
    hang_up(client);
}
