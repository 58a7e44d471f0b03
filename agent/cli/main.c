/* holdfast: the one program. Finds the command, parses its options, runs it. */
#include "say.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "-?") == 0 ||
           strcmp(word, "help") == 0;
}

/* "key" alone, or "key --help": what there is below it. */
static bool
is_group(const char *word, char ret_prefix[40])
{
    snprintf(ret_prefix, 40, "%.30s ", word);
    for (size_t i = 0; i < command_count; i++)
        if (hf_starts_with(commands[i].name, ret_prefix))
            return true;
    return false;
}

static int
unknown_command(int argc, char **argv)
{
    const char *names[64];
    char typed[64], prefix[40];
    bool group = is_group(argv[1], prefix);
    snprintf(typed, sizeof(typed), "%.30s%s%.30s", argv[1], group ? " " : "",
             group && argc > 2 ? argv[2] : "");
    for (size_t i = 0; i < command_count && i < HF_COUNT(names); i++)
        names[i] = commands[i].name;
    const char *near = nearest(typed, names, HF_MIN(command_count, HF_COUNT(names)));
    fprintf(stderr, "holdfast: there is no command '%s'", typed);
    fprintf(stderr, near ? "; did you mean '%s'?\n" : "\n", near);
    say_hint("`holdfast --help` lists the commands");
    return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
    struct options options;
    char prefix[40];
    size_t used = 0;
    if (argc < 2) {
        fputs("holdfast: a command is missing\n", stderr);
        say_hint("`holdfast --help` lists the commands");
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts("holdfast " HF_VERSION);
        return say_done(EXIT_WELL);
    }
    if (is_help(argv[1]))
        return say_done(help_print(""));
    const struct command *command = command_find(argv + 1, (size_t)argc - 1, &used);
    if (!command && is_group(argv[1], prefix) && (argc == 2 || is_help(argv[2]))) {
        help_print(prefix);
        return say_done(argc == 2 ? EXIT_USAGE : EXIT_WELL);
    }
    if (!command)
        return unknown_command(argc, argv);
    if (options_parse(command, argc - (int)used, argv + used, 0, &options) != 0)
        return EXIT_USAGE;
    hf_hide_memory(); /* most commands read a key or credentials */
    return command->run(&options);
}
