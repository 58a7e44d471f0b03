/* The client's window of protocol 1: bounded in bytes and lines, so that a stalled agent stalls the
 * pipe behind us. */
#include "emit_impl.h"

#include <stdlib.h>
#include <string.h>

void
emit_window_init(struct emit_window *window, size_t limit_bytes, size_t limit_lines)
{
    *window = (struct emit_window){
        .bytes = HF_BUF(2 * limit_bytes + EMIT_LINE_MAX + 1),
        .input = HF_BUF(2 * EMIT_LINE_MAX),
        .sizes = hf_alloc(limit_lines * sizeof(*window->sizes)),
        .limit_lines = limit_lines,
        .limit_bytes = limit_bytes,
        .first = 1,
    };
}

void
emit_window_done(struct emit_window *window)
{
    hf_buf_done(&window->bytes);
    hf_buf_done(&window->input);
    free(window->sizes);
    window->sizes = NULL;
}

static size_t
held_bytes(const struct emit_window *window)
{
    return window->bytes.size - window->at;
}

/* Gives the front of a buffer back once it is the larger part. */
static void
compact(struct hf_buf *buf, size_t *at)
{
    if (*at == 0 || *at < buf->size / 2)
        return;
    memmove(buf->ptr, buf->ptr + *at, buf->size - *at);
    buf->size -= *at;
    buf->ptr[buf->size] = '\0';
    *at = 0;
}

static enum hf_status
hold(struct emit_window *window, const uint8_t *line, size_t size, struct hf_error *err)
{
    if (window->skip > 0) {
        window->skip--;
        return HF_OK;
    }
    compact(&window->bytes, &window->at);
    enum hf_status status = hf_buf_reserve(&window->bytes, size + 1);
    if (status == HF_OK)
        status = hf_buf_add(&window->bytes, line, size);
    if (status == HF_OK)
        status = hf_buf_add(&window->bytes, "\n", 1);
    if (status != HF_OK)
        return hf_fail(err, HF_EINTERNAL, "holding a line of %zu bytes", size);
    window->sizes[(window->first + window->count) % window->limit_lines] = (uint32_t)size + 1;
    window->count++;
    return HF_OK;
}

/* A line on its own is always taken, however long, else it could never be. */
static bool
has_room(const struct emit_window *window, size_t size)
{
    return window->count == 0 || (window->count < window->limit_lines &&
                                  held_bytes(window) + size + 1 <= window->limit_bytes);
}

enum hf_status
emit_window_fill(struct emit_window *window, bool *ret_hungry, struct hf_error *err)
{
    *ret_hungry = false;
    for (;;) {
        size_t left = window->input.size - window->input_at;
        const uint8_t *from = left > 0 ? window->input.ptr + window->input_at : NULL;
        const uint8_t *newline = left > 0 ? memchr(from, '\n', left) : NULL;
        size_t size = newline ? (size_t)(newline - from) : left;
        if (size > EMIT_LINE_MAX)
            return hf_fail(err, HF_ELIMIT, "line %llu of the stream is longer than %u bytes",
                           (unsigned long long)(window->first + window->count), EMIT_LINE_MAX);
        if (!newline && (!window->input_ended || left == 0)) {
            compact(&window->input, &window->input_at);
            *ret_hungry = !window->input_ended;
            return HF_OK;
        }
        /* The agent does not count empty lines, so neither may we: PROTOCOL.md. */
        bool empty = size == 0 || (size == 1 && *from == '\r');
        if (!empty && window->skip == 0 && !has_room(window, size))
            return HF_OK;
        enum hf_status status = empty ? HF_OK : hold(window, from, size, err);
        if (status != HF_OK)
            return status;
        window->input_at += size + (newline ? 1 : 0);
    }
}

enum hf_status
emit_window_acknowledge(struct emit_window *window, uint64_t n, struct hf_error *err)
{
    while (window->first <= n) {
        size_t size = window->sizes[window->first % window->limit_lines];
        if (window->count == 0 || window->sent < size)
            return hf_fail(err, HF_EFORMAT,
                           "the agent acknowledged line %llu, which it was not sent",
                           (unsigned long long)n);
        window->at += size;
        window->sent -= size;
        window->count--;
        window->first++;
    }
    return HF_OK;
}

struct hf_slice
emit_window_unsent(const struct emit_window *window)
{
    size_t size = held_bytes(window) - window->sent;
    return hf_slice(size > 0 ? window->bytes.ptr + window->at + window->sent : NULL, size);
}

bool
emit_window_empty(const struct emit_window *window)
{
    return window->input_ended && window->count == 0 && window->input_at == window->input.size;
}
