#include "tests/unit/verify/memory_store.h"

#include "tests/unit/verify/world.h"

static struct memory_version *
add(struct hf_store *store, const char *key)
{
    struct memory_version *version = &store->items[store->count];

    assert_true(store->count < HF_COUNT(store->items));
    memset(version, 0, sizeof(*version));
    version->key = hf_strdup(key);
    version->version_id = hf_asprintf("v%zu", store->count++);
    return version;
}

struct memory_version *
memory_put(struct hf_store *store, const char *key, struct hf_slice body, const char *signature)
{
    struct memory_version *version = add(store, key);
    struct hf_object_info *info = &version->info;
    uint8_t md5[HF_MD5_SIZE];

    hf_buf_init(&version->body, 1 << 20);
    assert_int_equal(hf_buf_add(&version->body, body.ptr, body.size), HF_OK);
    snprintf(info->version_id, sizeof(info->version_id), "%s", version->version_id);
    hf_md5(body.ptr, body.size, md5);
    hf_hex(md5, sizeof(md5), info->etag);
    hf_sha256_hex(body.ptr, body.size, info->sha256);
    if (signature) {
        snprintf(info->signature, sizeof(info->signature), "%s", signature);
        snprintf(info->signature_algorithm, sizeof(info->signature_algorithm), "SHA256withRSA");
    }
    info->size = body.size;
    return version;
}

void
memory_delete_marker(struct hf_store *store, const char *key)
{
    add(store, key)->is_delete_marker = true;
}

struct memory_version *
memory_current(struct hf_store *store, const char *key)
{
    for (size_t i = store->count; i > 0; i--)
        if (strcmp(store->items[i - 1].key, key) == 0)
            return &store->items[i - 1];
    fail_msg("%s is not there", key);
    return NULL;
}

void
memory_fill(struct world *w, const char *only)
{
    struct hf_strings keys = { .count = 0 };

    assert_int_equal(hf_dir_list(w->dir, "", "", 1000, &keys, NULL), HF_OK);
    for (size_t i = 0; i < keys.count; i++) {
        hf_owned(hf_buf_done) struct hf_buf body = HF_BUF(1 << 20);
        const char *key = keys.items[i];
        struct hf_dir_info head;
        if (only && strcmp(key, only) != 0)
            continue;
        assert_int_equal(hf_dir_get(w->dir, key, 1 << 20, &body, &head, NULL), HF_OK);
        struct memory_version *version =
            memory_put(w->store, key, hf_buf_slice(&body), head.signature);
        version->info.lock_mode = head.lock_mode;
        version->info.retain_until_s = head.retain_until_s;
    }
    hf_strings_done(&keys);
}

/* ---- the face of agent/store, as far as verification uses it ---- */

enum hf_status
hf_store_open(const struct hf_config_store *config, const char *bucket, struct hf_store **ret_store,
              struct hf_error *err)
{
    (void)config;
    (void)bucket;
    (void)err;
    *ret_store = hf_alloc(sizeof(**ret_store));
    return HF_OK;
}

struct hf_store *
memory_another(struct hf_store *store)
{
    struct hf_store *another = hf_alloc(sizeof(*another));

    store->handles++;
    another->of = store;
    return another;
}

static struct hf_store *
first_of(struct hf_store *store)
{
    return store->of ? store->of : store;
}

void
hf_store_close(struct hf_store *store)
{
    if (store->of)
        store->of->handles--;
    for (size_t i = 0; i < store->count; i++) {
        free(store->items[i].key);
        free(store->items[i].version_id);
        hf_buf_done(&store->items[i].body);
    }
    free(store);
}

bool
hf_store_is_dir(const struct hf_store *store)
{
    (void)store;
    return false;
}

const char *
hf_store_bucket(const struct hf_store *store)
{
    (void)store;
    return "audit-logs";
}

static struct memory_version *
find(struct hf_store *store, const char *key, const char *version_id)
{
    for (size_t i = store->count; i > 0; i--) {
        struct memory_version *version = &store->items[i - 1];
        if (version->gone || strcmp(version->key, key) != 0)
            continue;
        if (version_id && *version_id && strcmp(version->version_id, version_id) != 0)
            continue;
        return version->is_delete_marker ? NULL : version;
    }
    return NULL;
}

enum hf_status
hf_store_head(struct hf_store *store, const char *key, const char *version_id,
              struct hf_object_info *ret_info, struct hf_error *err)
{
    const struct memory_version *version = find(first_of(store), key, version_id);

    if (!version)
        return hf_fail(err, HF_ENOTFOUND, "NoSuchKey");
    *ret_info = version->info;
    return HF_OK;
}

enum hf_status
hf_store_get(struct hf_store *store, const char *key, const char *version_id, size_t max,
             struct hf_buf *ret_body, struct hf_object_info *ret_info, struct hf_error *err)
{
    store = first_of(store);
    const struct memory_version *version = find(store, key, version_id);

    if (store->before_get)
        store->before_get(store->context, key);
    if (store->get_fails != HF_OK && strstr(key, "/CloudTrail/") &&
        (!store->fails_for || strcmp(store->fails_for, key) == 0))
        return hf_fail(err, store->get_fails, "refused");
    if (!version)
        return hf_fail(err, HF_ENOTFOUND, "NoSuchKey");
    if (version->body.size > max)
        return hf_fail(err, HF_ELIMIT, "too large");
    hf_buf_reset(ret_body);
    if (ret_info)
        *ret_info = version->info;
    return hf_buf_add(ret_body, version->body.ptr, version->body.size);
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum hf_status
endless_page(struct hf_store *store, const char *prefix, size_t max, struct hf_strings *ret_keys)
{
    *ret_keys = (struct hf_strings){ .items = hf_alloc(max * sizeof(char *)) };
    for (size_t i = 0; i < max; i++)
        ret_keys->items[ret_keys->count++] =
            i + 1 < max ? hf_strdup(prefix) : hf_asprintf("%s%012zu", prefix, store->pages);
    store->pages++;
    return HF_OK;
}

enum hf_status
hf_store_list(struct hf_store *store, const char *prefix, const char *after, size_t max,
              struct hf_strings *ret_keys, struct hf_error *err)
{
    struct hf_strings keys = { .items = hf_alloc((store->count + 1) * sizeof(char *)) };
    struct hf_strings page = { .items = hf_alloc((store->count + 1) * sizeof(char *)) };

    (void)err;
    if (store->endless) {
        free(keys.items);
        free(page.items);
        return endless_page(store, prefix, max, ret_keys);
    }
    for (size_t i = 0; i < store->count; i++) /* current versions only */
        if (find(store, store->items[i].key, NULL) == &store->items[i])
            keys.items[keys.count++] = store->items[i].key;
    qsort(keys.items, keys.count, sizeof(char *), by_text);
    for (size_t i = 0; i < keys.count && page.count < HF_MIN(max, 2u);
         i++) /* short pages, as stores may send */
        if (hf_starts_with(keys.items[i], prefix) && strcmp(keys.items[i], after) > 0)
            page.items[page.count++] = hf_strdup(keys.items[i]);
    free(keys.items);
    *ret_keys = page;
    return HF_OK;
}

enum hf_status
hf_store_versions(struct hf_store *store, const char *key, struct hf_version_entry **ret_entries,
                  size_t *ret_count, struct hf_error *err)
{
    struct hf_version_entry *entries;
    size_t count = 0;

    store = first_of(store);
    store->version_requests++;
    if (store->refuses_versions ||
        (store->refuses_versions_of && strcmp(store->refuses_versions_of, key) == 0))
        return hf_fail(err, HF_EACCESS, "AccessDenied");
    entries = hf_alloc((store->count + 1) * sizeof(*entries));
    for (size_t i = store->count; i > 0; i--) {
        const struct memory_version *version = &store->items[i - 1];
        if (version->gone || strcmp(version->key, key) != 0)
            continue;
        struct hf_version_entry *entry = &entries[count++];
        entry->version_id = hf_strdup(version->version_id);
        entry->is_latest = count == 1;
        entry->is_delete_marker = version->is_delete_marker;
        memcpy(entry->etag, version->info.etag, sizeof(entry->etag));
        entry->size = version->info.size;
    }
    *ret_entries = entries;
    *ret_count = count;
    return HF_OK;
}

enum hf_status
hf_store_hidden(struct hf_store *store, const char *prefix, struct hf_strings *ret_keys,
                struct hf_error *err)
{
    struct hf_strings keys = { .items = hf_alloc((store->count + 1) * sizeof(char *)) };

    if (store->refuses_versions) {
        free(keys.items);
        return hf_fail(err, HF_EACCESS, "AccessDenied");
    }
    for (size_t i = 0; i < store->count; i++) {
        const struct memory_version *version = &store->items[i];
        if (version->is_delete_marker && hf_starts_with(version->key, prefix) &&
            memory_current(store, version->key) == version)
            keys.items[keys.count++] = hf_strdup(version->key);
    }
    *ret_keys = keys;
    return HF_OK;
}

void
hf_store_versions_free(struct hf_version_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(entries[i].version_id);
    free(entries);
}

int64_t
hf_store_skew_s(const struct hf_store *store)
{
    (void)store;
    return 0;
}
