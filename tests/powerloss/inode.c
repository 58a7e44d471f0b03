/* One file: its certain bytes, and what a crash leaves of the others. */
#include "tests/powerloss/disk_impl.h"

#include <stdlib.h>
#include <string.h>

struct inode *
inode_new(struct disk *disk, bool directory)
{
    struct inode *inode = hf_alloc(sizeof(*inode));
    inode->directory = directory;
    if (disk->inode_count == disk->inode_room) {
        disk->inode_room = disk->inode_room ? 2 * disk->inode_room : 64;
        disk->inodes = hf_realloc(disk->inodes, disk->inode_room * sizeof(*disk->inodes));
    }
    disk->inodes[disk->inode_count++] = inode;
    return inode;
}

void
inode_add(struct inode *inode, const struct pending *pending)
{
    if (inode->pending_count == inode->pending_room) {
        inode->pending_room = inode->pending_room ? 2 * inode->pending_room : 8;
        inode->pending = hf_realloc(inode->pending, inode->pending_room * sizeof(*inode->pending));
    }
    inode->pending[inode->pending_count++] = *pending;
}

static void
set_size(struct inode *inode, uint64_t size)
{
    if (size > inode->room) {
        uint64_t room = HF_MAX(size, 2 * inode->room);
        uint8_t *bytes = hf_alloc(room);
        if (inode->size)
            memcpy(bytes, inode->bytes, inode->size);
        hf_freep(&inode->bytes);
        inode->bytes = bytes;
        inode->room = room;
    }
    if (size < inode->size)
        memset(inode->bytes + size, 0, inode->size - size);
    inode->size = size;
}

static void
put(struct inode *inode, uint64_t offset, const uint8_t *bytes, uint64_t size)
{
    if (offset + size > inode->size)
        set_size(inode, offset + size);
    memcpy(inode->bytes + offset, bytes, size);
}

static void
punch(struct inode *inode, uint64_t offset, uint64_t size)
{
    if (offset < inode->size)
        memset(inode->bytes + offset, 0, HF_MIN(size, inode->size - offset));
}

static void
apply(struct inode *inode, const struct pending *pending)
{
    switch (pending->kind) {
    case CALL_WRITE: put(inode, pending->offset, pending->bytes, pending->size); break;
    case CALL_TRUNCATE: set_size(inode, pending->offset); break;
    case CALL_ALLOCATE:
        set_size(inode, HF_MAX(inode->size, pending->offset + pending->size));
        break;
    case CALL_PUNCH: punch(inode, pending->offset, pending->size); break;
    default: break;
    }
}

void
inode_sync(struct inode *inode)
{
    for (size_t i = 0; i < inode->pending_count; i++)
        apply(inode, &inode->pending[i]);
    inode->pending_count = 0;
}

/* Of one write the blocks that came to the disk. A block is cut where the file's blocks are, not
 * where the write begins. */
static void
apply_blocks(struct inode *inode, const struct pending *pending, uint64_t block,
             struct random *random)
{
    uint64_t at = pending->offset, end = at + pending->size;
    while (at < end) {
        uint64_t next = HF_MIN(end, (at / block + 1) * block);
        if (random_next(random, 2))
            put(inode, at, pending->bytes + (at - pending->offset), next - at);
        at = next;
    }
    if (random_next(random, 2) && end > inode->size)
        set_size(inode, end); /* the size is there, the bytes are not */
}

void
inode_crash(struct inode *inode, struct random *random)
{
    enum {
        NONE,
        ALL,
        FIRST_ONES,
        WHOLE_ONES,
        PAGES,
        SECTORS,
        WAYS
    } way = (int)random_next(random, WAYS);
    size_t first_ones = (size_t)random_next(random, inode->pending_count + 1);
    for (size_t i = 0; i < inode->pending_count; i++) {
        const struct pending *pending = &inode->pending[i];
        bool whole = way == ALL || (way == FIRST_ONES && i < first_ones) ||
                     (way == WHOLE_ONES && random_next(random, 2));
        bool torn = way == PAGES || way == SECTORS || (way == FIRST_ONES && i == first_ones);
        if (torn && pending->kind == CALL_WRITE)
            apply_blocks(inode, pending, way == PAGES ? PAGE : SECTOR, random);
        else if (whole || (torn && random_next(random, 2)))
            apply(inode, pending);
    }
    inode->pending_count = 0;
}
