/* What a bucket should have: the documents of its policy folder, with what the configuration says
 * in place of theirs. */
#include "cli_impl.h"

#include <holdfast/json.h>
#include <stdio.h>
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
static struct set_term
term_of(const json_t *object_lock)
{
    const json_t *lock = json_object_get(json_object_get(object_lock, "Rule"), "DefaultRetention");
    int mode = hf_lock_mode_parse(hf_doc_text_or(lock, "Mode", ""));
    if (mode != HF_LOCK_GOVERNANCE && mode != HF_LOCK_COMPLIANCE)
        return (struct set_term){ .mode = HF_LOCK_NONE };
    return (struct set_term){
        .mode = mode, .days = hf_doc_u64_or(lock, "Days", 0) + 365 * hf_doc_u64_or(lock, "Years", 0)
    };
}

enum hf_status
set_term_read(const struct hf_config *config, const struct hf_config_bucket *bucket,
              struct set_term *ret_term, struct hf_error *err)
{
    char *folder hf_owned(hf_freep) = policy_folder(config->path, bucket->policy, HF_POLICIES_DIR);
    hf_owned(hf_doc_freep) json_t *document = NULL;
    enum hf_status status = read_optional(folder, "object-lock.json", &document, err);
    if (status == HF_OK)
        *ret_term = term_of(document);
    return status;
}

void
say_shortfall(const struct hf_config_bucket *bucket, const struct set_term *term,
              const char *subject, struct lines *lines)
{
    if (term->mode == HF_LOCK_NONE)
        return;
    if (bucket->retention_mode == HF_LOCK_NONE) {
        lines_add(lines, LINE_NOTE, subject, NULL,
                  "retention none: the policy set asks for %s for %llu days, and nothing is locked",
                  hf_lock_mode_text(term->mode), (unsigned long long)term->days);
        return;
    }
    if (bucket->retention_days < term->days)
        lines_add(lines, LINE_NOTE, subject, NULL,
                  "its retention of %llu days is shorter than the policy set's term of %llu: what "
                  "is written can be deleted %llu days too early",
                  (unsigned long long)bucket->retention_days, (unsigned long long)term->days,
                  (unsigned long long)(term->days - bucket->retention_days));
    if (bucket->retention_mode == HF_LOCK_GOVERNANCE && term->mode == HF_LOCK_COMPLIANCE)
        lines_add(lines, LINE_NOTE, subject, NULL,
                  "its mode is GOVERNANCE, the policy set's COMPLIANCE: whoever may bypass it can "
                  "delete before the time");
}

/* ---- default lock ---- */

static enum hf_status
plan_lock(struct bucket_plan *plan, struct hf_error *err)
{
    const struct hf_config_bucket *bucket = plan->bucket;
    enum hf_status status =
        read_optional(plan->folder, "object-lock.json", &plan->object_lock, err);
    if (status != HF_OK || !plan->object_lock)
        return status;
    if (!json_is_object(plan->object_lock))
        return hf_fail(err, HF_ECONFIG, "'%s/object-lock.json' is no JSON object", plan->folder);
    plan->term = term_of(plan->object_lock);
    if (bucket->retention_mode == HF_LOCK_NONE)
        json_object_del(plan->object_lock, "Rule");
    else
        hf_doc_set(plan->object_lock, "Rule",
                   json_pack("{s:{s:s, s:I}}", "DefaultRetention", "Mode",
                             hf_lock_mode_text(bucket->retention_mode), "Days",
                             (json_int_t)bucket->retention_days));
    return HF_OK;
}

/* ---- tags ---- */

static enum hf_status
plan_tags(struct bucket_plan *plan, struct hf_error *err)
{
    const struct hf_strings *tags = &plan->bucket->tags;
    if (tags->count == 0)
        return HF_OK;
    json_t *set = json_array();
    plan->tagging = json_pack("{s:o}", "TagSet", set);
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
fill_plan(const struct hf_config *config, const struct options *options, struct bucket_plan *plan,
          struct hf_error *err)
{
    const struct hf_config_bucket *bucket = plan->bucket;
    enum hf_status status = plan_tags(plan, err);
    if (status == HF_OK && plan->folder)
        status = plan_lock(plan, err);
    if (status == HF_OK && plan->folder)
        status = policies_plan(config, options, plan, err);
    if (status == HF_OK && plan->folder)
        status = read_optional(plan->folder, "encryption.json", &plan->encryption, err);
    if (status == HF_OK && bucket->lifecycle)
        status = read_document(bucket->lifecycle, &plan->lifecycle, err);
    else if (status == HF_OK && plan->folder)
        status = read_optional(plan->folder, "lifecycle.json", &plan->lifecycle, err);
    return status == HF_ENOTFOUND ? HF_ECONFIG : status;
}

/* What its trails ask for counts as well: the strictest mode, the longest time. */
static void
plan_strictest(const struct hf_config *config, struct bucket_plan *plan)
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
bucket_plan_make(const struct hf_config *config, const struct hf_config_bucket *bucket,
                 const struct options *options, struct bucket_plan *ret_plan, struct hf_error *err)
{
    struct bucket_plan plan = { .bucket = bucket };
    struct stat info;
    plan_strictest(config, &plan);
    if (bucket->policy)
        plan.folder = policy_folder(config->path, bucket->policy, HF_POLICIES_DIR);
    enum hf_status status = plan.folder ? hf_fs_stat(plan.folder, &info, err) : HF_OK;
    if (status == HF_OK)
        status = fill_plan(config, options, &plan, err);
    else
        status = HF_ECONFIG;
    if (status != HF_OK) {
        bucket_plan_done(&plan);
        return hf_while(err, status, "bucket '%s'", bucket->name);
    }
    *ret_plan = plan;
    return HF_OK;
}

void
bucket_plan_done(struct bucket_plan *plan)
{
    free(plan->folder);
    json_decref(plan->object_lock);
    json_decref(plan->lifecycle);
    json_decref(plan->encryption);
    json_decref(plan->tagging);
    for (size_t i = 0; i < ROLE_COUNT; i++)
        json_decref(plan->policies[i]);
    *plan = (struct bucket_plan){ .bucket = NULL };
}

void
say_plan(const struct bucket_plan *plan, struct lines *lines)
{
    const char *name = plan->bucket->name;
    if (plan->folder && strcmp(plan->folder, plan->bucket->policy) != 0)
        lines_add(lines, LINE_NOTE, name, NULL, "the policy set is the installed one, %s",
                  plan->folder);
    say_shortfall(plan->bucket, &plan->term, name, lines);
}

/* ---- the commands' loop ---- */

static bool
is_named(const struct options *options, const char *bucket)
{
    for (size_t i = 0; i < options->arg_count; i++)
        if (strcmp(options->args[i], bucket) == 0)
            return true;
    return options->arg_count == 0;
}

int
each_bucket(const struct options *options,
            void (*run)(const struct options *options, const struct hf_config *config,
                        const struct hf_config_bucket *bucket, struct lines *lines))
{
    struct hf_error err = { 0 };
    struct hf_config *config = NULL;
    struct lines lines;
    enum hf_status status = config_open(options, &config, &err);
    for (size_t i = 0; status == HF_OK && i < options->arg_count; i++)
        if (!hf_config_bucket(config, options->args[i]))
            status = hf_fail(&err, HF_EUSAGE, "there is no bucket '%s' in the configuration",
                             options->args[i]);
    if (status != HF_OK) {
        hf_config_free(config);
        return say_failure(options, status, &err);
    }
    lines_begin(&lines, options);
    for (size_t i = 0; i < config->bucket_count; i++)
        if (is_named(options, config->buckets[i].name))
            run(options, config, &config->buckets[i], &lines);
    hf_config_free(config);
    return lines_end(&lines, "lines");
}
