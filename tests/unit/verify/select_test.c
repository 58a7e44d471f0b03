/* What was asked for: a time, a trail, the content. */
#include "tests/unit/verify/setup.h"

static void
only_digests_of_the_time_that_was_asked_for_are_checked(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 6);
    w->options.start_s = WORLD_BASE_S + 2 * 3600 + 100;
    w->options.end_s = WORLD_BASE_S + 4 * 3600 - 100;
    world_expect_intact(w);
    assert_int_equal(w->result.digests, 2);
    assert_int_equal(w->result.objects, 4);
    assert_int_equal(w->result.first_seq, 41);
    assert_int_equal(w->result.last_seq, 80);
    assert_int_equal(w->result.from_s, WORLD_BASE_S + 2 * 3600);
    assert_int_equal(w->result.to_s, WORLD_BASE_S + 4 * 3600);
    assert_string_equal(w->result.head.key, w->digest_keys[3]);
}

static void
one_side_may_be_open(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 4);
    w->options.start_s = WORLD_BASE_S + 3 * 3600;
    world_expect_intact(w);
    assert_int_equal(w->result.digests, 1);
    w->options.start_s = 0;
    w->options.end_s = WORLD_BASE_S + 3600;
    world_expect_intact(w);
    assert_int_equal(w->result.digests, 1);
}

static void
a_time_without_digests_is_not_found(void **state)
{
    struct world *w = *state;
    struct hf_error err;

    world_put_plain(w, 2);
    w->options.start_s = WORLD_BASE_S + 20 * 3600;
    assert_int_equal(hf_verify(&w->options, &w->result, &err), HF_ENOTFOUND);
    w->options.start_s = 0;
    w->options.end_s = WORLD_BASE_S - 3600;
    assert_int_equal(hf_verify(&w->options, &w->result, &err), HF_ENOTFOUND);
}

static void
what_expired_before_the_time_is_no_complaint(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 4);
    world_remove(w, w->digest_keys[0]);
    world_remove(w, w->digest_keys[1]);
    w->options.start_s = WORLD_BASE_S + 2 * 3600;
    world_expect_intact(w);
    assert_int_equal(w->result.digests, 2);
    w->options.start_s = 0;
    world_expect_one(w, HF_MISSING, w->digest_keys[1]);
}

static void
what_is_wrong_before_the_time_is_no_complaint(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 4);
    hf_owned(hf_freep) char *path = world_path(w, w->digest_keys[1]);
    world_flip(w, path, 800);
    w->options.start_s = WORLD_BASE_S + 2 * 3600;
    world_expect_intact(w);
    w->options.start_s--;
    world_expect_one(w, HF_INVALID, w->digest_keys[1]);
}

/* The digest before the first one asked for is read for what it announced and listed, no more. */
static void
what_was_announced_before_the_time_is_known(void **state)
{
    struct world *w = *state;
    static const struct plan plans[] = {
        { .covers = { 1, 20 }, .objects = { { 1, 10 } }, .pending = { { 11, 20 } } },
        { .covers = { 21, 40 }, .objects = { { 11, 20 }, { 21, 40 } } },
        { .covers = { 41, 60 }, .objects = { { 41, 60 }, { 1, 10 } } },
    };
    char key[HF_KEY_MAX];

    world_put_digest(w, &plans[0]);
    world_put_digest(w, &plans[1]);
    world_object_key(w, (struct range){ 1, 10 }, key);
    world_remove(w, key);
    w->options.start_s = WORLD_BASE_S + 3600;
    world_expect_intact(w);
    world_put_digest(w, &plans[2]); /* the gone one again, which the second did not announce */
    w->options.start_s = WORLD_BASE_S + 2 * 3600;
    world_verify(w);
    assert_true(world_saw(w, HF_BROKEN_CHAIN, w->digest_keys[2]));
}

static void
the_only_trail_is_found(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 2);
    w->options.layout.trail = NULL;
    world_expect_intact(w);
    assert_int_equal(w->result.digests, 2);
}

static void
of_several_trails_one_must_be_named(void **state)
{
    struct world *w = *state;
    struct hf_layout other = w->layout;
    struct hf_error err;
    char key[HF_KEY_MAX];

    world_put_plain(w, 1);
    other.trail = "second_one";
    hf_layout_digest_key(&other, WORLD_BASE_S, key);
    world_put(w, key, HF_SLICE_LITERAL("x"), NULL);
    world_expect_intact(w); /* another trail's digests are none of ours */
    w->options.layout.trail = NULL;
    assert_int_equal(hf_verify(&w->options, &w->result, &err), HF_EUSAGE);
    assert_non_null(strstr(err.text, "main"));
    assert_non_null(strstr(err.text, "second_one"));
}

/* ---- content ---- */

static enum hf_status
content(void *context, const struct hf_digest_object *object, struct hf_slice json,
        struct hf_error *err)
{
    struct world *w = context;
    char hash[HF_SHA256_HEX_SIZE];
    size_t used = strlen(w->content);

    hf_sha256_hex(json.ptr, json.size, hash);
    assert_string_equal(hash, object->plain_sha256);
    snprintf(w->content + used, sizeof(w->content) - used, "%u ", (unsigned)object->first_seq);
    return object->first_seq == 999 ? hf_fail(err, HF_EIO, "full") : HF_OK;
}

static void
content_comes_oldest_first_and_only_if_it_is_right(void **state)
{
    struct world *w = *state;
    static const struct plan plan = { .covers = { 1, 20 }, .objects = { { 11, 20 }, { 1, 10 } } };
    char key[HF_KEY_MAX];

    world_put_digest(w, &plan);
    world_put_plain(w, 2);
    w->options.content = content;
    world_expect_intact(w);
    assert_string_equal(w->content, "1 11 21 31 41 51 ");
    world_object_key(w, (struct range){ 31, 40 }, key);
    hf_owned(hf_freep) char *path = world_path(w, key);
    world_flip(w, path, 700);
    w->content[0] = '\0';
    world_expect_one(w, HF_INVALID, key);
    assert_string_equal(w->content, "1 11 21 41 51 ");
}

static void
content_of_digests_that_nobody_signed_is_not_handed_out(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 2);
    hf_owned(hf_freep) char *path = world_path(w, w->digest_keys[0]);
    world_flip(w, path, 800);
    w->options.content = content;
    world_expect_one(w, HF_INVALID, w->digest_keys[0]);
    assert_string_equal(w->content, "21 31 ");
}

static enum hf_status
refuse(void *context, const struct hf_digest_object *object, struct hf_slice json,
       struct hf_error *err)
{
    (void)context;
    (void)object;
    (void)json;
    return hf_fail(err, HF_ESTOPPED, "enough");
}

static void
whoever_takes_the_content_can_stop_it(void **state)
{
    struct world *w = *state;
    struct hf_error err;

    world_put_plain(w, 2);
    w->options.content = refuse;
    assert_int_equal(hf_verify(&w->options, &w->result, &err), HF_ESTOPPED);
    assert_string_equal(err.text, "enough");
}

/* ---- envelopes ---- */

static void
envelopes_are_checked_closed_and_read_with_the_key(void **state)
{
    struct world *w = *state;
    struct envelopes envelopes;
    char key[HF_KEY_MAX];

    world_envelopes(w, &envelopes);
    world_put_plain(w, 2);
    world_expect_intact(w);
    assert_int_equal(w->result.records, 40);

    w->options.content = content;
    world_verify(w); /* without the key: said for each, and none handed out */
    assert_int_equal(w->result.findings[HF_ENVELOPE_ONLY], 4);
    assert_true(w->result.intact);
    w->options.opener = envelopes.stranger;
    world_verify(w);
    assert_int_equal(w->result.findings[HF_ENVELOPE_ONLY], 4);
    assert_string_equal(w->content, "");
    w->options.opener = envelopes.opener;
    world_expect_intact(w);
    assert_string_equal(w->content, "1 11 21 31 ");

    w->options.content = NULL;
    world_object_key(w, (struct range){ 1, 10 }, key);
    hf_owned(hf_freep) char *path = world_path(w, key);
    world_flip(w, path, 3000);
    world_expect_one(w, HF_INVALID, key);
    envelopes_done(&envelopes);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(only_digests_of_the_time_that_was_asked_for_are_checked),
        TEST(one_side_may_be_open),
        TEST(a_time_without_digests_is_not_found),
        TEST(what_expired_before_the_time_is_no_complaint),
        TEST(what_is_wrong_before_the_time_is_no_complaint),
        TEST(what_was_announced_before_the_time_is_known),
        TEST(the_only_trail_is_found),
        TEST(of_several_trails_one_must_be_named),
        TEST(content_comes_oldest_first_and_only_if_it_is_right),
        TEST(content_of_digests_that_nobody_signed_is_not_handed_out),
        TEST(whoever_takes_the_content_can_stop_it),
        TEST(envelopes_are_checked_closed_and_read_with_the_key),
    };
    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
