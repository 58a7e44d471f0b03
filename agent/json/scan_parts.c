/* The parts of the grammar that are rare enough, or slow enough anyway, to be shared by all twins.
 */
#include <string.h>

#include "json_impl.h"

const uint8_t *
hf_json_fail(struct hf_json_fault *fault, const uint8_t *at, const char *reason)
{
    fault->reason = reason;
    fault->at = at;
    return NULL;
}

static bool
is_digit(const uint8_t *at, const uint8_t *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* \uXXXX at `at`. */
static bool
unit_parse(const uint8_t *at, const uint8_t *end, unsigned *ret_unit)
{
    uint8_t unit[2];
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u' ||
        !hf_unhex((const char *)at + 2, 4, unit, sizeof(unit)))
        return false;
    *ret_unit = (unsigned)unit[0] << 8 | unit[1];
    return true;
}

const uint8_t *
hf_json_escape_end(const uint8_t *at, const uint8_t *end, struct hf_json_fault *fault)
{
    unsigned unit, low;

    if (end - at >= 2 && at[1] != '\0' && strchr("\"\\/bfnrt", at[1]))
        return at + 2;
    if (!unit_parse(at, end, &unit))
        return hf_json_fail(fault, at, "invalid escape");
    if (unit < 0xd800 || unit > 0xdfff)
        return at + 6;
    /* The grammar allows half a pair, but no text can hold what it stands for. */
    if (unit > 0xdbff || !unit_parse(at + 6, end, &low) || low < 0xdc00 || low > 0xdfff)
        return hf_json_fail(fault, at, "unpaired surrogate");
    return at + 12;
}

/* RFC 3629 section 4: the second byte's range rules out overlong forms, surrogates and what lies
 * past U+10FFFF. */
static const uint8_t *
character_end(const uint8_t *at, const uint8_t *end)
{
    uint8_t first = *at, low = 0x80, high = 0xbf;
    int more;

    if (first >= 0xc2 && first <= 0xdf)
        more = 1;
    else if (first >= 0xe0 && first <= 0xef)
        more = 2;
    else if (first >= 0xf0 && first <= 0xf4)
        more = 3;
    else
        return NULL;
    if (first == 0xe0)
        low = 0xa0;
    else if (first == 0xed)
        high = 0x9f;
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f;
    if (end - at <= more || at[1] < low || at[1] > high)
        return NULL;
    for (int i = 2; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return NULL;
    }
    return at + 1 + more;
}

const uint8_t *
hf_json_utf8_end(const uint8_t *at, const uint8_t *end, struct hf_json_fault *fault)
{
    while (at < end && *at >= 0x80) {
        const uint8_t *next = character_end(at, end);
        if (!next)
            return hf_json_fail(fault, at, "invalid UTF-8");
        at = next;
    }
    return at;
}

bool
hf_utf8_valid(struct hf_slice text)
{
    const uint8_t *at = text.ptr, *end = at + text.size;
    struct hf_json_fault fault;

    while (at < end) {
        uint64_t word;
        if (end - at >= 8 && (memcpy(&word, at, 8), (word & 0x8080808080808080ull) == 0)) {
            at += 8;
        } else if (*at < 0x80) {
            at++;
        } else {
            at = hf_json_utf8_end(at, end, &fault);
            if (!at)
                return false;
        }
    }
    return true;
}

const uint8_t *
hf_json_number_end(const uint8_t *at, const uint8_t *end, struct hf_json_fault *fault)
{
    const uint8_t *start = at;

    at += *at == '-';
    if (!is_digit(at, end))
        return hf_json_fail(fault, start, "invalid number");
    if (*at == '0')
        at++;
    else
        while (is_digit(at, end))
            at++;
    if (is_digit(at, end))
        return hf_json_fail(fault, start, "invalid number");
    if (at < end && *at == '.') {
        at++;
        if (!is_digit(at, end))
            return hf_json_fail(fault, start, "invalid number");
        while (is_digit(at, end))
            at++;
    }
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        if (!is_digit(at, end))
            return hf_json_fail(fault, start, "invalid number");
        while (is_digit(at, end))
            at++;
    }
    return at;
}

const uint8_t *
hf_json_literal_end(const uint8_t *at, const uint8_t *end, struct hf_json_fault *fault)
{
    size_t left = (size_t)(end - at);

    if (left >= 4 && (memcmp(at, "null", 4) == 0 || memcmp(at, "true", 4) == 0))
        return at + 4;
    if (left >= 5 && memcmp(at, "false", 5) == 0)
        return at + 5;
    return hf_json_fail(fault, at, "expected a value");
}
