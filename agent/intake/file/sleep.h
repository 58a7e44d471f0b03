/* Files that sleep: read to their end, not written for a while, their descriptor given back.
 *
 *                 quiet, nothing of it unread; or a descriptor is needed
 *      open file ─────────────────────────────────────────────▶ asleep
 *          ▲                                                      │ │ its name goes, or another
 *          │   inotify tells that it grew or was renamed; or a    │ │ file's is put in its place
 *          └── scan finds it changed: opened, and its identity ◀──┘ └──▶ a position like that of any
 *              and content compared, as after a restart                  file that is not open: looked
 *                                                                        for, settled or told as lost
 *
 * A sleeper is a position without an open file (orphans.h) whose name is ours. What can be missed by
 * that: a writer who was silent for so long, and writes to it after its last name went. That nothing
 * was written between the last look and an unlink is known only where inotify watched all the time;
 * where it did not (no inotify, an overflow, a file behind a link) there is a gap. It tells nothing of
 * writes through mmap or of another host: such a write shows in size or ctime at the next scan. */
#ifndef HOLDFAST_FILE_SLEEP_H
#define HOLDFAST_FILE_SLEEP_H

#include "agent/intake/file/found.h"
#include "agent/intake/file/orphans.h"

/* sleep.c: which files fall asleep */
/* Those that were not written for long, as many as are done at once; true: there may be more. */
bool hf_sleep_quiet(struct hf_file_source *source);
/* Descriptors are needed: some that were read to their end, though they are written. false: none. */
bool hf_sleep_some(struct hf_file_source *source);

/* wake.c: what becomes of sleepers */
/* A scan, or a look, found it. false: it has to be opened, or is none. */
bool hf_sleeper_see(struct hf_file_source *source, const struct hf_found_name *name);
bool hf_sleeper_grew(struct hf_file_source *source, const char *path); /* false: there is none */
void hf_sleeper_moved(struct hf_file_source *source, struct hf_orphan *sleeper, const char *to);
void hf_sleeper_replaced(struct hf_file_source *source, struct hf_orphan *sleeper);
void hf_sleeper_lose(struct hf_file_source *source, struct hf_orphan *sleeper);
bool hf_sleepers_lose_unseen(struct hf_file_source *source); /* one; false: there is none */
/* Positions of those that are lost, and were read to their end. false: the journal refused. */
bool hf_sleepers_save(struct hf_file_source *source);

/* awake.c */
/* Opens the next of those that grew or moved; false: there is none, or no descriptor. */
bool hf_sleepers_wake_next(struct hf_file_source *source);
/* Opens it now, for a look at what it has in common with a new file. NULL: it is not there. */
struct hf_file *hf_sleeper_wake(struct hf_file_source *source, struct hf_orphan *sleeper);

#endif
