/* Which of hf_gen's events were seen, and how often; from gzip objects. */
#ifndef BENCH_SEEN_H
#define BENCH_SEEN_H

#include <stddef.h>
#include <stdint.h>

#define SEEN_NUMBERS (1u << 30) /* numbers from there on are not counted, but as others */

struct seen {
    uint8_t *times; /* by number, up to 255; memory is taken where numbers are */
    uint64_t events, doubled, other,
        highest;          /* highest: of the numbers, and 0 when there is none */
    uint64_t plain_bytes; /* of what was unpacked */
};
void seen_init(struct seen *seen);
void seen_done(struct seen *seen);
/* Unpacks one gzip member and marks what is in it. 0: it is not one whole member. */
int seen_object(struct seen *seen, const void *gzip, size_t size);
void seen_text(struct seen *seen, const char *text, size_t size);
/* Of the numbers from 0 to expected - 1 those that were not seen. */
uint64_t seen_missing(const struct seen *seen, uint64_t expected);

#endif
