/* Batches and changes of the state as bytes. What is read here may be anything: each size is
 * checked before it is used. */
#include "agent/journal/format_impl.h"

#include <endian.h>
#include <string.h>

#define CHANGE_REMOVES 1u
#define KEY_MAX        4096u

uint32_t
hf_batch_seed(uint64_t generation)
{
    uint64_t bytes = htole64(generation);
    return hf_crc32c(0, &bytes, sizeof(bytes));
}

uint64_t
hf_batch_table_bytes(const struct hf_batch_head *head)
{
    return (uint64_t)head->event_count * (head->wide ? HF_BATCH_ENTRY : HF_BATCH_NARROW);
}

uint64_t
hf_batch_payload_at(const struct hf_batch_head *head)
{
    return HF_BATCH_HEAD + hf_batch_table_bytes(head);
}

uint64_t
hf_batch_changes_at(const struct hf_batch_head *head)
{
    return hf_batch_payload_at(head) + head->payload_bytes;
}

uint64_t
hf_batch_bytes(const struct hf_batch_head *head)
{
    return (hf_batch_changes_at(head) + head->change_bytes + 7) & ~7ull;
}

void
hf_batch_head_encode(const struct hf_batch_head *head, struct hf_disk_batch *ret_disk)
{
    *ret_disk = (struct hf_disk_batch){
        .magic = htole32(HF_BATCH_MAGIC),
        .type = htole16((uint16_t)head->type),
        .flags = htole16(head->wide ? HF_BATCH_WIDE : 0),
        .generation = htole64(head->generation),
        .first_seq = htole64(head->first_seq),
        .durable_seq = htole64(head->durable_seq),
        .released_seq = htole64(head->released_seq),
        .stamp_ns = htole64(head->stamp_ns),
        .event_count = htole32(head->event_count),
        .change_count = htole32(head->change_count),
        .payload_bytes = htole64(head->payload_bytes),
        .change_bytes = htole32(head->change_bytes),
        .table_crc = htole32(head->table_crc),
        .payload_crc = htole32(head->payload_crc),
        .change_crc = htole32(head->change_crc),
    };
    ret_disk->head_crc = htole32(hf_crc32c(hf_batch_seed(head->generation), ret_disk,
                                           offsetof(struct hf_disk_batch, head_crc)));
}

/* Whether the numbers can be true together: they come from our own writer or from a forger who knew
 * the generation. */
static bool
plausible(const struct hf_batch_head *head)
{
    if (head->first_seq == 0 || head->first_seq > INT64_MAX ||
        head->durable_seq >= head->first_seq || head->released_seq > head->durable_seq ||
        head->payload_bytes > INT64_MAX / 2)
        return false;
    /* Each event has at least one byte and its ','. */
    if (head->payload_bytes / 2 < head->event_count ||
        head->change_bytes < head->change_count * (uint64_t)sizeof(struct hf_disk_change))
        return false;
    switch (head->type) {
    case HF_BATCH_EVENTS: return (head->event_count > 0) == (head->payload_bytes > 0);
    case HF_BATCH_STATE: return head->event_count == 0 && head->payload_bytes == 0;
    case HF_BATCH_MARK: return hf_batch_bytes(head) == HF_BATCH_HEAD;
    }
    return false;
}

bool
hf_batch_head_decode(const void *bytes, uint64_t generation, struct hf_batch_head *ret_head)
{
    struct hf_disk_batch disk;

    memcpy(&disk, bytes, sizeof(disk));
    if (le32toh(disk.magic) != HF_BATCH_MAGIC || le64toh(disk.generation) != generation ||
        le32toh(disk.head_crc) !=
            hf_crc32c(hf_batch_seed(generation), &disk, offsetof(struct hf_disk_batch, head_crc)))
        return false;
    struct hf_batch_head head = {
        .type = (enum hf_batch_type)le16toh(disk.type),
        .wide = le16toh(disk.flags) & HF_BATCH_WIDE,
        .generation = generation,
        .first_seq = le64toh(disk.first_seq),
        .durable_seq = le64toh(disk.durable_seq),
        .released_seq = le64toh(disk.released_seq),
        .stamp_ns = le64toh(disk.stamp_ns),
        .event_count = le32toh(disk.event_count),
        .change_count = le32toh(disk.change_count),
        .payload_bytes = le64toh(disk.payload_bytes),
        .change_bytes = le32toh(disk.change_bytes),
        .table_crc = le32toh(disk.table_crc),
        .payload_crc = le32toh(disk.payload_crc),
        .change_crc = le32toh(disk.change_crc),
    };
    if ((le16toh(disk.flags) & ~HF_BATCH_WIDE) || disk.zero || !plausible(&head))
        return false;
    *ret_head = head;
    return true;
}

bool
hf_change_next(struct hf_slice *changes, struct hf_change *ret_change)
{
    struct hf_disk_change disk;

    if (changes->size < sizeof(disk))
        return false;
    memcpy(&disk, changes->ptr, sizeof(disk));
    size_t key_bytes = le16toh(disk.key_bytes), value_bytes = le32toh(disk.value_bytes);
    const uint8_t *key = changes->ptr + sizeof(disk);
    size_t left = changes->size - sizeof(disk);
    if (key_bytes == 0 || key_bytes > KEY_MAX || key_bytes > left ||
        value_bytes > left - key_bytes || memchr(key, '\0', key_bytes))
        return false;
    *ret_change = (struct hf_change){
        .key = hf_slice(key, key_bytes),
        .value = hf_slice(key + key_bytes, value_bytes),
        .remove = le16toh(disk.flags) & CHANGE_REMOVES,
    };
    *changes = hf_slice(key + key_bytes + value_bytes, left - key_bytes - value_bytes);
    return true;
}

enum hf_status
hf_change_add(struct hf_buf *changes, struct hf_slice key, struct hf_slice value, bool remove)
{
    if (key.size == 0 || key.size > KEY_MAX || value.size > UINT32_MAX)
        return HF_EUSAGE;
    struct hf_disk_change disk = {
        .key_bytes = htole16((uint16_t)key.size),
        .flags = htole16(remove ? CHANGE_REMOVES : 0),
        .value_bytes = htole32((uint32_t)value.size),
    };
    /* All or nothing: a part of a change would spoil the batch. */
    enum hf_status status = hf_buf_reserve(changes, sizeof(disk) + key.size + value.size);
    if (status == HF_OK)
        status = hf_buf_add(changes, &disk, sizeof(disk));
    if (status == HF_OK)
        status = hf_buf_add(changes, key.ptr, key.size);
    if (status == HF_OK)
        status = hf_buf_add(changes, value.ptr, value.size);
    return status;
}
