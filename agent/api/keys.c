/* ListPublicKeys. */
#include "api_impl.h"

#include <holdfast/json.h>

/* A key whose end is open is said to be valid until then: CloudTrail's answer has no way to say
 * "for ever". */
#define OPEN_END_S 4102444800ll /* 2100-01-01T00:00:00Z */
/* A key without an entry in the registry has its file's time, which a copy makes later: it is not
 * used to leave a key out. A rotated key still signs until the agent has read the new one. */
#define OVERLAP_S (24ll * 3600)

static bool
read_time(const json_t *request, const char *key, int64_t *seconds)
{
    const json_t *value = json_object_get(request, key);
    if (!value || json_is_null(value))
        return true;
    if (!json_is_number(value))
        return false;
    double number = json_number_value(value);
    *seconds = number < -1e11 ? -100000000000ll : number > 1e11 ? 100000000000ll : (int64_t)number;
    return true;
}

static int64_t
time_of(const json_t *key, const char *name, int64_t fallback)
{
    int64_t seconds;
    return hf_time_parse_rfc3339(hf_doc_text_or(key, name, ""), &seconds) ? seconds : fallback;
}

static json_t *
key_doc(const json_t *key)
{
    json_t *doc = json_object();
    hf_doc_set_text(doc, "Value", hf_doc_text_or(key, "public_key", ""));
    hf_doc_set(doc, "ValidityStartTime", json_integer(time_of(key, "valid_from", 0)));
    hf_doc_set(doc, "ValidityEndTime", json_integer(time_of(key, "valid_to", OPEN_END_S)));
    hf_doc_set_text(doc, "Fingerprint", hf_doc_text_or(key, "fingerprint", ""));
    return doc;
}

/* A revoked key vouches for nothing, so it is not handed out. */
json_t *
api_list_public_keys(const struct hf_api_options *options, const json_t *request,
                     struct api_error *error)
{
    struct hf_error err = { 0 };
    int64_t start_s = -100000000000ll, end_s = 100000000000ll;
    if (!read_time(request, "StartTime", &start_s) || !read_time(request, "EndTime", &end_s))
        return api_fail(error, "SerializationException",
                        "StartTime and EndTime are numbers: seconds since the epoch");
    if (start_s > end_s)
        return api_fail(error, "InvalidTimeRangeException", "StartTime is after EndTime");
    hf_owned(hf_doc_freep) json_t *known = options->keys(options->context, &err);
    if (!known) {
        (void)api_fail(error, "InternalFailure", "reading the keys: %s", err.text);
        error->http_status = 500;
        return NULL;
    }
    json_t *list = json_array(), *keys = json_object_get(known, "keys"), *key;
    size_t index;
    json_array_foreach(keys, index, key)
    {
        bool begun = time_of(key, "valid_from", 0) <= end_s + OVERLAP_S ||
                     !json_is_true(json_object_get(key, "registered"));
        bool lasts = time_of(key, "valid_to", OPEN_END_S) >= start_s - OVERLAP_S;
        if (begun && lasts && !hf_doc_text_or(key, "revoked_at", NULL))
            json_array_append_new(list, key_doc(key));
    }
    json_t *answer = json_object();
    hf_doc_set(answer, "PublicKeyList", list);
    return answer;
}
