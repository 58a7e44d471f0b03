/* intake: the sources. All functions are called on the agent's libevent loop and never block;
 * sources of files have a thread and a loop of their own each, because a mount may hang.
 *
 * A source reads, cuts lines, makes records, and adds them with its own position to the journal as
 * one unit. It acknowledges when the journal says that the unit is durable, and stops reading while
 * the journal is full (HF_EFULL). The socket's protocol is drawn in agent/intake/PROTOCOL.md.
 */
#ifndef HOLDFAST_INTAKE_H
#define HOLDFAST_INTAKE_H

#include <holdfast/base.h>
#include <holdfast/config.h>
#include <holdfast/journal.h>
#include <holdfast/record.h>

struct event_base;
struct hf_intake;

struct hf_intake_options {
    struct event_base *loop; /* made after evthread_use_pthreads() */
    struct hf_journal *journal;
    struct hf_record_maker maker; /* texts are borrowed for the intake's life */
};

enum hf_status hf_intake_new(const struct hf_intake_options *options, struct hf_intake **ret_intake,
                             struct hf_error *err) hf_must_check;
void hf_intake_free(
    struct hf_intake *intake); /* closes sockets and files; positions are in the journal */

/* Starts, changes and ends sources so that exactly those of `config` run (start and SIGHUP). A
 * source that stays the same is not disturbed. All or nothing: on failure the running set is
 * unchanged. `config` is borrowed for the call. A new or changed file source begins, on its thread,
 * when the one of its name before it has ended and what that handed over is durable. */
enum hf_status hf_intake_configure(struct hf_intake *intake, const struct hf_config *config,
                                   struct hf_error *err) hf_must_check;
/* Between these nothing that a source reads comes into the journal: whoever listens to it is changed
 * together with the sources, and a new one misses nothing of a new source. Not for long: the threads
 * of the sources wait. On the loop, once at a time, and around hf_intake_configure() only; what a
 * source of the loop hands over within it, as it stops, does come in. */
void hf_intake_hold(struct hf_intake *intake);
void hf_intake_let_go(struct hf_intake *intake);
/* Waits, at most so long, until each source has begun: what comes from now on is taken. false: one
 * has not, `status` says why. Blocks; for the agent's start. */
bool hf_intake_begun(struct hf_intake *intake, uint64_t wait_ms);

/* On the loop, after the journal's on_commit: acknowledges up to durable_seq. Several commits may be
 * handed on as one, with the newest value. */
void hf_intake_committed(struct hf_intake *intake, uint64_t durable_seq);
/* From any thread: the journal's on_commit said that there is room; those that were refused try
 * again, one after the other. */
void hf_intake_room(struct hf_intake *intake);

/* Reads every file source to the size it has now and journals all that was received; `done` is
 * called on the loop when the last of it is handed to the journal (it may not be durable yet),
 * never from inside this call. Not called any more after hf_intake_stop(). For flush. */
void hf_intake_drain(struct hf_intake *intake, void (*done)(void *context), void *context);
/* Lines that name what is not read of what the newest drain means, and why: also when it is over what
 * cannot be opened or read, and before that what is still waited for. NULL: nothing. The caller's. */
char *hf_intake_unread(const struct hf_intake *intake);
void hf_intake_drain_cancel(struct hf_intake *intake,
                            void *context); /* it is not called any more: a flush that timed out */
/* No more reading, no more connections; what was read is in the journal. Clients still get the
 * acknowledgements that hf_intake_committed() brings, until hf_intake_free(). */
void hf_intake_stop(struct hf_intake *intake);
/* stdin reached its end and all of it is journaled (true when there is no stdin source or it
 * ended). */
bool hf_intake_stdin_ended(const struct hf_intake *intake);

/* Positions that the journal keeps for a source that is not configured (any more): one that was
 * renamed began anew, where `start` says, and what was known under the old name stays for it. As of
 * the last hf_intake_configure(), by which the list is made anew. */
struct hf_left {
    const char *source;
    uint64_t positions;
};
const struct hf_left *hf_intake_left(const struct hf_intake *intake, size_t *ret_count);

#define HF_OTHERS_SIZE 256

/* What a source's pattern matches. */
struct hf_source_look {
    uint64_t matched; /* regular files */
    uint64_t
        unread; /* names that cannot be opened or looked at, or are refused; problem: the first */
    uint64_t others;                  /* names that are no regular files: never read */
    uint64_t sparse;                  /* files that are mostly holes, which are skipped */
    char others_text[HF_OTHERS_SIZE]; /* which; "" */
    char problem[192];                /* "" */
};
/* Looks now, as the user of the process; needs no intake. HF_ENOTFOUND: the source is none that looks
 * for files. */
enum hf_status hf_intake_look(const struct hf_config_source *source,
                              struct hf_source_look *ret_look, struct hf_error *err) hf_must_check;

struct hf_source_status {
    const char *name;
    int type;
    uint64_t events, bytes;
    struct hf_record_counts counts;
    uint64_t files, connections;
    uint64_t behind_bytes;      /* file: unread bytes */
    uint64_t nul_bytes;         /* file: NUL bytes at the ends, which are no content yet */
    uint64_t skipped_bytes;     /* file: of holes, since the start */
    uint64_t held;              /* files that wait: they may be copies of others */
    struct hf_source_look look; /* file: as of the last scan */
    uint64_t gaps;
    uint64_t refusals;                  /* how often it was told that the journal is full */
    uint64_t owners_refused;            /* over their share of something, now */
    uint64_t budget_refusals;           /* how often one was */
    uint64_t problems[HF_STATUS_COUNT]; /* by status: how often a new one was met */
    bool waiting;                       /* pushed back by a full journal, for more than a moment,
                                           or one of its owners by his share of it */
    char problem[192];                  /* "" or why it does not read: permission, ... */
};
/* Somebody is refused for his share of the journal, and all is taken but what is kept for those who
 * are below theirs. */
bool hf_intake_is_out_of_room(const struct hf_intake *intake);
size_t hf_intake_status(const struct hf_intake *intake, struct hf_source_status *ret_statuses,
                        size_t most);

/* An event of the agent's own, into the journal's unit that is open; `details_json`: an object. HF_ELIMIT:
 * it is too long. */
enum hf_status hf_own_event_append(struct hf_journal *journal, const struct hf_record_maker *maker,
                                   const char *event_name, int64_t now_s, const char *details_json,
                                   struct hf_error *err) hf_must_check;

#endif
