/* Who a file is: device, inode, birth time; and that it still is what we read: both ends of what
 * lies before the offset. */
#include "agent/intake/file/position.h"

#include <holdfast/crypto.h>
#include <stdio.h>
#include <string.h>

struct hf_file_id
hf_file_id_of(const struct hf_fs_identity *who)
{
    return (struct hf_file_id){ .dev = who->dev, .ino = who->ino, .birth_ns = who->birth_ns };
}

struct hf_slice
hf_file_id_key(const struct hf_file_id *id)
{
    return hf_slice(id, sizeof(*id));
}

bool
hf_file_id_same(const struct hf_file_id *a, const struct hf_file_id *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->birth_ns == b->birth_ns;
}

void
hf_file_key(const char *source, const struct hf_file_id *id, char ret_key[HF_FILE_KEY_SIZE])
{
    snprintf(ret_key, HF_FILE_KEY_SIZE, "file/%s/%llx:%llu:%llu", source,
             (unsigned long long)id->dev, (unsigned long long)id->ino,
             (unsigned long long)id->birth_ns);
}

void
hf_print_add(struct hf_print *print, struct hf_slice bytes)
{
    size_t head_more = HF_MIN(bytes.size, (size_t)(HF_PRINT_BYTES - print->head_size));
    if (head_more > 0)
        memcpy(print->head + print->head_size, bytes.ptr, head_more);
    print->head_size += (uint32_t)head_more;

    size_t added = HF_MIN(bytes.size, (size_t)HF_PRINT_BYTES);
    size_t kept = HF_MIN((size_t)print->tail_size, HF_PRINT_BYTES - added);
    memmove(print->tail, print->tail + print->tail_size - kept, kept);
    if (added > 0)
        memcpy(print->tail + kept, bytes.ptr + bytes.size - added, added);
    print->tail_size = (uint32_t)(kept + added);
    print->offset += bytes.size;
}

void
hf_head_hash(const uint8_t *bytes, size_t size, uint8_t ret_hash[HF_PRINT_HASH])
{
    uint8_t hash[HF_SHA256_SIZE];
    hf_sha256(bytes, size, hash);
    memcpy(ret_hash, hash, HF_PRINT_HASH);
}

void
hf_print_hash(const struct hf_print *print, struct hf_print_hash *ret_hash)
{
    ret_hash->offset = print->offset;
    hf_head_hash(print->head, print->head_size, ret_hash->head);
    hf_head_hash(print->tail, print->tail_size, ret_hash->tail);
}

enum hf_status
hf_print_read(int fd, uint64_t offset, struct hf_print *ret_print, struct hf_error *err)
{
    struct hf_print print = { .offset = offset };
    size_t size = (size_t)HF_MIN(offset, (uint64_t)HF_PRINT_BYTES), head = 0, tail = 0;
    enum hf_status status = hf_fs_pread(fd, print.head, size, 0, &head, err);
    if (status == HF_OK)
        status = hf_fs_pread(fd, print.tail, size, (off_t)(offset - size), &tail, err);
    if (status != HF_OK)
        return status;
    if (head != size || tail != size)
        return hf_fail(err, HF_ENOTFOUND, "the file is shorter");
    print.head_size = print.tail_size = (uint32_t)size;
    *ret_print = print;
    return HF_OK;
}

bool
hf_print_same(const struct hf_print *a, const struct hf_print_hash *b)
{
    struct hf_print_hash hash;
    hf_print_hash(a, &hash);
    return hash.offset == b->offset && memcmp(hash.head, b->head, HF_PRINT_HASH) == 0 &&
           memcmp(hash.tail, b->tail, HF_PRINT_HASH) == 0;
}
