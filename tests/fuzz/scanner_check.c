/* The scanner against itself and against jansson. They may differ in exactly these ways, each of
 * them wanted:
 *
 *   jansson also takes a top-level array, and nesting past HF_JSON_DEPTH
 *   the scanner takes numbers too large for a double, and "\u0000" inside a key, which
 *     jansson cannot hold
 *
 * A raw NUL is never valid; jansson 2.14 loses one behind a number, so it is not asked about those.
 */
#include "scanner_check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/json/json_impl.h"

static bool
same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool
same_scan(const struct hf_json_scan *a, const struct hf_json_scan *b)
{
    for (size_t i = 0; i < HF_JSON_MEMBERS; i++) {
        if (a->member[i].ptr != b->member[i].ptr || a->member[i].size != b->member[i].size)
            return false;
    }
    return a->text.ptr == b->text.ptr && a->text.size == b->text.size && a->empty == b->empty &&
           a->names == b->names && same_text(a->doubt, b->doubt) &&
           same_text(a->reason, b->reason) && a->where == b->where;
}

static bool
check_twins(struct hf_slice text, struct hf_json_scan *ret_scan)
{
    struct hf_json_twin twins[HF_JSON_TWINS_MAX];
    size_t count = hf_json_twins(twins);
    bool valid = hf_json_scan(text, ret_scan);
    for (size_t i = 0; i < count; i++) {
        struct hf_json_scan other;
        hf_assert(twins[i].scan(text, &other) == valid);
        hf_assert(same_scan(ret_scan, &other));
    }
    hf_assert(valid == (ret_scan->reason == NULL));
    hf_assert(ret_scan->where <= text.size);
    return valid;
}

static size_t
depth(const json_t *value)
{
    size_t deepest = 0, below, i;
    const char *key;
    json_t *child;

    if (!json_is_object(value) && !json_is_array(value))
        return 0;
    json_object_foreach((json_t *)value, key, child)
    {
        below = depth(child);
        deepest = HF_MAX(deepest, below);
    }
    json_array_foreach(value, i, child)
    {
        below = depth(child);
        deepest = HF_MAX(deepest, below);
    }
    return deepest + 1;
}

#define LIKE_SCANNER (JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL)

static void
check_members(const struct hf_json_scan *scan, const json_t *doc)
{
    for (size_t i = 0; i < HF_JSON_MEMBERS; i++) {
        const json_t *expected = json_object_get(doc, hf_json_member_names[i]);
        hf_assert((expected != NULL) == (scan->member[i].ptr != NULL));
        if (!expected)
            continue;
        json_t *value = json_loadb((const char *)scan->member[i].ptr, scan->member[i].size,
                                   LIKE_SCANNER | JSON_DECODE_ANY, NULL);
        hf_assert(value && json_equal(value, expected));
        hf_assert(hf_json_is_string(scan->member[i]) == json_is_string(expected));
        json_decref(value);
    }
}

/* Jansson keeps the last of equal keys: so it sees no repetition, but every reserved word. */
static void
check_doubt(const struct hf_json_scan *scan, const json_t *doc)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)doc, key, value)
    {
        bool reserved = strcasecmp(key, "holdfast") == 0;
        for (size_t i = 0; i < HF_JSON_MEMBERS && !reserved; i++)
            reserved = strcasecmp(key, hf_json_member_names[i]) == 0 &&
                       strcmp(key, hf_json_member_names[i]) != 0;
        hf_assert(!reserved || scan->doubt);
    }
}

static void
check_jansson(struct hf_slice text, bool valid, const struct hf_json_scan *scan)
{
    json_error_t error;
    json_t *doc = json_loadb((const char *)text.ptr, text.size, LIKE_SCANNER, &error);

    if (valid && !doc) {
        hf_assert(json_error_code(&error) == json_error_numeric_overflow ||
                  json_error_code(&error) == json_error_null_byte_in_key);
    } else if (valid) {
        hf_assert(json_is_object(doc) && depth(doc) <= HF_JSON_DEPTH);
        hf_assert(scan->empty == (json_object_size(doc) == 0));
        check_members(scan, doc);
        check_doubt(scan, doc);
    } else if (doc) {
        hf_assert((strcmp(scan->reason, "nested too deep") == 0 && depth(doc) > HF_JSON_DEPTH) ||
                  (strcmp(scan->reason, "not a JSON object") == 0 && json_is_array(doc)));
    }
    json_decref(doc);
}

static void
check_utf8(struct hf_slice text)
{
    json_t *string = json_stringn((const char *)text.ptr, text.size);
    hf_assert((string != NULL) == hf_utf8_valid(text));
    json_decref(string);
}

bool
scanner_check(const uint8_t *data, size_t size)
{
    /* In a block of exactly this size AddressSanitizer sees a read past the end. */
    uint8_t *bytes = hf_alloc(size ? size : 1);
    if (size)
        memcpy(bytes, data, size);
    struct hf_slice text = { bytes, size };
    struct hf_json_scan scan;
    bool valid = check_twins(text, &scan);
    if (memchr(bytes, '\0', size))
        hf_assert(!valid);
    else
        check_jansson(text, valid, &scan);
    check_utf8(text);
    free(bytes);
    return valid;
}
