/* OPTIONS.md: the table as Markdown. */
#include "config_impl.h"

#include <stdio.h>
#include <string.h>

static const char *
type_text(const struct hf_option *option)
{
    static const char *const texts[] = {
        [HF_OPTION_STRING] = "text",         [HF_OPTION_PATH] = "path",
        [HF_OPTION_U64] = "number",          [HF_OPTION_SIZE] = "size",
        [HF_OPTION_SECONDS] = "duration",    [HF_OPTION_BOOL] = "true, false",
        [HF_OPTION_ENUM] = "word",           [HF_OPTION_STRINGS] = "list of texts",
        [HF_OPTION_PATHS] = "list of paths",
    };
    return texts[option->type];
}

static void
allowed_text(const struct hf_option *option, char *ret_text, size_t size)
{
    struct hf_slice words[HF_OPTION_WORDS_MAX];
    ret_text[0] = '\0';
    switch (option->type) {
    case HF_OPTION_ENUM:
        hf_names_text(words, hf_option_words(option, words), ret_text, size);
        break;
    case HF_OPTION_U64:
    case HF_OPTION_SIZE:
    case HF_OPTION_SECONDS:
        snprintf(ret_text, size, "%s to %s", option->least, option->most);
        break;
    case HF_OPTION_STRING:
        if (strcmp(option->least, option->most) == 0)
            snprintf(ret_text, size, "%s characters", option->least);
        else
            snprintf(ret_text, size, "%s to %s characters", option->least, option->most);
        break;
    case HF_OPTION_PATH:
    case HF_OPTION_BOOL:
    case HF_OPTION_STRINGS:
    case HF_OPTION_PATHS: break;
    }
}

static enum hf_status
add_row(struct hf_buf *text, const struct hf_option *option)
{
    char allowed[160];
    const char *mark = option->preset ? "`" : "";
    allowed_text(option, allowed, sizeof(allowed));
    return hf_buf_addf(text, "| `%s` | %s | %s%s%s | %s | %s |\n", option->key, type_text(option),
                       mark,
                       option->preset     ? option->preset
                       : option->required ? "required"
                                          : "",
                       mark, allowed, option->help);
}

static enum hf_status
add_section(struct hf_buf *text, enum hf_section_id section)
{
    enum hf_status status = hf_buf_addf(
        text,
        "\n## %s%s\n\n%s\n\n| Key | Type | Default | Allowed | Meaning |\n|---|---|---|---|---|\n",
        hf_sections[section].key, hf_sections[section].is_list ? " (a list)" : "",
        hf_sections[section].about);
    for (size_t i = 0; i < hf_option_count && status == HF_OK; i++)
        if (hf_options[i].section == section)
            status = add_row(text, &hf_options[i]);
    return status;
}

enum hf_status
hf_config_reference(struct hf_buf *ret_markdown)
{
    enum hf_status status =
        hf_buf_add_text(ret_markdown, "# Every option of the configuration\n"
                                      "\n"
                                      "Made from `options.def`; a test compares the two, and "
                                      "`ninja update_options` writes this file anew.\n"
                                      "\n"
                                      "A dot in a key opens a mapping: `window.seconds` is "
                                      "`window: { seconds: 300 }`. Where a mapping's first key\n"
                                      "is `mode` or `type`, its word may stand alone: `retention: "
                                      "none`. A path is relative to the configuration\n"
                                      "file's folder. A size is bytes, or a number with KiB, MiB, "
                                      "GiB, TiB (1024) or kB, MB, GB, TB (1000). A\n"
                                      "duration is seconds, or a number with s, m, h, d. Anchors, "
                                      "aliases and tags of YAML are not understood, and\n"
                                      "an unknown key is an error.\n");
    for (int section = 0; section < HF_SECTION_COUNT && status == HF_OK; section++)
        status = add_section(ret_markdown, (enum hf_section_id)section);
    return status;
}
