/* The loop: signals, the journal's commits, posts from other threads, the watchdog. */
#include "agent/daemon/daemon_impl.h"
#include <event2/thread.h>
#include <signal.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

/* ---- from other threads ---- */

void
loop_on_commit(void *context, uint64_t durable_seq, bool room)
{
    struct hf_daemon *daemon = context;
    atomic_store(&daemon->commits.durable_seq, durable_seq);
    if (daemon->commits.event)
        event_active(daemon->commits.event, EV_READ, 0);
    pthread_mutex_lock(&daemon->posts.lock);
    if (daemon->intake && room)
        hf_intake_room(daemon->intake);
    if (daemon->trails)
        hf_trails_notify(daemon->trails);
    pthread_mutex_unlock(&daemon->posts.lock);
}

void
loop_post(struct hf_daemon *daemon, void (*call)(struct hf_daemon *daemon, void *argument),
          void *argument)
{
    struct post *post = hf_alloc(sizeof(*post));
    *post = (struct post){ .call = call, .argument = argument };
    pthread_mutex_lock(&daemon->posts.lock);
    *daemon->posts.end = post;
    daemon->posts.end = &post->next;
    pthread_mutex_unlock(&daemon->posts.lock);
    event_active(daemon->posts.event, EV_READ, 0);
}

/* ---- on the loop ---- */

static void
on_committed(evutil_socket_t fd, short what, void *context)
{
    struct hf_daemon *daemon = context;
    (void)fd;
    (void)what;
    own_events_retry(daemon);
    hf_intake_committed(daemon->intake, atomic_load(&daemon->commits.durable_seq));
    flush_committed(daemon);
    quiet_begins(daemon);
}

void
loop_run_posts(struct hf_daemon *daemon)
{
    pthread_mutex_lock(&daemon->posts.lock);
    struct post *post = daemon->posts.first;
    daemon->posts.first = NULL;
    daemon->posts.end = &daemon->posts.first;
    pthread_mutex_unlock(&daemon->posts.lock);
    while (post) {
        struct post *next = post->next;
        post->call(daemon, post->argument);
        hf_freep(&post);
        post = next;
    }
}

static void
on_posted(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    loop_run_posts(context);
}

static void
stop_flushed(struct hf_daemon *daemon, void *argument, uint64_t last_seq, const char *failed)
{
    (void)argument;
    (void)last_seq;
    if (failed)
        hf_log_info("agent.leaves_work", HF_STR("reason", failed),
                    HF_STR("hint", "the next start delivers it"));
    event_base_loopbreak(daemon->loop);
}

/* SIGTERM: no more intake; sync; AgentStop; cut, seal and deliver for a few seconds; what is
 * left waits on disk. */
void
daemon_stop(struct hf_daemon *daemon)
{
    if (daemon->stopping) {
        if (hf_boot_ms() - daemon->stopping_ms >= STOP_TWICE_MS)
            event_base_loopbreak(daemon->loop); /* asked twice: now */
        return;
    }
    daemon->stopping_ms = hf_boot_ms();
    hf_log_info("agent.stopping");
    sd_notify(0, "STOPPING=1");
    hf_intake_stop(daemon->intake);
    daemon->stopping = true;
    own_event_soon(daemon, "AgentStop",
                   json_pack("{s:s, s:s}", "boot", daemon->identity.boot, "version", HF_VERSION));
    own_events_settle(daemon); /* so that the flush delivers it, too */
    flush_begin(daemon, STOP_DELIVER_MS, stop_flushed, NULL);
}

static void
on_signal(evutil_socket_t signal_number, short what, void *context)
{
    struct hf_daemon *daemon = context;
    (void)what;
    if (signal_number == SIGHUP)
        daemon_reload(daemon);
    else
        daemon_stop(daemon);
}

static void
on_watchdog(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    (void)context;
    sd_notify(0, "WATCHDOG=1");
}

static void
open_watchdog(struct hf_daemon *daemon)
{
    uint64_t usec;
    if (sd_watchdog_enabled(0, &usec) <= 0)
        return;
    struct timeval period = hf_timeval(HF_MAX(usec / 2 / 1000, 1u));
    daemon->watchdog = event_new(daemon->loop, -1, EV_PERSIST, on_watchdog, daemon);
    event_add(daemon->watchdog, &period);
}

/* `something | holdfast run`: when stdin is the only source and has ended, the work is done. */
static void
on_stdin_timer(evutil_socket_t fd, short what, void *context)
{
    struct hf_daemon *daemon = context;
    (void)fd;
    (void)what;
    if (!daemon->stopping && hf_intake_stdin_ended(daemon->intake))
        daemon_stop(daemon);
}

static void
open_stdin_timer(struct hf_daemon *daemon)
{
    if (daemon->config->source_count != 1 || daemon->config->sources[0].type != HF_SOURCE_STDIN)
        return;
    daemon->stdin_timer = event_new(daemon->loop, -1, EV_PERSIST, on_stdin_timer, daemon);
    event_add(daemon->stdin_timer, &(struct timeval){ .tv_usec = 250000 });
}

/* Whatever woke it: the clock is looked at, too. */
void
loop_turns(struct hf_daemon *daemon)
{
    while (event_base_loop(daemon->loop, EVLOOP_ONCE) == 0 && !event_base_got_break(daemon->loop))
        clock_watch_look(daemon);
}

enum hf_status
loop_open(struct hf_daemon *daemon, struct hf_error *err)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
    signal(SIGPIPE, SIG_IGN);
    if (evthread_use_pthreads() != 0 || !(daemon->loop = event_base_new()))
        return hf_fail(err, HF_EINTERNAL, "the event loop cannot be made");
    for (size_t i = 0; i < HF_COUNT(numbers); i++) {
        daemon->signals[i] = evsignal_new(daemon->loop, numbers[i], on_signal, daemon);
        event_add(daemon->signals[i], NULL);
    }
    pthread_mutex_init(&daemon->posts.lock, NULL);
    daemon->posts.end = &daemon->posts.first;
    daemon->posts.event = event_new(daemon->loop, -1, 0, on_posted, daemon);
    daemon->commits.event = event_new(daemon->loop, -1, 0, on_committed, daemon);
    flush_open(daemon);
    quiet_open(daemon);
    open_watchdog(daemon);
    open_stdin_timer(daemon);
    return HF_OK;
}

static void
free_event(struct event **event)
{
    if (*event)
        event_free(hf_take(*event));
}

void
loop_close(struct hf_daemon *daemon)
{
    if (!daemon->loop)
        return;
    for (size_t i = 0; i < HF_COUNT(daemon->signals); i++)
        free_event(&daemon->signals[i]);
    free_event(&daemon->posts.event);
    free_event(&daemon->commits.event);
    free_event(&daemon->flushes.timer);
    free_event(&daemon->quiet_timer);
    free_event(&daemon->watchdog);
    free_event(&daemon->stdin_timer);
    while (daemon->posts.first) {
        struct post *post = daemon->posts.first;
        daemon->posts.first = post->next;
        hf_freep(&post);
    }
    while (daemon->flushes.first) {
        struct flush_wait *wait = daemon->flushes.first;
        daemon->flushes.first = wait->next;
        hf_freep(&wait->failed);
        hf_freep(&wait);
    }
    own_events_free(daemon);
    pthread_mutex_destroy(&daemon->posts.lock);
    event_base_free(hf_take(daemon->loop));
}
