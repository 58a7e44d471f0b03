/* What the ledger says of a trail, as the parts have it, and the one place that writes it.
 *
 *   live:     a turn ──▶ step ──▶ document ──▶ ledger ──┐
 *                                    └──▶ step_read() ──┴──▶ step_apply() ──▶ line, outbox, lists, chain
 *   replay:   ledger ──▶ document ──▶ step_read() ─────────▶ step_apply()
 *   anew:     line, outbox, lists, chain ──▶ state_steps() ──▶ documents ──▶ a new ledger
 *
 * A live step is applied as its document says it, so that nothing is in memory that a restart would
 * not have. What has no step of its own (a change of the rules, `chain new`, a digest that moves to
 * another key, a public key that is not wanted any more) is changed in its part, and then all of
 * the ledger is written anew. What depends on the files at hand (is there a sealed file, which key
 * does it name, how much do they take) is none of this: open.c looks at it after the replay. */
#ifndef HOLDFAST_TRAIL_STATE_H
#define HOLDFAST_TRAIL_STATE_H

#include "agent/trail/chain.h"
#include "agent/trail/line.h"
#include "agent/trail/lists.h"
#include "agent/trail/outbox.h"
#include "agent/trail/steps.h"

struct state { /* the parts of one trail; borrowed */
    struct line *line;
    struct outbox *outbox;
    struct lists *lists;
    struct chain *chain;
};

/* HF_ECORRUPT, HF_EVERSION and HF_EREFUSED (another agent's) only for what a ledger says; a step
 * that was taken live never fails. */
enum hf_status step_apply(const struct state *state, const struct step *step,
                          struct hf_error *err) hf_must_check;
/* The steps that come to the same state: what the digest under way lists, its cut, what is in the
 * open. Each is valid for its call. */
void state_steps(const struct state *state, void (*visit)(void *context, const struct step *step),
                 void *context);

#endif
