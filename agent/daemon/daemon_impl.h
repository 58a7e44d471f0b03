/* The agent's insides: one libevent loop, and what comes to it from other threads.
 *
 *   journal writer ──on_commit──▶ (event) ──▶ intake acknowledges, reads on
 *                  └────────────▶ trails look for complete windows
 *   trails' thread ──flush done, status──▶ posts ──▶ control connection answers
 */
#ifndef HOLDFAST_DAEMON_IMPL_H
#define HOLDFAST_DAEMON_IMPL_H

#include <event2/event.h>
#include <holdfast/config.h>
#include <holdfast/daemon.h>
#include <holdfast/intake.h>
#include <holdfast/journal.h>
#include <holdfast/record.h>
#include <holdfast/trail.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/un.h>

#define STOP_DELIVER_MS 8000 /* seal and deliver for so long after SIGTERM */
/* a second signal sooner is the first one again: timeout(1) and terminals send it to process and group */
#define STOP_TWICE_MS       1000
#define STOP_LAST_MS        300 /* then for what is under way in this moment */
#define CONTROL_CLIENTS_MAX 32

struct hf_daemon;

/* A call that another thread wants to be made on the loop. */
struct post {
    struct post *next;
    void (*call)(struct hf_daemon *daemon, void *argument);
    void *argument;
};

struct flush_wait { /* a flush whose events are not all durable yet */
    struct flush_wait *next;
    struct hf_daemon *daemon;
    uint64_t last_seq; /* 0: the sources are still being read */
    int64_t deadline_ms;
    void (*done)(struct hf_daemon *daemon, void *argument, uint64_t last_seq, const char *failed);
    void *argument;
    bool draining, handed_on;
    char *failed, *unread; /* lines of the trails, and of the sources; or NULL */
};

#define CLOCK_BOOT_ID_SIZE 37
#define CLOCK_STATE_SIZE   128
struct clock_watch {
    int64_t offset_ms; /* wall minus boot time */
    int64_t boot_ms;   /* when that was so */
    char boot_id[CLOCK_BOOT_ID_SIZE];
    struct event *event; /* of fd, a timer that ends when the clock is set */
    int fd;
};

struct hf_daemon {
    char *config_path;
    struct hf_config *config; /* in force: the loop's */
    atomic_bool provenance;   /* of that; the trails' thread makes records, too */
    /* As it was at the start: what a reload cannot change. For every thread. */
    struct hf_config_agent agent;
    struct hf_identity identity;
    int lock_fd;
    struct hf_journal *journal;
    struct hf_trails *trails;
    struct hf_intake *intake;
    struct event_base *loop;

    struct event *signals[3];
    struct {
        struct event *event;
        atomic_uint_fast64_t durable_seq;
    } commits; /* of the journal's writer */
    struct {
        struct event *event;
        pthread_mutex_t lock;
        struct post *first, **end;
    } posts; /* of any thread */
    struct {
        struct event *timer;
        struct flush_wait *first;
    } flushes;

    struct clock_watch clock;
    uint64_t last_stamp_ns; /* of the journal as it was found */
    struct event *watchdog, *stdin_timer, *quiet_timer;
    uint64_t worked_ms; /* boot time: when the loop had something to do for the last time */

    struct control *control;
    struct metrics_listener *metrics; /* NULL: none is configured */
    struct kept_event *kept_events;
    int64_t started_s, config_loaded_s;
    uint64_t config_refused; /* reloads */
    uint64_t stopping_ms;    /* boot time */
    bool stopping;
};

/* ---- start.c: everything opened in order, closed in reverse ---- */
enum hf_status daemon_open(struct hf_daemon *daemon, struct hf_error *err) hf_must_check;
void daemon_close(struct hf_daemon *daemon);

/* ---- events.c: holdfast's own events ---- */
enum hf_status own_event(void *daemon, const char *event_name, const char *details_json,
                         struct hf_error *err); /* any thread but the loop's */
enum hf_status own_loss(struct hf_daemon *daemon, const struct hf_journal_loss *loss,
                        struct hf_error *err) hf_must_check; /* likewise */
/* On the loop: does not wait. What the journal has no room for is kept and tried again with each
 * commit. */
void own_event_soon(struct hf_daemon *daemon, const char *event_name,
                    json_t *details); /* takes the reference */
/* The same; `state` becomes the value of the journal's key in the unit of the event. */
void own_event_with_state(struct hf_daemon *daemon, const char *event_name, json_t *details,
                          const char *key, const char *state);
void own_events_retry(struct hf_daemon *daemon);
void own_events_settle(
    struct hf_daemon
        *daemon); /* waits a second at most for a journal that is only busy: for the stop */
void own_events_free(struct hf_daemon *daemon); /* says what was lost */
struct hf_record_maker record_maker(const struct hf_daemon *daemon);

/* ---- loop.c ---- */
enum hf_status loop_open(struct hf_daemon *daemon, struct hf_error *err) hf_must_check;
void loop_close(struct hf_daemon *daemon);
void loop_post(struct hf_daemon *daemon, void (*call)(struct hf_daemon *daemon, void *argument),
               void *argument); /* any thread */
void loop_run_posts(struct hf_daemon *daemon);
void loop_on_commit(void *daemon, uint64_t durable_seq, bool room); /* journal's writer thread */
void loop_turns(struct hf_daemon *daemon);                          /* until somebody breaks it */
void daemon_stop(struct hf_daemon *daemon);

/* ---- flush.c ---- */
void flush_begin(struct hf_daemon *daemon, uint64_t timeout_ms,
                 void (*done)(struct hf_daemon *daemon, void *argument, uint64_t last_seq,
                              const char *failed),
                 void *argument);
void flush_committed(struct hf_daemon *daemon);
void flush_open(struct hf_daemon *daemon);

/* ---- quiet.c ---- */
void quiet_open(struct hf_daemon *daemon);
void quiet_begins(struct hf_daemon *daemon); /* something was done just now */

/* ---- reload.c, clock_watch.c, control.c ---- */
void daemon_reload(struct hf_daemon *daemon);
enum hf_status clock_watch_open(struct hf_daemon *daemon, struct hf_error *err) hf_must_check;
void clock_watch_close(struct hf_daemon *daemon);
void clock_watch_look(struct hf_daemon *daemon); /* after each turn of the loop */
void clock_watch_note(struct hf_daemon *daemon, const char *event_name,
                      json_t *details); /* an event that carries what is known of the clock */
bool clock_watch_compare(struct clock_watch *watch, int64_t wall_ms, int64_t boot_ms,
                         int64_t *ret_step_ms); /* true: it was set */
enum hf_status control_open(struct hf_daemon *daemon, struct hf_error *err) hf_must_check;
void control_close(struct hf_daemon *daemon);

/* ---- status.c: `done` is called on the loop with the whole answer, which is then its own ---- */
void status_begin(struct hf_daemon *daemon,
                  void (*done)(struct hf_daemon *daemon, void *argument, json_t *status),
                  void *argument);

/* ---- metrics_listen.c ---- */
/* `address` as in agent.metrics; NULL: nobody listens, and *ret_listener is NULL. */
enum hf_status metrics_listen(struct hf_daemon *daemon, const char *address,
                              struct metrics_listener **ret_listener,
                              struct hf_error *err) hf_must_check;
void metrics_close(struct metrics_listener *listener);

/* ---- control_place.c ---- */
struct control_place { /* path "": none was taken */
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    dev_t dev;
    ino_t ino;
};
/* A bound socket, mode 0600. HF_EBUSY when somebody answers there. */
enum hf_status control_place_take(struct control_place *place, const char *path, int *ret_fd,
                                  struct hf_error *err) hf_must_check;
void control_place_leave(struct control_place *place);

#endif
