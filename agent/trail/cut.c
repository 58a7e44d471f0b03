/* Windows: cut from the journal, handed to the sealers, taken back as sealed files. */
#include "agent/trail/trail_impl.h"
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

/* By the configuration in force: what was cut before a change and is sealed after it goes where
 * the change says. */
static void
window_set_key(struct window *window)
{
    const struct trail *trail = window->trail;
    const struct settings *s = &trail->plan->settings;
    char unique[HF_UNIQUE_SIZE];
    hf_layout_unique(trail->tag, trail->trails->options.identity->journal, trail->name,
                     window->range.first_seq, window->range.last_seq, window->generation, unique);
    hf_layout_object_key(&s->layout, window->time_s, unique, s->encryption == HF_ENCRYPT_CMS,
                         window->key);
}

/* The losses that were found since the window before belong to this one, or lie behind it. */
static void
take_noted(struct trail *trail, struct window *window)
{
    window->lost = hf_alloc((trail->noted_count + 1) * sizeof(*window->lost));
    for (size_t i = 0; i < trail->noted_count; i++) {
        if (trail->noted[i].first_seq <= window->range.last_seq)
            window->lost[window->lost_count++] = trail->noted[i];
    }
    noted_drop(trail, window->range.last_seq);
}

/* Records the cut and puts it into the list; a window without selected records is only
 * remembered as covered. The place behind it may lie behind a loss that follows it: nobody reads
 * that again. */
static void
add_window(struct trail *trail, const struct hf_window *range, int64_t time_s)
{
    struct window *window = window_new(trail, range, time_s, 0, "");
    window->selection = trail->rule.selection;
    window->compression = pace_compression(trail, range);
    if (range->count > 0)
        window_set_key(window);
    take_noted(trail, window);
    trail->cut_seq = HF_MAX(range->last_seq, hf_cutter_next_seq(trail->cutter) - 1);
    (void)step_record(trail, HF_STEP_CUT,
                      step_cut_doc(window)); /* a failure is remembered: step_sync() rewrites */
    if (range->count == 0)
        window_remove(trail, window);
}

static bool
is_noted(const struct trail *trail, const struct hf_journal_loss *loss)
{
    for (size_t i = 0; i < trail->loss_count; i++) {
        if (trail->losses[i].first_seq == loss->first_seq &&
            trail->losses[i].last_seq == loss->last_seq)
            return true;
    }
    for (size_t i = 0; i < trail->noted_count; i++) { /* its digest may be out already */
        if (trail->noted[i].first_seq == loss->first_seq &&
            trail->noted[i].last_seq == loss->last_seq)
            return true;
    }
    return false;
}

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

/* The reader found a spot it cannot read. Where no window is open in front of it, the trail's
 * place moves behind it, so that a restart does not find it again. */
static bool
note_loss(struct trail *trail, const struct hf_journal_loss *loss)
{
    if (is_noted(trail, loss))
        return true;
    if (tell_loss(trail, loss) != HF_OK)
        return false;
    hf_log_error("journal.loss", HF_STR("trail", trail->name), HF_NUM("first", loss->first_seq),
                 HF_NUM("last", loss->last_seq), HF_STR("reason", loss->reason));
    loss_add(trail, loss->first_seq, loss->last_seq, loss->reason);
    trail->counts.lost += loss->last_seq - loss->first_seq + 1;
    if (hf_cutter_next_seq(trail->cutter) == loss->last_seq + 1)
        trail->cut_seq = HF_MAX(trail->cut_seq, loss->last_seq);
    noted_add(trail, loss->first_seq, loss->last_seq);
    (void)step_record(trail, HF_STEP_LOSS,
                      step_loss_doc(&trail->losses[trail->loss_count - 1], trail->cut_seq));
    return step_sync(trail);
}

static void
cut_again(struct trail *trail)
{
    struct hf_error err;
    if (trail_new_cutter(trail, &err) != HF_OK)
        hf_log_error("journal.unreadable", HF_STR("trail", trail->name), HF_ERR(&err));
}

/* Found while cutting. When it cannot be noted now, the cutter goes back to find it again:
 * nothing is stepped over in silence. */
static bool
note_loss_at_cut(struct trail *trail, const struct hf_journal_loss *loss)
{
    if (note_loss(trail, loss))
        return true;
    cut_again(trail);
    return false;
}

static size_t
unsealed(const struct trail *trail)
{
    size_t count = 0;
    for (const struct window *window = trail->windows; window; window = window->next)
        count += window->state != WINDOW_SEALED;
    return count;
}

/* The range may have ended by a clock that was set just now: then it is not cut, and found again
 * when the clock is right. */
static bool
cut_range(struct trail *trail, const struct hf_window *range)
{
    int64_t time_s;
    if (!trail_take_time(trail, &time_s)) {
        cut_again(trail);
        return false;
    }
    add_window(trail, range, time_s);
    return true;
}

void
cut_windows(struct trail *trail)
{
    bool moved = false;
    while (!trail->changes && !trail->closed && trail_may_cut(trail) &&
           unsealed(trail) < WINDOWS_UNSEALED_MAX) {
        struct hf_window range;
        struct hf_journal_loss loss;
        struct hf_error err;
        uint64_t delay_s =
            hf_window_delay_s(trail->trails->options.identity->journal, trail->rule.window_s);
        enum hf_status status = hf_cutter_next(trail->cutter, delay_s, &range, &loss, &err);
        if (status == HF_OK) {
            if (!cut_range(trail, &range))
                break;
            moved = true;
        } else if (status != HF_ECORRUPT || !note_loss_at_cut(trail, &loss)) {
            if (status != HF_EFULL)
                hf_log_error("journal.unreadable", HF_STR("trail", trail->name), HF_ERR(&err));
            break;
        }
    }
    if (moved)
        (void)step_sync(trail);
}

bool
cut_close_at(struct trail *trail, uint64_t last_seq)
{
    bool moved = false, all = false;
    while (!all && trail_may_cut(trail) && unsealed(trail) < WINDOWS_UNSEALED_MAX) {
        struct hf_window range;
        struct hf_journal_loss loss;
        struct hf_error err;
        enum hf_status status = hf_cutter_close_at(trail->cutter, last_seq, &range, &loss, &err);
        if (status == HF_OK) {
            if (!cut_range(trail, &range))
                break;
            moved = true;
        } else if (status == HF_EFULL) {
            all = true;
        } else if (status != HF_ECORRUPT || !note_loss_at_cut(trail, &loss)) {
            hf_log_error("journal.unreadable", HF_STR("trail", trail->name), HF_ERR(&err));
            break;
        }
    }
    return (!moved || step_sync(trail)) && all;
}

/* The trail's next window, if it may be sealed now. */
static struct window *
next_to_seal(struct trail *trail)
{
    if (trail->damaged || trail->state == TRAIL_ENDED || trail->ledger_trouble ||
        (int64_t)trail->seal_retry_ms > (int64_t)hf_boot_ms())
        return NULL;
    if (trail->spool_bytes >= trail->plan->settings.spool_max_bytes)
        return NULL; /* only this trail stops; its place in the journal stays, status names it */
    size_t windows = 0;
    for (struct window *window = trail->windows; window && windows++ < WINDOWS_MOST;
         window = window->next) {
        if (window->state == WINDOW_CUT)
            return reserve_may_seal(trail) ? window : NULL;
    }
    return NULL;
}

static bool
seal_one(struct window *window)
{
    struct trail *trail = window->trail;
    window_set_key(window);
    window->job = (struct hf_seal_job){ .plan = &trail->plan->seal,
                                        .selection = &window->selection,
                                        .window = window->id,
                                        .key = window->key,
                                        .path = window->out.path,
                                        .generation = window->generation,
                                        .compression = window->compression,
                                        .range = window->range,
                                        .skip_corrupt = window->skip_corrupt_to != 0,
                                        .skip_corrupt_to = window->skip_corrupt_to,
                                        .lost = window->lost,
                                        .lost_count = window->lost_count };
    if (!hf_sealers_submit(trail->trails->sealers, &window->job, message_sealed, window))
        return false;
    window->state = WINDOW_SEALING;
    trail->trails->seals_in_flight++;
    return true;
}

/* The trails take turns. Were the first one always asked first, it would have all sealers for as
 * long as it is behind, and a trail behind it would never come to release its part of the
 * journal. */
static struct window *
next_in_turn(struct hf_trails *trails)
{
    struct window *next = NULL;
    unsigned place = 0, next_place = 0;
    for (struct trail *trail = trails->trails; trail; trail = trail->next, place++) {
        struct window *window =
            !next || (next_place <= trails->sealed_place && place > trails->sealed_place)
                ? next_to_seal(trail)
                : NULL;
        if (window) {
            next = window;
            next_place = place;
        }
    }
    if (next)
        trails->sealed_place = next_place;
    return next;
}

void
seal_windows(struct hf_trails *trails)
{
    while (!trails->stopping && trails->seals_in_flight < trails->seals_most) {
        struct window *window = next_in_turn(trails);
        if (!window || !seal_one(window))
            return;
    }
}

/* Records were lost between the cut and the sealing: the window is sealed from what is left. */
static void
seal_what_is_left(struct window *window, const struct hf_journal_loss *loss)
{
    if (note_loss(window->trail, loss))
        window->skip_corrupt_to = loss->last_seq;
}

static bool
is_released(const struct window *window)
{
    struct hf_journal_info info;
    hf_journal_info(window->trail->trails->options.journal, &info);
    return info.oldest_seq > window->range.first_seq;
}

/* Its sealed file was found damaged after the journal had let its events go: nothing of it is
 * left here. */
static void
give_up(struct window *window)
{
    struct trail *trail = window->trail;
    struct hf_journal_loss loss = {
        .first_seq = window->range.first_seq,
        .last_seq = window->range.last_seq,
        .reason = "the sealed file was damaged, and the journal had released its events"
    };
    if (!note_loss(trail, &loss))
        return;
    (void)step_record(trail, HF_STEP_DROPPED, json_pack("{s:s}", "window", window->id));
    window_remove(trail, window);
    (void)step_sync(trail);
}

void
seal_returned(struct window *window, enum hf_status status, struct hf_sealed *sealed,
              const struct hf_journal_loss *loss, const struct hf_error *err)
{
    struct trail *trail = window->trail;
    trail->trails->seals_in_flight--;
    window->state = WINDOW_CUT;
    switch (status) {
    case HF_OK:
        window->out.sealed = sealed;
        window->state = WINDOW_SEALED;
        trail->spool_bytes += sealed->size;
        trail->trouble = HF_OK;
        return;
    case HF_ECORRUPT: seal_what_is_left(window, loss); return;
    case HF_ENOTFOUND:
        if (is_released(window)) {
            give_up(window);
            return;
        }
        break; /* a folder of ours is missing: the events are still in the journal */
    case HF_ENOSPC:
        if (reserve_give_sealing(trail))
            return; /* at once, with the room that was kept for this */
        break;
    default: break;
    }
    trail_failed(trail, status);
    trail->seal_retry_ms = hf_boot_ms() + 1000;
    trouble_say(trail, "seal.failed", window->id, err);
    trail_make_folder(trail);
}

uint64_t
trail_sealed_seq(const struct trail *trail)
{
    for (const struct window *window = trail->windows; window; window = window->next) {
        if (window->state != WINDOW_SEALED)
            return window->range.first_seq - 1;
    }
    return trail->cut_seq;
}
