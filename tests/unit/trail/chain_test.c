/* The chain: what follows what, and strays among its digests. */
#include "agent/trail/chain.h"
#include "tests/support/test.h"

#define LAYOUT                                                                                     \
    ((struct hf_layout){                                                                           \
        .prefix = "", .account = "000000000000", .region = "us-east-1", .trail = "all" })

static struct chain
chain_of(const char *id)
{
    struct chain chain = { .journal = "j", .trail = "all", .key = outgoing_none() };
    chain_set_id(&chain, id);
    chain.created_s = chain.time_s = 1000;
    return chain;
}

static struct digest_work *
work_of(uint64_t number, int64_t end_s)
{
    struct digest_work *work = hf_alloc(sizeof(*work));
    work->out = outgoing_none();
    work->digest.number = number;
    work->digest.end_s = end_s;
    work->digest.first_seq = 1;
    work->digest.key = hf_strdup("taken");
    return work;
}

static void
tag_is_of_the_chain(void **state)
{
    struct chain a = chain_of("a"), b = chain_of("b"), again = chain_of("a");
    (void)state;
    assert_string_equal(a.tag, again.tag);
    assert_string_not_equal(a.tag, b.tag);
}

static void
digest_begins_where_the_one_before_ended(void **state)
{
    struct chain chain = chain_of("a");
    (void)state;
    assert_int_equal(chain_start_s(&chain), 1000);
    chain_set_head(&chain,
                   &(struct head){ .number = 1, .end_s = 2000, .signature = hf_strdup("s") });
    assert_int_equal(chain_start_s(&chain), 2000);
    chain_done(&chain);
}

static void
digest_is_owed_for_what_it_would_list(void **state)
{
    struct chain chain = chain_of("a");
    struct lists lists = { 0 };
    (void)state;
    assert_false(chain_owes_digest(&chain, &lists, 0));
    assert_true(chain_owes_digest(&chain, &lists, 1)); /* events that nobody selected, too */
    chain.digested_seq = 1;
    lists_add_loss(&lists, 1, 1, "lost");
    assert_true(chain_owes_digest(&chain, &lists, 1));
    lists_done(&lists);
}

static void
moved_digest_is_later_and_names_the_key_it_left(void **state)
{
    struct chain chain = chain_of("a");
    (void)state;
    chain_set_digest(&chain, work_of(1, 1000));
    outgoing_attempt(&chain.digest->out, 86400, true);
    chain_move_digest(&chain);
    assert_int_equal(chain.digest->digest.end_s, 1001);
    assert_int_equal(chain.time_s, 1001);
    assert_string_equal(chain.digest->digest.foreign[0], "taken");
    assert_int_equal(chain.digest->out.first_retain_s, -1);
    assert_false(chain.digest->out.foreign);
    chain_done(&chain);
}

static void
new_chain_follows_the_foreign_one_but_not_into_the_future(void **state)
{
    struct chain chain = chain_of("a");
    struct lists lists = { 0 };
    (void)state;
    chain_set_head(&chain, &(struct head){ .number = 7, .signature = hf_strdup("s") });
    chain_set_digest(&chain, work_of(8, 1000));
    chain.digested_seq = 9;
    chain.foreign_end_s = 1500;
    chain_begin_anew(&chain, &lists, "b");
    chain_follow(&chain, "their head", 1100);
    assert_string_equal(chain.id, "b");
    assert_string_equal(chain.old_head, "their head");
    assert_int_equal(chain.head.number, 0);
    assert_null(chain.digest);
    assert_int_equal(chain.digested_seq, 0); /* its events are listed by the new one's first */
    assert_int_equal(chain.created_s, 1500);
    chain.foreign_end_s = 1500 + 86400;
    chain_follow(&chain, "another", 1100);
    assert_int_equal(chain.created_s, 1500);
    chain_done(&chain);
    lists_done(&lists);
}

static void
strays_are_known_until_they_hide_nothing_and_are_not_endless(void **state)
{
    struct chain chain = chain_of("a");
    struct hf_layout layout = LAYOUT;
    char key[HF_KEY_MAX];
    (void)state;
    for (unsigned i = 0; i < STRAYS_MOST; i++) {
        hf_layout_digest_key(&layout, 1767225600 + i, key);
        assert_true(chain_add_stray(&chain, key));
    }
    assert_true(chain_knows_stray(&chain, key));
    assert_false(chain_add_stray(&chain, "one more"));
    assert_false(chain_knows_stray(&chain, "one more"));
    chain_forget_strays(&chain, &layout, 1767225600 + STRAYS_MOST - 1);
    assert_int_equal(chain.stray_count, 1);
    assert_true(chain_knows_stray(&chain, key));
    chain_done(&chain);
    assert_int_equal(chain.stray_count, 0);
}

static void
key_has_one_place_in_each_bucket(void **state)
{
    char a[HF_SHA256_HEX_SIZE], b[HF_SHA256_HEX_SIZE];
    (void)state;
    chain_key_place("store", "bucket", "key", a);
    chain_key_place("store", "other", "key", b);
    assert_string_not_equal(a, b);
}

/* A second, two, four: up to half a minute, however often; and from the start once it went well. */
static void
what_cannot_be_sealed_is_tried_ever_more_seldom(void **state)
{
    struct chain chain = chain_of("a");
    struct hf_error err = { .text = "the disk is full" };
    static const int64_t waits[] = { 1000, 2000, 4000, 8000, 16000, 30000, 30000 };
    (void)state;
    for (size_t i = 0; i < HF_COUNT(waits); i++) {
        chain_seal_failed(&chain, &err, 500);
        assert_int_equal(chain.seal_retry_ms, 500 + waits[i]);
    }
    for (size_t i = 0; i < 100; i++)
        chain_seal_failed(&chain, &err, 500);
    assert_int_equal(chain.seal_retry_ms, 500 + 30000);
    assert_string_equal(chain.seal_why, "the disk is full");
    chain_sealed(&chain);
    assert_string_equal(chain.seal_why, "");
    chain_seal_failed(&chain, &err, 500);
    assert_int_equal(chain.seal_retry_ms, 500 + 1000);
    chain_done(&chain);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tag_is_of_the_chain),
        cmocka_unit_test(digest_begins_where_the_one_before_ended),
        cmocka_unit_test(digest_is_owed_for_what_it_would_list),
        cmocka_unit_test(what_cannot_be_sealed_is_tried_ever_more_seldom),
        cmocka_unit_test(moved_digest_is_later_and_names_the_key_it_left),
        cmocka_unit_test(new_chain_follows_the_foreign_one_but_not_into_the_future),
        cmocka_unit_test(strays_are_known_until_they_hide_nothing_and_are_not_endless),
        cmocka_unit_test(key_has_one_place_in_each_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
