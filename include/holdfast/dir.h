/* dir: objects in a directory. The same keys as in a bucket, as file names: ROOT/BUCKET/KEY, and
 * beside each body KEY.meta.json with what S3 would keep in headers. Drawn in agent/dir/FORMAT.md.
 *
 * A body's presence is the commit: its meta file is durable before. A body never changes and is
 * never replaced; of the meta file only the lock changes, and only grows. There is one version of
 * each key and no version id.
 *
 * Every call blocks. A struct hf_dir holds no state but names: several processes may have the same
 * directory open.
 */
#ifndef HOLDFAST_DIR_H
#define HOLDFAST_DIR_H

#include <holdfast/base.h>
#include <holdfast/config.h>
#include <holdfast/crypto.h>

struct hf_dir;

/* `root` is the store's directory, absolute (hf_config_store_place()), `worm` HF_WORM_*. Looks at
 * nothing: HF_ECONFIG only for a directory or a bucket's name that cannot be. */
enum hf_status hf_dir_open(const char *root, const char *bucket, int worm, struct hf_dir **ret_dir,
                           struct hf_error *err) hf_must_check;
void hf_dir_close(struct hf_dir *dir);
void hf_dir_closep(struct hf_dir **dir);
const char *hf_dir_path(const struct hf_dir *dir); /* ROOT/BUCKET */

/* May this key become a path? [A-Za-z0-9!_.*'()/=+@:,-] only; no empty segment, none that begins
 * with a dot or ends in .meta.json, none over HF_DIR_SEGMENT_MAX bytes; at most HF_DIR_KEY_MAX in
 * all. HF_EREFUSED otherwise. */
#define HF_DIR_KEY_MAX     1023
#define HF_DIR_SEGMENT_MAX 210
enum hf_status hf_dir_key_check(const char *key, struct hf_error *err) hf_must_check;

/* ---- writing ---- */

struct hf_dir_object {
    const char *key;
    const char *content_type, *content_encoding; /* NULL for none, like all texts below */
    const char *chain, *window, *compression;
    const char *signature, *signature_algorithm;
    /* The body: `size` bytes of the file `path` from `offset` on, or, with path NULL, of `body`. */
    const char *path;
    uint64_t offset;
    struct hf_slice body;
    uint64_t size;
    const char *sha256; /* of the body, hex; the copy is checked against it: HF_ECORRUPT */
    int lock_mode;      /* HF_LOCK_* */
    int64_t retain_until_s;
    bool legal_hold;
};

/* HF_EEXISTS when there is a body under the key, whatever bytes: see hf_dir_adopt(). HF_ENOTFOUND
 * when the bucket is not there. HF_EFOREIGN when a meta file of other bytes lies there without a
 * body: another writer's. HF_ENOTHELD (worm: filer) when the body is in place but the file system
 * does not hold it. */
enum hf_status hf_dir_put(struct hf_dir *dir, const struct hf_dir_object *object,
                          struct hf_error *err) hf_must_check;
/* Makes what lies there this object, if its bytes are the same: the meta file is completed, the
 * lock grows to `lock_mode` and `retain_until_s` where it is less. HF_EFOREIGN: other bytes,
 * nothing was changed. */
enum hf_status hf_dir_adopt(struct hf_dir *dir, const struct hf_dir_object *object,
                            struct hf_error *err) hf_must_check;

/* ---- reading ---- */

struct hf_dir_info {
    uint64_t size;
    char content_type[64];
    char content_encoding[32];
    /* as the meta file says; "" without one, like all texts here */
    char sha256[HF_SHA256_HEX_SIZE];
    char chain[64];
    char window[64];
    char compression[32];
    char signature[2049];
    char signature_algorithm[64];
    int lock_mode;
    int64_t retain_until_s; /* 0 when not locked */
    bool legal_hold;
    bool advisory; /* locked, but nothing more than a read-only bit protects it */
    int64_t last_modified_s;
};

/* HF_ENOTFOUND without a body; HF_ECORRUPT when the meta file cannot be read. A body without a meta
 * file is an object without a lock. */
enum hf_status hf_dir_head(struct hf_dir *dir, const char *key, struct hf_dir_info *ret_info,
                           struct hf_error *err) hf_must_check;
/* The whole body, HF_ELIMIT over `max` bytes; `ret_info` may be NULL. Bytes as they lie there:
 * whoever reads compares hashes. */
enum hf_status hf_dir_get(struct hf_dir *dir, const char *key, size_t max, struct hf_buf *ret_body,
                          struct hf_dir_info *ret_info, struct hf_error *err) hf_must_check;
/* Keys that begin with `prefix` and sort after `after` ("" for all), in byte order of the whole
 * key, at most `max`. What is not an object is left out: meta files, temporaries, links, names that
 * no key can have. Free with hf_strings_done(). */
enum hf_status hf_dir_list(struct hf_dir *dir, const char *prefix, const char *after, size_t max,
                           struct hf_strings *ret_keys, struct hf_error *err) hf_must_check;

/* ---- administering ---- */

/* Later dates and the stronger mode only: HF_EREFUSED for an earlier date, a weaker mode, none. */
enum hf_status hf_dir_set_retention(struct hf_dir *dir, const char *key, int lock_mode,
                                    int64_t retain_until_s, struct hf_error *err) hf_must_check;
enum hf_status hf_dir_set_legal_hold(struct hf_dir *dir, const char *key, bool on,
                                     struct hf_error *err) hf_must_check;
/* HF_EREFUSED under a legal hold and before the retention date; `bypass` passes over a GOVERNANCE
 * date. */
enum hf_status hf_dir_delete(struct hf_dir *dir, const char *key, bool bypass,
                             struct hf_error *err) hf_must_check;
/* Is the bucket's folder there, and may we write in it? */
enum hf_status hf_dir_bucket_state(struct hf_dir *dir, bool *ret_there, bool *ret_writable,
                                   struct hf_error *err) hf_must_check;
enum hf_status hf_dir_bucket_create(struct hf_dir *dir,
                                    struct hf_error *err) hf_must_check; /* fine when it is there */

#endif
