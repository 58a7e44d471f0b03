/* Compression that follows the load: quicker and quicker ways while more comes in than is sealed,
 * and back when all of it is sealed.
 *
 *                 behind, and more so than when last looked             the same
 *   libdeflate 6 ──────────────────────────────────────────▶ libdeflate 1 ───────▶ ISA-L 2
 *                ◀──────────────────────────────────────────              ◀───────
 *                 nothing waits                                         the same
 *
 * The choice stands in the window's CUT: a window that is sealed again after a crash gives the
 * same bytes. */
#include "agent/trail/windows.h"

#define LOOK_MS        250 /* between two steps: time for one to show */
#define BEHIND_WINDOWS 1   /* for each sealer, and one; fewer are the usual ups and downs */
#define GONE_WINDOWS   2   /* the one that is cut now, and what came meanwhile */

static const int ways[] = { HF_COMPRESSION_USUAL, HF_COMPRESSION_QUICK, HF_COMPRESSION_ISAL };

static size_t
way_of(int compression)
{
    size_t way = 0;
    while (way + 1 < HF_COUNT(ways) && ways[way] != compression)
        way++;
    return way; /* the last one if it is none of them */
}

/* Bytes of this trail's records that are durable and not sealed. Those that are not cut yet are
 * counted as long as the others. */
static uint64_t
backlog_bytes(const struct trail *trail, const struct hf_window *range)
{
    struct hf_journal_info info;
    hf_journal_info(trail->trails->options.journal, &info);
    uint64_t events = range->last_seq - range->first_seq + 1, bytes = range->bytes;
    uint64_t uncut = info.durable_seq > range->last_seq ? info.durable_seq - range->last_seq : 0;
    bytes += uncut * (range->bytes / events);
    for (const struct window *window = trail->outbox.windows; window; window = window->next)
        bytes += window->state == WINDOW_CUT && window->range.first_seq < range->first_seq
                     ? window->range.bytes
                     : 0;
    return bytes;
}

/* Where the store is what is slow, larger objects would help nobody. */
static bool
store_is_slow(const struct trail *trail)
{
    return trail->outbox.spool_bytes > trail->plan->settings.spool_max_bytes / 2;
}

static size_t
next_way(const struct trail *trail, size_t way, uint64_t backlog, bool looks)
{
    const struct settings *s = &trail->plan->settings;
    uint64_t behind = (uint64_t)BEHIND_WINDOWS * trail->trails->seals_most * s->window_max_bytes;
    if (backlog < GONE_WINDOWS * s->window_max_bytes)
        return way > 0 ? way - 1 : 0;
    bool grows = backlog >= behind && backlog >= trail->line.pace.backlog_bytes;
    if (!looks || !grows || store_is_slow(trail) || way + 1 == HF_COUNT(ways) ||
        !hf_compression_available(ways[way + 1]))
        return way;
    return way + 1;
}

static void
say_way(const struct trail *trail, int compression, uint64_t backlog)
{
    char text[HF_COMPRESSION_TEXT_MAX];
    hf_compression_text(compression, text);
    hf_log_info("trail.compression", HF_STR("trail", trail->name), HF_STR("now", text),
                HF_NUM("backlog_bytes", backlog));
}

int
pace_compression(struct trail *trail, const struct hf_window *range)
{
    uint64_t level = trail->plan->settings.compression_level, now_ms = hf_boot_ms();
    struct pace *pace = &trail->line.pace;
    if (level != HF_COMPRESSION_LEVEL_AUTO)
        return pace->compression = (int)level;
    size_t way = way_of(pace->compression);
    if (ways[way] !=
        /* none of them: the first window, or the configuration had a level until now */
        pace->compression) {
        way = 0;
        *pace = (struct pace){ .compression = ways[0] };
    }
    bool looks = now_ms - pace->looked_ms >= LOOK_MS;
    uint64_t backlog = backlog_bytes(trail, range);
    way = next_way(trail, way, backlog, looks);
    if (ways[way] != pace->compression)
        say_way(trail, ways[way], backlog);
    pace->compression = ways[way];
    if (looks) {
        pace->backlog_bytes = backlog;
        pace->looked_ms = now_ms;
    }
    return pace->compression;
}
