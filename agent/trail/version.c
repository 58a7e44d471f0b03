/* What can be said of the state directory before anything is opened, and without a change to it.
 *
 * A downgrade: what a later version has written is refused before a byte is changed, also of
 * what this version could read. (The identity and the journal say it themselves when they are
 * opened, before and after this.) */
#include "agent/trail/plan.h"
#include "agent/trail/steps.h"

#include <holdfast/json.h>
#include <holdfast/trail.h>
#include <string.h>

/* In the order in which they are written: the first is never older. */
static const char *const settings_names[] = { "trail.json", "trail.json.copy" };

/* false: there is none, or none that can be read. */
static bool
read_settings(const char *folder, const char *name, char ret_path[HF_PATH_MAX], json_t **ret_doc)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(1u << 20);
    hf_path_join(ret_path, HF_PATH_MAX, folder, name);
    return hf_fs_read_file(ret_path, 1u << 20, &text, NULL) == HF_OK &&
           hf_doc_parse(hf_buf_slice(&text), 1u << 20, ret_path, ret_doc, NULL) == HF_OK;
}

static enum hf_status
check_settings(const char *folder, struct hf_error *err)
{
    for (size_t i = 0; i < HF_COUNT(settings_names); i++) {
        char path[HF_PATH_MAX];
        hf_owned(hf_doc_freep) json_t *doc = NULL;
        if (!read_settings(folder, settings_names[i], path, &doc))
            continue;
        uint64_t format = hf_doc_u64_or(doc, "format", SETTINGS_FORMAT);
        if (format != SETTINGS_FORMAT)
            return hf_fail(err, HF_EVERSION, "'%s' has format %llu, and this program knows %d",
                           path, (unsigned long long)format, SETTINGS_FORMAT);
    }
    return HF_OK;
}

static enum hf_status
check_step(void *context, enum hf_step step, const json_t *doc, struct hf_error *err)
{
    uint64_t format = hf_doc_u64_or(doc, "format", STATE_FORMAT);
    (void)context;
    if (step == HF_STEP_STATE && format != STATE_FORMAT)
        return hf_fail(err, HF_EVERSION, "its state has format %llu, and this program knows %d",
                       (unsigned long long)format, STATE_FORMAT);
    return HF_OK;
}

static enum hf_status
check_ledger(const char *folder, struct hf_error *err)
{
    char path[HF_PATH_MAX];
    hf_path_join(path, sizeof(path), folder, "ledger");
    enum hf_status status = hf_ledger_read(path, check_step, NULL, err);
    return status == HF_EVERSION ? status : HF_OK;
}

/* For each sealed file of a trail whose header can be read, or cannot because of its version. */
typedef enum hf_status (*sealed_visitor)(const void *context, const struct hf_sealed *sealed,
                                         struct hf_error *err);

static enum hf_status
each_sealed(const char *folder, sealed_visitor visit, const void *context, struct hf_error *err)
{
    char sealed_folder[HF_PATH_MAX], path[HF_PATH_MAX];
    char **names;
    size_t count;
    enum hf_status status = HF_OK;
    hf_path_join(sealed_folder, sizeof(sealed_folder), folder, "sealed");
    if (hf_fs_list(sealed_folder, 1u << 20, &names, &count, NULL) != HF_OK)
        return HF_OK;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL;
        hf_path_join(path, sizeof(path), sealed_folder, names[i]);
        status = hf_sealed_open(path, false, &sealed, err);
        if (status == HF_OK)
            status = visit ? visit(context, sealed, err) : HF_OK;
        else if (status != HF_EVERSION)
            status = HF_OK; /* damaged, or a temporary: not for here to say */
    }
    hf_fs_names_free(names, count);
    return status;
}

typedef enum hf_status (*folder_visitor)(const void *context, const char *name, const char *folder,
                                         struct hf_error *err);

static enum hf_status
each_trail(const char *state_dir, folder_visitor visit, const void *context, struct hf_error *err)
{
    char folder[HF_PATH_MAX], own[HF_PATH_MAX];
    char **names;
    size_t count;
    enum hf_status status = HF_OK;
    hf_path_join(folder, sizeof(folder), state_dir, "trails");
    if (hf_fs_list(folder, 4096, &names, &count, NULL) != HF_OK)
        return HF_OK; /* the first start */
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        hf_path_join(own, sizeof(own), folder, names[i]);
        status = visit(context, names[i], own, err);
    }
    hf_fs_names_free(names, count);
    return status;
}

static enum hf_status
check_version(const void *context, const char *name, const char *folder, struct hf_error *err)
{
    (void)context, (void)name;
    enum hf_status status = check_settings(folder, err);
    if (status == HF_OK)
        status = check_ledger(folder, err);
    return status == HF_OK ? each_sealed(folder, NULL, NULL, err) : status;
}

enum hf_status
hf_trails_check_versions(const char *state_dir, struct hf_error *err)
{
    enum hf_status status = each_trail(state_dir, check_version, NULL, err);
    return status == HF_OK ? HF_OK
                           : hf_while(err, status,
                                      "state_dir was used by a later version of holdfast, which "
                                      "has to be installed again");
}

/* ---- stores that are still needed ---- */

static enum hf_status
need_store(const struct hf_config *config, const char *store, const char *what,
           struct hf_error *err)
{
    if (hf_config_store(config, store))
        return HF_OK;
    return hf_fail(err, HF_ECONFIG,
                   "store '%s' is gone from the configuration, but '%s' has to be delivered there: "
                   "put it back until `holdfast status` shows nothing waiting for it",
                   store, what);
}

static enum hf_status
check_sealed_store(const void *config, const struct hf_sealed *sealed, struct hf_error *err)
{
    return need_store(config, sealed->store, sealed->path, err);
}

static enum hf_status
check_store(const void *config, const char *name, const char *folder, struct hf_error *err)
{
    char path[HF_PATH_MAX];
    hf_owned(hf_doc_freep) json_t *doc = NULL;
    for (size_t i = 0; i < HF_COUNT(settings_names) && !doc; i++)
        (void)read_settings(folder, settings_names[i], path, &doc);
    const char *store = doc ? hf_doc_text_or(doc, "store", NULL) : NULL;
    enum hf_status status = HF_OK;
    if (store && !hf_config_trail(config, name)) /* it drains */
        status = need_store(config, store, path, err);
    return status == HF_OK ? each_sealed(folder, check_sealed_store, config, err) : status;
}

enum hf_status
hf_trails_check_stores(const struct hf_config *config, struct hf_error *err)
{
    return each_trail(config->agent.state_dir, check_store, config, err);
}
