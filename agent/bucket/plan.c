/* What a bucket should have: the documents of its policy folder, with what the configuration says
 * in place of theirs. */
#include "bucket_impl.h"

#include <holdfast/json.h>
#include <stdlib.h>
#include <string.h>

static enum hf_status
read_text(const char *path, struct hf_buf *ret_text, struct hf_error *err)
{
    enum hf_status status = hf_fs_read_file(path, DOCUMENT_MAX, ret_text, err);
    return status == HF_OK || status == HF_ENOTFOUND ? status
                                                     : hf_while(err, status, "reading '%s'", path);
}

static enum hf_status
read_document(const char *path, json_t **ret_doc, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(DOCUMENT_MAX);
    enum hf_status status = read_text(path, &text, err);
    return status == HF_OK ? hf_doc_parse(hf_buf_slice(&text), DOCUMENT_MAX, path, ret_doc, err)
                           : status;
}

enum hf_status
read_optional(const char *folder, const char *name, json_t **ret_doc, struct hf_error *err)
{
    char *path hf_owned(hf_freep) = hf_asprintf("%s/%s", folder, name);
    enum hf_status status = read_document(path, ret_doc, err);
    return status == HF_ENOTFOUND ? HF_OK
           : status == HF_OK      ? HF_OK
                                  : hf_while(err, HF_ECONFIG, "policy document");
}

/* ---- the set ---- */

char *
policy_folder(const char *config_path, const char *policy, const char *installed)
{
    const char *slash = strrchr(config_path, '/');
    char *beside hf_owned(hf_freep) =
        hf_asprintf("%.*spolicies/", slash ? (int)(slash + 1 - config_path) : 0, config_path);
    struct stat info;
    const char *name = policy + strlen(beside);
    bool is_set_name =
        hf_starts_with(policy, beside) && *name && *name != '.' && !strchr(name, '/');
    if (is_set_name && hf_fs_stat(policy, &info, NULL) == HF_ENOTFOUND) {
        char *other = hf_asprintf("%s/%s", installed, name);
        if (hf_fs_stat(other, &info, NULL) == HF_OK)
            return other;
        free(other);
    }
    return hf_strdup(policy);
}

/* What the set's default lock asks for; nothing where it has none. */
static struct hf_bucket_term
term_of(const json_t *object_lock)
{
    const json_t *lock = json_object_get(json_object_get(object_lock, "Rule"), "DefaultRetention");
    int mode = hf_lock_mode_parse(hf_doc_text_or(lock, "Mode", ""));
    if (mode != HF_LOCK_GOVERNANCE && mode != HF_LOCK_COMPLIANCE)
        return (struct hf_bucket_term){ .mode = HF_LOCK_NONE };
    return (struct hf_bucket_term){
        .mode = mode, .days = hf_doc_u64_or(lock, "Days", 0) + 365 * hf_doc_u64_or(lock, "Years", 0)
    };
}

enum hf_status
hf_bucket_term_read(const struct hf_config *config, const struct hf_config_bucket *bucket,
                    struct hf_bucket_term *ret_term, struct hf_error *err)
{
    char *folder hf_owned(hf_freep) = policy_folder(config->path, bucket->policy, HF_POLICIES_DIR);
    hf_owned(hf_doc_freep) json_t *document = NULL;
    enum hf_status status = read_optional(folder, "object-lock.json", &document, err);
    if (status == HF_OK)
        *ret_term = term_of(document);
    return status;
}

struct hf_bucket_shortfall
hf_bucket_shortfall(const struct hf_config_bucket *bucket, const struct hf_bucket_term *term)
{
    struct hf_bucket_shortfall shortfall = { .nothing_locked = false };
    if (term->mode == HF_LOCK_NONE)
        return shortfall;
    shortfall.nothing_locked = bucket->retention_mode == HF_LOCK_NONE;
    if (!shortfall.nothing_locked && bucket->retention_days < term->days)
        shortfall.days = term->days - bucket->retention_days;
    shortfall.weaker =
        bucket->retention_mode == HF_LOCK_GOVERNANCE && term->mode == HF_LOCK_COMPLIANCE;
    return shortfall;
}

/* ---- default lock ---- */

static enum hf_status
plan_lock(struct hf_bucket_plan *plan, struct hf_error *err)
{
    const struct hf_config_bucket *bucket = plan->bucket;
    json_t **lock = &plan->documents[HF_PART_LOCK];
    enum hf_status status = read_optional(plan->folder, "object-lock.json", lock, err);
    if (status != HF_OK || !*lock)
        return status;
    if (!json_is_object(*lock))
        return hf_fail(err, HF_ECONFIG, "'%s/object-lock.json' is no JSON object", plan->folder);
    plan->term = term_of(*lock);
    if (bucket->retention_mode == HF_LOCK_NONE)
        json_object_del(*lock, "Rule");
    else
        hf_doc_set(*lock, "Rule",
                   json_pack("{s:{s:s, s:I}}", "DefaultRetention", "Mode",
                             hf_lock_mode_text(bucket->retention_mode), "Days",
                             (json_int_t)bucket->retention_days));
    return HF_OK;
}

/* ---- tags ---- */

static enum hf_status
plan_tags(struct hf_bucket_plan *plan, struct hf_error *err)
{
    const struct hf_strings *tags = &plan->bucket->tags;
    if (tags->count == 0)
        return HF_OK;
    json_t *set = json_array();
    plan->documents[HF_PART_TAGS] = json_pack("{s:o}", "TagSet", set);
    for (size_t i = 0; i < tags->count; i++) {
        const char *equals = strchr(tags->items[i], '=');
        if (!equals || equals == tags->items[i])
            return hf_fail(err, HF_ECONFIG, "bucket '%s': tag '%s' is not KEY=VALUE",
                           plan->bucket->name, tags->items[i]);
        char *key hf_owned(hf_freep) =
            hf_strndup(tags->items[i], (size_t)(equals - tags->items[i]));
        json_t *tag = json_object();
        hf_doc_set_text(tag, "Key", key);
        hf_doc_set_text(tag, "Value", equals + 1);
        json_array_append_new(set, tag);
    }
    return HF_OK;
}

/* ---- the plan ---- */

static enum hf_status
fill_plan(const struct hf_config *config, const struct hf_bucket_given *given,
          struct hf_bucket_plan *plan, struct hf_error *err)
{
    const struct hf_config_bucket *bucket = plan->bucket;
    json_t **documents = plan->documents;
    enum hf_status status = plan_tags(plan, err);
    if (status == HF_OK && plan->folder)
        status = plan_lock(plan, err);
    if (status == HF_OK && plan->folder)
        status = policies_plan(config, given, plan, err);
    if (status == HF_OK && plan->folder)
        status =
            read_optional(plan->folder, "encryption.json", &documents[HF_PART_ENCRYPTION], err);
    if (status == HF_OK && bucket->lifecycle)
        status = read_document(bucket->lifecycle, &documents[HF_PART_LIFECYCLE], err);
    else if (status == HF_OK && plan->folder)
        status = read_optional(plan->folder, "lifecycle.json", &documents[HF_PART_LIFECYCLE], err);
    return status == HF_ENOTFOUND ? HF_ECONFIG : status;
}

/* What its trails ask for counts as well: the strictest mode, the longest time. */
static void
plan_strictest(const struct hf_config *config, struct hf_bucket_plan *plan)
{
    const struct hf_config_bucket *bucket = plan->bucket;
    plan->irreversible = bucket->retention_mode == HF_LOCK_COMPLIANCE;
    plan->lock_days = bucket->retention_mode == HF_LOCK_NONE ? 0 : bucket->retention_days;
    for (size_t i = 0; i < config->trail_count; i++) {
        const struct hf_config_trail *trail = &config->trails[i];
        if (strcmp(trail->bucket, bucket->name) != 0)
            continue;
        int mode = hf_config_lock_mode(config, trail);
        plan->irreversible = plan->irreversible || mode == HF_LOCK_COMPLIANCE;
        if (mode != HF_LOCK_NONE)
            plan->lock_days = HF_MAX(plan->lock_days, hf_config_lock_days(config, trail));
    }
}

enum hf_status
hf_bucket_plan_make(const struct hf_config *config, const struct hf_config_bucket *bucket,
                    const struct hf_bucket_given *given, struct hf_bucket_plan *ret_plan,
                    struct hf_error *err)
{
    struct hf_bucket_plan plan = { .bucket = bucket };
    struct stat info;
    plan_strictest(config, &plan);
    if (bucket->policy)
        plan.folder = policy_folder(config->path, bucket->policy, HF_POLICIES_DIR);
    enum hf_status status = plan.folder ? hf_fs_stat(plan.folder, &info, err) : HF_OK;
    if (status == HF_OK)
        status = fill_plan(config, given, &plan, err);
    else
        status = HF_ECONFIG;
    if (status != HF_OK) {
        hf_bucket_plan_done(&plan);
        return hf_while(err, status, "bucket '%s'", bucket->name);
    }
    *ret_plan = plan;
    return HF_OK;
}

void
hf_bucket_plan_done(struct hf_bucket_plan *plan)
{
    free(plan->folder);
    for (size_t i = 0; i < HF_PART_COUNT; i++)
        json_decref(plan->documents[i]);
    *plan = (struct hf_bucket_plan){ .bucket = NULL };
}

bool
hf_bucket_lacks_lock(const struct hf_bucket_plan *plan, enum hf_lock_state state)
{
    return state == HF_BUCKET_UNLOCKED && plan->bucket->retention_mode != HF_LOCK_NONE;
}
