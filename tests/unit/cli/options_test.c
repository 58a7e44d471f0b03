#include "tests/support/test.h"

#include "agent/cli/opt.h"

#define WORDS_MAX 24

static int
parse(const char *name, struct options *ret_options, const char *const *words)
{
    char *argv[WORDS_MAX] = { (char *)"x" };
    char copy[64];
    char *parts[2] = { copy, NULL };
    size_t used = 0;
    int argc = 1;
    snprintf(copy, sizeof(copy), "%s", name);
    char *blank = strchr(copy, ' ');
    if (blank) {
        *blank = '\0';
        parts[1] = blank + 1;
    }
    const struct command *command = command_find(parts, blank ? 2 : 1, &used);
    assert_non_null(command);
    assert_int_equal(used, blank ? 2 : 1);
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    return options_parse(command, argc, argv, ARGP_NO_EXIT | ARGP_NO_ERRS | ARGP_NO_HELP,
                         ret_options);
}
#define PARSE(name, options, ...)                                                                  \
    parse(name, options, (const char *const[]){ __VA_ARGS__ __VA_OPT__(, ) NULL })

static void
defaults_are_what_help_says(void **state)
{
    struct options o;
    (void)state;
    assert_int_equal(PARSE("validate", &o), 0);
    assert_string_equal(o.config, CONFIG_DEFAULT);
    assert_false(o.config_given);
    assert_false(o.json);
    assert_string_equal(o.aws.api, API_DEFAULT);
    assert_int_equal(PARSE("emit", &o), 0);
    assert_int_equal(o.timeout_s, 60);
    assert_int_equal(PARSE("key new", &o, "digest.key"), 0);
    assert_int_equal(o.bits, 3072);
    assert_string_equal(o.args[0], "digest.key");
}

static void
every_shared_option_is_set(void **state)
{
    struct options o;
    (void)state;
    assert_int_equal(PARSE("validate", &o, "-c", "f.yaml", "--json", "--trail=audit", "--start",
                           "2026-01-01", "--end=2026-01-02", "--no-locks"),
                     0);
    assert_string_equal(o.config, "f.yaml");
    assert_true(o.config_given && o.json && o.reading.no_locks && !o.reading.no_objects);
    assert_string_equal(o.trail, "audit");
    assert_int_equal(o.end_s - o.start_s, 86400);
    assert_int_equal(PARSE("cat", &o, "--store", "dir:///x", "--bucket=b", "--prefix", "p",
                           "--public-key", "a", "--public-key", "b", "--fingerprint", "f",
                           "--addressing", "virtual", "--key", "k"),
                     0);
    assert_string_equal(o.alone.store, "dir:///x");
    assert_int_equal(o.public_keys.count, 2);
    assert_string_equal(o.public_keys.items[1], "b");
    assert_int_equal(o.fingerprints.count, 1);
    assert_int_equal(o.alone.addressing, HF_ADDRESSING_VIRTUAL);
    assert_string_equal(o.key, "k");
}

static void
status_answers_in_one_form_only(void **state)
{
    struct options o;
    (void)state;
    assert_int_equal(PARSE("status", &o, "--metrics"), 0);
    assert_true(o.metrics && !o.json);
    assert_int_not_equal(PARSE("status", &o, "--metrics", "--json"), 0);
    assert_int_not_equal(PARSE("flush", &o, "--metrics"), 0);
}

static void
abbreviations_and_clusters_work(void **state)
{
    struct options o;
    (void)state;
    assert_int_equal(PARSE("validate", &o, "--tra", "audit", "-vcfile"), 0);
    assert_string_equal(o.trail, "audit");
    assert_true(o.verbose);
    assert_string_equal(o.config, "file");
    assert_int_equal(PARSE("bucket apply", &o, "one", "--accept", "two"), 0);
    assert_true(o.bucket.accept_irreversible);
    assert_int_equal(o.arg_count, 2);
    assert_string_equal(o.args[1], "two");
}

static void
wrong_words_are_refused(void **state)
{
    struct options o;
    (void)state;
    assert_int_not_equal(PARSE("status", &o, "--jsn"), 0);
    assert_int_not_equal(PARSE("status", &o, "--trail", "x"),
                         0); /* an option, but none of this command */
    assert_int_not_equal(PARSE("status", &o, "-x"), 0);
    assert_int_not_equal(PARSE("status", &o, "word"), 0);
    assert_int_not_equal(PARSE("key new", &o), 0);
    assert_int_not_equal(PARSE("key new", &o, "a", "b"), 0);
    assert_int_not_equal(PARSE("key new", &o, "a", "--bits", "1024"), 0);
    assert_int_not_equal(PARSE("flush", &o, "--timeout", "0"), 0);
    assert_int_not_equal(PARSE("flush", &o, "--timeout", "soon"), 0);
    assert_int_not_equal(PARSE("validate", &o, "--start", "then"), 0);
    assert_int_not_equal(PARSE("validate", &o, "--start", "1h", "--end", "2h"), 0);
    assert_int_not_equal(PARSE("validate", &o, "--addressing", "none"), 0);
    assert_int_not_equal(PARSE("validate", &o, "--trail"), 0);
    assert_int_not_equal(PARSE("status", &o, "--json=yes"), 0);
}

/* A value that looks like an option is a value. */
static void
values_are_not_taken_for_options(void **state)
{
    struct options o;
    (void)state;
    assert_int_equal(PARSE("validate", &o, "--trail", "--nonsense"), 0);
    assert_string_equal(o.trail, "--nonsense");
    assert_int_equal(PARSE("key new", &o, "--", "--odd-name"), 0);
    assert_string_equal(o.args[0], "--odd-name");
}

static void
pins_are_bounded(void **state)
{
    const char *words[2 * PINS_MAX + 3] = { NULL };
    char *argv[HF_COUNT(words)] = { (char *)"x" };
    struct options o;
    size_t used;
    (void)state;
    for (size_t i = 0; i < 2 * (PINS_MAX + 1); i++)
        argv[i + 1] = (char *)(i % 2 ? "f" : "--fingerprint");
    char *name[] = { (char *)"validate" };
    const struct command *command = command_find(name, 1, &used);
    assert_int_equal(
        options_parse(command, 2 * PINS_MAX + 1, argv, ARGP_NO_EXIT | ARGP_NO_ERRS, &o), 0);
    assert_int_not_equal(
        options_parse(command, 2 * PINS_MAX + 3, argv, ARGP_NO_EXIT | ARGP_NO_ERRS, &o), 0);
}

static void
nearest_word_is_suggested(void **state)
{
    static const char *const known[] = { "validate", "status", "flush", "cat" };
    (void)state;
    assert_string_equal(nearest("validte", known, 4), "validate");
    assert_string_equal(nearest("sttaus", known, 4), "status");
    assert_string_equal(nearest("cta", known, 4) ? "some" : "none",
                        "none"); /* too short to guess */
    assert_null(nearest("completely-else", known, 4));
    assert_null(nearest("a-word-that-is-longer-than-any-command-could-ever-be", known, 4));
}

static void
commands_are_found_by_one_or_two_words(void **state)
{
    size_t used = 0;
    char *bucket[] = { (char *)"bucket", (char *)"diff" },
         *status[] = { (char *)"status", (char *)"--json" }, *alone[] = { (char *)"key" };
    (void)state;
    assert_string_equal(command_find(bucket, 2, &used)->name, "bucket diff");
    assert_int_equal(used, 2);
    assert_string_equal(command_find(status, 2, &used)->name, "status");
    assert_int_equal(used, 1);
    assert_null(command_find(alone, 1, &used));
    assert_null(command_find(bucket, 1, &used));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_what_help_says),
        cmocka_unit_test(every_shared_option_is_set),
        cmocka_unit_test(status_answers_in_one_form_only),
        cmocka_unit_test(abbreviations_and_clusters_work),
        cmocka_unit_test(wrong_words_are_refused),
        cmocka_unit_test(values_are_not_taken_for_options),
        cmocka_unit_test(pins_are_bounded),
        cmocka_unit_test(nearest_word_is_suggested),
        cmocka_unit_test(commands_are_found_by_one_or_two_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
