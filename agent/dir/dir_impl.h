/* Private to agent/dir: what its files share. */
#ifndef HOLDFAST_DIR_IMPL_H
#define HOLDFAST_DIR_IMPL_H

#include <holdfast/dir.h>

struct hf_dir {
    char *path; /* ROOT/BUCKET */
    int worm;   /* HF_WORM_* */
};

/* ---- key.c: from a key to paths ---- */

struct hf_dir_place {
    char folder[HF_PATH_MAX];
    char body[HF_PATH_MAX];
    char meta[HF_PATH_MAX];
};

#define HF_DIR_META_SUFFIX ".meta.json"

bool hf_dir_segment_ok(const char *segment, size_t size);
/* HF_EREFUSED for a key that is none, or when a folder on its way is a symbolic link or no folder
 * at all. */
enum hf_status hf_dir_place_of(const struct hf_dir *dir, const char *key,
                               struct hf_dir_place *ret_place, struct hf_error *err) hf_must_check;

/* ---- meta.c: the meta file and struct hf_dir_info are the same thing ---- */

#define HF_DIR_META_MAX 16384

void hf_dir_meta_of(const struct hf_dir_object *object, struct hf_dir_info *ret_info);
/* HF_ENOTFOUND, HF_ECORRUPT. */
enum hf_status hf_dir_meta_read(const char *path, struct hf_dir_info *ret_info,
                                struct hf_error *err) hf_must_check;
/* The first one: fails with HF_EEXISTS. Durable, like the next. */
enum hf_status hf_dir_meta_create(const struct hf_dir *dir, const struct hf_dir_place *place,
                                  const struct hf_dir_info *info,
                                  struct hf_error *err) hf_must_check;
enum hf_status hf_dir_meta_replace(const struct hf_dir *dir, const struct hf_dir_place *place,
                                   const struct hf_dir_info *info,
                                   struct hf_error *err) hf_must_check;
/* Locks only grow: the stronger mode, the later date. true when that changed something. */
bool hf_dir_lock_grow(struct hf_dir_info *info, int lock_mode, int64_t retain_until_s,
                      bool legal_hold);

/* ---- place.c: new files, exclusively, durably; what lies there, without following links ---- */

/* Fills the new file and returns a status; the bytes are synced afterwards. */
typedef enum hf_status (*hf_dir_filler)(void *context, int fd, struct hf_error *err);
/* Temporary file, fill, fsync, link to `path`, unlink, fsync of the folder. HF_EEXISTS when `path`
 * is there. */
enum hf_status hf_dir_place_new(const char *folder, const char *path, mode_t mode,
                                hf_dir_filler fill, void *context,
                                struct hf_error *err) hf_must_check;
/* A regular file, for reading. HF_ENOTFOUND, HF_EREFUSED for anything else. */
enum hf_status hf_dir_open_regular(const char *path, int *ret_fd, struct stat *ret_stat,
                                   struct hf_error *err) hf_must_check;

/* ---- protect.c ---- */

/* Makes the file system keep what the meta file promises, as far as it can. HF_ENOTHELD (worm:
 * filer). */
enum hf_status hf_dir_protect(const struct hf_dir *dir, const char *body,
                              const struct hf_dir_info *info, struct hf_error *err) hf_must_check;
/* Does the file system show the lock of the meta file? */
bool hf_dir_mirrored(const struct stat *body, const struct hf_dir_info *info);

#endif
