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
#include "agent/trail/line.h"

#include <holdfast/config.h>
#include <holdfast/seal.h>

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

static size_t
next_way(const struct pace *pace, const struct load *load, size_t way, bool looks)
{
    uint64_t behind = (uint64_t)BEHIND_WINDOWS * load->sealers * load->window_max_bytes;
    if (load->backlog_bytes < GONE_WINDOWS * load->window_max_bytes)
        return way > 0 ? way - 1 : 0;
    bool grows = load->backlog_bytes >= behind && load->backlog_bytes >= pace->backlog_bytes;
    /* where the store is what is slow, larger objects would help nobody */
    if (!looks || !grows || load->store_is_slow || way + 1 == HF_COUNT(ways) ||
        !hf_compression_available(ways[way + 1]))
        return way;
    return way + 1;
}

bool
pace_next(struct pace *pace, uint64_t level, const struct load *load)
{
    uint64_t now_ms = hf_boot_ms();
    if (level != HF_COMPRESSION_LEVEL_AUTO) {
        pace->compression = (int)level;
        return false;
    }
    size_t way = way_of(pace->compression);
    if (ways[way] != pace->compression) { /* the first window, or there was a level until now */
        way = 0;
        *pace = (struct pace){ .compression = ways[0] };
    }
    bool looks = now_ms - pace->looked_ms >= LOOK_MS;
    size_t next = next_way(pace, load, way, looks);
    pace->compression = ways[next];
    if (looks) {
        pace->backlog_bytes = load->backlog_bytes;
        pace->looked_ms = now_ms;
    }
    return next != way;
}
