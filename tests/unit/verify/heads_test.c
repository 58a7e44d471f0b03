/* Against a head that was seen before, an end that was cut off or signed anew has its name; an honest
 * chain that went on has none. */
#include "tests/unit/verify/setup.h"

static struct hf_known_head known;

/* The digest at `at`, of those that were put. */
static void
know(struct world *w, size_t at, uint64_t number)
{
    known = (struct hf_known_head){ .seen_by = "the state", .head.number = number };
    snprintf(known.head.chain, sizeof(known.head.chain), "%s", w->chain);
    snprintf(known.head.key, sizeof(known.head.key), "%s", w->digest_keys[at]);
    memcpy(known.head.sha256, w->hashes[at], sizeof(known.head.sha256));
    memcpy(known.head.signature, w->signatures[at], sizeof(known.head.signature));
    w->options.known = &known;
    w->options.known_count = 1;
}

static void
a_chain_that_went_on_has_what_was_seen(void **state)
{
    struct world *w = *state;
    world_put_plain(w, 3);
    know(w, 2, 3);
    world_expect_intact(w);
    assert_int_equal(w->result.known[0].state, HF_KNOWN_FOUND);
    world_put_plain(w, 2);
    world_expect_intact(w);
    assert_int_equal(w->result.known[0].state, HF_KNOWN_FOUND);
    assert_int_equal(w->result.head.number, 5);
    assert_string_equal(w->result.head.chain, WORLD_CHAIN);
    assert_string_equal(w->result.head.sha256, w->hashes[4]);
    assert_string_equal(w->result.head.signature, w->signatures[4]);
    assert_string_equal(w->result.head_journal, WORLD_JOURNAL);
}

static void
a_new_chain_that_names_it_has_it_too(void **state)
{
    struct world *w = *state;
    world_put_plain(w, 2);
    know(w, 1, 2);
    world_chain(w, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", w->digest_keys[1]);
    world_put_plain(w, 2);
    world_expect_intact(w);
    assert_int_equal(w->result.known[0].state, HF_KNOWN_FOUND);
    assert_int_equal(w->result.head.number, 2);
}

static void
an_end_that_is_cut_off_is_truncated(void **state)
{
    struct world *w = *state;
    world_put_plain(w, 4);
    know(w, 3, 4);
    world_remove(w, w->digest_keys[3]);
    world_verify(w);
    assert_true(world_saw(w, HF_TRUNCATED, w->digest_keys[2]));
    assert_non_null(strstr(w->seen[0].detail, "1 digests"));
    assert_int_equal(w->result.known[0].state, HF_KNOWN_CONTRADICTED);
    assert_false(w->result.intact);
    world_remove(w, w->digest_keys[2]);
    world_verify(w);
    assert_true(world_saw(w, HF_TRUNCATED, w->digest_keys[1]));
}

static void
a_damaged_end_has_its_own_name_and_no_other(void **state)
{
    struct world *w = *state;
    world_put_plain(w, 3);
    know(w, 2, 3);
    hf_owned(hf_freep) char *path = world_path(w, w->digest_keys[2]);
    world_flip(w, path, 800);
    world_verify(w);
    assert_true(world_saw(w, HF_INVALID, w->digest_keys[2]));
    assert_int_equal(w->result.findings[HF_TRUNCATED], 0);
    assert_int_equal(w->result.known[0].state, HF_KNOWN_CONTRADICTED);
}

static void
another_end_by_the_same_key_is_a_fork(void **state)
{
    struct world *w = *state;
    world_put_plain(w, 3);
    know(w, 2, 3);
    world_expect_intact(w);
    known.head.sha256[0] = known.head.sha256[0] == '0' ? '1' : '0';
    world_expect_one(w, HF_FORK, w->digest_keys[2]);
    assert_int_equal(w->result.known[0].state, HF_KNOWN_CONTRADICTED);
    know(w, 2, 3);
    known.head.signature[0] = known.head.signature[0] == '0' ? '1' : '0';
    world_expect_one(w, HF_FORK, w->digest_keys[2]);
    known.head.signature[0] = '\0'; /* only its hash is known */
    world_expect_intact(w);
}

static void
a_chain_that_nothing_leads_to_was_rolled_back(void **state)
{
    struct world *w = *state;
    world_put_plain(w, 2);
    know(w, 1, 2);
    snprintf(known.head.chain, sizeof(known.head.chain), "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf");
    known.head.key[0] = '\0';
    world_verify(w);
    assert_int_equal(w->result.findings[HF_ROLLED_BACK], 1);
    assert_int_equal(w->result.known[0].state, HF_KNOWN_CONTRADICTED);
}

static void
nothing_at_all_is_not_intact_where_something_was(void **state)
{
    struct world *w = *state;
    world_put_plain(w, 2);
    know(w, 1, 2);
    world_remove(w, w->digest_keys[0]);
    world_remove(w, w->digest_keys[1]);
    world_verify(w);
    assert_int_equal(w->result.findings[HF_ROLLED_BACK], 1);
    assert_int_equal(w->result.digests, 0);
    assert_false(w->result.intact);
}

static void
outside_of_what_was_asked_for_nothing_is_said(void **state)
{
    struct world *w = *state;
    world_put_plain(w, 4);
    know(w, 3, 4);
    w->options.end_s = WORLD_BASE_S + 2 * 3600;
    world_expect_intact(w);
    assert_int_equal(w->result.known[0].state, HF_KNOWN_UNSEEN);
    know(w, 0, 1);
    w->options.end_s = 0;
    w->options.start_s = WORLD_BASE_S + 3 * 3600;
    world_expect_intact(w);
    assert_int_equal(w->result.known[0].state, HF_KNOWN_UNSEEN);
    know(w, 3, 4); /* the newest is asked for */
    world_remove(w, w->digest_keys[3]);
    w->options.start_s = WORLD_BASE_S + 2 * 3600;
    world_verify(w);
    assert_true(world_saw(w, HF_TRUNCATED, w->digest_keys[2]));
}

static void
nothing_of_a_time_that_was_asked_for_is_not_found(void **state)
{
    struct world *w = *state;
    struct hf_error err;
    world_put_plain(w, 1);
    know(w, 0, 1);
    world_remove(w, w->digest_keys[0]);
    w->options.end_s = WORLD_BASE_S + 3600;
    assert_int_equal(hf_verify(&w->options, &w->result, &err), HF_ENOTFOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_chain_that_went_on_has_what_was_seen),
        TEST(a_new_chain_that_names_it_has_it_too),
        TEST(an_end_that_is_cut_off_is_truncated),
        TEST(a_damaged_end_has_its_own_name_and_no_other),
        TEST(another_end_by_the_same_key_is_a_fork),
        TEST(a_chain_that_nothing_leads_to_was_rolled_back),
        TEST(nothing_at_all_is_not_intact_where_something_was),
        TEST(outside_of_what_was_asked_for_nothing_is_said),
        TEST(nothing_of_a_time_that_was_asked_for_is_not_found),
    };

    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
