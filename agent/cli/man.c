/* The manual page, agent/cli/man/holdfast.1: from the tables of commands, options and exit codes,
 * so that none is said twice. */
#include "opt.h"

#include <stdio.h>
#include <string.h>

static enum hf_status
add_text(struct hf_buf *roff, const char *text)
{
    enum hf_status status = HF_OK;
    for (bool line_begins = true; status == HF_OK && *text; text++) {
        if (line_begins && (*text == '.' || *text == '\''))
            status = hf_buf_add_text(roff, "\\&");
        line_begins = *text == '\n';
        if (status == HF_OK && *text == '\\')
            status = hf_buf_add_text(roff, "\\e");
        else if (status == HF_OK && *text == '-')
            status = hf_buf_add_text(roff, "\\-");
        else if (status == HF_OK)
            status = hf_buf_add(roff, text, 1);
    }
    return status;
}

static enum hf_status
add(struct hf_buf *roff, const char *macro, const char *text)
{
    enum hf_status status = hf_buf_add_text(roff, macro);
    if (status == HF_OK)
        status = add_text(roff, text);
    return status == HF_OK ? hf_buf_add_text(roff, "\n") : status;
}

static enum hf_status
add_option(struct hf_buf *roff, const struct argp_option *row)
{
    char name[128];
    if (!row->name)
        return add(roff, ".PP\n", row->doc);
    int used =
        row->key < 128 && row->key > 32 ? snprintf(name, sizeof(name), "-%c, ", row->key) : 0;
    snprintf(name + used, sizeof(name) - (size_t)used, "--%s%s%s", row->name, row->arg ? "=" : "",
             row->arg ? row->arg : "");
    enum hf_status status = hf_buf_add_text(roff, ".TP\n");
    if (status == HF_OK)
        status = add(roff, ".B ", name);
    return status == HF_OK ? add(roff, "", row->doc) : status;
}

static enum hf_status
add_command(struct hf_buf *roff, const struct command *command)
{
    struct argp_option rows[COMMAND_ROWS_MAX];
    char title[128];
    snprintf(title, sizeof(title), "holdfast %s%s%s%s", command->name,
             command->keys ? " [OPTION...]" : "", command->args_doc ? " " : "",
             command->args_doc ? command->args_doc : "");
    enum hf_status status = add(roff, ".SS ", title);
    if (status == HF_OK)
        status = add(roff, "", command->help);
    if (status == HF_OK && command->doc)
        status = add(roff, ".PP\n", command->doc);
    options_rows(command, rows);
    for (const struct argp_option *row = rows; status == HF_OK && (row->name || row->doc); row++)
        status = add_option(roff, row);
    return status;
}

static enum hf_status
add_commands(struct hf_buf *roff)
{
    const char *group = NULL;
    enum hf_status status = HF_OK;
    for (size_t i = 0; status == HF_OK && i < command_count; i++) {
        if (!group || strcmp(group, commands[i].group) != 0)
            status = add(roff, ".SH ", commands[i].group);
        group = commands[i].group;
        if (status == HF_OK)
            status = add_command(roff, &commands[i]);
    }
    return status;
}

/* Which failures end with which code: from the table of statuses. */
static enum hf_status
add_exit_codes(struct hf_buf *roff)
{
    static const char *const meaning[] = { "All is well.",
                                           "What was checked is not well, or was not found",
                                           "Wrong usage or configuration",
                                           "It could not be done now",
                                           "An internal error, or this machine's" };
    enum hf_status status = add(roff, ".SH ", "EXIT STATUS");
    for (int code = 0; status == HF_OK && code < (int)HF_COUNT(meaning); code++) {
        status = hf_buf_addf(roff, ".TP\n.B %d\n%s", code, meaning[code]);
        const char *separator = ": ";
        for (int i = 1; code > 0 && status == HF_OK && i <= HF_EINTERNAL; i++) {
            if (hf_status_exit_code((enum hf_status)i) != code)
                continue;
            status = hf_buf_addf(roff, "%s%s", separator, hf_status_text((enum hf_status)i));
            separator = ", ";
        }
        if (status == HF_OK)
            status = hf_buf_add_text(roff, code > 0 ? ".\n" : "\n");
    }
    return status;
}

static const char head[] = ".\\\" Made from the tables in agent/cli; a test compares the two, and "
                           "`ninja update_man` writes this file anew.\n"
                           ".TH HOLDFAST 1\n"
                           ".SH NAME\n"
                           "holdfast \\- audit events under Object Lock, with signed digests\n"
                           ".SH SYNOPSIS\n"
                           ".B holdfast\n"
                           ".I COMMAND\n"
                           "[\\fIOPTION\\fR...]\n"
                           ".SH DESCRIPTION\n"
                           "holdfast takes audit events in, keeps them durably, gzips them into "
                           "objects, encrypts them with the customer's keys, puts them under\n"
                           "Object Lock on an S3 store or into a directory, and writes signed, "
                           "chained digests beside them.\n"
                           ".PP\n"
                           "Every command takes \\fB\\-\\-help\\fR. Times are RFC 3339. Secrets "
                           "are read from files, never from options.\n";

static const char tail[] =
    ".SH FILES\n"
    ".TP\n.I " CONFIG_DEFAULT "\nThe configuration; paths in it are relative to its folder. "
    "\\fBholdfast config reference\\fR explains it.\n"
    ".TP\n.I STATE_DIR/control.sock\nWhere status and flush reach the agent.\n"
    ".TP\n.I STATE_DIR/keys.json\nThe registry of digest keys: public halves, validity, "
    "revocations.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN\nCredentials of a store "
    "without credentials_file.\n"
    ".SH SEE ALSO\n"
    "openssl\\-cms(1), gunzip(1), jq(1)\n";

enum hf_status
man_page(struct hf_buf *ret_roff)
{
    enum hf_status status = hf_buf_add_text(ret_roff, head);
    if (status == HF_OK)
        status = add_commands(ret_roff);
    if (status == HF_OK)
        status = add_exit_codes(ret_roff);
    return status == HF_OK ? hf_buf_add_text(ret_roff, tail) : status;
}
