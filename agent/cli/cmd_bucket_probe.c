/* holdfast bucket probe: one small object, locked for a day, and two tries to get rid of it. */
#include "bucket_lines.h"
#include "commands.h"
#include "target.h"

static void
say_put(const struct hf_bucket_probe *probe, const char *name, struct lines *lines)
{
    const struct hf_object_info *info = &probe->info;
    char until[HF_TIME_SIZE], stored[HF_TIME_SIZE];
    hf_time_rfc3339(probe->until_s, until);
    hf_time_rfc3339(info->retain_until_s, stored);
    lines_add(lines, probe->held ? LINE_OK : LINE_FAIL, name, NULL,
              "put one object with GOVERNANCE until %s; the store says %s%s%s", until,
              hf_lock_mode_text(info->lock_mode), info->retain_until_s ? " until " : "",
              info->retain_until_s ? stored : "");
}

/* Refused is what is hoped for. */
static void
say_attempt(const struct hf_bucket_attempt *attempt, const char *what, const char *name,
            struct lines *lines)
{
    const struct hf_error *err = &attempt->err;
    switch (attempt->verdict) {
    case HF_ATTEMPT_ALLOWED:
        lines_add(lines, LINE_FAIL, name,
                  "this store does not hold what it says it locks: use another", "%s: ALLOWED",
                  what);
        return;
    case HF_ATTEMPT_REFUSED:
        lines_add(lines, LINE_OK, name, NULL, "%s: refused (%s)", what,
                  *err->store_code ? err->store_code : hf_status_text(err->status));
        return;
    case HF_ATTEMPT_UNKNOWN: lines_add_error(lines, name, NULL, err);
    }
}

static void
say_left(const struct hf_bucket_probe *probe, const char *name, struct lines *lines)
{
    const struct hf_object_info *info = &probe->info;
    char until[HF_TIME_SIZE];
    hf_time_rfc3339(probe->until_s, until);
    if (probe->remove.verdict != HF_ATTEMPT_ALLOWED)
        lines_add(lines, LINE_NOTE, name, NULL, "left behind until %s: '%s'%s%s", until, probe->key,
                  *info->version_id ? ", version " : "", info->version_id);
    if (info->advisory)
        lines_add(
            lines, LINE_NOTE, name, NULL,
            "ADVISORY: it was holdfast itself that refused; root can delete every file there");
}

static void
probe_bucket(const struct options *options, const struct hf_config *config,
             const struct hf_config_bucket *bucket, struct lines *lines)
{
    hf_owned(hf_store_closep) struct hf_store *store = NULL;
    struct hf_bucket_probe probe;
    struct hf_error err = { 0 };
    char host[256], key[HF_KEY_MAX];
    const char *name = bucket->name;
    host_name(config, host);
    hf_bucket_probe_key(config, bucket, host, key);
    enum hf_status status = bucket_open(options, config, bucket, &store, &err);
    if (status == HF_OK)
        status = hf_bucket_probe(store, key, &probe, &err);
    if (status != HF_OK) {
        lines_add_error(lines, name, NULL, &err);
        return;
    }
    if (probe.missing) {
        lines_add(lines, LINE_FAIL, name, "holdfast bucket apply", "is not there");
        return;
    }
    say_put(&probe, name, lines);
    say_attempt(&probe.shorten, "shortening its lock", name, lines);
    say_attempt(&probe.remove, "deleting its version", name, lines);
    say_left(&probe, name, lines);
}

int
cmd_bucket_probe(const struct options *options)
{
    return each_bucket(options, probe_bucket);
}
