/* Who was refused, until it is said: in a record when it begins and when it has ended, so that
 * nobody silences himself unseen; at most one record of an owner in a minute. It has ended when
 * nothing was refused for a while. */
#include "agent/intake/budget_impl.h"

#include <stdio.h>
#include <string.h>

#define ENDS_AFTER_MS (60 * 1000)
#define LET_IN_MS     (5 * 1000) /* the same, where it is asked again all the time and was let in */
#define TOLD_EVERY_MS (60 * 1000)

static bool
is_over(const struct refused *refused, uint64_t now_ms)
{
    uint64_t after_ms = refused->now ? ENDS_AFTER_MS : LET_IN_MS;
    return now_ms - HF_MIN(refused->last_ms, now_ms) >= after_ms;
}

static void
settle(struct hf_owner *owner)
{
    struct hf_budget *budget = owner->account->budget;
    bool any = false;
    for (size_t i = 0; i < HF_BUDGET_KINDS; i++)
        any |= owner->refused[i].count > 0;
    if (any == owner->is_refused)
        return;
    owner->is_refused = any;
    if (any) { /* it is there until it was told that it ended */
        owner->refs++;
        LIST_INSERT_HEAD(&budget->refused, owner, refused_entry);
    } else {
        LIST_REMOVE(owner, refused_entry);
        hf_owner_unref(owner);
    }
}

void
hf_budget_note_refusal(struct hf_owner *owner, enum hf_budget_kind kind, const char *name)
{
    struct hf_budget *budget = owner->account->budget;
    pthread_mutex_lock(&budget->lock);
    struct refused *refused = &owner->refused[kind];
    bool begins = refused->count++ == 0;
    if (begins)
        snprintf(refused->name, sizeof(refused->name), "%s", name ? name : "");
    refused->last_ms = hf_boot_ms();
    owner->account->waits += kind == HF_BUDGET_JOURNAL && !refused->now;
    refused->now = true;
    owner->account->refusals++;
    settle(owner);
    pthread_mutex_unlock(&budget->lock);
    if (begins && budget->begins)
        budget->begins(budget->begins_context);
}

void
hf_budget_on_refusal(struct hf_budget *budget, void (*begins)(void *context), void *context)
{
    budget->begins = begins;
    budget->begins_context = context;
}

bool
hf_budget_has_refusals(struct hf_budget *budget)
{
    pthread_mutex_lock(&budget->lock);
    bool has = !LIST_EMPTY(&budget->refused);
    pthread_mutex_unlock(&budget->lock);
    return has;
}

static void
describe(const struct hf_owner *owner, enum hf_budget_kind kind, bool ends,
         struct hf_refusal *ret_refusal)
{
    const struct refused *refused = &owner->refused[kind];
    *ret_refusal = (struct hf_refusal){ .kind = kind, .ends = ends, .count = refused->count };
    snprintf(ret_refusal->source, sizeof(ret_refusal->source), "%s", owner->account->source);
    memcpy(ret_refusal->owner, owner->name, sizeof(ret_refusal->owner));
    memcpy(ret_refusal->name, refused->name, sizeof(ret_refusal->name));
}

bool
hf_budget_to_tell(struct hf_budget *budget, uint64_t now_ms, struct hf_refusal *ret_refusal)
{
    bool found = false;
    struct hf_owner *owner;
    pthread_mutex_lock(&budget->lock);
    LIST_FOREACH(owner, &budget->refused, refused_entry)
    {
        if (found)
            break;
        if (owner->told_ms && now_ms - owner->told_ms < TOLD_EVERY_MS)
            continue;
        for (size_t i = 0; i < HF_BUDGET_KINDS && !found; i++) {
            const struct refused *refused = &owner->refused[i];
            found = refused->count > 0 && (!refused->told || is_over(refused, now_ms));
            if (found)
                describe(owner, (enum hf_budget_kind)i, refused->told, ret_refusal);
        }
    }
    pthread_mutex_unlock(&budget->lock);
    return found;
}

void
hf_budget_told(struct hf_budget *budget, const struct hf_refusal *refusal, uint64_t now_ms)
{
    struct hf_owner *owner;
    pthread_mutex_lock(&budget->lock);
    LIST_FOREACH(owner, &budget->refused, refused_entry)
    if (strcmp(owner->name, refusal->owner) == 0 &&
        strcmp(owner->account->source, refusal->source) == 0)
        break;
    if (owner) {
        struct refused *refused = &owner->refused[refusal->kind];
        owner->told_ms = now_ms;
        if (refusal->ends)
            *refused = (struct refused){ .count = 0 };
        else
            refused->told = true;
        settle(owner);
    }
    pthread_mutex_unlock(&budget->lock);
}

void
hf_account_status(struct hf_account *account, struct hf_account_status *ret_status)
{
    struct hf_budget *budget = account->budget;
    uint64_t now_ms = hf_boot_ms();
    struct hf_account_status status = { .owners_refused = 0 };
    struct hf_owner *owner;
    pthread_mutex_lock(&budget->lock);
    status.refusals = account->refusals;
    status.waits_begun = account->waits;
    LIST_FOREACH(owner, &budget->refused, refused_entry)
    {
        bool now = false;
        for (size_t i = 0; owner->account == account && i < HF_BUDGET_KINDS; i++) {
            if (owner->refused[i].count == 0 || is_over(&owner->refused[i], now_ms))
                continue;
            if (status.owners_refused == 0 && !now)
                describe(owner, (enum hf_budget_kind)i, false, &status.first);
            now = true;
            status.waits |= i == HF_BUDGET_JOURNAL && owner->refused[i].now;
        }
        status.owners_refused += now;
    }
    pthread_mutex_unlock(&budget->lock);
    *ret_status = status;
}
