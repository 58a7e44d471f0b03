/* From the tree to the structs, by the table: keys, kinds, types, ranges and what must be written.
 */
#include "config_impl.h"

#include <stdio.h>
#include <string.h>

struct reader {
    const char *folder; /* of the file: relative paths begin there */
    enum hf_section_id section;
    void *entry;
};

/* ---- an unknown key: what was probably meant ---- */

#define NEAR_SIZE_MAX 48

/* Levenshtein's distance, one row at a time. */
static size_t
distance(struct hf_slice a, struct hf_slice b)
{
    size_t row[NEAR_SIZE_MAX + 1];
    if (a.size > NEAR_SIZE_MAX || b.size > NEAR_SIZE_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.size; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size; j++) {
            size_t above = row[j];
            size_t replaced = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            row[j] = HF_MIN(replaced, HF_MIN(above, row[j - 1]) + 1);
            diagonal = above;
        }
    }
    return row[b.size];
}

static enum hf_status
fail_unknown(const struct hf_node *node, const struct hf_slice *names, size_t count,
             struct hf_error *err)
{
    struct hf_slice key = hf_slice_text(node->key);
    char all[256], hint[80] = "";
    size_t nearest = 3; /* farther than two letters is a guess */
    for (size_t i = 0; i < count; i++) {
        size_t far = distance(key, names[i]);
        if (far < nearest && far < names[i].size / 2 + 1) {
            nearest = far;
            snprintf(hint, sizeof(hint), " (did you mean '%.*s'?)", (int)names[i].size,
                     (const char *)names[i].ptr);
        }
    }
    hf_names_text(names, count, all, sizeof(all));
    return hf_node_fail(err, node, NULL, "unknown key; expected one of %s%s", all, hint);
}

/* ---- values ---- */

static const char *
kind_word(const struct hf_node *node)
{
    if (node->kind == HF_NODE_LIST)
        return "a list";
    if (node->kind == HF_NODE_MAP)
        return "a mapping";
    return hf_node_is_null(node) ? "nothing" : "a single value";
}

static enum hf_status
read_scalar(const struct reader *reader, const struct hf_option *option, const struct hf_node *node,
            struct hf_error *err)
{
    char reason[HF_REASON_SIZE];
    if (node->kind != HF_NODE_SCALAR)
        return hf_node_fail(err, node, NULL, "expected a single value, found %s", kind_word(node));
    if (hf_node_is_null(node))
        return hf_node_fail(err, node, NULL, "empty; write a value or leave the key out");
    if (!hf_value_set(option, reader->entry, node->text, node->plain, reader->folder, reason))
        return hf_node_fail(err, node, NULL, "%s", reason);
    return HF_OK;
}

static enum hf_status
read_value(const struct reader *reader, const struct hf_option *option, const struct hf_node *node,
           struct hf_error *err)
{
    if (!hf_option_is_list(option))
        return read_scalar(reader, option, node, err);
    if (node->kind != HF_NODE_LIST)
        return hf_node_fail(err, node, NULL, "expected a list, as in [a, b]; found %s",
                            kind_word(node));
    for (const struct hf_node *item = node->first; item; item = item->next) {
        enum hf_status status = read_scalar(reader, option, item, err);
        if (status != HF_OK)
            return status;
    }
    return HF_OK;
}

static enum hf_status
read_group(const struct reader *reader, const struct hf_option *first, const struct hf_node *node,
           struct hf_error *err)
{
    struct hf_slice names[HF_OPTION_NAMES_MAX];
    char all[256];
    size_t count = hf_option_names(reader->section, node->key, names);
    if (node->kind == HF_NODE_SCALAR && !hf_node_is_null(node) && hf_option_group_takes_word(first))
        return read_scalar(reader, first, node, err);
    hf_names_text(names, count, all, sizeof(all));
    if (node->kind != HF_NODE_MAP)
        return hf_node_fail(err, node, NULL, "expected a mapping of %s; found %s", all,
                            kind_word(node));
    for (const struct hf_node *child = node->first; child; child = child->next) {
        const struct hf_option *option = hf_option_find(reader->section, node->key, child->key);
        enum hf_status status = option ? read_value(reader, option, child, err)
                                       : fail_unknown(child, names, count, err);
        if (status != HF_OK)
            return status;
    }
    return HF_OK;
}

/* ---- entries ---- */

/* What to write for a required option, in the words of the table but for the two groups that have a
 * short form. */
static enum hf_status
fail_missing(const struct hf_option *option, const struct hf_node *entry, struct hf_error *err)
{
    if (strcmp(option->key, "retention.mode") == 0 && !hf_node_child(entry, "retention"))
        return hf_node_fail(err, entry, "retention",
                            "missing; write { mode: governance, days: 1 } or none");
    if (strcmp(option->key, "encryption.type") == 0 && !hf_node_child(entry, "encryption"))
        return hf_node_fail(
            err, entry, "encryption",
            "missing; write { type: cms, recipients: [FILE] }, another type, or none");
    if (option->type == HF_OPTION_ENUM) {
        struct hf_slice words[HF_OPTION_WORDS_MAX];
        char all[128];
        hf_names_text(words, hf_option_words(option, words), all, sizeof(all));
        return hf_node_fail(err, entry, option->key, "missing; write one of %s", all);
    }
    return hf_node_fail(err, entry, option->key, "missing; it has to be written: %s", option->help);
}

static enum hf_status
read_entry(const struct reader *reader, const struct hf_node *node, struct hf_error *err)
{
    struct hf_slice names[HF_OPTION_NAMES_MAX];
    size_t count = hf_option_names(reader->section, "", names);
    if (node->kind != HF_NODE_MAP) {
        char all[256];
        hf_names_text(names, count, all, sizeof(all));
        return hf_node_fail(err, node, NULL, "expected a mapping of %s; found %s", all,
                            kind_word(node));
    }
    for (const struct hf_node *child = node->first; child; child = child->next) {
        const struct hf_option *option = hf_option_find(reader->section, "", child->key);
        const struct hf_option *group = hf_option_group_first(reader->section, child->key);
        enum hf_status status = option  ? read_value(reader, option, child, err)
                                : group ? read_group(reader, group, child, err)
                                        : fail_unknown(child, names, count, err);
        if (status != HF_OK)
            return status;
    }
    for (size_t i = 0; i < hf_option_count; i++) {
        const struct hf_option *option = &hf_options[i];
        if (option->section == reader->section && option->required &&
            !hf_node_at(reader->section, node, option->key))
            return fail_missing(option, node, err);
    }
    return HF_OK;
}

static void
preset_entry(enum hf_section_id section, void *entry, int line)
{
    *(int *)entry = line; /* `line` comes first in every entry's struct: see the assertions below */
    for (size_t i = 0; i < hf_option_count; i++)
        if (hf_options[i].section == section)
            hf_value_preset(&hf_options[i], entry);
}
_Static_assert(offsetof(struct hf_config_agent, line) == 0, "line comes first");
_Static_assert(offsetof(struct hf_config_store, line) == 0, "line comes first");
_Static_assert(offsetof(struct hf_config_source, line) == 0, "line comes first");
_Static_assert(offsetof(struct hf_config_bucket, line) == 0, "line comes first");
_Static_assert(offsetof(struct hf_config_trail, line) == 0, "line comes first");

static enum hf_status
read_list(struct reader *reader, struct hf_config *config, const struct hf_node *node,
          struct hf_error *err)
{
    const struct hf_section *section = &hf_sections[reader->section];
    if (hf_node_is_null(node))
        return HF_OK;
    if (node->kind != HF_NODE_LIST)
        return hf_node_fail(err, node, NULL,
                            "expected a list of entries that begin with '- name:'; found %s",
                            kind_word(node));
    if (node->count == 0)
        return HF_OK;
    char *items = hf_alloc(node->count * section->size);
    *(void **)((char *)config + section->items_offset) = items;
    *(size_t *)((char *)config + section->count_offset) = node->count;
    for (const struct hf_node *item = node->first; item; item = item->next) {
        reader->entry = items + item->index * section->size;
        preset_entry(reader->section, reader->entry, item->line);
        enum hf_status status = read_entry(reader, item, err);
        if (status != HF_OK)
            return status;
    }
    return HF_OK;
}

static enum hf_status
read_section(struct reader *reader, struct hf_config *config, const struct hf_node *node,
             struct hf_error *err)
{
    struct hf_slice names[HF_SECTION_COUNT];
    for (size_t i = 0; i < HF_SECTION_COUNT; i++) {
        names[i] = hf_slice_text(hf_sections[i].key);
        if (strcmp(node->key, hf_sections[i].key) != 0)
            continue;
        reader->section = (enum hf_section_id)i;
        if (hf_sections[i].is_list)
            return read_list(reader, config, node, err);
        reader->entry = &config->agent;
        config->agent.line = node->line;
        return hf_node_is_null(node) ? HF_OK : read_entry(reader, node, err);
    }
    return fail_unknown(node, names, HF_SECTION_COUNT, err);
}

enum hf_status
hf_config_read(const struct hf_node *root, struct hf_config *config, struct hf_error *err)
{
    hf_owned(hf_freep) char *folder = hf_strdup(config->path);
    char *slash = strrchr(folder, '/');
    hf_assert(slash); /* the path is absolute */
    slash[slash == folder] = '\0';
    preset_entry(HF_SECTION_agent, &config->agent, root->line);
    if (root->kind != HF_NODE_MAP)
        return hf_node_fail(
            err, root, NULL,
            "expected a mapping of agent, stores, sources, buckets, trails; found %s",
            kind_word(root));
    struct reader reader = { .folder = folder };
    for (const struct hf_node *child = root->first; child; child = child->next) {
        enum hf_status status = read_section(&reader, config, child, err);
        if (status != HF_OK)
            return status;
    }
    return HF_OK;
}
