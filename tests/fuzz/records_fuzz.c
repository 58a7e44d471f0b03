/* An object's content, counted in one pass and printed record by record: what can be printed is
 * counted as many, in as many lines, and no byte more comes out than came in. */
#include "agent/cli/records.h"
#include "agent/verify/verify_impl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_slice text = hf_slice(data, size);
    char *out = NULL;
    size_t out_size = 0;
    uint64_t counted = 0, written = 0;
    bool any = records_count(text, &counted);
    FILE *stream = open_memstream(&out, &out_size);
    hf_assert(stream);
    enum hf_status status = records_write(text, stream, false, &written, NULL);
    fclose(stream);
    hf_assert(out_size <= text.size + 1);
    if (status == HF_OK) {
        uint64_t lines = 0;
        for (size_t i = 0; i < out_size; i++)
            lines += out[i] == '\n';
        hf_assert(any && counted == written && lines == written);
    }
    free(out);
    return 0;
}
