/* What lies in a stage's directory store, through `holdfast validate`'s own walk. */
#ifndef HOLDFAST_TESTS_RIG_EVIDENCE_H
#define HOLDFAST_TESTS_RIG_EVIDENCE_H

#include "tests/rig/stage.h"

#include <holdfast/verify.h>

struct evidence_visitor {
    void (*finding)(void *context, enum hf_finding finding, const char *key, const char *detail);
    enum hf_status (*content)(void *context, const struct hf_digest_object *object,
                              struct hf_slice json, struct hf_error *err);
    void *context;
};

/* Walks one trail, whose prefix is its name, also when the configuration does not have it any
 * more: with the content of each object, and once more for objects that nobody lists.
 * `ret_wrong` says why the trail cannot be validated or is not intact, "" when it is. */
void evidence_walk(const struct stage *stage, const char *trail,
                   const struct evidence_visitor *visitor, char ret_wrong[300]);

#endif
