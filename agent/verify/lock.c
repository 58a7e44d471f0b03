/* Is it held as the digest says that it was? Locks only grow: a stronger mode and a later date are
 * fine. */
#include <holdfast/config.h>

#include "agent/verify/look.h"

bool
lock_check(struct look *look, const char *key, const struct hf_object_info *info, int least_mode,
           int64_t least_until_s, const char *recorded_by)
{
    char wanted[HF_TIME_SIZE], found[HF_TIME_SIZE];

    if (least_mode == HF_LOCK_NONE)
        return true;
    hf_time_rfc3339(least_until_s, wanted);
    hf_time_rfc3339(info->retain_until_s, found);
    if (info->lock_mode == HF_LOCK_NONE) {
        look_note(look, HF_UNLOCKED, key, "no retention; expected %s until %s by '%s'",
                  hf_lock_mode_text(least_mode), wanted, recorded_by);
        return false;
    }
    if (info->lock_mode < least_mode || info->retain_until_s < least_until_s) {
        look_note(look, HF_UNLOCKED, key, "held in %s until %s; expected %s until %s by '%s'",
                  hf_lock_mode_text(info->lock_mode), found, hf_lock_mode_text(least_mode), wanted,
                  recorded_by);
        return false;
    }
    if (info->advisory)
        look_note(look, HF_ADVISORY, hf_store_bucket(look->store),
                  "nothing but a read-only bit holds what lies in this directory: root can change "
                  "and delete it");
    return true;
}
