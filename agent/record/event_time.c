/* eventTime. CloudTrail's readers know one form of it, YYYY-MM-DDThh:mm:ssZ, and some end with an
 * error on any other; programs write many. Without a zone it is UTC. */
#include "agent/record/record_impl.h"

#include <holdfast/json.h>
#include <stdio.h>
#include <string.h>

#define TEXT_SIZE 64
#define DIGITS    "0123456789"

/* The years that four digits can write and that readers take (Python's begin with 1). */
#define FIRST_S (-62135596800ll)
#define LAST_S  253402300799ll

static bool
is_one_of(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    return false;
}

/* "", "Z", "UTC", "+02", "+0200" or "+02:00", as RFC 3339 wants it. */
static bool
strict_zone(const char *text, char ret_zone[8])
{
    static const char *const utc[] = { "", "Z", "z", "UTC", "GMT" };
    snprintf(ret_zone, 8, "Z");
    if (is_one_of(text, utc, HF_COUNT(utc)))
        return true;
    size_t hours = strspn(text + 1, DIGITS);
    const char *minutes = text + 3 + (hours == 2 && text[3] == ':');
    if ((*text != '+' && *text != '-') || (hours != 2 && hours != 4) ||
        (*minutes && (strspn(minutes, DIGITS) != 2 || minutes[2])) || (!*minutes && text[3] == ':'))
        return false;
    snprintf(ret_zone, 8, "%.3s:%.2s", text, *minutes ? minutes : "00");
    return true;
}

/* ISO 8601's and what is like it, rewritten to RFC 3339. */
static bool
parse_like_iso(const char *text, int64_t *ret_seconds)
{
    char zone[8], strict[TEXT_SIZE];
    if (strlen(text) < sizeof("2026-11-22T15:04") - 1 || !strchr("Tt ", text[10]))
        return false;
    const char *clock = text + 11, *at = clock + strspn(clock, DIGITS ":");
    size_t clock_size = (size_t)(at - clock);
    bool seconds = clock_size == sizeof("15:04:05") - 1;
    if (!seconds && clock_size != sizeof("15:04") - 1)
        return false;
    if (seconds && (*at == '.' || *at == ',')) {
        size_t digits = strspn(at + 1, DIGITS);
        if (digits == 0)
            return false;
        at += 1 + digits;
    }
    at += *at == ' ';
    if (!strict_zone(at, zone))
        return false;
    snprintf(strict, sizeof(strict), "%.10sT%.*s%s%s", text, (int)clock_size, clock,
             seconds ? "" : ":00", zone);
    return hf_time_parse_rfc3339(strict, ret_seconds);
}

/* The usual case: it looks as CloudTrail writes it. A leap second looks so, too, but readers end
 * with an error on it. */
static bool
looks_exact(struct hf_slice raw)
{
    return raw.size == sizeof("\"2026-11-22T15:04:05Z\"") - 1 && raw.ptr[11] == 'T' &&
           raw.ptr[20] == 'Z' && memcmp(raw.ptr + 18, "60", 2) != 0;
}

bool
event_time_parse(struct hf_slice raw, int64_t *ret_seconds, bool *ret_exact)
{
    char text[TEXT_SIZE];
    int64_t seconds;
    bool exact = looks_exact(raw);
    if (exact) {
        memcpy(text, raw.ptr + 1, raw.size - 2);
        text[raw.size - 2] = '\0';
        exact = hf_time_parse_rfc3339(text, &seconds);
    }
    if (!exact && !hf_json_ascii(raw, text, sizeof(text)))
        return false;
    if (!exact && !hf_time_parse_rfc3339(text, &seconds) && !parse_like_iso(text, &seconds) &&
        !hf_time_parse_compact(text, &seconds) && !hf_time_parse_http(text, &seconds))
        return false;
    if (seconds < FIRST_S || seconds > LAST_S)
        return false;
    *ret_seconds = seconds;
    *ret_exact = exact;
    return true;
}
