/* The loop over buckets, and what is said of a plan. */
#include "bucket_lines.h"
#include "say.h"
#include "target.h"

#include <string.h>

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

enum hf_status
bucket_open(const struct options *options, const struct hf_config *config,
            const struct hf_config_bucket *bucket, struct hf_store **ret_store,
            struct hf_error *err)
{
    struct hf_config_store described = store_as(hf_config_store(config, bucket->store), options);
    return hf_store_open(&described, bucket->name, ret_store, err);
}

bool
bucket_plan(const struct options *options, const struct hf_config *config,
            const struct hf_config_bucket *bucket, struct hf_bucket_plan *ret_plan,
            struct lines *lines)
{
    struct hf_bucket_given given = { .writer_prefix = options->bucket.writer_prefix };
    struct hf_error err = { 0 };
    char host[256];
    host_name(config, host);
    given.host = host;
    for (size_t role = 0; role < HF_ROLE_COUNT; role++) {
        given.roles[role].arns = options->bucket.roles[role].items;
        given.roles[role].count = options->bucket.roles[role].count;
    }
    if (hf_bucket_plan_make(config, bucket, &given, ret_plan, &err) == HF_OK)
        return true;
    lines_add_error(lines, bucket->name, NULL, &err);
    lines->usage = true;
    return false;
}

/* ---- of a plan ---- */

void
say_shortfall(const struct hf_config_bucket *bucket, const struct hf_bucket_term *term,
              const char *subject, struct lines *lines)
{
    struct hf_bucket_shortfall shortfall = hf_bucket_shortfall(bucket, term);
    if (shortfall.nothing_locked)
        lines_add(lines, LINE_NOTE, subject, NULL,
                  "retention none: the policy set asks for %s for %llu days, and nothing is locked",
                  hf_lock_mode_text(term->mode), (unsigned long long)term->days);
    if (shortfall.days)
        lines_add(lines, LINE_NOTE, subject, NULL,
                  "its retention of %llu days is shorter than the policy set's term of %llu: what "
                  "is written can be deleted %llu days too early",
                  (unsigned long long)bucket->retention_days, (unsigned long long)term->days,
                  (unsigned long long)shortfall.days);
    if (shortfall.weaker)
        lines_add(lines, LINE_NOTE, subject, NULL,
                  "its mode is GOVERNANCE, the policy set's COMPLIANCE: whoever may bypass it can "
                  "delete before the time");
}

void
say_plan(const struct hf_bucket_plan *plan, struct lines *lines)
{
    const char *name = plan->bucket->name;
    if (plan->folder && strcmp(plan->folder, plan->bucket->policy) != 0)
        lines_add(lines, LINE_NOTE, name, NULL, "the policy set is the installed one, %s",
                  plan->folder);
    say_shortfall(plan->bucket, &plan->term, name, lines);
}

void
say_roles(const struct hf_bucket_plan *plan, struct lines *lines, const char *left_alone)
{
    static const char *const names[HF_ROLE_COUNT] = {
        [HF_ROLE_WRITER] = "--writer",
        [HF_ROLE_READER] = "--reader",
        [HF_ROLE_BREAK_GLASS] = "--break-glass",
    };
    for (enum hf_bucket_role role = 0; role < HF_ROLE_COUNT; role++) {
        if (plan->roles_unnamed[role])
            lines_add(lines, LINE_NOTE, plan->bucket->name, NULL,
                      "bucket policy, %s: %s; %s ARN says whom it is for",
                      hf_bucket_role_text(role), left_alone, names[role]);
        if (plan->roles_unknown[role])
            lines_add(lines, LINE_NOTE, plan->bucket->name, NULL,
                      "bucket policy, %s: the policy set has no %s, so %s gives no rights here",
                      hf_bucket_role_text(role), hf_bucket_role_file(role), names[role]);
    }
}

static void
say_difference(const struct hf_difference *difference, const char *name, const char *part,
               struct lines *lines)
{
    enum line_kind kind = difference->harmless ? LINE_NOTE : LINE_FAIL;
    const char *what = difference->what;
    switch (difference->kind) {
    case HF_DIFFERENCE_OTHER:
        lines_add(lines, kind, name, NULL, "%s: %s is %s, wanted %s", part, what, difference->found,
                  difference->wanted);
        return;
    case HF_DIFFERENCE_UNSET:
        lines_add(lines, kind, name, NULL, "%s: %s is not set, wanted %s", part, what,
                  difference->wanted);
        return;
    case HF_DIFFERENCE_EXTRA:
        lines_add(lines, kind, name, NULL, "%s: %s is %s, not wanted", part, what,
                  difference->found);
    }
}

void
say_differences(const struct hf_differences *differences, const char *name, const char *what,
                struct lines *lines)
{
    for (size_t i = 0; i < differences->count; i++)
        say_difference(&differences->items[i], name, what, lines);
}
