/* The scan: which looks at all names, in steps. scan.c draws it; when it begins is timers.c's. */
#ifndef HOLDFAST_FILE_SCAN_H
#define HOLDFAST_FILE_SCAN_H

#include "agent/intake/file/file_impl.h"

struct hf_search;

void hf_scan_init(struct hf_file_source *source);
void hf_scan_done(struct hf_file_source *source);

enum hf_scan_step {
    HF_SCAN_MORE,
    HF_SCAN_WAITS, /* until a descriptor is free */
    HF_SCAN_ENDED,
};
/* A bounded part of it; begins one where none is on. */
enum hf_scan_step hf_scan_step(struct hf_file_source *source);
uint64_t
hf_scan_drain(const struct hf_file_source *source); /* it was begun for this one; 0: none */

/* At names that came while the next scan has to wait: some; true: there are more. */
bool hf_scan_look_at_told(struct hf_file_source *source);

/* timers.c. A scan: with many files not at once, for it costs; or now. */
void hf_file_scan_soon(struct hf_file_source *source);
void hf_file_scan_now(struct hf_file_source *source);
void hf_file_scan_goes_on(struct hf_file_source *source, uint64_t in_ms);
void hf_file_scan_ended(struct hf_file_source *source);
bool hf_file_scan_is_due(struct hf_file_source *source); /* else it is looked again later */
void hf_file_look_soon(struct hf_file_source *source); /* there are names, or sleepers that wake */
/* A name came, and is to be looked at. */
void hf_file_name_soon(struct hf_file_source *source, const char *path);

/* gone.c: through the folders in which files are missed */
struct hf_search *hf_search_new(struct hf_file_source *source);
bool hf_search_step(struct hf_search *search); /* true: there is more */
void hf_search_free(struct hf_search *search); /* NULL is fine */

#endif
