/* What a reading command works on: a trail of the configuration, or a bucket alone. */
#ifndef HOLDFAST_CLI_TARGET_H
#define HOLDFAST_CLI_TARGET_H

#include "opt.h"

#include <holdfast/crypto.h>
#include <holdfast/layout.h>
#include <holdfast/store.h>
#include <jansson.h>

struct hf_revoked_key;

struct target {
    struct hf_config *config;            /* NULL for a bucket alone */
    const struct hf_config_trail *trail; /* NULL for a bucket alone */
    struct hf_config_store own_store;    /* the store as it is opened: the configured one with the
                                            options' changes, or the options' */
    const char *bucket;
    struct hf_store *store;
    struct hf_layout layout;
    char host[256];
    struct hf_verifier *verifiers[PINS_MAX * 2];
    size_t verifier_count;
    const char *fingerprints[PINS_MAX * 2];
    size_t fingerprint_count;
    json_t *registry; /* keys.json, or NULL */
};
/* Fills everything but store and keys. `trail` is chosen by name, or is the only one. */
enum hf_status target_choose(const struct options *options, struct target *target,
                             struct hf_error *err) hf_must_check;
enum hf_status target_open_store(struct target *target, struct hf_error *err) hf_must_check;
/* Pinned keys: options, the trail's key file, the registry of earlier ones. */
enum hf_status target_load_keys(const struct options *options, struct target *target,
                                struct hf_error *err) hf_must_check;
/* Those of the registry that are revoked; at most KEYS_MAX. They point into the registry. */
size_t revoked_keys(const struct target *target, struct hf_revoked_key *ret_keys);
/* SSE-C: the configured key file or --sse-key-file; nothing to do otherwise. */
enum hf_status target_load_sse_c(const struct options *options, struct target *target,
                                 struct hf_error *err) hf_must_check;
/* Another handle to the same bucket, SSE-C key included, for another thread; to be closed before
 * target_done(). */
enum hf_status target_open_another(const struct options *options, const struct target *target,
                                   struct hf_store **ret_store, struct hf_error *err) hf_must_check;
void target_done(struct target *target);

enum hf_status config_open(const struct options *options, struct hf_config **ret_config,
                           struct hf_error *err) hf_must_check;
/* The host's name as the agent's keys have it: the identity's, else the configuration's, else this
 * host's. */
void host_name(const struct hf_config *config, char ret_host[256]);
void layout_of(const struct hf_config *config, const struct hf_config_trail *trail,
               const char *host, struct hf_layout *ret_layout);
/* The configured store, with --credentials-file and --profile in place of its own. */
struct hf_config_store store_as(const struct hf_config_store *store, const struct options *options);

#endif
