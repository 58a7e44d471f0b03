/* window: where one object ends and the next begins.
 *
 * Cutting is a pure function of the journal's stamps and the rule: at multiples of the window's
 * length since the epoch (300 s gives CloudTrail's slots), or when the selected records would be
 * too large for one object. So a late cut gives the same windows: an agent that was down for an
 * hour, or that cuts again after a crash, names the same ranges and the same keys. If it did not, a
 * range whose object was sent just before the crash would go out a second time, under another key.
 * A range in which nothing is selected makes no object and is covered all the same, or the next
 * digest's range would have a hole. In a fleet, time cuts wait by a delay of each host's own, so
 * that not all of them put at the same second; cuts by size, flush and stop do not. */
#ifndef HOLDFAST_WINDOW_H
#define HOLDFAST_WINDOW_H

#include <holdfast/base.h>
#include <holdfast/config.h>
#include <holdfast/journal.h>

/* Which sources' events a trail takes. holdfast's own events pass every selection. */
struct hf_selection {
    bool all;
    uint8_t bits[HF_SOURCES_MAX / 8];
};
bool hf_selection_has(const struct hf_selection *selection, uint16_t source);
void hf_selection_add(struct hf_selection *selection, uint16_t source);

#define HF_OBJECT_OVERHEAD 14 /* {"Records":[ and ]} */

struct hf_window {
    uint64_t first_seq, last_seq; /* all in the range belongs to this window, selected or not */
    uint64_t count;               /* selected records */
    uint64_t bytes;               /* the object's uncompressed size */
    int64_t slot_s;               /* start of the time slot its events were appended in */
    int64_t oldest_s, newest_s;   /* eventTime of the selected records; 0 when there are none */
    /* when the batch of its first event was made; 0: not known, as after a restart */
    int64_t arrived_s;
    enum hf_cut_reason { HF_CUT_TIME, HF_CUT_SIZE, HF_CUT_NOW } reason;
};

struct hf_cutter;
enum hf_status hf_cutter_new(struct hf_journal *journal, const struct hf_selection *selection,
                             uint64_t window_s, uint64_t max_bytes, uint64_t from_seq,
                             struct hf_cutter **ret_cutter, struct hf_error *err) hf_must_check;
void hf_cutter_free(struct hf_cutter *cutter);
/* The next window that is complete: by size, because a later event lies in another slot, or
 * because the journal's floor has passed the slot's end by `delay_s` (a fleet's spread).
 * HF_EFULL: none yet. HF_ECORRUPT: *ret_loss is unreadable; the window goes on behind it on the
 * next call. A window without selected records is returned too (count 0): it makes no object. */
enum hf_status hf_cutter_next(struct hf_cutter *cutter, uint64_t delay_s,
                              struct hf_window *ret_window, struct hf_journal_loss *ret_loss,
                              struct hf_error *err) hf_must_check;
/* Closes at `last_seq` (flush, stop, a change of the trail): like hf_cutter_next(), and the last
 * window ends there, or behind it where hf_cutter_next() had taken later events into the open
 * one already. HF_EFULL when nothing up to last_seq is left. */
enum hf_status hf_cutter_close_at(struct hf_cutter *cutter, uint64_t last_seq,
                                  struct hf_window *ret_window, struct hf_journal_loss *ret_loss,
                                  struct hf_error *err) hf_must_check;
uint64_t hf_cutter_next_seq(
    const struct hf_cutter *cutter); /* first sequence not yet in a returned window */
/* The open window as far as it was read; NULL when it is empty. */
const struct hf_window *hf_cutter_open_window(const struct hf_cutter *cutter);
/* Wall second at which the open window closes by time; 0 when it is empty. */
int64_t hf_cutter_due_s(const struct hf_cutter *cutter, uint64_t delay_s);

/* A stable delay in [0, min(window / 4, 60)] seconds from the journal id. */
uint64_t hf_window_delay_s(const char *journal_id, uint64_t window_s);

#endif
