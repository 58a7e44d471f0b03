/* A flush on the loop's side: read every source to its present end, wait until all of it is
 * durable, hand over to the trails. Also the clean stop, which is a flush with a short deadline. */
#include "agent/daemon/daemon_impl.h"
#include <string.h>

static void
remove_wait(struct hf_daemon *daemon, struct flush_wait *wait)
{
    for (struct flush_wait **at = &daemon->flushes.first; *at; at = &(*at)->next) {
        if (*at == wait) {
            *at = wait->next;
            break;
        }
    }
}

static void
finish(struct hf_daemon *daemon, struct flush_wait *wait, const char *failed)
{
    hf_owned(hf_freep) char *both =
        failed && wait->unread ? hf_asprintf("%s%s", wait->unread, failed) : NULL;
    remove_wait(daemon, wait);
    wait->done(daemon, wait->argument, wait->last_seq,
               both     ? both
               : failed ? failed
                        : wait->unread);
    hf_freep(&wait->failed);
    hf_freep(&wait->unread);
    if (wait->draining)
        hf_intake_drain_cancel(daemon->intake, wait);
    hf_freep(&wait);
}

static void
trails_done_on_loop(struct hf_daemon *daemon, void *argument)
{
    struct flush_wait *wait = argument;
    finish(daemon, wait, wait->failed);
}

static void
trails_done(void *context, const char *failed)
{
    struct flush_wait *wait = context;
    wait->failed = hf_strdup(failed);
    loop_post(wait->daemon, trails_done_on_loop, wait);
}

static void
hand_on(struct hf_daemon *daemon, struct flush_wait *wait)
{
    int64_t left_ms = wait->deadline_ms - (int64_t)hf_boot_ms();
    wait->handed_on = true;
    hf_trails_flush(daemon->trails, wait->last_seq, (uint64_t)HF_MAX(left_ms, 1), trails_done,
                    wait);
}

void
flush_committed(struct hf_daemon *daemon)
{
    uint64_t durable_seq = atomic_load(&daemon->commits.durable_seq);
    for (struct flush_wait *wait = daemon->flushes.first, *next; wait; wait = next) {
        next = wait->next;
        if (!wait->handed_on && !wait->draining && wait->last_seq <= durable_seq)
            hand_on(daemon, wait);
    }
}

static void
drained(void *context)
{
    struct flush_wait *wait = context;
    wait->draining = false;
    if (!wait->daemon->stopping)
        wait->unread = hf_intake_unread(wait->daemon->intake);
    struct hf_journal_info info;
    hf_journal_info(wait->daemon->journal, &info);
    wait->last_seq = info.next_seq - 1;
    atomic_store(&wait->daemon->commits.durable_seq,
                 HF_MAX(info.durable_seq, atomic_load(&wait->daemon->commits.durable_seq)));
    flush_committed(wait->daemon);
}

static void
check_deadlines(evutil_socket_t fd, short what, void *context)
{
    struct hf_daemon *daemon = context;
    (void)fd;
    (void)what;
    int64_t now_ms = (int64_t)hf_boot_ms();
    for (struct flush_wait *wait = daemon->flushes.first, *next; wait; wait = next) {
        next = wait->next;
        if (wait->handed_on || now_ms < wait->deadline_ms)
            continue;
        if (wait->draining && !daemon->stopping)
            wait->unread = hf_intake_unread(daemon->intake);
        finish(daemon, wait,
               "intake: what the sources hold could not be journaled in time; see `holdfast "
               "status`\n");
    }
    if (daemon->flushes.first)
        event_add(daemon->flushes.timer, &(struct timeval){ .tv_usec = 200000 });
}

void
flush_open(struct hf_daemon *daemon)
{
    daemon->flushes.timer = event_new(daemon->loop, -1, 0, check_deadlines, daemon);
}

void
flush_begin(struct hf_daemon *daemon, uint64_t timeout_ms,
            void (*done)(struct hf_daemon *daemon, void *argument, uint64_t last_seq,
                         const char *failed),
            void *argument)
{
    struct flush_wait *wait = hf_alloc(sizeof(*wait));
    *wait = (struct flush_wait){ .daemon = daemon,
                                 .deadline_ms = (int64_t)(hf_boot_ms() + timeout_ms),
                                 .done = done,
                                 .argument = argument,
                                 .draining = true };
    wait->next = daemon->flushes.first;
    daemon->flushes.first = wait;
    event_add(daemon->flushes.timer, &(struct timeval){ .tv_usec = 200000 });
    if (daemon->stopping)
        drained(wait); /* the sources are closed already */
    else
        hf_intake_drain(daemon->intake, drained, wait);
}
