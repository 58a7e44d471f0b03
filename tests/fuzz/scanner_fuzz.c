/* The event scanner on any bytes: all twins agree with each other and with jansson. */
#include "scanner_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scanner_check(data, size);
    return 0;
}
