/* What is in a text that the scanner has found valid, item after item: so brackets pair, strings end
 * and depth is bounded, and each step only has to find out how far a value goes. What is not looked
 * into is stepped over in one run. */
#include <string.h>

#include "json_impl.h"

static const uint8_t *
behind_space(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

static const uint8_t *
behind_string(const uint8_t *at, const uint8_t *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

static bool
ends_scalar(uint8_t byte)
{
    return byte == ',' || byte == '}' || byte == ']' || byte == ' ' || byte == '\n' ||
           byte == '\r' || byte == '\t';
}

static const uint8_t *
behind_value(const uint8_t *at, const uint8_t *end)
{
    size_t depth = 0;

    if (at < end && *at != '"' && *at != '{' && *at != '[') {
        while (at < end && !ends_scalar(*at))
            at++;
        return at;
    }
    while (at < end) {
        if (*at == '"') {
            at = behind_string(at, end);
        } else {
            depth += *at == '{' || *at == '[';
            depth -= *at == '}' || *at == ']';
            at++;
        }
        if (depth == 0)
            return at;
    }
    return end;
}

bool
hf_json_items_begin(struct hf_slice value, char opening, struct hf_json_items *ret_items)
{
    if (!value.ptr || value.size < 2 || value.ptr[0] != (uint8_t)opening)
        return false;
    *ret_items = (struct hf_json_items){ .at = value.ptr + 1,
                                         .end = value.ptr + value.size - 1,
                                         .has_keys = opening == '{' };
    return true;
}

bool
hf_json_items_next(struct hf_json_items *items, struct hf_slice *ret_key,
                   struct hf_slice *ret_value)
{
    const uint8_t *end = items->end, *at = behind_space(items->at, end), *from;

    *ret_key = (struct hf_slice){ NULL, 0 };
    if (at < end && *at == ',')
        at = behind_space(at + 1, end);
    if (at == end)
        return false;
    if (items->has_keys) {
        from = at;
        at = behind_string(at, end);
        *ret_key = hf_slice(from, (size_t)(at - from));
        at = behind_space(at, end);
        at = behind_space(at < end ? at + 1 : end, end); /* the colon */
    }
    from = at;
    at = behind_value(at, end);
    *ret_value = hf_slice(from, (size_t)(at - from));
    items->at = at;
    return true;
}

/* ---- strings ---- */

static unsigned
unit_at(const uint8_t *digits)
{
    uint8_t unit[2] = { 0, 0 };

    (void)hf_unhex((const char *)digits, 4, unit, sizeof(unit));
    return (unsigned)unit[0] << 8 | unit[1];
}

static size_t
utf8_of(unsigned code, uint8_t ret_bytes[4])
{
    if (code < 0x80) {
        ret_bytes[0] = (uint8_t)code;
        return 1;
    }
    size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t first[] = { [2] = 0xc0, [3] = 0xe0, [4] = 0xf0 };
    for (size_t i = size; i-- > 1; code >>= 6)
        ret_bytes[i] = (uint8_t)(0x80 | (code & 0x3f));
    ret_bytes[0] = (uint8_t)(first[size] | code);
    return size;
}

/* The character of the escape at `at`; what is behind it. Halves of a pair come in pairs here. */
static const uint8_t *
take_escape(const uint8_t *at, unsigned *ret_code)
{
    static const char plain[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";

    if (at[1] != 'u') {
        const char *found = strchr(plain, at[1]);
        *ret_code = found ? (unsigned char)means[found - plain] : at[1];
        return at + 2;
    }
    *ret_code = unit_at(at + 2);
    if (*ret_code < 0xd800 || *ret_code > 0xdfff)
        return at + 6;
    *ret_code = 0x10000 + ((*ret_code - 0xd800) << 10) + (unit_at(at + 8) - 0xdc00);
    return at + 12;
}

bool
hf_json_decode(struct hf_slice string, char *ret_text, size_t size)
{
    size_t used = 0;

    if (!hf_json_is_string(string))
        return false;
    const uint8_t *at = string.ptr + 1, *end = string.ptr + string.size - 1;
    while (at < end) {
        uint8_t bytes[4] = { *at };
        size_t count = 1;
        if (*at == '\\') {
            unsigned code;
            at = take_escape(at, &code);
            count = utf8_of(code, bytes);
        } else {
            at++;
        }
        if (bytes[0] == '\0' || used + count >= size)
            return false;
        memcpy(ret_text + used, bytes, count);
        used += count;
    }
    ret_text[used] = '\0';
    return true;
}

/* ---- members by their names ---- */

#define NAME_SIZE 64

static bool
is_key(struct hf_slice key, const char *name)
{
    char decoded[NAME_SIZE];

    if (!memchr(key.ptr, '\\', key.size))
        return hf_slice_is(hf_slice(key.ptr + 1, key.size - 2), name);
    return hf_json_decode(key, decoded, sizeof(decoded)) && strcmp(decoded, name) == 0;
}

bool
hf_json_pick(struct hf_slice object, const char *const *names, size_t count,
             struct hf_slice *ret_values, const char **ret_twice)
{
    struct hf_json_items items;
    struct hf_slice key, value;

    memset(ret_values, 0, count * sizeof(*ret_values));
    *ret_twice = NULL;
    if (!hf_json_items_begin(object, '{', &items))
        return false;
    while (hf_json_items_next(&items, &key, &value)) {
        size_t i = 0;
        while (i < count && !is_key(key, names[i]))
            i++;
        if (i == count)
            continue;
        if (ret_values[i].ptr) {
            *ret_twice = names[i];
            return false;
        }
        ret_values[i] = value;
    }
    return true;
}
