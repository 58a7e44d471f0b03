/* holdfast bucket diff: reads the documents back and compares. */
#include "cli_impl.h"

#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

#define ENCRYPTION "default encryption"

struct diff {
    struct hf_store *store;
    const char *name;
    struct lines *lines;
};

/* HF_OK and NULL when nothing is set. `root` is the document's outermost element, NULL for JSON.
 * Ceph answers for a setting that it does not know with a list of the bucket. */
static enum hf_status
read_back(const struct diff *diff, const char *subresource, const char *root, json_t **ret_doc,
          struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(DOCUMENT_MAX);
    enum hf_status status = hf_store_bucket_get(diff->store, subresource, &text, err);
    if (status == HF_ENOTFOUND)
        return HF_OK;
    if (status != HF_OK)
        return status;
    if (!root)
        return hf_doc_parse(hf_buf_slice(&text), DOCUMENT_MAX, "the bucket policy", ret_doc, err);
    status = xml_to_doc(hf_buf_slice(&text), ret_doc, err);
    if (status == HF_OK && !xml_root_is(hf_buf_slice(&text), root)) {
        json_decref(*ret_doc);
        *ret_doc = NULL;
    }
    return status;
}

/* MinIO takes a rule for unfinished uploads and does not keep it, having a setting of its own;
 * holdfast never makes such uploads. What a store adds to the encryption by itself, AWS its choices
 * of keys and algorithms, takes nothing away from what is wanted. */
static bool
is_unimportant(const json_t *difference, const char *what, const json_t *present)
{
    const char *path = hf_doc_text_or(difference, "path", "");
    bool added = !json_is_true(json_object_get(difference, "wanted"));
    return present && (strstr(path, ".AbortIncompleteMultipartUpload.") ||
                       (added && strcmp(what, ENCRYPTION) == 0));
}

static void
say_differences(const struct diff *diff, const char *what, const json_t *present,
                const json_t *wanted)
{
    json_t *differences = document_differences(present, wanted), *difference;
    size_t index, counted = 0;
    json_array_foreach(differences, index, difference)
    {
        bool note = is_unimportant(difference, what, present);
        counted += !note;
        lines_add(diff->lines, note ? LINE_NOTE : LINE_FAIL, diff->name, NULL, "%s: %s", what,
                  hf_doc_text_or(difference, "text", ""));
    }
    json_decref(differences);
    if (counted == 0)
        lines_add(diff->lines, LINE_OK, diff->name, NULL, "%s: as configured", what);
}

static void
compare(const struct diff *diff, const char *what, const char *subresource, const char *root,
        const json_t *wanted)
{
    struct hf_error err = { 0 };
    hf_owned(hf_doc_freep) json_t *present = NULL;
    if (!wanted)
        return;
    if (read_back(diff, subresource, root, &present, &err) != HF_OK)
        lines_add_error(diff->lines, diff->name, NULL, &err);
    else
        say_differences(diff, what, present, wanted);
}

static void
compare_policies(const struct diff *diff, const struct bucket_plan *plan)
{
    struct hf_error err = { 0 };
    hf_owned(hf_doc_freep) json_t *present = NULL;
    bool any = false;
    for (size_t role = 0; role < ROLE_COUNT; role++)
        any = any || plan->policies[role];
    if (any && read_back(diff, "policy", NULL, &present, &err) != HF_OK) {
        lines_add_error(diff->lines, diff->name, NULL, &err);
        return;
    }
    for (size_t role = 0; role < ROLE_COUNT; role++) {
        const json_t *wanted = plan->policies[role];
        char *what hf_owned(hf_freep) = hf_asprintf("bucket policy, %s", roles[role].name);
        hf_owned(hf_doc_freep) json_t *own = present ? policy_own(present, wanted) : NULL;
        if (wanted)
            say_differences(diff, what, own, wanted);
    }
    say_roles(plan, diff->lines, "not compared");
}

static void
compare_lifecycle(const struct diff *diff, const struct bucket_plan *plan)
{
    char *hides hf_owned(hf_freep) = lifecycle_hides_locked(plan->lifecycle, plan->lock_days);
    if (hides)
        lines_add(diff->lines, LINE_FAIL, diff->name, NULL, "lifecycle: apply will not set it: %s",
                  hides);
    else
        compare(diff, "lifecycle", "lifecycle", "LifecycleConfiguration", plan->lifecycle);
}

static void
compare_all(const struct diff *diff, const struct bucket_plan *plan, const char *apply)
{
    struct hf_error err = { 0 };
    enum hf_lock_state state;
    if (hf_store_bucket_state(diff->store, &state, &err) != HF_OK) {
        lines_add_error(diff->lines, diff->name, NULL, &err);
    } else if (state == HF_BUCKET_MISSING) {
        lines_add(diff->lines, LINE_FAIL, diff->name, apply, "is not there");
    } else if (hf_store_is_dir(diff->store)) {
        lines_add(diff->lines, LINE_OK, diff->name, NULL,
                  "the directory is there; it takes no documents");
    } else {
        if (state == HF_BUCKET_UNLOCKED && plan->bucket->retention_mode != HF_LOCK_NONE)
            lines_add(diff->lines, LINE_FAIL, diff->name, NULL, "has no Object Lock");
        say_plan(plan, diff->lines);
        if (state == HF_BUCKET_LOCKED)
            compare(diff, "default lock", "object-lock", "ObjectLockConfiguration",
                    plan->object_lock);
        compare_lifecycle(diff, plan);
        compare(diff, ENCRYPTION, "encryption", "ServerSideEncryptionConfiguration",
                plan->encryption);
        compare(diff, "tags", "tagging", "Tagging", plan->tagging);
        compare_policies(diff, plan);
    }
}

static void
diff_bucket(const struct options *options, const struct hf_config *config,
            const struct hf_config_bucket *bucket, struct lines *lines)
{
    struct hf_config_store described = store_as(hf_config_store(config, bucket->store), options);
    struct diff diff = { .name = bucket->name, .lines = lines };
    struct bucket_plan plan;
    struct hf_error err = { 0 };
    char *apply hf_owned(hf_freep) = hf_asprintf("holdfast bucket apply %s", bucket->name);
    if (bucket_plan_make(config, bucket, options, &plan, &err) != HF_OK) {
        lines_add_error(lines, bucket->name, NULL, &err);
        lines->usage = true;
        return;
    }
    if (hf_store_open(&described, bucket->name, &diff.store, &err) != HF_OK)
        lines_add_error(lines, bucket->name, NULL, &err);
    else
        compare_all(&diff, &plan, apply);
    hf_store_close(diff.store);
    bucket_plan_done(&plan);
}

int
cmd_bucket_diff(const struct options *options)
{
    return each_bucket(options, diff_bucket);
}
