/* Whose key it is: given, given by its fingerprint, found in the bucket, or nobody's. */
#include "tests/unit/verify/setup.h"

static void
put_public_key(struct world *w, struct hf_signer *signer, const char *fingerprint)
{
    hf_owned(hf_buf_done) struct hf_buf pem = HF_BUF(65536);
    char key[HF_KEY_MAX];

    assert_int_equal(hf_signer_public_pem(signer, &pem), HF_OK);
    hf_layout_public_key(&w->layout, fingerprint, key);
    world_put(w, key, hf_buf_slice(&pem), NULL);
}

static void
a_key_from_the_bucket_is_used_and_vouches_for_nothing(void **state)
{
    struct world *w = *state;
    const char *fingerprint = hf_signer_fingerprint(w->signer);

    world_put_plain(w, 3);
    put_public_key(w, w->signer, fingerprint);
    w->options.verifier_count = 0;
    world_expect_one(w, HF_KEY_NOT_PINNED, fingerprint);
    assert_false(w->result.intact);
    assert_int_equal(w->result.objects, 6);
}

/* Whoever may write to the bucket can make all of this: nothing in it is wrong but the key. */
static void
a_forged_chain_with_its_own_key_in_the_bucket_is_not_intact(void **state)
{
    struct world *w = *state;
    struct hf_signer *other = world_other_signer();

    w->signer = other;
    world_put_plain(w, 2);
    put_public_key(w, other, hf_signer_fingerprint(other));
    w->options.verifier_count = 0;
    world_expect_one(w, HF_KEY_NOT_PINNED, hf_signer_fingerprint(other));
    assert_false(w->result.intact);
}

static void
a_fingerprint_pins_the_key_in_the_bucket(void **state)
{
    struct world *w = *state;
    const char *fingerprint = hf_signer_fingerprint(w->signer);

    world_put_plain(w, 2);
    put_public_key(w, w->signer, fingerprint);
    w->options.verifier_count = 0;
    w->options.fingerprints = &fingerprint;
    w->options.fingerprint_count = 1;
    world_expect_intact(w);
}

static void
no_key_at_all_is_unknown(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 1);
    w->options.verifier_count = 0;
    world_expect_one(w, HF_UNKNOWN_KEY, w->digest_keys[0]);
    assert_int_equal(w->result.objects, 0); /* nobody vouches for what it lists */
}

static void
a_chain_signed_by_another_key_is_unknown_though_its_key_lies_in_the_bucket(void **state)
{
    struct world *w = *state;
    struct hf_signer *other = world_other_signer();

    w->signer = other;
    world_put_plain(w, 2);
    put_public_key(w, other, hf_signer_fingerprint(other));
    world_verify(w);
    assert_int_equal(w->seen_count, 2);
    assert_int_equal(w->result.findings[HF_UNKNOWN_KEY], 2);
    assert_int_equal(w->result.objects, 0);
    assert_false(w->result.intact);
}

static void
another_key_under_the_names_of_the_right_one_is_unknown(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 1);
    put_public_key(w, world_other_signer(), hf_signer_fingerprint(w->signer));
    w->options.verifier_count = 0;
    world_expect_one(w, HF_UNKNOWN_KEY, w->digest_keys[0]);
}

static void
rubbish_in_the_keys_place_is_unknown(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_put_plain(w, 1);
    hf_layout_public_key(&w->layout, hf_signer_fingerprint(w->signer), key);
    world_put(w, key,
              HF_SLICE_LITERAL("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
              NULL);
    w->options.verifier_count = 0;
    world_expect_one(w, HF_UNKNOWN_KEY, w->digest_keys[0]);
}

/* The key was changed; a newer digest by the right key vouches for the bytes of the older one, not
 * for its key. */
static void
an_older_unknown_key_is_named_and_its_objects_are_still_checked(void **state)
{
    struct world *w = *state;
    struct hf_signer *right = w->signer;
    char key[HF_KEY_MAX];

    w->signer = world_other_signer();
    world_put_plain(w, 1);
    w->signer = right;
    world_put_plain(w, 1);
    world_expect_one(w, HF_UNKNOWN_KEY, w->digest_keys[0]);
    assert_int_equal(w->result.objects, 4);
    world_object_key(w, (struct range){ 1, 10 }, key);
    hf_owned(hf_freep) char *path = world_path(w, key);
    world_flip(w, path, 700);
    world_verify(w);
    assert_true(world_saw(w, HF_INVALID, key));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_key_from_the_bucket_is_used_and_vouches_for_nothing),
        TEST(a_forged_chain_with_its_own_key_in_the_bucket_is_not_intact),
        TEST(a_fingerprint_pins_the_key_in_the_bucket),
        TEST(no_key_at_all_is_unknown),
        TEST(a_chain_signed_by_another_key_is_unknown_though_its_key_lies_in_the_bucket),
        TEST(another_key_under_the_names_of_the_right_one_is_unknown),
        TEST(rubbish_in_the_keys_place_is_unknown),
        TEST(an_older_unknown_key_is_named_and_its_objects_are_still_checked),
    };
    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
