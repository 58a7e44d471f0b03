/* The two listings, a page at a time. Keys come percent-encoded when EncodingType says url; that
 * element may stand after the keys, so they are decoded at the end.
 */
#include "agent/s3/xml.h"

#include <stdlib.h>
#include <string.h>

#define TOKEN_MAX      8192
#define VERSION_ID_MAX 1024  /* S3's own bound */
#define PAGE_MAX       10000 /* S3 sends 1000 at most; a Ceph can be told to send more */

/* In place; '+' is a space here. */
static enum hf_status
decode_key(char *key, struct hf_error *err)
{
    char *to = key;

    for (const char *from = key; *from; from++) {
        if (*from == '+') {
            *to++ = ' ';
        } else if (*from != '%') {
            *to++ = *from;
        } else {
            uint8_t byte;

            if (!hf_unhex(from + 1, strnlen(from + 1, 2), &byte, 1) || byte == 0)
                return hf_fail(err, HF_EFORMAT,
                               "the store's listing has a key that is not well encoded");
            *to++ = (char)byte;
            from += 2;
        }
    }
    *to = 0;
    return HF_OK;
}

/* What goes into the next request, and into the hands of whoever reads. */
static enum hf_status
check_text(const char *text, size_t most, const char *what, struct hf_error *err)
{
    if (text && strlen(text) > most)
        return hf_fail(err, HF_EFORMAT, "the store's listing has %s of more than %zu bytes", what,
                       most);
    return HF_OK;
}

static enum hf_status
too_many(struct hf_error *err)
{
    return hf_fail(err, HF_EFORMAT, "the store's listing has more than %d entries on a page",
                   PAGE_MAX);
}

static void
replace_text(char **text, const char *value)
{
    free(*text);
    *text = hf_strdup(value);
}

static bool
is_at(const char *path, const char *wanted)
{
    return strcmp(path, wanted) == 0;
}

/* ---- GET ?list-type=2 ---- */

struct list {
    struct hf_s3_list_page page;
    bool encoded, truncated, rooted;
};

static enum hf_status
visit_list(void *context, const char *path, const char *text, struct hf_error *err)
{
    struct list *list = context;
    struct hf_strings *keys = &list->page.keys;

    if (!text) {
        list->rooted = list->rooted || is_at(path, "/ListBucketResult");
        return list->rooted ? HF_OK
                            : hf_fail(err, HF_EFORMAT, "the store answered a listing with '%.64s'",
                                      path + 1);
    }
    if (is_at(path, "/ListBucketResult/Contents/Key")) {
        if (keys->count == PAGE_MAX)
            return too_many(err);
        hf_strings_add(keys, text);
    } else if (is_at(path, "/ListBucketResult/IsTruncated")) {
        list->truncated = strcmp(text, "true") == 0;
    } else if (is_at(path, "/ListBucketResult/NextContinuationToken")) {
        replace_text(&list->page.next_token, text);
    } else if (is_at(path, "/ListBucketResult/EncodingType")) {
        list->encoded = strcmp(text, "url") == 0;
    }
    return HF_OK;
}

void
hf_s3_list_page_done(struct hf_s3_list_page *page)
{
    hf_strings_done(&page->keys);
    free(page->next_token);
    memset(page, 0, sizeof(*page));
}

static enum hf_status
finish_list(struct list *list, struct hf_error *err)
{
    struct hf_s3_list_page *page = &list->page;
    enum hf_status status = HF_OK;

    if (!list->truncated) {
        free(page->next_token);
        page->next_token = NULL;
    } else if (!page->next_token || !*page->next_token) {
        return hf_fail(err, HF_EFORMAT,
                       "the store's listing is truncated but does not say how it goes on");
    }
    status = check_text(page->next_token, TOKEN_MAX, "a token", err);
    for (size_t i = 0; i < page->keys.count && status == HF_OK; i++) {
        if (list->encoded)
            status = decode_key(page->keys.items[i], err);
        if (status == HF_OK)
            status = check_text(page->keys.items[i], HF_S3_KEY_MAX, "a key", err);
    }
    return status;
}

enum hf_status
hf_s3_parse_list(struct hf_slice xml, struct hf_s3_list_page *ret_page, struct hf_error *err)
{
    struct list list = { .encoded = false };
    enum hf_status status = hf_xml_walk(xml, visit_list, &list, err);

    if (status == HF_OK)
        status = finish_list(&list, err);
    if (status == HF_OK)
        *ret_page = list.page;
    else
        hf_s3_list_page_done(&list.page);
    return status;
}

/* ---- GET ?versions ---- */

struct versions {
    struct hf_s3_versions_page page;
    bool encoded, truncated, rooted;
};

static enum hf_status
open_version(struct versions *versions, bool is_delete_marker, struct hf_error *err)
{
    struct hf_s3_versions_page *page = &versions->page;

    if (page->count == PAGE_MAX)
        return too_many(err);
    page->items = hf_realloc(page->items, (page->count + 1) * sizeof(*page->items));
    memset(&page->items[page->count], 0, sizeof(*page->items));
    page->items[page->count++].is_delete_marker = is_delete_marker;
    return HF_OK;
}

static void
copy_etag(char *ret_etag, size_t size, const char *text)
{
    size_t length = strlen(text);

    if (length >= 2 && text[0] == '"' && text[length - 1] == '"') {
        char *inner = hf_strndup(text + 1, length - 2);

        hf_xml_copy_text(ret_etag, size, inner);
        free(inner);
    } else {
        hf_xml_copy_text(ret_etag, size, text);
    }
}

static enum hf_status
version_field(struct hf_s3_version *version, const char *field, const char *text,
              struct hf_error *err)
{
    if (strcmp(field, "Key") == 0)
        replace_text(&version->key, text);
    else if (strcmp(field, "VersionId") == 0)
        replace_text(&version->version_id, text);
    else if (strcmp(field, "IsLatest") == 0)
        version->is_latest = strcmp(text, "true") == 0;
    else if (strcmp(field, "ETag") == 0)
        copy_etag(version->etag, sizeof(version->etag), text);
    else if (strcmp(field, "Size") == 0 && !hf_parse_u64(text, 0, INT64_MAX, &version->size))
        return hf_fail(err, HF_EFORMAT, "the store's listing has a size that is no number");
    return HF_OK;
}

static enum hf_status
visit_versions(void *context, const char *path, const char *text, struct hf_error *err)
{
    static const char *const entries[] = { "/ListVersionsResult/Version",
                                           "/ListVersionsResult/DeleteMarker" };
    struct versions *versions = context;
    struct hf_s3_versions_page *page = &versions->page;

    versions->rooted = versions->rooted || is_at(path, "/ListVersionsResult");
    if (!versions->rooted)
        return hf_fail(err, HF_EFORMAT, "the store answered a listing of versions with '%.64s'",
                       path + 1);
    for (size_t i = 0; i < HF_COUNT(entries); i++) {
        size_t size = strlen(entries[i]);

        if (!text && is_at(path, entries[i]))
            return open_version(versions, i == 1, err);
        if (text && strncmp(path, entries[i], size) == 0 && path[size] == '/')
            return version_field(&page->items[page->count - 1], path + size + 1, text, err);
    }
    if (!text)
        return HF_OK;
    if (is_at(path, "/ListVersionsResult/IsTruncated"))
        versions->truncated = strcmp(text, "true") == 0;
    else if (is_at(path, "/ListVersionsResult/NextKeyMarker"))
        replace_text(&page->next_key, text);
    else if (is_at(path, "/ListVersionsResult/NextVersionIdMarker"))
        replace_text(&page->next_version_id, text);
    else if (is_at(path, "/ListVersionsResult/EncodingType"))
        versions->encoded = strcmp(text, "url") == 0;
    return HF_OK;
}

void
hf_s3_versions_page_done(struct hf_s3_versions_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        free(page->items[i].key);
        free(page->items[i].version_id);
    }
    free(page->items);
    free(page->next_key);
    free(page->next_version_id);
    memset(page, 0, sizeof(*page));
}

static enum hf_status
finish_versions(struct versions *versions, struct hf_error *err)
{
    struct hf_s3_versions_page *page = &versions->page;
    enum hf_status status = HF_OK;

    if (!versions->truncated) {
        free(page->next_key);
        free(page->next_version_id);
        page->next_key = page->next_version_id = NULL;
    } else if (!page->next_key || !*page->next_key) {
        return hf_fail(
            err, HF_EFORMAT,
            "the store's listing of versions is truncated but does not say how it goes on");
    }
    for (size_t i = 0; i < page->count && status == HF_OK; i++) {
        if (!page->items[i].key)
            status = hf_fail(err, HF_EFORMAT, "the store's listing has a version without a key");
        else if (versions->encoded)
            status = decode_key(page->items[i].key, err);
        if (status == HF_OK)
            status = check_text(page->items[i].key, HF_S3_KEY_MAX, "a key", err);
        if (status == HF_OK)
            status = check_text(page->items[i].version_id, VERSION_ID_MAX, "a version id", err);
        if (!page->items[i].version_id)
            page->items[i].version_id = hf_strdup("");
    }
    if (status == HF_OK && versions->encoded && page->next_key)
        status = decode_key(page->next_key, err);
    return status;
}

enum hf_status
hf_s3_parse_versions(struct hf_slice xml, struct hf_s3_versions_page *ret_page,
                     struct hf_error *err)
{
    struct versions versions = { .encoded = false };
    enum hf_status status = hf_xml_walk(xml, visit_versions, &versions, err);

    if (status == HF_OK)
        status = finish_versions(&versions, err);
    if (status == HF_OK)
        *ret_page = versions.page;
    else
        hf_s3_versions_page_done(&versions.page);
    return status;
}
