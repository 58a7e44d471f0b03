/* What time it is, and whether to believe it.
 *
 * An object locked ten years too long cannot be unlocked, so no PUT goes out under a clock that is
 * plainly wrong. For S3 the measure is the store's own Date. Between answers it is carried on by
 * boot time, which no one sets: a wall clock that jumps is noticed at once, not with the next
 * answer.
 *
 * A directory tells no time. There a jump forward against boot time is seen, and, over a restart,
 * a clock that is far after the newest time that the trails' ledgers have: whatever has a date
 * after them was not dated by a clock that was believed. Against both stands the kernel's word that
 * a time service keeps the clock, which may have set it just now. */
#include "agent/deliver/deliver_impl.h"

#include <inttypes.h>

/* From here on it is a jump. A host without a clock of its own begins long ago, until a time
 * service sets it: that is none, and neither is the way back from far ahead. */
static void
believe(struct hf_deliverer *deliverer, int64_t now_ms)
{
    if (__atomic_load_n(&deliverer->wall_clock_ms, __ATOMIC_RELAXED) != INT64_MIN ||
        now_ms / 1000 < hf_build_s())
        return;
    __atomic_store_n(&deliverer->wall_clock_ms, now_ms - (int64_t)hf_boot_ms(), __ATOMIC_RELAXED);
}

void
clock_init(struct hf_deliverer *deliverer)
{
    deliverer->store_clock_ms = INT64_MIN;
    deliverer->wall_clock_ms = INT64_MIN;
    believe(deliverer, hf_wall_s() * 1000);
}

void
clock_learn(struct hf_deliverer *deliverer, const struct hf_s3_reply *reply)
{
    if (reply->outcome != HF_S3_ANSWERED || reply->not_s3 || reply->date_s == 0)
        return;
    int64_t clock_ms = reply->date_s * 1000 - (int64_t)hf_boot_ms();
    __atomic_store_n(&deliverer->store_clock_ms, clock_ms, __ATOMIC_RELAXED);
}

static int64_t
store_clock_ms(const struct hf_deliverer *deliverer)
{
    return __atomic_load_n(&deliverer->store_clock_ms, __ATOMIC_RELAXED);
}

bool
clock_known(const struct hf_deliverer *deliverer)
{
    return deliverer->store.kind == HF_STORE_DIR || store_clock_ms(deliverer) != INT64_MIN;
}

int64_t
hf_deliverer_now_s(const struct hf_deliverer *deliverer)
{
    int64_t clock_ms = store_clock_ms(deliverer);

    return clock_ms == INT64_MIN ? hf_wall_s() : (clock_ms + (int64_t)hf_boot_ms()) / 1000;
}

int64_t
hf_deliverer_skew_s(const struct hf_deliverer *deliverer)
{
    int64_t skew_s = hf_deliverer_now_s(deliverer) - hf_wall_s();

    /* The Date has no fractions. */
    return skew_s >= -1 && skew_s <= 1 ? 0 : skew_s;
}

static bool
is_far_after(int64_t now_s, int64_t last_s)
{
    return last_s && now_s - last_s > HF_CLOCK_AHEAD_MAX_S && !hf_clock_is_synchronised();
}

bool
hf_clock_is_far_after(int64_t last_s)
{
    return is_far_after(hf_wall_s(), last_s);
}

static enum hf_status
check_far_after(int64_t now_s, int64_t last_s, struct hf_error *err)
{
    char date[HF_TIME_SIZE];

    if (!is_far_after(now_s, last_s))
        return HF_OK;
    hf_time_rfc3339(last_s, date);
    return hf_fail(err, HF_ESKEW,
                   "this host's clock is %" PRId64 " days after %s, the newest time that the "
                   "ledgers know, and no time service keeps it; set it, best with a time service; "
                   "if it is right, `holdfast chain new --trail TRAIL` begins a new chain there",
                   (now_s - last_s) / (24 * 60 * 60), date);
}

static void
forget(struct hf_deliverer *deliverer)
{
    __atomic_store_n(&deliverer->wall_clock_ms, INT64_MIN, __ATOMIC_RELAXED);
}

static enum hf_status
check_jump(struct hf_deliverer *deliverer, int64_t now_s, struct hf_error *err)
{
    int64_t clock_ms = __atomic_load_n(&deliverer->wall_clock_ms, __ATOMIC_RELAXED);
    int64_t jump_s = clock_ms == INT64_MIN ? 0 : now_s - (clock_ms + (int64_t)hf_boot_ms()) / 1000;

    if (jump_s <= HF_DIR_JUMP_MAX_S)
        return HF_OK;
    if (!hf_clock_is_synchronised())
        return hf_fail(err, HF_ESKEW,
                       "this host's clock jumped %" PRId64
                       " s ahead since the agent started; set it back, or restart the agent"
                       " if it is right",
                       jump_s);
    forget(deliverer); /* it was right to jump */
    return HF_OK;
}

/* What was far ahead from the start on is nothing to measure a jump against. All by one reading:
 * else a clock that is set in between is taken for that. */
static enum hf_status
check_dir(struct hf_deliverer *deliverer, int64_t now_s, int64_t last_s, struct hf_error *err)
{
    enum hf_status status = check_jump(deliverer, now_s, err);

    if (status != HF_OK)
        return status;
    status = check_far_after(now_s, last_s, err);
    if (status == HF_OK)
        believe(deliverer, now_s * 1000);
    else
        forget(deliverer);
    return status;
}

enum hf_status
clock_check(struct hf_deliverer *deliverer, int64_t last_s, struct hf_error *err)
{
    int64_t skew_s = hf_deliverer_skew_s(deliverer), now_s = hf_wall_s();
    char date[HF_TIME_SIZE];

    if (now_s < hf_build_s()) {
        hf_time_rfc3339(now_s, date);
        return hf_fail(err, HF_ESKEW,
                       "this host's clock says %s, before this program was built; set it", date);
    }
    if (deliverer->store.kind == HF_STORE_DIR)
        return check_dir(deliverer, now_s, last_s, err);
    if (skew_s > HF_SKEW_MAX_S || skew_s < -HF_SKEW_MAX_S)
        return hf_fail(err, HF_ESKEW,
                       "this host's clock is %" PRId64
                       " s %s the store's; set it, best with a time service; nothing is sent"
                       " meanwhile",
                       skew_s > 0 ? skew_s : -skew_s, skew_s > 0 ? "behind" : "ahead of");
    return HF_OK;
}

enum hf_status
hf_deliverer_clock(struct hf_deliverer *deliverer, int64_t last_s, bool *ret_known,
                   struct hf_error *err)
{
    *ret_known = clock_known(deliverer);
    return clock_check(deliverer, last_s, err);
}
