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
#include "agent/trail/trail_impl.h"
#include <holdfast/json.h>

static void
change_free(struct trail *trail, struct change *change)
{
    if (change->plan)
        trail_retire_plan(trail, change->plan);
    hf_freep(&change);
}

void
change_free_all(struct trail *trail)
{
    while (trail->changes) {
        struct change *change = trail->changes;
        trail->changes = change->next;
        change_free(trail, change);
    }
}

static struct change *
last_change(const struct trail *trail)
{
    struct change *change = trail->changes;
    while (change && change->next)
        change = change->next;
    return change;
}

static const struct rule *
last_rule(const struct trail *trail)
{
    const struct change *last = last_change(trail);
    return last ? &last->rule : &trail->rule;
}

const struct plan *
change_latest_plan(const struct trail *trail)
{
    const struct plan *plan = trail->plan;
    for (const struct change *change = trail->changes; change; change = change->next)
        plan = change->plan ? change->plan : plan;
    return last_rule(trail)->gone ? NULL : plan;
}

/* Two changes without an event between them are one. */
static void
append(struct trail *trail, uint64_t after_seq, const struct rule *rule, struct plan *plan)
{
    struct change *last = last_change(trail), *change = hf_alloc(sizeof(*change));
    *change = (struct change){ .after_seq = last ? HF_MAX(after_seq, last->after_seq) : after_seq,
                               .rule = *rule,
                               .plan = plan };
    struct change **end = &trail->changes;
    while (*end && *end != last)
        end = &(*end)->next;
    if (last && last->after_seq == change->after_seq)
        change_free(trail, last);
    else if (last)
        end = &last->next;
    *end = change;
}

void
change_begin(struct trail *trail, struct plan *plan, uint64_t after_seq)
{
    struct rule rule = plan ? rule_of(plan) : (struct rule){ .gone = true };
    append(trail, after_seq, &rule, plan);
    trail->draining = !plan;
    if (trail->state == TRAIL_ENDED)
        trail_move(trail, TRAIL_CHECKING, NULL);
    hf_log_info(plan ? "trail.changing" : "trail.draining", HF_STR("trail", trail->name),
                HF_NUM("from", last_change(trail)->after_seq + 1));
    if (!trail->damaged)
        (void)snapshot_write(
            trail); /* a failure is remembered, and nothing is cut before it is written */
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
    trail->cut_seq =
        HF_MAX(trail->cut_seq, trail->plan->settings.start_oldest ? oldest_seq : after_seq);
    trail->closed = false;
    (void)snapshot_write(trail);
}

static void
switch_plan(struct trail *trail, struct plan *plan)
{
    struct hf_error err;
    trail_set_plan(trail, plan);
    if (trail_save_settings(trail, &err) !=
        HF_OK) /* needed only to drain after a restart; a change in force matters more */
        hf_log_error("trail.settings", HF_STR("trail", trail->name), HF_ERR(&err));
    key_begin_anew(trail);
    trail->retry_at_ms = 0;
    trail_move(trail, TRAIL_CHECKING, NULL);
    digest_schedule(trail);
    hf_log_info("trail.changed", HF_STR("trail", trail->name), HF_NUM("from", trail->cut_seq + 1));
}

static void
take_first(struct trail *trail)
{
    struct change *change = trail->changes;
    trail->changes = change->next;
    trail->rule = change->rule;
    if (change->plan)
        switch_plan(trail, hf_take(change->plan));
    if (change->rule.gone)
        trail->closed = true;
    else if (trail->closed)
        come_back(trail, change->after_seq);
    if (!trail->closed)
        begin_cutting(trail);
    change_free(trail, change);
}

/* Sealed under the plan they were cut under, unless the spool is full: more room may be just
 * what the change brings. */
static bool
may_take(struct trail *trail)
{
    const struct change *change = trail->changes;
    struct hf_journal_info info;
    hf_journal_info(trail->trails->options.journal, &info);
    if (info.durable_seq <
        change->after_seq) /* handed over under the rule before, and not durable yet */
        return false;
    if (!trail->closed && !cut_close_at(trail, change->after_seq))
        return false;
    return !change->plan || trail_sealed_seq(trail) >= trail->cut_seq ||
           trail->spool_bytes >= trail->plan->settings.spool_max_bytes;
}

void
change_turn(struct trail *trail)
{
    while (trail->changes && may_take(trail))
        take_first(trail);
}

/* Sequences that were not durable when the agent ended are given again: what gets them is new. */
static void
clamp(struct trail *trail, uint64_t durable_seq)
{
    for (struct change *change = trail->changes; change; change = change->next)
        change->after_seq = HF_MIN(change->after_seq, durable_seq);
}

enum hf_status
change_resume(struct trail *trail, bool gone, struct hf_error *err)
{
    struct rule wanted = gone ? (struct rule){ .gone = true } : rule_of(trail->plan);
    struct hf_journal_info info;
    if (trail->damaged)
        return HF_OK;
    hf_journal_info(trail->trails->options.journal, &info);
    clamp(trail, info.durable_seq);
    bool changed = !rule_same(last_rule(trail), &wanted);
    if (changed)
        append(trail, info.durable_seq, &wanted, NULL);
    trail->draining = gone;
    trail->closed = trail->rule.gone;
    if (changed) {
        hf_log_info(gone ? "trail.draining" : "trail.changing", HF_STR("trail", trail->name),
                    HF_NUM("from", info.durable_seq + 1));
        (void)snapshot_write(trail);
    }
    return trail->closed ? HF_OK : trail_new_cutter(trail, err);
}
