/* Times from text. Each form is fixed: anything that is not exactly it is refused, and so is a date
 * that the calendar does not have. */
#include "agent/base/base_impl.h"

#include <string.h>

struct fields {
    unsigned year, month, day, hour, minute, second;
};

static bool
take_number(const char **text, unsigned digits, unsigned *ret_value)
{
    unsigned value = 0;

    for (unsigned i = 0; i < digits; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (unsigned)(c - '0');
    }
    *text += digits;
    *ret_value = value;
    return true;
}

static bool
take_char(const char **text, char wanted)
{
    if (**text != wanted)
        return false;
    (*text)++;
    return true;
}

/* Three letters from a list; gives its place in it. */
static bool
take_name(const char **text, const char names[][4], unsigned count, unsigned *ret_index)
{
    for (unsigned i = 0; i < count; i++) {
        if (strncmp(*text, names[i], 3) != 0)
            continue;
        *text += 3;
        *ret_index = i;
        return true;
    }
    return false;
}

/* "15:04:05" */
static bool
take_clock(const char **text, struct fields *at)
{
    return take_number(text, 2, &at->hour) && take_char(text, ':') &&
           take_number(text, 2, &at->minute) && take_char(text, ':') &&
           take_number(text, 2, &at->second);
}

/* A second 60 is a leap second (RFC 3339 section 5.6), which this clock, like every Unix clock,
 * counts as the next minute's first. */
static bool
to_seconds(const struct fields *at, int64_t *ret_seconds)
{
    static const unsigned days_in[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    if (at->month < 1 || at->month > 12 || at->hour > 23 || at->minute > 59 || at->second > 60)
        return false;
    bool leap_year = (at->year % 4 == 0 && at->year % 100 != 0) || at->year % 400 == 0;
    unsigned days = days_in[at->month - 1] + (at->month == 2 && leap_year);
    if (at->day < 1 || at->day > days)
        return false;
    *ret_seconds = hf_days_of_date(at->year, at->month, at->day) * HF_DAY_S +
                   (int64_t)at->hour * 3600 + (int64_t)at->minute * 60 + at->second;
    return true;
}

/* "Z", "+02:00" or "-02:00" and nothing after it. */
static bool
take_offset(const char **text, int64_t *ret_seconds)
{
    unsigned hours, minutes;

    if (take_char(text, 'Z') || take_char(text, 'z')) {
        *ret_seconds = 0;
        return true;
    }
    bool west = **text == '-';
    if (!west && **text != '+')
        return false;
    (*text)++;
    if (!take_number(text, 2, &hours) || !take_char(text, ':') || !take_number(text, 2, &minutes) ||
        hours > 23 || minutes > 59)
        return false;
    int64_t size = (int64_t)hours * 3600 + (int64_t)minutes * 60;
    *ret_seconds = west ? -size : size;
    return true;
}

bool
hf_time_parse_rfc3339(const char *text, int64_t *ret_seconds)
{
    struct fields at = { 0 };
    int64_t seconds, offset_s;

    if (!take_number(&text, 4, &at.year) || !take_char(&text, '-') ||
        !take_number(&text, 2, &at.month) || !take_char(&text, '-') ||
        !take_number(&text, 2, &at.day))
        return false;
    if ((!take_char(&text, 'T') && !take_char(&text, 't')) || !take_clock(&text, &at))
        return false;
    if (take_char(&text, '.')) {
        size_t digits = strspn(text, "0123456789");
        if (digits == 0)
            return false;
        text += digits;
    }
    if (!take_offset(&text, &offset_s) || *text != '\0' || !to_seconds(&at, &seconds))
        return false;
    seconds -= offset_s; /* which may lead out of what a ledger or digest can say again */
    if (seconds < HF_SHOWN_FIRST_S || seconds > HF_SHOWN_LAST_S)
        return false;
    *ret_seconds = seconds;
    return true;
}

bool
hf_time_parse_http(const char *text, int64_t *ret_seconds)
{
    struct fields at = { 0 };
    unsigned weekday, month;

    /* The weekday is looked at but not compared: a server that errs there still has the right
     * second. */
    if (!take_name(&text, hf_weekday_names, 7, &weekday) || !take_char(&text, ',') ||
        !take_char(&text, ' ') || !take_number(&text, 2, &at.day) || !take_char(&text, ' ') ||
        !take_name(&text, hf_month_names, 12, &month) || !take_char(&text, ' ') ||
        !take_number(&text, 4, &at.year) || !take_char(&text, ' ') || !take_clock(&text, &at))
        return false;
    at.month = month + 1;
    return strcmp(text, " GMT") == 0 && to_seconds(&at, ret_seconds);
}

bool
hf_time_parse_compact(const char *text, int64_t *ret_seconds)
{
    struct fields at = { 0 };

    if (!take_number(&text, 4, &at.year) || !take_number(&text, 2, &at.month) ||
        !take_number(&text, 2, &at.day) || !take_char(&text, 'T') ||
        !take_number(&text, 2, &at.hour) || !take_number(&text, 2, &at.minute) ||
        !take_number(&text, 2, &at.second))
        return false;
    return strcmp(text, "Z") == 0 && to_seconds(&at, ret_seconds);
}
