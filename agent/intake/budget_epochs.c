/* What the journal holds of whom, in the order of its sequences: charges, one for each owner in an
 * epoch, released together. */
#include "agent/intake/budget_impl.h"

static struct epoch *
epoch_at(struct hf_budget *budget, uint64_t number)
{
    return &budget->epochs.items[number % EPOCHS];
}

/* The newest, or another one when that has had its part of the journal. Where all are taken (much
 * more came than fits) the newest takes it all. */
static struct epoch *
open_epoch(struct hf_budget *budget)
{
    uint64_t count = budget->epochs.end - budget->epochs.first;
    struct epoch *newest = count ? epoch_at(budget, budget->epochs.end - 1) : NULL;
    uint64_t most = budget->pools[HF_BUDGET_JOURNAL].max / EPOCHS;
    if (newest && (newest->bytes < most || count == EPOCHS))
        return newest;
    newest = epoch_at(budget, budget->epochs.end++);
    newest->bytes = newest->count = 0;
    return newest;
}

static struct charge *
charge_of(struct hf_budget *budget, struct epoch *epoch, struct hf_owner *owner)
{
    uint64_t number = budget->epochs.end - 1;
    bool has = owner->epoch == number && owner->charge < epoch->count &&
               epoch->charges[owner->charge].owner == owner;
    if (has)
        return &epoch->charges[owner->charge];
    if (epoch->count == epoch->room) {
        epoch->room = HF_MAX(4, 2 * epoch->room);
        epoch->charges = hf_realloc(epoch->charges, epoch->room * sizeof(*epoch->charges));
    }
    owner->epoch = number;
    owner->charge = epoch->count;
    owner->refs++;
    epoch->charges[epoch->count] = (struct charge){ .owner = owner };
    return &epoch->charges[epoch->count++];
}

void
hf_epochs_add(struct hf_budget *budget, struct hf_owner *owner, uint64_t bytes, uint64_t last_seq)
{
    struct epoch *epoch = open_epoch(budget);
    charge_of(budget, epoch, owner)->bytes += bytes;
    epoch->bytes += bytes;
    epoch->last_seq = HF_MAX(epoch->last_seq, last_seq);
    hf_budget_hold(owner, HF_BUDGET_JOURNAL, (int64_t)bytes);
}

static void
release(struct epoch *epoch)
{
    for (size_t i = 0; i < epoch->count; i++) {
        struct charge *charge = &epoch->charges[i];
        hf_budget_hold(charge->owner, HF_BUDGET_JOURNAL, -(int64_t)charge->bytes);
        hf_owner_unref(charge->owner);
    }
    /* Many owners for a while must not cost their memory for ever. */
    if (epoch->room > 64)
        hf_freep(&epoch->charges);
    epoch->room = epoch->charges ? epoch->room : 0;
    epoch->count = 0;
    epoch->bytes = epoch->last_seq = 0;
}

void
hf_epochs_release(struct hf_budget *budget, uint64_t released_seq)
{
    while (budget->epochs.first < budget->epochs.end &&
           epoch_at(budget, budget->epochs.first)->last_seq <= released_seq)
        release(epoch_at(budget, budget->epochs.first++));
}

void
hf_epochs_done(struct hf_budget *budget)
{
    hf_epochs_release(budget, UINT64_MAX);
    for (size_t i = 0; i < EPOCHS; i++)
        hf_freep(&budget->epochs.items[i].charges);
}
