/* The registry of digest keys, STATE_DIR/keys.json: which keys there were, since when, until when,
 * and which are revoked. It holds public keys only and is a convenience: it lies on the host that
 * signs, so whoever owns the host can change it. */
#include "keys.h"

#include <holdfast/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGISTRY_MAX (4u << 20)

static void
registry_path(const struct hf_config *config, char ret_path[HF_PATH_MAX])
{
    hf_path_join(ret_path, HF_PATH_MAX, config->agent.state_dir, "keys.json");
}

enum hf_status
registry_load(const struct hf_config *config, json_t **ret_registry, struct hf_error *err)
{
    char path[HF_PATH_MAX];
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(REGISTRY_MAX);
    hf_owned(hf_doc_freep) json_t *registry = NULL;
    json_t *keys;
    registry_path(config, path);
    enum hf_status status = hf_fs_read_file(path, REGISTRY_MAX, &text, err);
    if (status == HF_ENOTFOUND) {
        *ret_registry = json_pack("{s:i, s:[]}", "schema", 1, "keys");
        return HF_OK;
    }
    if (status == HF_OK)
        status = hf_doc_parse(hf_buf_slice(&text), REGISTRY_MAX, path, &registry, err);
    if (status == HF_OK && hf_doc_u64_or(registry, "schema", 0) != 1)
        status = hf_fail(err, HF_EVERSION, "'%s' has a schema other than 1", path);
    if (status == HF_OK)
        status = hf_doc_array(registry, "keys", &keys, err);
    if (status == HF_OK && json_array_size(keys) > KEYS_MAX)
        status = hf_fail(err, HF_ELIMIT, "'%s' has more than %d keys", path, KEYS_MAX);
    if (status != HF_OK)
        return hf_while(err, status, "reading the registry of keys");
    *ret_registry = hf_take(registry);
    return HF_OK;
}

enum hf_status
registry_save(const struct hf_config *config, const json_t *registry, struct hf_error *err)
{
    char path[HF_PATH_MAX];
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(REGISTRY_MAX);
    registry_path(config, path);
    enum hf_status status = hf_doc_dump_pretty(registry, &text);
    if (status == HF_OK)
        status = hf_buf_add(&text, "\n", 1);
    if (status != HF_OK)
        return hf_fail(err, status, "'%s' would be larger than %u bytes", path, REGISTRY_MAX);
    status = hf_fs_replace(path, text.ptr, text.size, 0644, err);
    return status == HF_OK ? HF_OK : hf_while(err, status, "writing the registry of keys");
}

json_t *
registry_find(const json_t *registry, const char *fingerprint)
{
    json_t *entry;
    size_t index;
    json_array_foreach(json_object_get(registry, "keys"), index,
                       entry) if (strcmp(hf_doc_text_or(entry, "fingerprint", ""), fingerprint) ==
                                  0) return entry;
    return NULL;
}

static enum hf_status
public_base64(const struct hf_verifier *verifier, char **ret_text, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf der = HF_BUF(64 << 10);
    enum hf_status status = hf_verifier_pkcs1(verifier, &der);
    if (status != HF_OK)
        return hf_fail(err, status, "key %s is too large", hf_verifier_fingerprint(verifier));
    *ret_text = hf_alloc(HF_BASE64_SIZE(der.size));
    hf_base64(der.ptr, der.size, *ret_text);
    return HF_OK;
}

static void
set_time(json_t *doc, const char *key, int64_t seconds)
{
    char text[HF_TIME_SIZE];
    hf_time_rfc3339(seconds, text);
    hf_doc_set_text(doc, key, text);
}

enum hf_status
registry_note(json_t *registry, const struct hf_verifier *verifier, const char *file,
              int64_t valid_from_s, struct hf_error *err)
{
    char *public_key hf_owned(hf_freep) = NULL, path[HF_PATH_MAX];
    json_t *keys = json_object_get(registry, "keys"),
           *entry = registry_find(registry, hf_verifier_fingerprint(verifier));
    enum hf_status status = public_base64(verifier, &public_key, err);
    if (status != HF_OK)
        return status;
    if (!entry) {
        if (json_array_size(keys) >= KEYS_MAX)
            return hf_fail(err, HF_ELIMIT, "there are %d keys in the registry already", KEYS_MAX);
        entry = json_object();
        json_array_append_new(keys, entry);
        hf_doc_set_text(entry, "fingerprint", hf_verifier_fingerprint(verifier));
        set_time(entry, "valid_from", valid_from_s);
        hf_doc_set_text(entry, "valid_to", NULL);
        hf_doc_set_text(entry, "revoked_at", NULL);
    }
    hf_doc_set_text(entry, "public_key", public_key);
    hf_doc_set_text(entry, "file",
                    file && hf_fs_real_path(file, path, NULL) == HF_OK ? path : file);
    return HF_OK;
}

enum hf_status
registry_verifier(const json_t *entry, struct hf_verifier **ret_verifier, struct hf_error *err)
{
    const char *public_key;
    struct hf_verifier *verifier;
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(64 << 10);
    enum hf_status status = hf_doc_text(entry, "public_key", &public_key, err);
    if (status != HF_OK)
        return hf_while(err, status, "reading the registry of keys");
    status = hf_buf_add_text(&pem, "-----BEGIN RSA PUBLIC KEY-----\n");
    for (const char *at = public_key; status == HF_OK && *at; at += HF_MIN(strlen(at), 64u))
        status = hf_buf_addf(&pem, "%.64s\n", at);
    if (status == HF_OK)
        status = hf_buf_add_text(&pem, "-----END RSA PUBLIC KEY-----\n");
    if (status != HF_OK)
        return hf_fail(err, status, "a key in the registry is too long");
    status = hf_verifier_parse(hf_buf_slice(&pem), "a key of the registry", &verifier, err);
    if (status != HF_OK)
        return status;
    if (strcmp(hf_verifier_fingerprint(verifier), hf_doc_text_or(entry, "fingerprint", "")) == 0) {
        *ret_verifier = verifier;
        return HF_OK;
    }
    hf_verifier_free(verifier);
    return hf_fail(err, HF_ECORRUPT, "the registry's key %.64s does not have that fingerprint",
                   hf_doc_text_or(entry, "fingerprint", ""));
}

enum hf_status
public_half(const char *key_file, struct hf_verifier **ret_verifier, struct hf_error *err)
{
    struct hf_signer *signer;
    char *beside hf_owned(hf_freep) = hf_asprintf("%s.pub", key_file);
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(64 << 10);
    enum hf_status status = hf_signer_load(key_file, &signer, err);
    if (status != HF_OK)
        return hf_verifier_load(beside, ret_verifier, NULL) == HF_OK ? HF_OK : status;
    status = hf_signer_public_pem(signer, &pem);
    hf_signer_free(signer);
    return status == HF_OK ? hf_verifier_parse(hf_buf_slice(&pem), key_file, ret_verifier, err)
                           : hf_fail(err, status, "'%s' is too large", key_file);
}

size_t
earlier_keys(const char *key_file, struct hf_verifier **ret_verifiers, size_t max)
{
    char directory[HF_PATH_MAX], path[HF_PATH_MAX], begin[HF_PATH_MAX];
    char **names = NULL;
    size_t count = 0, found = 0;
    snprintf(directory, sizeof(directory), "%s", key_file);
    char *slash = strrchr(directory, '/');
    snprintf(begin, sizeof(begin), "%.3000s.old-", slash ? slash + 1 : directory);
    if (slash)
        slash[slash == directory] = '\0';
    if (hf_fs_list(slash ? directory : ".", 10000, &names, &count, NULL) != HF_OK)
        return 0;
    for (size_t i = 0; i < count && found < max; i++) {
        if (!hf_starts_with(names[i], begin) || !hf_ends_with(names[i], ".pub"))
            continue;
        hf_path_join(path, sizeof(path), slash ? directory : ".", names[i]);
        found += hf_verifier_load(path, &ret_verifiers[found], NULL) == HF_OK;
    }
    hf_fs_names_free(names, count);
    return found;
}

/* ---- the list ---- */

/* A key that nobody registered: its validity begins when its file was last written, as far as
 * anyone knows. */
static enum hf_status
list_key(json_t *doc, const struct hf_verifier *verifier, const char *file, json_t **ret_entry,
         struct hf_error *err)
{
    struct stat info;
    char *public_key hf_owned(hf_freep) = NULL;
    json_t *entry = registry_find(doc, hf_verifier_fingerprint(verifier));
    enum hf_status status = entry ? HF_OK : public_base64(verifier, &public_key, err);
    if (!entry && status == HF_OK) {
        entry = json_object();
        json_array_append_new(json_object_get(doc, "keys"), entry);
        hf_doc_set_text(entry, "fingerprint", hf_verifier_fingerprint(verifier));
        hf_doc_set_text(entry, "public_key", public_key);
        hf_doc_set_text(entry, "file", file);
        set_time(entry, "valid_from",
                 file && hf_fs_stat(file, &info, NULL) == HF_OK ? (int64_t)info.st_mtime : 0);
        hf_doc_set_text(entry, "valid_to", NULL);
        hf_doc_set_text(entry, "revoked_at", NULL);
        hf_doc_set_bool(entry, "registered", false);
        hf_doc_set(entry, "trails", json_array());
    }
    *ret_entry = entry;
    return status;
}

static enum hf_status
list_trail(json_t *doc, const struct hf_config_trail *trail, struct hf_error *err)
{
    struct hf_verifier *verifiers[PINS_MAX];
    json_t *entry = NULL;
    size_t count = earlier_keys(trail->digest_key_file, verifiers, PINS_MAX - 1);
    enum hf_status status = public_half(trail->digest_key_file, &verifiers[count], err);
    bool present = status == HF_OK;
    for (size_t i = 0; status == HF_OK && i < count; i++) {
        char *file hf_owned(hf_freep) = hf_asprintf("%s.old-%.8s", trail->digest_key_file,
                                                    hf_verifier_fingerprint(verifiers[i]));
        status = list_key(doc, verifiers[i], file, &entry, err);
    }
    if (status == HF_OK)
        status = list_key(doc, verifiers[count], trail->digest_key_file, &entry, err);
    if (status == HF_OK)
        json_array_append_new(json_object_get(entry, "trails"), json_string(trail->name));
    for (size_t i = 0; i < count + present; i++)
        hf_verifier_free(verifiers[i]);
    return status == HF_OK ? HF_OK : hf_while(err, status, "trail '%s'", trail->name);
}

enum hf_status
keys_doc(const struct hf_config *config, json_t **ret_doc, struct hf_error *err)
{
    json_t *registry = NULL, *entry;
    size_t index;
    enum hf_status status = registry_load(config, &registry, err);
    if (status != HF_OK)
        return status;
    json_t *keys = json_object_get(registry, "keys");
    json_array_foreach(keys, index, entry)
    {
        hf_doc_set_bool(entry, "registered", true);
        hf_doc_set(entry, "trails", json_array());
    }
    for (size_t i = 0; status == HF_OK && i < config->trail_count; i++)
        status = list_trail(registry, &config->trails[i], err);
    if (status != HF_OK)
        json_decref(registry);
    else
        *ret_doc = registry;
    return status;
}
