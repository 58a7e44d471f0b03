/* What the metrics' listener understands of HTTP: the request line, and where the head ends.
 * Headers are not looked at: nothing in them changes the answer, and each connection ends with
 * it. */
#include "agent/daemon/metrics_impl.h"
#include <string.h>

/* The first empty line ends the head; a line may end without CR, as RFC 9112 section 2.2 lets us
 * take it. */
static bool
head_is_whole(struct hf_slice bytes)
{
    size_t line = 0; /* characters of the line at hand, CR not counted */
    for (size_t i = 0; i < bytes.size; i++) {
        if (bytes.ptr[i] == '\n' && line == 0 && i > 0)
            return true;
        line = bytes.ptr[i] == '\n' ? 0 : line + (bytes.ptr[i] != '\r');
    }
    return false;
}

/* Up to the blank or the line's end, which is not consumed. */
static struct hf_slice
take_word(struct hf_slice *line)
{
    size_t size = 0;
    while (size < line->size && line->ptr[size] > ' ' && line->ptr[size] < 0x7f)
        size++;
    struct hf_slice word = hf_slice(line->ptr, size);
    *line = hf_slice(line->ptr + size, line->size - size);
    return word;
}

static bool
take_byte(struct hf_slice *line, uint8_t byte)
{
    if (line->size == 0 || line->ptr[0] != byte)
        return false;
    *line = hf_slice(line->ptr + 1, line->size - 1);
    return true;
}

static bool
is_method(struct hf_slice word)
{
    for (size_t i = 0; i < word.size; i++) {
        if (word.ptr[i] < 'A' || word.ptr[i] > 'Z')
            return false;
    }
    return word.size > 0;
}

enum metrics_request
metrics_request_parse(struct hf_slice bytes)
{
    if (!head_is_whole(bytes))
        return bytes.size < METRICS_REQUEST_MAX ? METRICS_REQUEST_MORE : METRICS_REQUEST_LONG;
    struct hf_slice line = bytes, method = take_word(&line);
    bool right = is_method(method) && take_byte(&line, ' ');
    struct hf_slice target = take_word(&line);
    right = right && target.size > 0 && target.ptr[0] == '/' && take_byte(&line, ' ');
    struct hf_slice version = take_word(&line);
    right = right && (hf_slice_is(version, "HTTP/1.1") || hf_slice_is(version, "HTTP/1.0"));
    (void)take_byte(&line, '\r');
    if (!right || !take_byte(&line, '\n'))
        return METRICS_REQUEST_BAD;
    const uint8_t *query = memchr(target.ptr, '?', target.size);
    if (!hf_slice_is(hf_slice(target.ptr, query ? (size_t)(query - target.ptr) : target.size),
                     "/metrics"))
        return METRICS_REQUEST_ELSEWHERE;
    if (hf_slice_is(method, "GET"))
        return METRICS_REQUEST_GET;
    return hf_slice_is(method, "HEAD") ? METRICS_REQUEST_HEAD : METRICS_REQUEST_METHOD;
}
