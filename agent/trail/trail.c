/* A trail's parts together: what more than one of them is needed for. */
#include "agent/trail/trail_impl.h"

#include "agent/trail/reserve.h"

#include <string.h>

struct trail *
trail_new(struct hf_trails *trails, struct plan *plan)
{
    struct trail *trail = hf_alloc(sizeof(*trail));
    trail->trails = trails;
    trail->plan = plan;
    trail->name = hf_strdup(plan->settings.name);
    trail->folder = hf_asprintf("%s/trails/%s", trails->options.state_dir, trail->name);
    trail->sealed_folder = hf_asprintf("%s/sealed", trail->folder);
    trail->line.rule = plan_rule(plan); /* unless its ledger says otherwise */
    trail->outbox.folder = trail->sealed_folder;
    trail->chain.key = outgoing_none();
    trail->chain.journal = trails->options.identity->journal;
    trail->chain.trail = trail->book.trail = trail->health.trail = trail->name;
    return trail;
}

void
trail_free(struct trail *trail)
{
    book_close(&trail->book);
    line_done(&trail->line);
    outbox_done(&trail->outbox);
    lists_done(&trail->lists);
    chain_done(&trail->chain);
    plan_let_go(trail->plan);
    hf_freep(&trail->name);
    hf_freep(&trail->folder);
    hf_freep(&trail->sealed_folder);
    hf_freep(&trail);
}

/* ---- the ledger ---- */

struct state
trail_state(struct trail *trail)
{
    return (struct state){ .line = &trail->line,
                           .outbox = &trail->outbox,
                           .lists = &trail->lists,
                           .chain = &trail->chain };
}

void
trail_take(struct trail *trail, const struct step *step)
{
    struct state state = trail_state(trail);
    book_take(&trail->book, &state, step);
}

/* Who may deliver may use the reserve. */
static enum hf_status
rewrite(struct trail *trail, struct hf_error *err)
{
    struct state state = trail_state(trail);
    enum hf_status status = book_rewrite(&trail->book, &state, err);
    if (status == HF_ENOSPC && trail->health.state == TRAIL_READY &&
        reserve_give_ledgers(trail->trails))
        status = book_rewrite(&trail->book, &state, err);
    return status;
}

bool
trail_rewrite(struct trail *trail)
{
    struct hf_error err;
    trail->book.behind = rewrite(trail, &err) != HF_OK;
    if (trail->book.behind)
        book_say(&trail->book, "ledger.failed", NULL, &err);
    return !trail->book.behind;
}

bool
trail_sync(struct trail *trail)
{
    return book_sync(&trail->book) || trail_rewrite(trail);
}

void
trail_compact(struct trail *trail)
{
    struct hf_error err;
    if (book_is_long(&trail->book) && rewrite(trail, &err) != HF_OK)
        book_say(&trail->book, "ledger.long", NULL, &err);
}

/* ---- plan and cutter ---- */

void
trail_set_plan(struct trail *trail, struct plan *plan)
{
    if (trail->plan != plan)
        plan_let_go(trail->plan);
    trail->plan = plan;
    memcpy(plan->chain, trail->chain.id, sizeof(plan->chain));
}

enum hf_status
trail_new_cutter(struct trail *trail, struct hf_error *err)
{
    struct hf_cutter *cutter;
    struct rule rule = trail->line.rule.gone ? plan_rule(trail->plan) : trail->line.rule;
    enum hf_status status =
        hf_cutter_new(trail->trails->options.journal, &rule.selection, rule.window_s,
                      rule.window_max_bytes, trail->line.cut_seq + 1, &cutter, err);
    if (status != HF_OK)
        return status;
    hf_cutter_free(trail->line.cutter);
    trail->line.cutter = cutter;
    return HF_OK;
}

/* ---- its store and the clock ---- */

struct hf_deliverer *
trail_deliverer(const struct trail *trail, const char *store)
{
    for (struct store_slot *slot = trail->trails->stores; slot; slot = slot->next) {
        if (strcmp(slot->config->name, store) == 0)
            return slot->deliverer;
    }
    hf_assert(false && "a store that something sealed names was let go");
    return NULL;
}

/* Nothing has a date of this trail, but the moment in which it was made. */
bool
trail_is_untouched(const struct trail *trail)
{
    const struct chain *chain = &trail->chain;
    return chain->time_s == chain->created_s && !chain->old_head && !chain->head.number &&
           !chain->digest && !trail->outbox.windows && trail->line.cut_seq == chain->digested_seq;
}

/* One host, one clock: what one trail has written down under the guard is known to all. The moment
 * in which a trail was made is no such time. */
int64_t
trails_last_s(const struct hf_trails *trails)
{
    int64_t last_s = trails->last_clock_ms == INT64_MIN
                         ? 0
                         : (trails->last_clock_ms + (int64_t)hf_boot_ms()) / 1000;
    for (const struct trail *trail = trails->trails; trail; trail = trail->next)
        last_s = trail_is_untouched(trail) ? last_s : HF_MAX(last_s, trail->chain.time_s);
    return last_s;
}

void
trails_carry_on(struct hf_trails *trails)
{
    int64_t last_s = trails_last_s(trails);
    if (last_s)
        trails->last_clock_ms =
            HF_MAX(trails->last_clock_ms, last_s * 1000 - (int64_t)hf_boot_ms());
}

/* An object locked ten years too long cannot be undone. Cutting waits, intake goes on. Until the
 * store has told its time a clock that is far ahead of the trails' is not believed, nor is any by a
 * trail that has nothing to compare it with: T would never come back from there. */
bool
trail_may_cut(const struct trail *trail)
{
    bool known;
    int64_t last_s = trails_last_s(trail->trails);
    if (trail->book.behind ||
        hf_deliverer_clock(trail_deliverer(trail, trail->plan->settings.store), last_s, &known,
                           NULL) != HF_OK)
        return false;
    return known || (!trail_is_untouched(trail) && !hf_clock_is_far_after(last_s));
}

/* Read before the guard looks, not after it: between the two somebody may set the clock. T rises
 * with the step that has it. */
bool
trail_take_time(const struct trail *trail, int64_t *ret_time_s)
{
    int64_t time_s = HF_MAX(trail->chain.time_s, hf_wall_s());
    if (!trail_may_cut(trail))
        return false;
    *ret_time_s = time_s;
    return true;
}

/* ---- sealed files ---- */

uint64_t
trail_sealed_seq(const struct trail *trail)
{
    return outbox_sealed_seq(&trail->outbox, trail->line.cut_seq);
}

void
trail_unlink_sealed(const struct trail *trail, const char *path)
{
    struct hf_error err;
    enum hf_status status = hf_fs_unlink(path, &err);
    if (status != HF_OK && status != HF_ENOTFOUND) /* the next start removes it */
        hf_log_warn("sealed.leftover", HF_STR("trail", trail->name), HF_ERR(&err));
}

void
trail_seal_failed(struct trail *trail, const char *window, const struct hf_error *err)
{
    health_count(&trail->health, err->status);
    trail->outbox.seal_retry_ms = hf_boot_ms() + 1000;
    book_say(&trail->book, "seal.failed", window, err);
}

bool
trail_may_seal(const struct trail *trail)
{
    return (int64_t)trail->outbox.seal_retry_ms <= (int64_t)hf_boot_ms();
}
