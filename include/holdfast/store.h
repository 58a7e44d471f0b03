/* store: one face for the places objects lie in, an S3 endpoint or a directory, for everyone who
 * reads or administers them. (Delivery has its own way in deliver.h; both use the folders s3 and
 * dir below.)
 *
 * Every call blocks, on the calling thread; a struct hf_store belongs to one thread at a time.
 */
#ifndef HOLDFAST_STORE_H
#define HOLDFAST_STORE_H

#include <holdfast/base.h>
#include <holdfast/config.h>

struct hf_store;

/* Opens what `store` describes; loads credentials and CA, sends nothing. `bucket` is borrowed
 * for the store's life. */
enum hf_status hf_store_open(const struct hf_config_store *store, const char *bucket,
                             struct hf_store **ret_store, struct hf_error *err) hf_must_check;
void hf_store_close(struct hf_store *store);
void hf_store_closep(struct hf_store **store);
bool hf_store_is_dir(const struct hf_store *store);
const char *hf_store_bucket(const struct hf_store *store);

/* ---- reading ---- */

struct hf_object_info {
    char version_id[256]; /* "" where the store has none */
    char etag[128];       /* without quotes */
    char content_type[64];
    char sha256[65];      /* x-amz-meta-holdfast-sha256, of the stored bytes; "" if absent */
    char signature[2049]; /* x-amz-meta-signature (hex), of a digest; "" if absent */
    char signature_algorithm[64];
    char checksum_sha256[64]; /* x-amz-checksum-sha256 (base64), if the store told it */
    uint64_t size;
    int lock_mode;          /* enum in config.h: HF_LOCK_NONE, ... */
    int64_t retain_until_s; /* 0 when not locked */
    bool legal_hold;
    bool advisory;           /* dir with worm: advisory: nothing but a read-only bit protects it */
    int64_t last_modified_s; /* 0 when not told */
};

/* `version_id` NULL or "" means the current version. HF_ENOTFOUND when it is not there (also
 * behind a delete marker). SSE-C objects need hf_store_set_sse_c() first. */
enum hf_status hf_store_head(struct hf_store *store, const char *key, const char *version_id,
                             struct hf_object_info *ret_info, struct hf_error *err) hf_must_check;
enum hf_status hf_store_get(struct hf_store *store, const char *key, const char *version_id,
                            size_t max, struct hf_buf *ret_body, struct hf_object_info *ret_info,
                            struct hf_error *err) hf_must_check;
/* Keys under `prefix` that sort after `after` ("" for all), in byte order, at most `max`. */
enum hf_status hf_store_list(struct hf_store *store, const char *prefix, const char *after,
                             size_t max, struct hf_strings *ret_keys,
                             struct hf_error *err) hf_must_check;

/* All keys under `prefix` over which a delete marker lies: hf_store_list() does not show them.
 * None for a directory. HF_EREFUSED where listing versions is not allowed. */
enum hf_status hf_store_hidden(struct hf_store *store, const char *prefix,
                               struct hf_strings *ret_keys, struct hf_error *err) hf_must_check;

struct hf_version_entry {
    char *version_id;
    bool is_latest;
    bool is_delete_marker;
    char etag[128];
    uint64_t size;
};
/* All versions of exactly this key, newest first; at most 1000. HF_EREFUSED where listing
 * versions is not allowed. */
enum hf_status hf_store_versions(struct hf_store *store, const char *key,
                                 struct hf_version_entry **ret_entries, size_t *ret_count,
                                 struct hf_error *err) hf_must_check;
void hf_store_versions_free(struct hf_version_entry *entries, size_t count);

/* 256-bit key for reading SSE-C objects; copied, wiped at close. HF_ECONFIG over plain HTTP. */
enum hf_status hf_store_set_sse_c(struct hf_store *store, const uint8_t key[32],
                                  struct hf_error *err) hf_must_check;

/* The store's Date minus our wall clock, from the last answer; 0 for dir or before the first
 * one. */
int64_t hf_store_skew_s(const struct hf_store *store);

/* ---- administering: `holdfast bucket`, `holdfast check`, tests ---- */

enum hf_lock_state { HF_BUCKET_MISSING, HF_BUCKET_UNLOCKED, HF_BUCKET_LOCKED };
/* Is the bucket there, and has it Object Lock? For dir: the folder, and whether it is writable. */
enum hf_status hf_store_bucket_state(struct hf_store *store, enum hf_lock_state *ret_state,
                                     struct hf_error *err) hf_must_check;
enum hf_status hf_store_bucket_create(struct hf_store *store,
                                      struct hf_error *err) hf_must_check; /* with Object Lock */
/* S3 sub-resources as XML (object-lock, lifecycle) or JSON (policy) documents: GET gives
 * HF_ENOTFOUND when unset. */
enum hf_status hf_store_bucket_get(struct hf_store *store, const char *subresource,
                                   struct hf_buf *ret_document, struct hf_error *err) hf_must_check;
enum hf_status hf_store_bucket_put(struct hf_store *store, const char *subresource,
                                   const char *content_type, struct hf_slice document,
                                   struct hf_error *err) hf_must_check;
/* One object with a lock, for `bucket probe`; and deleting exactly one version of it (bypass
 * adds the GOVERNANCE bypass header). */
enum hf_status hf_store_probe_put(struct hf_store *store, const char *key, struct hf_slice body,
                                  int lock_mode, int64_t retain_until_s,
                                  struct hf_object_info *ret_info,
                                  struct hf_error *err) hf_must_check;
enum hf_status hf_store_delete_version(struct hf_store *store, const char *key,
                                       const char *version_id, bool bypass,
                                       struct hf_error *err) hf_must_check;
/* `mode` HF_LOCK_*, `retain_until_s`: PutObjectRetention on that version. */
enum hf_status hf_store_set_retention(struct hf_store *store, const char *key,
                                      const char *version_id, int lock_mode, int64_t retain_until_s,
                                      bool bypass, struct hf_error *err) hf_must_check;

#endif
