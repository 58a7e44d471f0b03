/* Every single bit: of a small digest, its signature, a small object. Whatever is flipped is found.
 */
#include "tests/unit/verify/setup.h"

/* Flips each bit of the file in turn; each time the run must not be intact, and must say so of
 * `key`. */
static void
flip_each_bit(struct world *w, const char *path, const char *key)
{
    hf_owned(hf_buf_done) struct hf_buf bytes = world_read(path);

    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.ptr[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        world_write(path, hf_buf_slice(&bytes));
        bytes.ptr[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        world_verify(w);
        if (w->result.intact || !world_saw(w, HF_INVALID, key))
            fail_msg("bit %zu of %s", bit, path);
    }
    world_write(path, hf_buf_slice(&bytes));
    world_expect_intact(w);
}

static const struct plan small = { .covers = { 1, 2 }, .objects = { { 1, 2 } } };

static void
each_flipped_bit_of_an_object_is_found(void **state)
{
    struct world *w = *state;
    char key[HF_KEY_MAX];

    world_put_digest(w, &small);
    world_object_key(w, small.objects[0], key);
    hf_owned(hf_freep) char *path = world_path(w, key);
    flip_each_bit(w, path, key);
}

static void
each_flipped_bit_of_a_digest_is_found(void **state)
{
    struct world *w = *state;

    world_put_digest(w, &small);
    hf_owned(hf_freep) char *path = world_path(w, w->digest_keys[0]);
    flip_each_bit(w, path, w->digest_keys[0]);
}

static bool
says_the_same(struct hf_slice gzip, const struct hf_buf *json)
{
    hf_owned(hf_buf_done) struct hf_buf found = HF_BUF(HF_DIGEST_MAX);

    return hf_gunzip(gzip, &found, NULL) == HF_OK &&
           hf_slice_equal(hf_buf_slice(&found), hf_buf_slice(json));
}

/* The hash of the stored bytes is not signed: whoever can change the digest can change it too. Then
 * only bits may pass that change nothing of what is signed: a gzip member has some, in its header
 * and its padding. */
static void
each_flipped_bit_of_what_a_digest_says_is_found_though_the_stored_hash_fits(void **state)
{
    struct world *w = *state;
    char sha256[HF_SHA256_HEX_SIZE];

    world_put_digest(w, &small);
    hf_owned(hf_freep) char *path = world_path(w, w->digest_keys[0]);
    hf_owned(hf_freep) char *meta = hf_asprintf("%s.meta.json", path);
    hf_owned(hf_buf_done) struct hf_buf bytes = world_read(path), text = world_read(meta);
    hf_owned(hf_buf_done) struct hf_buf json = HF_BUF(HF_DIGEST_MAX);
    assert_int_equal(hf_gunzip(hf_buf_slice(&bytes), &json, NULL), HF_OK);
    hf_sha256_hex(bytes.ptr, bytes.size, sha256);
    char *hash = strstr((char *)text.ptr, sha256);
    assert_non_null(hash);
    for (size_t bit = 0; bit < 8 * bytes.size; bit++) {
        bytes.ptr[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        hf_sha256_hex(bytes.ptr, bytes.size, sha256);
        memcpy(hash, sha256, HF_SHA256_HEX_SIZE - 1);
        world_write(path, hf_buf_slice(&bytes));
        world_write(meta, hf_buf_slice(&text));
        world_verify(w);
        assert_int_equal(w->result.intact, says_the_same(hf_buf_slice(&bytes), &json));
        bytes.ptr[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

static void
each_changed_digit_of_a_signature_is_found(void **state)
{
    struct world *w = *state;
    char was[2 * HF_SIGNATURE_MAX + 1], now[2 * HF_SIGNATURE_MAX + 1];

    world_put_digest(w, &small);
    memcpy(was, w->signatures[0], sizeof(was));
    for (size_t i = 0; was[i]; i++) {
        memcpy(now, was, sizeof(now));
        now[i] = was[i] == '7' ? '8' : '7';
        world_edit_meta(w, w->digest_keys[0], was, now);
        world_expect_one(w, HF_INVALID, w->digest_keys[0]);
        world_edit_meta(w, w->digest_keys[0], now, was);
    }
    world_expect_intact(w);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(each_flipped_bit_of_an_object_is_found),
        TEST(each_flipped_bit_of_a_digest_is_found),
        TEST(each_flipped_bit_of_what_a_digest_says_is_found_though_the_stored_hash_fits),
        TEST(each_changed_digit_of_a_signature_is_found),
    };
    return cmocka_run_group_tests(tests, world_group_setup, world_group_teardown);
}
