/* The sample configuration: every option of the table with its help. What a first configuration
 * needs is written; the rest is commented out, at its default or with an example, so that taking
 * one '#' away switches it on. */
#include "config_impl.h"

#include <stdio.h>
#include <string.h>

/* What the table cannot know. `key` may be a group: then the text is the whole group's. */
static const struct example {
    enum hf_section_id section;
    const char *key;
    bool live; /* written, not commented out */
    const char *text;
} examples[] = {
    { HF_SECTION_agent, "state_dir", true, "/var/lib/holdfast" },
    { HF_SECTION_agent, "account", true, "\"000000000000\"" },
    { HF_SECTION_agent, "region", true, "local" },
    { HF_SECTION_agent, "organization", false, "o-exampleorg" },
    { HF_SECTION_agent, "host", false, "host1.example" },
    { HF_SECTION_agent, "control", false, "/run/holdfast/control.sock" },
    { HF_SECTION_agent, "metrics", false, "\"127.0.0.1:9187\"" },
    { HF_SECTION_store, "name", true, "here" },
    { HF_SECTION_store, "url", true, "\"dir:///var/lib/holdfast/bucket\"" },
    { HF_SECTION_store, "ca_file", false, "ca.pem" },
    { HF_SECTION_store, "credentials_file", false, "secrets/credentials" },
    { HF_SECTION_store, "proxy", false, "\"http://proxy.example:3128\"" },
    { HF_SECTION_source, "name", true, "logs" },
    { HF_SECTION_source, "type", true, "file" },
    { HF_SECTION_source, "path", true, "\"/var/log/*.log\"" },
    { HF_SECTION_source, "exclude", false, "[\"/var/log/debug*\"]" },
    { HF_SECTION_source, "follow_links_of", false, "[deploy]" },
    { HF_SECTION_source, "mode", false, "\"0660\"" },
    { HF_SECTION_source, "group", false, "adm" },
    { HF_SECTION_bucket, "name", true, "audit-logs" },
    { HF_SECTION_bucket, "store", true, "here" },
    { HF_SECTION_bucket, "policy", false, "policies/starter" },
    { HF_SECTION_bucket, "retention", true, "{ mode: governance, days: 1 }" },
    { HF_SECTION_bucket, "lifecycle", false, "lifecycle.json" },
    { HF_SECTION_bucket, "tags", false, "[team=security]" },
    { HF_SECTION_trail, "name", true, "audit" },
    { HF_SECTION_trail, "bucket", true, "audit-logs" },
    { HF_SECTION_trail, "sources", false, "[logs]" },
    { HF_SECTION_trail, "prefix", false, "host1" },
    { HF_SECTION_trail, "window", true, "{ seconds: 300, max_bytes: 16MiB }" },
    { HF_SECTION_trail, "encryption", true,
      "none    # or { type: cms, recipients: [ops.pem, escrow.pem] }" },
    { HF_SECTION_trail, "digest", true, "{ seconds: 3600, key_file: secrets/digest.key }" },
    { HF_SECTION_trail, "retention", false, "{ mode: governance, days: 30 }" },
};

static const struct example *
example_of(enum hf_section_id section, struct hf_slice key)
{
    for (size_t i = 0; i < HF_COUNT(examples); i++)
        if (examples[i].section == section && hf_slice_is(key, examples[i].key))
            return &examples[i];
    return NULL;
}

/* "# " and words up to 100 columns a line. */
static enum hf_status
add_comment(struct hf_buf *text, const char *indent, const char *lead, const char *words)
{
    const size_t width = 96;
    enum hf_status status = HF_OK;
    for (const char *at = words; *at && status == HF_OK;) {
        size_t room = width - strlen(indent) - strlen(lead), size = strlen(at);
        if (size > room) {
            for (size = room; size > 0 && at[size] != ' ';)
                size--;
            size = size > 0 ? size : room;
        }
        status = hf_buf_addf(text, "%s# %s%.*s\n", indent, lead, (int)size, at);
        at += size;
        at += *at == ' ';
        lead = at > words ? "" : lead;
    }
    return status;
}

/* "{ max_bytes: 4GiB, segment_bytes: 64MiB }" from the defaults of a group. */
static enum hf_status
add_group_defaults(struct hf_buf *text, enum hf_section_id section, const char *group)
{
    const char *between = "{ ";
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < hf_option_count && status == HF_OK; i++) {
        const struct hf_option *option = &hf_options[i];
        if (option->section != section || !hf_slice_is(hf_option_group(option), group) ||
            !option->preset)
            continue;
        status = hf_buf_addf(text, "%s%s: %s", between, hf_option_leaf(option), option->preset);
        between = ", ";
    }
    return status == HF_OK ? hf_buf_add_text(text, " }\n") : status;
}

static enum hf_status
add_help(struct hf_buf *text, const struct hf_option *option, bool in_group)
{
    char lead[80] = "", help[600], words[160];
    struct hf_slice allowed[HF_OPTION_WORDS_MAX];
    if (in_group)
        snprintf(lead, sizeof(lead), "%s: ", hf_option_leaf(option));
    hf_names_text(allowed, option->type == HF_OPTION_ENUM ? hf_option_words(option, allowed) : 0,
                  words, sizeof(words));
    snprintf(help, sizeof(help), "%s%s%s%s", option->help, words[0] ? " One of " : "", words,
             words[0] ? "." : "");
    return add_comment(text, "    ", lead, help);
}

static enum hf_status
add_option(struct hf_buf *text, const struct hf_option *option, bool is_first)
{
    const char *indent = is_first && hf_sections[option->section].is_list ? "  - " : "    ";
    const struct example *example = example_of(option->section, hf_slice_text(option->key));
    enum hf_status status = add_help(text, option, false);
    if (status != HF_OK)
        return status;
    return hf_buf_addf(text, "%s%s%s: %s\n", indent, example && example->live ? "" : "#",
                       option->key,
                       example          ? example->text
                       : option->preset ? option->preset
                                        : "");
}

static enum hf_status
add_group(struct hf_buf *text, const struct hf_option *first)
{
    struct hf_slice group = hf_option_group(first);
    const struct example *example = example_of(first->section, group);
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int)group.size, (const char *)group.ptr);
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < hf_option_count && status == HF_OK; i++)
        if (hf_options[i].section == first->section &&
            hf_slice_equal(hf_option_group(&hf_options[i]), group))
            status = add_help(text, &hf_options[i], true);
    if (status == HF_OK)
        status = hf_buf_addf(text, "    %s%s: ", example && example->live ? "" : "#", name);
    if (status != HF_OK)
        return status;
    return example ? hf_buf_addf(text, "%s\n", example->text)
                   : add_group_defaults(text, first->section, name);
}

static enum hf_status
add_section(struct hf_buf *text, enum hf_section_id section)
{
    bool is_first = true;
    enum hf_status status =
        hf_buf_addf(text, "\n# %s\n%s:\n", hf_sections[section].about, hf_sections[section].key);
    for (size_t i = 0; i < hf_option_count && status == HF_OK; i++) {
        const struct hf_option *option = &hf_options[i];
        struct hf_slice group = hf_option_group(option);
        if (option->section != section)
            continue;
        /* A group is written where its first option stands. */
        if (group.size == 0)
            status = add_option(text, option, is_first);
        else if (i == 0 || hf_options[i - 1].section != section ||
                 !hf_slice_equal(hf_option_group(&hf_options[i - 1]), group))
            status = add_group(text, option);
        is_first = false;
    }
    return status;
}

enum hf_status
hf_config_sample(struct hf_buf *ret_yaml)
{
    enum hf_status status =
        hf_buf_add_text(ret_yaml, "# The configuration of holdfast, with every option. A line that "
                                  "begins with '#' and no blank behind it is an\n"
                                  "# option at its default, or an example where there is none: "
                                  "take the '#' away to set it. Paths are relative\n"
                                  "# to this file. `holdfast check` says whether the agent can run "
                                  "with it; the key that signs digests is made\n"
                                  "# by `holdfast key new`. As it stands it keeps the records of "
                                  "/var/log/*.log in a directory of this host.\n");
    for (int section = 0; section < HF_SECTION_COUNT && status == HF_OK; section++)
        status = add_section(ret_yaml, (enum hf_section_id)section);
    return status;
}
