/* The newest digest of a trail under its prefix. */
#include "agent/deliver/deliver_impl.h"

#include <string.h>

#define DAY_S 86400

/* From the day's folder on: its keys sort after its name. There is no end: after a step back of the
 * clock, or from a host with another one, a digest may lie in a folder of the future. */
void
newest_after(const struct hf_layout *layout, int span, int64_t now_s, char ret_after[HF_KEY_MAX])
{
    static const int64_t days[HF_NEWEST_SPANS] = { 1, 14, 400, -1 };
    char day[HF_TIME_SIZE];

    hf_assert(span >= 0 && span < HF_NEWEST_SPANS);
    ret_after[0] = '\0';
    if (days[span] < 0 || now_s < days[span] * DAY_S)
        return;
    hf_layout_digest_prefix(layout, ret_after);
    hf_time_folder(now_s - days[span] * DAY_S, day);
    hf_assert(strlen(ret_after) + strlen(day) < HF_KEY_MAX);
    memcpy(ret_after + strlen(ret_after), day, strlen(day) + 1);
}

static bool
is_skipped(const struct hf_delivery *delivery, const char *key)
{
    for (size_t i = 0; i < delivery->skip_count; i++) {
        if (strcmp(delivery->skip[i], key) == 0)
            return true;
    }
    return false;
}

void
newest_take(struct newest *newest, const struct hf_strings *keys)
{
    int64_t end_s;

    for (size_t i = 0; i < keys->count; i++) {
        const char *key = keys->items[i];
        if (!hf_layout_is_digest(newest->delivery->layout, key, &end_s) ||
            strlen(key) >= HF_KEY_MAX || is_skipped(newest->delivery, key))
            continue;
        if (newest->key[0] && end_s < newest->end_s)
            continue;
        memcpy(newest->key, key, strlen(key) + 1);
        newest->end_s = end_s;
    }
}
