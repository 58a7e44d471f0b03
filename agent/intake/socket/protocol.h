/* Protocol 1, the agent's side, without any socket: bytes in, replies out. PROTOCOL.md draws it. */
#ifndef HOLDFAST_SOCKET_PROTOCOL_H
#define HOLDFAST_SOCKET_PROTOCOL_H

#include "agent/intake/stream.h"

#define HF_HELLO_MAX  64 /* "HOLDFAST 1 STREAM " + uuid + newline are 55 */
#define HF_REPLY_SIZE 160

enum hf_session_state {
    HF_SESSION_HELLO,   /* the first line has not come yet */
    HF_SESSION_PLAIN,   /* no HOLDFAST: lines without replies */
    HF_SESSION_NAMED,   /* the stream is known, OK is not told yet */
    HF_SESSION_LINES,   /* OK was told, lines follow */
    HF_SESSION_REFUSED, /* GONE or ERROR is the last thing told */
};

struct hf_session {
    enum hf_session_state state;
    char uuid[HF_UUID_SIZE];     /* lower case */
    char refusal[HF_REPLY_SIZE]; /* "" once told */
    bool tell_ok;
    uint64_t durable, told; /* lines; acknowledgements are cumulative, so that one number is all
                               there is to keep */
    bool full, told_full;
    uint64_t full_at; /* lines taken when it became so */
};

/* Looks at the first bytes of a connection; `ended`: no more will come. Returns how many of them it
 * took; the state says what they were (HELLO: more bytes are needed). */
size_t hf_session_hello(struct hf_session *session, struct hf_slice input, bool ended);
void hf_session_open(struct hf_session *session,
                     uint64_t durable); /* NAMED: the stream's lines are all durable */
void hf_session_refuse(struct hf_session *session, const char *reply);
void hf_session_durable(struct hf_session *session, uint64_t durable);
void hf_session_full(struct hf_session *session, bool full, uint64_t taken);
bool hf_session_takes_lines(const struct hf_session *session);
/* The next reply with its newline; 0: nothing to tell. */
size_t hf_session_reply(struct hf_session *session, char ret_reply[HF_REPLY_SIZE]);

#endif
