/* The line between what is cut and what is not: the cutter in front of it, by which rule it cuts,
 * and the changes of the rule that lie ahead.
 *
 *   ─── windows ───┤cut_seq├─── rule ───▶ after_seq ├─── rule of the first change ───▶ ...
 */
#ifndef HOLDFAST_TRAIL_LINE_H
#define HOLDFAST_TRAIL_LINE_H

#include <holdfast/journal.h>
#include <holdfast/window.h>

struct plan;

/* How a range of the journal is cut. Stands in the ledger for everything that is not cut yet, so
 * that a crash, or a start under another configuration, cuts it as it would have been cut. */
struct rule {
    bool gone; /* the trail was not in the configuration: nothing is its own */
    struct hf_selection selection;
    uint64_t window_s, window_max_bytes;
};

struct change {
    struct change *next;
    uint64_t after_seq; /* the rule before holds up to here */
    struct rule rule;
    struct plan *plan; /* in force from then on; NULL: the present one stays */
};

struct pace { /* of `compression: { level: auto }`: pace.c */
    int compression;
    uint64_t backlog_bytes; /* when it was last looked at */
    uint64_t looked_ms;     /* boot time */
};

struct line {
    struct hf_cutter *cutter;
    uint64_t cut_seq;              /* everything up to here is in a window */
    struct rule rule;              /* of what is cut next; gone: nothing more is ours */
    struct change *changes;        /* to come, in order */
    struct hf_journal_loss *noted; /* losses that no window covers yet */
    size_t noted_count;
    struct pace pace;
};
void line_done(struct line *line);

bool rule_same(const struct rule *a, const struct rule *b);
const struct rule *line_last_rule(const struct line *line); /* when all changes are in force */
/* Takes the plan. Two changes without an event between them are one. */
void line_add_change(struct line *line, uint64_t after_seq, const struct rule *rule,
                     struct plan *plan);
/* The first change is in force: its rule is the line's. The plan becomes the caller's. */
struct plan *line_take_change(struct line *line);
void line_drop_changes(struct line *line);
/* What lies before it is not the trail's own, and never was cut. */
void line_skip_to(struct line *line, uint64_t seq);
/* Sequences that were not durable when the agent ended are given again: what gets them is new.
 * Here, too, two changes without an event between them are one. */
void line_clamp(struct line *line, uint64_t durable_seq);

/* Called lost, though no window covers it yet: the one that will leaves it out, also if it can be
 * read again by then. Not what is in a window already: nobody reads it again. */
void line_note(struct line *line, uint64_t first_seq, uint64_t last_seq);
bool line_has_noted(const struct line *line, uint64_t first_seq, uint64_t last_seq);
/* Those that begin up to here are the business of a window; the array is the caller's. */
size_t line_noted_up_to(const struct line *line, uint64_t last_seq,
                        struct hf_journal_loss **ret_noted);
/* Those that end up to here are nobody's business any more: one that could be read again by then,
 * and was parted by a window's end, is the next one's too. */
void line_drop_noted(struct line *line, uint64_t last_seq);

/* ---- pace.c: how the next window will be compressed ---- */

struct load {               /* as a window is cut */
    uint64_t backlog_bytes; /* of the trail's records that are durable and not sealed */
    uint64_t window_max_bytes;
    unsigned sealers;
    bool store_is_slow; /* it is what everything waits for */
};
/* Sets pace->compression for a window; true: by the load, it is another one than before. */
bool pace_next(struct pace *pace, uint64_t level, const struct load *load);

#endif
