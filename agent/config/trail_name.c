/* CloudTrail's rule for trail names. The texts are those that CloudTrail's clients know; the last
 * rule is our own: the digest's key is cut at _REGION_, so no name may look like that. */
#include "config_impl.h"
#include "rule.h"

#include <stdio.h>
#include <string.h>

static bool
is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
is_mark(char c)
{
    return c == '.' || c == '_' || c == '-';
}

static enum hf_status
check_characters(const char *name, size_t length, struct hf_error *err)
{
    if (!is_alnum(name[0]))
        return hf_fail(err, HF_ECONFIG, "Trail name must starts with a letter or number.");
    if (!is_alnum(name[length - 1]))
        return hf_fail(err, HF_ECONFIG, "Trail name must ends with a letter or number.");
    for (const char *at = name; *at; at++) {
        if (!is_alnum(*at) && !is_mark(*at))
            return hf_fail(
                err, HF_ECONFIG,
                "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, "
                "periods (.), hyphens (-), and underscores (_).");
        if (is_mark(at[0]) && is_mark(at[1]))
            return hf_fail(
                err, HF_ECONFIG,
                "Trail name must not have adjacent periods (.), hyphens (-), or underscores (_).");
    }
    return HF_OK;
}

enum hf_status
hf_trail_name_check(const char *name, const char *region, struct hf_error *err)
{
    size_t length = strlen(name);
    if (length < 3)
        return hf_fail(err, HF_ECONFIG,
                       "Trail name too short. Minimum allowed length: 3 characters. Specified name "
                       "length: %zu "
                       "characters.",
                       length);
    if (length > 128)
        return hf_fail(err, HF_ECONFIG,
                       "Trail name too long. Maximum allowed length: 128 characters. Specified "
                       "name length: %zu "
                       "characters.",
                       length);
    enum hf_status status = check_characters(name, length, err);
    if (status != HF_OK)
        return status;
    if (hf_is_ipv4(name, length))
        return hf_fail(err, HF_ECONFIG, "Trail name must not be in IP address format.");
    hf_owned(hf_freep) char *inner = hf_asprintf("_%s_", region ? region : "");
    if (region && region[0] && strstr(name, inner))
        return hf_fail(err, HF_ECONFIG,
                       "Trail name must not contain '%s': the region between underscores marks "
                       "where the name ends in "
                       "a digest's key.",
                       inner);
    return HF_OK;
}
