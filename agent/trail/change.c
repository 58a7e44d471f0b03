/* Any change to a trail closes its window at the sequence the journal has then, so that every window has one configuration.
 * With a backlog that takes a while: until everything up to close_seq is in windows, the present plan stays in force.
 *
 *   change:  close_seq set ──▶ windows up to it cut and sealed ──▶ next_plan in force, a new cutter behind it
 *   removal: close_seq set ──▶ windows up to it cut ──▶ closed ──▶ all delivered and signed ──▶ ENDED
 */
#include "agent/trail/trail_impl.h"
#include <holdfast/json.h>

/* The sequence at which a removed trail ends outlives a restart. */
static void
save(struct trail *trail)
{
    struct hf_error err;
    hf_doc_set_u64(trail->plan->settings.doc, "close_seq", trail->close_seq);
    if (trail_save_settings(trail, &err) != HF_OK)
        hf_log_error("trail.settings", HF_STR("trail", trail->name), HF_ERR(&err));
}

void
change_begin(struct trail *trail, struct plan *plan, uint64_t close_seq)
{
    if (trail->next_plan)
        trail_retire_plan(trail, hf_take(trail->next_plan));
    trail->next_plan = plan;
    trail->draining = !plan;
    if (trail->state == TRAIL_ENDED)
        trail_move(trail, TRAIL_CHECKING, NULL);
    if (!trail->closed) /* a drained trail that comes back has nothing to close */
        trail->close_seq = HF_MAX(trail->close_seq, plan ? close_seq : HF_MAX(close_seq, 1)); /* a change closes nothing in an empty journal */
    if (!plan)
        save(trail);
    hf_log_info(plan ? "trail.changing" : "trail.draining", HF_STR("trail", trail->name), HF_NUM("from", trail->close_seq + 1));
}

static void
switch_plan(struct trail *trail)
{
    struct hf_error err;
    struct hf_journal_info info;
    hf_journal_info(trail->trails->options.journal, &info);
    if (trail->closed) /* it was gone: what the journal has let go since then was not its own */
        trail->cut_seq = HF_MAX(trail->cut_seq, info.oldest_seq ? info.oldest_seq - 1 : 0);
    trail->closed = false;
    trail->close_seq = 0;
    trail_set_plan(trail, hf_take(trail->next_plan));
    if (trail_save_settings(trail, &err) != HF_OK) /* needed only to drain after a restart; a change in force matters more */
        hf_log_error("trail.settings", HF_STR("trail", trail->name), HF_ERR(&err));
    if (trail_new_cutter(trail, &err) != HF_OK)
        hf_log_error("journal.unreadable", HF_STR("trail", trail->name), HF_ERR(&err));
    key_begin_anew(trail);
    trail->retry_at_ms = 0;
    trail_move(trail, TRAIL_CHECKING, NULL);
    digest_schedule(trail);
    hf_log_info("trail.changed", HF_STR("trail", trail->name), HF_NUM("from", trail->cut_seq + 1));
}

/* Sealed under the plan they were cut under, unless the spool is full: more room may be just what the change brings. */
static bool
is_sealed_so_far(const struct trail *trail)
{
    return trail_sealed_seq(trail) >= trail->close_seq || trail->spool_bytes >= trail->plan->settings.spool_max_bytes;
}

void
change_turn(struct trail *trail)
{
    if (!trail->closed && trail->close_seq && !cut_close_at(trail, trail->close_seq))
        return;
    if (!trail->next_plan)
        trail->closed = trail->draining;
    else if (trail->closed || is_sealed_so_far(trail))
        switch_plan(trail);
}
