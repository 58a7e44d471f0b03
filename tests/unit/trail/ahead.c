#include "tests/unit/trail/ahead.h"

#include <time.h>

int64_t ahead_ms;

int __real_clock_gettime(clockid_t clock, struct timespec *ret_time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
    int failed = __real_clock_gettime(clock, ret_time);
    ret_time->tv_sec += ahead_ms / 1000;
    ret_time->tv_nsec += ahead_ms % 1000 * 1000000;
    if (ret_time->tv_nsec >= 1000000000) {
        ret_time->tv_sec++;
        ret_time->tv_nsec -= 1000000000;
    }
    return failed;
}
