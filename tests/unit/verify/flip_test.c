/* Every single bit: of a small digest, its signature, a small object. Whatever is flipped is found.
 * In memory: it is some twelve thousand verifications. */
#include "tests/unit/verify/memory_store.h"
#include "tests/unit/verify/setup.h"

static const struct plan small = { .covers = { 1, 2 }, .objects = { { 1, 2 } } };

static int
setup_small(void **state)
{
    struct world *w = hf_alloc(sizeof(*w));

    world_init(w);
    world_put_digest(w, &small);
    memory_fill(w, NULL);
    *state = w;
    return 0;
}

static void
flip(struct memory_version *version, size_t bit)
{
    version->body.ptr[bit / 8] ^= (uint8_t)(1u << (bit % 8));
}

static void
flip_each_bit(struct world *w, const char *key)
{
    struct memory_version *version = memory_current(w->store, key);

    for (size_t bit = 0; bit < 8 * version->body.size; bit++) {
        flip(version, bit);
        world_verify(w);
        if (w->result.intact || !world_saw(w, HF_INVALID, key))
            fail_msg("bit %zu of %s", bit, key);
        flip(version, bit);
    }
    world_expect_intact(w);
}

static void
each_flipped_bit_of_an_object_is_found(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_object_key(w, small.objects[0], key);
    flip_each_bit(w, key);
}

static void
each_flipped_bit_of_a_digest_is_found(void **state)
{
    struct world *w = *state;

    flip_each_bit(w, w->digest_keys[0]);
}

static bool
says_the_same(const struct hf_buf *gzip, const struct hf_buf *json)
{
    hf_owned(hf_buf_done) struct hf_buf found = HF_BUF(HF_DIGEST_MAX);

    return hf_gunzip(hf_buf_slice(gzip), &found, NULL) == HF_OK &&
           hf_slice_equal(hf_buf_slice(&found), hf_buf_slice(json));
}

/* The hash of the stored bytes is not signed: whoever can change the digest can change it too. Then
 * only bits may pass that change nothing of what is signed: a gzip member has some, in its header
 * and its padding. */
static void
each_flipped_bit_of_what_a_digest_says_is_found_though_the_stored_hash_fits(void **state)
{
    struct world *w = *state;
    struct memory_version *version = memory_current(w->store, w->digest_keys[0]);
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX);

    assert_int_equal(hf_gunzip(hf_buf_slice(&version->body), &json, NULL), HF_OK);
    for (size_t bit = 0; bit < 8 * version->body.size; bit++) {
        flip(version, bit);
        hf_sha256_hex(version->body.ptr, version->body.size, version->info.sha256);
        world_verify(w);
        assert_int_equal(w->result.intact, says_the_same(&version->body, &json));
        flip(version, bit);
    }
}

static void
each_changed_digit_of_a_signature_is_found(void **state)
{
    struct world *w = *state;
    char *signature = memory_current(w->store, w->digest_keys[0])->info.signature;

    for (size_t i = 0; signature[i]; i++) {
        char was = signature[i];
        signature[i] = was == '7' ? '8' : '7';
        world_expect_one(w, HF_INVALID, w->digest_keys[0]);
        signature[i] = was;
    }
    world_expect_intact(w);
}

int
main(void)
{
#define SMALL(name) cmocka_unit_test_setup_teardown(name, setup_small, teardown)
    static const struct CMUnitTest tests[] = {
        SMALL(each_flipped_bit_of_an_object_is_found),
        SMALL(each_flipped_bit_of_a_digest_is_found),
        SMALL(each_flipped_bit_of_what_a_digest_says_is_found_though_the_stored_hash_fits),
        SMALL(each_changed_digit_of_a_signature_is_found),
    };
    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
