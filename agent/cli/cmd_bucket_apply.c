/* holdfast bucket apply */
#include "cli_impl.h"

#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct apply {
    struct hf_store *store;
    const char *name;
    struct lines *lines;
};

/* Asked before anything is changed. On a terminal the bucket's name has to be typed; elsewhere the
 * option has to be given. */
static bool
accepted(const struct options *options, const struct hf_config_bucket *bucket)
{
    char typed[128];
    if (options->accept_irreversible)
        return true;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return false;
    fprintf(stderr,
            "Bucket '%s' is configured for COMPLIANCE: what is locked there can be deleted by "
            "nobody before its time, not by the owner of\n"
            "the account and not by the store's operator, and has to be paid for until then.\nType "
            "the bucket's name to go on: ",
            bucket->name);
    if (!fgets(typed, sizeof(typed), stdin))
        return false;
    typed[strcspn(typed, "\n")] = '\0';
    return strcmp(typed, bucket->name) == 0;
}

static bool
make_bucket(const struct apply *apply, enum hf_lock_state *state)
{
    struct hf_error err = { 0 };
    enum hf_status status = hf_store_bucket_state(apply->store, state, &err);
    if (status == HF_OK && *state != HF_BUCKET_MISSING)
        return true;
    if (status == HF_OK)
        status = hf_store_bucket_create(apply->store, &err);
    if (status != HF_OK) {
        lines_add_error(apply->lines, apply->name,
                        "--credentials-file names those of the bucket's owner", &err);
        return false;
    }
    *state = HF_BUCKET_LOCKED;
    lines_add(apply->lines, LINE_OK, apply->name, NULL,
              hf_store_is_dir(apply->store) ? "made the directory" : "made, with Object Lock");
    return true;
}

/* What a refused document means for whoever relies on it. */
static void
put_document(const struct apply *apply, const char *subresource, const char *type,
             struct hf_slice document, const char *what, const char *consequence)
{
    struct hf_error err = { 0 };
    if (hf_store_bucket_put(apply->store, subresource, type, document, &err) == HF_OK)
        lines_add(apply->lines, LINE_OK, apply->name, NULL, "set %s", what);
    else
        lines_add_error(apply->lines, apply->name, consequence, &err);
}

static void
put_xml(const struct apply *apply, const json_t *doc, const char *root, const char *subresource,
        const char *what, const char *consequence)
{
    struct hf_error err = { 0 };
    hf_owned(hf_buf_done) struct hf_buf xml = HF_BUF(DOCUMENT_MAX);
    if (!doc)
        return;
    if (xml_from_doc(doc, root, &xml, &err) != HF_OK)
        lines_add_error(apply->lines, apply->name, NULL, &err);
    else
        put_document(apply, subresource, "application/xml", hf_buf_slice(&xml), what, consequence);
}

static void
put_policy(const struct apply *apply, const json_t *wanted)
{
    struct hf_error err = { 0 };
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(DOCUMENT_MAX);
    hf_owned(hf_doc_freep) json_t *present = NULL, *merged = NULL;
    enum hf_status status = hf_store_bucket_get(apply->store, "policy", &text, &err);
    if (status == HF_OK)
        status = hf_doc_parse(hf_buf_slice(&text), DOCUMENT_MAX, "the present bucket policy",
                              &present, &err);
    if (status != HF_OK && status != HF_ENOTFOUND) {
        lines_add_error(apply->lines, apply->name, NULL, &err);
        return;
    }
    merged = policy_merge(present, wanted);
    hf_buf_reset(&text);
    text.max = DOCUMENT_MAX;
    if (hf_doc_dump(merged, &text) != HF_OK)
        lines_add(apply->lines, LINE_FAIL, apply->name, NULL,
                  "the bucket policy would be larger than %u bytes", DOCUMENT_MAX);
    else
        put_document(apply, "policy", "application/json", hf_buf_slice(&text), "the bucket policy",
                     "the writer has no rights from it");
}

static void
put_all(const struct apply *apply, const struct bucket_plan *plan, enum hf_lock_state state)
{
    if (state == HF_BUCKET_UNLOCKED && plan->bucket->retention_mode != HF_LOCK_NONE) {
        lines_add(apply->lines, LINE_FAIL, apply->name,
                  "name another bucket: this one cannot get Object Lock any more, on most stores",
                  "is there, without Object Lock; nothing was changed");
        return;
    }
    if (state == HF_BUCKET_LOCKED)
        put_xml(apply, plan->object_lock, "ObjectLockConfiguration", "object-lock",
                "the default lock",
                "objects that come without a lock of their own stay without one; holdfast's have "
                "their own");
    put_xml(apply, plan->lifecycle, "LifecycleConfiguration", "lifecycle", "the lifecycle",
            "old versions and delete markers stay until somebody removes them");
    put_xml(apply, plan->tagging, "Tagging", "tagging", "the tags", "the bucket has no tags");
    if (plan->policy)
        put_policy(apply, plan->policy);
    else if (plan->wants_writer)
        lines_add(apply->lines, LINE_NOTE, apply->name, NULL,
                  "the bucket policy was left alone: --writer ARN says whom it is for");
}

static void
apply_bucket(const struct options *options, const struct hf_config *config,
             const struct hf_config_bucket *bucket, struct lines *lines)
{
    struct hf_config_store described = store_as(hf_config_store(config, bucket->store), options);
    struct apply apply = { .name = bucket->name, .lines = lines };
    struct bucket_plan plan;
    struct hf_error err = { 0 };
    enum hf_lock_state state;
    if (bucket_plan_make(config, bucket, options, &plan, &err) != HF_OK) {
        lines_add_error(lines, bucket->name, NULL, &err);
        lines->usage = true;
        return;
    }
    if (plan.irreversible && !accepted(options, bucket)) {
        lines_add(
            lines, LINE_FAIL, bucket->name, "holdfast bucket apply --accept-irreversible",
            "COMPLIANCE cannot be undone by anyone and was not accepted; nothing was changed");
        lines->usage = true;
    } else if (hf_store_open(&described, bucket->name, &apply.store, &err) != HF_OK) {
        lines_add_error(lines, bucket->name, NULL, &err);
    } else if (make_bucket(&apply, &state)) {
        if (!hf_store_is_dir(apply.store))
            put_all(&apply, &plan, state);
        else
            lines_add(lines, LINE_NOTE, bucket->name, NULL,
                      "a directory takes no documents; ADVISORY: root can change and delete what "
                      "lies in it");
    }
    hf_store_close(apply.store);
    bucket_plan_done(&plan);
}

int
cmd_bucket_apply(const struct options *options)
{
    return each_bucket(options, apply_bucket);
}
