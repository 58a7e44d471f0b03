/* The table of options.def as rows. */
#include "config_impl.h"

#include <stdio.h>
#include <string.h>

/* Stands in the table's column of defaults. */
#define REQUIRED NULL, .required = true

const struct hf_option hf_options[] = {
#define OPTION(section_, key_, field_, type_, preset_, least_, most_, change_, help_)              \
    {                                                                                              \
        .section = HF_SECTION_##section_,                                                          \
        .key = (key_),                                                                             \
        .type = HF_OPTION_##type_,                                                                 \
        .field = #field_,                                                                          \
        .offset = offsetof(struct hf_config_##section_, field_),                                   \
        .preset = preset_,                                                                         \
        .least = (least_),                                                                         \
        .most = (most_),                                                                           \
        .change = HF_CHANGE_##change_,                                                             \
        .help = (help_),                                                                           \
    },
#include "agent/config/options.def"
#undef OPTION
};
const size_t hf_option_count = HF_COUNT(hf_options);

#define SECTION(name, key_, about_)                                                                \
    [HF_SECTION_##name] = {                                                                        \
        .key = (key_),                                                                             \
        .about = (about_),                                                                         \
        .size = sizeof(struct hf_config_##name),                                                   \
        .is_list = true,                                                                           \
        .items_offset = offsetof(struct hf_config, name##s),                                       \
        .count_offset = offsetof(struct hf_config, name##_count),                                  \
    }
const struct hf_section hf_sections[HF_SECTION_COUNT] = {
    [HF_SECTION_agent] = { .key = "agent",
                           .about = "This host's agent.",
                           .size = sizeof(struct hf_config_agent),
                           .items_offset = offsetof(struct hf_config, agent) },
    SECTION(store, "stores", "Where objects can go: S3 endpoints and directories."),
    SECTION(source, "sources", "Where events come from."),
    SECTION(bucket, "buckets",
            "Places in a store, each with its lock; lifecycle and retention are set per bucket."),
    SECTION(trail, "trails", "What goes where: each trail reads the journal on its own."),
};

bool
hf_option_is_list(const struct hf_option *option)
{
    return option->type == HF_OPTION_STRINGS || option->type == HF_OPTION_PATHS;
}

struct hf_slice
hf_option_group(const struct hf_option *option)
{
    const char *dot = strchr(option->key, '.');
    return hf_slice(option->key, dot ? (size_t)(dot - option->key) : 0);
}

const char *
hf_option_leaf(const struct hf_option *option)
{
    const char *dot = strchr(option->key, '.');
    return dot ? dot + 1 : option->key;
}

const struct hf_option *
hf_option_find(enum hf_section_id section, const char *group, const char *leaf)
{
    for (size_t i = 0; i < hf_option_count; i++) {
        const struct hf_option *option = &hf_options[i];
        if (option->section == section && hf_slice_is(hf_option_group(option), group) &&
            strcmp(hf_option_leaf(option), leaf) == 0)
            return option;
    }
    return NULL;
}

const struct hf_option *
hf_option_group_first(enum hf_section_id section, const char *group)
{
    if (group[0] == '\0')
        return NULL;
    for (size_t i = 0; i < hf_option_count; i++)
        if (hf_options[i].section == section && hf_slice_is(hf_option_group(&hf_options[i]), group))
            return &hf_options[i];
    return NULL;
}

bool
hf_option_group_takes_word(const struct hf_option *first)
{
    const char *leaf = hf_option_leaf(first);
    return strcmp(leaf, "mode") == 0 || strcmp(leaf, "type") == 0;
}

size_t
hf_option_names(enum hf_section_id section, const char *group,
                struct hf_slice ret_names[HF_OPTION_NAMES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < hf_option_count; i++) {
        const struct hf_option *option = &hf_options[i];
        struct hf_slice own_group = hf_option_group(option);
        struct hf_slice name = hf_slice_text(hf_option_leaf(option));
        if (option->section != section)
            continue;
        if (group[0] == '\0' && own_group.size > 0)
            name = own_group;
        else if (!hf_slice_is(own_group, group))
            continue;
        /* The options of a group stand together in the table, so looking back one is enough. */
        if (count > 0 && hf_slice_equal(ret_names[count - 1], name))
            continue;
        hf_assert(count < HF_OPTION_NAMES_MAX);
        ret_names[count++] = name;
    }
    return count;
}

size_t
hf_option_words(const struct hf_option *option, struct hf_slice ret_words[HF_OPTION_WORDS_MAX])
{
    size_t count = 0;
    for (const char *at = option->least; *at != '\0';) {
        size_t size = strcspn(at, "|");
        hf_assert(count < HF_OPTION_WORDS_MAX);
        ret_words[count++] = hf_slice(at, size);
        at += size + (at[size] == '|');
    }
    return count;
}

void
hf_names_text(const struct hf_slice *names, size_t count, char *ret_text, size_t size)
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++) {
        int more = snprintf(ret_text + used, size - used, "%s%.*s", i == 0 ? "" : ", ",
                            (int)names[i].size, (const char *)names[i].ptr);
        used += more > 0 ? (size_t)more : 0;
    }
}
