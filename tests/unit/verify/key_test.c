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

/* ---- revoked ---- */

static enum hf_status
count_content(void *context, const struct hf_digest_object *object, struct hf_slice json,
              struct hf_error *err)
{
    struct world *w = context;

    (void)json, (void)err;
    strncat(w->content, object->key, sizeof(w->content) - strlen(w->content) - 2);
    strcat(w->content, "\n");
    return HF_OK;
}

static size_t
handed_out(struct world *w)
{
    size_t lines = 0;

    w->content[0] = '\0';
    w->options.content = count_content;
    world_verify(w);
    for (const char *at = w->content; (at = strchr(at, '\n')); at++)
        lines++;
    return lines;
}

static void
a_revoked_key_vouches_for_nothing_whatever_stands_beside_it(void **state)
{
    struct world *w = *state;
    struct hf_revoked_key revoked = { .fingerprint = hf_signer_fingerprint(w->signer) };

    world_put_plain(w, 3);
    assert_int_equal(handed_out(w), 6);
    w->options.revoked = &revoked;
    w->options.revoked_count = 1;
    assert_int_equal(handed_out(w), 0);
    assert_int_equal(w->result.findings[HF_UNKNOWN_KEY], 3);
    world_edit_meta(w, w->digest_keys[2], "SHA256withRSA", "SHA256withRSB");
    assert_int_equal(handed_out(w), 0);
    assert_false(w->result.intact);
    revoked.from_s = WORLD_BASE_S + 2 * 3600; /* the third one's time */
    assert_int_equal(handed_out(w), 4);
}

/* The first digest of the new key names the last one of the revoked key, and that is all. */
static void
a_revoked_keys_digest_is_believed_where_another_names_it_and_its_links_are_not(void **state)
{
    struct world *w = *state;
    struct hf_signer *right = w->signer;
    struct hf_revoked_key revoked = { .fingerprint = hf_signer_fingerprint(world_other_signer()) };

    w->signer = world_other_signer();
    world_put_plain(w, 2);
    w->signer = right;
    world_put_plain(w, 1);
    assert_int_equal(handed_out(w), 6); /* of a key that is only unknown the links hold */
    w->options.revoked = &revoked;
    w->options.revoked_count = 1;
    assert_int_equal(handed_out(w), 4);
    assert_int_equal(w->result.findings[HF_UNKNOWN_KEY], 2);
}

/* One PUT of whoever may write blinds nobody; who wants it so asks for it. */
static void
metadata_withhold_nothing_unless_it_is_strict(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 3);
    world_edit_meta(w, w->digest_keys[1], "SHA256withRSA", "SHA256withRSB");
    assert_int_equal(handed_out(w), 6);
    assert_true(world_saw(w, HF_INVALID, w->digest_keys[1]));
    assert_false(w->result.intact);
    w->options.strict = true;
    assert_int_equal(handed_out(w), 4);
}

/* ---- copies ---- */

static void
a_copy_is_validated_by_the_name_of_its_original(void **state)
{
    struct world *w = *state;
    hf_owned(hf_freep) char *from = hf_asprintf("%s/" WORLD_BUCKET, w->root),
                            *to = hf_asprintf("%s/copy", w->root);
    struct hf_store *copy, *original = w->store;

    world_put_plain(w, 2);
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(hf_store_open(&w->config, "copy", &copy, NULL), HF_OK);
    w->options.store = copy;
    world_verify(w);
    assert_int_equal(w->result.findings[HF_MOVED], 2);
    w->options.original_bucket = WORLD_BUCKET;
    world_expect_intact(w);
    assert_int_equal(w->result.objects, 4);
    hf_store_close(copy);
    w->options.store = original;
    assert_int_equal(rename(to, from), 0);
}

static void
a_copy_without_metadata_says_nothing_of_the_evidence(void **state)
{
    struct world *w = *state;

    world_put_plain(w, 2);
    for (size_t i = 0; i < 2; i++) {
        hf_owned(hf_freep) char *path = world_path(w, w->digest_keys[i]);
        hf_owned(hf_freep) char *meta = hf_asprintf("%s.meta.json", path);
        world_verify(w);
        assert_false(w->result.signatures_absent);
        assert_int_equal(unlink(meta), 0);
    }
    world_verify(w);
    assert_true(w->result.signatures_absent);
    assert_false(w->result.intact);
    assert_int_equal(w->seen_count, 0);
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
        TEST(a_revoked_key_vouches_for_nothing_whatever_stands_beside_it),
        TEST(a_revoked_keys_digest_is_believed_where_another_names_it_and_its_links_are_not),
        TEST(metadata_withhold_nothing_unless_it_is_strict),
        TEST(a_copy_is_validated_by_the_name_of_its_original),
        TEST(a_copy_without_metadata_says_nothing_of_the_evidence),
    };
    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
