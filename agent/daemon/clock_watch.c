/* A step of the wall clock is itself an event. The kernel wakes us when the clock is set (timerfd with TFD_TIMER_CANCEL_ON_SET),
 * so that watching costs nothing while nothing happens. */
#include "agent/daemon/daemon_impl.h"
#include <errno.h>
#include <holdfast/json.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define STEP_LEAST_MS 2000

static int64_t
offset_now_ms(void)
{
    return (int64_t)(hf_wall_ns() / 1000000) - (int64_t)hf_boot_ms();
}

static bool
arm(int fd)
{
    struct itimerspec never = {.it_value = {.tv_sec = INT32_MAX}}; /* an absolute time far ahead: only the cancellation matters */
    return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) == 0;
}

static void
clock_was_set(evutil_socket_t fd, short what, void *context)
{
    struct hf_daemon *daemon = context;
    uint64_t count;
    (void)what;
    if (read(fd, &count, sizeof(count)) < 0 && errno != ECANCELED)
        return;
    (void)arm(fd);
    int64_t offset_ms = offset_now_ms(), step_ms = offset_ms - daemon->clock_offset_ms;
    daemon->clock_offset_ms = offset_ms;
    if (step_ms < STEP_LEAST_MS && step_ms > -STEP_LEAST_MS)
        return;
    hf_log_warn("clock.step", HF_NUM("step_ms", step_ms));
    own_event_soon(daemon, "ClockStep", json_pack("{s:I}", "stepMilliseconds", (json_int_t)step_ms));
    hf_trails_notify(daemon->trails);
}

enum hf_status
clock_watch_open(struct hf_daemon *daemon, struct hf_error *err)
{
    daemon->clock_offset_ms = offset_now_ms();
    daemon->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (daemon->clock_fd < 0 || !arm(daemon->clock_fd))
        return hf_fail_errno(err, HF_EIO, "watching the clock");
    daemon->clock_event = event_new(daemon->loop, daemon->clock_fd, EV_READ | EV_PERSIST, clock_was_set, daemon);
    event_add(daemon->clock_event, NULL);
    return HF_OK;
}

void
clock_watch_close(struct hf_daemon *daemon)
{
    if (daemon->clock_event)
        event_free(hf_take(daemon->clock_event));
    hf_fs_close(&daemon->clock_fd);
}
