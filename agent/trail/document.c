/* Documents by a table: the writer and the reader of every field kind, side by side. */
#include "agent/trail/document.h"

#include <holdfast/json.h>
#include <holdfast/window.h>
#include <string.h>

/* The end of 9999, which is the longest that anything is locked: hf_day_after(). Further ones could
 * not be counted on from. */
#define TIME_MOST_S UINT64_C(253402300800)

/* ---- lists ---- */

bool
selection_is_none(const struct hf_selection *selection)
{
    static const uint8_t none[sizeof(selection->bits)];
    return !selection->all && memcmp(selection->bits, none, sizeof(none)) == 0;
}

static json_t *
selection_write(const struct hf_selection *selection)
{
    if (selection->all)
        return json_null();
    json_t *ids = json_array();
    for (unsigned id = 0; id < HF_SOURCES_MAX; id++) {
        if (selection->bits[id / 8] >> id % 8 & 1)
            json_array_append_new(ids, json_integer(id));
        if (!selection->bits[id / 8])
            id |= 7; /* most of them are none */
    }
    return ids;
}

static void
selection_read(const json_t *ids, struct hf_selection *ret_selection)
{
    *ret_selection = (struct hf_selection){ .all = !json_is_array(ids) };
    size_t index;
    json_t *id;
    json_array_foreach(ids, index, id)
    {
        json_int_t value = json_integer_value(id);
        if (value > 0 && value < HF_SOURCES_MAX)
            hf_selection_add(ret_selection, (uint16_t)value);
    }
}

static json_t *
ranges_write(const struct hf_journal_loss *ranges, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_pack("[I, I]", (json_int_t)ranges[i].first_seq,
                                               (json_int_t)ranges[i].last_seq));
    return array;
}

/* A pointer of whatever type. */
static void *
pointer_at(const void *at)
{
    void *pointer;
    memcpy(&pointer, at, sizeof(pointer));
    return pointer;
}

static void
pointer_put(void *at, void *pointer)
{
    memcpy(at, &pointer, sizeof(pointer));
}

static void *
ranges_read(const json_t *array, size_t *ret_count)
{
    size_t index, count = 0, room = json_array_size(array);
    struct hf_journal_loss *ranges = room ? hf_alloc(room * sizeof(*ranges)) : NULL;
    json_t *pair;
    json_array_foreach(array, index, pair)
    {
        json_int_t first = json_integer_value(json_array_get(pair, 0)),
                   last = json_integer_value(json_array_get(pair, 1));
        if (first > 0 && last >= first)
            ranges[count++] = (struct hf_journal_loss){ .first_seq = (uint64_t)first,
                                                        .last_seq = (uint64_t)last };
    }
    *ret_count = count;
    return ranges;
}

static json_t *
texts_write(const char *const *texts, size_t count)
{
    hf_owned(hf_doc_freep) json_t *one = json_object();
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        hf_doc_set_text(one, "text", texts[i]);
        json_array_append(array, json_object_get(one, "text"));
    }
    return array;
}

static void *
texts_read(const json_t *array, size_t *ret_count)
{
    size_t index, count = 0, room = json_array_size(array);
    const char **texts = room ? hf_alloc(room * sizeof(*texts)) : NULL;
    json_t *text;
    json_array_foreach(array, index, text)
    {
        if (json_is_string(text))
            texts[count++] = json_string_value(text);
    }
    *ret_count = count;
    return texts;
}

static json_t *
list_write(const struct table *of, const char *items, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, document_write(of, items + i * of->size));
    return array;
}

static enum hf_status
list_read(const struct table *of, const json_t *array, void *ret_items, size_t *ret_count,
          struct hf_error *err)
{
    size_t index, room = 0;
    char *items = NULL;
    json_t *doc;
    *ret_count = 0;
    json_array_foreach(array, index, doc)
    {
        if (index == room) {
            room = HF_MIN(room ? 2 * room : 8, json_array_size(array));
            items = hf_realloc(items, room * of->size);
            pointer_put(ret_items, items); /* freed by document_done(), also after a failure */
        }
        enum hf_status status = document_read(of, doc, items + index * of->size, err);
        if (status != HF_OK)
            return status;
        ++*ret_count;
    }
    return HF_OK;
}

/* ---- fields ---- */

static bool
is_number(enum field_kind kind)
{
    return kind == U64 || kind == U64_END || kind == TIME || kind == SIGNED || kind == UINT;
}

static int64_t
number_of(const struct field *field, const void *at)
{
    if (field->kind == UINT)
        return *(const unsigned *)at;
    if (field->kind == U64 || field->kind == U64_END)
        return (int64_t)HF_MIN(*(const uint64_t *)at, (uint64_t)INT64_MAX);
    return field->kind == TIME ? HF_MAX(*(const int64_t *)at, 0) : *(const int64_t *)at;
}

static bool
is_left_out(const struct field *field, const char *said)
{
    const char *at = said + field->at;
    switch (field->kind) {
    case FLAG: return !*(const bool *)at;
    case U64_END: return *(const uint64_t *)at == UINT64_MAX;
    case PART: return *(const uint64_t *)at == 0;
    case TEXT:
    case HASH: return field->need == SPARSE && !*(const char *const *)at;
    case RANGES:
    case TEXTS:
    case LIST: return field->need == SPARSE && !*(const size_t *)(said + field->count_at);
    case SELECTION: return field->need == SPARSE && selection_is_none((const void *)at);
    case U64:
    case TIME:
    case SIGNED:
    case UINT: break;
    }
    return field->need == SPARSE && number_of(field, at) == 0;
}

static json_t *
array_write(const struct field *field, const char *said)
{
    const void *items = pointer_at(said + field->at);
    size_t count = *(const size_t *)(said + field->count_at);
    if (field->kind == RANGES)
        return ranges_write(items, count);
    return field->kind == TEXTS ? texts_write(items, count) : list_write(field->of, items, count);
}

json_t *
document_write(const struct table *table, const void *said)
{
    json_t *doc = json_object();
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        const void *at = (const char *)said + field->at;
        if (is_left_out(field, said))
            continue;
        switch (field->kind) {
        case TEXT:
        case HASH: hf_doc_set_text(doc, field->name, *(const char *const *)at); break;
        case FLAG: hf_doc_set_bool(doc, field->name, true); break;
        case SELECTION: hf_doc_set(doc, field->name, selection_write(at)); break;
        case RANGES:
        case TEXTS:
        case LIST: hf_doc_set(doc, field->name, array_write(field, said)); break;
        case PART: hf_doc_set(doc, field->name, document_write(field->of, at)); break;
        case U64:
        case U64_END:
        case TIME:
        case SIGNED:
        case UINT: hf_doc_set(doc, field->name, json_integer(number_of(field, at))); break;
        }
    }
    return doc;
}

/* What is there and is no number of its kind is as if it were not there, where it need not be. */
static enum hf_status
number_read(const struct field *field, const json_t *doc, void *at, struct hf_error *err)
{
    const json_t *value = json_object_get(doc, field->name);
    uint64_t number = field->kind == U64_END ? UINT64_MAX : 0;
    enum hf_status status;
    if (field->kind == SIGNED) {
        *(int64_t *)at = json_integer_value(value);
        return HF_OK;
    }
    if (field->need == MUST) {
        if ((status = hf_doc_u64(doc, field->name, &number, err)) != HF_OK)
            return status;
    } else {
        number = hf_doc_u64_or(doc, field->name, number);
    }
    uint64_t most = field->kind == TIME ? TIME_MOST_S : field->most;
    if (most && number > most)
        return hf_fail(err, HF_ECORRUPT, "key '%s' is more than %llu", field->name,
                       (unsigned long long)most);
    if (field->kind == UINT)
        *(unsigned *)at = (unsigned)number;
    else if (field->kind == TIME)
        *(int64_t *)at = (int64_t)number;
    else
        *(uint64_t *)at = number;
    return HF_OK;
}

static enum hf_status
text_read(const struct field *field, const json_t *doc, const char **ret_text, struct hf_error *err)
{
    const char *text = NULL;
    enum hf_status status = HF_OK;
    if (field->need == MUST)
        status = hf_doc_text(doc, field->name, &text, err);
    else
        text = hf_doc_text_or(doc, field->name, NULL);
    if (status != HF_OK)
        return status;
    if (field->kind == HASH && strlen(text) != 64)
        return hf_fail(err, HF_ECORRUPT, "key '%s' is not 64 digits", field->name);
    if (text && field->most && strlen(text) > field->most)
        return hf_fail(err, HF_ECORRUPT, "key '%s' has more than %llu characters", field->name,
                       (unsigned long long)field->most);
    *ret_text = text;
    return HF_OK;
}

static enum hf_status
field_read(const struct field *field, const json_t *doc, char *said, struct hf_error *err)
{
    void *at = said + field->at;
    size_t *count = (size_t *)(said + field->count_at);
    json_t *value = json_object_get(doc, field->name);
    if (is_number(field->kind))
        return number_read(field, doc, at, err);
    switch (field->kind) {
    case TEXT:
    case HASH: return text_read(field, doc, at, err);
    case FLAG: *(bool *)at = json_is_true(value); break;
    case SELECTION: selection_read(value, at); break;
    case RANGES: pointer_put(at, ranges_read(value, count)); break;
    case TEXTS: pointer_put(at, texts_read(value, count)); break;
    case LIST: return list_read(field->of, value, at, count, err);
    case PART: return value ? document_read(field->of, value, at, err) : HF_OK;
    default: break; /* a number */
    }
    return HF_OK;
}

enum hf_status
document_read(const struct table *table, const json_t *doc, void *ret_said, struct hf_error *err)
{
    enum hf_status status = HF_OK;
    memset(ret_said, 0, table->size);
    for (size_t i = 0; i < table->count && status == HF_OK; i++)
        status = field_read(&table->fields[i], doc, ret_said, err);
    if (status == HF_OK && table->settle)
        status = table->settle(ret_said, err);
    if (status != HF_OK)
        document_done(table, ret_said);
    return status;
}

static void
list_done(const struct table *of, char *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        document_done(of, items + i * of->size);
}

void
document_done(const struct table *table, void *said)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct field *field = &table->fields[i];
        char *at = (char *)said + field->at;
        size_t *count = (size_t *)((char *)said + field->count_at);
        if (field->kind == PART)
            document_done(field->of, at);
        if (field->kind == LIST)
            list_done(field->of, pointer_at(at), *count);
        if (field->kind == LIST || field->kind == RANGES || field->kind == TEXTS) {
            hf_freep(at);
            *count = 0;
        }
    }
}
