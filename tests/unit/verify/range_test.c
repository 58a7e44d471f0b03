/* Sequences: everything that was cut is listed, announced or lost, and nothing twice. */
#include "tests/unit/verify/setup.h"

static void
put_all(struct world *w, const struct plan *plans, size_t count)
{
    for (size_t i = 0; i < count; i++)
        world_put_digest(w, &plans[i]);
}

static void
what_was_pending_and_came_later_is_fine(void **state)
{
    struct world *w = *state;
    static const struct plan plans[] = {
        { .covers = { 1, 20 }, .objects = { { 1, 10 } }, .pending = { { 11, 15 }, { 16, 20 } } },
        { .covers = { 21, 40 }, .objects = { { 21, 40 }, { 16, 20 } }, .pending = { { 11, 15 } } },
        { .covers = { 41, 60 }, .objects = { { 11, 15 } } },
    };

    put_all(w, plans, HF_COUNT(plans));
    world_expect_intact(w);
}

static void
pending_in_the_newest_digest_is_said_and_fine(void **state)
{
    struct world *w = *state;
    static const struct plan plan = { .covers = { 1, 20 },
                                      .objects = { { 1, 10 } },
                                      .pending = { { 11, 20 } } };
    char key[HF_KEY_MAX];

    world_put_digest(w, &plan);
    world_object_key(w, plan.pending[0], key);
    world_expect_one(w, HF_PENDING, key);
    world_put_object(w, plan.pending[0]); /* delivered since, and announced: not extra */
    world_expect_one(w, HF_PENDING, key);
}

static void
pending_that_never_comes_is_missing(void **state)
{
    struct world *w = *state;
    static const struct plan plans[] = {
        { .covers = { 1, 20 }, .objects = { { 1, 10 } }, .pending = { { 11, 20 } } },
        { .covers = { 21, 40 }, .objects = { { 21, 40 } } },
        { .covers = { 41, 60 } },
    };
    char key[HF_KEY_MAX];

    put_all(w, plans, HF_COUNT(plans));
    world_object_key(w, plans[0].pending[0], key);
    world_expect_one(w, HF_MISSING, key);
    assert_non_null(strstr(w->seen[0].detail, w->digest_keys[0]));
    assert_non_null(strstr(w->seen[0].detail, w->digest_keys[1]));
}

static void
pending_that_comes_with_another_range_is_missing(void **state)
{
    struct world *w = *state;
    static const struct plan plans[] = {
        { .covers = { 1, 20 }, .pending = { { 1, 20 } } },
        { .covers = { 21, 40 }, .objects = { { 1, 19 } } },
    };
    char key[HF_KEY_MAX];

    put_all(w, plans, HF_COUNT(plans));
    world_object_key(w, plans[0].pending[0], key);
    world_verify(w);
    assert_int_equal(w->seen_count, 2);
    assert_true(world_saw(w, HF_MISSING, key));
    assert_true(world_saw(w, HF_BROKEN_CHAIN, w->digest_keys[1]));
}

static void
pending_that_is_given_up_is_a_loss(void **state)
{
    struct world *w = *state;
    static const struct plan plans[] = {
        { .covers = { 1, 20 }, .objects = { { 1, 10 } }, .pending = { { 11, 20 } } },
        { .covers = { 21, 40 }, .losses = { { 11, 20 } } },
    };

    put_all(w, plans, HF_COUNT(plans));
    world_expect_one(w, HF_LOSS, w->digest_keys[1]);
    assert_non_null(strstr(w->seen[0].detail, "11 to 20: bad sector"));
}

static void
a_loss_said_while_it_was_pending_counts_too(void **state)
{
    struct world *w = *state;
    static const struct plan plans[] = {
        { .covers = { 1, 20 }, .pending = { { 11, 20 } }, .losses = { { 9, 20 } } },
        { .covers = { 21, 40 }, .pending = { { 11, 20 } } },
        { .covers = { 41, 60 } },
    };

    put_all(w, plans, HF_COUNT(plans));
    world_expect_one(w, HF_LOSS, w->digest_keys[0]);
}

static void
half_a_loss_does_not_excuse(void **state)
{
    struct world *w = *state;
    static const struct plan plans[] = {
        { .covers = { 1, 20 }, .pending = { { 11, 20 } } },
        { .covers = { 21, 40 }, .losses = { { 11, 19 } } },
    };
    char key[HF_KEY_MAX];

    put_all(w, plans, HF_COUNT(plans));
    world_object_key(w, plans[0].pending[0], key);
    world_verify(w);
    assert_int_equal(w->seen_count, 2);
    assert_true(world_saw(w, HF_MISSING, key));
    assert_true(world_saw(w, HF_LOSS, w->digest_keys[1]));
}

static void
overlapping_objects_break_the_chain(void **state)
{
    struct world *w = *state;
    static const struct plan plan = { .covers = { 1, 20 }, .objects = { { 1, 10 }, { 10, 20 } } };

    world_put_digest(w, &plan);
    world_expect_one(w, HF_BROKEN_CHAIN, w->digest_keys[0]);
    assert_non_null(strstr(w->seen[0].detail, "overlap"));
}

static void
an_object_listed_twice_breaks_the_chain(void **state)
{
    struct world *w = *state;
    static const struct plan plans[] = {
        { .covers = { 1, 20 }, .objects = { { 1, 20 } } },
        { .covers = { 21, 40 }, .objects = { { 1, 20 } } },
    };

    put_all(w, plans, HF_COUNT(plans));
    world_expect_one(w, HF_BROKEN_CHAIN, w->digest_keys[1]);
}

static void
a_range_beyond_the_digests_breaks_the_chain(void **state)
{
    struct world *w = *state;
    static const struct plan plan = { .covers = { 1, 20 }, .objects = { { 11, 21 } } };

    world_put_digest(w, &plan);
    world_expect_one(w, HF_BROKEN_CHAIN, w->digest_keys[0]);
}

static void
the_first_digest_has_nothing_from_before_it(void **state)
{
    struct world *w = *state;
    static const struct plan plan = { .covers = { 11, 20 }, .objects = { { 1, 10 } } };

    world_put_digest(w, &plan);
    world_expect_one(w, HF_BROKEN_CHAIN, w->digest_keys[0]);
}

static void
what_a_missing_digest_announced_is_not_held_against_the_next(void **state)
{
    struct world *w = *state;
    static const struct plan plans[] = {
        { .covers = { 1, 20 }, .pending = { { 1, 20 } } },
        { .covers = { 21, 40 }, .objects = { { 1, 20 } }, .pending = { { 21, 40 } } },
        { .covers = { 41, 60 }, .objects = { { 21, 40 } } },
    };

    put_all(w, plans, HF_COUNT(plans));
    world_expect_intact(w);
    world_remove(w, w->digest_keys[1]);
    world_expect_one(w, HF_MISSING, w->digest_keys[1]);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(what_was_pending_and_came_later_is_fine),
        TEST(pending_in_the_newest_digest_is_said_and_fine),
        TEST(pending_that_never_comes_is_missing),
        TEST(pending_that_comes_with_another_range_is_missing),
        TEST(pending_that_is_given_up_is_a_loss),
        TEST(a_loss_said_while_it_was_pending_counts_too),
        TEST(half_a_loss_does_not_excuse),
        TEST(overlapping_objects_break_the_chain),
        TEST(an_object_listed_twice_breaks_the_chain),
        TEST(a_range_beyond_the_digests_breaks_the_chain),
        TEST(the_first_digest_has_nothing_from_before_it),
        TEST(what_a_missing_digest_announced_is_not_held_against_the_next),
    };
    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
