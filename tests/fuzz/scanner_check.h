/* One input through all twins of the scanner and through jansson; asserts that they agree. */
#ifndef HOLDFAST_SCANNER_CHECK_H
#define HOLDFAST_SCANNER_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns whether the input is valid. */
bool scanner_check(const uint8_t *data, size_t size);

#endif
