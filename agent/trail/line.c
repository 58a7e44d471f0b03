/* Rules, changes of them, and losses in front of the line. */
#include "agent/trail/line.h"

#include "agent/trail/plan.h"

#include <string.h>

bool
rule_same(const struct rule *a, const struct rule *b)
{
    if (a->gone || b->gone)
        return a->gone == b->gone;
    if (a->window_s != b->window_s || a->window_max_bytes != b->window_max_bytes ||
        a->selection.all != b->selection.all)
        return false;
    return a->selection.all ||
           memcmp(a->selection.bits, b->selection.bits, sizeof(a->selection.bits)) == 0;
}

/* ---- changes ---- */

static void
change_free(struct change *change)
{
    plan_let_go(change->plan);
    hf_freep(&change);
}

void
line_drop_changes(struct line *line)
{
    while (line->changes) {
        struct change *change = line->changes;
        line->changes = change->next;
        change_free(change);
    }
}

void
line_done(struct line *line)
{
    line_drop_changes(line);
    hf_freep(&line->noted);
    hf_cutter_free(line->cutter);
    line->cutter = NULL;
}

const struct rule *
line_last_rule(const struct line *line)
{
    const struct rule *rule = &line->rule;
    for (const struct change *change = line->changes; change; change = change->next)
        rule = &change->rule;
    return rule;
}

void
line_add_change(struct line *line, uint64_t after_seq, const struct rule *rule, struct plan *plan)
{
    struct change **end = &line->changes, *change = hf_alloc(sizeof(*change));
    *change = (struct change){ .after_seq = after_seq, .rule = *rule, .plan = plan };
    for (; *end; end = &(*end)->next) {
        change->after_seq = HF_MAX(change->after_seq, (*end)->after_seq);
        if ((*end)->next || (*end)->after_seq != change->after_seq)
            continue;
        change_free(*end);
        *end = NULL;
        break;
    }
    *end = change;
}

struct plan *
line_take_change(struct line *line)
{
    struct change *change = line->changes;
    struct plan *plan = hf_take(change->plan);
    line->changes = change->next;
    line->rule = change->rule;
    change_free(change);
    return plan;
}

void
line_skip_to(struct line *line, uint64_t seq)
{
    line->cut_seq = HF_MAX(line->cut_seq, seq);
}

void
line_clamp(struct line *line, uint64_t durable_seq)
{
    for (struct change **at = &line->changes; *at;) {
        struct change *change = *at, *next = change->next;
        change->after_seq = HF_MIN(change->after_seq, durable_seq);
        if (next && HF_MIN(next->after_seq, durable_seq) == change->after_seq) {
            *at = next;
            change_free(change);
        } else {
            at = &change->next;
        }
    }
}

/* ---- losses in front of it ---- */

bool
line_has_noted(const struct line *line, uint64_t first_seq, uint64_t last_seq)
{
    for (size_t i = 0; i < line->noted_count; i++) {
        if (line->noted[i].first_seq == first_seq && line->noted[i].last_seq == last_seq)
            return true;
    }
    return false;
}

void
line_note(struct line *line, uint64_t first_seq, uint64_t last_seq)
{
    if (last_seq <= line->cut_seq || line_has_noted(line, first_seq, last_seq))
        return;
    line->noted = hf_realloc(line->noted, (line->noted_count + 1) * sizeof(*line->noted));
    line->noted[line->noted_count++] =
        (struct hf_journal_loss){ .first_seq = first_seq, .last_seq = last_seq };
}

size_t
line_noted_up_to(const struct line *line, uint64_t last_seq, struct hf_journal_loss **ret_noted)
{
    size_t count = 0;
    *ret_noted = hf_alloc((line->noted_count + 1) * sizeof(**ret_noted));
    for (size_t i = 0; i < line->noted_count; i++) {
        if (line->noted[i].first_seq <= last_seq)
            (*ret_noted)[count++] = line->noted[i];
    }
    return count;
}

void
line_drop_noted(struct line *line, uint64_t last_seq)
{
    size_t kept = 0;
    for (size_t i = 0; i < line->noted_count; i++) {
        if (line->noted[i].last_seq > last_seq)
            line->noted[kept++] = line->noted[i];
    }
    line->noted_count = kept;
    if (!kept)
        hf_freep(&line->noted);
}
