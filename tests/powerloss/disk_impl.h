/* The disk's insides: names and files. */
#ifndef HOLDFAST_TESTS_POWERLOSS_DISK_IMPL_H
#define HOLDFAST_TESTS_POWERLOSS_DISK_IMPL_H

#include "tests/powerloss/disk.h"

#define SECTOR 512
#define PAGE   4096

struct pending { /* of a file, not certain */
    enum call_kind kind;
    uint64_t offset, size;
    const uint8_t *bytes;
};

struct inode {
    bool directory;
    uint8_t *bytes; /* certain */
    uint64_t size, room;
    struct pending *pending;
    size_t pending_count, pending_room;
};

struct entry {
    char *path;
    struct inode *inode;
};

struct names {
    struct entry *entries;
    size_t count, room;
};

struct name_change { /* not certain; `remove` and `add` may both be there: a rename */
    char *directory; /* its sync makes it certain */
    char *remove, *add;
    struct inode *inode;
};

struct disk {
    struct names now; /* what a running process sees */
    struct names certain;
    struct name_change *changes;
    size_t change_count, change_room;
    struct inode **inodes;
    size_t inode_count, inode_room;
};

struct inode *names_find(const struct names *names, const char *path);
void names_set(struct names *names, const char *path, struct inode *inode);
void names_remove(struct names *names, const char *path);
void names_copy(struct names *to, const struct names *from);
void names_done(struct names *names);

struct inode *inode_new(struct disk *disk, bool directory);
void inode_add(struct inode *inode, const struct pending *pending);
/* Everything pending becomes certain. */
void inode_sync(struct inode *inode);
/* Some of what is pending becomes certain, the rest is forgotten. */
void inode_crash(struct inode *inode, struct random *random);

#endif
