/* The grammar of a JSON object, as a state machine that remembers one bit per level: whether it is
 * an object. Included once per twin, which defines
 *
 *   SCAN_TWIN     the function's name
 *   plain_run()   the first byte from `at` on that is '"', '\', a control character or not ASCII;
 *                 `end` if there is none
 *
 *         ┌─ '{' '[' ─┐
 *         ▼           │            ┌─ '}' ']' ─┐
 *   [key ':'] value ──┴─ scalar ─▶ ended ◀─────┘── ',' ──▶ [key ':'] value
 *                                    └── the top one's '}': done
 */
#include "json_impl.h"

#define always_inline inline __attribute__((always_inline))

static always_inline const uint8_t *
space_end(const uint8_t *at, const uint8_t *end)
{
    while (at < end && *at <= ' ' && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

/* `at` is behind the opening quote; the result is behind the closing one. *ret_odd becomes true when
 * not all of it is ASCII that stands for itself. */
static always_inline const uint8_t *
string_end(const uint8_t *at, const uint8_t *end, bool *ret_odd, struct hf_json_fault *fault)
{
    for (;;) {
        at = plain_run(at, end);
        if (at == end)
            return hf_json_fail(fault, at, "unfinished string");
        if (*at == '"')
            return at + 1;
        if (*at == '\\') {
            *ret_odd = true;
            at = hf_json_escape_end(at, end, fault);
        } else if (*at >= 0x80) {
            *ret_odd = true;
            at = hf_json_utf8_end(at, end, fault);
        } else {
            return hf_json_fail(fault, at, "control character in a string");
        }
        if (!at)
            return NULL;
    }
}

/* A key and its colon; *ret_member is the top-level member that it names, or NULL. */
static always_inline const uint8_t *
key_end(const uint8_t *at, const uint8_t *end, bool top, struct hf_json_scan *scan,
        struct hf_slice **ret_member, struct hf_json_fault *fault)
{
    at = space_end(at, end);
    if (at == end || *at != '"')
        return hf_json_fail(fault, at, "expected a key in quotes");
    const uint8_t *key = at + 1;
    bool odd = false;
    at = string_end(key, end, &odd, fault);
    if (!at)
        return NULL;
    if (top)
        *ret_member = hf_json_key(scan, key, (size_t)(at - 1 - key), odd);
    at = space_end(at, end);
    if (at == end || *at != ':')
        return hf_json_fail(fault, at, "expected a colon after the key");
    return at + 1;
}

static always_inline const uint8_t *
scalar_end(const uint8_t *at, const uint8_t *end, struct hf_json_fault *fault)
{
    bool odd;
    if (*at == '"')
        return string_end(at + 1, end, &odd, fault);
    if (*at == '-' || (*at >= '0' && *at <= '9'))
        return hf_json_number_end(at, end, fault);
    return hf_json_literal_end(at, end, fault);
}

/* From the top '{' to behind its '}'. */
static always_inline const uint8_t *
object_end(const uint8_t *at, const uint8_t *end, struct hf_json_scan *scan,
           struct hf_json_fault *fault)
{
    /* Bit 0: is the innermost container an object; bit 1: the one around it ... */
    uint64_t objects = 0;
    unsigned depth = 0;
    struct hf_slice *member = NULL;
    const uint8_t *value = at;

    _Static_assert(HF_JSON_DEPTH <= 64, "one bit per level");
    for (;;) {
        at = space_end(at, end);
        if (at == end)
            return hf_json_fail(fault, at, "expected a value");
        if (depth == 1)
            value = at;
        if (*at == '{' || *at == '[') {
            if (depth == HF_JSON_DEPTH)
                return hf_json_fail(fault, at, "nested too deep");
            objects = objects << 1 | (*at == '{');
            depth++;
            at = space_end(at + 1, end);
            if (at == end || *at != (objects & 1 ? '}' : ']')) {
                if (objects & 1)
                    at = key_end(at, end, depth == 1, scan, &member, fault);
                if (!at)
                    return NULL;
                continue;
            }
            scan->empty = depth == 1;
            goto close;
        }
        at = scalar_end(at, end, fault);
        if (!at)
            return NULL;
        for (;;) {
            if (depth == 1 && member)
                *member = (struct hf_slice){ value, (size_t)(at - value) };
            at = space_end(at, end);
            if (at < end && *at == ',')
                break;
            if (at == end || *at != (objects & 1 ? '}' : ']'))
                return hf_json_fail(fault, at, "expected a comma or the closing bracket");
        close:
            at++;
            objects >>= 1;
            if (--depth == 0)
                return at;
        }
        at++;
        if (objects & 1)
            at = key_end(at, end, depth == 1, scan, &member, fault);
        if (!at)
            return NULL;
    }
}

bool
SCAN_TWIN(struct hf_slice text, struct hf_json_scan *ret_scan)
{
    struct hf_json_fault fault = { NULL, NULL };
    const uint8_t *start = text.ptr, *end = start + text.size;

    *ret_scan = (struct hf_json_scan){ .empty = false };
    start = space_end(start, end);
    if (start == end || *start != '{') {
        hf_json_fail(&fault, start, "not a JSON object");
    } else {
        const uint8_t *at = object_end(start, end, ret_scan, &fault);
        if (at) {
            ret_scan->text = (struct hf_slice){ start, (size_t)(at - start) };
            at = space_end(at, end);
            if (at == end)
                return true;
            hf_json_fail(&fault, at, "something follows the object");
        }
    }
    *ret_scan =
        (struct hf_json_scan){ .reason = fault.reason, .where = (size_t)(fault.at - text.ptr) };
    return false;
}
