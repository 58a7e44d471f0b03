/* The only writer of what the steps say: called when a step is taken, and when it is read again. */
#include "agent/trail/state.h"

#include <holdfast/config.h>
#include <stdio.h>
#include <string.h>

static const char *
or_empty(const char *text)
{
    return text ? text : "";
}

/* ---- windows ---- */

/* Windows stand in the order of their sequences: how far all is sealed, and the journal may be let
 * go, is seen from the first that is not. */
static enum hf_status
check_order(const struct outbox *outbox, const struct hf_window *range, struct hf_error *err)
{
    for (const struct window *window = outbox->windows; window; window = window->next) {
        if (range->first_seq <= window->range.last_seq)
            return hf_fail(err, HF_ECORRUPT, "window %llu-%llu is cut after %s",
                           (unsigned long long)range->first_seq,
                           (unsigned long long)range->last_seq, window->id);
    }
    return HF_OK;
}

static enum hf_status
apply_cut(const struct state *state, const struct step_cut *cut, struct hf_error *err)
{
    struct line *line = state->line;
    enum hf_status status = cut->range.count ? check_order(state->outbox, &cut->range, err) : HF_OK;
    if (status != HF_OK)
        return status;
    state->chain->time_s = HF_MAX(state->chain->time_s, cut->time_s);
    line->cut_seq = HF_MAX(line->cut_seq, HF_MAX(cut->range.last_seq, cut->cut_seq));
    line_drop_noted(line, cut->range.last_seq);
    if (cut->range.count == 0)
        return HF_OK; /* only remembered as covered */
    struct window *window =
        outbox_add(state->outbox, &cut->range, cut->time_s, cut->generation, cut->key);
    window->selection = cut->selection;
    if (!hf_compression_parse(cut->compression, &window->compression))
        window->compression = HF_COMPRESSION_USUAL; /* what an earlier version cut */
    window->lost_count = cut->lost_count;
    window->lost = hf_alloc((cut->lost_count + 1) * sizeof(*window->lost));
    if (cut->lost_count)
        memcpy(window->lost, cut->lost, cut->lost_count * sizeof(*window->lost));
    return HF_OK;
}

static struct outgoing *
find_outgoing(const struct state *state, const char *what)
{
    if (strcmp(what, "key") == 0)
        return &state->chain->key;
    if (strcmp(what, "digest") == 0)
        return state->chain->digest ? &state->chain->digest->out : NULL;
    struct window *window = outbox_find(state->outbox, what);
    return window ? &window->out : NULL;
}

static void
apply_attempt(const struct state *state, const struct step_attempt *attempt)
{
    struct outgoing *out = find_outgoing(state, attempt->what);
    if (out)
        outgoing_attempt(out, attempt->retain_until_s, attempt->foreign);
}

/* The window leaves, whether it was delivered or is lost. */
static void
apply_dropped(const struct state *state, const struct step_dropped *dropped)
{
    struct window *window = outbox_find(state->outbox, or_empty(dropped->window));
    if (window)
        outbox_remove(state->outbox, window);
}

static void
apply_receipt(const struct state *state, const struct step_receipt *receipt)
{
    struct hf_digest_object *object = lists_add_object(state->lists);
    *object = (struct hf_digest_object){ .bucket = hf_strdup(receipt->bucket),
                                         .key = hf_strdup(receipt->key),
                                         .oldest_s = receipt->oldest_s,
                                         .newest_s = receipt->newest_s,
                                         .first_seq = receipt->first_seq,
                                         .last_seq = receipt->last_seq,
                                         .count = receipt->count,
                                         .version_id = hf_strdup(receipt->version_id),
                                         .confirmed = hf_strdup(receipt->confirmed),
                                         .encryption = hf_strdup(receipt->encryption),
                                         .lock_mode = hf_strdup(receipt->lock_mode),
                                         .retain_until_s = receipt->retain_until_s,
                                         .repeated = receipt->repeated };
    memcpy(object->hash, receipt->hash, sizeof(object->hash));
    memcpy(object->stored_sha256, receipt->stored_sha256, sizeof(object->stored_sha256));
    memcpy(object->plain_sha256, receipt->plain_sha256, sizeof(object->plain_sha256));
    for (size_t i = 0; i < receipt->gap_count; i++)
        lists_add_gap(state->lists, receipt->gaps[i]);
    apply_dropped(state, &(struct step_dropped){ .window = receipt->window });
}

static void
apply_foreign(const struct state *state, const struct step_foreign *foreign)
{
    struct window *window = outbox_find(state->outbox, foreign->window);
    lists_add_foreign(state->lists, foreign->key);
    if (window && foreign->new_key)
        outbox_move(state->outbox, window, foreign->new_key,
                    foreign->generation ? foreign->generation : window->generation + 1);
}

/* Where no window is open in front of it, the line moves behind the loss. */
static void
apply_loss(const struct state *state, const struct step_loss *loss)
{
    struct line *line = state->line;
    lists_add_loss(state->lists, loss->first_seq, loss->last_seq, or_empty(loss->reason));
    line->cut_seq = HF_MAX(line->cut_seq, loss->cut_seq);
    line_note(line, loss->first_seq, loss->last_seq);
}

/* ---- digest and public key ---- */

static void
list_pending(struct hf_digest *digest, const struct step_digest_cut *cut)
{
    digest->pending_count = cut->pending_count;
    digest->pending = hf_alloc((cut->pending_count + 1) * sizeof(*digest->pending));
    for (size_t i = 0; i < cut->pending_count; i++)
        digest->pending[i] =
            (struct hf_digest_range){ .first_seq = cut->pending[i].first_seq,
                                      .last_seq = cut->pending[i].last_seq,
                                      .key = hf_strdup(or_empty(cut->pending[i].key)) };
}

static enum hf_status
apply_digest_cut(const struct state *state, const struct step_digest_cut *cut, struct hf_error *err)
{
    struct chain *chain = state->chain;
    if (cut->object_count != state->lists->object_count)
        return hf_fail(err, HF_ECORRUPT,
                       "digest %llu lists %llu objects, but %zu receipts stand before it",
                       (unsigned long long)cut->number, (unsigned long long)cut->object_count,
                       state->lists->object_count);
    struct digest_work *work = hf_alloc(sizeof(*work));
    struct hf_digest *digest = &work->digest;
    *digest = (struct hf_digest){ .number = cut->number,
                                  .start_s = cut->start_s,
                                  .end_s = cut->end_s,
                                  .bucket = hf_strdup(cut->bucket),
                                  .key = hf_strdup(cut->key),
                                  .fingerprint = hf_strdup(cut->fingerprint),
                                  .boot = hf_strdup(or_empty(cut->boot)),
                                  .first_seq = cut->first_seq,
                                  .last_seq = cut->last_seq };
    list_pending(digest, cut);
    lists_move(state->lists, digest);
    work->retain_most_s = chain->head.retain_until_s;
    for (size_t i = 0; i < digest->object_count; i++)
        work->retain_most_s = HF_MAX(work->retain_most_s, digest->objects[i].retain_until_s);
    work->out = outgoing_none();
    work->out.path = outbox_digest_path(state->outbox, cut->number);
    chain_set_digest(chain, work);
    chain->digested_seq = cut->last_seq;
    chain->time_s = HF_MAX(chain->time_s, cut->end_s);
    return HF_OK;
}

static void
set_head(struct chain *chain, const struct step_digest_receipt *receipt)
{
    struct head head = { .number = receipt->number,
                         .signature = hf_strdup(receipt->signature),
                         .end_s = receipt->end_s,
                         .retain_until_s = receipt->retain_until_s };
    int mode = receipt->lock_mode ? hf_lock_mode_parse(receipt->lock_mode) : HF_LOCK_NONE;
    head.lock_mode = mode == HF_UNSET ? HF_LOCK_NONE : mode;
    snprintf(head.bucket, sizeof(head.bucket), "%s", receipt->bucket);
    snprintf(head.key, sizeof(head.key), "%s", receipt->key);
    snprintf(head.hash, sizeof(head.hash), "%s", receipt->hash);
    chain_set_head(chain, &head);
}

static void
apply_digest_receipt(const struct state *state, const struct step_digest_receipt *receipt)
{
    struct digest_work *work = state->chain->digest;
    set_head(state->chain, receipt);
    if (work)
        outbox_release(state->outbox, &work->out);
    chain_set_digest(state->chain, NULL);
}

/* Nothing of the key's attempts is left, above all not that its place was taken: an old reason
 * would stand in `status` for ever. */
static void
apply_key_receipt(const struct state *state, const struct step_key_receipt *receipt)
{
    struct chain *chain = state->chain;
    snprintf(chain->key_place, sizeof(chain->key_place), "%s", or_empty(receipt->place));
    outgoing_done(&chain->key);
}

/* ---- the whole ---- */

static void
set_rules(struct line *line, const struct step_state *said)
{
    if (!said->rule_count)
        return; /* from before rules stood here: the configuration's */
    line_drop_changes(line);
    for (size_t i = 0; i < said->rule_count; i++) {
        if (i == 0)
            line->rule = said->rules[i].rule;
        else
            line_add_change(line, said->rules[i - 1].to_seq, &said->rules[i].rule, NULL);
    }
}

static enum hf_status
apply_state(const struct state *state, const struct step_state *said, struct hf_error *err)
{
    struct chain *chain = state->chain;
    struct line *line = state->line;
    if (said->format != STATE_FORMAT)
        return hf_fail(err, HF_EVERSION, "ledger format %u: made by a newer holdfast",
                       said->format);
    if (*chain->id || !*said->chain)
        return hf_fail(err, HF_ECORRUPT, *chain->id ? "a second state" : "a state without a chain");
    if (strcmp(said->journal, chain->journal) != 0)
        return hf_fail(err, HF_EREFUSED,
                       "the ledger belongs to journal %s: parts of two state directories were "
                       "mixed",
                       said->journal);
    chain_set_id(chain, said->chain);
    chain->created_s = said->created_s;
    chain->time_s = said->time_s;
    chain->digested_seq = said->digested_seq;
    snprintf(chain->key_place, sizeof(chain->key_place), "%s", or_empty(said->key_place));
    hf_freep(&chain->old_head);
    chain->old_head = hf_strdup(said->old_head);
    line->cut_seq = said->cut_seq;
    hf_freep(&line->noted);
    line->noted_count = said->noted_count;
    if (said->noted_count) {
        line->noted = hf_alloc(said->noted_count * sizeof(*line->noted));
        memcpy(line->noted, said->noted, said->noted_count * sizeof(*line->noted));
    }
    set_rules(line, said);
    if (said->head.number)
        set_head(chain, &said->head);
    return HF_OK;
}

enum hf_status
step_apply(const struct state *state, const struct step *step, struct hf_error *err)
{
    /* who finds no chain takes the ledger for a new one */
    if (step->kind != HF_STEP_STATE && !*state->chain->id)
        return hf_fail(err, HF_ECORRUPT, "the ledger does not begin with its state");
    switch (step->kind) {
    case HF_STEP_STATE: return apply_state(state, &step->state, err);
    case HF_STEP_CUT: return apply_cut(state, &step->cut, err);
    case HF_STEP_ATTEMPT: apply_attempt(state, &step->attempt); return HF_OK;
    case HF_STEP_RECEIPT: apply_receipt(state, &step->receipt); return HF_OK;
    case HF_STEP_DIGEST_CUT: return apply_digest_cut(state, &step->digest_cut, err);
    case HF_STEP_DIGEST_RECEIPT: apply_digest_receipt(state, &step->digest_receipt); return HF_OK;
    case HF_STEP_KEY_RECEIPT: apply_key_receipt(state, &step->key_receipt); return HF_OK;
    case HF_STEP_FOREIGN: apply_foreign(state, &step->foreign); return HF_OK;
    case HF_STEP_DROPPED: apply_dropped(state, &step->dropped); return HF_OK;
    case HF_STEP_LOSS: apply_loss(state, &step->loss); return HF_OK;
    }
    return hf_fail(err, HF_ECORRUPT, "unknown step %d", (int)step->kind);
}
