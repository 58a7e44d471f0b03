/* Room on the disk that only draining may use: without it a disk filled during an outage could never be drained, because
 * sealing needs room before delivery frees any (ENGINE.md section 11). */
#include "agent/trail/trail_impl.h"
#include <fcntl.h>

void
reserve_fill(struct hf_trails *trails)
{
    struct hf_error err;
    hf_owned(hf_fs_close) int fd = -1;
    if (trails->reserve_have >= trails->reserve_bytes)
        return;
    enum hf_status status = hf_fs_open(trails->reserve_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600, &fd, &err);
    if (status == HF_OK)
        status = hf_fs_allocate(fd, 0, (off_t)trails->reserve_bytes, &err);
    if (status == HF_OK) {
        trails->reserve_have = trails->reserve_bytes;
        return;
    }
    hf_log_warn("reserve.missing", HF_NUM("bytes", trails->reserve_bytes), HF_ERR(&err));
}

bool
reserve_give(struct hf_trails *trails)
{
    struct hf_error err;
    if (!trails->reserve_have)
        return false;
    trails->reserve_have = 0;
    if (hf_fs_unlink(trails->reserve_path, &err) != HF_OK) {
        hf_log_error("reserve.failed", HF_ERR(&err));
        return false;
    }
    hf_log_warn("reserve.used", HF_NUM("bytes", trails->reserve_bytes));
    return true;
}
