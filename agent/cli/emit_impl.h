/* Inside of emit: lines go to a socket source, and are held until they are acknowledged. */
#ifndef HOLDFAST_EMIT_IMPL_H
#define HOLDFAST_EMIT_IMPL_H

#include <holdfast/base.h>

/* ---- emit.c: protocol 1, the client's side ---- */

struct emit_options {
    const char *socket, *stream; /* stream: given with --stream, or made */
    bool resumed;                /* lines that the agent has already are skipped */
    uint64_t timeout_ms;         /* without any progress */
    int input;                   /* descriptor of the lines */
    size_t window_bytes, window_lines;
};
#define EMIT_LINE_MAX (16u << 20)
/* `ret_acknowledged` is set in every case: how many lines of the stream are durable. HF_OK only if
 * all of the input is. */
enum hf_status emit_lines(const struct emit_options *options, uint64_t *ret_acknowledged,
                          struct hf_error *err) hf_must_check;
void emit_stream_new(char ret_uuid[37]); /* version 7 */
bool emit_stream_valid(const char *uuid);
void emit_stop(void); /* from a signal handler: ends as if the timeout were over */

/* ---- emit_window.c ---- */

/*  line numbers   ... acked | first ............... first + count - 1 | not yet read
 *                           |<- sent bytes ->|<- unsent ->|
 *                   gone    |            bytes            |   input    */
struct emit_window {
    struct hf_buf bytes; /* held lines, each with its newline, from `at` on */
    size_t at;
    uint32_t *sizes; /* a ring of `limit_lines` */
    size_t limit_lines, limit_bytes;
    uint64_t first; /* number of the first held line; everything before it is durable */
    size_t count;
    size_t sent;         /* bytes of the held lines that this connection got */
    struct hf_buf input; /* read, not yet held */
    size_t input_at;
    bool input_ended;
    uint64_t skip; /* lines of the input that the agent has already */
};

void emit_window_init(struct emit_window *window, size_t limit_bytes, size_t limit_lines);
void emit_window_done(struct emit_window *window);
/* Moves whole lines from the input to the held ones. `ret_hungry`: more input is needed before
 * anything else can be held. */
enum hf_status emit_window_fill(struct emit_window *window, bool *ret_hungry,
                                struct hf_error *err) hf_must_check;
/* Lines up to number `n` are durable. HF_EFORMAT when they were not sent. */
enum hf_status emit_window_acknowledge(struct emit_window *window, uint64_t n,
                                       struct hf_error *err) hf_must_check;
struct hf_slice emit_window_unsent(const struct emit_window *window);
bool emit_window_empty(const struct emit_window *window); /* all input was read and acknowledged */

#endif
