/* Inside of the file source: what its files share.
 *
 * Two things change of a file, each by itself: strangers rename while we still compare. Each is an
 * enum with one writer. What is known of its content (state.c, hf_file_move()):
 *
 *          a name that matches appears
 *                      │
 *                      ▼      like a file we read
 *                     NEW ────────────────────────▶ HELD ◀─┐ still like it
 *                      │                             │ └───┘
 *     like none, or we │                             │ that one is truncated: it is the copy, and
 *     know how far it  │                             │ read on where we were; or it differs now; or
 *     was read         ▼                             │ it did not grow for quiet_ms: a file of its
 *      ┌──────────▶ READING ◀────────────────────────┘ own
 *      │               │  │
 *      └───────────────┘  └─▶ CLOSED, out of each of them
 *   truncated or overwritten:
 *   a new generation, from 0, with a gap
 *
 * What its name is (names.c, hf_file_name()):
 *
 *                     OURS ◀──────────────── GONE, TAKEN: nothing new for `late`, then its last
 *      another name    │    its name, or a    ▲           line is a record and it is closed
 *      that matches:   │    matching one, is  │
 *      `moved`         └───── found again ────┘ renamed out of the pattern, unlinked, overwritten:
 *                                               the descriptor stays open
 *
 * The rules, and what would be lost without them:
 *
 *  - A file whose name is gone is read to its end and closed only when it did not grow for `late`:
 *    its writer has it open, and goes on in it until it hears of the rotation. Who still holds an
 *    unlinked file cannot be known without rights that the agent does not have; once it is read and
 *    was quiet for quiet_ms its position goes, so that a crash is no loss of it.
 *  - A last line without newline of a file that keeps its name waits: half an event is none. When
 *    the name is gone, or another, it is a record as it is after `late`, or when we stop and it has
 *    no name by which it could be found again.
 *  - A new inode that begins like a file we read may be the copy that logrotate's copytruncate
 *    makes, and its bytes are not new: it waits until that is decided.
 *  - What a truncated or overwritten file held and we had not read is a SourceGap, never silence.
 *  - Offset, generation and parts of an over-long line are in the journal with the events, in one
 *    unit, under "file/SOURCE/DEV:INO:BIRTH": after a crash neither is there without the other.
 *
 * Nothing here walks over all files for one of them: they are found by name and by identity (both
 * tables: strangers choose), by how they begin (alike.c), and those that something is to be done
 * about stand in lists.
 */
#ifndef HOLDFAST_FILE_IMPL_H
#define HOLDFAST_FILE_IMPL_H

#include "agent/intake/file/position.h"

#include <sys/queue.h>

#define HF_FILES_MAX     HF_FILES_OF_SOURCE /* open at once, of one source */
#define HF_FILES_SPARE   64                 /* more, for those that others are compared with */
#define HF_FOLLOWED_MAX  200000             /* of one source, open or asleep */
#define HF_ORPHANS_MAX   10000              /* positions kept of files that are not open */
#define HF_ORPHAN_S      (24 * 3600)        /* and how long */
#define HF_TRUNCATED_MAX 64
#define HF_TRUNCATED_MS  (60 * 1000) /* a copy of a truncated file is recognised for this long */
#define HF_NAMES_MAX     100000      /* that are known of what is no file of ours */

/* ---- one file ---- */

enum hf_file_state {
    HF_FILE_NEW,     /* nothing was read of it: it may be a copy of another file */
    HF_FILE_HELD,    /* it looks like one: it waits */
    HF_FILE_READING, /* a file of its own */
    HF_FILE_CLOSED,
};

enum hf_file_name {
    HF_NAME_OURS,  /* it stands under a name of the pattern */
    HF_NAME_GONE,  /* it does not: read to its end and quiet, it is closed */
    HF_NAME_TAKEN, /* the same, and `path` may be another file's by now */
};

/* Files that something is to be done about. */
enum hf_file_list {
    HF_LIST_WAITING,  /* looked at until they are quiet: their name is gone or another, or held */
    HF_LIST_LATE,     /* the first two of these, quiet by now: for writers who are late */
    HF_LIST_UNSAVED,  /* their position goes along with the next unit */
    HF_LIST_DRAINING, /* not yet read as far as a drain wants */
    HF_LIST_OVER,     /* their owner is over his share: they have no turn until he has room */
    HF_LISTS,
};

struct hf_file_path { /* in the table of names */
    struct hf_table_link link;
    struct hf_file *file;
    char *text; /* NULL: none */
};

struct hf_file_gap { /* to be told in the next unit; reason NULL: nothing to tell */
    const char *reason;
    uint64_t from, unread_seen;
};

struct hf_file {
    struct hf_file_source *source;
    LIST_ENTRY(hf_file) all;
    struct {
        LIST_ENTRY(hf_file) entry;
        bool is;
    } on[HF_LISTS];
    struct hf_table_link by_id;
    struct hf_file_id id;
    int fd;
    struct {
        struct hf_owner *owner;
        uint64_t charged; /* for its position; 0: it was not let in */
    } budget;
    enum hf_file_state state;
    enum hf_file_name name;
    bool moved; /* to another name since a last line was taken: this one is complete too */
    struct hf_file_path path, real_path; /* real_path: where a symbolic link leads */
    struct hf_print print;               /* print.offset: everything before it is in the journal */
    struct hf_long_line line;
    struct {                   /* nul.c: what is known of NUL bytes behind the offset */
        uint64_t from, to;     /* nothing else in there */
        uint64_t last_hole;    /* from there on nothing was ever written; 0: it is not known */
        uint64_t content_to;   /* before this they are content */
        uint64_t tail;         /* of partial: those at the end, which are none yet */
        bool hole;             /* some of them were never written */
        bool after_truncation; /* those at its beginning are a hole, not lines */
    } nul;
    size_t partial;        /* bytes behind the offset that were no whole line when last looked at */
    uint64_t known_size;   /* as last seen */
    uint64_t size, behind; /* as the file system says; and what of it is unread */
    struct {
        uint64_t held_ms;  /* 0: it is not */
        uint64_t quiet_ms; /* the last growth seen */
        uint64_t opened_ms;
    } since;
    uint64_t drain_to;
    uint64_t seen_by; /* the number of the scan that found it last */
    struct hf_file_gap gap;
    struct {
        struct hf_file *original; /* while it is held for looking like that one; or NULL */
        uint64_t size;            /* this much is the same in both */
        LIST_ENTRY(hf_file) entry;
        LIST_HEAD(hf_file_copies, hf_file) mine; /* those that look like this one */
    } copy;
    struct { /* replaced.c: another file was put in its place */
        struct hf_table_link link;
        bool witnessed; /* by a rename that we were told of */
    } replaced;
    struct { /* turns.c */
        TAILQ_ENTRY(hf_file) entry;
        int64_t place; /* in the queue: the lower is the earlier */
        size_t leaving_at;
        bool ready, leaves;
        bool refused; /* its last step, by the journal: it went to the front */
    } turn;
    bool in_heads;  /* alike.c */
    struct {        /* timers.c */
        bool quiet; /* it was, since its name went or changed */
        bool over;  /* its place is needed */
    } late;
    struct {           /* its position */
        char *old_key; /* of the one that this file goes on from, to be removed; or NULL */
        bool goes_on;  /* where another one ended; until its position is in the journal */
        uint64_t by;   /* the number of the save that wrote it last */
        bool dirty;    /* it has to be written, whether or not there are lines */
    } save;
    bool failed; /* could not be read; tried again at the next scan */
};

/* ---- the source ---- */

struct hf_truncated {
    struct hf_print_hash print;
    uint64_t until_ms;
};

struct hf_followed { /* a name that a file of ours was renamed to a moment ago */
    struct hf_table_link link;
    TAILQ_ENTRY(hf_followed) entry;
    char *path;
    uint64_t since_ms;
    uint64_t seen_by; /* the number of a scan */
    bool opened;      /* whoever stood there */
};

struct hf_orphans; /* orphans.c */
struct hf_watch;   /* watch.c */
struct hf_scan;    /* scan.c */

struct hf_notes { /* others.c: names, kept as hashes */
    struct hf_table table;
    LIST_HEAD(, noted) all;
};

struct hf_file_source {
    struct hf_source source;
    LIST_HEAD(hf_files, hf_file) files;
    size_t file_count;
    LIST_HEAD(hf_files_on, hf_file) on[HF_LISTS];
    struct {
        struct hf_table id, name, followed, replaced;
    } by;
    struct { /* turns.c */
        TAILQ_HEAD(hf_turns, hf_file) queue;
        struct hf_file **leaving; /* those of the queue that were rotated away: a heap by age */
        size_t leaving_count, leaving_room;
        int64_t first, last; /* places given */
        bool by_age;         /* whose turn it was: the oldest of them, or the next in line */
    } turns;
    struct { /* alike.c: files of which something was read, in the order of their first bytes */
        struct hf_file **items;
        size_t count, room;
        uint64_t compares; /* for tests that count */
    } heads;
    struct {
        struct hf_truncated items[HF_TRUNCATED_MAX];
        size_t count;
    } truncated;
    struct hf_orphans *orphans; /* positions without an open file */
    struct hf_watch *watch;
    struct hf_scan *scan;
    struct {
        struct event *begin; /* looks again whether it can begin */
        struct event *scan, *told, *tick;
        bool tick_is_near; /* it is for those that are not quiet yet */
        bool again;        /* something happened since the scan began */
        bool scan_is_on;
        uint64_t scan_cost;     /* of this one, or the last: names looked at, about */
        uint64_t scan_from_ms;  /* the next one may not begin before */
        uint64_t scan_by_ms;    /* and begins then by itself */
        uint64_t sleep_from_ms; /* whom to put to sleep is not looked for before */
    } timers;
    TAILQ_HEAD(hf_all_followed, hf_followed) followed;
    struct hf_buf block;           /* what was just read from a file */
    struct {                       /* names */
        struct hf_notes others;    /* that lead to no file of their own */
        struct hf_notes written;   /* that something was written to, and nobody opened yet */
        struct hf_notes unknown;   /* that the last scan could not look at */
        bool all_unknown;          /* there are too many of those */
        struct hf_strings told;    /* that came, while the next scan has to wait */
        size_t told_next;          /* of these */
        struct hf_merged vanished; /* of files that were gone before they could be opened */
        uint64_t vanished_ms;      /* when the first of these was; 0: there is none */
    } noted;
    struct { /* refused.c */
        struct hf_table by_id;
        LIST_HEAD(, refused) all;
        struct hf_merged untold;
        uint64_t told_ms;
    } refused;
    struct { /* of the last scan: what matches and could not be opened */
        struct hf_merged names;
        char why[HF_PROBLEM_SIZE]; /* the first of these */
    } unread;
    struct {
        struct hf_source_look last; /* of the last scan */
        uint64_t first_ms;          /* of the first one; 0: not yet */
        bool matched_ever;
    } look;
    struct hf_fs_trust trust; /* whose links are followed */
    struct {                  /* timers.c: since when somebody looked, without a break */
        uint64_t last_ms, since_ms, late_since_ms;
    } awake;
    uint64_t scans;
    struct {
        uint64_t saves;
        uint64_t rehashed; /* bytes, for tests that count */
        uint64_t blind;    /* how often inotify may have kept something from us */
    } counted;
    bool placed;  /* it is known where each file begins */
    bool started; /* the first positions are in the journal */
    bool running, stopped;
    struct { /* under the source's lock: what the intake's loop sees */
        uint64_t files, behind, nul, skipped, held;
        struct hf_source_look look;
        char *unread; /* of what the newest drain means; NULL: nothing is */
        char problem[HF_PROBLEM_SIZE];
        uint64_t drains, drained; /* how many drains were asked for; and this many are through */
    } shown;
    struct {
        uint64_t number; /* the newest that files are marked for */
        bool due;        /* asked for, and files are not marked for it yet */
        char *unread;    /* as a text, when the newest was marked; NULL: nothing was */
    } drain;
    struct {                  /* of all files, as far as they were looked at */
        uint64_t behind, nul; /* bytes: unread; and nul.tail */
        uint64_t held;        /* files */
        uint64_t skipped;     /* bytes of holes */
    } sum;
    struct {
        char watch[HF_PROBLEM_SIZE];            /* why it polls; "" */
        char scan[HF_PROBLEM_SIZE];             /* of the last scan, or that of the watch */
        char told[HF_PROBLEM_SIZE];             /* what the log says */
        enum hf_status watch_class, scan_class; /* of the first two */
    } problem;
};

/* ---- what each part calls; above it stand looking.h (where files are) and reading.h (what is in
 * them) ---- */

/* files.c: all that are open */
struct hf_file_source *hf_file_source(const struct hf_source *source);
void hf_files_init(struct hf_file_source *source);
void hf_files_done(struct hf_file_source *source); /* closes them */
struct hf_file *hf_file_new(struct hf_file_source *source, int fd, const struct hf_file_id *id,
                            const char *path); /* takes fd */
struct hf_file *hf_file_by_id(struct hf_file_source *source, const struct hf_file_id *id);
void hf_file_close(struct hf_file *file);
/* By its owner's budget. `known`: its position is kept already. HF_ELIMIT: it is to be closed again. */
enum hf_status hf_file_let_in(struct hf_file *file, bool known, struct hf_error *err) hf_must_check;
uint64_t hf_file_position_bytes(const char *path); /* about: in the journal's state */
void hf_file_scan_problem(struct hf_file_source *source, const struct hf_error *err);

/* names.c */
/* A name that leads to it, also by a symbolic link; NULL. */
struct hf_file *hf_file_by_path(struct hf_file_source *source, const char *path);
/* The only writer of name, path and moved. `path` NULL: as it was. */
void hf_file_name(struct hf_file *file, enum hf_file_name name, const char *path);
void hf_file_set_moved(struct hf_file *file, bool moved);
void hf_file_set_real_path(struct hf_file *file, const char *path);

/* timers.c */
void hf_file_tick_soon(struct hf_file_source *source);
bool hf_file_is_quiet(struct hf_file *file); /* it did not grow for quiet_ms */
bool hf_file_is_late(struct hf_file *file);  /* nor for `late` */
uint64_t hf_file_late_ms(const struct hf_file_source *source);

/* state.c */
void hf_file_move(struct hf_file *file, enum hf_file_state state); /* the only writer of state */
void hf_file_hold(struct hf_file *file, struct hf_file *original, uint64_t size); /* NULL: for none
                                                                                     that is open */
void hf_file_go_on(struct hf_file *file,
                   const struct hf_print *print); /* it was read up to there */
void hf_file_set_print(struct hf_file *file, const struct hf_print *print);
void hf_file_set_size(struct hf_file *file, uint64_t size);
void hf_file_set_dirty(struct hf_file *file, bool dirty);
void hf_file_set_gap(struct hf_file *file, struct hf_file_gap gap);
void hf_file_set_failed(struct hf_file *file, bool failed);
void hf_file_set_nul_tail(struct hf_file *file, uint64_t bytes);
void hf_file_set_quiet(struct hf_file *file, bool quiet);
void hf_file_grew(struct hf_file *file);   /* or something else: its time begins anew */
void hf_file_settle(struct hf_file *file); /* the lists follow what it is now */
void hf_file_put_on(struct hf_file *file, enum hf_file_list list, bool wanted);

/* turns.c */
void hf_file_ready(struct hf_file *file);                          /* behind the others */
void hf_file_ready_first(struct hf_file *file);                    /* in front of them */
struct hf_file *hf_file_take_ready(struct hf_file_source *source); /* the next in turn; NULL */
void hf_turn_update(struct hf_file *file, bool leaves);
void hf_turn_leave(struct hf_file *file);
/* Those of the list OVER whose owner has room again have their turns, who waited longest first. */
void hf_turn_over_again(struct hf_file_source *source);

#include "agent/intake/file/alike.h"

#endif
