/* DescribeTrails and GetTrailStatus. */
#include "api_impl.h"

#include <holdfast/config.h>
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

void
hf_api_trail_arn(const struct hf_api_options *options, const char *name,
                 char ret_arn[HF_API_ARN_SIZE])
{
    snprintf(ret_arn, HF_API_ARN_SIZE, "arn:aws:cloudtrail:%s:%s:trail/%s", options->region,
             options->account, name);
}

/* The name in an ARN of this account and region, or NULL. */
static const char *
name_in_arn(const struct hf_api_options *options, const char *arn)
{
    char start[HF_API_ARN_SIZE];
    hf_api_trail_arn(options, "", start);
    return hf_starts_with(arn, start) ? arn + strlen(start) : NULL;
}

static bool
arn_is_well_formed(const char *arn)
{
    const char *at = arn;
    for (int i = 0; i < 5; i++) {
        at = strchr(at, ':');
        if (!at)
            return false;
        at++;
    }
    return strstr(arn, ":cloudtrail:") && hf_starts_with(at, "trail/") && at[strlen("trail/")];
}

static const char *
name_complaint(const char *name)
{
    size_t size = strlen(name);
    bool alnum_first = (*name >= '0' && *name <= '9') || (*name >= 'a' && *name <= 'z') ||
                       (*name >= 'A' && *name <= 'Z');
    if (size < 3)
        return "Trail name too short. Minimum allowed length: 3 characters.";
    if (size > 128)
        return "Trail name too long. Maximum allowed length: 128 characters.";
    if (!alnum_first)
        return "Trail name must starts with a letter or number.";
    if (strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") != size)
        return "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, "
               "periods (.), hyphens (-), and underscores (_).";
    return NULL;
}

/* A name or an ARN. NULL without error->code: well formed, but no trail here. */
static const struct hf_api_trail *
find_trail(const struct hf_api_options *options, const char *name, struct api_error *error)
{
    if (hf_starts_with(name, "arn:")) {
        if (!arn_is_well_formed(name)) {
            api_fail(error, "CloudTrailARNInvalidException",
                     "'%.200s' is not arn:PARTITION:cloudtrail:REGION:ACCOUNT:trail/NAME", name);
            return NULL;
        }
        name = name_in_arn(options, name);
        if (!name)
            return NULL;
    }
    const char *complaint = name_complaint(name);
    if (complaint) {
        api_fail(error, "InvalidTrailNameException", "%s Specified name length: %zu characters.",
                 complaint, strlen(name));
        return NULL;
    }
    for (size_t i = 0; i < options->trail_count; i++)
        if (strcmp(options->trails[i].name, name) == 0)
            return &options->trails[i];
    return NULL;
}

static json_t *
trail_doc(const struct hf_api_options *options, const struct hf_api_trail *trail)
{
    char arn[HF_API_ARN_SIZE];
    json_t *doc = json_object();
    hf_doc_set_text(doc, "Name", trail->name);
    hf_doc_set_text(doc, "S3BucketName", trail->bucket);
    if (trail->prefix && *trail->prefix)
        hf_doc_set_text(doc, "S3KeyPrefix", trail->prefix);
    hf_doc_set_bool(doc, "IncludeGlobalServiceEvents", true);
    hf_doc_set_bool(doc, "IsMultiRegionTrail", false);
    hf_doc_set_text(doc, "HomeRegion", options->region);
    hf_api_trail_arn(options, trail->name, arn);
    hf_doc_set_text(doc, "TrailARN", arn);
    hf_doc_set_bool(doc, "LogFileValidationEnabled", true);
    if (trail->kms_key_id)
        hf_doc_set_text(doc, "KmsKeyId", trail->kms_key_id);
    hf_doc_set_bool(doc, "HasCustomEventSelectors", false);
    hf_doc_set_bool(doc, "HasInsightSelectors", false);
    hf_doc_set_bool(doc, "IsOrganizationTrail", trail->organization != NULL);
    return doc;
}

/* As CloudTrail does: names that are not there are left out, an empty or absent list means all. */
json_t *
api_describe_trails(const struct hf_api_options *options, const json_t *request,
                    struct api_error *error)
{
    const json_t *names = json_object_get(request, "trailNameList");
    if (names && !json_is_null(names) && !json_is_array(names))
        return api_fail(error, "SerializationException", "trailNameList is not a list");
    json_t *list = json_array();
    for (size_t i = 0; json_array_size(names) == 0 && i < options->trail_count; i++)
        json_array_append_new(list, trail_doc(options, &options->trails[i]));
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (!name)
            (void)api_fail(error, "SerializationException",
                           "trailNameList holds something that is not a string");
        const struct hf_api_trail *trail = name ? find_trail(options, name, error) : NULL;
        if (error->code) {
            json_decref(list);
            return NULL;
        }
        if (trail)
            json_array_append_new(list, trail_doc(options, trail));
    }
    json_t *answer = json_object();
    hf_doc_set(answer, "trailList", list);
    return answer;
}

static const json_t *
status_of_trail(const json_t *status, const char *name)
{
    const json_t *list = json_object_get(status, "trails");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *trail = json_array_get(list, i);
        if (strcmp(hf_doc_text_or(trail, "name", ""), name) == 0)
            return trail;
    }
    return NULL;
}

static void
set_epoch(json_t *answer, const char *key, const json_t *from, const char *from_key)
{
    int64_t seconds;
    if (hf_time_parse_rfc3339(hf_doc_text_or(from, from_key, ""), &seconds))
        hf_doc_set(answer, key, json_integer(seconds));
}

json_t *
api_get_trail_status(const struct hf_api_options *options, const json_t *request,
                     struct api_error *error)
{
    static const char *const always_sent[] = { "LatestDeliveryAttemptTime",
                                               "LatestNotificationAttemptTime",
                                               "LatestNotificationAttemptSucceeded",
                                               "LatestDeliveryAttemptSucceeded",
                                               "TimeLoggingStarted",
                                               "TimeLoggingStopped" };
    const char *name = json_string_value(json_object_get(request, "Name"));
    if (!name)
        return api_fail(error, "InvalidTrailNameException",
                        "Name is missing: write the trail's name or its ARN");
    const struct hf_api_trail *trail = find_trail(options, name, error);
    if (!trail)
        return error->code
                   ? NULL
                   : api_fail(error, "TrailNotFoundException",
                              "Unknown trail: %.200s for the user: %s", name, options->account);

    hf_owned(hf_doc_freep) json_t *status = options->agent_status(options->context);
    const json_t *state = status_of_trail(status, trail->name);
    json_t *answer = json_object();
    hf_doc_set_bool(answer, "IsLogging",
                    state && !json_is_true(json_object_get(state, "draining")));
    const char *reason = hf_doc_text_or(state, "reason", NULL);
    if (reason)
        hf_doc_set_text(answer, "LatestDeliveryError", reason);
    set_epoch(answer, "LatestDeliveryTime", state, "last_delivery");
    set_epoch(answer, "LatestDigestDeliveryTime", state, "last_digest");
    set_epoch(answer, "StartLoggingTime", json_object_get(status, "agent"), "started");
    for (size_t i = 0; i < HF_COUNT(always_sent); i++)
        hf_doc_set_text(answer, always_sent[i], "");
    return answer;
}
