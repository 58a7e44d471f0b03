/* KEY.meta.json: what a bucket would keep in headers. A few hundred bytes of JSON, drawn in
 * FORMAT.md. */
#include "agent/dir/dir_impl.h"

#include <holdfast/json.h>

#include <string.h>

#define FORMAT 1

/* The meta file of a WORM volume stays writable: it must be replaced when a date grows. */
static mode_t
mode_of(const struct hf_dir *dir)
{
    return dir->worm == HF_WORM_FILER ? 0640 : 0440;
}

static void
set_text(char *ret_text, size_t size, const char *text)
{
    size_t length = text ? strlen(text) : 0;

    hf_assert(length < size);
    memcpy(ret_text, text ? text : "", length + 1);
}
#define SET_TEXT(field, text) set_text(field, sizeof(field), text)

void
hf_dir_meta_of(const struct hf_dir_object *object, struct hf_dir_info *ret_info)
{
    *ret_info = (struct hf_dir_info){ .size = object->size, .legal_hold = object->legal_hold };
    SET_TEXT(ret_info->content_type, object->content_type);
    SET_TEXT(ret_info->content_encoding, object->content_encoding);
    SET_TEXT(ret_info->sha256, object->sha256);
    SET_TEXT(ret_info->chain, object->chain);
    SET_TEXT(ret_info->window, object->window);
    SET_TEXT(ret_info->compression, object->compression);
    SET_TEXT(ret_info->signature, object->signature);
    SET_TEXT(ret_info->signature_algorithm, object->signature_algorithm);
    if (object->lock_mode != HF_LOCK_NONE) {
        ret_info->lock_mode = object->lock_mode;
        ret_info->retain_until_s = object->retain_until_s;
    }
}

bool
hf_dir_lock_grow(struct hf_dir_info *info, int lock_mode, int64_t retain_until_s, bool legal_hold)
{
    struct hf_dir_info before = *info;

    if (lock_mode != HF_LOCK_NONE) {
        info->lock_mode = HF_MAX(info->lock_mode, lock_mode);
        info->retain_until_s = HF_MAX(info->retain_until_s, retain_until_s);
    }
    info->legal_hold = info->legal_hold || legal_hold;
    return info->lock_mode != before.lock_mode || info->retain_until_s != before.retain_until_s ||
           info->legal_hold != before.legal_hold;
}

/* ---- writing ---- */

static void
set_some(json_t *doc, const char *key, const char *text)
{
    if (*text)
        hf_doc_set_text(doc, key, text);
}

static enum hf_status
write_text(const struct hf_dir_info *info, struct hf_buf *ret_text)
{
    hf_owned(hf_doc_freep) json_t *doc = json_object();
    json_t *metadata = json_object();

    hf_doc_set_u64(doc, "format", FORMAT);
    hf_doc_set_u64(doc, "size", info->size);
    hf_doc_set_text(doc, "sha256", info->sha256);
    set_some(doc, "contentType", info->content_type);
    set_some(doc, "contentEncoding", info->content_encoding);
    set_some(metadata, "holdfast-chain", info->chain);
    set_some(metadata, "holdfast-window", info->window);
    set_some(metadata, "holdfast-compression", info->compression);
    set_some(metadata, "signature", info->signature);
    set_some(metadata, "signature-algorithm", info->signature_algorithm);
    hf_doc_set(doc, "metadata", metadata);
    if (info->lock_mode != HF_LOCK_NONE) {
        char date[HF_TIME_SIZE];
        json_t *lock = json_object();
        hf_time_rfc3339(info->retain_until_s, date);
        hf_doc_set_text(lock, "mode", hf_lock_mode_text(info->lock_mode));
        hf_doc_set_text(lock, "retainUntil", date);
        hf_doc_set(doc, "lock", lock);
    }
    hf_doc_set_bool(doc, "legalHold", info->legal_hold);
    enum hf_status status = hf_doc_dump_pretty(doc, ret_text);
    return status == HF_OK ? hf_buf_add_text(ret_text, "\n") : status;
}

static enum hf_status
fill_meta(void *context, int fd, struct hf_error *err)
{
    const struct hf_buf *text = context;

    return hf_fs_write(fd, text->ptr, text->size, err);
}

enum hf_status
hf_dir_meta_create(const struct hf_dir *dir, const struct hf_dir_place *place,
                   const struct hf_dir_info *info, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(HF_DIR_META_MAX);
    enum hf_status status = write_text(info, &text);

    if (status != HF_OK)
        return hf_fail(err, status, "'%s' would be over %d bytes", place->meta, HF_DIR_META_MAX);
    return hf_dir_place_new(place->folder, place->meta, mode_of(dir), fill_meta, &text, err);
}

enum hf_status
hf_dir_meta_replace(const struct hf_dir *dir, const struct hf_dir_place *place,
                    const struct hf_dir_info *info, struct hf_error *err)
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(HF_DIR_META_MAX);
    enum hf_status status = write_text(info, &text);

    if (status != HF_OK)
        return hf_fail(err, status, "'%s' would be over %d bytes", place->meta, HF_DIR_META_MAX);
    return hf_fs_replace(place->meta, text.ptr, text.size, mode_of(dir), err);
}

/* ---- reading: the file is anybody's who can write in the folder ---- */

static bool
get_text(const json_t *doc, const char *key, char *ret_text, size_t size)
{
    return !json_object_get(doc, key) || hf_doc_copy_text(doc, key, ret_text, size, NULL) == HF_OK;
}
#define GET_TEXT(doc, key, field) get_text(doc, key, field, sizeof(field))

static bool
get_lock(const json_t *lock, struct hf_dir_info *ret_info)
{
    char date[HF_TIME_SIZE] = "", mode[16] = "";

    if (!lock)
        return true;
    if (!json_is_object(lock) || !GET_TEXT(lock, "mode", mode) ||
        !GET_TEXT(lock, "retainUntil", date))
        return false;
    ret_info->lock_mode = hf_lock_mode_parse(mode);
    return (ret_info->lock_mode == HF_LOCK_GOVERNANCE ||
            ret_info->lock_mode == HF_LOCK_COMPLIANCE) &&
           hf_time_parse_rfc3339(date, &ret_info->retain_until_s) && ret_info->retain_until_s > 0;
}

static bool
get_all(const json_t *doc, struct hf_dir_info *ret_info)
{
    const json_t *metadata = json_object_get(doc, "metadata");
    const json_t *hold = json_object_get(doc, "legalHold");
    uint8_t hash[HF_SHA256_SIZE];
    uint64_t format;

    if (hf_doc_u64(doc, "format", &format, NULL) != HF_OK || format != FORMAT)
        return false;
    ret_info->legal_hold = json_is_true(hold);
    return hf_doc_u64(doc, "size", &ret_info->size, NULL) == HF_OK &&
           GET_TEXT(doc, "sha256", ret_info->sha256) &&
           hf_unhex(ret_info->sha256, strlen(ret_info->sha256), hash, sizeof(hash)) &&
           GET_TEXT(doc, "contentType", ret_info->content_type) &&
           GET_TEXT(doc, "contentEncoding", ret_info->content_encoding) &&
           GET_TEXT(metadata, "holdfast-chain", ret_info->chain) &&
           GET_TEXT(metadata, "holdfast-window", ret_info->window) &&
           GET_TEXT(metadata, "holdfast-compression", ret_info->compression) &&
           GET_TEXT(metadata, "signature", ret_info->signature) &&
           GET_TEXT(metadata, "signature-algorithm", ret_info->signature_algorithm) &&
           get_lock(json_object_get(doc, "lock"), ret_info) && (!hold || json_is_boolean(hold));
}

enum hf_status
hf_dir_meta_read(const char *path, struct hf_dir_info *ret_info, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    hf_owned(hf_doc_freep) json_t *doc = NULL;
    struct hf_dir_info info = { .size = 0 };
    char text[HF_DIR_META_MAX];
    struct stat stat;
    size_t size;
    enum hf_status status = hf_dir_open_regular(path, &fd, &stat, err);

    if (status == HF_OK)
        status = hf_fs_pread(fd, text, sizeof(text), 0, &size, err);
    if (status != HF_OK)
        return status;
    if (hf_doc_parse(hf_slice(text, size), HF_DIR_META_MAX - 1, path, &doc, err) != HF_OK)
        return hf_while(err, HF_ECORRUPT, "reading what is known of the object beside it");
    if (!get_all(doc, &info))
        return hf_fail(err, HF_ECORRUPT,
                       "'%s' is damaged: a field is missing or has a value it cannot have", path);
    *ret_info = info;
    return HF_OK;
}
