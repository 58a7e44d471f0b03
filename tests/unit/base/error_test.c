#include "tests/unit/base/child.h"

#include <holdfast/base.h>

#include <errno.h>
#include <signal.h>

static void
every_status_has_a_name_a_text_and_a_next_step(void **state)
{
    (void)state;
    for (int status = HF_OK; status <= HF_EINTERNAL; status++) {
        assert_true(strncmp(hf_status_name(status), "HF_", 3) == 0);
        assert_true(strlen(hf_status_text(status)) > 0);
        assert_int_equal(hf_status_next(status) == HF_NEXT_NONE, status == HF_OK);
        assert_int_equal(hf_status_exit_code(status) == 0, status == HF_OK);
    }
    assert_string_equal(hf_status_name(HF_ENOSPC), "HF_ENOSPC");
    assert_string_equal(hf_status_text(HF_ENOSPC), "no space left");
    assert_int_equal(hf_status_next(HF_ENOSPC), HF_NEXT_WAIT);
    assert_int_equal(hf_status_next(HF_ECORRUPT), HF_NEXT_CORRUPT);
    assert_int_equal(hf_status_exit_code(HF_ECONFIG), 2);
}

static void
fail_sets_everything_anew(void **state)
{
    (void)state;
    struct hf_error err = {
        .sys_errno = 5, .http_status = 403, .store_code = "AccessDenied", .text = "old"
    };

    errno = EDOM;
    assert_int_equal(hf_fail(&err, HF_EFORMAT, "object '%s' is odd", "k"), HF_EFORMAT);
    assert_int_equal(errno, EDOM);
    assert_int_equal(err.status, HF_EFORMAT);
    assert_int_equal(err.sys_errno, 0);
    assert_int_equal(err.http_status, 0);
    assert_string_equal(err.store_code, "");
    assert_string_equal(err.text, "object 'k' is odd");
    assert_int_equal(hf_fail(NULL, HF_EIO, "nobody reads %d", 1), HF_EIO);
}

static void
fail_may_quote_the_error_it_replaces(void **state)
{
    (void)state;
    struct hf_error err = { .text = "cause" };

    hf_fail(&err, HF_EIO, "after %s", err.text);
    assert_string_equal(err.text, "after cause");
    hf_while(&err, HF_EIO, "again %s", err.text);
    assert_string_equal(err.text, "again after cause: after cause");
}

static void
fail_errno_appends_the_reason_and_knows_a_full_disk(void **state)
{
    (void)state;
    struct hf_error err;

    errno = EACCES;
    assert_int_equal(hf_fail_errno(&err, HF_EIO, "opening '%s'", "f"), HF_EIO);
    assert_string_equal(err.text, "opening 'f': Permission denied");
    assert_int_equal(err.sys_errno, EACCES);
    assert_int_equal(errno, EACCES);
    errno = EDQUOT;
    assert_int_equal(hf_fail_errno(&err, HF_EIO, "writing"), HF_ENOSPC);
    assert_int_equal(err.status, HF_ENOSPC);
    errno = ENOSPC;
    assert_int_equal(hf_fail_errno(NULL, HF_EIO, "writing"), HF_ENOSPC);
}

static void
while_prefixes_and_keeps_the_cause(void **state)
{
    (void)state;
    struct hf_error err = {
        .http_status = 503, .status = HF_EBUSYSTORE, .store_code = "SlowDown", .text = "slow down"
    };

    assert_int_equal(hf_while(&err, HF_EBUSYSTORE, "delivering window %d", 7), HF_EBUSYSTORE);
    assert_string_equal(err.text, "delivering window 7: slow down");
    assert_int_equal(err.http_status, 503);
    assert_string_equal(err.store_code, "SlowDown");
    assert_int_equal(hf_while(&err, HF_OK, "nothing"), HF_OK);
    assert_string_equal(err.text, "delivering window 7: slow down");
    assert_int_equal(hf_while(NULL, HF_EIO, "nothing"), HF_EIO);
}

static void
an_error_is_one_line(void **state)
{
    (void)state;
    struct hf_error err;

    hf_fail(&err, HF_EIO, "name '%s'", "a\nb\x1b[2J");
    assert_string_equal(err.text, "name 'a?b?[2J'");
}

static void
a_long_text_ends_in_dots_and_not_within_a_character(void **state)
{
    (void)state;
    struct hf_error err;
    char name[700];

    /* Two-byte characters at an odd and at an even place: one of both would be cut in two. */
    for (int shift = 0; shift < 2; shift++) {
        memset(name, 'x', sizeof(name));
        for (size_t i = (size_t)shift; i + 2 < sizeof(name); i += 2)
            memcpy(name + i, "\xc3\xa4", 2);
        name[sizeof(name) - 1] = '\0';
        hf_fail(&err, HF_EIO, "%s", name);
        size_t size = strlen(err.text);
        assert_in_range(size, sizeof(err.text) - 3, sizeof(err.text) - 1);
        assert_string_equal(err.text + size - 3, "...");
        assert_int_equal((unsigned char)err.text[size - 4], 0xa4);
        hf_while(&err, HF_EIO, "more");
        assert_true(strlen(err.text) < sizeof(err.text));
        assert_true(hf_ends_with(err.text, "..."));
        assert_true(hf_starts_with(err.text, "more: "));
    }
}

static void
assert_wrongly(void)
{
    int two = 2;
    hf_assert(two == 2);
    hf_assert(two == 3);
}

static void
a_failed_assertion_says_which_and_ends_the_process(void **state)
{
    (void)state;
    struct child child;

    child_run(assert_wrongly, &child);
    assert_false(child_succeeded(&child));
    assert_non_null(strstr(child.output, "assertion failed: two == 3 ("));
    assert_non_null(strstr(child.output, "error_test.c:"));
    assert_null(strstr(child.output, "two == 2"));
}

static void
ask_for_an_unknown_status(void)
{
    hf_status_text((enum hf_status)1000);
}

static void
fail_with_success(void)
{
    hf_fail(NULL, HF_OK, "%s", "");
}

static void
an_impossible_status_is_our_own_mistake(void **state)
{
    (void)state;
    struct child child;

    child_run(ask_for_an_unknown_status, &child);
    assert_false(child_succeeded(&child));
    child_run(fail_with_success, &child);
    assert_false(child_succeeded(&child));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_a_text_and_a_next_step),
        cmocka_unit_test(fail_sets_everything_anew),
        cmocka_unit_test(fail_may_quote_the_error_it_replaces),
        cmocka_unit_test(fail_errno_appends_the_reason_and_knows_a_full_disk),
        cmocka_unit_test(while_prefixes_and_keeps_the_cause),
        cmocka_unit_test(an_error_is_one_line),
        cmocka_unit_test(a_long_text_ends_in_dots_and_not_within_a_character),
        cmocka_unit_test(a_failed_assertion_says_which_and_ends_the_process),
        cmocka_unit_test(an_impossible_status_is_our_own_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
