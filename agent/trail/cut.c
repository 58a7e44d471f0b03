/* Windows: cut from the journal, in the order of its sequences. */
#include "agent/trail/windows.h"

#include <holdfast/json.h>

void
cut_window_key(const struct trail *trail, const struct hf_window *range, int64_t time_s,
               unsigned generation, bool cms, char ret_key[HF_KEY_MAX])
{
    char unique[HF_UNIQUE_SIZE];
    hf_layout_unique(trail->chain.tag, trail->chain.journal, trail->name, range->first_seq,
                     range->last_seq, generation, unique);
    hf_layout_object_key(&trail->plan->settings.layout, time_s, unique, cms, ret_key);
}

/* Records that are not cut yet are counted as long as the others. */
static uint64_t
backlog_bytes(const struct trail *trail, const struct hf_window *range)
{
    struct hf_journal_info info;
    hf_journal_info(trail->trails->options.journal, &info);
    uint64_t events = range->last_seq - range->first_seq + 1;
    uint64_t uncut = info.durable_seq > range->last_seq ? info.durable_seq - range->last_seq : 0;
    return range->bytes + uncut * (range->bytes / events) +
           outbox_unsealed_bytes(&trail->outbox, range->first_seq);
}

static void
set_pace(struct trail *trail, const struct hf_window *range, char ret_text[HF_COMPRESSION_TEXT_MAX])
{
    const struct settings *s = &trail->plan->settings;
    struct load load = { .backlog_bytes = backlog_bytes(trail, range),
                         .window_max_bytes = s->window_max_bytes,
                         .sealers = trail->trails->seals_most,
                         .store_is_slow = trail->outbox.spool_bytes > s->spool_max_bytes / 2 };
    bool changed = pace_next(&trail->line.pace, s->compression_level, &load);
    hf_compression_text(trail->line.pace.compression, ret_text);
    if (changed)
        hf_log_info("trail.compression", HF_STR("trail", trail->name), HF_STR("now", ret_text),
                    HF_NUM("backlog_bytes", load.backlog_bytes));
}

/* The place behind it may lie behind a loss that follows it: nobody reads that again. The losses
 * that were found since the window before belong to this one, or lie behind it. */
static void
take_cut(struct trail *trail, const struct hf_window *range, int64_t time_s)
{
    char id[WINDOW_ID_SIZE], key[HF_KEY_MAX] = "", compression[HF_COMPRESSION_TEXT_MAX];
    hf_owned(hf_freep) struct hf_journal_loss *lost = NULL;
    size_t lost_count = line_noted_up_to(&trail->line, range->last_seq, &lost);
    outbox_id(range, id);
    set_pace(trail, range, compression);
    if (range->count > 0)
        cut_window_key(trail, range, time_s, 0, trail->plan->settings.encryption == HF_ENCRYPT_CMS,
                       key);
    trail_take(trail, &(struct step){
                          .kind = HF_STEP_CUT,
                          .cut = { .window = id,
                                   .range = *range,
                                   .time_s = time_s,
                                   .key = key,
                                   .compression = compression,
                                   .cut_seq = HF_MAX(range->last_seq,
                                                     hf_cutter_next_seq(trail->line.cutter) - 1),
                                   .selection = trail->line.rule.selection,
                                   .lost = lost,
                                   .lost_count = lost_count } });
    struct window *window = outbox_find(&trail->outbox, id);
    if (window) /* the ledger does not keep it: after a restart it is not known */
        window->range.arrived_s = range->arrived_s;
}

/* ---- losses ---- */

/* As an event of its own, durable before anyone reads on. When the journal has no room for it
 * (and only reading on makes any), the signed digest alone says it. */
static enum hf_status
tell_loss(struct trail *trail, const struct hf_journal_loss *loss)
{
    struct hf_trails *trails = trail->trails;
    struct hf_error err;
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(4096);
    hf_owned(hf_doc_freep) json_t *details = json_pack(
        "{s:s, s:I, s:I, s:s}", "trail", trail->name, "firstSequence", (json_int_t)loss->first_seq,
        "lastSequence", (json_int_t)loss->last_seq, "reason", loss->reason);
    enum hf_status status = hf_doc_dump(details, &text);
    if (status == HF_OK)
        status = trails->options.own_event(trails->options.context, "JournalLoss",
                                           hf_buf_text(&text), &err);
    if (status != HF_EFULL && status != HF_ENOSPC)
        return status;
    hf_log_warn("event.lost", HF_STR("name", "JournalLoss"),
                HF_STR("reason", hf_status_text(status)));
    return HF_OK;
}

/* Its digest may be out already, with no window over it yet. */
static bool
is_noted(const struct trail *trail, const struct hf_journal_loss *loss)
{
    return lists_have_loss(&trail->lists, loss->first_seq, loss->last_seq) ||
           line_has_noted(&trail->line, loss->first_seq, loss->last_seq);
}

/* Where no window is open in front of it, the trail's place moves behind it, so that a restart does
 * not find it again. */
bool
cut_note_loss(struct trail *trail, const struct hf_journal_loss *loss)
{
    if (is_noted(trail, loss))
        return true;
    if (tell_loss(trail, loss) != HF_OK)
        return false;
    hf_log_error("journal.loss", HF_STR("trail", trail->name), HF_NUM("first", loss->first_seq),
                 HF_NUM("last", loss->last_seq), HF_STR("reason", loss->reason));
    trail->counts.lost += loss->last_seq - loss->first_seq + 1;
    bool in_front = hf_cutter_next_seq(trail->line.cutter) == loss->last_seq + 1;
    trail_take(trail, &(struct step){ .kind = HF_STEP_LOSS,
                                      .loss = { .first_seq = loss->first_seq,
                                                .last_seq = loss->last_seq,
                                                .reason = loss->reason,
                                                .cut_seq = in_front ? HF_MAX(trail->line.cut_seq,
                                                                             loss->last_seq)
                                                                    : trail->line.cut_seq } });
    return trail_sync(trail);
}

/* Nothing is stepped over in silence: the cutter goes back, to find it again. */
static void
cut_again(struct trail *trail)
{
    struct hf_error err;
    if (trail_new_cutter(trail, &err) != HF_OK)
        hf_log_error("journal.unreadable", HF_STR("trail", trail->name), HF_ERR(&err));
}

/* ---- one range after the other ---- */

enum found { FOUND_MORE, FOUND_NOTHING, FOUND_TROUBLE };

/* What the cutter has said of the range. It may have ended by a clock that was set just now: then
 * it is not cut, and found again when the clock is right. */
static enum found
take_found(struct trail *trail, enum hf_status status, const struct hf_window *range,
           const struct hf_journal_loss *loss, const struct hf_error *err)
{
    int64_t time_s;
    switch (status) {
    case HF_EFULL: return FOUND_NOTHING;
    case HF_OK:
        if (trail_take_time(trail, &time_s)) {
            take_cut(trail, range, time_s);
            return FOUND_MORE;
        }
        cut_again(trail);
        return FOUND_TROUBLE;
    case HF_ECORRUPT:
        if (cut_note_loss(trail, loss))
            return FOUND_MORE;
        cut_again(trail);
        break;
    default: break;
    }
    hf_log_error("journal.unreadable", HF_STR("trail", trail->name), HF_ERR(err));
    return FOUND_TROUBLE;
}

static bool
has_room(const struct trail *trail)
{
    return trail_may_cut(trail) && outbox_unsealed(&trail->outbox) < WINDOWS_UNSEALED_MAX;
}

void
cut_windows(struct trail *trail)
{
    uint64_t cut_seq = trail->line.cut_seq;
    enum found found = FOUND_MORE;
    while (found == FOUND_MORE && !trail->line.changes && !trail->line.rule.gone &&
           has_room(trail)) {
        struct hf_window range;
        struct hf_journal_loss loss;
        struct hf_error err;
        uint64_t delay_s = hf_window_delay_s(trail->chain.journal, trail->line.rule.window_s);
        enum hf_status status = hf_cutter_next(trail->line.cutter, delay_s, &range, &loss, &err);
        found = take_found(trail, status, &range, &loss, &err);
    }
    if (trail->line.cut_seq != cut_seq)
        (void)trail_sync(trail);
}

bool
cut_close_at(struct trail *trail, uint64_t last_seq)
{
    uint64_t cut_seq = trail->line.cut_seq;
    enum found found = FOUND_MORE;
    while (found == FOUND_MORE && has_room(trail)) {
        struct hf_window range;
        struct hf_journal_loss loss;
        struct hf_error err;
        enum hf_status status =
            hf_cutter_close_at(trail->line.cutter, last_seq, &range, &loss, &err);
        found = take_found(trail, status, &range, &loss, &err);
    }
    return (trail->line.cut_seq == cut_seq || trail_sync(trail)) && found == FOUND_NOTHING;
}
