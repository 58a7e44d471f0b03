/* The registry of digest keys, STATE_DIR/keys.json, and keys beside a key file. */
#ifndef HOLDFAST_CLI_KEYS_H
#define HOLDFAST_CLI_KEYS_H

#include "opt.h"

#include <holdfast/config.h>
#include <holdfast/crypto.h>
#include <jansson.h>

#define KEYS_MAX 256
/* {"schema":1,"keys":[{fingerprint, public_key, file, valid_from, valid_to, revoked_at}]}; an empty
 * one when there is no file. */
enum hf_status registry_load(const struct hf_config *config, json_t **ret_registry,
                             struct hf_error *err) hf_must_check;
enum hf_status registry_save(const struct hf_config *config, const json_t *registry,
                             struct hf_error *err) hf_must_check;
json_t *registry_find(const json_t *registry, const char *fingerprint); /* borrowed, or NULL */
/* Adds or completes the entry of a key. */
enum hf_status registry_note(json_t *registry, const struct hf_verifier *verifier, const char *file,
                             int64_t valid_from_s, struct hf_error *err) hf_must_check;
enum hf_status registry_verifier(const json_t *entry, struct hf_verifier **ret_verifier,
                                 struct hf_error *err) hf_must_check;
/* The public half of a private key file, else of FILE.pub. */
enum hf_status public_half(const char *key_file, struct hf_verifier **ret_verifier,
                           struct hf_error *err) hf_must_check;
/* Keys that `key rotate` left beside a key file, FILE.old-FINGERPRINT.pub: at most `max`, the
 * caller's. What cannot be read is left out. */
size_t earlier_keys(const char *key_file, struct hf_verifier **ret_verifiers, size_t max);
/* What `key list --json` prints: the configured trails' keys and the registry's. */
enum hf_status keys_doc(const struct hf_config *config, json_t **ret_doc,
                        struct hf_error *err) hf_must_check;

#endif
