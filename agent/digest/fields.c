/* Members of a digest of anyone's making, each read where it stands: nothing is built of what is not
 * asked for. */
#include "agent/digest/digest_impl.h"

#include <string.h>

enum hf_status
fields_pick(struct hf_slice object, const char *const *names, size_t count,
            struct fields *ret_fields, struct hf_error *err)
{
    const char *twice;

    hf_assert(count <= FIELDS_MAX);
    ret_fields->names = names;
    if (hf_json_pick(object, names, count, ret_fields->values, &twice))
        return HF_OK;
    if (twice)
        return hf_fail(err, HF_EFORMAT, "key '%s' stands there twice", twice);
    return hf_fail(err, HF_EFORMAT, "it is not an object");
}

bool
field_is_given(const struct fields *fields, size_t at)
{
    return fields->values[at].ptr && !hf_slice_is(fields->values[at], "null");
}

static enum hf_status
wrong(const struct fields *fields, size_t at, const char *wanted, struct hf_error *err)
{
    return hf_fail(err, HF_EFORMAT, "key '%s' is %s%s", fields->names[at],
                   fields->values[at].ptr ? "not " : "missing, expected ", wanted);
}

enum hf_status
field_copy(const struct fields *fields, size_t at, bool optional, char *ret_text, size_t size,
           struct hf_error *err)
{
    if (optional && !field_is_given(fields, at)) {
        *ret_text = '\0';
        return HF_OK;
    }
    if (!hf_json_is_string(fields->values[at]))
        return wrong(fields, at, "a string", err);
    if (!hf_json_decode(fields->values[at], ret_text, size) || hf_has_control(ret_text))
        return hf_fail(err, HF_EFORMAT, "key '%s' is over %zu bytes or has control characters",
                       fields->names[at], size - 1);
    return HF_OK;
}

enum hf_status
field_text(const struct fields *fields, size_t at, bool optional, char **ret_text,
           struct hf_error *err)
{
    char text[DIGEST_TEXT_MAX + 1];

    if (optional && !field_is_given(fields, at))
        return HF_OK;
    enum hf_status status = field_copy(fields, at, false, text, sizeof(text), err);
    if (status == HF_OK)
        *ret_text = hf_strdup(text);
    return status;
}

enum hf_status
field_time(const struct fields *fields, size_t at, bool optional, int64_t *ret_seconds,
           struct hf_error *err)
{
    char text[64];

    if (optional && !field_is_given(fields, at))
        return HF_OK;
    enum hf_status status = field_copy(fields, at, false, text, sizeof(text), err);
    if (status == HF_OK && !hf_time_parse_rfc3339(text, ret_seconds))
        return wrong(fields, at, "a time like 2026-11-22T15:04:05Z", err);
    return status;
}

enum hf_status
field_u64(const struct fields *fields, size_t at, uint64_t *ret_value, struct hf_error *err)
{
    struct hf_slice value = fields->values[at];
    char digits[24];

    if (!value.ptr || value.size >= sizeof(digits))
        return wrong(fields, at, "a whole number", err);
    memcpy(digits, value.ptr, value.size);
    digits[value.size] = '\0';
    return hf_parse_u64(digits, 0, INT64_MAX, ret_value)
               ? HF_OK
               : wrong(fields, at, "a whole number from 0 on", err);
}

bool
field_is_hex(const char *text, size_t least, size_t most)
{
    size_t size = strspn(text, "0123456789abcdef");

    return text[size] == '\0' && size >= least && size <= most && size % 2 == 0;
}

enum hf_status
field_hash(const struct fields *fields, size_t at, char ret_hash[HF_SHA256_HEX_SIZE],
           struct hf_error *err)
{
    enum hf_status status = field_copy(fields, at, false, ret_hash, HF_SHA256_HEX_SIZE, err);

    if (status == HF_OK && !field_is_hex(ret_hash, HF_SHA256_HEX_SIZE - 1, HF_SHA256_HEX_SIZE - 1))
        return wrong(fields, at, "a SHA-256 in lower-case hex", err);
    return status;
}

enum hf_status
field_word(const struct fields *fields, size_t at, const char *wanted, struct hf_error *err)
{
    char text[64];
    enum hf_status status = field_copy(fields, at, false, text, sizeof(text), err);

    if (status == HF_OK && strcmp(text, wanted) != 0)
        return hf_fail(err, HF_EFORMAT, "key '%s' is '%s', expected '%s'", fields->names[at], text,
                       wanted);
    return status;
}

bool
field_items(const struct fields *fields, size_t at, struct hf_json_items *ret_items)
{
    return hf_json_items_begin(fields->values[at], '[', ret_items);
}
