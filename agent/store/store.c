/* The façade: which driver, and nothing else.
 */
#include "agent/store/store_impl.h"

#include <stdlib.h>

struct hf_store {
    const struct hf_store_driver *driver;
    void *state;
    const char *bucket;
};

enum hf_status
hf_store_open(const struct hf_config_store *store, const char *bucket, struct hf_store **ret_store,
              struct hf_error *err)
{
    bool is_dir = store->kind == HF_STORE_DIR;
    void *state = NULL;
    enum hf_status status = is_dir ? hf_store_dir_open(store, bucket, &state, err)
                                   : hf_store_s3_open(store, bucket, &state, err);
    struct hf_store *opened;

    if (status != HF_OK)
        return hf_while(err, status, "store '%s'", store->name ? store->name : store->url);
    opened = hf_alloc(sizeof(*opened));
    opened->driver = is_dir ? &hf_store_dir_driver : &hf_store_s3_driver;
    opened->state = state;
    opened->bucket = bucket;
    *ret_store = opened;
    return HF_OK;
}

void
hf_store_close(struct hf_store *store)
{
    if (!store)
        return;
    store->driver->close(store->state);
    free(store);
}

void
hf_store_closep(struct hf_store **store)
{
    hf_store_close(*store);
    *store = NULL;
}

bool
hf_store_is_dir(const struct hf_store *store)
{
    return store->driver->is_dir;
}

const char *
hf_store_bucket(const struct hf_store *store)
{
    return store->bucket;
}

int64_t
hf_store_skew_s(const struct hf_store *store)
{
    return store->driver->skew_s(store->state);
}

enum hf_status
hf_store_set_sse_c(struct hf_store *store, const uint8_t key[32], struct hf_error *err)
{
    return store->driver->set_sse_c(store->state, key, err);
}

enum hf_status
hf_store_head(struct hf_store *store, const char *key, const char *version_id,
              struct hf_object_info *ret_info, struct hf_error *err)
{
    return store->driver->head(store->state, key, version_id, ret_info, err);
}

enum hf_status
hf_store_get(struct hf_store *store, const char *key, const char *version_id, size_t max,
             struct hf_buf *ret_body, struct hf_object_info *ret_info, struct hf_error *err)
{
    return store->driver->get(store->state, key, version_id, max, ret_body, ret_info, err);
}

enum hf_status
hf_store_list(struct hf_store *store, const char *prefix, const char *after, size_t max,
              struct hf_strings *ret_keys, struct hf_error *err)
{
    return store->driver->list(store->state, prefix, after, max, ret_keys, err);
}

enum hf_status
hf_store_versions(struct hf_store *store, const char *key, struct hf_version_entry **ret_entries,
                  size_t *ret_count, struct hf_error *err)
{
    return store->driver->versions(store->state, key, ret_entries, ret_count, err);
}

enum hf_status
hf_store_hidden(struct hf_store *store, const char *prefix, struct hf_strings *ret_keys,
                struct hf_error *err)
{
    *ret_keys = (struct hf_strings){ .items = NULL };
    return store->driver->hidden ? store->driver->hidden(store->state, prefix, ret_keys, err)
                                 : HF_OK;
}

void
hf_store_versions_free(struct hf_version_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(entries[i].version_id);
    free(entries);
}

enum hf_status
hf_store_bucket_state(struct hf_store *store, enum hf_lock_state *ret_state, struct hf_error *err)
{
    return store->driver->bucket_state(store->state, ret_state, err);
}

enum hf_status
hf_store_bucket_create(struct hf_store *store, struct hf_error *err)
{
    return store->driver->bucket_create(store->state, err);
}

enum hf_status
hf_store_bucket_get(struct hf_store *store, const char *subresource, struct hf_buf *ret_document,
                    struct hf_error *err)
{
    return store->driver->bucket_get(store->state, subresource, ret_document, err);
}

enum hf_status
hf_store_bucket_put(struct hf_store *store, const char *subresource, const char *content_type,
                    struct hf_slice document, struct hf_error *err)
{
    return store->driver->bucket_put(store->state, subresource, content_type, document, err);
}

enum hf_status
hf_store_probe_put(struct hf_store *store, const char *key, struct hf_slice body, int lock_mode,
                   int64_t retain_until_s, struct hf_object_info *ret_info, struct hf_error *err)
{
    return store->driver->probe_put(store->state, key, body, lock_mode, retain_until_s, ret_info,
                                    err);
}

enum hf_status
hf_store_delete_version(struct hf_store *store, const char *key, const char *version_id,
                        bool bypass, struct hf_error *err)
{
    return store->driver->delete_version(store->state, key, version_id, bypass, err);
}

enum hf_status
hf_store_set_retention(struct hf_store *store, const char *key, const char *version_id,
                       int lock_mode, int64_t retain_until_s, bool bypass, struct hf_error *err)
{
    return store->driver->set_retention(store->state, key, version_id, lock_mode, retain_until_s,
                                        bypass, err);
}
