/* Varied audit events, one JSON object a line, each with its own number in its eventID. CloudTrail-shaped, 1.3 KB on average, gzip -6
 * about 8:1: repeated structure and names, random identifiers, addresses and times. The same seed and numbers give the same bytes. */
#ifndef BENCH_EVENT_H
#define BENCH_EVENT_H

#include <stdint.h>
#include <stdio.h>

void event_seed(uint64_t seed);
void event_write(FILE *out, uint64_t number);

#endif
