/* A TCP server on loopback that plays a script: it accepts, reads one HTTP request, and does
 * exactly what the step says. For the errors no real store can be asked to make. One connection at
 * a time, one thread.
 *
 * What the script does not foresee fails the test: a request without the step's `expect`, and one
 * after the last step, which gets a RST, so that nobody waits. It is said on standard error when it
 * comes and by hf_script_stop(). A client that shall be left alone is a step, HF_SCRIPT_STALL.
 *
 *     static const struct hf_script_step steps[] = {
 *         {.reply = "HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 0\r\n\r\n",
 *          .expect = "PUT /b/k HTTP/1.1"},
 *         {.then = HF_SCRIPT_RESET},
 *     };
 *     struct hf_script_server *server = hf_script_start(steps, 2);
 *     ... hf_script_url(server) ...
 *     assert_int_equal(hf_script_stop(server), 2);
 */
#ifndef HOLDFAST_TESTS_SCRIPT_SERVER_H
#define HOLDFAST_TESTS_SCRIPT_SERVER_H

#include <stdbool.h>
#include <stddef.h>

enum hf_script_then {
    HF_SCRIPT_KEEP,  /* the next step is the next request on this connection, or on a new one */
    HF_SCRIPT_CLOSE, /* orderly */
    HF_SCRIPT_RESET, /* RST */
    HF_SCRIPT_RESET_REUSE, /* RST when the connection was used again */
    HF_SCRIPT_STALL,   /* hold the connection open and say nothing until the client leaves or the
                          server stops */
    HF_SCRIPT_ENDLESS, /* send `reply`, then `repeat` again and again until the client leaves */
};

struct hf_script_step {
    const char *expect; /* must occur in the request's head; NULL: anything */
    const char *reply;  /* bytes sent back; NULL: none */
    size_t reply_size;  /* 0: strlen(reply) */
    const char *repeat; /* HF_SCRIPT_ENDLESS */
    unsigned drip_ms;   /* pause after each byte of the reply; 0: all at once */
    bool skip_body;     /* do not read the request's body before replying */
    bool on_accept;     /* do not read a request at all */
    enum hf_script_then then;
};

struct hf_script_server;
struct hf_script_server *hf_script_start(const struct hf_script_step *steps,
                                         size_t count);           /* steps are borrowed */
const char *hf_script_url(const struct hf_script_server *server); /* http://127.0.0.1:PORT */
unsigned short hf_script_port(const struct hf_script_server *server);
size_t hf_script_played(struct hf_script_server *server); /* steps begun so far */
/* The last request as it came: head, and as much of its body as was read. Copied; free() it. */
char *hf_script_last_request(struct hf_script_server *server);
/* What came that the script did not foresee; "": nothing. */
const char *hf_script_failure(struct hf_script_server *server);
/* Frees; returns the steps that were played. The cmocka test fails here when something came that
 * the script did not foresee. */
size_t hf_script_stop(struct hf_script_server *server);

#endif
