/* holdfast key new, list, rotate, revoke. */
#include "commands.h"
#include "keys.h"
#include "say.h"
#include "target.h"

#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum hf_status
write_public(const char *key_file, struct hf_verifier **ret_verifier, struct hf_error *err)
{
    struct hf_signer *signer;
    char *path hf_owned(hf_freep) = hf_asprintf("%s.pub", key_file);
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(64u << 10);
    enum hf_status status = hf_signer_load(key_file, &signer, err);
    if (status != HF_OK)
        return status;
    status = hf_signer_public_pem(signer, &pem);
    hf_signer_free(signer);
    if (status != HF_OK)
        return hf_fail(err, status, "'%s' is too large", key_file);
    status = hf_verifier_parse(hf_buf_slice(&pem), key_file, ret_verifier, err);
    return status == HF_OK ? hf_fs_replace(path, pem.ptr, pem.size, 0644, err) : status;
}

/* The registry is kept where there is a configuration whose state_dir is there; without one the key
 * file is all there is. */
static struct hf_config *
config_for_registry(const struct options *options, struct hf_error *err, enum hf_status *ret_status)
{
    struct hf_config *config = NULL;
    struct stat info;
    *ret_status = HF_OK;
    if (!options->config_given && hf_fs_access(options->config, F_OK, NULL) != HF_OK)
        return NULL;
    *ret_status = config_open(options, &config, err);
    if (*ret_status != HF_OK && !options->config_given)
        *ret_status = HF_OK; /* the default one is not finished yet: no hindrance to making a key */
    if (config && hf_fs_stat(config->agent.state_dir, &info, NULL) != HF_OK) {
        hf_config_free(config);
        config = NULL;
    }
    return config;
}

static void
print_key(const struct hf_verifier *verifier, const char *file)
{
    printf("%s\n", hf_verifier_fingerprint(verifier));
    fprintf(stderr, "private key: %s\npublic key:  %s.pub\n", file, file);
    fputs("Keep the fingerprint above and the public key elsewhere, where this host cannot change "
          "them:\n"
          "`holdfast validate --fingerprint` and `--public-key` take them.\n",
          stderr);
}

int
cmd_key_new(const struct options *options)
{
    struct hf_error err = { 0 };
    struct hf_verifier *verifier = NULL;
    enum hf_status status;
    hf_owned(hf_doc_freep) json_t *registry = NULL;
    const char *file = options->args[0];
    struct hf_config *config = config_for_registry(options, &err, &status);
    if (status == HF_OK)
        status = hf_signer_create(file, options->bits, &err);
    if (status == HF_OK)
        status = write_public(file, &verifier, &err);
    if (status == HF_OK)
        print_key(verifier, file);
    if (status == HF_OK && config)
        status = registry_load(config, &registry, &err);
    if (status == HF_OK && config)
        status = registry_note(registry, verifier, file, hf_wall_s(), &err);
    if (status == HF_OK && config && registry_save(config, registry, &err) != HF_OK)
        say_note("the key is made, and not registered in the state directory: %s", err.text);
    hf_verifier_free(verifier);
    hf_config_free(config);
    return status == HF_OK ? say_done(EXIT_WELL) : say_failure(options, status, &err);
}

/* ---- list ---- */

static void
print_list(const json_t *doc)
{
    json_t *key, *trail;
    size_t index, i;
    json_array_foreach(json_object_get(doc, "keys"), index, key)
    {
        printf("%s\n  %s, from %s", hf_doc_text_or(key, "fingerprint", ""),
               hf_doc_text_or(key, "file", "(no file)"), hf_doc_text_or(key, "valid_from", "?"));
        if (hf_doc_text_or(key, "valid_to", NULL))
            printf(" to %s", hf_doc_text_or(key, "valid_to", ""));
        if (hf_doc_text_or(key, "revoked_at", NULL))
            printf(", REVOKED from %s on", hf_doc_text_or(key, "revoked_from", "the beginning"));
        const json_t *trails = json_object_get(key, "trails");
        fputs(json_array_size(trails) ? ", signs" : "", stdout);
        json_array_foreach(trails, i, trail) printf(" %s", json_string_value(trail));
        putchar('\n');
    }
}

int
cmd_key_list(const struct options *options)
{
    struct hf_error err = { 0 };
    struct hf_config *config = NULL;
    json_t *doc = NULL;
    enum hf_status status = config_open(options, &config, &err);
    if (status == HF_OK)
        status = keys_doc(config, &doc, &err);
    hf_config_free(config);
    if (status != HF_OK)
        return say_failure(options, status, &err);
    if (options->json)
        return say_json(doc, EXIT_WELL);
    print_list(doc);
    json_decref(doc);
    return say_done(EXIT_WELL);
}

/* ---- rotate ---- */

/* The new key is whole beside the old one first; then the old gets its second name, then rename(2)
 * puts the new in its place. At every moment FILE is one of the two. */
static enum hf_status
replace_key(const struct options *options, const char *file, const char *old_file,
            struct hf_error *err)
{
    char *fresh hf_owned(hf_freep) = hf_asprintf("%s.new", file);
    enum hf_status status = hf_signer_create(fresh, options->bits, err);
    if (status == HF_EEXISTS)
        return hf_while(err, status, "a rotation was interrupted; remove '%s' and try again",
                        fresh);
    if (status == HF_OK)
        status = hf_fs_link(file, old_file, err);
    if (status == HF_OK || status == HF_EEXISTS)
        status = hf_fs_rename(fresh, file, err);
    if (status != HF_OK)
        return status;
    char *directory hf_owned(hf_freep) = hf_strdup(file);
    char *slash = strrchr(directory, '/');
    if (slash)
        slash[slash == directory] = '\0';
    return hf_fs_sync_dir(slash ? directory : ".", err);
}

static enum hf_status
note_rotation(const struct hf_config *config, const struct hf_verifier *old, const char *old_file,
              const struct hf_verifier *fresh, const char *file, struct hf_error *err)
{
    char now[HF_TIME_SIZE];
    struct stat info;
    hf_owned(hf_doc_freep) json_t *registry = NULL;
    int64_t from_s = hf_fs_stat(old_file, &info, NULL) == HF_OK ? (int64_t)info.st_mtime : 0;
    enum hf_status status = registry_load(config, &registry, err);
    if (status == HF_OK)
        status = registry_note(registry, old, old_file, from_s, err);
    if (status != HF_OK)
        return status;
    hf_time_rfc3339(hf_wall_s(), now);
    hf_doc_set_text(registry_find(registry, hf_verifier_fingerprint(old)), "valid_to", now);
    status = registry_note(registry, fresh, file, hf_wall_s(), err);
    return status == HF_OK ? registry_save(config, registry, err) : status;
}

int
cmd_key_rotate(const struct options *options)
{
    struct hf_error err = { 0 };
    struct hf_verifier *old = NULL, *fresh = NULL;
    enum hf_status status;
    char *old_file hf_owned(hf_freep) = NULL;
    const char *file = options->args[0];
    struct hf_config *config = config_for_registry(options, &err, &status);
    if (status == HF_OK)
        status = public_half(file, &old, &err);
    if (status == HF_OK) {
        old_file = hf_asprintf("%s.old-%.8s", file, hf_verifier_fingerprint(old));
        status = replace_key(options, file, old_file, &err);
    }
    if (status == HF_OK)
        status = write_public(old_file, &fresh, &err);
    hf_verifier_free(hf_take(fresh));
    if (status == HF_OK)
        status = write_public(file, &fresh, &err);
    if (status == HF_OK)
        print_key(fresh, file);
    if (status == HF_OK && config)
        status = note_rotation(config, old, old_file, fresh, file, &err);
    if (status == HF_OK) {
        fprintf(stderr,
                "The agent uses it after SIGHUP. The old key is %s; it goes on vouching for what "
                "it signed%s.\n",
                old_file,
                config ? ""
                       : ", where its public half is given (no configuration was, so nothing is "
                         "registered)");
    }
    hf_verifier_free(old);
    hf_verifier_free(fresh);
    hf_config_free(config);
    return status == HF_OK ? say_done(EXIT_WELL) : say_failure(options, status, &err);
}

/* ---- revoke ---- */

static enum hf_status
revoke_key(const struct options *options, const struct hf_config *config, json_t *known,
           struct hf_error *err)
{
    char now[HF_TIME_SIZE], from[HF_TIME_SIZE];
    json_t *key, *entry = NULL;
    size_t index;
    const char *wanted = options->args[0];
    hf_owned(hf_doc_freep) json_t *registry = NULL;
    struct hf_verifier *verifier = NULL;
    if (strlen(wanted) < 8)
        return hf_fail(err, HF_EUSAGE, "'%s' is too short: at least 8 digits of the fingerprint",
                       wanted);
    json_array_foreach(json_object_get(known, "keys"), index, key)
    {
        if (!hf_starts_with(hf_doc_text_or(key, "fingerprint", ""), wanted))
            continue;
        if (entry)
            return hf_fail(err, HF_EUSAGE, "more than one key begins with '%s'", wanted);
        entry = key;
    }
    if (!entry)
        return hf_fail(
            err, HF_ENOTFOUND,
            "no key of this configuration has the fingerprint '%s'; `holdfast key list` shows them",
            wanted);
    enum hf_status status = registry_load(config, &registry, err);
    if (status == HF_OK)
        status = registry_verifier(entry, &verifier, err);
    int64_t valid_from_s = 0;
    (void)hf_time_parse_rfc3339(hf_doc_text_or(entry, "valid_from", ""), &valid_from_s);
    if (status == HF_OK)
        status = registry_note(registry, verifier, hf_doc_text_or(entry, "file", NULL),
                               valid_from_s, err);
    if (status == HF_OK) {
        json_t *mine = registry_find(registry, hf_verifier_fingerprint(verifier));
        hf_time_rfc3339(hf_wall_s(), now);
        hf_time_rfc3339(options->from_s, from);
        hf_doc_set_text(mine, "revoked_at", now);
        hf_doc_set_text(mine, "revoked_from", options->from_s ? from : NULL);
        printf("%s\n", hf_verifier_fingerprint(verifier));
        status = registry_save(config, registry, err);
    }
    hf_verifier_free(verifier);
    return status;
}

int
cmd_key_revoke(const struct options *options)
{
    struct hf_error err = { 0 };
    struct hf_config *config = NULL;
    hf_owned(hf_doc_freep) json_t *known = NULL;
    enum hf_status status = config_open(options, &config, &err);
    if (status == HF_OK)
        status = keys_doc(config, &known, &err);
    if (status == HF_OK)
        status = revoke_key(options, config, known, &err);
    hf_config_free(config);
    if (status != HF_OK)
        return say_failure(options, status, &err);
    fputs("Revoked for validate, cat and api with this configuration. Tell everyone who checks "
          "elsewhere.\n"
          "If it still signs, `holdfast key rotate` puts another in its place.\n",
          stderr);
    return say_done(EXIT_WELL);
}
