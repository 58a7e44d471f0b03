/* holdfast bucket apply */
#include "bucket_lines.h"
#include "commands.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOKS_MOST    3
#define LOOK_PAUSE_MS 1000

#define STAYS_FOREVER "old versions and delete markers stay until somebody removes them"

/* What follows from a document's not being set. */
static const char *const consequences[HF_PART_COUNT] = {
    [HF_PART_LOCK] = "objects that come without a lock of their own stay without one; holdfast's "
                     "have their own",
    [HF_PART_LIFECYCLE] = STAYS_FOREVER,
    [HF_PART_ENCRYPTION] =
        "the store keeps objects as they come: what is to be encrypted has to come encrypted, by "
        "the trail's `encryption` (cms does not need the store)",
    [HF_PART_TAGS] = "the bucket has no tags",
    [HF_PART_POLICY + HF_ROLE_WRITER] = "the writer has no rights from it",
    [HF_PART_POLICY + HF_ROLE_READER] = "whoever examines the evidence has no rights from it",
    [HF_PART_POLICY + HF_ROLE_BREAK_GLASS] = "in an emergency only the bucket's owner can act",
};

/* Asked before anything is changed. On a terminal the bucket's name has to be typed; elsewhere the
 * option has to be given. */
static bool
accepted(const struct options *options, const struct hf_config_bucket *bucket)
{
    char typed[128];
    if (options->bucket.accept_irreversible)
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

/* ---- what was done ---- */

struct said {
    const char *name;
    struct lines *lines;
    bool set[HF_PART_COUNT]; /* as a whole: the store said so */
};

/* What was not done is named in its own words; `consequence` is what follows from it. */
static void
say_refused(const struct said *said, const struct hf_error *err, const char *consequence,
            const char *what)
{
    struct hf_error named = *err;
    hf_while(&named, err->status, "the %s was not set", what);
    lines_add_error(said->lines, said->name, consequence, &named);
}

static void
say_partly(const struct said *said, const struct hf_bucket_step *step)
{
    char *what hf_owned(hf_freep) = hf_asprintf("lifecycle's move %s", step->moves);
    say_refused(said, &step->err,
                "everything stays in the storage class that it was put in, at its price, for its "
                "whole term; a `lifecycle` of the bucket's own can name a class that the store has",
                what);
    lines_add(said->lines, LINE_OK, said->name, NULL, "set the rest of the lifecycle");
}

static void
say_step(void *context, const struct hf_bucket_step *step)
{
    struct said *said = context;
    const char *what = hf_bucket_part_text(step->part), *follows = consequences[step->part];
    switch (step->outcome) {
    case HF_OUTCOME_PARTLY: say_partly(said, step); return;
    case HF_OUTCOME_REFUSED: say_refused(said, &step->err, follows, what); return;
    case HF_OUTCOME_WITHHELD:
        lines_add(said->lines, LINE_FAIL, said->name, follows, "the %s was not set: %s", what,
                  step->err.text);
        return;
    case HF_OUTCOME_SET: break;
    }
    said->set[step->part] = true;
    lines_add(said->lines, LINE_OK, said->name, NULL, "set the %s", what);
    if (step->moves)
        lines_add(said->lines, LINE_NOTE, said->name, NULL,
                  "it moves %s; that the store has that class is not said by its taking the rule: "
                  "Ceph takes any name, and moves nothing to one that it does not have",
                  step->moves);
}

/* ---- what the store keeps of it ---- */

static bool
shows_all(const struct said *said, const struct hf_bucket_comparison *comparison)
{
    for (enum hf_bucket_part part = 0; part < HF_PART_COUNT; part++)
        if (said->set[part] && comparison->parts[part].verdict == HF_VERDICT_DIFFERENT)
            return false;
    return true;
}

/* A store may answer with what was there before, for a while (AWS): it is given the time. */
static enum hf_status
look_again(struct hf_store *store, const struct hf_bucket_plan *plan, const struct said *said,
           struct hf_bucket_comparison *ret_comparison, struct hf_error *err)
{
    for (int left = LOOKS_MOST;; left--) {
        enum hf_status status = hf_bucket_compare(store, plan, ret_comparison, err);
        if (status != HF_OK || left == 1 || shows_all(said, ret_comparison))
            return status;
        hf_bucket_comparison_done(ret_comparison);
        (void)poll(NULL, 0, LOOK_PAUSE_MS);
    }
}

/* Stores take documents and keep a part of them without a word: Ceph 16 drops what it does not know
 * of a lifecycle. */
static void
say_kept(struct hf_store *store, const struct hf_bucket_plan *plan, const struct said *said)
{
    struct hf_bucket_comparison comparison;
    struct hf_error err = { 0 };
    if (look_again(store, plan, said, &comparison, &err) != HF_OK) {
        lines_add(said->lines, LINE_NOTE, said->name, NULL,
                  "what the store keeps of it was not seen: %s", err.text);
        return;
    }
    for (enum hf_bucket_part part = 0; part < HF_PART_COUNT; part++) {
        const struct hf_bucket_finding *finding = &comparison.parts[part];
        char *what hf_owned(hf_freep) =
            hf_asprintf("%s, as the store keeps it", hf_bucket_part_text(part));
        if (said->set[part] && finding->verdict == HF_VERDICT_UNKNOWN)
            lines_add(said->lines, LINE_NOTE, said->name, NULL, "%s: not seen: %s", what,
                      finding->err.text);
        else if (said->set[part])
            say_differences(&finding->differences, said->name, what, said->lines);
    }
    hf_bucket_comparison_done(&comparison);
}

/* ---- one bucket ---- */

static void
set_documents(struct hf_store *store, const struct hf_bucket_plan *plan, enum hf_lock_state state,
              struct lines *lines)
{
    struct said said = { .name = plan->bucket->name, .lines = lines };
    if (hf_store_is_dir(store)) {
        lines_add(lines, LINE_NOTE, said.name, NULL,
                  "a directory takes no documents; ADVISORY: root can change and delete what lies "
                  "in it");
    } else if (hf_bucket_lacks_lock(plan, state)) {
        lines_add(lines, LINE_FAIL, said.name,
                  "name another bucket: this one cannot get Object Lock any more, on most stores",
                  "is there, without Object Lock; nothing was changed");
    } else {
        say_plan(plan, lines);
        hf_bucket_apply(store, plan, state, say_step, &said);
        say_kept(store, plan, &said);
        say_roles(plan, lines, "left as it was");
    }
}

static void
make_and_set(struct hf_store *store, const struct hf_bucket_plan *plan, struct lines *lines)
{
    enum hf_lock_state state;
    struct hf_error err = { 0 };
    const char *name = plan->bucket->name;
    bool made;
    if (hf_bucket_make(store, &made, &state, &err) != HF_OK) {
        lines_add_error(lines, name, "--credentials-file names those of the bucket's owner", &err);
        return;
    }
    if (made)
        lines_add(lines, LINE_OK, name, NULL,
                  hf_store_is_dir(store) ? "made the directory" : "made, with Object Lock");
    set_documents(store, plan, state, lines);
}

static void
apply_bucket(const struct options *options, const struct hf_config *config,
             const struct hf_config_bucket *bucket, struct lines *lines)
{
    hf_owned(hf_store_closep) struct hf_store *store = NULL;
    struct hf_bucket_plan plan;
    struct hf_error err = { 0 };
    if (!bucket_plan(options, config, bucket, &plan, lines))
        return;
    if (plan.irreversible && !accepted(options, bucket)) {
        lines_add(
            lines, LINE_FAIL, bucket->name, "holdfast bucket apply --accept-irreversible",
            "COMPLIANCE cannot be undone by anyone and was not accepted; nothing was changed");
        lines->usage = true;
    } else if (bucket_open(options, config, bucket, &store, &err) != HF_OK) {
        lines_add_error(lines, bucket->name, NULL, &err);
    } else {
        make_and_set(store, &plan, lines);
    }
    hf_bucket_plan_done(&plan);
}

int
cmd_bucket_apply(const struct options *options)
{
    return each_bucket(options, apply_bucket);
}
