/* Windows handed to the sealers, and taken back as sealed files. */
#include "agent/trail/inbox.h"
#include "agent/trail/reserve.h"
#include "agent/trail/windows.h"

#include <stdio.h>

/* The trail's next window, if it may be sealed now. */
static struct window *
next_to_seal(const struct trail *trail)
{
    if (trail->book.damaged || trail->health.state == TRAIL_ENDED || trail->book.behind ||
        !trail_may_seal(trail))
        return NULL;
    if (trail->outbox.spool_bytes >= trail->plan->settings.spool_max_bytes)
        return NULL; /* only this trail stops; its place in the journal stays, status names it */
    size_t windows = 0, bytes = 0;
    for (struct window *window = trail->outbox.windows;
         window && windows++ < WINDOWS_MOST && bytes < PENDING_BYTES_MOST; window = window->next) {
        if (window->state == WINDOW_CUT)
            return reserve_may_seal(trail) ? window : NULL;
        bytes += lists_pending_bytes(window->key);
    }
    return NULL;
}

static bool
seal_one(struct trail *trail, struct window *window)
{
    cut_window_key(trail, &window->range, window->time_s, window->generation,
                   trail->plan->settings.encryption == HF_ENCRYPT_CMS, window->key);
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
    window->trail = trail;
    if (!hf_sealers_submit(trail->trails->sealers, &window->job, message_sealed, window))
        return false;
    window->plan = plan_hold(trail->plan);
    window->state = WINDOW_SEALING;
    trail->trails->seals_in_flight++;
    return true;
}

/* The trails take turns. Were the first one always asked first, it would have all sealers for as
 * long as it is behind, and a trail behind it would never come to release its part of the
 * journal. */
static struct trail *
next_in_turn(struct hf_trails *trails, struct window **ret_window)
{
    struct trail *next = NULL;
    unsigned place = 0, next_place = 0;
    for (struct trail *trail = trails->trails; trail; trail = trail->next, place++) {
        bool sooner = !next || (next_place <= trails->sealed_place && place > trails->sealed_place);
        struct window *window = sooner ? next_to_seal(trail) : NULL;
        if (window) {
            *ret_window = window;
            next = trail;
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
        struct window *window = NULL;
        struct trail *trail = next_in_turn(trails, &window);
        if (!trail || !window || !seal_one(trail, window))
            return;
    }
}

/* Records were lost between the cut and the sealing: the window is sealed from what is left. */
static void
seal_what_is_left(struct trail *trail, struct window *window, const struct hf_journal_loss *loss)
{
    if (cut_note_loss(trail, loss))
        window->skip_corrupt_to = loss->last_seq;
}

static bool
is_released(const struct trail *trail, const struct window *window)
{
    struct hf_journal_info info;
    hf_journal_info(trail->trails->options.journal, &info);
    return info.oldest_seq > window->range.first_seq;
}

/* Its sealed file was found damaged after the journal had let its events go: nothing of it is
 * left here. */
static void
give_up(struct trail *trail, struct window *window)
{
    struct hf_journal_loss loss = {
        .first_seq = window->range.first_seq,
        .last_seq = window->range.last_seq,
        .reason = "the sealed file was damaged, and the journal had released its events"
    };
    if (!cut_note_loss(trail, &loss))
        return;
    trail_take(trail, &(struct step){ .kind = HF_STEP_DROPPED, .dropped = { window->id } });
    (void)trail_sync(trail);
}

/* Should someone have taken it away. */
static void
make_folder(const struct trail *trail)
{
    struct hf_error err;
    if (hf_fs_mkdirs(trail->sealed_folder, 0700, &err) != HF_OK)
        hf_log_error("seal.failed", HF_STR("trail", trail->name), HF_ERR(&err));
}

void
seal_returned(struct trail *trail, struct window *window, enum hf_status status,
              struct hf_sealed *sealed, const struct hf_journal_loss *loss,
              const struct hf_error *err)
{
    trail->trails->seals_in_flight--;
    window->state = WINDOW_CUT;
    plan_let_go(hf_take(window->plan));
    switch (status) {
    case HF_OK:
        outbox_hold(&trail->outbox, &window->out, sealed);
        window->state = WINDOW_SEALED;
        trail->book.trouble = HF_OK;
        return;
    case HF_ECORRUPT: seal_what_is_left(trail, window, loss); return;
    case HF_ENOTFOUND:
        if (is_released(trail, window)) {
            give_up(trail, window);
            return;
        }
        break; /* a folder of ours is missing: the events are still in the journal */
    case HF_ENOSPC:
        if (reserve_give_sealing(trail))
            return; /* at once, with the room that was kept for this */
        break;
    default: break;
    }
    trail_seal_failed(trail, window->id, err);
    make_folder(trail);
}
