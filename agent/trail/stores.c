/* One deliverer per configured store. */
#include "agent/trail/set.h"

#include <string.h>

static struct store_slot *
take_same(struct hf_trails *trails, const struct hf_config_store *store)
{
    for (struct store_slot **at = &trails->stores; *at; at = &(*at)->next) {
        if (hf_config_store_same((*at)->config, store)) {
            struct store_slot *slot = *at;
            *at = slot->next;
            return slot;
        }
    }
    return NULL;
}

/* What is known of a store's bucket, chain and clock is known of the old one. */
static void
check_again(struct hf_trails *trails, const char *store)
{
    for (struct trail *trail = trails->trails; trail; trail = trail->next) {
        if (trail->health.state == TRAIL_READY && strcmp(trail->plan->settings.store, store) == 0)
            health_move(&trail->health, TRAIL_CHECKING, NULL);
    }
}

/* Who changes the configuration has mended something: nobody waits for the next try, be it a
 * minute away. */
static void
try_at_once(struct hf_trails *trails)
{
    for (struct trail *trail = trails->trails; trail; trail = trail->next)
        health_try_now(&trail->health);
}

/* A deliverer that stops hands back what it had under way; the trails try again through the new
 * one. */
void
stores_configure(struct hf_trails *trails, const struct hf_config *config)
{
    struct store_slot *kept = NULL;
    try_at_once(trails);
    for (size_t i = 0; i < config->store_count; i++) {
        struct store_slot *slot = take_same(trails, &config->stores[i]);
        if (!slot) {
            slot = hf_alloc(sizeof(*slot));
            slot->deliverer = hf_deliverer_start(&config->stores[i]);
            check_again(trails, config->stores[i].name);
        }
        slot->config = &config->stores[i];
        slot->next = kept;
        kept = slot;
    }
    stores_stop(trails, 2000);
    trails->stores = kept;
}

void
stores_stop(struct hf_trails *trails, int64_t wait_ms)
{
    int64_t deadline_ms = (int64_t)hf_boot_ms() + wait_ms;
    while (trails->stores) {
        struct store_slot *slot = trails->stores;
        trails->stores = slot->next;
        hf_deliverer_stop(slot->deliverer, HF_MAX(deadline_ms - (int64_t)hf_boot_ms(), 0));
        hf_freep(&slot);
    }
}

static enum hf_status
needed(const struct hf_config *config, const struct trail *trail, const char *store,
       struct hf_error *err)
{
    if (hf_config_store(config, store))
        return HF_OK;
    return hf_fail(err, HF_ECONFIG,
                   "store '%s' is gone from the configuration, but trail '%s' still delivers "
                   "there: put it back until a reload has moved the trail and `holdfast status` "
                   "shows nothing waiting for it",
                   store, trail->name);
}

/* The plan in force counts until its last window is sealed, also when the new configuration
 * moves or removes the trail. */
enum hf_status
stores_needed(struct hf_trails *trails, const struct hf_config *config, struct hf_error *err)
{
    for (const struct trail *trail = trails->trails; trail; trail = trail->next) {
        enum hf_status status = needed(config, trail, trail->plan->settings.store, err);
        for (const struct change *change = trail->line.changes; change && status == HF_OK;
             change = change->next)
            status =
                change->plan ? needed(config, trail, change->plan->settings.store, err) : HF_OK;
        for (const struct window *window = trail->outbox.windows; window && status == HF_OK;
             window = window->next) {
            if (window->out.sealed)
                status = needed(config, trail, window->out.sealed->store, err);
            else if (window->state == WINDOW_SEALING)
                status = needed(config, trail, window->job.plan->store, err);
        }
        if (status == HF_OK && trail->chain.digest && trail->chain.digest->out.sealed)
            status = needed(config, trail, trail->chain.digest->out.sealed->store, err);
        if (status == HF_OK && trail->chain.key.sealed)
            status = needed(config, trail, trail->chain.key.sealed->store, err);
        if (status != HF_OK)
            return status;
    }
    return HF_OK;
}
