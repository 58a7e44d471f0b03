/* Room on the disk that only draining may use. */
#ifndef HOLDFAST_TRAIL_RESERVE_H
#define HOLDFAST_TRAIL_RESERVE_H

#include "agent/trail/trail_impl.h"

void reserve_fill(struct hf_trails *trails); /* if the disk allows */
void reserve_turn(struct hf_trails *trails); /* takes it back when there is room again */
bool reserve_is_whole(const struct hf_trails *trails);
/* They give room and say whether they did. */
bool reserve_give_ledgers(struct hf_trails *trails);
bool reserve_give_sealing(struct trail *trail);
bool reserve_may_seal(const struct trail *trail);

#endif
