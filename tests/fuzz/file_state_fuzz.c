/* What the journal remembers of a file: the first line is the key, the rest the value. What is read
 * can be written, and reads as the same again. */
#include "agent/intake/file/file_impl.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t line = end ? (size_t)(end - data) : size, value = HF_MIN(line + 1, size);
    hf_owned(hf_freep) char *key = hf_strndup((const char *)data, line);
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(size + 4096), second = HF_BUF(size + 4096);
    struct hf_position state, again;

    if (!hf_position_decode(key, hf_slice(data + value, size - value), &state))
        return 0;
    hf_assert(hf_position_encode(&state, &text) == HF_OK);
    hf_assert(hf_position_decode(key, hf_buf_slice(&text), &again));
    hf_assert(hf_position_encode(&again, &second) == HF_OK);
    hf_assert(hf_slice_equal(hf_buf_slice(&text), hf_buf_slice(&second)));
    hf_assert(state.print.offset == again.print.offset && state.done == again.done &&
              state.line_bytes <= state.print.offset && strcmp(state.path, again.path) == 0);
    free(state.path);
    free(again.path);
    return 0;
}
