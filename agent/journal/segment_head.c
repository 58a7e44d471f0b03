/* A segment's header: two copies in two blocks, so that one bad sector does not cost the segment.
 */
#include "agent/journal/format_impl.h"

#include <endian.h>
#include <string.h>

void
hf_segment_head_encode(const struct hf_segment_head *head, unsigned copy,
                       struct hf_disk_segment *ret_disk)
{
    *ret_disk = (struct hf_disk_segment){
        .version = htole32(HF_SEGMENT_VERSION),
        .copy = htole32(copy),
        .incompatible = htole32(HF_SEGMENT_WIDE),
        .generation = htole64(head->generation),
        .order = htole64(head->order),
        .first_seq = htole64(head->first_seq),
        .released_seq = htole64(head->released_seq),
        .stamp_ns = htole64(head->stamp_ns),
        .file_bytes = htole64(head->file_bytes),
    };
    memcpy(ret_disk->magic, HF_SEGMENT_MAGIC, sizeof(ret_disk->magic));
    ret_disk->crc = htole32(hf_crc32c(0, ret_disk, offsetof(struct hf_disk_segment, crc)));
}

enum hf_status
hf_segment_head_decode(const struct hf_disk_segment *disk, struct hf_segment_head *ret_head)
{
    if (memcmp(disk->magic, HF_SEGMENT_MAGIC, sizeof(disk->magic)) != 0 ||
        le32toh(disk->crc) != hf_crc32c(0, disk, offsetof(struct hf_disk_segment, crc)))
        return HF_EFORMAT;
    if (le32toh(disk->version) != HF_SEGMENT_VERSION ||
        (le32toh(disk->incompatible) & ~HF_SEGMENT_INCOMPATIBLE))
        return HF_EVERSION;
    struct hf_segment_head head = {
        .generation = le64toh(disk->generation),
        .order = le64toh(disk->order),
        .first_seq = le64toh(disk->first_seq),
        .released_seq = le64toh(disk->released_seq),
        .stamp_ns = le64toh(disk->stamp_ns),
        .file_bytes = le64toh(disk->file_bytes),
    };
    /* Sequences begin at 1, and what was released lies before what can follow. */
    if (head.first_seq == 0 || head.first_seq > INT64_MAX || head.released_seq >= head.first_seq)
        return HF_EFORMAT;
    *ret_head = head;
    return HF_OK;
}
