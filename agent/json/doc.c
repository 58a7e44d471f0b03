/* jansson with bounds and messages: for configuration, digests, receipts and replies, never for
 * events. */
#include <stdlib.h>
#include <string.h>

#include "json_impl.h"

static void *
allocate(size_t size)
{
    return hf_realloc(NULL, size);
}

/* jansson's memory is never NULL either: else it calls a document invalid when it was short of
 * memory, and whoever reads a ledger would believe it. Before main(), so that no document of an
 * earlier kind is ever freed. */
static void __attribute__((constructor)) take_memory_from_base(void)
{
    json_set_alloc_funcs(allocate, free);
}

enum hf_status
hf_doc_parse(struct hf_slice text, size_t max, const char *what, json_t **ret_doc,
             struct hf_error *err)
{
    if (text.size > max)
        return hf_fail(err, HF_ELIMIT, "%s has %zu bytes, more than the %zu allowed", what,
                       text.size, max);
    json_error_t error;
    json_t *doc = json_loadb(text.ptr ? (const char *)text.ptr : "", text.size,
                             JSON_REJECT_DUPLICATES, &error);
    if (!doc)
        return hf_fail(err, HF_EFORMAT, "%s is not valid JSON: line %d, column %d: %s", what,
                       error.line, error.column, error.text);
    *ret_doc = doc;
    return HF_OK;
}

void
hf_doc_freep(json_t **doc)
{
    json_decref(*doc);
    *doc = NULL;
}

static int
dump_piece(const char *bytes, size_t size, void *context)
{
    return hf_buf_add(context, bytes, size) == HF_OK ? 0 : -1;
}

static enum hf_status
dump(const json_t *doc, size_t flags, struct hf_buf *ret_text)
{
    hf_assert(doc != NULL);
    size_t before = ret_text->size;
    if (json_dump_callback(doc, dump_piece, ret_text, flags | JSON_ENCODE_ANY) == 0)
        return HF_OK;
    /* Documents are trees that we parsed or built from checked text: only the buffer's maximum can
     * stop a dump. */
    if (ret_text->ptr) {
        ret_text->size = before;
        ret_text->ptr[before] = '\0';
    }
    return HF_ELIMIT;
}

enum hf_status
hf_doc_dump(const json_t *doc, struct hf_buf *ret_text)
{
    return dump(doc, JSON_COMPACT, ret_text);
}

enum hf_status
hf_doc_dump_pretty(const json_t *doc, struct hf_buf *ret_text)
{
    return dump(doc, JSON_INDENT(2), ret_text);
}

static const char *
kind_text(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "an array";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "a whole number";
    case JSON_REAL: return "a number with a fraction";
    case JSON_TRUE:
    case JSON_FALSE: return "true or false";
    case JSON_NULL: break;
    }
    return "null";
}

static enum hf_status
wrong(const json_t *value, const char *key, const char *wanted, struct hf_error *err)
{
    if (!value)
        return hf_fail(err, HF_EFORMAT, "key '%s' is missing, expected %s", key, wanted);
    return hf_fail(err, HF_EFORMAT, "key '%s' is %s, expected %s", key, kind_text(value), wanted);
}

enum hf_status
hf_doc_text(const json_t *doc, const char *key, const char **ret_text, struct hf_error *err)
{
    const json_t *value = json_object_get(doc, key);
    if (!json_is_string(value))
        return wrong(value, key, "a string", err);
    *ret_text = json_string_value(value);
    return HF_OK;
}

enum hf_status
hf_doc_u64(const json_t *doc, const char *key, uint64_t *ret_value, struct hf_error *err)
{
    const json_t *value = json_object_get(doc, key);
    if (!json_is_integer(value))
        return wrong(value, key, "a whole number", err);
    if (json_integer_value(value) < 0)
        return hf_fail(err, HF_EFORMAT, "key '%s' is negative", key);
    *ret_value = (uint64_t)json_integer_value(value);
    return HF_OK;
}

enum hf_status
hf_doc_bool(const json_t *doc, const char *key, bool *ret_value, struct hf_error *err)
{
    const json_t *value = json_object_get(doc, key);
    if (!json_is_boolean(value))
        return wrong(value, key, "true or false", err);
    *ret_value = json_is_true(value);
    return HF_OK;
}

enum hf_status
hf_doc_array(const json_t *doc, const char *key, json_t **ret_borrowed, struct hf_error *err)
{
    json_t *value = json_object_get(doc, key);
    if (!json_is_array(value))
        return wrong(value, key, "an array", err);
    *ret_borrowed = value;
    return HF_OK;
}

static bool
is_left_out(const json_t *doc, const char *key, bool optional)
{
    const json_t *value = json_object_get(doc, key);
    return optional && (!value || json_is_null(value));
}

enum hf_status
hf_doc_take_text(const json_t *doc, const char *key, bool optional, size_t max, char **ret_text,
                 struct hf_error *err)
{
    const char *text;
    if (is_left_out(doc, key, optional))
        return HF_OK;
    enum hf_status status = hf_doc_text(doc, key, &text, err);
    if (status != HF_OK)
        return status;
    if (strlen(text) > max || hf_has_control(text))
        return hf_fail(err, HF_EFORMAT, "key '%s' is over %zu bytes or has control characters", key,
                       max);
    *ret_text = hf_strdup(text);
    return HF_OK;
}

enum hf_status
hf_doc_copy_text(const json_t *doc, const char *key, char *ret_text, size_t size,
                 struct hf_error *err)
{
    const char *text;
    enum hf_status status = hf_doc_text(doc, key, &text, err);
    if (status != HF_OK)
        return status;
    size_t length = json_string_length(json_object_get(doc, key));
    if (length >= size || strlen(text) != length)
        return hf_fail(err, HF_EFORMAT, "key '%s' is over %zu bytes or has a NUL", key, size - 1);
    memcpy(ret_text, text, length + 1);
    return HF_OK;
}

enum hf_status
hf_doc_time(const json_t *doc, const char *key, bool optional, int64_t *ret_seconds,
            struct hf_error *err)
{
    const char *text;
    if (is_left_out(doc, key, optional))
        return HF_OK;
    enum hf_status status = hf_doc_text(doc, key, &text, err);
    if (status == HF_OK && !hf_time_parse_rfc3339(text, ret_seconds))
        return hf_fail(err, HF_EFORMAT, "key '%s' is not a time like 2026-11-22T15:04:05Z", key);
    return status;
}

enum hf_status
hf_doc_word(const json_t *doc, const char *key, const char *wanted, struct hf_error *err)
{
    const char *text;
    enum hf_status status = hf_doc_text(doc, key, &text, err);
    if (status == HF_OK && strcmp(text, wanted) != 0)
        return hf_fail(err, HF_EFORMAT, "key '%s' is '%.64s', expected '%s'", key, text, wanted);
    return status;
}

const char *
hf_doc_text_or(const json_t *doc, const char *key, const char *fallback)
{
    const char *text = json_string_value(json_object_get(doc, key));
    return text ? text : fallback;
}

uint64_t
hf_doc_u64_or(const json_t *doc, const char *key, uint64_t fallback)
{
    const json_t *value = json_object_get(doc, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return fallback;
    return (uint64_t)json_integer_value(value);
}

void
hf_doc_set(json_t *doc, const char *key, json_t *value)
{
    int failed = json_object_set_new(doc, key, value);
    hf_assert(failed == 0);
}

void
hf_doc_set_text(json_t *doc, const char *key, const char *text)
{
    json_t *value = text ? json_string(text) : json_null();
    if (!value) { /* no UTF-8: a file's name, or a text that was cut within a character */
        hf_owned(hf_freep) char *plain = hf_strdup(text);
        for (char *c = plain; *c; c++)
            if ((unsigned char)*c >= 0x80)
                *c = '?';
        value = json_string(plain);
    }
    hf_doc_set(doc, key, value);
}

void
hf_doc_set_u64(json_t *doc, const char *key, uint64_t value)
{
    hf_doc_set(doc, key, json_integer((json_int_t)HF_MIN(value, (uint64_t)INT64_MAX)));
}

json_t *
hf_doc_status_counts(const uint64_t counts[HF_STATUS_COUNT])
{
    json_t *doc = json_object();
    for (int status = HF_OK + 1; status < HF_STATUS_COUNT; status++) {
        if (counts[status])
            hf_doc_set_u64(doc, hf_status_name((enum hf_status)status), counts[status]);
    }
    return doc;
}

void
hf_doc_set_bool(json_t *doc, const char *key, bool value)
{
    hf_doc_set(doc, key, json_boolean(value));
}
