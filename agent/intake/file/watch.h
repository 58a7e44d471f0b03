/* inotify on the folders of a source. */
#ifndef HOLDFAST_FILE_WATCH_H
#define HOLDFAST_FILE_WATCH_H

#include "agent/intake/file/file_impl.h"

struct hf_watch *hf_watch_new(struct hf_file_source *source, struct hf_error *err); /* NULL: poll */
void hf_watch_free(struct hf_watch *watch);
size_t hf_watch_waiting(const struct hf_watch *watch); /* bytes that it has to say */
/* One buffer, off *left; what comes meanwhile does not count: whoever changes a file without end would
 * keep us here. true: there is more of it. */
bool hf_watch_read_some(struct hf_watch *watch, size_t *left);
uint64_t hf_watch_reads(const struct hf_watch *watch);           /* for tests that count */
bool hf_watch_knows(struct hf_watch *watch, const char *folder); /* it is watched, by this path */
enum hf_status hf_watch_directory(struct hf_watch *watch, const char *path,
                                  struct hf_error *err) hf_must_check;

#endif
