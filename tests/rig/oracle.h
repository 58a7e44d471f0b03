/* Is everything there, once, unchanged, signed? Reads what lies in the directory store through
 * `holdfast validate`'s own walk, and the content of each object. */
#ifndef HOLDFAST_TESTS_RIG_ORACLE_H
#define HOLDFAST_TESTS_RIG_ORACLE_H

#include "tests/rig/stage.h"

#define ORACLE_LINES_MAX 4096

struct oracle {
    unsigned lines[STAGE_WAYS]; /* in: numbers 0 to before this must be there */
    unsigned lost, doubled;     /* out: over all trails */
    unsigned changed;           /* lines whose content is not what was sent, or that nobody sent */
    unsigned gaps;              /* SourceGap records */
    unsigned findings;          /* what validate does not find fine */
    char text[300];             /* the first thing that is wrong */
};

/* The result is `well` when nothing was lost, doubled or changed, and every trail validates. */
bool oracle_ask(struct oracle *oracle, const struct stage *stage);

#endif
