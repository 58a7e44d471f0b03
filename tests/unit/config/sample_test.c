#include "config_test.h"

static char *
sample(void)
{
    struct hf_buf text = HF_BUF(1 << 20);
    assert_int_equal(hf_config_sample(&text), HF_OK);
    char *copy = hf_strdup(hf_buf_text(&text));
    hf_buf_done(&text);
    return copy;
}

/* Where a commented-out option has its '#': blanks, '#', no blank. */
static char *
option_mark(char *line)
{
    char *mark = line + strspn(line, " ");
    return mark[0] == '#' && mark[1] != ' ' ? mark : NULL;
}

static void
sample_is_a_configuration_that_works(void **state)
{
    (void)state;
    char *text = sample();
    struct hf_config *config = parse_well(text);
    assert_int_equal(config->store_count, 1);
    assert_string_equal(config->stores[0].url, "dir:///var/lib/holdfast/bucket");
    assert_int_equal(config->source_count, 1);
    assert_int_equal(config->sources[0].type, HF_SOURCE_FILE);
    assert_int_equal(config->bucket_count, 1);
    assert_int_equal(config->buckets[0].retention_mode, HF_LOCK_GOVERNANCE);
    assert_int_equal(config->buckets[0].retention_days, 1);
    assert_int_equal(config->trail_count, 1);
    assert_int_equal(config->trails[0].encryption, HF_ENCRYPT_NONE);
    hf_config_free(config);
    free(text);
}

/* Each commented option, switched on alone, parses; the only thing it may be told is that it is for
 * another kind. */
static void
each_commented_option_can_be_switched_on(void **state)
{
    (void)state;
    char *text = sample();
    size_t switched = 0;
    for (char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        char *mark = option_mark(line);
        if (!mark)
            continue;
        struct hf_config *config = NULL;
        struct hf_error err = { 0 };
        char *changed = hf_strdup(text);
        size_t at = (size_t)(mark - text);
        memmove(changed + at, changed + at + 1, strlen(changed + at));
        if (hf_config_parse(hf_slice_text(changed), CONFIG_FILE, &config, &err) != HF_OK)
            if (!strstr(err.text, "is for ") || !hf_ends_with(err.text, "only; leave it out"))
                fail_msg("%s", err.text);
        hf_config_free(config);
        free(changed);
        switched++;
    }
    assert_true(switched > 25);
    free(text);
}

static void
no_line_is_long(void **state)
{
    (void)state;
    char *text = sample();
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > 110)
            fail_msg("%.*s", (int)strcspn(line, "\n"), line);
    free(text);
}

#define OPTION(section, key, field, type, ...) { #section "s", key },
static const struct {
    const char *section, *key;
} options[] = {
#include "agent/config/options.def"
};
#undef OPTION

static void
every_option_stands_in_the_sample(void **state)
{
    (void)state;
    char *text = sample();
    for (size_t i = 0; i < HF_COUNT(options); i++) {
        char section[32], group[64], wanted[64];
        snprintf(section, sizeof(section), "\n%.*s:\n",
                 (int)(strcmp(options[i].section, "agents") == 0 ? 5 : strlen(options[i].section)),
                 options[i].section);
        const char *dot = strchr(options[i].key, '.');
        snprintf(group, sizeof(group), "%.*s: ", (int)(dot ? dot - options[i].key : 0),
                 options[i].key);
        snprintf(wanted, sizeof(wanted), "%s: ", dot ? dot + 1 : options[i].key);
        const char *at = strstr(text, section);
        assert_non_null(at);
        at = strstr(at, wanted);
        if (!at || (dot && !strstr(at, group)))
            fail_msg("%s in %s is not in the sample", options[i].key, options[i].section);
    }
    free(text);
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--print") == 0) {
        char *text = sample();
        fputs(text, stdout);
        free(text);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample_is_a_configuration_that_works),
        cmocka_unit_test(each_commented_option_can_be_switched_on),
        cmocka_unit_test(no_line_is_long),
        cmocka_unit_test(every_option_stands_in_the_sample),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
