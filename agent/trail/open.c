/* A trail from what lies on disk: ledger replayed, sealed files matched with their windows,
 * leftovers removed. */
#include "agent/trail/trail_impl.h"
#include <fcntl.h>
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

struct window *
window_new(struct trail *trail, const struct hf_window *range, int64_t time_s, unsigned generation,
           const char *key)
{
    struct window *window = hf_alloc(sizeof(*window)), **end = &trail->windows;
    window->trail = trail;
    window->range = *range;
    window->time_s = time_s;
    window->generation = generation;
    snprintf(window->id, sizeof(window->id), "%llu-%llu", (unsigned long long)range->first_seq,
             (unsigned long long)range->last_seq);
    snprintf(window->key, sizeof(window->key), "%s", key);
    window->out = (struct outgoing){ .trail = trail, .first_retain_s = -1, .last_retain_s = -1 };
    window_set_path(window);
    while (*end)
        end = &(*end)->next;
    *end = window;
    return window;
}

char *
window_path(const struct window *window, unsigned generation)
{
    return hf_asprintf("%s/sealed/w%s.%u", window->trail->folder, window->id, generation);
}

void
window_set_path(struct window *window)
{
    hf_freep(&window->out.path);
    window->out.path = window_path(window, window->generation);
}

void
window_free(struct window *window)
{
    outgoing_done(&window->out);
    hf_freep(&window->lost);
    hf_freep(&window);
}

void
window_remove(struct trail *trail, struct window *window)
{
    for (struct window **at = &trail->windows; *at; at = &(*at)->next) {
        if (*at == window) {
            *at = window->next;
            window_free(window);
            return;
        }
    }
}

void
outgoing_done(struct outgoing *out)
{
    hf_sealed_free(out->sealed);
    hf_freep(&out->path);
    out->sealed = NULL;
}

/* A sealed file that is whole is the step "sealed" done. A missing or damaged one is sealed
 * again; one that only cannot be read now is a fault of this host, and no reason to call
 * anything lost. */
static enum hf_status
match_sealed(struct trail *trail, struct outgoing *out, struct hf_error *err)
{
    enum hf_status status = hf_sealed_open(out->path, true, &out->sealed, err);
    if (status == HF_OK)
        trail->spool_bytes += out->sealed->size;
    else if (status == HF_ECORRUPT || status == HF_EFORMAT)
        hf_log_error("sealed.damaged", HF_STR("trail", trail->name), HF_STR("file", out->path),
                     HF_STR("error", err ? err->text : ""));
    else if (status != HF_ENOTFOUND)
        return status;
    return HF_OK;
}

static bool
is_wanted(const struct trail *trail, const char *path)
{
    if (trail->digest && trail->digest->out.path && strcmp(trail->digest->out.path, path) == 0)
        return true;
    for (const struct window *window = trail->windows; window; window = window->next) {
        if (strcmp(window->out.path, path) == 0)
            return true;
    }
    return false;
}

/* Files whose receipt is durable but whose unlink was not reached, and temporaries. */
static enum hf_status
remove_leftovers(struct trail *trail, const char *folder, struct hf_error *err)
{
    char **names;
    size_t count;
    enum hf_status status = hf_fs_list(folder, 1u << 20, &names, &count, err);
    if (status != HF_OK)
        return status;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        char path[HF_PATH_MAX];
        hf_path_join(path, sizeof(path), folder, names[i]);
        if (!is_wanted(trail, path))
            status = hf_fs_unlink(path, err);
    }
    hf_fs_names_free(names, count);
    return status;
}

static enum hf_status
match_files(struct trail *trail, struct hf_error *err)
{
    char folder[HF_PATH_MAX];
    hf_path_join(folder, sizeof(folder), trail->folder, "sealed");
    enum hf_status status = hf_fs_mkdirs(folder, 0700, err);
    if (status != HF_OK)
        return status;
    for (struct window *window = trail->windows; window && status == HF_OK; window = window->next) {
        status = match_sealed(trail, &window->out, err);
        window->state = window->out.sealed ? WINDOW_SEALED : WINDOW_CUT;
    }
    if (trail->digest && status == HF_OK) {
        trail->digest->out.path = hf_asprintf("%s/sealed/d%llu", trail->folder,
                                              (unsigned long long)trail->digest->digest.number);
        status = match_sealed(trail, &trail->digest->out, err);
    }
    return status != HF_OK ? status : remove_leftovers(trail, folder, err);
}

/* What a new trail begins with. */
static enum hf_status
begin_chain(struct trail *trail, struct hf_error *err)
{
    uint8_t id[16];
    hf_random(id, sizeof(id));
    hf_hex(id, sizeof(id), trail->chain);
    struct hf_journal_info info;
    hf_journal_info(trail->trails->options.journal, &info);
    uint64_t from = trail->plan->settings.start_oldest ? info.oldest_seq : info.next_seq;
    trail->cut_seq = trail->digested_seq = from ? from - 1 : 0;
    trail->created_s = trail->last_time_s = hf_wall_s();
    hf_owned(hf_doc_freep) json_t *doc = step_state_doc(trail);
    enum hf_status status = hf_ledger_add(trail->ledger, HF_STEP_STATE, doc, err);
    return status == HF_OK ? hf_ledger_sync(trail->ledger, err) : status;
}

enum hf_status
trail_new_cutter(struct trail *trail, struct hf_error *err)
{
    struct hf_cutter *cutter;
    struct rule rule =
        trail->rule.gone ? rule_of(trail->plan) : trail->rule; /* nothing is cut while it is gone */
    enum hf_status status =
        hf_cutter_new(trail->trails->options.journal, &rule.selection, rule.window_s,
                      rule.window_max_bytes, trail->cut_seq + 1, &cutter, err);
    if (status != HF_OK)
        return status;
    hf_cutter_free(trail->cutter);
    trail->cutter = cutter;
    return HF_OK;
}

/* What is in windows was durable before: a journal that ends earlier is not the one that this
 * ledger follows. Its sequences would be given a second time, and never reach this trail. */
static enum hf_status
check_journal(const struct trail *trail, struct hf_error *err)
{
    struct hf_journal_info info;
    hf_journal_info(trail->trails->options.journal, &info);
    if (!trail->rule.gone && trail->cut_seq < info.released_seq &&
        trail->cut_seq + 1 < info.oldest_seq)
        return hf_fail(err, HF_EREFUSED,
                       "its ledger ends at sequence %llu, but the journal has let go of everything "
                       "before %llu, which it does only when each ledger says that it is sealed: "
                       "the ledger in '%s' was rolled back; put the newer one back, or move that "
                       "folder away, and the trail begins a new chain",
                       (unsigned long long)trail->cut_seq, (unsigned long long)info.oldest_seq,
                       trail->folder);
    if (trail->cut_seq < info.next_seq)
        return HF_OK;
    return hf_fail(err, HF_EREFUSED,
                   "its ledger has sequences up to %llu, but the journal ends at %llu: the journal "
                   "in '%s' was taken away, rolled back or mixed with another; put it back, or "
                   "start with an empty state_dir",
                   (unsigned long long)trail->cut_seq, (unsigned long long)info.next_seq - 1,
                   trail->trails->options.state_dir);
}

void
trail_retire_plan(struct trail *trail, struct plan *plan)
{
    plan->next = trail->trails->old_plans;
    trail->trails->old_plans = plan;
}

void
trail_set_plan(struct trail *trail, struct plan *plan)
{
    if (trail->plan && trail->plan != plan)
        trail_retire_plan(trail, trail->plan);
    trail->plan = plan;
    snprintf(plan->chain, sizeof(plan->chain), "%s", trail->chain);
}

void
trail_make_folder(struct trail *trail)
{
    struct hf_error err;
    char folder[HF_PATH_MAX];
    hf_path_join(folder, sizeof(folder), trail->folder, "sealed");
    if (hf_fs_mkdirs(folder, 0700, &err) != HF_OK)
        hf_log_error("seal.failed", HF_STR("trail", trail->name), HF_ERR(&err));
}

/* One of its two files was damaged, and was made whole from the other: nothing is lost, but the
 * disk has to be looked at. */
static void
tell_repair(struct trail *trail, const char *file, const struct hf_ledger_file_recovery *recovery)
{
    if (recovery->missing || recovery->unreadable)
        hf_log_warn(
            "ledger.rebuilt", HF_STR("trail", trail->name), HF_STR("file", file),
            HF_STR("reason", recovery->missing ? "it was not there" : "the disk gave an error"));
    else if (recovery->repaired_steps)
        hf_log_error("ledger.repaired", HF_STR("trail", trail->name), HF_STR("file", file),
                     HF_NUM("byte", recovery->repaired_byte),
                     HF_NUM("steps", recovery->repaired_steps));
    trail->ledger_repairs += recovery->repaired_steps + recovery->unreadable;
}

static enum hf_status
open_ledger(struct trail *trail, struct hf_error *err)
{
    struct hf_ledger_recovery recovery;
    char path[HF_PATH_MAX];
    bool begun;
    hf_path_join(path, sizeof(path), trail->folder, "ledger");
    enum hf_status status = settings_exist(trail->folder, &begun, err);
    if (status == HF_OK)
        status = hf_ledger_open(path, begun, step_replay, trail, &trail->ledger, &recovery, err);
    if (status != HF_OK)
        return status;
    tell_repair(trail, "ledger", &recovery.file);
    tell_repair(trail, "ledger.copy", &recovery.copy);
    if (recovery.torn_bytes)
        hf_log_info("ledger.torn", HF_STR("trail", trail->name),
                    HF_NUM("bytes", recovery.torn_bytes));
    return HF_OK;
}

/* What a crash has left while the ledger or the settings were written anew: as large as a
 * ledger, and nobody reads it. */
static enum hf_status
remove_temporaries(struct trail *trail, struct hf_error *err)
{
    char **names;
    size_t count;
    enum hf_status status = hf_fs_list(trail->folder, 4096, &names, &count, err);
    if (status != HF_OK)
        return status;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        char path[HF_PATH_MAX];
        hf_path_join(path, sizeof(path), trail->folder, names[i]);
        if (*names[i] == '.' && strstr(names[i], ".tmp-"))
            status = hf_fs_unlink(path, err);
    }
    hf_fs_names_free(names, count);
    return status;
}

static enum hf_status
open_files(struct trail *trail, struct hf_error *err)
{
    enum hf_status status = hf_fs_mkdirs(trail->folder, 0700, err);
    if (status == HF_OK)
        status = remove_temporaries(trail, err);
    if (status == HF_OK)
        status = open_ledger(trail, err);
    if (status == HF_OK && !*trail->chain)
        status = begin_chain(trail, err);
    if (status == HF_OK)
        status = check_journal(trail, err);
    if (status == HF_OK)
        status = match_files(trail, err);
    if (status == HF_OK)
        status = trail_save_settings(trail, err);
    return status;
}

static struct trail *
new_trail(struct hf_trails *trails, struct plan *plan)
{
    struct trail *trail = hf_alloc(sizeof(*trail));
    trail->trails = trails;
    trail->plan = plan;
    trail->rule = rule_of(plan); /* unless its ledger says otherwise */
    trail->name = hf_strdup(plan->settings.name);
    trail->folder = hf_asprintf("%s/trails/%s", trails->options.state_dir, trail->name);
    trail->key_out = (struct outgoing){ .trail = trail, .first_retain_s = -1, .last_retain_s = -1 };
    return trail;
}

/* What this trail has done is not known any more, and guessing would lose or double events: it
 * does nothing, and keeps its place in the journal, which is none. The agent and the other
 * trails go on. */
static struct trail *
new_damaged(struct hf_trails *trails, struct plan *plan, const struct hf_error *cause)
{
    struct trail *trail = new_trail(trails, plan);
    struct hf_error err = { 0 };
    (void)hf_fail(&err, HF_ECORRUPT,
                  "%s; this trail and the release of the journal wait until both files are put "
                  "back, or '%s' is moved away for a new chain, and the agent is started again",
                  cause->text, trail->folder);
    trail->damaged = true;
    trail_move(trail, TRAIL_HELD, &err);
    return trail;
}

enum hf_status
trail_open(struct hf_trails *trails, struct plan *plan, struct trail **ret_trail,
           struct hf_error *err)
{
    struct trail *trail = new_trail(trails, plan);
    enum hf_status status = open_files(trail, err);
    if (status == HF_ECORRUPT) {
        trail->plan = NULL;
        trail_free(trail);
        *ret_trail = new_damaged(trails, plan, err);
        return HF_OK;
    }
    if (status == HF_OK) {
        trail_set_plan(trail, plan);
        hf_layout_chain_tag(trails->options.identity->journal, trail->name, trail->chain,
                            trail->tag);
        status = trail_new_cutter(trail, err);
    }
    if (status != HF_OK) {
        hf_while(err, status, "trail '%s'", trail->name);
        trail_free(trail);
        return status;
    }
    digest_schedule(trail);
    *ret_trail = trail;
    return HF_OK;
}

void
trail_free(struct trail *trail)
{
    while (trail->windows)
        window_remove(trail, trail->windows);
    digest_work_free(trail->digest);
    outgoing_done(&trail->key_out);
    for (size_t i = 0; i < trail->object_count; i++)
        object_done(&trail->objects[i]);
    for (size_t i = 0; i < trail->loss_count; i++)
        hf_freep(&trail->losses[i].reason);
    for (size_t i = 0; i < trail->foreign_count; i++)
        hf_freep(&trail->foreign[i]);
    hf_freep(&trail->objects);
    hf_freep(&trail->losses);
    hf_freep(&trail->noted);
    hf_freep(&trail->foreign);
    hf_freep(&trail->head.signature);
    hf_freep(&trail->old_head);
    hf_buf_done(&trail->check.newest_digest);
    hf_freep(&trail->check.newest_signature);
    strays_forget(trail, INT64_MAX);
    hf_cutter_free(trail->cutter);
    hf_ledger_close(trail->ledger);
    plan_free(trail->plan);
    change_free_all(trail);
    hf_freep(&trail->name);
    hf_freep(&trail->folder);
    hf_freep(&trail);
}

static void
warn_leftover(struct trail *trail, enum hf_status status, const struct hf_error *err)
{
    if (status != HF_OK && status != HF_ENOTFOUND)
        hf_log_warn("trail.leftover", HF_STR("trail", trail->name), HF_ERR(err));
}

/* The last thing a drained trail does. Its ledger goes last, so that a crash in between leaves a
 * trail that has drained; without settings, that it is gone is no damage. */
void
trail_remove_folder(struct trail *trail)
{
    struct hf_error err;
    char path[HF_PATH_MAX];
    hf_path_join(path, sizeof(path), trail->folder, "sealed");
    warn_leftover(trail, remove_leftovers(trail, path, &err), &err);
    warn_leftover(trail, hf_fs_rmdir(path, &err), &err);
    warn_leftover(trail, settings_remove(trail->folder, &err), &err);
    warn_leftover(trail, hf_fs_sync_dir(trail->folder, &err), &err);
    hf_path_join(path, sizeof(path), trail->folder, "ledger");
    warn_leftover(trail, hf_ledger_remove(path, &err), &err);
    warn_leftover(trail, hf_fs_rmdir(trail->folder, &err), &err);
}
