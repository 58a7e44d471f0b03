/* The steps that come to a state, in the order that replay needs: first what the digest under way
 * lists, then its cut, then what is still in the open. */
#include "agent/trail/state.h"

struct writer {
    void (*visit)(void *context, const struct step *step);
    void *context;
};

static void
give(const struct writer *to, const struct step *step)
{
    to->visit(to->context, step);
}

static struct step_digest_receipt
head_step(const struct head *head)
{
    return (struct step_digest_receipt){ .number = head->number,
                                         .bucket = head->bucket,
                                         .key = head->key,
                                         .hash = head->hash,
                                         .signature = head->signature,
                                         .end_s = head->end_s,
                                         .retain_until_s = head->retain_until_s,
                                         .lock_mode = head->lock_mode == HF_LOCK_NONE
                                                          ? NULL
                                                          : hf_lock_mode_text(head->lock_mode) };
}

/* Each rule up to where the next one begins, the last one without end. */
static struct step_rule *
rules(const struct line *line, size_t *ret_count)
{
    size_t count = 1;
    for (const struct change *change = line->changes; change; change = change->next)
        count++;
    struct step_rule *all = hf_alloc(count * sizeof(*all));
    all[0] = (struct step_rule){ .rule = line->rule, .to_seq = UINT64_MAX };
    count = 1;
    for (const struct change *change = line->changes; change; change = change->next) {
        all[count - 1].to_seq = change->after_seq;
        all[count++] = (struct step_rule){ .rule = change->rule, .to_seq = UINT64_MAX };
    }
    *ret_count = count;
    return all;
}

static void
give_state(const struct writer *to, const struct state *state)
{
    const struct chain *chain = state->chain;
    size_t count;
    hf_owned(hf_freep) struct step_rule *all = rules(state->line, &count);
    give(to, &(struct step){ .kind = HF_STEP_STATE,
                             .state = { .format = STATE_FORMAT,
                                        .trail = chain->trail,
                                        .journal = chain->journal,
                                        .chain = chain->id,
                                        .created_s = chain->created_s,
                                        .time_s = chain->time_s,
                                        .cut_seq = state->line->cut_seq,
                                        .digested_seq = chain->digested_seq,
                                        .key_place = chain->key_place,
                                        .old_head = chain->old_head,
                                        .rules = all,
                                        .rule_count = count,
                                        .noted = state->line->noted,
                                        .noted_count = state->line->noted_count,
                                        .head = head_step(&chain->head) } });
}

static void
give_attempt(const struct writer *to, const char *what, int64_t retain_s, bool foreign)
{
    give(to, &(struct step){ .kind = HF_STEP_ATTEMPT, .attempt = { what, retain_s, foreign } });
}

/* The first and the last one: of those between nothing is asked any more. Also of a key that is
 * not sealed again yet: its dates and what lies in its place stay known. */
static void
give_attempts(const struct writer *to, const char *what, const struct outgoing *out)
{
    if (out->first_retain_s < 0)
        return;
    give_attempt(to, what, out->first_retain_s, out->foreign);
    if (out->last_retain_s != out->first_retain_s)
        give_attempt(to, what, out->last_retain_s, out->foreign);
}

static void
give_object(const struct writer *to, const struct hf_digest_object *object)
{
    give(to, &(struct step){ .kind = HF_STEP_RECEIPT,
                             .receipt = { .window = "",
                                          .bucket = object->bucket,
                                          .key = object->key,
                                          .hash = object->hash,
                                          .stored_sha256 = object->stored_sha256,
                                          .plain_sha256 = object->plain_sha256,
                                          .oldest_s = object->oldest_s,
                                          .newest_s = object->newest_s,
                                          .first_seq = object->first_seq,
                                          .last_seq = object->last_seq,
                                          .count = object->count,
                                          .version_id = object->version_id,
                                          .confirmed = object->confirmed,
                                          .encryption = object->encryption,
                                          .lock_mode = object->lock_mode,
                                          .retain_until_s = object->retain_until_s,
                                          .repeated = object->repeated } });
}

/* Gaps are losses by now, each with a step of its own. */
static void
give_lists(const struct writer *to, const struct hf_digest *lists)
{
    for (size_t i = 0; i < lists->object_count; i++)
        give_object(to, &lists->objects[i]);
    for (size_t i = 0; i < lists->loss_count; i++)
        give(to, &(struct step){ .kind = HF_STEP_LOSS,
                                 .loss = { .first_seq = lists->losses[i].first_seq,
                                           .last_seq = lists->losses[i].last_seq,
                                           .reason = lists->losses[i].reason } });
    for (size_t i = 0; i < lists->foreign_count; i++)
        give(to, &(struct step){ .kind = HF_STEP_FOREIGN,
                                 .foreign = { .window = "", .key = lists->foreign[i] } });
}

static void
give_digest(const struct writer *to, const struct digest_work *work)
{
    const struct hf_digest *digest = &work->digest;
    hf_owned(hf_freep) struct step_pending *pending =
        hf_alloc((digest->pending_count + 1) * sizeof(*pending));
    for (size_t i = 0; i < digest->pending_count; i++)
        pending[i] = (struct step_pending){ .first_seq = digest->pending[i].first_seq,
                                            .last_seq = digest->pending[i].last_seq,
                                            .key = digest->pending[i].key };
    give_lists(to, digest);
    give(to, &(struct step){ .kind = HF_STEP_DIGEST_CUT,
                             .digest_cut = { .number = digest->number,
                                             .start_s = digest->start_s,
                                             .end_s = digest->end_s,
                                             .bucket = digest->bucket,
                                             .key = digest->key,
                                             .fingerprint = digest->fingerprint,
                                             .boot = digest->boot,
                                             .first_seq = digest->first_seq,
                                             .last_seq = digest->last_seq,
                                             .object_count = digest->object_count,
                                             .pending = pending,
                                             .pending_count = digest->pending_count } });
    give_attempts(to, "digest", &work->out);
}

static void
give_window(const struct writer *to, const struct window *window, uint64_t cut_seq)
{
    char compression[HF_COMPRESSION_TEXT_MAX];
    hf_compression_text(window->compression, compression);
    give(to, &(struct step){ .kind = HF_STEP_CUT,
                             .cut = { .window = window->id,
                                      .range = window->range,
                                      .time_s = window->time_s,
                                      .generation = window->generation,
                                      .key = window->key,
                                      .compression = compression,
                                      .cut_seq = cut_seq,
                                      .selection = window->selection,
                                      .lost = window->lost,
                                      .lost_count = window->lost_count } });
    give_attempts(to, window->id, &window->out);
}

void
state_steps(const struct state *state, void (*visit)(void *context, const struct step *step),
            void *context)
{
    const struct writer to = { visit, context };
    struct lists *lists = state->lists;
    const struct hf_digest open = { .objects = lists->objects,
                                    .object_count = lists->object_count,
                                    .losses = lists->losses,
                                    .loss_count = lists->loss_count,
                                    .foreign = lists->foreign,
                                    .foreign_count = lists->foreign_count };
    give_state(&to, state);
    give_attempts(&to, "key", &state->chain->key);
    if (state->chain->digest)
        give_digest(&to, state->chain->digest);
    give_lists(&to, &open);
    for (const struct window *window = state->outbox->windows; window; window = window->next)
        give_window(&to, window, state->line->cut_seq);
}
