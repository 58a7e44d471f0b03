/* Varied audit events, one JSON object a line, each with its own number in its eventID,
 * CloudTrail-shaped, with repeated structure and names, random identifiers, addresses and times.
 * The same shape, seed and numbers give the same bytes. Shapes:
 *
 *   mixed    (default) 1.3 KB on average, gzip -6 about 8:1
 *   short    about 235 bytes each
 *   large    about 20 KB each
 *   random   1.3 KB, nearly all of it random base64
 */
#ifndef BENCH_EVENT_H
#define BENCH_EVENT_H

#include <stdint.h>
#include <stdio.h>

int event_shape(const char *name); /* 0: there is none of that name */
void event_seed(uint64_t seed);
void event_write(FILE *out, uint64_t number);

#endif
