/* Any change to a trail closes its window at the sequence the journal has then, so that every
 * window has one configuration. With a backlog that takes a while, and another change may follow:
 * each waits for its turn.
 *
 *   rule A ──(after_seq 100)──▶ rule B ──(after_seq 250)──▶ gone ──(after_seq 400)──▶ rule C
 *
 *   the range up to after_seq is cut ──▶ and sealed, where a plan (destination, encryption) waits with the change ──▶ the change is in force
 *   in force: gone ──▶ closed: all delivered and signed ──▶ ENDED, or the trail came back: it goes on behind what it was away for
 *
 * The rules are in the ledger before the change is: after a crash, or a start with another
 * configuration, what was taken under A is cut by A. Destination and encryption are those in
 * force when it is sealed. */
#include "agent/trail/delivery.h"
#include "agent/trail/saved.h"
#include "agent/trail/set.h"
#include "agent/trail/windows.h"

const struct plan *
change_latest_plan(const struct trail *trail)
{
    const struct plan *plan = trail->plan;
    for (const struct change *change = trail->line.changes; change; change = change->next)
        plan = change->plan ? change->plan : plan;
    return line_last_rule(&trail->line)->gone ? NULL : plan;
}

static uint64_t
last_after_seq(const struct line *line)
{
    uint64_t after_seq = 0;
    for (const struct change *change = line->changes; change; change = change->next)
        after_seq = change->after_seq;
    return after_seq;
}

void
change_begin(struct trail *trail, struct plan *plan, uint64_t after_seq)
{
    struct rule rule = plan ? plan_rule(plan) : (struct rule){ .gone = true };
    line_add_change(&trail->line, after_seq, &rule, plan);
    trail->draining = !plan;
    if (trail->health.state == TRAIL_ENDED)
        health_move(&trail->health, TRAIL_CHECKING, NULL);
    hf_log_info(plan ? "trail.changing" : "trail.draining", HF_STR("trail", trail->name),
                HF_NUM("from", last_after_seq(&trail->line) + 1));
    if (!trail->book.damaged) /* a failure is remembered: nothing is cut before it is written */
        (void)trail_rewrite(trail);
}

static void
begin_cutting(struct trail *trail)
{
    struct hf_error err;
    if (trail_new_cutter(trail, &err) != HF_OK)
        hf_log_error("journal.unreadable", HF_STR("trail", trail->name), HF_ERR(&err));
}

/* It was gone, and is back: what came in meanwhile was not its own, unless it asks for the
 * oldest. */
static void
come_back(struct trail *trail, uint64_t after_seq)
{
    struct hf_journal_info info;
    hf_journal_info(trail->trails->options.journal, &info);
    uint64_t oldest_seq = info.oldest_seq ? info.oldest_seq - 1 : 0;
    line_skip_to(&trail->line, trail->plan->settings.start_oldest ? oldest_seq : after_seq);
}

static void
switch_plan(struct trail *trail, struct plan *plan)
{
    struct hf_error err;
    trail_set_plan(trail, plan);
    /* needed only to drain after a restart; a change in force matters more */
    if (settings_save(trail->folder, &plan->settings, &err) != HF_OK)
        hf_log_error("trail.settings", HF_STR("trail", trail->name), HF_ERR(&err));
    key_begin_anew(trail);
    health_check_anew(&trail->health);
    digest_schedule(trail);
    hf_log_info("trail.changed", HF_STR("trail", trail->name),
                HF_NUM("from", trail->line.cut_seq + 1));
}

static void
take_first(struct trail *trail)
{
    bool was_gone = trail->line.rule.gone;
    uint64_t after_seq = trail->line.changes->after_seq;
    struct plan *plan = line_take_change(&trail->line);
    if (plan)
        switch_plan(trail, plan);
    if (was_gone && !trail->line.rule.gone)
        come_back(trail, after_seq);
    (void)trail_rewrite(trail);
    if (!trail->line.rule.gone)
        begin_cutting(trail);
}

/* Sealed under the plan they were cut under, unless the spool is full: more room may be just
 * what the change brings. */
static bool
may_take(struct trail *trail)
{
    const struct change *change = trail->line.changes;
    struct hf_journal_info info;
    hf_journal_info(trail->trails->options.journal, &info);
    if (info.durable_seq <
        change->after_seq) /* handed over under the rule before, and not durable yet */
        return false;
    if (!trail->line.rule.gone && !cut_close_at(trail, change->after_seq))
        return false;
    return !change->plan || trail_sealed_seq(trail) >= trail->line.cut_seq ||
           trail->outbox.spool_bytes >= trail->plan->settings.spool_max_bytes;
}

void
change_turn(struct trail *trail)
{
    while (trail->line.changes && may_take(trail))
        take_first(trail);
}

enum hf_status
change_resume(struct trail *trail, bool gone, struct hf_error *err)
{
    struct rule wanted = gone ? (struct rule){ .gone = true } : plan_rule(trail->plan);
    struct hf_journal_info info;
    if (trail->book.damaged)
        return HF_OK;
    hf_journal_info(trail->trails->options.journal, &info);
    line_clamp(&trail->line, info.durable_seq);
    bool changed = !rule_same(line_last_rule(&trail->line), &wanted);
    if (changed)
        line_add_change(&trail->line, info.durable_seq, &wanted, NULL);
    trail->draining = gone;
    if (changed) {
        hf_log_info(gone ? "trail.draining" : "trail.changing", HF_STR("trail", trail->name),
                    HF_NUM("from", info.durable_seq + 1));
        (void)trail_rewrite(trail);
    }
    return trail->line.rule.gone ? HF_OK : trail_new_cutter(trail, err);
}
