/* Hashes and MACs against published vectors; random bytes; 256-bit key files. */
#include "tests/unit/crypto/crypto_test.h"

static void
assert_hex(const uint8_t *bytes, size_t size, const char *expected)
{
    char hex[HF_HEX_SIZE(64)];
    hf_hex(bytes, size, hex);
    assert_string_equal(hex, expected);
}

/* FIPS 180-4's examples. */
static void
sha256_gives_the_published_hashes(void **state)
{
    (void)state;
    char hex[HF_SHA256_HEX_SIZE];
    hf_sha256_hex("", 0, hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hf_sha256_hex("abc", 3, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    char *million = hf_alloc(1000000);
    memset(million, 'a', 1000000);
    hf_sha256_hex(million, 1000000, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
    uint8_t hash[HF_SHA256_SIZE];
    hf_sha256(NULL, 0, hash);
    assert_hex(hash, sizeof(hash),
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 1321 appendix A.5. */
static void
md5_gives_the_published_hashes(void **state)
{
    (void)state;
    uint8_t hash[HF_MD5_SIZE];
    hf_md5("", 0, hash);
    assert_hex(hash, sizeof(hash), "d41d8cd98f00b204e9800998ecf8427e");
    hf_md5("message digest", 14, hash);
    assert_hex(hash, sizeof(hash), "f96b697d7cb7938d525a2f31aaf161d0");
}

/* RFC 4231 test cases 1, 2 and 6, and the empty key. */
static void
hmac_gives_the_published_macs(void **state)
{
    (void)state;
    uint8_t mac[HF_SHA256_SIZE], key[131];
    memset(key, 0x0b, 20);
    hf_hmac_sha256(key, 20, "Hi There", 8, mac);
    assert_hex(mac, sizeof(mac),
               "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hf_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
    assert_hex(mac, sizeof(mac),
               "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    hf_hmac_sha256(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54,
                   mac);
    assert_hex(mac, sizeof(mac),
               "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    for (int i = 0; i < 2; i++) {
        hf_hmac_sha256(NULL, 0, "", 0, mac);
        assert_hex(mac, sizeof(mac),
                   "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    }
}

static void
hasher_gives_the_same_however_the_bytes_are_cut(void **state)
{
    (void)state;
    uint8_t bytes[1000], sha256[HF_SHA256_SIZE], md5[HF_MD5_SIZE], once_sha256[HF_SHA256_SIZE],
        once_md5[HF_MD5_SIZE];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7);
    hf_sha256(bytes, sizeof(bytes), once_sha256);
    hf_md5(bytes, sizeof(bytes), once_md5);
    for (size_t step = 1; step <= sizeof(bytes); step = step * 3 + 1) {
        struct hf_hasher *hasher = hf_hasher_new();
        for (size_t at = 0; at < sizeof(bytes); at += step)
            hf_hasher_add(hasher, bytes + at, HF_MIN(step, sizeof(bytes) - at));
        hf_hasher_add(hasher, NULL, 0);
        hf_hasher_finish(hasher, sha256, md5);
        assert_memory_equal(sha256, once_sha256, sizeof(sha256));
        assert_memory_equal(md5, once_md5, sizeof(md5));
    }
    struct hf_hasher *hasher = hf_hasher_new();
    hf_hasher_add(hasher, bytes, sizeof(bytes));
    hf_hasher_finish(hasher, sha256, NULL);
    assert_memory_equal(sha256, once_sha256, sizeof(sha256));
    hf_hasher_free(hf_hasher_new());
    hf_hasher_free(NULL);
}

static void
random_bytes_differ(void **state)
{
    (void)state;
    uint8_t a[32] = { 0 }, b[32] = { 0 };
    hf_random(a, sizeof(a));
    hf_random(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
}

static const uint8_t KEY[32] = { 0x00, 0x01, 0x0a, 0xff, 0x0d, 0x0a };

static void
key256_is_read_raw_or_as_hex(void **state)
{
    (void)state;
    uint8_t key[32] = { 9 };
    char hex[HF_HEX_SIZE(32) + 1];
    hf_hex(KEY, sizeof(KEY), hex);
    write_file("raw", KEY, 32, 0600);
    assert_int_equal(hf_key256_load(in_folder("raw"), key, NULL), HF_OK);
    assert_memory_equal(key, KEY, 32);
    memset(key, 9, sizeof(key));
    write_file("hex", hex, 64, 0400);
    assert_int_equal(hf_key256_load(in_folder("hex"), key, NULL), HF_OK);
    assert_memory_equal(key, KEY, 32);
    memset(key, 9, sizeof(key));
    hex[64] = '\n';
    write_file("line", hex, 65, 0640);
    assert_int_equal(hf_key256_load(in_folder("line"), key, NULL), HF_OK);
    assert_memory_equal(key, KEY, 32);
}

static void
key256_of_another_form_is_refused_and_nothing_is_written(void **state)
{
    (void)state;
    struct hf_error err;
    static const struct {
        const char *bytes;
        size_t size;
    } files[] = {
        { "", 0 },
        { "\n", 1 },
        { "0123456789abcdef0123456789abcde", 31 },
        { "0123456789abcdef0123456789abcdef\n", 33 },
        { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde", 63 },
        { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg", 64 },
        { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0", 65 },
        { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n\n", 66 },
    };
    for (size_t i = 0; i < HF_COUNT(files); i++) {
        uint8_t key[32], before[32];
        memset(key, 7, sizeof(key));
        memset(before, 7, sizeof(before));
        write_file("bad", files[i].bytes, files[i].size, 0600);
        assert_int_equal(hf_key256_load(in_folder("bad"), key, &err), HF_ECRYPTO);
        assert_non_null(strstr(err.text, "/bad'"));
        assert_memory_equal(key, before, sizeof(key));
    }
}

static void
key256_that_others_may_read_is_refused(void **state)
{
    (void)state;
    uint8_t key[32];
    write_file("open", KEY, 32, 0644);
    assert_int_not_equal(hf_key256_load(in_folder("open"), key, NULL), HF_OK);
    assert_int_equal(hf_key256_load(in_folder("absent"), key, NULL), HF_ENOTFOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_published_hashes),
        cmocka_unit_test(md5_gives_the_published_hashes),
        cmocka_unit_test(hmac_gives_the_published_macs),
        cmocka_unit_test(hasher_gives_the_same_however_the_bytes_are_cut),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(key256_is_read_raw_or_as_hex),
        cmocka_unit_test(key256_of_another_form_is_refused_and_nothing_is_written),
        cmocka_unit_test(key256_that_others_may_read_is_refused),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
