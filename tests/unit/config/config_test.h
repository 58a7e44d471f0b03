/* What the tests of the configuration share. */
#ifndef HOLDFAST_CONFIG_TEST_H
#define HOLDFAST_CONFIG_TEST_H

#include <holdfast/config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CONFIG_FILE "/etc/holdfast/holdfast.yaml"

static inline struct hf_config *
parse_well(const char *text)
{
    struct hf_config *config = NULL;
    struct hf_error err = { 0 };
    if (hf_config_parse(hf_slice_text(text), CONFIG_FILE, &config, &err) != HF_OK)
        fail_msg("%s\nof\n%s", err.text, text);
    return config;
}

/* The text is refused with a message that begins (after the file's path) with `expected`. */
static inline void
expect_refused(const char *text, const char *expected)
{
    struct hf_config *config = NULL;
    struct hf_error err = { 0 };
    enum hf_status status = hf_config_parse(hf_slice_text(text), CONFIG_FILE, &config, &err);
    if (status == HF_OK) {
        hf_config_free(config);
        fail_msg("accepted:\n%s", text);
    }
    assert_int_equal(status, HF_ECONFIG);
    assert_int_equal(err.status, HF_ECONFIG);
    assert_null(config);
    assert_null(strchr(err.text, '\n'));
    const char *head = CONFIG_FILE ":";
    if (!hf_starts_with(err.text, head) || !hf_starts_with(err.text + strlen(head), expected))
        fail_msg("said      %s\nexpected  %s%s\nof\n%s", err.text, head, expected, text);
}

#endif
