/* Retention dates: computed anew for each attempt. Were the date fixed when the object is sealed,
 * each PUT after an outage longer than the retention would ask for a lock that is over (400), and
 * a bucket policy on the days that remain would refuse it before (403). Never earlier than the
 * attempt before: that one may be what the store has. */
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
