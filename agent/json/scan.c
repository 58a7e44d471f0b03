/* Chooses the scanner's twin, and knows the names of the members that it picks out. */
#include <string.h>

#include "json_impl.h"

const char *const hf_json_member_names[HF_JSON_MEMBERS] = {
    [HF_JSON_EVENT_VERSION] = "eventVersion",
    [HF_JSON_USER_IDENTITY] = "userIdentity",
    [HF_JSON_EVENT_TIME] = "eventTime",
    [HF_JSON_EVENT_SOURCE] = "eventSource",
    [HF_JSON_EVENT_NAME] = "eventName",
    [HF_JSON_AWS_REGION] = "awsRegion",
    [HF_JSON_SOURCE_IP_ADDRESS] = "sourceIPAddress",
    [HF_JSON_REQUEST_PARAMETERS] = "requestParameters",
    [HF_JSON_RESPONSE_ELEMENTS] = "responseElements",
    [HF_JSON_EVENT_ID] = "eventID",
    [HF_JSON_EVENT_TYPE] = "eventType",
    [HF_JSON_RECIPIENT_ACCOUNT_ID] = "recipientAccountId",
    [HF_JSON_EVENT_CATEGORY] = "eventCategory",
};

/* Length and one or two bytes leave at most one candidate, so that a key costs at most one
 * comparison. */
static enum hf_json_member
member_candidate(const uint8_t *key, size_t size)
{
    switch (size) {
    case 7: return HF_JSON_EVENT_ID;
    case 9:
        if (key[0] == 'a')
            return HF_JSON_AWS_REGION;
        if (key[5] == 'N')
            return HF_JSON_EVENT_NAME;
        return key[6] == 'i' ? HF_JSON_EVENT_TIME : HF_JSON_EVENT_TYPE;
    case 11: return HF_JSON_EVENT_SOURCE;
    case 12: return key[0] == 'e' ? HF_JSON_EVENT_VERSION : HF_JSON_USER_IDENTITY;
    case 13: return HF_JSON_EVENT_CATEGORY;
    case 15: return HF_JSON_SOURCE_IP_ADDRESS;
    case 16: return HF_JSON_RESPONSE_ELEMENTS;
    case 17: return HF_JSON_REQUEST_PARAMETERS;
    case 18: return HF_JSON_RECIPIENT_ACCOUNT_ID;
    default: return HF_JSON_MEMBERS;
    }
}

enum hf_json_member
hf_json_member_find(const uint8_t *key, size_t size)
{
    enum hf_json_member member = member_candidate(key, size);
    if (member != HF_JSON_MEMBERS && memcmp(key, hf_json_member_names[member], size) != 0)
        return HF_JSON_MEMBERS;
    return member;
}

size_t
hf_json_twins(struct hf_json_twin ret_twins[HF_JSON_TWINS_MAX])
{
    size_t count = 0;
    ret_twins[count++] = (struct hf_json_twin){ "scalar", hf_json_scan_scalar };
#ifdef __x86_64__
    ret_twins[count++] = (struct hf_json_twin){ "sse2", hf_json_scan_sse2 };
    if (__builtin_cpu_supports("avx2"))
        ret_twins[count++] = (struct hf_json_twin){ "avx2", hf_json_scan_avx2 };
#endif
    return count;
}

bool
hf_json_scan(struct hf_slice text, struct hf_json_scan *ret_scan)
{
    if (!text.ptr)
        text = HF_SLICE_LITERAL("");
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2"))
        return hf_json_scan_avx2(text, ret_scan);
    return hf_json_scan_sse2(text, ret_scan);
#else
    return hf_json_scan_scalar(text, ret_scan);
#endif
}
