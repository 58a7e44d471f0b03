/* The S3 driver: reading. Listings are paged here; a page that does not go on from the one before
 * is refused, so that a store cannot keep us in a loop.
 */
#include "agent/store/store_impl.h"

#include <holdfast/s3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_PAGE        1000
#define HIDDEN_PAGES_MAX 10000 /* of 1000 versions */
#define EMPTY_PAGES_MAX  100   /* S3 may send a page without keys that goes on; not for ever */

enum hf_status
hf_store_s3_open(const struct hf_config_store *store, const char *bucket, void **ret_state,
                 struct hf_error *err)
{
    struct hf_store_s3 *state = hf_alloc(sizeof(*state));
    struct hf_s3_options options;
    enum hf_status status;

    hf_s3_options_of(store, &options);
    status = hf_s3_open(&options, &state->s3, err);
    if (status != HF_OK) {
        free(state);
        return status;
    }
    state->bucket = bucket;
    *ret_state = state;
    return HF_OK;
}

static void
close_s3(void *context)
{
    struct hf_store_s3 *state = context;

    hf_s3_close(state->s3);
    hf_wipe(state->sse_c_key, sizeof(state->sse_c_key));
    free(state);
}

static int64_t
skew_s(const void *context)
{
    const struct hf_store_s3 *state = context;

    return hf_s3_skew_s(state->s3);
}

static enum hf_status
set_sse_c(void *context, const uint8_t key[32], struct hf_error *err)
{
    struct hf_store_s3 *state = context;

    if (!hf_s3_is_tls(state->s3))
        return hf_fail(err, HF_ECONFIG,
                       "SSE-C sends its key with each request, so '%s' must be https://",
                       hf_s3_url(state->s3));
    memcpy(state->sse_c_key, key, sizeof(state->sse_c_key));
    state->has_sse_c_key = true;
    return HF_OK;
}

enum hf_status
hf_store_s3_call(struct hf_store_s3 *state, struct hf_s3_request *request, const char *doing,
                 struct hf_s3_reply *ret_reply, struct hf_error *err)
{
    enum hf_status status;

    request->bucket = state->bucket;
    status = hf_s3_call(state->s3, request, ret_reply, err);
    if (status != HF_OK)
        return hf_while(err, status, "%s", doing);
    status = hf_s3_status(ret_reply, doing, err);
    if (status != HF_OK)
        hf_s3_reply_done(ret_reply);
    return status;
}

/* ---- objects ---- */

static void
copy_header(const struct hf_s3_reply *reply, const char *name, char *ret_text, size_t size)
{
    const char *value = hf_s3_reply_header(reply, name);

    if (value && strlen(value) < size)
        snprintf(ret_text, size, "%s", value);
}

static void
fill_info(const struct hf_s3_reply *reply, const char *version_id, struct hf_object_info *ret_info)
{
    struct hf_object_info info = {
        .size = reply->content_length,
        .lock_mode = reply->lock_mode,
        .retain_until_s = reply->retain_until_s,
        .legal_hold = reply->legal_hold,
        .last_modified_s = reply->last_modified_s,
    };

    memcpy(info.etag, reply->etag, sizeof(info.etag));
    memcpy(info.version_id, reply->version_id, sizeof(info.version_id));
    if (!info.version_id[0] && version_id)
        snprintf(info.version_id, sizeof(info.version_id), "%s", version_id);
    memcpy(info.content_type, reply->content_type, sizeof(info.content_type));
    memcpy(info.checksum_sha256, reply->checksum_sha256, sizeof(info.checksum_sha256));
    copy_header(reply, "x-amz-meta-holdfast-sha256", info.sha256, sizeof(info.sha256));
    copy_header(reply, "x-amz-meta-signature", info.signature, sizeof(info.signature));
    copy_header(reply, "x-amz-meta-signature-algorithm", info.signature_algorithm,
                sizeof(info.signature_algorithm));
    *ret_info = info;
}

/* Among SSE-C objects there are others (public keys, older ones): AWS and MinIO refuse a key that
 * an object does not need. */
static enum hf_status
read_object(struct hf_store_s3 *state, struct hf_s3_request *request, const char *key,
            const char *version_id, struct hf_s3_reply *ret_reply, struct hf_error *err)
{
    struct hf_s3_pair query = { "versionId", version_id };
    char *doing hf_owned(hf_freep) = hf_asprintf("reading '%s'", key);
    struct hf_error why = { .http_status = 0 };
    enum hf_status status;

    request->key = key;
    request->expect = HF_S3_EXPECT_OBJECT;
    request->query = &query;
    request->query_count = version_id && *version_id ? 1 : 0;
    request->sse_c_key = state->has_sse_c_key ? state->sse_c_key : NULL;
    status = hf_store_s3_call(state, request, doing, ret_reply, &why);
    if (status != HF_OK && request->sse_c_key && why.http_status == 400) {
        request->sse_c_key = NULL;
        status = hf_store_s3_call(state, request, doing, ret_reply, &why);
    }
    if (status != HF_OK && err)
        *err = why;
    return status;
}

enum hf_status
hf_store_s3_head(void *context, const char *key, const char *version_id,
                 struct hf_object_info *ret_info, struct hf_error *err)
{
    struct hf_s3_request request = { .method = "HEAD" };
    struct hf_s3_reply reply;
    enum hf_status status = read_object(context, &request, key, version_id, &reply, err);

    if (status != HF_OK)
        return status;
    fill_info(&reply, version_id, ret_info);
    hf_s3_reply_done(&reply);
    return HF_OK;
}

static void
take_body(struct hf_s3_reply *reply, struct hf_buf *ret_body)
{
    size_t max = HF_MAX(ret_body->max, reply->body.size);

    hf_buf_done(ret_body);
    *ret_body = reply->body;
    ret_body->max = max;
    reply->body = HF_BUF(0);
}

static enum hf_status
get(void *context, const char *key, const char *version_id, size_t max, struct hf_buf *ret_body,
    struct hf_object_info *ret_info, struct hf_error *err)
{
    struct hf_s3_request request = { .method = "GET", .max_reply = max };
    struct hf_s3_reply reply;
    enum hf_status status = read_object(context, &request, key, version_id, &reply, err);

    if (status != HF_OK)
        return status;
    if (ret_info) {
        fill_info(&reply, version_id, ret_info);
        ret_info->size = reply.body.size;
    }
    take_body(&reply, ret_body);
    hf_s3_reply_done(&reply);
    return HF_OK;
}

/* ---- listing keys ---- */

static enum hf_status
add_keys(struct hf_s3_list_page *page, const char *prefix, const char *after, size_t max,
         struct hf_strings *keys, struct hf_error *err)
{
    for (size_t i = 0; i < page->keys.count && keys->count < max; i++) {
        char *key = page->keys.items[i];
        const char *last = keys->count ? keys->items[keys->count - 1] : after;

        if (!hf_starts_with(key, prefix) || strcmp(key, last) <= 0)
            return hf_fail(err, HF_EFORMAT,
                           "the store's listing is not in order, or lists what was not asked for");
        hf_strings_take(keys, hf_take(page->keys.items[i]));
    }
    return HF_OK;
}

static enum hf_status
list_page(struct hf_store_s3 *state, const char *prefix, const char *after, const char *token,
          size_t max, struct hf_s3_list_page *ret_page, struct hf_error *err)
{
    struct hf_s3_request request = { .method = "GET", .expect = HF_S3_EXPECT_XML };
    struct hf_s3_pair query[6] = { { "list-type", "2" },
                                   { "encoding-type", "url" },
                                   { "prefix", prefix } };
    char *doing hf_owned(hf_freep) = hf_asprintf("listing '%s/%s'", state->bucket, prefix);
    char max_keys[24];
    struct hf_s3_reply reply;
    size_t count = 3;
    enum hf_status status;

    snprintf(max_keys, sizeof(max_keys), "%zu", HF_MIN(max, LIST_PAGE));
    query[count++] = (struct hf_s3_pair){ "max-keys", max_keys };
    if (token)
        query[count++] = (struct hf_s3_pair){ "continuation-token", token };
    else if (*after)
        query[count++] = (struct hf_s3_pair){ "start-after", after };
    request.query = query;
    request.query_count = count;
    status = hf_store_s3_call(state, &request, doing, &reply, err);
    if (status != HF_OK)
        return status;
    status = hf_s3_parse_list(hf_buf_slice(&reply.body), ret_page, err);
    hf_s3_reply_done(&reply);
    return status == HF_OK ? HF_OK : hf_while(err, status, "%s", doing);
}

static enum hf_status
list(void *context, const char *prefix, const char *after, size_t max, struct hf_strings *ret_keys,
     struct hf_error *err)
{
    struct hf_strings keys = { .items = NULL };
    enum hf_status status = HF_OK;
    char *token = NULL;
    size_t empty_pages = 0;
    bool more = max > 0;

    while (status == HF_OK && more) {
        struct hf_s3_list_page page = { .next_token = NULL };

        status =
            list_page(context, prefix, after ? after : "", token, max - keys.count, &page, err);
        if (status == HF_OK)
            status = add_keys(&page, prefix, after ? after : "", max, &keys, err);
        empty_pages = page.keys.count ? 0 : empty_pages + 1;
        if (status == HF_OK && empty_pages > EMPTY_PAGES_MAX)
            status = hf_fail(err, HF_EFORMAT, "the store's listing of '%s' goes on without keys",
                             prefix);
        free(token);
        token = hf_take(page.next_token);
        more = token && keys.count < max;
        hf_s3_list_page_done(&page);
    }
    free(token);
    if (status == HF_OK)
        *ret_keys = keys;
    else
        hf_strings_done(&keys);
    return status;
}

/* ---- listing versions ---- */

static enum hf_status
versions_page(struct hf_store_s3 *state, const char *key, const struct hf_s3_versions_page *before,
              struct hf_s3_versions_page *ret_page, struct hf_error *err)
{
    struct hf_s3_request request = { .method = "GET", .expect = HF_S3_EXPECT_XML };
    struct hf_s3_pair query[5] = { { "versions", NULL },
                                   { "encoding-type", "url" },
                                   { "prefix", key } };
    char *doing hf_owned(hf_freep) = hf_asprintf("listing the versions of '%s'", key);
    struct hf_s3_reply reply;
    size_t count = 3;
    enum hf_status status;

    if (before->next_key)
        query[count++] = (struct hf_s3_pair){ "key-marker", before->next_key };
    if (before->next_version_id)
        query[count++] = (struct hf_s3_pair){ "version-id-marker", before->next_version_id };
    request.query = query;
    request.query_count = count;
    status = hf_store_s3_call(state, &request, doing, &reply, err);
    if (status != HF_OK)
        return status;
    status = hf_s3_parse_versions(hf_buf_slice(&reply.body), ret_page, err);
    hf_s3_reply_done(&reply);
    return status == HF_OK ? HF_OK : hf_while(err, status, "%s", doing);
}

struct entries {
    struct hf_version_entry *items;
    size_t count;
};

/* *ret_past is true once another key shows up: the exact key sorts before all that begin with it.
 */
static enum hf_status
add_versions(struct hf_s3_versions_page *page, const char *key, struct entries *entries,
             bool *ret_past, struct hf_error *err)
{
    for (size_t i = 0; i < page->count; i++) {
        struct hf_s3_version *version = &page->items[i];
        struct hf_version_entry *entry;

        if (strcmp(version->key, key) != 0) {
            *ret_past = true;
            return HF_OK;
        }
        if (entries->count == HF_STORE_VERSIONS_MAX)
            return hf_fail(err, HF_ELIMIT, "'%s' has more than %d versions", key,
                           HF_STORE_VERSIONS_MAX);
        entries->items = hf_realloc(entries->items, (entries->count + 1) * sizeof(*entries->items));
        entry = &entries->items[entries->count++];
        *entry = (struct hf_version_entry){
            .version_id = hf_take(version->version_id),
            .is_latest = version->is_latest,
            .is_delete_marker = version->is_delete_marker,
            .size = version->size,
        };
        memcpy(entry->etag, version->etag, sizeof(entry->etag));
    }
    return HF_OK;
}

static enum hf_status
not_allowed(struct hf_error *err)
{
    if (err)
        err->status = HF_EREFUSED;
    return HF_EREFUSED;
}

static enum hf_status
versions(void *context, const char *key, struct hf_version_entry **ret_entries, size_t *ret_count,
         struct hf_error *err)
{
    struct hf_s3_versions_page before = { .next_key = NULL };
    struct entries entries = { .items = NULL };
    enum hf_status status;
    bool past = false;
    size_t pages = 0;

    do {
        struct hf_s3_versions_page page = { .next_key = NULL };

        status = versions_page(context, key, &before, &page, err);
        if (status == HF_OK)
            status = add_versions(&page, key, &entries, &past, err);
        hf_s3_versions_page_done(&before);
        before = page;
        if (status == HF_OK && ++pages > HF_STORE_VERSIONS_MAX)
            status = hf_fail(err, HF_EFORMAT,
                             "the store's listing of the versions of '%s' has no end", key);
    } while (status == HF_OK && !past && before.next_key);
    hf_s3_versions_page_done(&before);

    if (status != HF_OK) {
        hf_store_versions_free(entries.items, entries.count);
        return status == HF_EACCESS ? not_allowed(err) : status;
    }
    *ret_entries = entries.items;
    *ret_count = entries.count;
    return HF_OK;
}

static void
add_hidden(struct hf_s3_versions_page *page, struct hf_strings *keys)
{
    for (size_t i = 0; i < page->count; i++) {
        if (!page->items[i].is_delete_marker || !page->items[i].is_latest)
            continue;
        hf_strings_take(keys, hf_take(page->items[i].key));
    }
}

static enum hf_status
hidden(void *context, const char *prefix, struct hf_strings *ret_keys, struct hf_error *err)
{
    struct hf_s3_versions_page before = { .next_key = NULL };
    struct hf_strings keys = { .items = NULL };
    size_t pages = 0, standing = 0; /* pages in a row that stay with one key */
    enum hf_status status;

    do {
        struct hf_s3_versions_page page = { .next_key = NULL };

        status = versions_page(context, prefix, &before, &page, err);
        if (status == HF_OK)
            add_hidden(&page, &keys);
        int on = before.next_key && page.next_key ? strcmp(page.next_key, before.next_key) : 1;
        standing = on > 0 ? 0 : standing + 1;
        if (status == HF_OK &&
            (on < 0 || standing > HF_STORE_VERSIONS_MAX || ++pages > HIDDEN_PAGES_MAX))
            status = hf_fail(err, HF_EFORMAT,
                             "the store's listing of the versions of '%s' does not go on", prefix);
        hf_s3_versions_page_done(&before);
        before = page;
    } while (status == HF_OK && before.next_key);
    hf_s3_versions_page_done(&before);
    if (status == HF_OK)
        *ret_keys = keys;
    else
        hf_strings_done(&keys);
    return status == HF_EACCESS ? not_allowed(err) : status;
}

const struct hf_store_driver hf_store_s3_driver = {
    .is_dir = false,
    .close = close_s3,
    .skew_s = skew_s,
    .set_sse_c = set_sse_c,
    .head = hf_store_s3_head,
    .get = get,
    .list = list,
    .versions = versions,
    .hidden = hidden,
    .bucket_state = hf_store_s3_bucket_state,
    .bucket_create = hf_store_s3_bucket_create,
    .bucket_get = hf_store_s3_bucket_get,
    .bucket_put = hf_store_s3_bucket_put,
    .probe_put = hf_store_s3_probe_put,
    .delete_version = hf_store_s3_delete_version,
    .set_retention = hf_store_s3_set_retention,
};
