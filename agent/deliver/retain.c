/* Retention dates. */
#include <holdfast/deliver.h>

#define DAY_S 86400

int64_t
hf_retain_until(int lock_mode, uint64_t days, int64_t now_s, int64_t at_least_s)
{
    if (lock_mode == HF_LOCK_NONE)
        return 0;
    hf_assert(days <= 1000000);
    return HF_MAX(hf_day_after(now_s + (int64_t)days * DAY_S), at_least_s);
}
