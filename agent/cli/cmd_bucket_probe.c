/* holdfast bucket probe: one small object, locked for a day, and two tries to get rid of it. */
#include "cli_impl.h"

#include <stdio.h>
#include <string.h>

#define DAY_S (24 * 3600)

struct probe {
    struct hf_store *store;
    const char *name;
    struct lines *lines;
    char key[HF_KEY_MAX];
    struct hf_object_info info;
    int64_t until_s;
};

static bool
put(struct probe *probe)
{
    struct hf_error err = { 0 };
    char until[HF_TIME_SIZE], stored[HF_TIME_SIZE];
    struct hf_slice body = HF_SLICE_LITERAL(
        "holdfast bucket probe: put here to see whether it can be removed before its time\n");
    probe->until_s = hf_wall_s() + hf_store_skew_s(probe->store) + DAY_S;
    enum hf_status status = hf_store_probe_put(probe->store, probe->key, body, HF_LOCK_GOVERNANCE,
                                               probe->until_s, &probe->info, &err);
    if (status != HF_OK) {
        lines_add_error(probe->lines, probe->name, NULL, &err);
        return false;
    }
    hf_time_rfc3339(probe->until_s, until);
    hf_time_rfc3339(probe->info.retain_until_s, stored);
    bool held =
        probe->info.lock_mode == HF_LOCK_GOVERNANCE && probe->info.retain_until_s >= probe->until_s;
    lines_add(probe->lines, held ? LINE_OK : LINE_FAIL, probe->name, NULL,
              "put one object with GOVERNANCE until %s; the store says %s%s%s", until,
              hf_lock_mode_text(probe->info.lock_mode), probe->info.retain_until_s ? " until " : "",
              probe->info.retain_until_s ? stored : "");
    return true;
}

/* Refused is what is hoped for; anything but a refusal says nothing. */
static bool
judge(const struct probe *probe, const char *what, enum hf_status status,
      const struct hf_error *err)
{
    bool refused = status == HF_EACCESS || status == HF_EREFUSED || err->http_status == 400;
    if (status == HF_OK)
        lines_add(probe->lines, LINE_FAIL, probe->name,
                  "this store does not hold what it says it locks: use another", "%s: ALLOWED",
                  what);
    else if (refused)
        lines_add(probe->lines, LINE_OK, probe->name, NULL, "%s: refused (%s)", what,
                  *err->store_code ? err->store_code : hf_status_text(status));
    else
        lines_add_error(probe->lines, probe->name, NULL, err);
    return status != HF_OK;
}

static void
say_left(const struct probe *probe, bool still_there)
{
    char until[HF_TIME_SIZE];
    hf_time_rfc3339(probe->until_s, until);
    if (still_there)
        lines_add(probe->lines, LINE_NOTE, probe->name, NULL, "left behind until %s: '%s'%s%s",
                  until, probe->key, *probe->info.version_id ? ", version " : "",
                  probe->info.version_id);
    if (probe->info.advisory)
        lines_add(
            probe->lines, LINE_NOTE, probe->name, NULL,
            "ADVISORY: it was holdfast itself that refused; root can delete every file there");
}

/* Under the prefix of the first trail that writes there, where a writer has its rights. */
static void
choose_key(const struct hf_config *config, const struct hf_config_bucket *bucket,
           char ret_key[HF_KEY_MAX])
{
    char host[256], stamp[HF_TIME_SIZE], hex[9];
    uint8_t random[4];
    const char *prefix = "";
    host_name(config, host);
    for (size_t i = config->trail_count; i > 0; i--)
        if (strcmp(config->trails[i - 1].bucket, bucket->name) == 0)
            prefix = config->trails[i - 1].prefix ? config->trails[i - 1].prefix : host;
    hf_random(random, sizeof(random));
    hf_hex(random, sizeof(random), hex);
    hf_time_compact(hf_wall_s(), stamp);
    snprintf(ret_key, HF_KEY_MAX, "%.200s%sholdfast-probe/%s-%s", prefix, *prefix ? "/" : "", stamp,
             hex);
}

static void
run(struct probe *probe)
{
    struct hf_error err = { 0 };
    enum hf_lock_state state;
    /* Also tells the store's clock; a writer may not be allowed to ask, and goes on. */
    if (hf_store_bucket_state(probe->store, &state, &err) == HF_OK && state == HF_BUCKET_MISSING) {
        lines_add(probe->lines, LINE_FAIL, probe->name, "holdfast bucket apply", "is not there");
        return;
    }
    if (!put(probe))
        return;
    err = (struct hf_error){ 0 };
    enum hf_status status =
        hf_store_set_retention(probe->store, probe->key, probe->info.version_id, HF_LOCK_GOVERNANCE,
                               probe->until_s - DAY_S / 2, false, &err);
    judge(probe, "shortening its lock", status, &err);
    err = (struct hf_error){ 0 };
    status = hf_store_delete_version(probe->store, probe->key, probe->info.version_id, false, &err);
    say_left(probe, judge(probe, "deleting its version", status, &err));
}

static void
probe_bucket(const struct options *options, const struct hf_config *config,
             const struct hf_config_bucket *bucket, struct lines *lines)
{
    struct hf_config_store described = store_as(hf_config_store(config, bucket->store), options);
    struct probe probe = { .name = bucket->name, .lines = lines };
    struct hf_error err = { 0 };
    if (hf_store_open(&described, bucket->name, &probe.store, &err) != HF_OK) {
        lines_add_error(lines, bucket->name, NULL, &err);
        return;
    }
    choose_key(config, bucket, probe.key);
    run(&probe);
    hf_store_close(probe.store);
}

int
cmd_bucket_probe(const struct options *options)
{
    return each_bucket(options, probe_bucket);
}
