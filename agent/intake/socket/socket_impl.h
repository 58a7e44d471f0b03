/* Inside of the socket source: listening, and one connection. */
#ifndef HOLDFAST_SOCKET_IMPL_H
#define HOLDFAST_SOCKET_IMPL_H

#include "agent/intake/socket/protocol.h"

#include <sys/queue.h>

#define HF_SOCKET_READ (64u << 10) /* read at once */
/* of all connections of a source, for lines that are not whole yet */
#define HF_SOCKET_BUFFERS (64u << 20)

struct hf_crowd { /* the connections of one owner */
    LIST_ENTRY(hf_crowd) entry;
    struct hf_owner *owner;
    TAILQ_HEAD(crowd, hf_connection) connections; /* the oldest first */
    size_t count;
};

struct hf_connection {
    LIST_ENTRY(hf_connection) all; /* of the source */
    TAILQ_ENTRY(hf_connection) of_crowd;
    struct hf_crowd *crowd;
    bool is_silent; /* it has not said a word */
    struct hf_socket_source *source;
    int fd;
    struct event *readable, *writable;
    struct event *late; /* while a greeting is not whole */
    uint64_t since_ms;  /* it is open */
    struct {
        bool known;
        uid_t uid;
        gid_t gid;
        pid_t pid;
    } peer; /* who connected; by now another program may have the descriptor */
    struct hf_owner *owner;
    bool waits; /* its owner is over his share: nothing is read until room() */
    /* received, not yet in the journal: at most a line of max_event and one read */
    struct hf_buf in;
    size_t counted; /* what of it is in the source's sum */
    struct hf_session session;
    struct hf_stream *stream; /* NULL for plain lines */
    struct hf_long_line line;
    uint64_t skip;     /* bytes of the stream's begun line that the client sends again */
    uint32_t skip_crc; /* of those that came */
    char out[HF_REPLY_SIZE];
    size_t out_size, out_sent;
    bool ended, failed; /* the client sends no more; or nobody is there */
    uint64_t received, drain_to;
};

struct hf_socket_source {
    struct hf_source source;
    int fd;              /* listening */
    char *prepared_path; /* the name it is bound to until it takes its place; NULL afterwards */
    uint64_t dev, ino;   /* of the name */
    struct event *acceptable, *accept_again;
    LIST_HEAD(connections, hf_connection) connections;
    LIST_HEAD(crowds, hf_crowd) crowds;
    size_t crowd_count;
    size_t connection_count;
    size_t buffered; /* capacity of the buffers of all connections */
    bool running;
};

struct hf_socket_source *hf_socket_source(const struct hf_source *source);

/* Makes the socket beside its place, with mode and group, and listens. */
enum hf_status hf_socket_listen(struct hf_socket_source *source, bool ours_answers,
                                struct hf_error *err) hf_must_check;
enum hf_status hf_socket_take_place(struct hf_socket_source *source,
                                    struct hf_error *err) hf_must_check;
void hf_socket_leave_place(struct hf_socket_source *source);

/* ---- hand.c ---- */

void hf_connection_take_lines(struct hf_connection *connection);           /* all that is whole */
void hf_connection_consume(struct hf_connection *connection, size_t size); /* of its buffer */
void hf_connection_count(struct hf_connection *connection); /* its buffer has another size now */

/* ---- crowd.c ---- */

void hf_connection_wait_for_hello(struct hf_connection *connection); /* it has begun to speak */
void hf_connection_has_spoken(struct hf_connection *connection);
void hf_crowd_join(struct hf_connection *connection);
void hf_crowd_leave(struct hf_connection *connection);
/* There is one too many since this one came: who has more than his share loses one. */
void hf_crowd_make_room(struct hf_connection *newest);

/* ---- connection.c ---- */

struct hf_connection *hf_connection_new(struct hf_socket_source *source,
                                        int fd); /* NULL: it is closed again */
void hf_connection_close(struct hf_connection *connection);
/* Takes what it can, tells what is to be told; may close it. */
void hf_connection_work(struct hf_connection *connection);
void hf_connection_full(struct hf_connection *connection, bool full);
bool hf_connection_drained(const struct hf_connection *connection);
void hf_connection_drain(struct hf_connection *connection);

#endif
