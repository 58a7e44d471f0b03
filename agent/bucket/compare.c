/* What the bucket has, beside what it should have. */
#include "bucket_impl.h"

#include <holdfast/json.h>
#include <string.h>

/* MinIO takes a rule for unfinished uploads and does not keep it, having a setting of its own;
 * holdfast never makes such uploads. What a store adds to the encryption by itself, AWS its choices
 * of keys and algorithms, takes nothing away from what is wanted. */
static bool
is_harmless(const struct hf_difference *difference, enum hf_bucket_part part, const json_t *present)
{
    return present && (strstr(difference->what, ".AbortIncompleteMultipartUpload.") ||
                       (difference->kind == HF_DIFFERENCE_EXTRA && part == HF_PART_ENCRYPTION));
}

static void
judge(enum hf_bucket_part part, const json_t *present, const json_t *wanted,
      struct hf_bucket_finding *finding)
{
    differences_find(present, wanted, &finding->differences);
    finding->verdict = HF_VERDICT_SAME;
    for (size_t i = 0; i < finding->differences.count; i++) {
        struct hf_difference *difference = &finding->differences.items[i];
        difference->harmless = is_harmless(difference, part, present);
        if (!difference->harmless)
            finding->verdict = HF_VERDICT_DIFFERENT;
    }
}

static void
compare_part(struct hf_store *store, enum hf_bucket_part part, const json_t *wanted,
             struct hf_bucket_finding *finding)
{
    hf_owned(hf_doc_freep) json_t *present = NULL;
    if (!wanted)
        return;
    if (document_get(store, part, &present, &finding->err) != HF_OK) {
        finding->verdict = HF_VERDICT_UNKNOWN;
        return;
    }
    hf_owned(hf_doc_freep) json_t *named =
        part == HF_PART_LIFECYCLE ? lifecycle_named(wanted, present) : NULL;
    judge(part, present, named ? named : wanted, finding);
}

static void
compare_lifecycle(struct hf_store *store, const struct hf_bucket_plan *plan,
                  struct hf_bucket_finding *finding)
{
    const json_t *wanted = plan->documents[HF_PART_LIFECYCLE];
    if (lifecycle_check(wanted, plan->lock_days, &finding->err) == HF_OK)
        compare_part(store, HF_PART_LIFECYCLE, wanted, finding);
    else
        finding->verdict = HF_VERDICT_WITHHELD;
}

static void
compare_policies(struct hf_store *store, const struct hf_bucket_plan *plan,
                 struct hf_bucket_finding findings[HF_ROLE_COUNT])
{
    const json_t *const *wanted = (const json_t *const *)&plan->documents[HF_PART_POLICY];
    hf_owned(hf_doc_freep) json_t *present = NULL;
    struct hf_error err = { 0 };
    enum hf_status status = HF_OK;
    bool any = false;
    for (size_t role = 0; role < HF_ROLE_COUNT; role++)
        any = any || wanted[role];
    if (any)
        status = document_get(store, HF_PART_POLICY, &present, &err);
    for (size_t role = 0; role < HF_ROLE_COUNT; role++) {
        if (!wanted[role])
            continue;
        hf_owned(hf_doc_freep) json_t *own = present ? policy_own(present, wanted[role]) : NULL;
        findings[role].err = err;
        findings[role].verdict = HF_VERDICT_UNKNOWN;
        if (status == HF_OK)
            judge(HF_PART_POLICY + role, own, wanted[role], &findings[role]);
    }
}

enum hf_status
hf_bucket_compare(struct hf_store *store, const struct hf_bucket_plan *plan,
                  struct hf_bucket_comparison *ret_comparison, struct hf_error *err)
{
    struct hf_bucket_comparison found = { .parts = { { .verdict = HF_VERDICT_NONE } } };
    struct hf_bucket_finding *parts = found.parts;
    enum hf_status status = hf_store_bucket_state(store, &found.state, err);
    if (status != HF_OK)
        return status;
    if (found.state != HF_BUCKET_MISSING && !hf_store_is_dir(store)) {
        const json_t *lock = plan->documents[HF_PART_LOCK];
        compare_part(store, HF_PART_LOCK, found.state == HF_BUCKET_LOCKED ? lock : NULL,
                     &parts[HF_PART_LOCK]);
        compare_lifecycle(store, plan, &parts[HF_PART_LIFECYCLE]);
        for (enum hf_bucket_part part = HF_PART_ENCRYPTION; part <= HF_PART_TAGS; part++)
            compare_part(store, part, plan->documents[part], &parts[part]);
        compare_policies(store, plan, &parts[HF_PART_POLICY]);
    }
    *ret_comparison = found;
    return HF_OK;
}

void
hf_bucket_comparison_done(struct hf_bucket_comparison *comparison)
{
    for (size_t i = 0; i < HF_PART_COUNT; i++)
        differences_done(&comparison->parts[i].differences);
}
