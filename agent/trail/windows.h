/* From the journal to sealed files: cut.c, seal.c. */
#ifndef HOLDFAST_TRAIL_WINDOWS_H
#define HOLDFAST_TRAIL_WINDOWS_H

#include "agent/trail/trail_impl.h"

/* ---- cut.c ---- */
void cut_windows(struct trail *trail);
bool cut_close_at(struct trail *trail, uint64_t last_seq); /* true: all of it is in windows */
/* The reader found a spot it cannot read: told, and listed in the next digest. false: not now. */
bool cut_note_loss(struct trail *trail, const struct hf_journal_loss *loss);
/* By the configuration in force: what was cut before a change and is sealed after it goes where
 * the change says. */
void cut_window_key(const struct trail *trail, const struct hf_window *range, int64_t time_s,
                    unsigned generation, bool cms, char ret_key[HF_KEY_MAX]);

/* ---- seal.c ---- */
void seal_windows(struct hf_trails *trails);
void seal_returned(struct trail *trail, struct window *window, enum hf_status status,
                   struct hf_sealed *sealed, const struct hf_journal_loss *loss,
                   const struct hf_error *err); /* takes the sealed */

#endif
