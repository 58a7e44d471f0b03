/* The configuration as a whole: load, free, look up. */
#include "config_impl.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
free_config(struct hf_config *config)
{
    for (size_t s = 0; s < HF_SECTION_COUNT; s++) {
        const struct hf_section *section = &hf_sections[s];
        char *items = (char *)config + section->items_offset;
        size_t count = 1;
        if (section->is_list) {
            items = *(char **)items;
            count = *(size_t *)((char *)config + section->count_offset);
        }
        for (size_t i = 0; i < count; i++)
            hf_section_clear((enum hf_section_id)s, items + i * section->size);
        if (section->is_list)
            free(items);
    }
    free(config->path);
    free(config);
}

struct hf_config *
hf_config_ref(struct hf_config *config)
{
    atomic_fetch_add(&config->references, 1);
    return config;
}

void
hf_config_unref(struct hf_config *config)
{
    if (config && atomic_fetch_sub(&config->references, 1) == 1)
        free_config(config);
}

void
hf_config_free(struct hf_config *config)
{
    hf_assert(!config || atomic_load(&config->references) == 1);
    hf_config_unref(config);
}

void
hf_config_freep(struct hf_config **config)
{
    hf_config_free(*config);
    *config = NULL;
}

/* Values that follow from others. */
static enum hf_status
derive(struct hf_config *config, struct hf_error *err)
{
    struct hf_config_agent *agent = &config->agent;
    if (!agent->control)
        agent->control = hf_path_absolute(agent->state_dir, "control.sock");
    if (!agent->control)
        return hf_fail(err, HF_ECONFIG, "%s: agent.state_dir: the path is too long", config->path);
    for (size_t i = 0; i < config->store_count; i++)
        hf_config_store_derive(&config->stores[i]);
    return HF_OK;
}

static enum hf_status
absolute_path(const char *path, char **ret_path, struct hf_error *err)
{
    char here[PATH_MAX] = "/";
    if (path[0] != '/' && !getcwd(here, sizeof(here)))
        return hf_fail_errno(err, HF_ECONFIG,
                             "'%s': the working directory is unknown; write the whole path", path);
    *ret_path = path[0] ? hf_path_absolute(here, path) : NULL;
    if (!*ret_path)
        return hf_fail(err, HF_ECONFIG, "the configuration file's path is %s",
                       path[0] ? "too long" : "empty");
    return HF_OK;
}

enum hf_status
hf_config_parse(struct hf_slice text, const char *path, struct hf_config **ret_config,
                struct hf_error *err)
{
    hf_owned(hf_config_freep) struct hf_config *config = hf_alloc(sizeof(*config));
    hf_owned(hf_node_freep) struct hf_node *root = NULL;
    atomic_init(&config->references, 1);
    enum hf_status status = absolute_path(path, &config->path, err);
    if (status == HF_OK)
        status = hf_node_parse(text, config->path, &root, err);
    if (status == HF_OK && !root)
        status = hf_fail(err, HF_ECONFIG,
                         "%s:1: nothing is written here; `holdfast config sample` prints a "
                         "configuration to begin with",
                         config->path);
    if (status == HF_OK)
        status = hf_config_read(root, config, err);
    if (status == HF_OK)
        status = derive(config, err);
    if (status == HF_OK)
        status = hf_config_check(root, config, err);
    if (status == HF_OK)
        *ret_config = hf_take(config);
    return status;
}

enum hf_status
hf_config_load(const char *path, struct hf_config **ret_config, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(HF_CONFIG_BYTES_MAX + 1);
    struct hf_error cause = { 0 };
    enum hf_status status = hf_fs_read_file(path, HF_CONFIG_BYTES_MAX, &text, &cause);
    if (status != HF_OK) {
        /* Whatever keeps the file from being read is for a person to mend: usage, not a lost
         * object. */
        (void)hf_fail(err, HF_ECONFIG, "reading the configuration: %s", cause.text);
        if (err)
            err->sys_errno = cause.sys_errno;
        return HF_ECONFIG;
    }
    return hf_config_parse(hf_buf_slice(&text), path, ret_config, err);
}

/* ---- look-up ---- */

#define LOOKUP(type)                                                                               \
    const struct hf_config_##type *hf_config_##type(const struct hf_config *config,                \
                                                    const char *name)                              \
    {                                                                                              \
        for (size_t i = 0; name && i < config->type##_count; i++)                                  \
            if (strcmp(config->type##s[i].name, name) == 0)                                        \
                return &config->type##s[i];                                                        \
        return NULL;                                                                               \
    }
LOOKUP(store)
LOOKUP(source)
LOOKUP(bucket)
LOOKUP(trail)

int
hf_config_lock_mode(const struct hf_config *config, const struct hf_config_trail *trail)
{
    const struct hf_config_bucket *bucket = hf_config_bucket(config, trail->bucket);
    return HF_MAX(bucket ? bucket->retention_mode : HF_LOCK_NONE,
                  trail->retention_mode == HF_UNSET ? HF_LOCK_NONE : trail->retention_mode);
}

uint64_t
hf_config_lock_days(const struct hf_config *config, const struct hf_config_trail *trail)
{
    const struct hf_config_bucket *bucket = hf_config_bucket(config, trail->bucket);
    return HF_MAX(bucket ? bucket->retention_days : 0, trail->retention_days);
}

static const char *const lock_modes[] = { [HF_LOCK_NONE] = "NONE",
                                          [HF_LOCK_GOVERNANCE] = "GOVERNANCE",
                                          [HF_LOCK_COMPLIANCE] = "COMPLIANCE" };

const char *
hf_lock_mode_text(int mode)
{
    hf_assert(mode >= 0 && (size_t)mode < HF_COUNT(lock_modes));
    return lock_modes[mode];
}

int
hf_lock_mode_parse(const char *text)
{
    for (size_t i = 0; text && i < HF_COUNT(lock_modes); i++)
        if (strcmp(lock_modes[i], text) == 0)
            return (int)i;
    return HF_UNSET;
}

const char *
hf_encryption_text(int encryption)
{
    static const char *const texts[] = { [HF_ENCRYPT_NONE] = "none",
                                         [HF_ENCRYPT_SSE_S3] = "sse-s3",
                                         [HF_ENCRYPT_SSE_KMS] = "sse-kms",
                                         [HF_ENCRYPT_SSE_C] = "sse-c",
                                         [HF_ENCRYPT_CMS] = "cms" };
    hf_assert(encryption >= 0 && (size_t)encryption < HF_COUNT(texts));
    return texts[encryption];
}
