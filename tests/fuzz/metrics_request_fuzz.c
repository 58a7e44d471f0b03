/* The listener's parser: a head that is whole says the same whatever comes behind it, and one
 * that is not is waited for only so long. */
#include "agent/daemon/metrics_impl.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size = HF_MIN(size, 2 * METRICS_REQUEST_MAX);
    uint8_t *bytes = hf_alloc(size + 2);
    if (size)
        memcpy(bytes, data, size);
    memset(bytes + size, 'x', 2);
    enum metrics_request request = metrics_request_parse(hf_slice(data, size));
    enum metrics_request longer = metrics_request_parse(hf_slice(bytes, size + 2));
    if (request == METRICS_REQUEST_MORE)
        hf_assert(size < METRICS_REQUEST_MAX &&
                  (longer == METRICS_REQUEST_MORE || longer == METRICS_REQUEST_LONG));
    else
        hf_assert(longer == request);
    free(bytes);
    return 0;
}
