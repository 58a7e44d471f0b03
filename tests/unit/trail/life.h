/* The parts of one trail without the trail: what a ledger says comes to these, and can be shown. */
#ifndef HOLDFAST_TESTS_TRAIL_LIFE_H
#define HOLDFAST_TESTS_TRAIL_LIFE_H

#include "agent/trail/state.h"
#include "tests/support/test.h"

#define LIFE_JOURNAL "0123456789abcdef0123456789abcdef"

struct life {
    struct line line;
    struct outbox outbox;
    struct lists lists;
    struct chain chain;
    struct state state;
};

/* An empty one, which may not be moved. */
void life_begin(struct life *life, const char *journal, const char *trail, const char *folder);
void life_end(struct life *life);

/* Every member that a ledger knows, in one text; the caller's. */
char *life_text(const struct state *state);
/* The same, with the place that the other side's sealed files name: it is read from them. */
void life_adopt_places(struct life *life, const struct state *from);

/* A step by its document: written, read and applied. */
void life_apply(struct life *life, const struct step *step);
/* A step by a text, as it may stand in a ledger of any version. */
enum hf_status life_read(struct life *life, enum hf_step kind, const char *text,
                         struct hf_error *err);

#endif
