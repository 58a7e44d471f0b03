/* Inside of intake: what all kinds of source share. Each kind has its room: file/, socket/, stdin/.
 *
 *   source ──bytes──▶ lines.c cuts pieces ──▶ unit.c makes records ──▶ journal
 *                                             and adds the position
 *
 * A source changes its own position only after its unit was handed over whole, so that a unit that
 * fails can simply be tried again with the same bytes.
 */
#ifndef HOLDFAST_INTAKE_IMPL_H
#define HOLDFAST_INTAKE_IMPL_H

#include "agent/intake/owner.h"

#include <holdfast/intake.h>

#include <pthread.h>
#include <sys/queue.h>

#define HF_BLOCK_BYTES (256u << 10) /* read at once from a file, and one unit */

struct event;
struct hf_hasher;
struct hf_thread; /* thread.h */

/* ---- times, in milliseconds; a test may shorten them ---- */

struct hf_intake_timing {
    uint64_t quiet_ms;     /* a renamed or unlinked file has been read when it did not grow for this
                          long */
    uint64_t late_ms;      /* and is closed after this; 0: as the source says */
    uint64_t rescan_ms;    /* every file is looked at this often, whatever inotify says */
    uint64_t unmatched_ms; /* a pattern that has matched nothing for so long is a problem */
    uint64_t held_ms;      /* and so is a file that is held back for so long */
    uint64_t poll_ms;      /* the same where inotify is not to be had */
    uint64_t retry_ms;     /* a journal that refused is tried again, whatever on_commit says */
    uint64_t full_after_ms; /* clients are told FULL when the journal has refused for this long */
    uint64_t hello_ms;      /* a greeting that was begun has to be whole by then */
    uint64_t silent_ms; /* a connection that said nothing for so long may make room for another */
    uint64_t hangs_ms;  /* a file system that does not answer for so long is named */
    uint64_t sleep_ms;  /* with many files, one that was not written for so long is closed */
    size_t files_max;   /* open at once, of one source */
    size_t connections_max; /* of one source */
};
void hf_intake_set_timing(struct hf_intake *intake, const struct hf_intake_timing *timing);

/* ---- lines: from bytes to pieces ---- */

enum hf_piece_kind {
    HF_PIECE_NONE, /* no whole piece yet */
    HF_PIECE_LINE, /* a whole line */
    HF_PIECE_PART, /* a part of a line longer than max_event, more to come */
    HF_PIECE_LAST, /* its last part, may be empty */
};

struct hf_piece {
    enum hf_piece_kind kind;
    struct hf_slice bytes; /* without the newline */
    size_t consumed;       /* with it */
};

/* The first piece of `input`. `in_parts`: parts of this line were cut before. `ended`: nothing will
 * follow the input, what is left of it is a line. */
struct hf_piece hf_piece_next(struct hf_slice input, size_t max_event, bool in_parts, bool ended);

/* How much of an over-long line was cut into parts. `bytes` and `crc` are what a restart needs to
 * go on; the running hash may be ahead of them when a unit failed, and simply waits until they have
 * caught up. */
struct hf_long_line {
    uint64_t parts, bytes;
    uint32_t crc;             /* CRC-32C of the first `bytes` bytes */
    uint64_t hashed;          /* bytes that the hasher has seen */
    struct hf_hasher *hasher; /* NULL before the first part */
    bool finished;            /* sha256 is that of the whole line */
    char sha256[65];
};
void hf_long_line_add(struct hf_long_line *line, uint64_t at,
                      struct hf_slice bytes); /* hashes what is new of it */
void hf_long_line_finish(struct hf_long_line *line);
void hf_long_line_reset(struct hf_long_line *line);

/* ---- sources ---- */

struct hf_source;

#define HF_PROBLEM_SIZE sizeof(((struct hf_source_status *)0)->problem)

/* What a kind of source is: a row in kinds.c, and a room (a subfolder) that fills it in. Nothing
 * outside its room knows how a kind works, and nothing but the row knows that it is there.
 *
 *   prepare ──▶ start ──▶ ( step, room, full, drain, drained, status )* ──▶ stop ──▶ free
 *
 * A kind whose calls may hang (a mount that does not answer) has a thread for each of its sources:
 * start, step, room and full run on it, and stop as the last. The others are called on the intake's
 * loop and never wait for the thread; free comes when it has ended.
 */
struct hf_source_kind {
    size_t size;            /* of its own struct, which begins with its struct hf_source */
    const char *own_thread; /* its name; NULL: on the intake's loop */
    const char
        *positions; /* they stand in the journal's state under this and SOURCE/; NULL: none */
    /* Everything that can fail, without an effect on others. `replaces` is the running source of
     * the same name, or NULL. */
    enum hf_status (*prepare)(struct hf_source *source, struct hf_source *replaces,
                              struct hf_error *err);
    void (*start)(struct hf_source *source);
    void (*stop)(struct hf_source *source);  /* no more reading */
    void (*free)(struct hf_source *source);  /* what it holds; also when prepare failed */
    void (*room)(struct hf_source *source);  /* the journal may have room again: read on */
    void (*full)(struct hf_source *source);  /* the journal has been full for a while; NULL: nothing
                                                to tell anyone. Never called from a hand-over */
    bool (*step)(struct hf_source *source);  /* one block of work; true: more to do. NULL: by events
                                                only */
    void (*drain)(struct hf_source *source); /* remember how far drained() means */
    bool (*drained)(struct hf_source *source);
    char *(*unread)(
        struct hf_source *source); /* lines that name what it has not read of what a drain
                                                  means, and why; NULL: nothing. The caller's */
    bool (*ended)(const struct hf_source *source); /* nothing will come any more; NULL: it has no
                                                      end */
    void (*status)(struct hf_source *source, struct hf_source_status *status);
    enum hf_status (*look)(const struct hf_config_source *config, struct hf_source_look *ret_look,
                           struct hf_error *err); /* NULL: it does not look for files */
};
extern const struct hf_source_kind hf_file_kind, hf_socket_kind, hf_stdin_kind;
const struct hf_source_kind *hf_source_kind(int type); /* kinds.c */

struct hf_source_counters {
    uint64_t events, bytes, gaps, refusals;
    uint64_t problems[HF_STATUS_COUNT];
    struct hf_record_counts records;
};

/* ---- pressure.c: the journal refuses, and one waits. Each source by itself ---- */

struct hf_pressure {
    struct event *work;  /* runs step(), then itself again while there is more */
    struct event *retry; /* while blocked */
    struct event *tell;  /* tells the clients that the journal is full */
    struct event *go;    /* the journal has room again, and it is this one's turn to try */
    bool blocked;        /* the journal refused; nothing is read until there is room */
    bool full_due;       /* the clients are to be told so, in a turn of the loop */
    bool told_full;      /* they were */
    bool owner_waits;    /* one of its owners was refused, and tries again with `retry` */
    uint64_t since_ms;   /* it is blocked; 0: it is not */
    /* under the intake's lock of those that wait */
    TAILQ_ENTRY(hf_source) entry;
    bool waits; /* stands in the queue */
    bool again; /* was refused in its own turn, and stands in front for that */
};

struct hf_source {
    const struct hf_source_kind *kind;
    struct hf_intake *intake;
    struct hf_thread *thread;       /* its own, or NULL */
    struct event_base *loop;        /* the thread's, or the intake's */
    struct hf_config_source config; /* a copy of our own */
    uint16_t id;
    struct hf_account *account; /* of the budget */
    struct hf_owner *owner;     /* what is nobody else's */
    uint64_t max_event;         /* of the configuration, or less with a small journal */
    bool kept;                  /* while a new configuration is compared: stays as it is */
    bool ready;                 /* step() has something to do */
    struct hf_pressure pressure;
    struct hf_intake_timing timing;
    struct hf_buf record;      /* the record being made */
    struct hf_source *follows; /* begins when that one, of the same name, has ended; or NULL */
    TAILQ_ENTRY(hf_source) leaving;
    /* what others ask for, under the lock */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* begun */
    bool begun;             /* what comes from now on is taken */
    struct hf_source_counters counters;
    char problem[HF_PROBLEM_SIZE];
};

enum hf_status hf_source_open(struct hf_source *source,
                              struct hf_error *err) hf_must_check; /* before prepare() */
void hf_source_close(struct hf_source *source);                    /* after free() */
enum hf_status hf_pressure_open(struct hf_source *source, struct event_base *loop,
                                struct hf_error *err) hf_must_check;
void hf_pressure_close(struct hf_source *source);

/* Control characters become '?': names are strangers', and are said to people at terminals, in lines. */
void hf_plain_text(char *text);
void hf_problem_set(char problem[HF_PROBLEM_SIZE],
                    const char *text); /* cut where it does not fit */

void hf_source_ready(struct hf_source *source); /* step() will be called from its loop */
void hf_source_problem(struct hf_source *source,
                       const struct hf_error *err); /* logged when it is a new one */
void hf_source_well(struct hf_source *source);
void hf_source_begun(struct hf_source *source);
void hf_source_block(struct hf_source *source, bool out_of_room); /* the journal refused */
void hf_source_quiet(struct hf_source *source);                   /* no more turns */
/* The budget refused one of its owners: room() comes again after a while. */
void hf_source_owner_waits(struct hf_source *source);

/* ---- the intake ---- */

struct hf_streams;

struct hf_drain_waiter {
    void (*done)(void *context);
    void *context;
};

TAILQ_HEAD(hf_source_queue, hf_source);

/* Who goes to the journal: one source at a time, in the order in which they came; the intake's own
 * loop in front of all others, because every client waits for it. turnstile.c */
struct hf_turnstile {
    pthread_mutex_t lock;
    bool taken;
    TAILQ_HEAD(hf_turnstile_queue, hf_turnstile_place) queue;
};
void hf_turnstile_init(struct hf_turnstile *turnstile);
void hf_turnstile_done(struct hf_turnstile *turnstile);
void hf_turnstile_enter(struct hf_turnstile *turnstile, bool in_front);
void hf_turnstile_leave(struct hf_turnstile *turnstile);

struct hf_intake {
    struct event_base *loop;
    struct hf_journal *journal;
    struct hf_record_maker maker; /* but for what a reload may change */
    atomic_bool provenance;
    struct hf_intake_timing timing;
    struct hf_source **sources;
    size_t source_count;
    struct hf_source_queue leaving; /* stopped, but their threads have not ended yet */
    struct hf_streams *streams;
    struct hf_budget *budget;
    struct hf_users *users;
    struct event *refusals; /* records them */
    struct event *expiry;   /* forgets old streams */
    struct event *noticed;  /* a thread has something to say: drained, ended */
    struct hf_turnstile turnstile;
    bool held; /* the loop has the turnstile, between hf_intake_hold() and hf_intake_let_go() */
    struct {   /* those that the journal refused, in the order of their next turn */
        pthread_mutex_t lock;
        struct hf_source_queue queue;
        struct hf_source *up; /* whose turn it is; NULL */
        uint64_t up_since_ms;
        bool room_again; /* the journal had room once more while it was its turn */
    } refused;
    bool stopped;
    struct hf_left *left; /* left.c */
    size_t left_count;
    struct hf_drain_waiter *waiters;
    size_t waiter_count;
};

void hf_left_look(struct hf_intake *intake);
void hf_left_done(struct hf_intake *intake);

/* As it makes records now: the copy stays the same through a reload. */
struct hf_record_maker hf_intake_maker(const struct hf_intake *intake);
void hf_intake_notice(struct hf_intake *intake); /* from any thread: `noticed`, soon */
enum hf_status hf_refusals_open(struct hf_intake *intake, struct hf_error *err) hf_must_check;
void hf_refusals_look(struct hf_intake *intake); /* one may have begun */
void hf_drain_check(struct hf_intake *intake);   /* calls the waiters when all is drained */

/* To the journal, and back: one source at a time. A thread that was given up, because it hung when
 * the agent stopped, does not come back from enter(). On the loop, which holds the turnstile itself
 * during a reload, a source goes through at once: what one hands over as it stops or starts would
 * else wait for itself. */
void hf_source_enter(struct hf_source *source);
void hf_source_leave(struct hf_source *source);

#include "agent/intake/unit.h"

#endif
