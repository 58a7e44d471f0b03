/* Times as people write them. */
#include "opt.h"

#include <stdio.h>
#include <string.h>

bool
when_parse(const char *text, int64_t now_s, int64_t *ret_seconds)
{
    char full[HF_TIME_SIZE];
    uint64_t ago_s;
    if (strcmp(text, "now") == 0) {
        *ret_seconds = now_s;
        return true;
    }
    if (hf_time_parse_rfc3339(text, ret_seconds))
        return true;
    if (strlen(text) == strlen("2026-11-22") &&
        snprintf(full, sizeof(full), "%sT00:00:00Z", text) > 0 &&
        hf_time_parse_rfc3339(full, ret_seconds))
        return true;
    /* A bare number could be seconds ago or since the epoch: neither is guessed. */
    if (strspn(text, "0123456789") == strlen(text) || !hf_parse_duration(text, &ago_s) ||
        ago_s > (uint64_t)INT64_MAX / 2)
        return false;
    *ret_seconds = now_s - (int64_t)ago_s;
    return true;
}
