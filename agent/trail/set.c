/* The set of trails: opened at start, changed by a reload, left at the stop. */
#include "agent/trail/set.h"

#include "agent/trail/delivery.h"
#include "agent/trail/inbox.h"
#include "agent/trail/reserve.h"
#include "agent/trail/saved.h"

#include <holdfast/json.h>
#include <string.h>

static struct trail *
find_trail(struct hf_trails *trails, const char *name)
{
    for (struct trail *trail = trails->trails; trail; trail = trail->next) {
        if (strcmp(trail->name, name) == 0)
            return trail;
    }
    return NULL;
}

static void
append_trail(struct hf_trails *trails, struct trail *trail)
{
    struct trail **end = &trails->trails;
    while (*end)
        end = &(*end)->next;
    *end = trail;
}

static enum hf_status
make_plans(struct hf_trails *trails, const struct hf_config *config, struct plan **ret_plans,
           struct hf_error *err)
{
    if (config->trail_count > TRAILS_MAX)
        return hf_fail(err, HF_ECONFIG, "more than %d trails", TRAILS_MAX);
    for (size_t i = 0; i < config->trail_count; i++) {
        struct settings settings;
        enum hf_status status = settings_from_config(
            config, &config->trails[i], trails->options.identity->host, &settings, err);
        if (status == HF_OK)
            status = plan_new(trails, &settings, &ret_plans[i], err);
        if (status != HF_OK) {
            while (i-- > 0)
                plan_let_go(ret_plans[i]);
            return status;
        }
    }
    return HF_OK;
}

static void
set_wipe(struct hf_trails *trails)
{
    bool wipe = false;
    for (const struct trail *trail = trails->trails; trail; trail = trail->next)
        wipe = wipe || trail->plan->settings.encryption != HF_ENCRYPT_NONE;
    hf_journal_set_wipe(trails->options.journal, wipe);
}

/* A key file may hold another key under its old name: `holdfast key rotate` does that. */
static bool
same_keys(const struct plan *a, const struct plan *b)
{
    const char *to_a = a->recipients ? hf_recipients_text(a->recipients) : "",
               *to_b = b->recipients ? hf_recipients_text(b->recipients) : "";
    return strcmp(hf_signer_fingerprint(a->signer), hf_signer_fingerprint(b->signer)) == 0 &&
           strcmp(to_a, to_b) == 0;
}

/* One that stays the same is not disturbed. */
static bool
same_settings(const struct trail *trail, const struct plan *plan)
{
    const struct plan *now = change_latest_plan(trail);
    return now && json_equal(now->settings.doc, plan->settings.doc) && same_keys(now, plan);
}

/* ---- trails that a reload brings ---- */

struct opened {
    struct trail *trail;
    bool made; /* its folder was not there before */
};

static enum hf_status
open_one(struct hf_trails *trails, struct plan *plan, struct opened *ret_opened,
         struct hf_error *err)
{
    struct stat stat;
    hf_owned(hf_freep) char *name = hf_strdup(plan->settings.name),
                            *folder = hf_asprintf("%s/trails/%s", trails->options.state_dir, name);
    ret_opened->made = hf_fs_stat(folder, &stat, NULL) == HF_ENOTFOUND;
    enum hf_status status = trail_open(trails, plan, &ret_opened->trail, err);
    if (status == HF_OK)
        status = change_resume(ret_opened->trail, false, err);
    else if (ret_opened->made)
        folder_remove(name, folder);
    return status;
}

/* As if they had never been: else a later start would find them, and drain them. */
static void
undo(struct opened *opened, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!opened[i].trail)
            continue;
        if (opened[i].made)
            folder_remove(opened[i].trail->name, opened[i].trail->folder);
        trail_free(opened[i].trail);
    }
}

/* Everything that can fail. What it opens takes its plan. */
static enum hf_status
open_new(struct hf_trails *trails, const struct hf_config *config, struct plan **plans,
         struct opened *opened, struct hf_error *err)
{
    for (size_t i = 0; i < config->trail_count; i++) {
        if (find_trail(trails, config->trails[i].name))
            continue;
        enum hf_status status = open_one(trails, hf_take(plans[i]), &opened[i], err);
        if (status != HF_OK) {
            undo(opened, i + 1);
            return status;
        }
    }
    return HF_OK;
}

/* What sources had handed over by now was taken under the settings so far, durable or not. */
static void
apply_plans(struct hf_trails *trails, const struct hf_config *config, struct plan **plans,
            const struct opened *opened)
{
    struct hf_journal_info info;
    hf_journal_info(trails->options.journal, &info);
    for (struct trail *trail = trails->trails; trail; trail = trail->next) {
        if (!hf_config_trail(config, trail->name) && !trail->draining)
            change_begin(trail, NULL, info.next_seq - 1);
    }
    for (size_t i = 0; i < config->trail_count; i++) {
        struct trail *trail = find_trail(trails, config->trails[i].name);
        if (!trail) {
            append_trail(trails, opened[i].trail);
            hf_log_info("trail.new", HF_STR("trail", opened[i].trail->name));
        } else if (!same_settings(trail, plans[i])) {
            change_begin(trail, hf_take(plans[i]), info.next_seq - 1);
        }
    }
    set_wipe(trails);
}

struct configure_call {
    struct hf_config *config;
    enum hf_status status;
    struct hf_error *err;
};

static void
run_configure(struct hf_trails *trails, void *argument)
{
    struct configure_call *call = argument;
    struct plan *plans[TRAILS_MAX] = { NULL };
    struct opened opened[TRAILS_MAX] = { { NULL } };
    call->status = stores_needed(trails, call->config, call->err);
    if (call->status == HF_OK)
        call->status = make_plans(trails, call->config, plans, call->err);
    if (call->status != HF_OK)
        return;
    call->status = open_new(trails, call->config, plans, opened, call->err);
    if (call->status == HF_OK) {
        stores_configure(trails, call->config);
        apply_plans(trails, call->config, plans, opened);
    }
    for (size_t i = 0; i < call->config->trail_count; i++)
        plan_let_go(plans[i]); /* those that nobody took */
    if (call->status != HF_OK)
        return;
    hf_config_unref(trails->config); /* no job borrows from it: they have their plan and store */
    trails->config = call->config;
}

enum hf_status
hf_trails_configure(struct hf_trails *trails, struct hf_config *config, struct hf_error *err)
{
    struct configure_call call = { .config = config, .err = err };
    inbox_call(trails, run_configure, &call);
    return call.status;
}

/* Trails that left the configuration while the agent was down, or had not drained when it
 * stopped. */
static enum hf_status
open_draining(struct hf_trails *trails, const struct hf_config *config, struct hf_error *err)
{
    char folder[HF_PATH_MAX], own[HF_PATH_MAX];
    char **names;
    size_t count;
    hf_path_join(folder, sizeof(folder), trails->options.state_dir, "trails");
    enum hf_status status = hf_fs_mkdirs(folder, 0700, err);
    if (status == HF_OK)
        status = hf_fs_list(folder, 4096, &names, &count, err);
    if (status != HF_OK)
        return status;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        if (hf_config_trail(config, names[i]))
            continue;
        hf_path_join(own, sizeof(own), folder, names[i]);
        struct settings settings;
        struct plan *plan;
        struct trail *trail;
        status = settings_load(own, &settings, err);
        if (status == HF_ENOTFOUND) { /* its folder was being removed when the agent stopped */
            status = HF_OK;
            continue;
        }
        if (status == HF_OK)
            status = plan_new(trails, &settings, &plan, err);
        if (status == HF_OK)
            status = trail_open(trails, plan, &trail, err);
        if (status == HF_OK) {
            append_trail(trails, trail);
            status = change_resume(trail, true, err);
        }
    }
    hf_fs_names_free(names, count);
    return status;
}

/* Takes the plans of those that it opens: who has a ledger already, or who has none. */
static enum hf_status
open_configured(struct hf_trails *trails, size_t count, struct plan **plans, bool begun,
                struct hf_error *err)
{
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        char folder[HF_PATH_MAX];
        struct trail *trail;
        bool is_begun = begun;
        if (!plans[i])
            continue;
        snprintf(folder, sizeof(folder), "%s/trails/%s", trails->options.state_dir,
                 plans[i]->settings.name);
        status = settings_exist(folder, &is_begun, err);
        if (status != HF_OK || is_begun != begun)
            continue;
        status = trail_open(trails, hf_take(plans[i]), &trail, err);
        if (status == HF_OK) {
            append_trail(trails, trail);
            status = change_resume(trail, false, err);
        }
    }
    return status;
}

/* New trails last: what time it may be when they begin is known from the others. */
static enum hf_status
open_all(struct hf_trails *trails, const struct hf_config *config, struct hf_error *err)
{
    struct plan *plans[TRAILS_MAX] = { NULL };
    enum hf_status status = make_plans(trails, config, plans, err);
    if (status != HF_OK)
        return status;
    status = open_configured(trails, config->trail_count, plans, true, err);
    if (status == HF_OK)
        status = open_draining(trails, config, err);
    if (status == HF_OK)
        status = open_configured(trails, config->trail_count, plans, false, err);
    for (size_t i = 0; i < config->trail_count; i++)
        plan_let_go(plans[i]);
    if (status == HF_OK)
        status = stores_needed(trails, config, err);
    trails_carry_on(trails);
    return status;
}

static void
free_all(struct hf_trails *trails)
{
    while (trails->trails) {
        struct trail *trail = trails->trails;
        trails->trails = trail->next;
        trail_free(trail);
    }
    hf_config_unref(trails->config);
    hf_freep(&trails->reserve.path);
    hf_freep(&trails->options.state_dir);
    inbox_free(trails->inbox);
    hf_freep(&trails);
}

static struct hf_trails *
new_trails(const struct hf_trails_options *options, const struct hf_config *config)
{
    struct hf_trails *trails = hf_alloc(sizeof(*trails));
    trails->options = *options;
    trails->last_clock_ms = INT64_MIN;
    trails->options.state_dir =
        hf_strdup(options->state_dir); /* a trail that a reload brings is made there, too */
    trails->inbox = inbox_new();
    trails->seals_most =
        (unsigned)config->agent.sealers + 1; /* one waits, so that no sealer does */
    trails->reserve.path = hf_asprintf("%s/reserve", options->state_dir);
    uint64_t largest = 0;
    for (size_t i = 0; i < config->trail_count; i++)
        largest = HF_MAX(largest, config->trails[i].window_max_bytes);
    trails->reserve.bytes = config->agent.sealers * (largest + (1u << 20)) + (16u << 20);
    return trails;
}

enum hf_status
hf_trails_start(const struct hf_trails_options *options, struct hf_config *config,
                struct hf_trails **ret_trails, struct hf_error *err)
{
    struct hf_trails *trails = new_trails(options, config);
    enum hf_status status = open_all(trails, config, err);
    if (status != HF_OK) {
        free_all(trails);
        return status;
    }
    set_wipe(trails);
    reserve_fill(trails);
    trails->config = config;
    stores_configure(trails, config);
    trails->sealers = hf_sealers_start(options->journal, (unsigned)config->agent.sealers);
    inbox_run(trails, trails_run);
    *ret_trails = trails;
    return HF_OK;
}

/* What has receipts is signed before the end, even when there is no time left to deliver the
 * digest: the next start does. */
static void
run_last_turn(struct hf_trails *trails, void *argument)
{
    struct hf_error err;
    (void)argument;
    flush_abandon(trails);
    for (struct trail *trail = trails->trails; trail; trail = trail->next) {
        if (trail->lists.object_count && digest_may_cut(trail)) {
            trail->chain.due_now = true;
            digest_cut(trail);
        }
        if (digest_seal(trail, &err) != HF_OK)
            hf_log_error("digest.failed", HF_STR("trail", trail->name), HF_ERR(&err));
    }
    trails->stopping = true; /* no new attempt; what comes back is still recorded */
}

void
hf_trails_stop(struct hf_trails *trails, int64_t wait_ms)
{
    inbox_call(trails, run_last_turn, NULL);
    hf_sealers_stop(trails->sealers);
    stores_stop(trails,
                /* hands everything back; the thread, which touches no store any more, records it */
                wait_ms);
    inbox_stop(trails->inbox);
    free_all(trails);
}
