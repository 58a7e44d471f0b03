#include "tests/unit/base/child.h"

#include <holdfast/base.h>

#include <sys/prctl.h>
#include <sys/resource.h>

/* As tests/run sets it for everything; read by the sanitizer alone. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
    return "strict_string_checks=1";
}

static void
alloc_gives_zeros_even_for_nothing(void **state)
{
    (void)state;
    static const uint8_t zeros[512];
    hf_owned(hf_freep) uint8_t *some = hf_alloc(sizeof(zeros));
    hf_owned(hf_freep) uint8_t *none = hf_alloc(0);

    assert_memory_equal(some, zeros, sizeof(zeros));
    assert_non_null(none);
}

static void
realloc_keeps_what_was_there(void **state)
{
    (void)state;
    hf_owned(hf_freep) char *text = hf_strdup("held");

    text = hf_realloc(text, 100000);
    assert_string_equal(text, "held");
    text = hf_realloc(text, 0);
    assert_non_null(text);
}

static void
strings_are_copied_and_null_stays_null(void **state)
{
    (void)state;
    hf_owned(hf_freep) char *all = hf_strdup("window");
    hf_owned(hf_freep) char *part = hf_strndup("window", 3);
    hf_owned(hf_freep) char *made = hf_asprintf("%s-%d", "window", 7);

    assert_string_equal(all, "window");
    assert_string_equal(part, "win");
    assert_string_equal(made, "window-7");
    assert_null(hf_strdup(NULL));
    assert_null(hf_strndup(NULL, 3));
}

static void
bytes_without_an_end_are_copied_up_to_their_size(void **state)
{
    (void)state;
    hf_owned(hf_freep) char *bytes = hf_alloc(64);

    memset(bytes, 'w', 64);
    hf_owned(hf_freep) char *part = hf_strndup(bytes, 64);
    assert_int_equal(strlen(part), 64);
    bytes[5] = '\0';
    hf_owned(hf_freep) char *cut = hf_strndup(bytes, 64);
    assert_string_equal(cut, "wwwww");
}

static void
freep_frees_and_clears_the_variable(void **state)
{
    (void)state;
    char *text = hf_strdup("gone");

    hf_freep(&text);
    assert_null(text);
    hf_freep(&text);
    assert_null(text);
}

static void
take_hands_ownership_on(void **state)
{
    (void)state;
    hf_owned(hf_freep) char *from = hf_strdup("mine");
    hf_owned(hf_freep) char *to = hf_take(from);

    assert_null(from);
    assert_string_equal(to, "mine");
}

static void
wipe_leaves_zeros(void **state)
{
    (void)state;
    uint8_t secret[16];
    static const uint8_t zeros[16];

    memset(secret, 0xa5, sizeof(secret));
    hf_wipe(secret, sizeof(secret));
    assert_memory_equal(secret, zeros, sizeof(zeros));
    hf_wipe(NULL, 0);
}

static void
ask_for_more_than_there_is(void)
{
    /* volatile, or the compiler warns of what is tried here on purpose. */
    volatile size_t size = SIZE_MAX / 4;
    hf_freep(&(void *){ hf_alloc(size) });
}

static void
an_exhausted_machine_ends_the_process(void **state)
{
    (void)state;
    struct child child;

    child_run(ask_for_more_than_there_is, &child);
    assert_false(child_succeeded(&child));
    /* A sanitizer's allocator says it first. */
    assert_true(strstr(child.output, "memory is not exhausted") ||
                strstr(child.output, "Sanitizer"));
}

static void
hide_and_look(void)
{
    struct rlimit core;

    hf_hide_memory();
    hf_assert(prctl(PR_GET_DUMPABLE) == 0);
    hf_assert(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
}

static void
hidden_memory_is_neither_dumped_nor_traced(void **state)
{
    (void)state;
    struct child child;

    child_run(hide_and_look, &child);
    assert_true(child_succeeded(&child));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alloc_gives_zeros_even_for_nothing),
        cmocka_unit_test(realloc_keeps_what_was_there),
        cmocka_unit_test(strings_are_copied_and_null_stays_null),
        cmocka_unit_test(bytes_without_an_end_are_copied_up_to_their_size),
        cmocka_unit_test(freep_frees_and_clears_the_variable),
        cmocka_unit_test(take_hands_ownership_on),
        cmocka_unit_test(wipe_leaves_zeros),
        cmocka_unit_test(hidden_memory_is_neither_dumped_nor_traced),
        cmocka_unit_test(an_exhausted_machine_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
