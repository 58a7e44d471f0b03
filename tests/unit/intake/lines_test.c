#include "help.h"

#include <holdfast/crypto.h>

static struct hf_piece
next(const char *text, bool in_parts, bool ended)
{
    return hf_piece_next(hf_slice_text(text), 8, in_parts, ended);
}

static void
assert_piece(struct hf_piece piece, enum hf_piece_kind kind, const char *bytes, size_t consumed)
{
    assert_int_equal(piece.kind, kind);
    assert_true(hf_slice_is(piece.bytes, bytes));
    assert_int_equal(piece.consumed, consumed);
}

static void
a_line_ends_at_its_newline(void **state)
{
    (void)state;
    assert_piece(next("abc\ndef\n", false, false), HF_PIECE_LINE, "abc", 4);
    assert_piece(next("\nabc", false, false), HF_PIECE_LINE, "", 1);
    assert_piece(next("12345678\n", false, false), HF_PIECE_LINE, "12345678", 9);
}

static void
a_partial_line_waits_until_nothing_follows(void **state)
{
    (void)state;
    assert_int_equal(next("abc", false, false).kind, HF_PIECE_NONE);
    assert_int_equal(next("12345678", false, false).kind, HF_PIECE_NONE);
    assert_piece(next("abc", false, true), HF_PIECE_LINE, "abc", 3);
    assert_int_equal(next("", false, true).kind, HF_PIECE_NONE);
}

static void
a_long_line_becomes_parts_whether_its_end_is_known_or_not(void **state)
{
    (void)state;
    assert_piece(next("123456789", false, false), HF_PIECE_PART, "12345678", 8);
    assert_piece(next("123456789\n", false, false), HF_PIECE_PART, "12345678", 8);
    assert_piece(next("9\nabc", true, false), HF_PIECE_LAST, "9", 2);
    assert_piece(next("\n", true, false), HF_PIECE_LAST, "", 1);
    assert_piece(next("", true, true), HF_PIECE_LAST, "", 0);
    assert_int_equal(next("9", true, false).kind, HF_PIECE_NONE);
}

static void
a_part_does_not_cut_a_character(void **state)
{
    (void)state;
    assert_piece(next("1234567\xc3\xa4z", false, false), HF_PIECE_PART, "1234567", 7);
    assert_piece(next("123456\xe2\x82\xac zz", false, false), HF_PIECE_PART, "123456", 6);
    assert_piece(next("12345\xf0\x9f\x98\x80zz", false, false), HF_PIECE_PART, "12345", 5);
    assert_piece(next("12345\xe2\x82\xac z", false, false), HF_PIECE_PART, "12345\xe2\x82\xac", 8);
    assert_piece(next("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", false, false), HF_PIECE_PART,
                 "\x80\x80\x80\x80\x80\x80\x80\x80", 8);
}

static void
the_hash_of_a_long_line_takes_each_byte_once(void **state)
{
    struct hf_long_line line = { .parts = 0 };
    char wanted[HF_SHA256_HEX_SIZE];
    (void)state;
    hf_sha256_hex("abcdef", 6, wanted);
    hf_long_line_add(&line, 0, HF_SLICE_LITERAL("abc"));
    hf_long_line_add(&line, 0, HF_SLICE_LITERAL("abc"));
    hf_long_line_add(&line, 0, HF_SLICE_LITERAL("abcd"));
    hf_long_line_add(&line, 3, HF_SLICE_LITERAL("def"));
    hf_long_line_finish(&line);
    hf_long_line_finish(&line);
    assert_string_equal(line.sha256, wanted);
    hf_long_line_reset(&line);
    assert_int_equal(line.hashed, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_ends_at_its_newline),
        cmocka_unit_test(a_partial_line_waits_until_nothing_follows),
        cmocka_unit_test(a_long_line_becomes_parts_whether_its_end_is_known_or_not),
        cmocka_unit_test(a_part_does_not_cut_a_character),
        cmocka_unit_test(the_hash_of_a_long_line_takes_each_byte_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
