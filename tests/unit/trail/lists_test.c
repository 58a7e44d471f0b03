/* What the next digest will list: added, given to a digest, taken back. */
#include "agent/trail/lists.h"
#include "tests/support/test.h"

static void
add_one_of_each(struct lists *lists, const char *name)
{
    lists_add_object(lists)->key = hf_strdup(name);
    lists_add_loss(lists, 1, 2, name);
    lists_add_foreign(lists, name);
}

static void
lists_move_into_a_digest_and_are_empty(void **state)
{
    struct lists lists = { 0 };
    struct hf_digest digest = { 0 };
    (void)state;
    for (unsigned i = 0; i < 40; i++)
        add_one_of_each(&lists, "one");
    assert_true(lists_have_loss(&lists, 1, 2));
    assert_false(lists_have_loss(&lists, 1, 3));
    lists_move(&lists, &digest);
    assert_int_equal(digest.object_count, 40);
    assert_int_equal(lists.object_count + lists.loss_count + lists.foreign_count, 0);
    add_one_of_each(&lists, "next");
    assert_int_equal(lists.object_count, 1);
    hf_digest_done(&digest);
    lists_done(&lists);
}

static void
what_is_taken_back_comes_first(void **state)
{
    struct lists lists = { 0 };
    struct hf_digest digest = { 0 };
    (void)state;
    lists_take_back(&lists, &digest); /* nothing and nothing */
    add_one_of_each(&lists, "first");
    lists_move(&lists, &digest);
    add_one_of_each(&lists, "second");
    lists_take_back(&lists, &digest);
    assert_int_equal(digest.object_count + digest.loss_count + digest.foreign_count, 0);
    assert_string_equal(lists.objects[0].key, "first");
    assert_string_equal(lists.objects[1].key, "second");
    assert_string_equal(lists.losses[0].reason, "first");
    assert_string_equal(lists.foreign[0], "first");
    add_one_of_each(&lists, "third"); /* there is room for more */
    assert_string_equal(lists.objects[2].key, "third");
    hf_digest_done(&digest);
    lists_done(&lists);
}

static void
gaps_are_bounded_and_the_last_line_says_so(void **state)
{
    struct lists lists = { 0 };
    (void)state;
    for (unsigned i = 0; i < GAPS_MOST + 10; i++)
        lists_add_gap(&lists, "gap");
    assert_int_equal(lists.loss_count, GAPS_MOST + 1);
    assert_string_equal(lists.losses[GAPS_MOST - 1].reason, "gap");
    assert_non_null(strstr(lists.losses[GAPS_MOST].reason, "further"));
    lists_add_loss(&lists, 5, 6, "a loss is never left out");
    assert_int_equal(lists.loss_count, GAPS_MOST + 2);
    lists_done(&lists);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_move_into_a_digest_and_are_empty),
        cmocka_unit_test(what_is_taken_back_comes_first),
        cmocka_unit_test(gaps_are_bounded_and_the_last_line_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
