/* Completion for bash, agent/cli/completion/holdfast: from the tables of commands and options. */
#include "opt.h"

#include <stdio.h>
#include <string.h>

static const char head[] =
    "# Made from the tables in agent/cli; a test compares the two, and `ninja update_man` writes "
    "this file anew.\n"
    "_holdfast() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} "
    "command=${COMP_WORDS[1]} words=''\n"
    "    COMPREPLY=()\n";

static const char tail[] = "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
                           "}\n"
                           "complete -F _holdfast holdfast\n";

static bool
is_path(const struct argp_option *row)
{
    return row->arg && (strcmp(row->arg, "FILE") == 0 || strcmp(row->arg, "DIR") == 0 ||
                        strcmp(row->arg, "PATH") == 0);
}

/* The options that take a value, each once, by what it is. */
static enum hf_status
add_values(struct hf_buf *bash, bool path)
{
    hf_owned(hf_buf_done) struct hf_buf seen = HF_BUF(8192);
    enum hf_status status = hf_buf_add_text(&seen, "|");
    for (size_t i = 0; i < command_count; i++) {
        struct argp_option rows[COMMAND_ROWS_MAX];
        options_rows(&commands[i], rows);
        for (const struct argp_option *row = rows; status == HF_OK && (row->name || row->doc);
             row++) {
            char name[80];
            snprintf(name, sizeof(name), "|--%.60s|", row->name ? row->name : "");
            if (!row->arg || is_path(row) != path || strstr(hf_buf_text(&seen), name))
                continue;
            status = hf_buf_add_text(&seen, name + 1);
            if (status == HF_OK && row->key > 32 && row->key < 128)
                status = hf_buf_addf(&seen, "-%c|", row->key);
        }
    }
    if (status != HF_OK)
        return status;
    return hf_buf_addf(bash, "    %.*s)%s return ;;\n", (int)seen.size - 2, hf_buf_text(&seen) + 1,
                       path ? " mapfile -t COMPREPLY < <(compgen -f -- \"$word\");" : "");
}

/* The words that may stand at one place: "key" leads to "new list rotate". */
static enum hf_status
add_words(struct hf_buf *bash, const char *first)
{
    hf_owned(hf_buf_done) struct hf_buf seen = HF_BUF(8192);
    size_t skip = first ? strlen(first) + 1 : 0;
    enum hf_status status = hf_buf_add_text(&seen, " ");
    for (size_t i = 0; status == HF_OK && i < command_count; i++) {
        const char *name = commands[i].name;
        char word[80];
        if (first && (strncmp(name, first, skip - 1) != 0 || name[skip - 1] != ' '))
            continue;
        snprintf(word, sizeof(word), " %.*s ", (int)strcspn(name + skip, " "), name + skip);
        if (!strstr(hf_buf_text(&seen), word))
            status = hf_buf_add_text(&seen, word + 1);
    }
    if (status != HF_OK)
        return status;
    return hf_buf_add(bash, hf_buf_text(&seen) + 1, seen.size - 2);
}

static enum hf_status
add_groups(struct hf_buf *bash)
{
    const char *last = "";
    enum hf_status status = HF_OK;
    for (size_t i = 0; status == HF_OK && i < command_count; i++) {
        char first[40];
        size_t size = strcspn(commands[i].name, " ");
        if (!commands[i].name[size] ||
            (strncmp(commands[i].name, last, size) == 0 && last[size] == ' '))
            continue;
        last = commands[i].name;
        snprintf(first, sizeof(first), "%.*s", (int)size, last);
        status = hf_buf_addf(
            bash, "    %s) [ \"$COMP_CWORD\" -gt 2 ] && command+=\" ${COMP_WORDS[2]}\" || words='",
            first);
        if (status == HF_OK)
            status = add_words(bash, first);
        if (status == HF_OK)
            status = hf_buf_add_text(bash, "' ;;\n");
    }
    return status;
}

static enum hf_status
add_options(struct hf_buf *bash, const struct command *command)
{
    struct argp_option rows[COMMAND_ROWS_MAX];
    enum hf_status status = hf_buf_addf(bash, "    '%s') words='", command->name);
    options_rows(command, rows);
    for (const struct argp_option *row = rows; status == HF_OK && (row->name || row->doc); row++)
        if (row->name)
            status = hf_buf_addf(bash, "--%s ", row->name);
    return status == HF_OK
               ? hf_buf_addf(bash, "--help'%s ;;\n",
                             command->args_doc ? "; [[ $word == -* ]] || { mapfile -t COMPREPLY < "
                                                 "<(compgen -f -- \"$word\"); return; }"
                                               : "")
               : status;
}

static enum hf_status
add_commands(struct hf_buf *bash)
{
    enum hf_status status = hf_buf_add_text(
        bash, "    [ \"$COMP_CWORD\" -gt 1 ] || command=''\n    case $command in\n    '') words='");
    if (status == HF_OK)
        status = add_words(bash, NULL);
    if (status == HF_OK)
        status = hf_buf_add_text(bash, " --help --version' ;;\n");
    if (status == HF_OK)
        status = add_groups(bash);
    if (status == HF_OK)
        status = hf_buf_add_text(bash, "    esac\n    [ -n \"$words\" ] || case $command in\n");
    for (size_t i = 0; status == HF_OK && i < command_count; i++)
        status = add_options(bash, &commands[i]);
    return status == HF_OK ? hf_buf_add_text(bash, "    esac\n") : status;
}

enum hf_status
completion_script(struct hf_buf *ret_bash)
{
    enum hf_status status = hf_buf_add_text(ret_bash, head);
    if (status == HF_OK)
        status = hf_buf_add_text(ret_bash, "    case $before in\n");
    if (status == HF_OK)
        status = add_values(ret_bash, true);
    if (status == HF_OK)
        status = add_values(ret_bash, false);
    if (status == HF_OK)
        status = hf_buf_add_text(ret_bash, "    esac\n");
    if (status == HF_OK)
        status = add_commands(ret_bash);
    return status == HF_OK ? hf_buf_add_text(ret_bash, tail) : status;
}
