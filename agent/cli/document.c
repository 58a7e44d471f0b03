/* What a bucket should have: the documents of its policy folder, with what the configuration says
 * in place of theirs. */
#include "cli_impl.h"

#include <holdfast/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIXES_MAX 64

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

/* HF_OK and NULL when the folder has no such document. */
static enum hf_status
read_optional(const char *folder, const char *name, json_t **ret_doc, struct hf_error *err)
{
    char *path hf_owned(hf_freep) = hf_asprintf("%s/%s", folder, name);
    enum hf_status status = read_document(path, ret_doc, err);
    return status == HF_ENOTFOUND ? HF_OK
           : status == HF_OK      ? HF_OK
                                  : hf_while(err, HF_ECONFIG, "policy document");
}

/* ---- default lock ---- */

static enum hf_status
plan_lock(struct bucket_plan *plan, struct hf_error *err)
{
    const struct hf_config_bucket *bucket = plan->bucket;
    enum hf_status status =
        read_optional(bucket->policy, "object-lock.json", &plan->object_lock, err);
    if (status != HF_OK || !plan->object_lock)
        return status;
    if (!json_is_object(plan->object_lock))
        return hf_fail(err, HF_ECONFIG, "'%s/object-lock.json' is no JSON object", bucket->policy);
    if (bucket->retention_mode == HF_LOCK_NONE)
        json_object_del(plan->object_lock, "Rule");
    else
        hf_doc_set(plan->object_lock, "Rule",
                   json_pack("{s:{s:s, s:I}}", "DefaultRetention", "Mode",
                             hf_lock_mode_text(bucket->retention_mode), "Days",
                             (json_int_t)bucket->retention_days));
    return HF_OK;
}

/* ---- bucket policy ---- */

static enum hf_status
replace_word(const char *text, const char *word, const char *value, char **ret_text)
{
    hf_owned(hf_buf_done) struct hf_buf out = HF_BUF(4 * DOCUMENT_MAX);
    enum hf_status status = HF_OK;
    for (const char *found; status == HF_OK && (found = strstr(text, word));
         text = found + strlen(word)) {
        status = hf_buf_add(&out, text, (size_t)(found - text));
        if (status == HF_OK)
            status = hf_buf_add_text(&out, value);
    }
    if (status == HF_OK)
        status = hf_buf_add_text(&out, text);
    if (status == HF_OK)
        *ret_text = hf_strdup(hf_buf_text(&out));
    return status;
}

/* In the strings only, after parsing, so that no value can become part of the document's form. */
static json_t *
filled(const json_t *value, const char *bucket, const char *prefix, const char *writer)
{
    const struct {
        const char *word, *value;
    } words[] = { { "${BUCKET}", bucket },
                  { "${PREFIX}/", *prefix ? NULL : "" },
                  { "${PREFIX}", prefix },
                  { "${WRITER}", writer } };
    const char *key;
    json_t *member;
    size_t index;
    if (json_is_string(value)) {
        char *text hf_owned(hf_freep) = hf_strdup(json_string_value(value));
        for (size_t i = 0; i < HF_COUNT(words); i++) {
            char *next = NULL;
            if (words[i].value &&
                replace_word(text, words[i].word, words[i].value, &next) == HF_OK) {
                free(text);
                text = next;
            }
        }
        return json_string(text);
    }
    if (json_is_object(value)) {
        json_t *object = json_object();
        json_object_foreach((json_t *)value, key, member)
            json_object_set_new(object, key, filled(member, bucket, prefix, writer));
        return object;
    }
    if (json_is_array(value)) {
        json_t *array = json_array();
        json_array_foreach(value, index, member)
            json_array_append_new(array, filled(member, bucket, prefix, writer));
        return array;
    }
    return json_deep_copy(value);
}

/* Several hosts write into one bucket, each below its prefix: each has statements of its own, told
 * apart by their Sid. */
static void
add_statements(json_t *policy, const json_t *document, const char *bucket, const char *prefix,
               const char *writer)
{
    char hash[HF_SHA256_HEX_SIZE];
    json_t *statement;
    size_t index;
    hf_sha256_hex(prefix, strlen(prefix), hash);
    json_array_foreach(json_object_get(document, "Statement"), index, statement)
    {
        json_t *own = filled(statement, bucket, prefix, writer);
        char *sid hf_owned(hf_freep) =
            hf_asprintf("%s%.8s", hf_doc_text_or(own, "Sid", "Holdfast"), hash);
        hf_doc_set_text(own, "Sid", sid);
        json_array_append_new(json_object_get(policy, "Statement"), own);
    }
}

static size_t
prefixes_of(const struct hf_config *config, const struct hf_config_bucket *bucket, const char *host,
            const char *ret_prefixes[PREFIXES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < config->trail_count; i++) {
        const struct hf_config_trail *trail = &config->trails[i];
        const char *prefix = trail->prefix ? trail->prefix : host;
        bool known = strcmp(trail->bucket, bucket->name) != 0;
        for (size_t j = 0; j < count; j++)
            known = known || strcmp(ret_prefixes[j], prefix) == 0;
        if (!known && count < PREFIXES_MAX)
            ret_prefixes[count++] = prefix;
    }
    return count;
}

static enum hf_status
plan_policy(const struct hf_config *config, const struct options *options, struct bucket_plan *plan,
            struct hf_error *err)
{
    const struct hf_config_bucket *bucket = plan->bucket;
    const struct hf_config_store *store = hf_config_store(config, bucket->store);
    const char *name =
        store->confirm == HF_CONFIRM_PUT ? "bucket-policy-put.json" : "bucket-policy.json";
    const char *prefixes[PREFIXES_MAX];
    char host[256];
    hf_owned(hf_doc_freep) json_t *document = NULL;
    enum hf_status status = read_optional(bucket->policy, name, &document, err);
    if (status != HF_OK || !document)
        return status;
    if (!json_is_array(json_object_get(document, "Statement")))
        return hf_fail(err, HF_ECONFIG, "'%s/%s' has no list of statements", bucket->policy, name);
    plan->wants_writer = !options->writer;
    if (!options->writer)
        return HF_OK;
    host_name(config, host);
    size_t count = options->writer_prefix ? 1 : prefixes_of(config, bucket, host, prefixes);
    if (options->writer_prefix)
        prefixes[0] = options->writer_prefix;
    plan->policy = json_pack("{s:s, s:[]}", "Version",
                             hf_doc_text_or(document, "Version", "2012-10-17"), "Statement");
    for (size_t i = 0; i < count; i++)
        add_statements(plan->policy, document, bucket->name, prefixes[i], options->writer);
    return HF_OK;
}

/* The statements of `policy` that have, or have not, a Sid of `named`. */
static json_t *
statements(const json_t *policy, const json_t *named, bool with_sid)
{
    json_t *chosen = json_array(), *statement, *other;
    size_t i, j;
    json_array_foreach(json_object_get(policy, "Statement"), i, statement)
    {
        const char *sid = hf_doc_text_or(statement, "Sid", NULL);
        bool found = false;
        json_array_foreach(json_object_get(named, "Statement"), j, other) found =
            found || (sid && strcmp(sid, hf_doc_text_or(other, "Sid", "")) == 0);
        if (found == with_sid)
            json_array_append(chosen, statement);
    }
    return chosen;
}

json_t *
policy_merge(const json_t *present, const json_t *wanted)
{
    json_t *merged = json_deep_copy(wanted);
    json_t *others = statements(present, wanted, false);
    json_array_extend(json_object_get(merged, "Statement"), others);
    json_decref(others);
    return merged;
}

json_t *
policy_own(const json_t *present, const json_t *wanted)
{
    json_t *own = json_object();
    hf_doc_set_text(own, "Version", hf_doc_text_or(present, "Version", ""));
    hf_doc_set(own, "Statement", statements(present, wanted, true));
    return own;
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
    if (status == HF_OK && bucket->policy)
        status = plan_lock(plan, err);
    if (status == HF_OK && bucket->policy)
        status = plan_policy(config, options, plan, err);
    if (status == HF_OK && bucket->lifecycle)
        status = read_document(bucket->lifecycle, &plan->lifecycle, err);
    else if (status == HF_OK && bucket->policy)
        status = read_optional(bucket->policy, "lifecycle.json", &plan->lifecycle, err);
    return status == HF_ENOTFOUND ? HF_ECONFIG : status;
}

enum hf_status
bucket_plan_make(const struct hf_config *config, const struct hf_config_bucket *bucket,
                 const struct options *options, struct bucket_plan *ret_plan, struct hf_error *err)
{
    struct bucket_plan plan = { .bucket = bucket };
    struct stat info;
    plan.irreversible = bucket->retention_mode == HF_LOCK_COMPLIANCE;
    for (size_t i = 0; i < config->trail_count; i++)
        if (strcmp(config->trails[i].bucket, bucket->name) == 0)
            plan.irreversible =
                plan.irreversible ||
                hf_config_lock_mode(config, &config->trails[i]) == HF_LOCK_COMPLIANCE;
    enum hf_status status = bucket->policy ? hf_fs_stat(bucket->policy, &info, err) : HF_OK;
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
    json_decref(plan->object_lock);
    json_decref(plan->lifecycle);
    json_decref(plan->policy);
    json_decref(plan->tagging);
    *plan = (struct bucket_plan){ .bucket = NULL };
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
