/* A model of a disk: what the log of calls says was asked of it, and what may be left of that when
 * the power goes.
 *
 * A write is on the disk for certain when a sync of its file began behind it; a name when a sync of
 * its directory did. Of everything else any part may be there: all or none, whole writes, single
 * pages of 4096 bytes or sectors of 512, a longer file with zeros in it. Names come one by one, a
 * rename as a whole. A sync that failed promises nothing, and what it was to write never becomes
 * certain by a later one: the kernel may have dropped it.
 */
#ifndef HOLDFAST_TESTS_POWERLOSS_DISK_H
#define HOLDFAST_TESTS_POWERLOSS_DISK_H

#include "tests/rig/calls.h"

#include <holdfast/base.h>

/* ---- the log ---- */

struct call {
    const struct call_record *record;
    const char *path, *to; /* relative to the stage; borrowed */
    const uint8_t *bytes;
};

struct call_log {
    uint8_t *bytes;
    size_t size;
    struct call *calls;
    size_t count;
};
/* Reads a log; calls outside the stage's folder, and on its log files, are left out. */
void call_log_read(const char *path, const char *stage_folder, struct call_log *ret_log);
/* As if the syncs of files whose path holds this text had never been asked for: an engine that
 * forgets them. */
void call_log_forget_syncs(struct call_log *log, const char *text);
void call_log_done(struct call_log *log);

/* ---- the disk ---- */

struct random { /* small and seeded: a case can be repeated */
    uint64_t state;
};
uint64_t random_next(struct random *random, uint64_t below);

struct disk;
struct disk *disk_new(void);
void disk_free(struct disk *disk);
/* A directory that was there before anything began. */
void disk_add_directory(struct disk *disk, const char *path);
/* `store_survives`: what lies below root/ is another machine's, and is there as soon as it was
 * asked for. */
void disk_apply(struct disk *disk, const struct call *call, bool store_survives,
                struct random *random);
/* The power goes. What is left is certain from then on. */
void disk_crash(struct disk *disk, struct random *random);
/* What is certain, as files below `folder`, which must be there. */
void disk_write_out(const struct disk *disk, const char *folder);

#endif
