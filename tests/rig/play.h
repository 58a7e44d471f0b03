/* The play: a workload in steps that brings every part of the engine on, and goes on where it
 * stopped when the agent ends.
 *
 *   lines by file and stream · flush · more lines · kill -9 · recovery · rotation by rename · more lines · flush · reload with other
 *   windows · more lines · SIGTERM · recovery · everything delivered · SIGTERM
 */
#ifndef HOLDFAST_TESTS_RIG_PLAY_H
#define HOLDFAST_TESTS_RIG_PLAY_H

#include "tests/rig/agent.h"
#include "tests/rig/oracle.h"
#include "tests/rig/stream.h"

struct play {
    struct stage *stage;
    struct agent agent;
    struct stream stream;
    unsigned file_lines;  /* written so far */
    uint64_t reloaded_ns; /* when the configuration was changed; 0: not yet */
    unsigned deaths;      /* of the agent that the play did not ask for */
    char trouble[200];    /* "": the play came to its end */
};

void play_init(struct play *play, struct stage *stage, struct faults *plan);
/* Up to the SIGTERM: with the faults of the plan. */
void play_act(struct play *play);
/* Without faults: a start, whatever is left to be sent, a flush, a clean stop. */
void play_finish(struct play *play);
/* Only that last part, on what lies on the stage: the stream's client and the files go on where
 * they were. */
bool play_ask(struct play *play, struct oracle *oracle);
void play_done(struct play *play);

#endif
