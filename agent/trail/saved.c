/* The settings of a trail beside its ledger, so that it can drain when it has left the
 * configuration: trail.json and trail.json.copy, the same text with a checksum in it. A damaged
 * one is made whole from the other: it says where everything goes. */
#include "agent/trail/saved.h"

#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

#define SAVED_MAX (1u << 20)
#define CHECK_KEY "check"

static const char *const names[] = { "trail.json", "trail.json.copy" };

static enum hf_status
checksum(const json_t *doc, char ret_text[16])
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(SAVED_MAX);
    enum hf_status status = hf_doc_dump(doc, &text);
    snprintf(ret_text, 16, "%08x", hf_crc32c(0, text.ptr, text.size));
    return status;
}

enum hf_status
settings_save(const char *folder, const struct settings *settings, struct hf_error *err)
{
    char check[16];
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(SAVED_MAX);
    hf_owned(hf_doc_freep) json_t *doc = json_copy(settings->doc);
    enum hf_status status = checksum(doc, check);
    hf_doc_set_text(doc, CHECK_KEY, check);
    if (status == HF_OK)
        status = hf_doc_dump_pretty(doc, &text);
    if (status != HF_OK)
        return hf_fail(err, status, "the settings of trail '%s' are too long", settings->name);
    for (size_t i = 0; i < HF_COUNT(names) && status == HF_OK; i++) {
        char path[HF_PATH_MAX];
        hf_path_join(path, sizeof(path), folder, names[i]);
        status = hf_fs_replace(path, text.ptr, text.size, 0600, err);
    }
    return status;
}

/* HF_ENOTFOUND, or HF_ECORRUPT for whatever does not fit. Older versions wrote no checksum. */
static enum hf_status
load_one(const char *path, json_t **ret_doc, struct hf_error *err)
{
    char check[16];
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(SAVED_MAX);
    hf_owned(hf_doc_freep) json_t *doc = NULL;
    enum hf_status status = hf_fs_read_file(path, SAVED_MAX, &text, err);
    if (status != HF_OK)
        return status;
    if (hf_doc_parse(hf_buf_slice(&text), SAVED_MAX, path, &doc, err) != HF_OK)
        return err->status = HF_ECORRUPT;
    hf_owned(hf_freep) char *written = hf_strdup(hf_doc_text_or(doc, CHECK_KEY, NULL));
    json_object_del(doc, CHECK_KEY);
    if (written && (checksum(doc, check) != HF_OK || strcmp(written, check) != 0))
        return hf_fail(err, HF_ECORRUPT, "'%s' does not have its checksum", path);
    *ret_doc = hf_take(doc);
    return HF_OK;
}

enum hf_status
settings_load(const char *folder, struct settings *ret_settings, struct hf_error *err)
{
    enum hf_status status = HF_ENOTFOUND;
    for (size_t i = 0; i < HF_COUNT(names) && status != HF_OK; i++) {
        char path[HF_PATH_MAX];
        struct hf_error own = { 0 };
        json_t *doc = NULL;
        hf_path_join(path, sizeof(path), folder, names[i]);
        enum hf_status one = load_one(path, &doc, &own);
        if (one == HF_OK)
            one = settings_from_doc(doc, ret_settings, &own);
        if (one != HF_OK && one != HF_ENOTFOUND) {
            hf_log_error("settings.damaged", HF_STR("file", path), HF_ERR(&own));
            *err = own;
        }
        if (one == HF_OK || status == HF_ENOTFOUND)
            status = one;
    }
    return status;
}

enum hf_status
settings_remove(const char *folder, struct hf_error *err)
{
    enum hf_status status = HF_OK;
    for (size_t i = HF_COUNT(names); i-- > 0 && (status == HF_OK || status == HF_ENOTFOUND);) {
        char path[HF_PATH_MAX];
        hf_path_join(path, sizeof(path), folder, names[i]);
        status = hf_fs_unlink(path, err);
    }
    return status;
}

enum hf_status
settings_exist(const char *folder, bool *ret_exist, struct hf_error *err)
{
    enum hf_status status = HF_ENOTFOUND;
    for (size_t i = 0; i < HF_COUNT(names) && status == HF_ENOTFOUND; i++) {
        char path[HF_PATH_MAX];
        struct stat stat;
        hf_path_join(path, sizeof(path), folder, names[i]);
        status = hf_fs_stat(path, &stat, err);
    }
    *ret_exist = status == HF_OK;
    return status == HF_ENOTFOUND ? HF_OK : status;
}
