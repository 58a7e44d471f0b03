/* The set of trails: opened, turned, flushed, shown, changed. */
#ifndef HOLDFAST_TRAIL_SET_H
#define HOLDFAST_TRAIL_SET_H

#include "agent/trail/trail_impl.h"

/* ---- open.c: a trail from what lies on disk ---- */
enum hf_status trail_open(struct hf_trails *trails, struct plan *plan, struct trail **ret_trail,
                          struct hf_error *err) hf_must_check; /* takes the plan */

/* ---- folder.c ---- */
/* What a crash has left while something in it was written anew: nobody reads it. */
enum hf_status folder_remove_temporaries(const char *folder, struct hf_error *err) hf_must_check;
/* The last thing a drained trail does; what is wrong is logged under its name. */
void folder_remove(const char *trail, const char *folder);

/* ---- change.c: a changed or removed trail ends its window where the journal is now ---- */
void change_begin(struct trail *trail, struct plan *plan,
                  uint64_t after_seq); /* takes the plan; NULL: drain */
void change_turn(struct trail *trail);
/* After the start: what the ledger says about the rules meets the configuration. */
enum hf_status change_resume(struct trail *trail, bool gone, struct hf_error *err) hf_must_check;
const struct plan *change_latest_plan(const struct trail *trail); /* NULL: it drains */

/* ---- turn.c ---- */
void turn_trail(struct trail *trail);            /* does everything that can be done now */
int64_t turn_wake_ms(const struct trail *trail); /* boot time of its next turn by timer */

/* ---- flush.c, status.c ---- */
void flush_turn(struct hf_trails *trails);
void flush_abandon(struct hf_trails *trails);
int64_t flush_wake_ms(const struct hf_trails *trails);
json_t *status_doc(struct hf_trails *trails);

/* ---- stores.c ---- */
void stores_configure(struct hf_trails *trails, const struct hf_config *config);
void stores_stop(struct hf_trails *trails, int64_t wait_ms);
/* Refuses when something sealed still goes to a store that `config` does not have. */
enum hf_status stores_needed(struct hf_trails *trails, const struct hf_config *config,
                             struct hf_error *err) hf_must_check;

/* ---- trails.c ---- */
void *trails_run(void *trails); /* the thread */

#endif
