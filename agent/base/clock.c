/* Clocks, and times as text. All in UTC and the proleptic Gregorian calendar, computed here: the C
 * library's functions read the time zone and take a lock for it. */
#include "agent/base/base_impl.h"

#include <string.h>
#include <sys/timex.h>
#include <time.h>

const char hf_weekday_names[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
const char hf_month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

static uint64_t
read_clock_ns(clockid_t clock)
{
    struct timespec now;

    hf_assert(clock_gettime(clock, &now) == 0);
    return now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec * HF_NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t
hf_wall_ns(void)
{
    return read_clock_ns(CLOCK_REALTIME);
}

int64_t
hf_wall_s(void)
{
    return (int64_t)(hf_wall_ns() / HF_NS_PER_S);
}

uint64_t
hf_boot_ms(void)
{
    return read_clock_ns(CLOCK_BOOTTIME) / 1000000;
}

struct timeval
hf_timeval(uint64_t ms)
{
    return (struct timeval){ .tv_sec = (time_t)(ms / 1000),
                             .tv_usec = (suseconds_t)(ms % 1000 * 1000) };
}

void
hf_deadline_in(uint64_t wait_ms, struct timespec *ret_at)
{
    uint64_t at_ns = read_clock_ns(CLOCK_MONOTONIC) + wait_ms * 1000000;

    ret_at->tv_sec = (time_t)(at_ns / HF_NS_PER_S);
    ret_at->tv_nsec = (long)(at_ns % HF_NS_PER_S);
}

/* Whoever sets the clock by hand takes this word back from the kernel, and so does a time service
 * that has not been heard for hours. */
bool
hf_clock_is_synchronised(void)
{
    struct timex now = { .modes = 0 }; /* reads, and changes nothing */
    int state = adjtimex(&now);

    return state >= 0 && state != TIME_ERROR && !(now.status & STA_UNSYNC);
}

int64_t
hf_build_s(void)
{
    return HF_BUILD_S;
}

/* Years begin in March here, so that the leap day is the last of its year and a month's days before
 * it follow one straight line: (153 m + 2) / 5. Eras are the 400 years (146097 days) after which
 * the calendar repeats. */
int64_t
hf_days_of_date(int64_t year, unsigned month, unsigned day)
{
    if (month <= 2)
        year--;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month_from_march = month > 2 ? (int64_t)month - 3 : (int64_t)month + 9;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + (int64_t)day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468; /* days from 0000-03-01 to 1970-01-01 */
}

struct parts {
    unsigned year, month, day, weekday, hour, minute, second;
};

/* The inverse of hf_days_of_date(). What four digits cannot show is shown as the nearest time that
 * they can. */
static struct parts
parts_of(int64_t seconds)
{
    seconds = HF_MIN(HF_MAX(seconds, HF_SHOWN_FIRST_S), HF_SHOWN_LAST_S);
    int64_t days = seconds / HF_DAY_S - (seconds % HF_DAY_S < 0);
    int64_t in_day = seconds - days * HF_DAY_S;
    int64_t from_march = days + 719468;
    int64_t era = (from_march >= 0 ? from_march : from_march - 146096) / 146097;
    int64_t day_of_era = from_march - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

    return (struct parts){
        .year = (unsigned)(era * 400 + year_of_era + (month <= 2)),
        .month = (unsigned)month,
        .day = (unsigned)(day_of_year - (153 * month_from_march + 2) / 5 + 1),
        .weekday = (unsigned)(((days + 4) % 7 + 7) % 7), /* 1970-01-01 was a Thursday */
        .hour = (unsigned)(in_day / 3600),
        .minute = (unsigned)(in_day / 60 % 60),
        .second = (unsigned)(in_day % 60),
    };
}

/* Fills a pattern in: Y M D h m s stand for a number (year with four digits, else two), W and B for
 * a name, and everything else for itself. */
static void
show(int64_t seconds, const char *pattern, char ret_text[HF_TIME_SIZE])
{
    struct parts at = parts_of(seconds);
    char *to = ret_text;

    for (; *pattern; pattern++) {
        unsigned number;
        switch (*pattern) {
        case 'W':
            memcpy(to, hf_weekday_names[at.weekday], 3);
            to += 3;
            continue;
        case 'B':
            memcpy(to, hf_month_names[at.month - 1], 3);
            to += 3;
            continue;
        case 'Y':
            *to++ = (char)('0' + at.year / 1000);
            *to++ = (char)('0' + at.year / 100 % 10);
            number = at.year % 100;
            break;
        case 'M': number = at.month; break;
        case 'D': number = at.day; break;
        case 'h': number = at.hour; break;
        case 'm': number = at.minute; break;
        case 's': number = at.second; break;
        default: *to++ = *pattern; continue;
        }
        *to++ = (char)('0' + number / 10);
        *to++ = (char)('0' + number % 10);
    }
    *to = '\0';
}

void
hf_time_rfc3339(int64_t seconds, char ret_text[HF_TIME_SIZE])
{
    show(seconds, "Y-M-DTh:m:sZ", ret_text);
}

void
hf_time_compact(int64_t seconds, char ret_text[HF_TIME_SIZE])
{
    show(seconds, "YMDThmsZ", ret_text);
}

void
hf_time_minute(int64_t seconds, char ret_text[HF_TIME_SIZE])
{
    show(seconds, "YMDThmZ", ret_text);
}

void
hf_time_folder(int64_t seconds, char ret_text[HF_TIME_SIZE])
{
    show(seconds, "Y/M/D", ret_text);
}

void
hf_time_http(int64_t seconds, char ret_text[HF_TIME_SIZE])
{
    show(seconds, "W, D B Y h:m:s G", ret_text);
    /* "GMT" would be read as a pattern. */
    memcpy(ret_text + strlen(ret_text) - 1, "GMT", sizeof("GMT"));
}

int64_t
hf_day_after(int64_t seconds)
{
    seconds = HF_MIN(HF_MAX(seconds, HF_SHOWN_FIRST_S), HF_SHOWN_LAST_S);
    return (seconds / HF_DAY_S - (seconds % HF_DAY_S < 0) + 1) * HF_DAY_S;
}
