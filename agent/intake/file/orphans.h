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

enum hf_sleepers {
    HF_SLEEPERS_SEEN,     /* those that were not seen by the last scan in front */
    HF_SLEEPERS_WAKING,   /* to be opened, one after the other */
    HF_SLEEPERS_REPLACED, /* not asleep any more, and found by their path */
    HF_SLEEPERS_UNSAVED,  /* the same, but lost */
    HF_SLEEPERS_QUEUES,
};

struct hf_orphan {
    struct hf_position position;
    struct hf_owner *owner; /* of one that fell asleep; else the source's own */
    uint64_t charged;       /* to him */
    struct hf_table_link by_id, by_content;
    uint8_t content[HF_CONTENT_KEY];
    LIST_ENTRY(hf_orphan) all, missed;
    struct hf_lost_folder *folder; /* until it is reported; it goes with its last one */
    bool reporting;                /* in the unit that is being made */
    bool present;                  /* it is there, read or not */
    bool looked_for;               /* by a search that has begun since it was missed */
    struct { /* asleep.c: its name is ours, and its descriptor was given back */
        bool is, queued;
        enum hf_sleepers queue;
        struct hf_table_link by_path, by_head;
        TAILQ_ENTRY(hf_orphan) entry;              /* in one of the queues */
        struct hf_orphan *next_alike, *last_alike; /* a ring of those that begin alike */
        uint64_t size, changed_ns;
        uint64_t seen_by; /* the number of the scan */
        uint64_t blind; /* source->counted.blind when it was last seen; HF_BLIND: nobody watches */
    } sleep;
};
#define HF_BLIND   UINT64_MAX
#define HF_CHANGED UINT64_MAX /* as size: it has to be looked at */

struct hf_orphans {
    struct hf_table by_id, by_content, by_folder;
    LIST_HEAD(, hf_orphan) all;
    LIST_HEAD(, hf_lost_folder) folders;
    size_t count;
    struct {
        struct hf_table by_path, by_head;
        TAILQ_HEAD(hf_sleeper_queue, hf_orphan) queues[HF_SLEEPERS_QUEUES];
        size_t count;
    } asleep;
};

/* ---- asleep.c: the sleepers among them ---- */

void hf_sleepers_init(struct hf_file_source *source);
void hf_sleepers_done(struct hf_file_source *source);
void hf_orphan_sleep(struct hf_file_source *source, struct hf_orphan *orphan);
void hf_orphan_set_path(struct hf_file_source *source, struct hf_orphan *orphan, const char *path);
void hf_orphan_queue(struct hf_file_source *source, struct hf_orphan *orphan,
                     enum hf_sleepers queue); /* leaves the one that it is in */
struct hf_orphan *hf_orphan_in(struct hf_file_source *source,
                               enum hf_sleepers queue); /* the first */
void hf_orphan_end_sleep(struct hf_file_source *source, struct hf_orphan *orphan);
size_t hf_sleepers_count(const struct hf_file_source *source);
bool hf_is_asleep(const struct hf_orphan *orphan);
/* Asleep under this path, or replaced there. */
struct hf_orphan *hf_orphan_by_path(struct hf_file_source *source, const char *path);
/* One that begins with the same KiB, or is the same as far as this goes, if that is less. */
struct hf_orphan *hf_sleeper_alike(struct hf_file_source *source, const uint8_t *head, size_t size);

/* ---- the set ---- */

struct hf_orphan *hf_orphans_first(struct hf_file_source *source);
size_t hf_orphans_count(const struct hf_file_source *source); /* without those asleep */
/* Takes its path; to be made one that is missed, or asleep. */
struct hf_orphan *hf_orphan_new(struct hf_file_source *source, struct hf_position position,
                                struct hf_owner *owner);
void hf_orphan_miss(struct hf_file_source *source, struct hf_orphan *orphan);
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
