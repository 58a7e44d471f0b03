/* Room on the disk that only draining may use: without it a disk filled
 * during an outage could never be drained, because sealing and the ledgers need room before
 * delivery frees any.
 *
 *   whole ──▶ sealing has no room, and nothing of a trail that can deliver is sealed ──▶ the sealers' part is given
 *     ▲  └──▶ a ledger or digest has no room ──────────────────────────────────────────▶ all is given
 *     └────── taken back as soon as the disk has the room
 *
 * Until it is whole again the journal makes no new file, and a trail seals only what it can
 * deliver at once: else either would take what was given, and the store would come back to a
 * disk without room for a single receipt. */
#include "agent/trail/reserve.h"

#include <fcntl.h>

#define LEDGER_PART (16u << 20)
#define RETRY_MS    2000
#define SPARE_BYTES (8u << 20) /* left for others when it is taken back */

bool
reserve_is_whole(const struct hf_trails *trails)
{
    return trails->reserve.have >= trails->reserve.bytes;
}

static enum hf_status
allocate(struct hf_trails *trails, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    enum hf_status status =
        hf_fs_open(trails->reserve.path, O_RDWR | O_CREAT | O_CLOEXEC, 0600, &fd, err);
    return status == HF_OK ? hf_fs_allocate(fd, 0, (off_t)trails->reserve.bytes, err) : status;
}

void
reserve_fill(struct hf_trails *trails)
{
    struct hf_error err;
    bool first = trails->reserve.retry_ms == 0;
    trails->reserve.retry_ms = (int64_t)hf_boot_ms() + RETRY_MS;
    enum hf_status status = allocate(trails, &err);
    if (status == HF_OK) {
        trails->reserve.have = trails->reserve.bytes;
        if (!first)
            hf_log_info("reserve.whole", HF_NUM("bytes", trails->reserve.bytes));
    } else if (first) {
        hf_log_warn("reserve.missing", HF_NUM("bytes", trails->reserve.bytes), HF_ERR(&err));
    }
    hf_journal_hold_room(trails->options.journal, !reserve_is_whole(trails));
}

void
reserve_turn(struct hf_trails *trails)
{
    uint64_t free_bytes = 0;
    if (reserve_is_whole(trails) || (int64_t)hf_boot_ms() < trails->reserve.retry_ms)
        return;
    trails->reserve.retry_ms = (int64_t)hf_boot_ms() + RETRY_MS;
    if (hf_fs_free_bytes(trails->options.state_dir, &free_bytes, NULL) == HF_OK &&
        free_bytes >= trails->reserve.bytes - trails->reserve.have + SPARE_BYTES)
        reserve_fill(trails);
}

/* Shrinks it to `bytes`; false: it is no larger. */
static bool
give_down_to(struct hf_trails *trails, uint64_t bytes)
{
    struct hf_error err;
    hf_owned(hf_fs_close) int fd = -1;
    if (trails->reserve.have <= bytes)
        return false;
    hf_journal_hold_room(trails->options.journal, true); /* before there is anything to take */
    enum hf_status status = hf_fs_open(trails->reserve.path, O_RDWR | O_CLOEXEC, 0, &fd, &err);
    if (status == HF_OK)
        status = hf_fs_truncate(fd, (off_t)bytes, &err);
    if (status != HF_OK) {
        hf_log_error("reserve.failed", HF_ERR(&err));
        return false;
    }
    hf_log_warn("reserve.used", HF_NUM("bytes", trails->reserve.have - bytes));
    trails->reserve.have = bytes;
    trails->reserve.retry_ms = (int64_t)hf_boot_ms() + RETRY_MS;
    return true;
}

bool
reserve_give_ledgers(struct hf_trails *trails)
{
    return give_down_to(trails, 0);
}

bool
reserve_may_seal(const struct trail *trail)
{
    return reserve_is_whole(trail->trails) ||
           (trail->health.state == TRAIL_READY && !trail->outbox.spool_bytes);
}

bool
reserve_give_sealing(struct trail *trail)
{
    return trail->health.state == TRAIL_READY && !trail->outbox.spool_bytes &&
           give_down_to(trail->trails, LEDGER_PART);
}
