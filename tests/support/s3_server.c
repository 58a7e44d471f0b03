/* hf_s3_server DIR BUCKET ACCESS_KEY: S3 with Object Lock on a free port of loopback, one bucket,
 * in memory, until its parent ends. DIR/url has its address and DIR/control the port for commands,
 * one line per connection:
 *
 *   fault NAME TARGET [COUNT]  from now on, for COUNT requests or until mended; several add up, the
 *                              first that fits counts. TARGET: any object digest put head get list
 *                              versions read-lock lock bucket
 *   mend                       no faults
 *   hits                       how many requests had one
 *   clock SECONDS              the store's clock is off by so much
 *   accept ACCESS_KEY          the only one that is valid now
 *   condition on|off           off: If-None-Match is ignored, as Ceph 16 does
 *   put FILE KEY               somebody else puts that file's bytes there
 *   drop KEY                   somebody who may do all takes the newest version away
 *   counts, zero               requests by kind and key; from 0 again
 *   objects                    every version, with what was stored and how it is locked */
#include "tests/support/s3_server.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct world world = { .lock = PTHREAD_MUTEX_INITIALIZER };

int64_t
world_now_s(void)
{
    return hf_wall_s() + world.clock_offset_s;
}

int
listener_open(unsigned short *ret_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    MUST(listen(fd, 64) == 0 && getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

/* ---- commands ---- */

static const char *
put_file(const char *path, const char *key)
{
    hf_owned(hf_buf_done) struct hf_buf body = HF_BUF(BODY_MAX);
    struct hf_error err;

    if (hf_fs_read_file(path, BODY_MAX, &body, &err) != HF_OK)
        return "no such file";
    version_add(object_find(key, true), body.ptr, body.size);
    return NULL;
}

static const char *
drop(const char *key)
{
    struct object *object = object_find(key, false);

    if (!object || !object->versions)
        return "no such object";
    version_drop(object);
    return NULL;
}

static const char *
command_locked(char *line, struct hf_buf *answer)
{
    char *words[4] = { NULL }, *rest = line;
    size_t count = 0;

    while (count < 4 && (words[count] = strsep(&rest, " \r\n")))
        count += words[count][0] != '\0';
    for (size_t i = count; i < 4; i++)
        words[i] = NULL;
    if (!count)
        return "no command";
    if (strcmp(words[0], "fault") == 0 && count >= 3)
        return plan_add(words[1], words[2], words[3]);
    if (strcmp(words[0], "mend") == 0)
        plan_clear();
    else if (strcmp(words[0], "hits") == 0)
        ADD(answer, "%u\n", plan_hits());
    else if (strcmp(words[0], "clock") == 0 && count == 2)
        world.clock_offset_s = strtol(words[1], NULL, 10);
    else if (strcmp(words[0], "accept") == 0 && count == 2)
        snprintf(world.access_key, sizeof(world.access_key), "%s", words[1]);
    else if (strcmp(words[0], "condition") == 0 && count == 2)
        world.ignores_condition = strcmp(words[1], "off") == 0;
    else if (strcmp(words[0], "put") == 0 && count == 3)
        return put_file(words[1], words[2]);
    else if (strcmp(words[0], "drop") == 0 && count == 2)
        return drop(words[1]);
    else if (strcmp(words[0], "counts") == 0)
        counts_print(answer);
    else if (strcmp(words[0], "zero") == 0)
        counts_zero();
    else if (strcmp(words[0], "objects") == 0)
        objects_print(answer);
    else
        return "no such command";
    return NULL;
}

static void
command_run(int fd)
{
    hf_owned(hf_buf_done) struct hf_buf answer = HF_BUF(BODY_MAX);
    char line[512] = "";
    size_t size = 0;
    ssize_t got;

    while (size < sizeof(line) - 1 && !strchr(line, '\n') &&
           (got = recv(fd, line + size, sizeof(line) - 1 - size, 0)) > 0)
        line[size += (size_t)got] = '\0';
    pthread_mutex_lock(&world.lock);
    const char *wrong = command_locked(line, &answer);
    pthread_mutex_unlock(&world.lock);
    if (wrong)
        ADD(&answer, "error: %s\n", wrong);
    for (size_t sent = 0; sent < answer.size;) {
        got = send(fd, answer.ptr + sent, answer.size - sent, MSG_NOSIGNAL);
        if (got <= 0)
            break;
        sent += (size_t)got;
    }
    close(fd);
}

static void *
take_commands(void *listener)
{
    for (;;) {
        int fd = accept4((int)(intptr_t)listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            command_run(fd);
    }
    return NULL;
}

/* Where redirects lead: nobody is to come here. */
static void *
count_strays(void *listener)
{
    for (;;) {
        int fd = accept4((int)(intptr_t)listener, NULL, NULL, SOCK_CLOEXEC);
        pthread_mutex_lock(&world.lock);
        world.other_host++;
        pthread_mutex_unlock(&world.lock);
        close(fd);
    }
    return NULL;
}

/* ---- start ---- */

static void
start_thread(void *(*run)(void *argument), int fd)
{
    pthread_t thread;

    MUST(pthread_create(&thread, NULL, run, (void *)(intptr_t)fd) == 0);
    pthread_detach(thread);
}

static void
write_text(const char *directory, const char *name, const char *text)
{
    char path[HF_PATH_MAX];
    struct hf_error err;

    hf_path_join(path, sizeof(path), directory, name);
    MUST(hf_fs_replace(path, text, strlen(text), 0600, &err) == HF_OK);
}

int
main(int argc, char **argv)
{
    unsigned short control_port;
    char text[64];

    if (argc != 4) {
        fprintf(stderr, "usage: hf_s3_server DIR BUCKET ACCESS_KEY\n");
        return 2;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    world.bucket = argv[2];
    snprintf(world.access_key, sizeof(world.access_key), "%s", argv[3]);
    start_thread(count_strays, listener_open(&world.other_port));
    start_thread(take_commands, listener_open(&control_port));
    int listener = listener_open(&world.port);
    snprintf(text, sizeof(text), "%u\n", control_port);
    write_text(argv[1], "control", text);
    snprintf(text, sizeof(text), "http://127.0.0.1:%u\n", world.port);
    write_text(argv[1], "url", text);
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            start_thread(connection_run, fd);
    }
}
