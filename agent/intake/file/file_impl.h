/* Inside of the file source: what its files share. The rules are those of ENGINE.md section 12.
 *
 *          a name that matches appears
 *                      │
 *     unknown, and like a file we read ──▶ held ── that one is truncated: it is the copy, read on
 *                      │                     └──── none of that for quiet_ms: a file of its own
 *                      ▼
 *      ┌──────────▶ reading ◀── truncated or overwritten: a new generation, from 0, with a gap
 *      │               │
 *      │ its name      │ its name is gone (renamed, unlinked); the descriptor stays open
 *      │ comes back    ▼
 *      └─────────── ending ── nothing new for quiet_ms: its last line is a record ──▶ closed
 *
 * Offset, generation and parts of an over-long line are in the journal with the events, under
 * "file/SOURCE/DEV:INO:BIRTH".
 */
#ifndef HOLDFAST_FILE_IMPL_H
#define HOLDFAST_FILE_IMPL_H

#include "agent/intake/intake_impl.h"

#define HF_PRINT_BYTES   1024
#define HF_PRINT_HASH    16
#define HF_FILE_KEY_SIZE 192
#define HF_FILES_MAX     8192        /* open at once, of one source */
#define HF_ORPHANS_MAX   10000       /* states kept of files that are not open */
#define HF_ORPHAN_S      (24 * 3600) /* and how long */
#define HF_TRUNCATED_MAX 64
#define HF_TRUNCATED_MS  (60 * 1000) /* a copy of a truncated file is recognised for this long */

/* ---- what the first bytes and the last bytes before an offset were, as we read them ---- */

struct hf_print {
    uint64_t offset;
    uint32_t head_size, tail_size; /* min(offset, HF_PRINT_BYTES) */
    uint8_t head[HF_PRINT_BYTES], tail[HF_PRINT_BYTES];
};

struct hf_print_hash { /* the same as it stands in the journal */
    uint64_t offset;
    uint8_t head[HF_PRINT_HASH], tail[HF_PRINT_HASH];
};

void hf_print_add(struct hf_print *print, struct hf_slice bytes);
void hf_print_hash(const struct hf_print *print, struct hf_print_hash *ret_hash);
/* Reads both ends of [0, offset) of a file; HF_ENOTFOUND when it is shorter. Any other failure
 * says nothing of the file: whoever took it for a difference would read a file from its
 * beginning a second time. */
enum hf_status hf_print_read(int fd, uint64_t offset, struct hf_print *ret_print,
                             struct hf_error *err) hf_must_check;
bool hf_print_same(const struct hf_print *a, const struct hf_print_hash *b);

/* ---- state in the journal ---- */

struct hf_file_id {
    uint64_t dev, ino, birth_ns;
};

struct hf_position {
    struct hf_file_id id;
    struct hf_print_hash print;      /* with the offset */
    uint64_t line_parts, line_bytes; /* of an over-long line that ends behind the offset */
    int64_t seen_s;                  /* when it was written */
    bool done;                       /* read to its end, closed */
    bool reported;                   /* it vanished unread, and a SourceGap says so */
    bool fresh;                      /* nothing was read of it, it may be a copy */
    bool moved;                      /* it was renamed, its last line is not in the journal yet */
    bool present;                    /* in memory only: it is there, but could not be opened */
    char *path;
};

bool hf_file_id_same(const struct hf_file_id *a, const struct hf_file_id *b);
void hf_file_key(const char *source, const struct hf_file_id *id, char ret_key[HF_FILE_KEY_SIZE]);
enum hf_status hf_position_encode(const struct hf_position *state,
                                  struct hf_buf *ret_value) hf_must_check;
bool hf_position_decode(const char *key, struct hf_slice value,
                        struct hf_position *ret_state); /* path is the caller's */

/* ---- one file ---- */

struct hf_file_gap { /* to be told in the next unit; reason NULL: nothing to tell */
    const char *reason;
    uint64_t from, unread_seen;
};

struct hf_file {
    struct hf_file *next, *next_ready;
    struct hf_file_source *source;
    char *path;
    char *real_path; /* where a symbolic link leads; NULL when path is none */
    char *old_key;   /* of the state that this file goes on from, to be removed; or NULL */
    struct hf_file_id id;
    int fd;
    struct hf_print print; /* print.offset: everything before it is in the journal */
    struct hf_long_line line;
    size_t partial;      /* bytes behind the offset that were no whole line when last looked at */
    uint64_t known_size; /* as last seen */
    uint64_t quiet_since_ms; /* the last growth seen */
    uint64_t looked_ms;      /* for quiet */
    uint64_t drain_to;
    struct hf_file_gap gap;
    bool fresh; /* never seen before and nothing read of it: may be a copy of another file */
    bool held;  /* looks like one: wait */
    const struct hf_file *copy_of;
    uint64_t copied;       /* this much is the same as in copy_of */
    bool ending;           /* its name is gone, or is none of ours any more */
    bool nameless;         /* unlinked or overwritten: `path` may be another file's now */
    bool after_truncation; /* NUL bytes at its beginning are a hole, not lines */
    bool moved; /* its name changed to another that matches: its last line is complete too */
    bool dirty; /* its state has to be written, whether or not there are lines */
    bool ready, seen;
    bool refused; /* its last step, by the journal: it went to the front */
    bool failed;  /* could not be read; tried again at the next scan */
};

struct hf_truncated {
    struct hf_print_hash print;
    uint64_t until_ms;
};

struct hf_watch;

struct hf_file_source {
    struct hf_source source;
    struct hf_file *files;
    size_t file_count;
    struct hf_file *ready_first, *ready_last;
    bool by_age; /* whose turn it was: the oldest that was rotated away, or the next in line */
    struct hf_position *orphans; /* states without an open file */
    size_t orphan_count;
    struct hf_truncated truncated[HF_TRUNCATED_MAX];
    size_t truncated_count;
    struct hf_watch *watch;
    struct event *scan_soon, *scan_timer, *tick;
    struct hf_strings followed; /* names that files of ours were renamed to since the last scan */
    struct hf_strings vanished; /* names of files that were gone before they could be opened */
    bool started;               /* the first positions are in the journal */
    bool running;
    char watch_problem[HF_PROBLEM_SIZE];    /* why it polls; "" */
    char scan_problem[HF_PROBLEM_SIZE];     /* of the last scan, or watch_problem */
    char told_problem[HF_PROBLEM_SIZE];     /* what the log says */
    enum hf_status watch_class, scan_class; /* of the first two */
};

struct hf_file_source *hf_file_source(const struct hf_source *source);
void hf_strings_add(struct hf_strings *strings, const char *text);
void hf_paths_done(struct hf_strings *strings);

/* open.c */
/* Opens and tracks it, unless it is tracked; NULL when it cannot be. */
struct hf_file *hf_file_open(struct hf_file_source *source, const char *path);
void hf_file_close(struct hf_file *file);
void hf_file_scan_problem(struct hf_file_source *source, const struct hf_error *err);
void hf_file_ready(struct hf_file *file);       /* behind the others */
void hf_file_ready_first(struct hf_file *file); /* in front of them */
struct hf_file *hf_file_by_id(const struct hf_file_source *source, const struct hf_file_id *id);
struct hf_file *hf_file_by_path(const struct hf_file_source *source, const char *path);
struct hf_file *hf_file_take_ready(struct hf_file_source *source); /* the next in turn; NULL */

/* source.c */
void hf_file_tick_soon(struct hf_file_source *source);
bool hf_file_is_quiet(struct hf_file *file); /* asked at each tick: it did not grow for quiet_ms */
void hf_file_scan_soon(struct hf_file_source *source);

/* scan.c */
struct hf_found {
    struct hf_strings paths;       /* that match and are not excluded */
    struct hf_strings directories; /* to be watched */
    struct hf_error problem;       /* the first directory that could not be listed */
};
void hf_found_paths(const struct hf_config_source *config, struct hf_found *ret_found);
void hf_found_done(struct hf_found *found);
bool hf_found_matches(const struct hf_config_source *config, const char *path);
void hf_file_scan(struct hf_file_source *source);

/* start.c */
void hf_file_start(struct hf_file_source *source); /* tried again until `started` */

/* read.c */
bool hf_file_step(
    struct hf_file *file); /* one block; true: there is more. The file may be closed by it */
/* Looks whether the file still begins and ends, up to the offset, as we read it; else begins a new
 * generation. */
void hf_file_verify(struct hf_file *file);
enum hf_status hf_file_write_position(struct hf_unit *unit, const struct hf_file *file,
                                      const struct hf_print *print, uint64_t line_parts,
                                      uint64_t line_bytes, bool done) hf_must_check;
enum hf_status hf_file_write_dirty(struct hf_unit *unit,
                                   const struct hf_file *except) hf_must_check;
void hf_file_dirty_written(struct hf_file_source *source);

/* copy.c */
/* A fresh file: *ret_waits while it may be a copy. */
enum hf_status hf_file_wait(struct hf_file *file, uint64_t size, bool *ret_waits,
                            struct hf_error *err) hf_must_check;
void hf_file_truncated(
    struct hf_file *file); /* its present print goes to the list; copies of it go on from there */
void hf_truncated_add(struct hf_file_source *source, const struct hf_print_hash *print);
void hf_file_go_on(struct hf_file *file, const struct hf_print *print);

/* gone.c */
void hf_orphans_load(struct hf_file_source *source);
void hf_orphan_add(struct hf_file_source *source, struct hf_position state); /* takes its path */
void hf_orphans_free(struct hf_file_source *source);
/* A file just opened: is its state among them? On failure that could not be told, and nothing
 * was changed. */
enum hf_status hf_orphan_adopt(struct hf_file *file, uint64_t size,
                               struct hf_error *err) hf_must_check;
void hf_orphans_look(struct hf_file_source
                         *source); /* finds renamed ones, reports vanished ones, forgets old ones */
void hf_file_report_vanished(struct hf_file_source *source);

/* watch.c */
struct hf_watch *hf_watch_new(struct hf_file_source *source, struct hf_error *err); /* NULL: poll */
void hf_watch_free(struct hf_watch *watch);
void hf_watch_read(struct hf_watch *watch); /* what is told until now */
enum hf_status hf_watch_directory(struct hf_watch *watch, const char *path,
                                  struct hf_error *err) hf_must_check;

#endif
