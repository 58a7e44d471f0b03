/* A sealed body under another key. The journal may be gone by now, so the old sealed file is all
 * there is: it stays until its owner has made the new one's name durable in the ledger. */
#include "agent/seal/seal_impl.h"

#include <fcntl.h>

static enum hf_status
read_body(const struct hf_sealed *sealed, struct hf_buf *body, struct hf_error *err)
{
    hf_owned(hf_fs_close) int fd = -1;
    size_t got = 0;
    enum hf_status status = hf_buf_reserve(body, sealed->size);
    if (status != HF_OK)
        return hf_fail(err, status, "its body is larger than %zu bytes", body->max);
    status = hf_fs_open(sealed->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0, &fd, err);
    if (status == HF_OK)
        status = hf_fs_pread(fd, body->ptr, sealed->size, (off_t)sealed->body_offset, &got, err);
    body->size = got;
    return status;
}

/* hf_seal_bytes() measures what it writes: it has to be what the old header says. */
static bool
is_same_body(const struct hf_sealed *sealed, struct hf_slice body)
{
    char sha256[HF_SHA256_HEX_SIZE];
    hf_sha256_hex(body.ptr, body.size, sha256);
    return body.size == sealed->size && hf_slice_is(hf_slice_text(sha256), sealed->sha256);
}

enum hf_status
hf_sealed_rekey(const char *old_path, const char *key, unsigned generation, const char *path,
                struct hf_sealed **ret_sealed, struct hf_error *err)
{
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL;
    hf_owned(hf_buf_done) struct hf_buf body = HF_BUF(SEALED_BODY_MAX);
    enum hf_status status = hf_sealed_open(old_path, false, &sealed, err);
    if (status == HF_OK)
        status = read_body(sealed, &body, err);
    if (status == HF_OK && !is_same_body(sealed, hf_buf_slice(&body)))
        status = hf_fail(err, HF_ECORRUPT, "its body does not have the hash in its header");
    if (status != HF_OK)
        return hf_while(err, status, "sealing '%s' again as '%s'", old_path, key);
    hf_freep(&sealed->key);
    sealed->key = hf_strdup(key);
    sealed->generation = generation;
    status = hf_seal_bytes(sealed, path, hf_buf_slice(&body), err);
    if (status != HF_OK)
        return status;
    *ret_sealed = hf_take(sealed);
    return HF_OK;
}
