/* Where the files are: the parts that find, open and lose them, each calling those below it. */
#ifndef HOLDFAST_FILE_LOOKING_H
#define HOLDFAST_FILE_LOOKING_H

#include "agent/intake/file/found.h"
#include "agent/intake/file/watch.h"

#include <sys/stat.h>

/* start.c */
void hf_file_start(struct hf_file_source *source); /* tried again until `started` */
bool
hf_file_save_all(struct hf_file_source *source); /* all positions; false: the journal refused */
void hf_file_place(struct hf_file *file); /* at the very first start, where its reading begins */

/* gone.c */
void hf_file_report_vanished(struct hf_file_source *source);

/* drain.c */
void hf_file_unread_add(struct hf_file_source *source, const char *path, const char *why);
void hf_file_drain_mark(struct hf_file_source *source); /* it means all that is there now */
bool hf_file_drain_is_over(struct hf_file_source *source);
char *hf_file_drain_text(const struct hf_file_source *source);

/* open.c: opens and tracks it, unless it is tracked; NULL when it cannot be. */
struct hf_file *hf_file_open(struct hf_file_source *source, const char *path);
bool hf_file_has_room(struct hf_file_source *source); /* or makes some */
/* It is named as what waits. */
void hf_file_wait_for_turn(struct hf_file_source *source, const char *path,
                           const struct hf_error *err);

/* rename.c: what inotify says of names */
void hf_name_written(struct hf_file_source *source, const char *path);
void hf_name_came(struct hf_file_source *source, const char *path);
void hf_name_made(struct hf_file_source *source, const char *path); /* anew, and empty */
void hf_name_moved(struct hf_file_source *source, const char *from, const char *to);
void hf_name_left(struct hf_file_source *source, const char *path);
void hf_followed_forget(struct hf_file_source *source); /* those that are old enough */
void hf_followed_done(struct hf_file_source *source);

/* orphans.c */
void hf_orphans_init(struct hf_file_source *source);
void hf_orphans_load(struct hf_file_source *source);
void hf_orphans_free(struct hf_file_source *source);
void hf_orphan_add(struct hf_file_source *source, struct hf_position position); /* takes its path */
/* adopt.c: a file just opened: is its position among them? On failure that could not be told, and
 * nothing was changed. */
enum hf_status hf_orphan_adopt(struct hf_file *file, uint64_t size,
                               struct hf_error *err) hf_must_check;

/* others.c */
void hf_notes_init(struct hf_notes *notes);
void hf_notes_done(struct hf_notes *notes);
bool hf_note(struct hf_notes *notes, const char *path, uint64_t scan); /* seen by this one; false:
                                                                          there are too many */
bool hf_is_noted(struct hf_notes *notes, const char *path, uint64_t scan); /* by this one */
bool hf_note_take(struct hf_notes *notes, const char *path); /* it was noted, and is not any more */
void hf_notes_sweep(struct hf_notes *notes, uint64_t scan);
/* It, or a folder that it lies in, could not be looked at by this scan. */
bool hf_is_unknown(struct hf_file_source *source, const char *path);

/* refused.c */
void hf_refused_init(struct hf_file_source *source);
void hf_refused_done(struct hf_file_source *source);
bool hf_is_refused(struct hf_file_source *source, const struct hf_file_id *id);
void hf_refuse(struct hf_file_source *source, const struct hf_file_id *id, const char *path);
bool hf_is_strangers(const struct stat *folder, const struct hf_fs_identity *who);
void hf_refused_tell(struct hf_file_source *source);

#endif
