/* Windows and sealed files on their way. */
#include "agent/trail/outbox.h"

#include <stdio.h>
#include <string.h>

/* ---- one file ---- */

struct outgoing
outgoing_none(void)
{
    return (struct outgoing){ .first_retain_s = -1, .last_retain_s = -1 };
}

void
outgoing_done(struct outgoing *out)
{
    hf_sealed_free(out->sealed);
    hf_freep(&out->path);
    *out = outgoing_none();
}

void
outgoing_attempt(struct outgoing *out, int64_t retain_s, bool foreign)
{
    if (out->first_retain_s < 0)
        out->first_retain_s = retain_s;
    out->last_retain_s = retain_s;
    out->foreign = foreign;
}

void
outgoing_forget_attempts(struct outgoing *out)
{
    out->first_retain_s = out->last_retain_s = -1;
    out->maybe_there = out->foreign = false;
}

void
outgoing_recover(struct outgoing *out)
{
    out->maybe_there = out->first_retain_s >= 0;
}

/* ---- windows ---- */

void
outbox_id(const struct hf_window *range, char ret_id[WINDOW_ID_SIZE])
{
    snprintf(ret_id, WINDOW_ID_SIZE, "%llu-%llu", (unsigned long long)range->first_seq,
             (unsigned long long)range->last_seq);
}

static void
window_free(struct window *window)
{
    outgoing_done(&window->out);
    hf_freep(&window->lost);
    hf_freep(&window);
}

void
outbox_done(struct outbox *outbox)
{
    while (outbox->windows)
        outbox_remove(outbox, outbox->windows);
}

struct window *
outbox_add(struct outbox *outbox, const struct hf_window *range, int64_t time_s,
           unsigned generation, const char *key)
{
    struct window *window = hf_alloc(sizeof(*window)), **end = &outbox->windows;
    window->range = *range;
    window->time_s = time_s;
    window->generation = generation;
    outbox_id(range, window->id);
    snprintf(window->key, sizeof(window->key), "%s", key);
    window->out = outgoing_none();
    window->out.path = outbox_path(outbox, window, generation);
    while (*end)
        end = &(*end)->next;
    *end = window;
    return window;
}

void
outbox_remove(struct outbox *outbox, struct window *window)
{
    for (struct window **at = &outbox->windows; *at; at = &(*at)->next) {
        if (*at == window) {
            *at = window->next;
            outbox_release(outbox, &window->out);
            window_free(window);
            return;
        }
    }
}

struct window *
outbox_find(const struct outbox *outbox, const char *id)
{
    struct window *window = outbox->windows;
    while (window && strcmp(window->id, id) != 0)
        window = window->next;
    return window;
}

void
outbox_move(struct outbox *outbox, struct window *window, const char *key, unsigned generation)
{
    window->generation = generation;
    snprintf(window->key, sizeof(window->key), "%s", key);
    outgoing_forget_attempts(&window->out);
    hf_freep(&window->out.path);
    window->out.path = outbox_path(outbox, window, generation);
}

char *
outbox_path(const struct outbox *outbox, const struct window *window, unsigned generation)
{
    return hf_asprintf("%s/w%s.%u", outbox->folder, window->id, generation);
}

char *
outbox_digest_path(const struct outbox *outbox, uint64_t number)
{
    return hf_asprintf("%s/d%llu", outbox->folder, (unsigned long long)number);
}

void
outbox_hold(struct outbox *outbox, struct outgoing *out, struct hf_sealed *sealed)
{
    outbox_release(outbox, out);
    out->sealed = sealed;
    outbox->spool_bytes += sealed->size;
}

void
outbox_release(struct outbox *outbox, struct outgoing *out)
{
    if (!out->sealed)
        return;
    outbox->spool_bytes -= HF_MIN(outbox->spool_bytes, out->sealed->size);
    hf_sealed_free(hf_take(out->sealed));
}

size_t
outbox_unsealed(const struct outbox *outbox)
{
    size_t count = 0;
    for (const struct window *window = outbox->windows; window; window = window->next)
        count += window->state != WINDOW_SEALED;
    return count;
}

uint64_t
outbox_unsealed_bytes(const struct outbox *outbox, uint64_t before_seq)
{
    uint64_t bytes = 0;
    for (const struct window *window = outbox->windows; window; window = window->next)
        bytes += window->state == WINDOW_CUT && window->range.first_seq < before_seq
                     ? window->range.bytes
                     : 0;
    return bytes;
}

size_t
outbox_in_flight(const struct outbox *outbox)
{
    size_t count = 0;
    for (const struct window *window = outbox->windows; window; window = window->next)
        count += window->out.in_flight;
    return count;
}

uint64_t
outbox_sealed_seq(const struct outbox *outbox, uint64_t cut_seq)
{
    for (const struct window *window = outbox->windows; window; window = window->next) {
        if (window->state != WINDOW_SEALED)
            return window->range.first_seq - 1;
    }
    return cut_seq;
}

/* ---- other keys ---- */

bool
outbox_may_move(struct outbox *outbox, size_t moves)
{
    int64_t now_ms = (int64_t)hf_boot_ms(),
            pause_ms = HF_MIN((int64_t)MOVE_PAUSE_FIRST_MS << HF_MIN(outbox->moves, 10u),
                              MOVE_PAUSE_MOST_MS);
    if (moves <= GENERATIONS_MOST)
        return true;
    if (outbox->move_at_ms && now_ms >= outbox->move_at_ms) {
        outbox->moves++;
        outbox->move_at_ms = 0;
        return true;
    }
    if (!outbox->move_at_ms)
        outbox->move_at_ms = now_ms + pause_ms;
    return false;
}

void
outbox_moved_well(struct outbox *outbox, bool all)
{
    if (all) {
        outbox->moves = 0;
        outbox->move_at_ms = 0;
    } else {
        outbox->move_at_ms = HF_MIN(outbox->move_at_ms, 1);
    }
}
