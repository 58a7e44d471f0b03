/* The chain of digests: each change to it gets its name, and only its own. */
#include "tests/unit/verify/setup.h"

static void
an_untouched_chain_is_intact(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 4);
    world_expect_intact(w);
    assert_int_equal(w->result.digests, 4);
    assert_int_equal(w->result.objects, 8);
    assert_int_equal(w->result.records, 80);
    assert_int_equal(w->result.first_seq, 1);
    assert_int_equal(w->result.last_seq, 80);
    assert_int_equal(w->result.from_s, WORLD_BASE_S);
    assert_int_equal(w->result.to_s, WORLD_BASE_S + 4 * 3600);
    assert_string_equal(w->result.head.key, w->digest_keys[3]);
    assert_int_equal(w->result.findings[HF_VALID], 12);
    assert_int_equal(w->result.findings[HF_ADVISORY], 1);
}

static void
an_empty_digest_is_a_link_like_any_other(void **state)
{
    struct world *w = *state;
    static const struct plan empty = { .covers = { 21, 20 } };

    world_put_plain(w, 1);
    world_put_digest(w, &empty);
    world_expect_intact(w);
}

static void
nothing_there_is_not_found_not_intact(void **state)
{
    struct world *w = *state;
    struct hf_error err;

    assert_int_equal(hf_verify(&w->options, &w->result, &err), HF_ENOTFOUND);
    assert_non_null(strstr(err.text, WORLD_TRAIL));
}

static void
a_flipped_byte_in_a_digest_is_invalid(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 4);
    for (size_t i = 0; i < 4; i++) {
        hf_owned(hf_freep) char *path = world_path(w, w->digest_keys[i]);
        world_flip(w, path, 800);
        world_expect_one(w, HF_INVALID, w->digest_keys[i]);
        world_flip(w, path, 800);
    }
    world_expect_intact(w);
}

static void
a_changed_signature_is_invalid(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 3);
    for (size_t i = 0; i < 3; i++) {
        char changed[2 * HF_SIGNATURE_MAX + 1];
        memcpy(changed, w->signatures[i], sizeof(changed));
        changed[17] = changed[17] == '0' ? '1' : '0';
        world_edit_meta(w, w->digest_keys[i], w->signatures[i], changed);
        world_expect_one(w, HF_INVALID, w->digest_keys[i]);
        world_edit_meta(w, w->digest_keys[i], changed, w->signatures[i]);
    }
}

static void
a_digest_without_its_signature_is_invalid(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 2);
    world_edit_meta(w, w->digest_keys[1], "\"signature\"", "\"sig\"");
    world_expect_one(w, HF_INVALID, w->digest_keys[1]);
}

static void
a_deleted_digest_is_missing_by_name(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 4);
    world_remove(w, w->digest_keys[1]);
    world_expect_one(w, HF_MISSING, w->digest_keys[1]);
    assert_non_null(strstr(w->seen[0].detail, w->digest_keys[2]));
    assert_int_equal(w->result.digests, 4);
    assert_int_equal(w->result.objects, 6); /* the walk went on behind the hole */
}

static void
the_deleted_first_digest_is_missing(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 3);
    world_remove(w, w->digest_keys[0]);
    world_expect_one(w, HF_MISSING, w->digest_keys[0]);
}

static void
two_deleted_digests_are_both_said(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 5);
    world_remove(w, w->digest_keys[1]);
    world_remove(w, w->digest_keys[2]);
    world_verify(w);
    assert_int_equal(w->seen_count, 2);
    assert_true(world_saw(w, HF_MISSING, w->digest_keys[2]));
    assert_true(world_saw(w, HF_MISSING,
                          w->digest_keys[0])); /* found next, and a number is left out before it */
    assert_false(w->result.intact);
}

static void
move(struct world *w, const char *from, const char *to)
{
    hf_owned(hf_freep) char *old_body = world_path(w, from), *new_body = world_path(w, to);
    hf_owned(hf_freep) char *old_meta = hf_asprintf("%s.meta.json", old_body);
    hf_owned(hf_freep) char *new_meta = hf_asprintf("%s.meta.json", new_body);

    assert_int_equal(rename(old_body, new_body), 0);
    assert_int_equal(rename(old_meta, new_meta), 0);
}

static void
swapped_digests_have_both_moved(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 5);
    move(w, w->digest_keys[1], "host1/away");
    move(w, w->digest_keys[2], w->digest_keys[1]);
    move(w, "host1/away", w->digest_keys[2]);
    world_verify(w);
    assert_int_equal(w->seen_count, 2);
    assert_true(world_saw(w, HF_MOVED, w->digest_keys[1]));
    assert_true(world_saw(w, HF_MOVED, w->digest_keys[2]));
}

static void
an_older_digest_replayed_as_the_newest_has_moved(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 3);
    world_remove(w, w->digest_keys[2]);
    hf_owned(hf_freep) char *old_body = world_path(w, w->digest_keys[1]);
    hf_owned(hf_buf_done) struct hf_buf body = world_read(old_body);
    world_put(w, w->digest_keys[2], hf_buf_slice(&body), w->signatures[1]);
    world_expect_one(w, HF_MOVED, w->digest_keys[2]);
}

static void
a_bucket_of_another_name_has_moved(void **state)
{
    struct world *w = *state;
    hf_owned(hf_freep) char *from = hf_asprintf("%s/" WORLD_BUCKET, w->root);
    hf_owned(hf_freep) char *to = hf_asprintf("%s/copy", w->root);
    hf_owned(hf_store_closep) struct hf_store *copy = NULL;

    world_put_plain(w, 2);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(hf_store_open(&w->config, "copy", &copy, NULL), HF_OK);
    w->options.store = copy;
    world_verify(w);
    assert_int_equal(w->seen_count, 2);
    assert_int_equal(w->result.findings[HF_MOVED], 2);
    assert_false(w->result.intact);
}

static void
cut_gzip_and_bytes_behind_it_are_invalid(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 2);
    hf_owned(hf_freep) char *path = world_path(w, w->digest_keys[0]);
    hf_owned(hf_buf_done) struct hf_buf bytes = world_read(path), twice = HF_BUF(1 << 20);
    world_write(path, hf_slice(bytes.ptr, bytes.size - 1));
    world_expect_one(w, HF_INVALID, w->digest_keys[0]);
    world_write(path, hf_slice(bytes.ptr, 0));
    world_expect_one(w, HF_INVALID, w->digest_keys[0]);
    assert_int_equal(hf_buf_add(&twice, bytes.ptr, bytes.size), HF_OK);
    assert_int_equal(hf_buf_add(&twice, bytes.ptr, bytes.size), HF_OK);
    world_write(path, hf_buf_slice(&twice));
    world_expect_one(w, HF_INVALID, w->digest_keys[0]);
}

/* The link alone tells: the replaced digest is in its place and signed by the right key. */
static void
change_host(struct hf_digest *digest)
{
    digest->host[0] = 'H';
}

static void
a_digest_made_again_with_the_right_key_breaks_the_chain(void **state)
{
    struct world *w = *state;
    static const struct plan second = { .covers = { 21, 40 },
                                        .objects = { { 21, 30 }, { 31, 40 } } };

    world_put_plain(w, 4);
    world_remove(w, w->digest_keys[1]);
    w->digest_count = 1;
    w->number = 1;
    w->end_s = WORLD_BASE_S + 3600;
    w->change = change_host;
    world_put_digest(w, &second);
    world_expect_one(w, HF_BROKEN_CHAIN, w->digest_keys[1]);
}

static void
skip_number(struct hf_digest *digest)
{
    digest->number += digest->number == 2;
}

static void
start_late(struct hf_digest *digest)
{
    digest->start_s += digest->number == 2 ? 60 : 0;
}

static void
leave_out_a_sequence(struct hf_digest *digest)
{
    digest->first_seq += digest->number == 2;
}

static void
wrong_previous_signature(struct hf_digest *digest)
{
    if (digest->previous_signature)
        digest->previous_signature[5] = digest->previous_signature[5] == 'a' ? 'b' : 'a';
}

static void
each_thing_that_a_link_says_is_compared(void **state)
{
    static void (*const changes[])(struct hf_digest *) = { skip_number, start_late,
                                                           leave_out_a_sequence,
                                                           wrong_previous_signature };
    static const struct plan plans[] = { { .covers = { 1, 20 } }, { .covers = { 21, 40 } } };

    (void)state;
    for (size_t i = 0; i < HF_COUNT(changes); i++) {
        struct world *w = hf_alloc(sizeof(*w));
        world_init(w);
        w->change = changes[i];
        world_put_digest(w, &plans[0]);
        world_put_digest(w, &plans[1]);
        world_expect_one(w, HF_BROKEN_CHAIN, w->digest_keys[0]);
        world_done(w);
        free(w);
    }
}

static void
wrong_tag(struct hf_digest *digest)
{
    memcpy(digest->tag, "AAAA", 4);
}

static void
a_tag_that_is_not_the_chains_breaks_it(void **state)
{
    struct world *w = *state;
    static const struct plan plan = { .covers = { 1, 20 } };

    w->change = wrong_tag;
    world_put_digest(w, &plan);
    world_expect_one(w, HF_BROKEN_CHAIN, w->digest_keys[0]);
}

static void
a_new_chain_is_walked_on_into_the_old_one(void **state)
{
    struct world *w = *state;
    char *head = w->digest_keys[1];

    world_put_plain(w, 2);
    world_chain(w, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", head);
    world_put_plain(w, 2);
    world_expect_intact(w);
    assert_int_equal(w->result.digests, 4);
    assert_int_equal(w->result.objects, 8);
    assert_int_equal(w->result.first_seq, 41); /* of the newest chain */
    hf_owned(hf_freep) char *path = world_path(w, w->digest_keys[0]);
    world_flip(w, path, 800);
    world_expect_one(w, HF_INVALID, w->digest_keys[0]);
    world_flip(w, path, 800);
    world_remove(w, w->digest_keys[1]);
    world_expect_one(w, HF_MISSING, w->digest_keys[1]);
}

static void
a_chain_that_nothing_names_is_extra(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 1);
    world_chain(w, "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf", NULL);
    world_put_plain(w, 2);
    world_expect_one(w, HF_EXTRA, w->digest_keys[0]);
}

static void
a_digest_put_in_between_is_extra(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_put_plain(w, 3);
    hf_layout_digest_key(&w->layout, WORLD_BASE_S + 5000, key);
    world_put(w, key, HF_SLICE_LITERAL("anything"), NULL);
    world_expect_one(w, HF_EXTRA, key);
}

static char taken_key[HF_KEY_MAX];

static void
name_what_took_its_key(struct hf_digest *digest)
{
    digest->foreign = hf_realloc(digest->foreign, sizeof(*digest->foreign));
    digest->foreign[0] = hf_strdup(taken_key);
    digest->foreign_count = 1;
}

static void
what_took_a_digests_key_and_is_named_by_it_is_no_finding(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 2);
    hf_layout_digest_key(&w->layout, WORLD_BASE_S + 2 * 3600 + 5, taken_key);
    world_put(w, taken_key, HF_SLICE_LITERAL("anything"), NULL);
    w->change = name_what_took_its_key;
    world_put_plain(w, 1);
    w->change = NULL;
    world_put_plain(w, 1);
    world_expect_intact(w);
}

static void
rubbish_as_the_newest_digest_is_invalid_and_does_not_stop_the_walk(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_put_plain(w, 3);
    hf_layout_digest_key(&w->layout, WORLD_BASE_S + 9 * 3600, key);
    world_put(w, key, HF_SLICE_LITERAL("anything"), NULL);
    world_expect_one(w, HF_INVALID, key);
    assert_int_equal(w->result.objects, 6);
    assert_string_equal(w->result.head.key, w->digest_keys[2]);
}

static void
a_chain_is_followed_to_the_prefix_it_had_before(void **state)
{
    static const char *const before[] = { "a/first", "", "z-last" };

    for (size_t i = 0; i < HF_COUNT(before); i++) {
        hf_owned(world_done) struct world w;
        world_init(&w);
        const char *prefix = w.layout.prefix;
        w.layout.prefix = before[i];
        world_put_plain(&w, 2);
        w.layout.prefix = prefix;
        world_put_plain(&w, 2);
        world_expect_intact(&w);
        assert_int_equal(w.result.digests, 4);
        assert_int_equal(w.result.objects, 8);
    }
    (void)state;
}

static void
from_another_bucket(struct hf_digest *digest)
{
    free(digest->previous_bucket);
    digest->previous_bucket = hf_strdup("earlier");
}

static void
a_chain_that_had_another_bucket_is_said_to_be_elsewhere(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 2);
    w->change = from_another_bucket;
    world_put_plain(w, 1);
    w->change = NULL;
    world_put_plain(w, 1);
    world_expect_one(w, HF_ELSEWHERE, w->digest_keys[2]);
    assert_non_null(strstr(w->seen[0].detail, "'earlier/"));
    assert_false(w->result.intact); /* what was not looked at is not intact */
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(an_untouched_chain_is_intact),
        TEST(an_empty_digest_is_a_link_like_any_other),
        TEST(nothing_there_is_not_found_not_intact),
        TEST(a_flipped_byte_in_a_digest_is_invalid),
        TEST(a_changed_signature_is_invalid),
        TEST(a_digest_without_its_signature_is_invalid),
        TEST(a_deleted_digest_is_missing_by_name),
        TEST(the_deleted_first_digest_is_missing),
        TEST(two_deleted_digests_are_both_said),
        TEST(swapped_digests_have_both_moved),
        TEST(an_older_digest_replayed_as_the_newest_has_moved),
        TEST(a_bucket_of_another_name_has_moved),
        TEST(cut_gzip_and_bytes_behind_it_are_invalid),
        TEST(a_digest_made_again_with_the_right_key_breaks_the_chain),
        TEST(each_thing_that_a_link_says_is_compared),
        TEST(a_tag_that_is_not_the_chains_breaks_it),
        TEST(a_new_chain_is_walked_on_into_the_old_one),
        TEST(a_chain_that_nothing_names_is_extra),
        TEST(a_digest_put_in_between_is_extra),
        TEST(what_took_a_digests_key_and_is_named_by_it_is_no_finding),
        TEST(rubbish_as_the_newest_digest_is_invalid_and_does_not_stop_the_walk),
        TEST(a_chain_is_followed_to_the_prefix_it_had_before),
        TEST(a_chain_that_had_another_bucket_is_said_to_be_elsewhere),
    };
    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
