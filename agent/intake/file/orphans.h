/* The set of orphans: positions that the journal keeps of files that are not open. */
#ifndef HOLDFAST_FILE_ORPHANS_H
#define HOLDFAST_FILE_ORPHANS_H

#include "agent/intake/file/looking.h"

#define HF_CONTENT_KEY (1 + HF_PRINT_HASH)

struct hf_lost_folder { /* a folder in which files are missed */
    struct hf_table_link link;
    LIST_ENTRY(hf_lost_folder) all;
    LIST_HEAD(hf_missed, hf_orphan) missed;
    char *path;
    uint64_t absent_since_ms; /* the folder, or what was mounted there; 0: it is there */
};

struct hf_orphan {
    struct hf_position position;
    struct hf_table_link by_id, by_content;
    uint8_t content[HF_CONTENT_KEY];
    LIST_ENTRY(hf_orphan) all, missed;
    struct hf_lost_folder *folder; /* until it is reported; it goes with its last one */
    bool reporting;                /* in the unit that is being made */
    bool present;                  /* it is there, read or not */
};

struct hf_orphan *hf_orphans_first(struct hf_file_source *source);
size_t hf_orphans_count(const struct hf_file_source *source);
uint64_t hf_orphans_looks(const struct hf_file_source *source); /* for tests that count */
void hf_orphan_remove(struct hf_file_source *source, struct hf_orphan *orphan);
/* Nothing is left to do about it but to forget it some day. */
bool hf_orphan_is_settled(const struct hf_orphan *orphan);

struct hf_orphan *hf_orphan_by_id(struct hf_file_source *source, const struct hf_file_id *id);
/* Those that may be this file under another device number: `after` the one found before, or NULL. */
struct hf_orphan *hf_orphan_by_content(struct hf_file_source *source,
                                       const uint8_t key[HF_CONTENT_KEY], struct hf_orphan *after);
void hf_content_key_of(const struct hf_position *position, uint8_t ret_key[HF_CONTENT_KEY]);

struct hf_lost_folder *hf_lost_folders(struct hf_file_source *source); /* the first one */
struct hf_lost_folder *hf_lost_folder_find(struct hf_file_source *source, const char *path);
void hf_orphan_leave_folder(struct hf_file_source *source, struct hf_orphan *orphan); /* settled */

#endif
