/* Many cases by a few worker processes: each takes the next number, works in a folder of its
 * own, and leaves a result in shared memory. */
#ifndef HOLDFAST_TESTS_RIG_CASES_H
#define HOLDFAST_TESTS_RIG_CASES_H

#include <holdfast/base.h>

struct case_result {
    bool done, well;
    bool applies; /* false: the fault was never met: the play is shorter */
    unsigned lost, doubled, deaths;
    unsigned delivered, in_losses; /* corruption: lines in objects, and in signed loss records */
    int64_t worst_start_ms;
    char hit[200];
    char text[360];
};

/* `run` fills one result; in a worker, whose stage may be `folder`. Once `enough` of them are
 * not well no further case is begun, and those stay without `done`; 0: all are run. Shows
 * progress on a terminal. The results are the caller's for life. */
struct case_result *cases_run(const char *base, size_t count, unsigned workers, size_t enough,
                              void (*run)(void *context, size_t number, const char *folder,
                                          struct case_result *result),
                              void *context);

#endif
