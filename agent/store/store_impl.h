/* One table of calls per kind of store. A driver's functions are as in store.h, with its own state
 * in front.
 */
#ifndef HOLDFAST_STORE_IMPL_H
#define HOLDFAST_STORE_IMPL_H

#include <holdfast/store.h>

struct hf_store_driver {
    bool is_dir;
    void (*close)(void *state);
    int64_t (*skew_s)(const void *state);
    enum hf_status (*set_sse_c)(void *state, const uint8_t key[32], struct hf_error *err);
    enum hf_status (*head)(void *state, const char *key, const char *version_id,
                           struct hf_object_info *ret_info, struct hf_error *err);
    enum hf_status (*get)(void *state, const char *key, const char *version_id, size_t max,
                          struct hf_buf *ret_body, struct hf_object_info *ret_info,
                          struct hf_error *err);
    enum hf_status (*list)(void *state, const char *prefix, const char *after, size_t max,
                           struct hf_strings *ret_keys, struct hf_error *err);
    enum hf_status (*versions)(void *state, const char *key, struct hf_version_entry **ret_entries,
                               size_t *ret_count, struct hf_error *err);
    enum hf_status (*hidden)(void *state, const char *prefix, struct hf_strings *ret_keys,
                             struct hf_error *err); /* NULL: nothing can be hidden */
    enum hf_status (*bucket_state)(void *state, enum hf_lock_state *ret_state,
                                   struct hf_error *err);
    enum hf_status (*bucket_create)(void *state, struct hf_error *err);
    enum hf_status (*bucket_get)(void *state, const char *subresource, struct hf_buf *ret_document,
                                 struct hf_error *err);
    enum hf_status (*bucket_put)(void *state, const char *subresource, const char *content_type,
                                 struct hf_slice document, struct hf_error *err);
    enum hf_status (*probe_put)(void *state, const char *key, struct hf_slice body, int lock_mode,
                                int64_t retain_until_s, struct hf_object_info *ret_info,
                                struct hf_error *err);
    enum hf_status (*delete_version)(void *state, const char *key, const char *version_id,
                                     bool bypass, struct hf_error *err);
    enum hf_status (*set_retention)(void *state, const char *key, const char *version_id,
                                    int lock_mode, int64_t retain_until_s, bool bypass,
                                    struct hf_error *err);
};

#define HF_STORE_VERSIONS_MAX 1000
#define HF_STORE_DOCUMENT_MAX (1024 * 1024)

extern const struct hf_store_driver hf_store_s3_driver;
extern const struct hf_store_driver hf_store_dir_driver;
enum hf_status hf_store_s3_open(const struct hf_config_store *store, const char *bucket,
                                void **ret_state, struct hf_error *err) hf_must_check;
enum hf_status hf_store_dir_open(const struct hf_config_store *store, const char *bucket,
                                 void **ret_state, struct hf_error *err) hf_must_check;

/* store_s3_admin.c: the part of the S3 driver that changes things. */
struct hf_s3;
struct hf_s3_request;
struct hf_s3_reply;
struct hf_store_s3 {
    struct hf_s3 *s3;
    const char *bucket;
    bool has_sse_c_key;
    uint8_t sse_c_key[32];
};
/* Sends `request` to the bucket; HF_OK means a 2xx as expected, and the reply is the caller's.
 * `doing` prefixes errors. */
enum hf_status hf_store_s3_call(struct hf_store_s3 *state, struct hf_s3_request *request,
                                const char *doing, struct hf_s3_reply *ret_reply,
                                struct hf_error *err) hf_must_check;
enum hf_status hf_store_s3_head(void *state, const char *key, const char *version_id,
                                struct hf_object_info *ret_info,
                                struct hf_error *err) hf_must_check;
enum hf_status hf_store_s3_bucket_state(void *state, enum hf_lock_state *ret_state,
                                        struct hf_error *err) hf_must_check;
enum hf_status hf_store_s3_bucket_create(void *state, struct hf_error *err) hf_must_check;
enum hf_status hf_store_s3_bucket_get(void *state, const char *subresource,
                                      struct hf_buf *ret_document,
                                      struct hf_error *err) hf_must_check;
enum hf_status hf_store_s3_bucket_put(void *state, const char *subresource,
                                      const char *content_type, struct hf_slice document,
                                      struct hf_error *err) hf_must_check;
enum hf_status hf_store_s3_probe_put(void *state, const char *key, struct hf_slice body,
                                     int lock_mode, int64_t retain_until_s,
                                     struct hf_object_info *ret_info,
                                     struct hf_error *err) hf_must_check;
enum hf_status hf_store_s3_delete_version(void *state, const char *key, const char *version_id,
                                          bool bypass, struct hf_error *err) hf_must_check;
enum hf_status hf_store_s3_set_retention(void *state, const char *key, const char *version_id,
                                         int lock_mode, int64_t retain_until_s, bool bypass,
                                         struct hf_error *err) hf_must_check;

#endif
