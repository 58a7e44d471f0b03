/* Each of S3's documents: a table of paths, and where the text of each goes.
 */
#include "agent/s3/xml.h"

#include <stdlib.h>
#include <string.h>

static bool
is_child(const char *path, const char *child)
{
    /* the root's name is checked apart, so that one visitor serves each document */
    const char *rest = strchr(path + 1, '/');

    return rest && strcmp(rest + 1, child) == 0;
}

static enum hf_status
wrong_document(const char *path, const char *expected, struct hf_error *err)
{
    char root[64];

    hf_xml_copy_text(root, sizeof(root), path + 1);
    return hf_fail(err, HF_EFORMAT,
                   "the store answered with a document '%s' where '%s' was expected", root,
                   expected);
}

/* True when this call opens the root and its name is not `expected`. */
static bool
is_wrong_root(const char *path, const char *text, const char *expected)
{
    return !text && !strchr(path + 1, '/') && strcmp(path + 1, expected) != 0;
}

static enum hf_status
bad_value(const char *path, const char *text, struct hf_error *err)
{
    char shown[128];

    hf_xml_copy_text(shown, sizeof(shown), text);
    return hf_fail(err, HF_EFORMAT, "the store's reply has '%s' as %s", shown, path);
}

/* ---- Error ---- */

static enum hf_status
visit_error(void *context, const char *path, const char *text, struct hf_error *err)
{
    struct hf_xml_error *error = context;

    if (is_wrong_root(path, text, "Error"))
        return wrong_document(path, "Error", err);
    if (!text)
        return HF_OK;
    if (is_child(path, "Code"))
        hf_xml_copy_text(error->code, sizeof(error->code), text);
    else if (is_child(path, "Message"))
        hf_xml_copy_text(error->message, sizeof(error->message), text);
    else if (is_child(path, "Region"))
        hf_xml_copy_text(error->region, sizeof(error->region), text);
    return HF_OK;
}

enum hf_status
hf_xml_parse_error(struct hf_slice xml, struct hf_xml_error *ret_error)
{
    struct hf_xml_error error = { .code = "" };
    enum hf_status status = hf_xml_walk(xml, visit_error, &error, NULL);

    if (status == HF_OK && !error.code[0])
        status = HF_EFORMAT;
    if (status == HF_OK)
        *ret_error = error;
    return status;
}

/* ---- Retention ---- */

struct retention {
    int mode;
    int64_t until_s;
};

static enum hf_status
visit_retention(void *context, const char *path, const char *text, struct hf_error *err)
{
    struct retention *retention = context;

    if (is_wrong_root(path, text, "Retention"))
        return wrong_document(path, "Retention", err);
    if (!text || !*text)
        return HF_OK;
    if (is_child(path, "Mode")) {
        retention->mode = hf_lock_mode_parse(text);
        if (retention->mode == HF_UNSET)
            return bad_value("Mode", text, err);
    } else if (is_child(path, "RetainUntilDate") &&
               !(hf_time_parse_rfc3339(text, &retention->until_s) && retention->until_s > 0)) {
        return bad_value("RetainUntilDate", text, err);
    }
    return HF_OK;
}

enum hf_status
hf_s3_parse_retention(struct hf_slice xml, int *ret_lock_mode, int64_t *ret_retain_until_s,
                      struct hf_error *err)
{
    struct retention retention = { .mode = HF_LOCK_NONE };
    enum hf_status status = hf_xml_walk(xml, visit_retention, &retention, err);

    if (status != HF_OK)
        return status;
    *ret_lock_mode = retention.mode;
    *ret_retain_until_s = retention.until_s;
    return HF_OK;
}

enum hf_status
hf_s3_retention_document(int lock_mode, int64_t retain_until_s, struct hf_buf *ret_xml)
{
    char until[HF_TIME_SIZE];

    hf_time_rfc3339(retain_until_s, until);
    if (lock_mode == HF_LOCK_NONE)
        return hf_buf_add_text(ret_xml,
                               "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>");
    return hf_buf_addf(
        ret_xml,
        "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>%s</Mode>"
        "<RetainUntilDate>%s</RetainUntilDate></Retention>",
        hf_lock_mode_text(lock_mode), until);
}

/* ---- ObjectLockConfiguration ---- */

static enum hf_status
visit_lock_config(void *context, const char *path, const char *text, struct hf_error *err)
{
    struct hf_s3_lock_config *config = context;

    if (is_wrong_root(path, text, "ObjectLockConfiguration"))
        return wrong_document(path, "ObjectLockConfiguration", err);
    if (!text || !*text)
        return HF_OK;
    if (is_child(path, "ObjectLockEnabled")) {
        config->enabled = strcmp(text, "Enabled") == 0;
    } else if (is_child(path, "Rule/DefaultRetention/Mode")) {
        config->default_mode = hf_lock_mode_parse(text);
        if (config->default_mode == HF_UNSET)
            return bad_value("Mode", text, err);
    } else if (is_child(path, "Rule/DefaultRetention/Days")) {
        if (!hf_parse_u64(text, 0, 1000000, &config->days))
            return bad_value("Days", text, err);
    } else if (is_child(path, "Rule/DefaultRetention/Years")) {
        if (!hf_parse_u64(text, 0, 10000, &config->years))
            return bad_value("Years", text, err);
    }
    return HF_OK;
}

enum hf_status
hf_s3_parse_lock_config(struct hf_slice xml, struct hf_s3_lock_config *ret_config,
                        struct hf_error *err)
{
    struct hf_s3_lock_config config = { .default_mode = HF_LOCK_NONE };
    enum hf_status status = hf_xml_walk(xml, visit_lock_config, &config, err);

    if (status == HF_OK)
        *ret_config = config;
    return status;
}
