/* How many records has {"Records":[...]}? The text was written by an agent and has passed its hash,
 * so this only counts, in one pass and without a tree of it: strings are stepped over, brackets are
 * balanced. */
#include <string.h>

#include "agent/verify/look.h"

/* Behind the closing quote; `at` stands on the opening one. NULL: there is none. */
static const uint8_t *
skip_string(const uint8_t *at, const uint8_t *end)
{
    for (at++; at < end; at++) {
        if (*at == '"')
            return at + 1;
        if (*at == '\\')
            at++;
    }
    return NULL;
}

static const uint8_t *
skip_space(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

/* Behind the bracket that opens the array of that name in the outermost object, or NULL. */
static const uint8_t *
find_array(const uint8_t *at, const uint8_t *end, const char *quoted_name)
{
    size_t depth = 0;

    while (at < end) {
        const uint8_t *begin = at;
        if (*at == '"') {
            at = skip_string(at, end);
            if (!at)
                return NULL;
            if (depth != 1 || !hf_slice_is(hf_slice(begin, (size_t)(at - begin)), quoted_name))
                continue;
            at = skip_space(at, end);
            if (at == end || *at != ':')
                continue; /* it was a value */
            at = skip_space(at + 1, end);
            return at < end && *at == '[' ? at + 1 : NULL;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        at++;
    }
    return NULL;
}

bool
records_count(struct hf_slice json, uint64_t *ret_count)
{
    const uint8_t *end = json.ptr + json.size;
    const uint8_t *at = json.size ? find_array(json.ptr, end, "\"Records\"") : NULL;
    uint64_t commas = 0;
    size_t depth = 1;
    bool any = false;

    if (!at)
        return false;
    while ((at = skip_space(at, end)) < end) {
        if (*at == '"') {
            any = true;
            at = skip_string(at, end);
            if (!at)
                return false;
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        if (depth == 0) {
            *ret_count = any ? commas + 1 : 0;
            return true;
        }
        any = true;
        commas += depth == 1 && *at == ',';
        at++;
    }
    return false;
}
