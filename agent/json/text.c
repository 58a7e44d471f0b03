/* Raw values, and strings on their way into a JSON text. */
#include <stdio.h>

#include "json_impl.h"

bool
hf_json_is_string(struct hf_slice value)
{
    return value.ptr && value.size >= 2 && value.ptr[0] == '"';
}

/* The escape for a byte that must not stand in a string as it is; its length. */
static size_t
escape(uint8_t byte, char ret_text[8])
{
    static const char short_forms[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
    };

    if (byte == '"' || byte == '\\')
        return (size_t)snprintf(ret_text, 8, "\\%c", byte);
    if (byte < sizeof(short_forms) && short_forms[byte])
        return (size_t)snprintf(ret_text, 8, "\\%c", short_forms[byte]);
    return (size_t)snprintf(ret_text, 8, "\\u%04x", byte);
}

static enum hf_status
add_escaped(struct hf_buf *buf, struct hf_slice text)
{
    size_t start = 0;
    for (size_t at = 0; at < text.size; at++) {
        uint8_t byte = text.ptr[at];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        char escaped[8];
        size_t size = escape(byte, escaped);
        enum hf_status status = hf_buf_add(buf, text.ptr + start, at - start);
        if (status == HF_OK)
            status = hf_buf_add(buf, escaped, size);
        if (status != HF_OK)
            return status;
        start = at + 1;
    }
    return hf_buf_add(buf, text.ptr + start, text.size - start);
}

enum hf_status
hf_json_add_string(struct hf_buf *buf, struct hf_slice text)
{
    size_t before = buf->size;
    if (!text.ptr)
        text = HF_SLICE_LITERAL("");
    enum hf_status status = hf_buf_add(buf, "\"", 1);
    if (status == HF_OK)
        status = add_escaped(buf, text);
    if (status == HF_OK)
        status = hf_buf_add(buf, "\"", 1);
    if (status != HF_OK && buf->ptr) {
        buf->size = before;
        buf->ptr[before] = '\0';
    }
    return status;
}
