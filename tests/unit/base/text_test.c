#include "tests/support/test.h"

#include <holdfast/base.h>

static void
slices_compare_by_their_bytes(void **state)
{
    (void)state;
    struct hf_slice a = HF_SLICE_LITERAL("ab\0c");

    assert_int_equal(a.size, 4);
    assert_true(hf_slice_equal(a, hf_slice("ab\0cd", 4)));
    assert_false(hf_slice_equal(a, hf_slice("ab\0d", 4)));
    assert_false(hf_slice_is(a, "ab"));
    assert_true(hf_slice_equal(hf_slice(NULL, 0), hf_slice_text("")));
    assert_true(hf_slice_is(hf_slice_text(NULL), ""));
}

static void
beginnings_and_ends_are_told_apart(void **state)
{
    (void)state;
    assert_true(hf_starts_with("journal-7", "journal"));
    assert_true(hf_starts_with("x", ""));
    assert_false(hf_starts_with("jour", "journal"));
    assert_true(hf_ends_with("a.json.gz", ".gz"));
    assert_true(hf_ends_with("x", ""));
    assert_false(hf_ends_with("gz", ".gz"));
    assert_false(hf_ends_with("a.gz.tmp", ".gz"));
}

static void
hex_goes_there_and_back(void **state)
{
    (void)state;
    uint8_t bytes[256];
    uint8_t back[256];
    char text[HF_HEX_SIZE(256)];

    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    hf_hex(bytes, sizeof(bytes), text);
    assert_int_equal(strlen(text), 512);
    assert_true(hf_starts_with(text, "000102030405060708090a0b0c0d0e0f10"));
    assert_true(hf_unhex(text, 512, back, 256));
    assert_memory_equal(bytes, back, 256);
    assert_true(hf_unhex("DEadBEef", 8, back, 4));
    assert_memory_equal(back, "\xde\xad\xbe\xef", 4);
    hf_hex("", 0, text);
    assert_string_equal(text, "");
}

static void
unhex_wants_exactly_the_size_and_leaves_the_rest_alone(void **state)
{
    (void)state;
    uint8_t bytes[2] = { 7, 7 };

    assert_false(hf_unhex("abc", 3, bytes, 1));
    assert_false(hf_unhex("abcd", 4, bytes, 1));
    assert_false(hf_unhex("ab", 2, bytes, 2));
    assert_false(hf_unhex("abcg", 4, bytes, 2));
    assert_false(hf_unhex("0x12", 4, bytes, 2));
    assert_false(hf_unhex(" 123", 4, bytes, 2));
    assert_int_equal(bytes[0], 7);
    assert_int_equal(bytes[1], 7);
    assert_true(hf_unhex("", 0, bytes, 0));
}

static const struct {
    const char *plain;
    const char *coded;
} rfc4648_vectors[] = {
    { "", "" },
    { "f", "Zg==" },
    { "fo", "Zm8=" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" },
    { "\xfb\xff\xfe", "+//+" },
};

static void
base64_follows_the_vectors_of_the_rfc(void **state)
{
    (void)state;
    char text[64];
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(64);

    for (size_t i = 0; i < HF_COUNT(rfc4648_vectors); i++) {
        const char *plain = rfc4648_vectors[i].plain;
        const char *coded = rfc4648_vectors[i].coded;
        assert_true(HF_BASE64_SIZE(strlen(plain)) == strlen(coded) + 1);
        hf_base64(plain, strlen(plain), text);
        assert_string_equal(text, coded);
        assert_int_equal(hf_unbase64(coded, strlen(coded), &bytes), HF_OK);
        assert_true(hf_slice_is(hf_buf_slice(&bytes), plain));
    }
}

static void
base64_of_every_length_comes_back(void **state)
{
    (void)state;
    uint8_t bytes[100];
    char text[HF_BASE64_SIZE(100)];
    hf_owned(hf_buf_done) struct hf_buf back = HF_BUF(100);

    for (size_t size = 0; size <= 100; size++) {
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)(i * 37 + size * 11);
        hf_base64(bytes, size, text);
        assert_int_equal(hf_unbase64(text, strlen(text), &back), HF_OK);
        assert_true(hf_slice_equal(hf_buf_slice(&back), hf_slice(bytes, size)));
    }
}

static void
unbase64_refuses_all_but_the_one_right_spelling(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "Z",    "Zg",   "Zg=", "Zg==\n", " Zg==", "Zg==Zg==", "Z===", "====", "=",
        "Zm9=", "Zh==", "Zm8", "Zm9v=",  "Zm-_",  "Zm 8",     "Zg=A", "Z=g=", "Zm9vYg===",
    };
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(64);

    assert_int_equal(hf_buf_add_text(&bytes, "before"), HF_OK);
    for (size_t i = 0; i < HF_COUNT(wrong); i++) {
        assert_int_equal(hf_unbase64(wrong[i], strlen(wrong[i]), &bytes), HF_EFORMAT);
        assert_string_equal(hf_buf_text(&bytes), "before");
    }
    assert_int_equal(hf_unbase64("Zm\0v", 4, &bytes), HF_EFORMAT);
}

static void
unbase64_obeys_the_buffers_maximum(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(2);

    assert_int_equal(hf_buf_add_text(&bytes, "ab"), HF_OK);
    assert_int_equal(hf_unbase64("Zm9v", 4, &bytes), HF_ELIMIT);
    assert_string_equal(hf_buf_text(&bytes), "ab");
    assert_int_equal(hf_unbase64("Zm8=", 4, &bytes), HF_OK);
    assert_string_equal(hf_buf_text(&bytes), "fo");
}

static void
what_steers_a_terminal_is_masked_and_nothing_else(void **state)
{
    static const char *const plain[] = { "",     "a b~", "\xc3\xa9", "\xc2\xa0", "\xe2\x80\x94",
                                         "\x9b", "\xc2" };
    char text[] = "a\n\x1b[2J\x7f\xc2\x80|\xc2\x9f|\xc2\xa0|\xc2";

    (void)state;
    for (size_t i = 0; i < HF_COUNT(plain); i++)
        assert_false(hf_has_control(plain[i]));
    assert_true(hf_has_control("a\tb"));
    assert_true(hf_has_control("\x7f"));
    assert_true(hf_has_control("a\xc2\x9b"));
    hf_mask_controls(text);
    assert_string_equal(text, "a??[2J???|??|\xc2\xa0|\xc2");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_compare_by_their_bytes),
        cmocka_unit_test(beginnings_and_ends_are_told_apart),
        cmocka_unit_test(what_steers_a_terminal_is_masked_and_nothing_else),
        cmocka_unit_test(hex_goes_there_and_back),
        cmocka_unit_test(unhex_wants_exactly_the_size_and_leaves_the_rest_alone),
        cmocka_unit_test(base64_follows_the_vectors_of_the_rfc),
        cmocka_unit_test(base64_of_every_length_comes_back),
        cmocka_unit_test(unbase64_refuses_all_but_the_one_right_spelling),
        cmocka_unit_test(unbase64_obeys_the_buffers_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
