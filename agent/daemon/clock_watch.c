/* A step of the wall clock is itself an event. Wall and boot time are compared at each turn that
 * the loop makes anyway; the kernel makes one when the clock is set (timerfd with
 * TFD_TIMER_CANCEL_ON_SET), so that watching costs nothing while nothing happens.
 *
 * What the difference was stands in the journal's state, with the boot it holds for: a clock
 * that was set while the agent was stopped is found by the next start. Over a reboot only a step
 * back can be seen, against the journal's newest stamp. */
#include "agent/daemon/daemon_impl.h"
#include <errno.h>
#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define STATE_KEY     "agent/clock"
#define STEP_LEAST_MS 1000
/* a time service bends the clock by less than a thousandth: that is no step */
#define SLEW_MOST    1000
#define READ_TRIES   5
#define READ_MOST_MS 20

/* ---- is it a step? ---- */

bool
clock_watch_compare(struct clock_watch *watch, int64_t wall_ms, int64_t boot_ms,
                    int64_t *ret_step_ms)
{
    int64_t drift_ms = wall_ms - boot_ms - watch->offset_ms,
            bend_ms = HF_MAX(boot_ms - watch->boot_ms, 0) / SLEW_MOST;
    bool is_step = drift_ms >= STEP_LEAST_MS + bend_ms || drift_ms <= -STEP_LEAST_MS - bend_ms;
    *ret_step_ms = is_step ? drift_ms : 0;
    if (is_step || bend_ms) {
        watch->offset_ms += is_step ? drift_ms : HF_MAX(HF_MIN(drift_ms, bend_ms), -bend_ms);
        watch->boot_ms = boot_ms;
    }
    return is_step;
}

/* Both at one moment: whoever was not running between the two readings asks again. */
static bool
read_clocks(int64_t *ret_wall_ms, int64_t *ret_boot_ms)
{
    for (int i = 0; i < READ_TRIES; i++) {
        int64_t before_ms = (int64_t)hf_boot_ms();
        *ret_wall_ms = (int64_t)(hf_wall_ns() / 1000000);
        *ret_boot_ms = (int64_t)hf_boot_ms();
        if (*ret_boot_ms - before_ms <= READ_MOST_MS)
            return true;
    }
    return false;
}

/* ---- in the journal's state: "1 BOOT-ID OFFSET_MS BOOT_MS" ---- */

static void
read_boot_id(char ret_id[CLOCK_BOOT_ID_SIZE])
{
    hf_owned(hf_buf_done) struct hf_buf text = HF_BUF(4096);
    *ret_id = '\0';
    if (hf_fs_read_file("/proc/sys/kernel/random/boot_id", 4096, &text, NULL) == HF_OK)
        snprintf(ret_id, CLOCK_BOOT_ID_SIZE, "%.36s", hf_buf_text(&text));
    for (char *c = ret_id; *c; c++) {
        if (*c <= ' ')
            *c = '-';
    }
    if (!*ret_id)
        snprintf(ret_id, CLOCK_BOOT_ID_SIZE, "unknown");
}

static void
state_text(const struct clock_watch *watch, char ret_text[CLOCK_STATE_SIZE])
{
    snprintf(ret_text, CLOCK_STATE_SIZE, "1 %s %lld %lld", watch->boot_id,
             (long long)watch->offset_ms, (long long)watch->boot_ms);
}

/* What the run before knew, if it was in this boot. */
static bool
take_state(struct hf_daemon *daemon, int64_t boot_ms)
{
    struct clock_watch *watch = &daemon->clock;
    hf_owned(hf_buf_done) struct hf_buf value = HF_BUF(4096);
    char boot_id[CLOCK_BOOT_ID_SIZE];
    long long offset_ms, then_ms;
    if (hf_journal_get_state(daemon->journal, STATE_KEY, &value) != HF_OK ||
        strcmp(watch->boot_id, "unknown") == 0 ||
        /* NOLINTNEXTLINE(cert-err34-c): what no clock can say is only a large step */
        sscanf(hf_buf_text(&value), "1 %36s %lld %lld", boot_id, &offset_ms, &then_ms) != 3 ||
        strcmp(boot_id, watch->boot_id) != 0 || then_ms > boot_ms)
        return false;
    watch->offset_ms = offset_ms;
    watch->boot_ms = then_ms;
    return true;
}

void
clock_watch_note(struct hf_daemon *daemon, const char *event_name, json_t *details)
{
    char state[CLOCK_STATE_SIZE];
    state_text(&daemon->clock, state);
    own_event_with_state(daemon, event_name, details, STATE_KEY, state);
}

/* ---- the event ---- */

/* `bound`: "exact", or "at least" where the clock before is known only up to some moment. */
static void
tell_step(struct hf_daemon *daemon, int64_t wall_ms, int64_t step_ms, const char *bound)
{
    char from[HF_TIME_SIZE], to[HF_TIME_SIZE];
    hf_time_rfc3339((wall_ms - step_ms) / 1000, from);
    hf_time_rfc3339(wall_ms / 1000, to);
    hf_log_warn("clock.step", HF_STR("from", from), HF_STR("to", to),
                HF_NUM("milliseconds", step_ms), HF_STR("bound", bound));
    clock_watch_note(daemon, "ClockStep",
                     json_pack("{s:s, s:s, s:I, s:s}", "from", from, "to", to,
                               "differenceMilliseconds", (json_int_t)step_ms, "bound", bound));
    hf_trails_notify(daemon->trails);
}

void
clock_watch_look(struct hf_daemon *daemon)
{
    int64_t wall_ms, boot_ms, step_ms;
    if (read_clocks(&wall_ms, &boot_ms) &&
        clock_watch_compare(&daemon->clock, wall_ms, boot_ms, &step_ms))
        tell_step(daemon, wall_ms, step_ms, "exact");
}

static void
begin(struct hf_daemon *daemon)
{
    int64_t wall_ms, boot_ms, last_ms = (int64_t)(daemon->last_stamp_ns / 1000000);
    (void)read_clocks(&wall_ms, &boot_ms);
    read_boot_id(daemon->clock.boot_id);
    if (take_state(daemon, boot_ms)) {
        clock_watch_look(daemon);
        return;
    }
    daemon->clock.offset_ms = wall_ms - boot_ms;
    daemon->clock.boot_ms = boot_ms;
    if (last_ms - wall_ms >= STEP_LEAST_MS)
        tell_step(daemon, wall_ms, wall_ms - last_ms, "at least");
}

/* ---- the kernel's word ---- */

static bool
arm(int fd)
{
    struct itimerspec never = {
        .it_value = { .tv_sec = INT32_MAX }
    }; /* an absolute time far ahead: only the cancellation matters */
    return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) == 0;
}

/* The turn of the loop that this makes looks. The trails wait for times of the wall clock, by a
 * clock that stands still while the machine sleeps; this comes at the end of a sleep, too. */
static void
clock_was_set(evutil_socket_t fd, short what, void *context)
{
    struct hf_daemon *daemon = context;
    uint64_t count;
    (void)what;
    if (read(fd, &count, sizeof(count)) < 0 && errno != ECANCELED)
        return;
    (void)arm(fd);
    hf_trails_notify(daemon->trails);
}

enum hf_status
clock_watch_open(struct hf_daemon *daemon, struct hf_error *err)
{
    daemon->clock.fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (daemon->clock.fd < 0 || !arm(daemon->clock.fd))
        return hf_fail_errno(err, HF_EIO, "watching the clock");
    daemon->clock.event =
        event_new(daemon->loop, daemon->clock.fd, EV_READ | EV_PERSIST, clock_was_set, daemon);
    event_add(daemon->clock.event, NULL);
    begin(daemon);
    return HF_OK;
}

void
clock_watch_close(struct hf_daemon *daemon)
{
    if (daemon->clock.event)
        event_free(hf_take(daemon->clock.event));
    hf_fs_close(&daemon->clock.fd);
}
