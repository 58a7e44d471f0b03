/* A trail's folder. */
#include "agent/trail/saved.h"
#include "agent/trail/set.h"

#include <string.h>

enum hf_status
folder_remove_temporaries(const char *folder, struct hf_error *err)
{
    char **names;
    size_t count;
    enum hf_status status = hf_fs_list(folder, 4096, &names, &count, err);
    if (status != HF_OK)
        return status;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        char path[HF_PATH_MAX];
        hf_path_join(path, sizeof(path), folder, names[i]);
        if (*names[i] == '.' && strstr(names[i], ".tmp-"))
            status = hf_fs_unlink(path, err);
    }
    hf_fs_names_free(names, count);
    return status;
}

static enum hf_status
remove_files(const char *folder, struct hf_error *err)
{
    char **names;
    size_t count;
    enum hf_status status = hf_fs_list(folder, 1u << 20, &names, &count, err);
    if (status != HF_OK)
        return status;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        char path[HF_PATH_MAX];
        hf_path_join(path, sizeof(path), folder, names[i]);
        status = hf_fs_unlink(path, err);
    }
    hf_fs_names_free(names, count);
    return status;
}

static void
warn_leftover(const char *trail, enum hf_status status, const struct hf_error *err)
{
    if (status != HF_OK && status != HF_ENOTFOUND)
        hf_log_warn("trail.leftover", HF_STR("trail", trail), HF_ERR(err));
}

/* Its ledger goes last, so that a crash in between leaves a trail that has drained; without
 * settings, that it is gone is no damage. */
void
folder_remove(const char *trail, const char *folder)
{
    struct hf_error err;
    char path[HF_PATH_MAX];
    hf_path_join(path, sizeof(path), folder, "sealed");
    warn_leftover(trail, remove_files(path, &err), &err);
    warn_leftover(trail, hf_fs_rmdir(path, &err), &err);
    warn_leftover(trail, settings_remove(folder, &err), &err);
    warn_leftover(trail, hf_fs_sync_dir(folder, &err), &err);
    hf_path_join(path, sizeof(path), folder, "ledger");
    warn_leftover(trail, hf_ledger_remove(path, &err), &err);
    warn_leftover(trail, hf_fs_rmdir(folder, &err), &err);
}
