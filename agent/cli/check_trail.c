/* check: a trail's keys and certificates, then its store and bucket. */
#include "bucket_lines.h"
#include "check.h"
#include "target.h"

#include <stdio.h>
#include <string.h>

/* Past it the agent neither cuts nor sends: of two clocks that far apart one is wrong, and an object
 * that was locked ten years too long under COMPLIANCE cannot be had back. */
#define SKEW_MAX_S (15 * 60)

static void
check_signer(const struct hf_config_trail *trail, const char *subject, struct lines *lines)
{
    struct hf_signer *signer;
    struct hf_error err = { 0 };
    char *mend hf_owned(hf_freep) = hf_asprintf("holdfast key new %s", trail->digest_key_file);
    enum hf_status status = hf_signer_load(trail->digest_key_file, &signer, &err);
    if (status != HF_OK) {
        lines_add(lines, LINE_FAIL, subject, status == HF_ENOTFOUND ? mend : NULL, "%s", err.text);
        return;
    }
    lines_add(lines, LINE_OK, subject, NULL, "signs with key %s", hf_signer_fingerprint(signer));
    hf_signer_free(signer);
}

static void
check_encryption(const struct hf_config_trail *trail, const char *subject, struct lines *lines)
{
    struct hf_recipients *recipients;
    struct hf_error err = { 0 };
    uint8_t key[32];
    if (trail->encryption == HF_ENCRYPT_CMS) {
        if (hf_recipients_load((const char *const *)trail->recipients.items,
                               trail->recipients.count, &recipients, &err) != HF_OK) {
            lines_add(lines, LINE_FAIL, subject,
                      "encryption.recipients names certificates that are valid now", "%s",
                      err.text);
            return;
        }
        lines_add(lines, LINE_OK, subject, NULL, "encrypts to %s", hf_recipients_text(recipients));
        hf_recipients_free(recipients);
    } else if (trail->encryption == HF_ENCRYPT_SSE_C) {
        if (hf_key256_load(trail->sse_c_key_file, key, &err) != HF_OK)
            lines_add(lines, LINE_FAIL, subject, "head -c 32 /dev/urandom >FILE; chmod 600 FILE",
                      "%s", err.text);
        else
            lines_add(lines, LINE_OK, subject, NULL, "the store encrypts with the key in %s",
                      trail->sse_c_key_file);
        hf_wipe(key, sizeof(key));
    } else if (trail->encryption == HF_ENCRYPT_NONE) {
        lines_add(lines, LINE_NOTE, subject, NULL,
                  "encryption none: who can read the bucket reads every event");
    }
}

void
check_trail(const struct hf_config_trail *trail, struct lines *lines)
{
    char *subject hf_owned(hf_freep) = hf_asprintf("trail %s", trail->name);
    check_signer(trail, subject, lines);
    check_encryption(trail, subject, lines);
}

/* ---- buckets ---- */

static bool
wants_lock(const struct hf_config *config, const struct hf_config_bucket *bucket)
{
    if (bucket->retention_mode != HF_LOCK_NONE)
        return true;
    for (size_t i = 0; i < config->trail_count; i++)
        if (strcmp(config->trails[i].bucket, bucket->name) == 0 &&
            hf_config_lock_mode(config, &config->trails[i]) != HF_LOCK_NONE)
            return true;
    return false;
}

static void
say_directory(const struct hf_config_store *store, const char *subject, struct lines *lines)
{
    if (store->worm == HF_WORM_FILER)
        lines_add(lines, LINE_NOTE, subject, NULL,
                  "a directory on a WORM filer: it holds what the filer holds");
    else
        lines_add(lines, LINE_NOTE, subject, NULL,
                  "ADVISORY: an ordinary directory. Files are set read-only; root can change and "
                  "delete them all the same");
}

static void
say_state(const struct hf_config *config, const struct hf_config_bucket *bucket, bool is_dir,
          enum hf_lock_state state, const char *subject, struct lines *lines)
{
    char *apply hf_owned(hf_freep) = hf_asprintf("holdfast bucket apply %s", bucket->name);
    switch (state) {
    case HF_BUCKET_MISSING: lines_add(lines, LINE_FAIL, subject, apply, "is not there"); return;
    case HF_BUCKET_UNLOCKED:
        if (wants_lock(config, bucket))
            lines_add(lines, LINE_FAIL, subject,
                      "name another bucket, and `holdfast bucket apply` makes it: most stores "
                      "cannot add Object Lock later",
                      "is there, without Object Lock");
        else
            lines_add(lines, LINE_NOTE, subject, NULL,
                      "is there; retention none: whoever may delete, can");
        return;
    case HF_BUCKET_LOCKED:
        lines_add(lines, LINE_OK, subject, NULL,
                  is_dir ? "is there and can be written" : "is there, with Object Lock");
    }
}

/* Listing the own prefix is a right the agent needs; whether it may put is seen only by putting. */
static void
check_list(const struct hf_config *config, const struct hf_config_trail *trail,
           struct hf_store *store, struct lines *lines)
{
    char host[256], prefix[HF_KEY_MAX];
    struct hf_layout layout;
    struct hf_strings keys = { 0 };
    struct hf_error err = { 0 };
    char *subject hf_owned(hf_freep) = hf_asprintf("trail %s", trail->name);
    host_name(config, host);
    layout_of(config, trail, host, &layout);
    hf_layout_digest_prefix(&layout, prefix);
    enum hf_status status = hf_store_list(store, prefix, "", 1, &keys, &err);
    if (status == HF_OK)
        lines_add(lines, LINE_OK, subject, NULL, "may list its prefix, where digests %s",
                  keys.count ? "lie already" : "do not lie yet");
    else
        lines_add(lines, LINE_FAIL, subject,
                  "policies/starter/bucket-policy.json gives the rights that are needed", "%s",
                  err.text);
    hf_strings_done(&keys);
}

static void
check_skew(struct hf_store *store, const char *subject, struct lines *lines)
{
    long long skew_s = (long long)hf_store_skew_s(store), size_s = skew_s < 0 ? -skew_s : skew_s;
    if (size_s > SKEW_MAX_S)
        lines_add(lines, LINE_FAIL, subject, "timedatectl set-ntp true",
                  "its clock is %+lld s from ours; past 15 minutes nothing is delivered", skew_s);
    else if (size_s > 60)
        lines_add(lines, LINE_NOTE, subject, NULL, "its clock is %+lld s from ours", skew_s);
}

static void
check_set(const struct hf_config *config, const struct hf_config_bucket *bucket,
          const char *subject, struct lines *lines)
{
    struct hf_bucket_term term = { 0 };
    struct hf_error err = { 0 };
    if (!bucket->policy)
        return;
    if (hf_bucket_term_read(config, bucket, &term, &err) == HF_OK)
        say_shortfall(bucket, &term, subject, lines);
    else
        lines_add(lines, LINE_NOTE, subject, NULL, "its policy set was not looked at: %s",
                  err.text);
}

static void
check_bucket(const struct hf_config *config, const struct hf_config_bucket *bucket,
             const struct options *options, struct lines *lines)
{
    struct hf_config_store described = store_as(hf_config_store(config, bucket->store), options);
    char *subject hf_owned(hf_freep) = hf_asprintf("bucket %s on %s", bucket->name, bucket->store);
    hf_owned(hf_store_closep) struct hf_store *store = NULL;
    struct hf_error err = { 0 };
    enum hf_lock_state state;
    check_set(config, bucket, subject, lines);
    if (hf_store_open(&described, bucket->name, &store, &err) != HF_OK) {
        lines_add_error(lines, subject, NULL, &err);
        return;
    }
    enum hf_status status = hf_store_bucket_state(store, &state, &err);
    if (hf_store_is_dir(store))
        say_directory(&described, subject, lines);
    if (status == HF_EACCESS && err.http_status == 403)
        lines_add(lines, LINE_NOTE, subject, NULL,
                  "answers; these credentials may not ask for its Object Lock, which is no fault "
                  "of a writer's");
    else if (status != HF_OK)
        lines_add_error(lines, subject, NULL, &err);
    else
        say_state(config, bucket, hf_store_is_dir(store), state, subject, lines);
    check_skew(store, subject, lines);
    if ((status != HF_OK && status != HF_EACCESS) ||
        (status == HF_OK && state == HF_BUCKET_MISSING))
        return;
    for (size_t i = 0; i < config->trail_count; i++)
        if (strcmp(config->trails[i].bucket, bucket->name) == 0 &&
            described.confirm == HF_CONFIRM_HEAD)
            check_list(config, &config->trails[i], store, lines);
}

void
check_stores(const struct hf_config *config, const struct options *options, struct lines *lines)
{
    for (size_t i = 0; i < config->bucket_count; i++)
        check_bucket(config, &config->buckets[i], options, lines);
}
