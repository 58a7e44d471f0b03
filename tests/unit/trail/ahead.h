/* All clocks of a test as far ahead as it wants, in programs linked with --wrap=clock_gettime. */
#ifndef HOLDFAST_TESTS_TRAIL_AHEAD_H
#define HOLDFAST_TESTS_TRAIL_AHEAD_H

#include <stdint.h>

extern int64_t ahead_ms;

#endif
