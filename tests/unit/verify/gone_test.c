/* What is gone after its term, and when that is fine. */
#include "tests/unit/verify/setup.h"

#define PAST_S 1700000000 /* a term that is over, whenever this runs */

static const char *mode = "COMPLIANCE";
static int64_t until_s = PAST_S;

static void
lock_all(struct hf_digest *digest)
{
    for (size_t i = 0; i < digest->object_count; i++) {
        free(digest->objects[i].lock_mode);
        digest->objects[i].lock_mode = hf_strdup(mode);
        digest->objects[i].retain_until_s = until_s;
    }
    if (digest->previous_key) {
        free(digest->previous_lock_mode);
        digest->previous_lock_mode = hf_strdup(mode);
        digest->previous_retain_until_s = until_s;
    }
}

/* Three digests of two objects each. `held`: by what the store says. */
static void
put_three(struct world *w, const char *as, int64_t until, bool held)
{
    mode = as;
    until_s = until;
    w->lock_mode = held ? HF_LOCK_GOVERNANCE : HF_LOCK_NONE;
    w->change = lock_all;
    w->options.check_locks = false;
    world_put_plain(w, 3);
}

static void
what_is_gone_before_its_term_is_missing(void **state)
{
    struct world *w = *state;

    put_three(w, "GOVERNANCE", 4000000000, false);
    world_remove(w, w->made[0].key);
    world_remove(w, w->digest_keys[0]);
    world_verify(w);
    assert_true(world_saw(w, HF_MISSING, w->digest_keys[0]));
    assert_int_equal(w->result.findings[HF_GONE_AFTER_TERM] + w->result.findings[HF_EXPIRED], 0);
    assert_false(w->result.intact);
}

static void
under_governance_nobody_can_tell_when_it_went(void **state)
{
    struct world *w = *state;

    put_three(w, "GOVERNANCE", PAST_S, false);
    world_remove(w, w->digest_keys[0]);
    world_remove(w, w->made[0].key);
    world_remove(w, w->made[1].key);
    world_remove(w, w->made[2].key);
    world_verify(w);
    assert_true(world_saw(w, HF_GONE_AFTER_TERM, w->digest_keys[0]));
    assert_true(world_saw(w, HF_GONE_AFTER_TERM, w->made[2].key));
    assert_int_equal(w->seen_count, 3); /* and what the digest listed */
    assert_false(w->result.intact);
    w->options.allow_gone_after_term = true;
    world_verify(w);
    assert_int_equal(w->result.findings[HF_GONE_AFTER_TERM], 3);
    assert_true(w->result.intact);
}

static void
under_compliance_it_expired_with_all_that_is_older(void **state)
{
    struct world *w = *state;

    put_three(w, "COMPLIANCE", PAST_S, false);
    world_remove(w, w->digest_keys[0]);
    for (size_t i = 0; i < 3; i++)
        world_remove(w, w->made[i].key);
    world_verify(w);
    assert_true(world_saw(w, HF_EXPIRED, w->digest_keys[0]));
    assert_true(world_saw(w, HF_EXPIRED, w->made[2].key));
    assert_int_equal(w->seen_count, 3);
    assert_true(w->result.intact);
}

static void
what_went_while_older_ones_that_nothing_holds_are_there_did_not_expire(void **state)
{
    struct world *w = *state;

    put_three(w, "COMPLIANCE", PAST_S, false);
    world_remove(w, w->made[3].key);
    world_expect_one(w, HF_GONE_AFTER_TERM, w->made[3].key);
    world_remove(w, w->digest_keys[0]); /* the objects that it listed are there, listed by none */
    world_verify(w);
    assert_int_equal(w->result.findings[HF_GONE_AFTER_TERM], 2);
    assert_int_equal(w->result.findings[HF_EXPIRED], 0);
}

static void
older_ones_that_are_held_are_no_reason(void **state)
{
    struct world *w = *state;

    put_three(w, "COMPLIANCE", PAST_S, true);
    world_remove(w, w->made[3].key);
    world_expect_one(w, HF_EXPIRED, w->made[3].key);
    assert_true(w->result.intact);
}

static void
what_was_not_looked_at_proves_nothing(void **state)
{
    struct world *w = *state;

    put_three(w, "COMPLIANCE", PAST_S, false);
    world_remove(w, w->digest_keys[0]);
    for (size_t i = 0; i < 2; i++)
        world_remove(w, w->made[i].key);
    w->options.check_objects = false;
    world_expect_one(w, HF_GONE_AFTER_TERM, w->digest_keys[0]);
}

/* An earlier version's digest does not say until when the one before it was locked. */
static void
without_a_signed_term_it_is_missing(void **state)
{
    struct world *w = *state;

    w->lock_mode = HF_LOCK_NONE;
    world_put_plain(w, 3);
    world_remove(w, w->digest_keys[0]);
    world_verify(w);
    assert_true(world_saw(w, HF_MISSING, w->digest_keys[0]));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(what_is_gone_before_its_term_is_missing),
        TEST(under_governance_nobody_can_tell_when_it_went),
        TEST(under_compliance_it_expired_with_all_that_is_older),
        TEST(what_went_while_older_ones_that_nothing_holds_are_there_did_not_expire),
        TEST(older_ones_that_are_held_are_no_reason),
        TEST(what_was_not_looked_at_proves_nothing),
        TEST(without_a_signed_term_it_is_missing),
    };
    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
