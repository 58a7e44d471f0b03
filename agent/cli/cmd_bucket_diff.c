/* holdfast bucket diff: how the buckets differ from the configuration, in plain words. */
#include "bucket_lines.h"
#include "commands.h"

static void
say_part(enum hf_bucket_part part, const struct hf_bucket_finding *finding, const char *name,
         struct lines *lines)
{
    const char *text = hf_bucket_part_text(part);
    say_differences(&finding->differences, name, text, lines);
    switch (finding->verdict) {
    case HF_VERDICT_NONE:
    case HF_VERDICT_DIFFERENT: return;
    case HF_VERDICT_SAME: lines_add(lines, LINE_OK, name, NULL, "%s: as configured", text); return;
    case HF_VERDICT_WITHHELD:
        lines_add(lines, LINE_FAIL, name, NULL, "%s: apply will not set it: %s", text,
                  finding->err.text);
        return;
    case HF_VERDICT_UNKNOWN: lines_add_error(lines, name, NULL, &finding->err);
    }
}

/* The bucket policy is read once for all roles: that it could not be is said once. */
static void
say_parts(const struct hf_bucket_comparison *comparison, const struct hf_bucket_plan *plan,
          struct lines *lines)
{
    for (enum hf_bucket_part part = 0; part < HF_PART_COUNT; part++) {
        const struct hf_bucket_finding *finding = &comparison->parts[part];
        say_part(part, finding, plan->bucket->name, lines);
        if (part >= HF_PART_POLICY && finding->verdict == HF_VERDICT_UNKNOWN)
            return;
    }
    say_roles(plan, lines, "not compared");
}

static void
say_comparison(const struct hf_bucket_comparison *comparison, const struct hf_bucket_plan *plan,
               bool is_dir, struct lines *lines)
{
    const char *name = plan->bucket->name;
    char *apply hf_owned(hf_freep) = hf_asprintf("holdfast bucket apply %s", name);
    if (comparison->state == HF_BUCKET_MISSING) {
        lines_add(lines, LINE_FAIL, name, apply, "is not there");
    } else if (is_dir) {
        lines_add(lines, LINE_OK, name, NULL, "the directory is there; it takes no documents");
    } else {
        if (hf_bucket_lacks_lock(plan, comparison->state))
            lines_add(lines, LINE_FAIL, name, NULL, "has no Object Lock");
        say_plan(plan, lines);
        say_parts(comparison, plan, lines);
    }
}

static void
diff_bucket(const struct options *options, const struct hf_config *config,
            const struct hf_config_bucket *bucket, struct lines *lines)
{
    hf_owned(hf_store_closep) struct hf_store *store = NULL;
    struct hf_bucket_comparison comparison = { .state = HF_BUCKET_MISSING };
    struct hf_bucket_plan plan;
    struct hf_error err = { 0 };
    if (!bucket_plan(options, config, bucket, &plan, lines))
        return;
    enum hf_status status = bucket_open(options, config, bucket, &store, &err);
    if (status == HF_OK)
        status = hf_bucket_compare(store, &plan, &comparison, &err);
    if (status == HF_OK)
        say_comparison(&comparison, &plan, hf_store_is_dir(store), lines);
    else
        lines_add_error(lines, bucket->name, NULL, &err);
    hf_bucket_comparison_done(&comparison);
    hf_bucket_plan_done(&plan);
}

int
cmd_bucket_diff(const struct options *options)
{
    return each_bucket(options, diff_bucket);
}
