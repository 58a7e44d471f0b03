/* A trail from what lies on disk: ledger replayed, sealed files matched with their windows,
 * leftovers removed. */
#include "agent/trail/delivery.h"
#include "agent/trail/saved.h"
#include "agent/trail/set.h"

#include <stdio.h>
#include <string.h>

/* ---- sealed files ---- */

/* A sealed file that is whole is the step "sealed" done. A missing or damaged one is sealed
 * again; one that only cannot be read now is a fault of this host, and no reason to call
 * anything lost. */
static enum hf_status
match_sealed(struct trail *trail, struct outgoing *out, struct hf_error *err)
{
    struct hf_sealed *sealed;
    enum hf_status status = hf_sealed_open(out->path, true, &sealed, err);
    if (status == HF_OK)
        outbox_hold(&trail->outbox, out, sealed);
    else if (status == HF_ECORRUPT || status == HF_EFORMAT)
        hf_log_error("sealed.damaged", HF_STR("trail", trail->name), HF_STR("file", out->path),
                     HF_STR("error", err ? err->text : ""));
    else if (status != HF_ENOTFOUND)
        return status;
    return HF_OK;
}

/* The file names the key it goes to. The cut may name another: it stands in the ledger, and the
 * configuration may have changed between it and the sealing. */
static enum hf_status
match_window(struct trail *trail, struct window *window, struct hf_error *err)
{
    enum hf_status status = match_sealed(trail, &window->out, err);
    window->state = window->out.sealed ? WINDOW_SEALED : WINDOW_CUT;
    if (window->out.sealed)
        snprintf(window->key, sizeof(window->key), "%s", window->out.sealed->key);
    return status;
}

static enum hf_status
match_digest(struct trail *trail, struct digest_work *work, struct hf_error *err)
{
    enum hf_status status = match_sealed(trail, &work->out, err);
    const struct hf_sealed *sealed = work->out.sealed;
    if (!sealed)
        return status;
    hf_freep(&work->digest.bucket);
    hf_freep(&work->digest.key);
    work->digest.bucket = hf_strdup(sealed->bucket);
    work->digest.key = hf_strdup(sealed->key);
    return HF_OK;
}

static bool
is_wanted(const struct trail *trail, const char *path)
{
    if (trail->chain.digest && strcmp(trail->chain.digest->out.path, path) == 0)
        return true;
    for (const struct window *window = trail->outbox.windows; window; window = window->next) {
        if (strcmp(window->out.path, path) == 0)
            return true;
    }
    return false;
}

/* Files whose receipt is durable but whose unlink was not reached, and temporaries. */
static enum hf_status
remove_leftovers(const struct trail *trail, struct hf_error *err)
{
    char **names;
    size_t count;
    enum hf_status status = hf_fs_list(trail->sealed_folder, 1u << 20, &names, &count, err);
    if (status != HF_OK)
        return status;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        char path[HF_PATH_MAX];
        hf_path_join(path, sizeof(path), trail->sealed_folder, names[i]);
        if (!is_wanted(trail, path))
            status = hf_fs_unlink(path, err);
    }
    hf_fs_names_free(names, count);
    return status;
}

static enum hf_status
match_files(struct trail *trail, struct hf_error *err)
{
    enum hf_status status = hf_fs_mkdirs(trail->sealed_folder, 0700, err);
    for (struct window *window = trail->outbox.windows; window && status == HF_OK;
         window = window->next) {
        outgoing_recover(&window->out);
        status = match_window(trail, window, err);
    }
    outgoing_recover(&trail->chain.key);
    if (trail->chain.digest && status == HF_OK) {
        outgoing_recover(&trail->chain.digest->out);
        status = match_digest(trail, trail->chain.digest, err);
    }
    return status == HF_OK ? remove_leftovers(trail, err) : status;
}

/* ---- ledger and journal ---- */

/* Not later than what is known, under a clock that nobody vouches for: T would never come back. */
static int64_t
first_time_s(const struct hf_trails *trails)
{
    int64_t last_s = trails_last_s(trails);
    return hf_clock_is_far_after(last_s) ? last_s : hf_wall_s();
}

/* What a new trail begins with. */
static enum hf_status
begin_chain(struct trail *trail, struct hf_error *err)
{
    uint8_t random[16];
    char id[HF_ID_SIZE];
    struct hf_journal_info info;
    hf_random(random, sizeof(random));
    hf_hex(random, sizeof(random), id);
    chain_set_id(&trail->chain, id);
    hf_journal_info(trail->trails->options.journal, &info);
    uint64_t from = trail->plan->settings.start_oldest ? info.oldest_seq : info.next_seq;
    line_skip_to(&trail->line, from ? from - 1 : 0);
    trail->chain.digested_seq = trail->line.cut_seq;
    trail->chain.created_s = trail->chain.time_s = first_time_s(trail->trails);
    struct state state = trail_state(trail);
    return book_begin(&trail->book, &state, err);
}

/* What is in windows was durable before: a journal that ends earlier is not the one that this
 * ledger follows. Its sequences would be given a second time, and never reach this trail. */
static enum hf_status
check_journal(const struct trail *trail, struct hf_error *err)
{
    const struct line *line = &trail->line;
    struct hf_journal_info info;
    hf_journal_info(trail->trails->options.journal, &info);
    if (!line->rule.gone && line->cut_seq < info.released_seq &&
        line->cut_seq + 1 < info.oldest_seq)
        return hf_fail(err, HF_EREFUSED,
                       "its ledger ends at sequence %llu, but the journal has let go of everything "
                       "before %llu, which it does only when each ledger says that it is sealed: "
                       "the ledger in '%s' was rolled back; put the newer one back, or move that "
                       "folder away, and the trail begins a new chain",
                       (unsigned long long)line->cut_seq, (unsigned long long)info.oldest_seq,
                       trail->folder);
    if (line->cut_seq < info.next_seq)
        return HF_OK;
    return hf_fail(err, HF_EREFUSED,
                   "its ledger has sequences up to %llu, but the journal ends at %llu: the journal "
                   "in '%s' was taken away, rolled back or mixed with another; put it back, or "
                   "start with an empty state_dir",
                   (unsigned long long)line->cut_seq, (unsigned long long)info.next_seq - 1,
                   trail->trails->options.state_dir);
}

static enum hf_status
open_files(struct trail *trail, struct hf_error *err)
{
    struct state state = trail_state(trail);
    enum hf_status status = hf_fs_mkdirs(trail->folder, 0700, err);
    if (status == HF_OK)
        status = folder_remove_temporaries(trail->folder, err);
    if (status == HF_OK)
        status = book_open(&trail->book, &state, trail->folder, err);
    if (status == HF_OK && !*trail->chain.id)
        status = begin_chain(trail, err);
    if (status == HF_OK)
        status = check_journal(trail, err);
    if (status == HF_OK)
        status = match_files(trail, err);
    if (status == HF_OK)
        status = settings_save(trail->folder, &trail->plan->settings, err);
    return status;
}

/* What this trail has done is not known any more, and guessing would lose or double events: it
 * does nothing, and keeps its place in the journal, which is none. The agent and the other
 * trails go on. */
static struct trail *
new_damaged(struct hf_trails *trails, struct plan *plan, const struct hf_error *cause)
{
    struct trail *trail = trail_new(trails, plan);
    struct hf_error err = { 0 };
    (void)hf_fail(&err, HF_ECORRUPT,
                  "%s; this trail and the release of the journal wait until both files are put "
                  "back, or '%s' is moved away for a new chain, and the agent is started again",
                  cause->text, trail->folder);
    trail->book.damaged = true;
    health_move(&trail->health, TRAIL_HELD, &err);
    return trail;
}

enum hf_status
trail_open(struct hf_trails *trails, struct plan *plan, struct trail **ret_trail,
           struct hf_error *err)
{
    struct trail *trail = trail_new(trails, plan);
    enum hf_status status = open_files(trail, err);
    if (status == HF_ECORRUPT) {
        trail->plan = NULL;
        trail_free(trail);
        *ret_trail = new_damaged(trails, plan, err);
        return HF_OK;
    }
    if (status == HF_OK) {
        trail_set_plan(trail, plan);
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
