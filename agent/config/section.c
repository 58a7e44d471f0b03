/* An entry as a whole, by the table: copied, compared, cleared, told. An option that stands in
 * options.def cannot be forgotten here. */
#include "config_impl.h"

#include <holdfast/json.h>
#include <string.h>

void
hf_section_clear(enum hf_section_id section, void *entry)
{
    for (size_t i = 0; i < hf_option_count; i++)
        if (hf_options[i].section == section)
            hf_value_clear(&hf_options[i], entry);
}

static void
copy_entry(enum hf_section_id section, const void *entry, void *copy)
{
    memcpy(copy, entry, hf_sections[section].size);
    for (size_t i = 0; i < hf_option_count; i++)
        if (hf_options[i].section == section)
            hf_value_copy(&hf_options[i], entry, copy);
}

static const char *
first_changed(enum hf_section_id section, const void *a, const void *b)
{
    for (size_t i = 0; i < hf_option_count; i++) {
        const struct hf_option *option = &hf_options[i];
        if (option->section == section && option->change == HF_CHANGE_ANEW &&
            !hf_value_same(option, a, b))
            return option->key;
    }
    return NULL;
}

#define SECTION(name)                                                                              \
    void hf_config_##name##_copy(const struct hf_config_##name *entry,                             \
                                 struct hf_config_##name *ret_copy)                                \
    {                                                                                              \
        copy_entry(HF_SECTION_##name, entry, ret_copy);                                            \
    }                                                                                              \
    void hf_config_##name##_done(struct hf_config_##name *entry)                                   \
    {                                                                                              \
        hf_section_clear(HF_SECTION_##name, entry);                                                \
    }                                                                                              \
    const char *hf_config_##name##_changed(const struct hf_config_##name *a,                       \
                                           const struct hf_config_##name *b)                       \
    {                                                                                              \
        return first_changed(HF_SECTION_##name, a, b);                                             \
    }                                                                                              \
    bool hf_config_##name##_same(const struct hf_config_##name *a,                                 \
                                 const struct hf_config_##name *b)                                 \
    {                                                                                              \
        return !hf_config_##name##_changed(a, b);                                                  \
    }
SECTION(agent)
SECTION(store)
SECTION(source)
SECTION(bucket)
SECTION(trail)

static json_t *
texts(const struct hf_strings *strings)
{
    json_t *array = json_array();
    for (size_t i = 0; i < strings->count; i++)
        json_array_append_new(array, json_string(strings->items[i]));
    return array;
}

static void
tell(const struct hf_option *option, const void *entry, json_t *doc)
{
    const void *field = (const char *)entry + option->offset;
    switch (option->type) {
    case HF_OPTION_U64:
    case HF_OPTION_SIZE:
    case HF_OPTION_SECONDS: hf_doc_set_u64(doc, option->field, *(const uint64_t *)field); break;
    case HF_OPTION_BOOL: hf_doc_set_bool(doc, option->field, *(const bool *)field); break;
    case HF_OPTION_ENUM: hf_doc_set(doc, option->field, json_integer(*(const int *)field)); break;
    case HF_OPTION_STRING:
    case HF_OPTION_PATH: hf_doc_set_text(doc, option->field, *(char *const *)field); break;
    case HF_OPTION_STRINGS:
    case HF_OPTION_PATHS: hf_doc_set(doc, option->field, texts(field)); break;
    }
}

void
hf_config_trail_tell(const struct hf_config_trail *trail, json_t *doc)
{
    for (size_t i = 0; i < hf_option_count; i++)
        if (hf_options[i].section == HF_SECTION_trail && hf_options[i].change == HF_CHANGE_ANEW)
            tell(&hf_options[i], trail, doc);
}
