/* Where is each line, by what lies in the store: in one object, or in a signed record of its
 * loss? */
#ifndef HOLDFAST_TESTS_CORRUPTION_JUDGE_H
#define HOLDFAST_TESTS_CORRUPTION_JUDGE_H

#include "tests/corruption/scene.h"

#define JUDGE_LINES_MAX  1024
#define JUDGE_LOSSES_MAX 64

struct judge_trail {
    uint16_t seen[STAGE_WAYS][JUDGE_LINES_MAX];
    uint64_t seq[STAGE_WAYS][JUDGE_LINES_MAX];   /* where objects without a gap say it; else 0 */
    char event[STAGE_WAYS][JUDGE_LINES_MAX][40]; /* eventID: follows from the sequence */
    struct {
        uint64_t first, last;
    } losses[JUDGE_LOSSES_MAX];
    size_t loss_count;
};
struct judged {
    struct judge_trail trails[2];
    /* "": validate finds everything as it must be, and no line is changed or invented */
    char wrong[300];
};
/* The caller frees it. */
struct judged *judge_read(const struct scene *scene, const struct stage *stage);

struct verdict {
    unsigned delivered, in_losses; /* lines, over both trails */
    unsigned silent, doubled;
    unsigned again; /* in a loss record, and taken in a second time from the source */
    char wrong[300];
};
/* `right`: how it was judged without any damage. `drains`: what came in afterwards is none of
 * the second trail's. */
void judge_compare(const struct scene *scene, const struct judged *right,
                   const struct judged *judged, bool drains, struct verdict *ret_verdict);

#endif
