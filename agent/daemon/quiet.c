/* The loop's part in giving memory back: some seconds after the last commit, or the last answer
 * to somebody who asked. One timer, set by what was done and by nothing else, so that it costs
 * no wake-up while nothing happens. */
#include "agent/daemon/daemon_impl.h"

static void
set_timer(struct hf_daemon *daemon, uint64_t after_ms)
{
    struct timeval after = hf_timeval(after_ms);
    event_add(daemon->quiet_timer, &after);
}

/* Moved on only when it fires: commits come a thousand times a second. */
static void
on_quiet(evutil_socket_t fd, short what, void *context)
{
    struct hf_daemon *daemon = context;
    (void)fd;
    (void)what;
    uint64_t quiet_ms = hf_boot_ms() - daemon->worked_ms;
    if (quiet_ms + 10 < HF_MEMORY_QUIET_MS)
        set_timer(daemon, HF_MEMORY_QUIET_MS - quiet_ms);
    else if (hf_memory_give_back_if_quiet())
        hf_log_debug("memory.given_back");
}

void
quiet_begins(struct hf_daemon *daemon)
{
    daemon->worked_ms = hf_boot_ms();
    hf_memory_note_use();
    if (!evtimer_pending(daemon->quiet_timer, NULL))
        set_timer(daemon, HF_MEMORY_QUIET_MS);
}

void
quiet_open(struct hf_daemon *daemon)
{
    daemon->quiet_timer = evtimer_new(daemon->loop, on_quiet, daemon);
    quiet_begins(daemon);
}
