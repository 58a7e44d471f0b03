/* What a command works on: a trail of the configuration, or a bucket alone. Opening it is the same
 * afterwards. */
#include "target.h"
#include "keys.h"
#include "say.h"

#include <holdfast/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum hf_status
config_open(const struct options *options, struct hf_config **ret_config, struct hf_error *err)
{
    enum hf_status status = hf_config_load(options->config, ret_config, err);
    if (status != HF_OK && !options->config_given &&
        hf_fs_access(options->config, F_OK, NULL) != HF_OK)
        return hf_fail(err, HF_ECONFIG,
                       "there is no '%s': name the configuration with -c FILE (`holdfast config "
                       "sample` prints one)",
                       options->config);
    return status;
}

/* The identity keeps host names safe for keys; the same is done to a name that it has not seen yet.
 */
static void
safe_name(const char *name, char ret_host[256])
{
    size_t used = 0;
    for (const char *c = name; *c && used + 1 < 256; c++) {
        bool fine = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                    (*c >= '0' && *c <= '9') || strchr("._-", *c);
        ret_host[used++] = fine ? *c : '-';
    }
    ret_host[used] = '\0';
    if (!used || *ret_host == '.')
        snprintf(ret_host, 256, "host");
}

void
host_name(const struct hf_config *config, char ret_host[256])
{
    char path[HF_PATH_MAX], name[256] = "";
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(4096);
    hf_owned(hf_doc_freep) json_t *identity = NULL;
    hf_path_join(path, sizeof(path), config->agent.state_dir, "identity");
    if (hf_fs_read_file(path, 4096, &text, NULL) == HF_OK &&
        hf_doc_parse(hf_buf_slice(&text), 4096, path, &identity, NULL) == HF_OK &&
        hf_doc_text_or(identity, "host", NULL)) {
        snprintf(ret_host, 256, "%s", hf_doc_text_or(identity, "host", ""));
        return;
    }
    if (gethostname(name, sizeof(name) - 1) != 0)
        snprintf(name, sizeof(name), "host");
    safe_name(config->agent.host ? config->agent.host : name, ret_host);
}

void
layout_of(const struct hf_config *config, const struct hf_config_trail *trail, const char *host,
          struct hf_layout *ret_layout)
{
    *ret_layout = (struct hf_layout){
        .prefix = trail->prefix ? trail->prefix : host,
        .organization = config->agent.organization,
        .account = config->agent.account,
        .region = config->agent.region,
        .trail = trail->name,
    };
}

struct hf_config_store
store_as(const struct hf_config_store *store, const struct options *options)
{
    struct hf_config_store own = *store;
    if (options->credentials_file)
        own.credentials_file = (char *)options->credentials_file;
    if (options->profile)
        own.profile = (char *)options->profile;
    if (options->ca_file)
        own.ca_file = (char *)options->ca_file;
    return own;
}

/* ---- a bucket alone ---- */

static bool
is_digits(const char *text, size_t size)
{
    return strlen(text) == size && strspn(text, "0123456789") == size;
}

static enum hf_status
choose_bucket(const struct options *o, struct target *target, struct hf_error *err)
{
    static char none[] = "";
    const char *prefix = o->alone.prefix ? o->alone.prefix : none;
    size_t size = strlen(prefix);
    if (!o->alone.bucket)
        return hf_fail(err, HF_EUSAGE, "--store needs --bucket as well");
    if (o->alone.account && !is_digits(o->alone.account, 12))
        return hf_fail(err, HF_EUSAGE, "--account: '%s' is not 12 digits", o->alone.account);
    if (size && (prefix[0] == '/' || prefix[size - 1] == '/'))
        return hf_fail(err, HF_EUSAGE, "--prefix: '%s' begins or ends with a slash; leave it out",
                       prefix);
    if (size > 200)
        return hf_fail(err, HF_EUSAGE, "--prefix is longer than 200 bytes");
    target->own_store = (struct hf_config_store){
        .name = (char *)"store",
        .url = (char *)o->alone.store,
        .region = (char *)(o->alone.store_region ? o->alone.store_region : "us-east-1"),
        .addressing = o->alone.addressing,
        .ca_file = (char *)o->ca_file,
        .credentials_file = (char *)o->credentials_file,
        .profile = (char *)(o->profile ? o->profile : "default"),
        .timeout_s = 60,
        .connections = 4,
    };
    hf_config_store_derive(&target->own_store);
    target->bucket = o->alone.bucket;
    target->layout = (struct hf_layout){
        .prefix = prefix,
        .organization = o->alone.organization,
        .account = o->alone.account ? o->alone.account : "000000000000",
        .region = o->alone.region ? o->alone.region : "local",
        .trail = o->trail,
    };
    return HF_OK;
}

/* ---- a trail of the configuration ---- */

static enum hf_status
choose_trail(const struct options *o, struct target *target, struct hf_error *err)
{
    if (o->alone.bucket || o->alone.prefix || o->alone.account || o->alone.region ||
        o->alone.organization)
        return hf_fail(err, HF_EUSAGE,
                       "--bucket, --prefix, --account, --region and --organization go with "
                       "--store; with a configuration name --trail");
    enum hf_status status = config_open(o, &target->config, err);
    if (status != HF_OK)
        return status;
    const struct hf_config *config = target->config;
    target->trail = o->trail                   ? hf_config_trail(config, o->trail)
                    : config->trail_count == 1 ? &config->trails[0]
                                               : NULL;
    if (!target->trail) {
        hf_owned(hf_buf_done) struct hf_buf names = HF_BUF(256);
        for (size_t i = 0; i < config->trail_count; i++)
            if (hf_buf_addf(&names, "%s%s", i ? ", " : "", config->trails[i].name) != HF_OK)
                break;
        return hf_fail(err, HF_EUSAGE,
                       o->trail ? "there is no trail '%s' in the configuration; there is: %s"
                                : "--trail is missing%s; there is: %s",
                       o->trail ? o->trail : "", hf_buf_text(&names));
    }
    const struct hf_config_bucket *bucket = hf_config_bucket(config, target->trail->bucket);
    hf_assert(bucket);
    target->bucket = bucket->name;
    target->own_store = store_as(hf_config_store(config, bucket->store), o);
    host_name(config, target->host);
    layout_of(config, target->trail, target->host, &target->layout);
    return HF_OK;
}

enum hf_status
target_choose(const struct options *options, struct target *target, struct hf_error *err)
{
    *target = (struct target){ .config = NULL };
    return options->alone.store ? choose_bucket(options, target, err)
                                : choose_trail(options, target, err);
}

enum hf_status
target_open_store(struct target *target, struct hf_error *err)
{
    return hf_store_open(&target->own_store, target->bucket, &target->store, err);
}

/* ---- keys ---- */

/* Takes the verifier. A key is kept once. */
static void
pin(struct target *target, struct hf_verifier *verifier)
{
    for (size_t i = 0; i < target->verifier_count; i++) {
        if (strcmp(hf_verifier_fingerprint(target->verifiers[i]),
                   hf_verifier_fingerprint(verifier)) == 0) {
            hf_verifier_free(verifier);
            return;
        }
    }
    if (target->verifier_count < HF_COUNT(target->verifiers))
        target->verifiers[target->verifier_count++] = verifier;
    else
        hf_verifier_free(verifier);
}

static enum hf_status
pin_registered(struct target *target, struct hf_error *err)
{
    json_t *entry;
    size_t index;
    json_array_foreach(json_object_get(target->registry, "keys"), index, entry)
    {
        struct hf_verifier *verifier;
        enum hf_status status = registry_verifier(entry, &verifier, err);
        if (status != HF_OK)
            return status;
        pin(target, verifier);
    }
    return HF_OK;
}

static enum hf_status
pin_configured(struct target *target, struct hf_error *err)
{
    struct hf_verifier *verifier, *earlier[PINS_MAX];
    struct hf_error why = { 0 };
    enum hf_status status = registry_load(target->config, &target->registry, err);
    if (status != HF_OK)
        return status;
    if (public_half(target->trail->digest_key_file, &verifier, &why) == HF_OK)
        pin(target, verifier);
    else
        say_note("the trail's own key is not at hand (%s); what it signed is checked against the "
                 "key in the bucket",
                 why.text);
    size_t count = earlier_keys(target->trail->digest_key_file, earlier, PINS_MAX);
    for (size_t i = 0; i < count; i++)
        pin(target, earlier[i]);
    return pin_registered(target, err);
}

/* A revoked key is pinned all the same: which of its signatures still count is for the time of
 * revocation to say. */
enum hf_status
target_load_keys(const struct options *options, struct target *target, struct hf_error *err)
{
    for (size_t i = 0; i < options->public_keys.count; i++) {
        struct hf_verifier *verifier;
        enum hf_status status = hf_verifier_load(options->public_keys.items[i], &verifier, err);
        if (status != HF_OK)
            return hf_while(err, HF_EUSAGE, "--public-key");
        pin(target, verifier);
    }
    for (size_t i = 0; i < options->fingerprints.count; i++) {
        const char *fingerprint = options->fingerprints.items[i];
        if (strlen(fingerprint) != 64 || strspn(fingerprint, "0123456789abcdef") != 64)
            return hf_fail(err, HF_EUSAGE,
                           "--fingerprint: '%s' is not 64 lower-case hex digits, as `holdfast key "
                           "new` prints them",
                           fingerprint);
        target->fingerprints[target->fingerprint_count++] = fingerprint;
    }
    if (!target->config)
        return HF_OK;
    if (options->public_keys.count == 0 && options->fingerprints.count == 0)
        return pin_configured(target, err);
    return registry_load(target->config, &target->registry, err); /* what is revoked is revoked */
}

static enum hf_status
load_sse_c(const struct options *options, const struct target *target, struct hf_store *store,
           struct hf_error *err)
{
    const char *path = options->sse_key_file;
    uint8_t key[32];
    if (!path && target->trail && target->trail->encryption == HF_ENCRYPT_SSE_C)
        path = target->trail->sse_c_key_file;
    if (!path)
        return HF_OK;
    enum hf_status status = hf_key256_load(path, key, err);
    if (status == HF_OK)
        status = hf_store_set_sse_c(store, key, err);
    hf_wipe(key, sizeof(key));
    return status;
}

enum hf_status
target_load_sse_c(const struct options *options, struct target *target, struct hf_error *err)
{
    return load_sse_c(options, target, target->store, err);
}

enum hf_status
target_open_another(const struct options *options, const struct target *target,
                    struct hf_store **ret_store, struct hf_error *err)
{
    hf_owned(hf_store_closep) struct hf_store *store = NULL;
    enum hf_status status = hf_store_open(&target->own_store, target->bucket, &store, err);
    if (status == HF_OK)
        status = load_sse_c(options, target, store, err);
    if (status == HF_OK)
        *ret_store = hf_take(store);
    return status;
}

void
target_done(struct target *target)
{
    for (size_t i = 0; i < target->verifier_count; i++)
        hf_verifier_free(target->verifiers[i]);
    hf_store_close(target->store);
    hf_config_free(target->config);
    json_decref(target->registry);
    *target = (struct target){ .config = NULL };
}
