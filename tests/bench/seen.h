/* Which of hf_gen's events were seen, and how often; from gzip objects. */
#ifndef BENCH_SEEN_H
#define BENCH_SEEN_H

#include <stddef.h>
#include <stdint.h>

struct seen {
    uint8_t *times; /* by number, up to 255 */
    uint64_t room, events, doubled, highest, other;
};
/* Unpacks one gzip member and marks what is in it. false: it is not one whole member. */
int seen_object(struct seen *seen, const void *gzip, size_t size);
void seen_text(struct seen *seen, const char *text, size_t size);
uint64_t seen_missing(const struct seen *seen, uint64_t expected);

#endif
