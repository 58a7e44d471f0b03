/* An object's content, counted in one pass and printed record by record: what can be printed is
 * counted as many. */
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
    free(out);
    if (status == HF_OK)
        hf_assert(any && counted == written);
    return 0;
}
