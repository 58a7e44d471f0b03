/* A state directory with something in every stage, as a kill -9 left it, and copies of it to
 * damage.
 *
 *   delivered and signed · delivered, in a digest that is sealed · sealed, and let go by the journal · sealed, and still in the
 *   journal · in the journal, not cut · in the followed file, not read
 */
#ifndef HOLDFAST_TESTS_CORRUPTION_SCENE_H
#define HOLDFAST_TESTS_CORRUPTION_SCENE_H

#include "tests/rig/agent.h"
#include "tests/rig/stage.h"
#include "tests/rig/stream.h"

struct scene {
    struct stage stage;
    struct stream stream;
    unsigned known
        /* lines that the agent had acknowledged: by the stream, and by its place in the file */
        [STAGE_WAYS];
    unsigned after[STAGE_WAYS]; /* and how many there are at the end */
    uint64_t oldest_seq;        /* of what the journal still holds: scene_oldest_seq() */
};

/* Plays up to the kill. The followed file stays where it is: copies are of the state and the
 * store only. */
void scene_make(struct scene *scene, const char *folder, const char *shared);
/* A copy in `folder`. `drains`: the second trail has left the configuration. */
void scene_copy(const struct scene *scene, const char *folder, bool drains,
                struct stage *ret_stage);

/* By the log of an agent that was started on a copy. */
uint64_t scene_oldest_seq(const struct stage *stage);

struct scene_end {
    bool started;        /* the agent became ready */
    char refusal[300];   /* why it did not */
    char trouble[200];   /* "": everything was delivered, and it stopped well */
    unsigned taken_back; /* acknowledged lines of the stream that it did not know any more */
    bool told;           /* its log says that something was wrong */
    int64_t start_ms;
};
/* Starts the agent on the copy, sends what is left, flushes, stops. */
void scene_finish(const struct scene *scene, struct stage *stage, struct scene_end *ret_end);

#endif
