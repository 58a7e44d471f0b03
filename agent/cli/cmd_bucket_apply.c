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

/* What was not done is named in its own words; `consequence` is what follows from it. */
static void
say_refused(const struct apply *apply, const char *what, const char *consequence,
            const struct hf_error *err)
{
    struct hf_error named = *err;
    hf_while(&named, err->status, "%s was not set", what);
    lines_add_error(apply->lines, apply->name, consequence, &named);
}

static enum hf_status
put_xml(const struct apply *apply, const json_t *doc, const char *root, const char *subresource,
        struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf xml = HF_BUF(DOCUMENT_MAX);
    enum hf_status status = xml_from_doc(doc, root, &xml, err);
    return status == HF_OK ? hf_store_bucket_put(apply->store, subresource, "application/xml",
                                                 hf_buf_slice(&xml), err)
                           : status;
}

static void
put_document(const struct apply *apply, const json_t *doc, const char *root,
             const char *subresource, const char *what, const char *consequence)
{
    struct hf_error err = { 0 };
    if (!doc)
        return;
    if (put_xml(apply, doc, root, subresource, &err) == HF_OK)
        lines_add(apply->lines, LINE_OK, apply->name, NULL, "set %s", what);
    else
        say_refused(apply, what, consequence, &err);
}

/* ---- the lifecycle: a store without the storage class refuses all of it ---- */

#define LIFECYCLE     "LifecycleConfiguration"
#define STAYS_FOREVER "old versions and delete markers stay until somebody removes them"

static void
put_rest_of_lifecycle(const struct apply *apply, const json_t *lifecycle, const char *moves,
                      const struct hf_error *refusal)
{
    struct hf_error err = { 0 };
    hf_owned(hf_doc_freep) json_t *rest = lifecycle_without_moves(lifecycle);
    enum hf_status status = put_xml(apply, rest, LIFECYCLE, "lifecycle", &err);
    if (status != HF_OK) {
        say_refused(apply, "the lifecycle", STAYS_FOREVER, refusal);
        return;
    }
    char *what hf_owned(hf_freep) = hf_asprintf("the lifecycle's move %s", moves);
    say_refused(apply, what,
                "everything stays in the storage class that it was put in, at its price, for its "
                "whole term; a `lifecycle` of the bucket's own can name a class that the store has",
                refusal);
    lines_add(apply->lines, LINE_OK, apply->name, NULL, "set the rest of the lifecycle");
}

static void
put_lifecycle(const struct apply *apply, const struct bucket_plan *plan)
{
    struct hf_error err = { 0 };
    if (!plan->lifecycle)
        return;
    char *moves hf_owned(hf_freep) = lifecycle_moves(plan->lifecycle);
    char *hides hf_owned(hf_freep) = lifecycle_hides_locked(plan->lifecycle, plan->lock_days);
    if (hides) {
        lines_add(apply->lines, LINE_FAIL, apply->name, STAYS_FOREVER,
                  "the lifecycle was not set: %s", hides);
        return;
    }
    enum hf_status status = put_xml(apply, plan->lifecycle, LIFECYCLE, "lifecycle", &err);
    if (status == HF_EREFUSED && moves) {
        put_rest_of_lifecycle(apply, plan->lifecycle, moves, &err);
        return;
    }
    if (status != HF_OK) {
        say_refused(apply, "the lifecycle", STAYS_FOREVER, &err);
        return;
    }
    lines_add(apply->lines, LINE_OK, apply->name, NULL, "set the lifecycle");
    if (moves)
        lines_add(apply->lines, LINE_NOTE, apply->name, NULL,
                  "it moves %s; that the store has that class is not said by its taking the rule: "
                  "Ceph takes any name, and moves nothing to one that it does not have",
                  moves);
}

/* ---- the bucket policy ---- */

static enum hf_status
present_policy(const struct apply *apply, json_t **ret_present, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(DOCUMENT_MAX);
    enum hf_status status = hf_store_bucket_get(apply->store, "policy", &text, err);
    if (status == HF_ENOTFOUND)
        return HF_OK;
    return status == HF_OK ? hf_doc_parse(hf_buf_slice(&text), DOCUMENT_MAX,
                                          "the present bucket policy", ret_present, err)
                           : status;
}

static enum hf_status
put_policy_document(const struct apply *apply, const json_t *policy, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(DOCUMENT_MAX);
    if (hf_doc_dump(policy, &text) != HF_OK)
        return hf_fail(err, HF_ELIMIT, "it would be larger than %u bytes", DOCUMENT_MAX);
    return hf_store_bucket_put(apply->store, "policy", "application/json", hf_buf_slice(&text),
                               err);
}

/* Role after role, so that one whose principal or action the store refuses does not take the
 * others' rights with it. What is there is read once only: AWS may answer with what was there
 * before for a while. */
static void
put_policies(const struct apply *apply, const struct bucket_plan *plan)
{
    struct hf_error err = { 0 };
    json_t *present = NULL;
    enum hf_status readable = present_policy(apply, &present, &err);
    for (size_t role = 0; role < ROLE_COUNT; role++) {
        char *what hf_owned(hf_freep) = hf_asprintf("the bucket policy, %s", roles[role].name);
        if (!plan->policies[role])
            continue;
        json_t *merged = policy_merge(present, plan->policies[role]);
        enum hf_status status =
            readable == HF_OK ? put_policy_document(apply, merged, &err) : readable;
        if (status == HF_OK) {
            json_decref(present);
            present = json_incref(merged);
            lines_add(apply->lines, LINE_OK, apply->name, NULL, "set %s", what);
        } else {
            say_refused(apply, what, roles[role].consequence, &err);
        }
        json_decref(merged);
    }
    json_decref(present);
    say_roles(plan, apply->lines, "left as it was");
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
    say_plan(plan, apply->lines);
    if (state == HF_BUCKET_LOCKED)
        put_document(apply, plan->object_lock, "ObjectLockConfiguration", "object-lock",
                     "the default lock",
                     "objects that come without a lock of their own stay without one; holdfast's "
                     "have their own");
    put_lifecycle(apply, plan);
    put_document(apply, plan->encryption, "ServerSideEncryptionConfiguration", "encryption",
                 "the default encryption",
                 "the store keeps objects as they come: what is to be encrypted has to come "
                 "encrypted, by the trail's `encryption` (cms does not need the store)");
    put_document(apply, plan->tagging, "Tagging", "tagging", "the tags", "the bucket has no tags");
    put_policies(apply, plan);
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
