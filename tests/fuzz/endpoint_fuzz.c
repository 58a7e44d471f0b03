/* Any text as a store's URL, and any as a key (lines of the input): what is taken gives a path that
 * ends no line of a request. */
#include "agent/s3/s3_impl.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(const struct hf_buf *text)
{
    for (size_t i = 0; i < text->size; i++)
        hf_assert(text->ptr[i] > ' ' && text->ptr[i] < 0x7f);
}

static const char *
next_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');
    *at = end ? end + 1 : line + strlen(line);
    if (end)
        *end = '\0';
    return line;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int addressings[] = { HF_ADDRESSING_PATH, HF_ADDRESSING_VIRTUAL };
    hf_owned(hf_freep) char *text = hf_strndup((const char *)data, size);
    char *at = text;
    const char *url = next_line(&at), *key = next_line(&at);

    (void)hf_s3_is_metadata_address(url);
    for (size_t i = 0; i < HF_COUNT(addressings); i++) {
        struct hf_s3_endpoint endpoint = { .url = NULL };
        hf_owned(hf_buf_done) struct hf_buf host = HF_BUF(4096), path = HF_BUF(16384);
        if (hf_s3_endpoint_init(&endpoint, url, addressings[i], NULL) == HF_OK &&
            hf_s3_endpoint_target(&endpoint, "bucket", key, &host, &path) == HF_OK) {
            check_line(&path);
            hf_assert(path.size && path.ptr[0] == '/');
        }
        hf_s3_endpoint_done(&endpoint);
    }
    return 0;
}
