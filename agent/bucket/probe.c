/* One small object, locked for a day, and two tries to get rid of it. */
#include "bucket_impl.h"

#include <holdfast/crypto.h>
#include <stdio.h>
#include <string.h>

#define DAY_S (24 * 3600)

void
hf_bucket_probe_key(const struct hf_config *config, const struct hf_config_bucket *bucket,
                    const char *host, char ret_key[HF_KEY_MAX])
{
    char stamp[HF_TIME_SIZE], hex[9];
    uint8_t random[4];
    const char *prefix = "";
    for (size_t i = config->trail_count; i > 0; i--)
        if (strcmp(config->trails[i - 1].bucket, bucket->name) == 0)
            prefix = config->trails[i - 1].prefix ? config->trails[i - 1].prefix : host;
    hf_random(random, sizeof(random));
    hf_hex(random, sizeof(random), hex);
    hf_time_compact(hf_wall_s(), stamp);
    snprintf(ret_key, HF_KEY_MAX, "%.200s%sholdfast-probe/%s-%s", prefix, *prefix ? "/" : "", stamp,
             hex);
}

static enum hf_status
put(struct hf_store *store, struct hf_bucket_probe *probe, struct hf_error *err)
{
    struct hf_slice body = HF_SLICE_LITERAL(
        "holdfast bucket probe: put here to see whether it can be removed before its time\n");
    probe->until_s = hf_wall_s() + hf_store_skew_s(store) + DAY_S;
    enum hf_status status = hf_store_probe_put(store, probe->key, body, HF_LOCK_GOVERNANCE,
                                               probe->until_s, &probe->info, err);
    probe->held = status == HF_OK && probe->info.lock_mode == HF_LOCK_GOVERNANCE &&
                  probe->info.retain_until_s >= probe->until_s;
    return status;
}

/* Anything but a refusal says nothing about the lock. */
static enum hf_attempt_verdict
verdict_of(enum hf_status status, const struct hf_error *err)
{
    if (status == HF_OK)
        return HF_ATTEMPT_ALLOWED;
    bool refused = status == HF_EACCESS || status == HF_EREFUSED || err->http_status == 400;
    return refused ? HF_ATTEMPT_REFUSED : HF_ATTEMPT_UNKNOWN;
}

enum hf_status
hf_bucket_probe(struct hf_store *store, const char *key, struct hf_bucket_probe *ret_probe,
                struct hf_error *err)
{
    struct hf_bucket_probe probe = { .missing = false };
    struct hf_bucket_attempt *shorten = &probe.shorten, *remove = &probe.remove;
    const char *version = probe.info.version_id;
    enum hf_lock_state state;
    snprintf(probe.key, sizeof(probe.key), "%s", key);
    /* Also tells the store's clock; a writer may not be allowed to ask, and goes on. */
    if (hf_store_bucket_state(store, &state, NULL) == HF_OK && state == HF_BUCKET_MISSING) {
        probe.missing = true;
        *ret_probe = probe;
        return HF_OK;
    }
    enum hf_status status = put(store, &probe, err);
    if (status != HF_OK)
        return status;
    status = hf_store_set_retention(store, key, version, HF_LOCK_GOVERNANCE,
                                    probe.until_s - DAY_S / 2, false, &shorten->err);
    shorten->verdict = verdict_of(status, &shorten->err);
    status = hf_store_delete_version(store, key, version, false, &remove->err);
    remove->verdict = verdict_of(status, &remove->err);
    *ret_probe = probe;
    return HF_OK;
}
