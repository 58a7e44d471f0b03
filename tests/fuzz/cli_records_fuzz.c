/* Any bytes as an object's content: refused, or as many lines as records, and no byte more than came
 * in. */
#include "agent/cli/records.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void
try_records(struct hf_slice text)
{
    char *out = NULL;
    size_t out_size = 0;
    uint64_t count = 0;
    struct hf_error err;
    FILE *stream = open_memstream(&out, &out_size);
    hf_assert(stream);
    enum hf_status status = records_write(text, stream, false, &count, &err);
    fclose(stream);
    hf_assert(out_size <= text.size + 1);
    if (status == HF_OK) {
        uint64_t lines = 0;
        for (size_t i = 0; i < out_size; i++)
            lines += out[i] == '\n';
        hf_assert(lines == count);
    }
    free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    try_records(hf_slice(bytes, size));
    return 0;
}
