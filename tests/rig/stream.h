/* A client of the socket source that remembers what was acknowledged (agent/intake/PROTOCOL.md). */
#ifndef HOLDFAST_TESTS_RIG_STREAM_H
#define HOLDFAST_TESTS_RIG_STREAM_H

#include "tests/rig/stage.h"

#define STREAM_LINES_MAX 4096

struct stream {
    const struct stage *stage;
    char uuid[37];
    unsigned acknowledged; /* lines 1 to this are durable: the agent said so */
    unsigned taken_back;   /* lines that were acknowledged and that a later OK did not know: lost */
    uint64_t acknowledged_ns
        /* when the line's acknowledgement came, CLOCK_MONOTONIC; by number - 1 */
        [STREAM_LINES_MAX];
    char problem[120]; /* what the agent must never say */
};

void stream_init(struct stream *stream, const struct stage *stage);
/* Lines up to `end` (their numbers begin with 0) until all are acknowledged. False: the
 * connection broke, or time is over; again then. */
bool stream_send(struct stream *stream, unsigned end, int64_t most_ms);
/* How many lines of the stream does the agent know? False: no answer. */
bool stream_ask(struct stream *stream, unsigned *ret_known, int64_t most_ms);

#endif
