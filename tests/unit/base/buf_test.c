#include "tests/support/test.h"

#include <holdfast/base.h>

static void
what_is_added_stands_there_and_ends_in_nul(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(100);

    assert_string_equal(hf_buf_text(&buf), "");
    assert_int_equal(hf_buf_slice(&buf).size, 0);
    assert_int_equal(hf_buf_add(&buf, "abc", 2), HF_OK);
    assert_int_equal(hf_buf_add_text(&buf, "-text-"), HF_OK);
    assert_int_equal(hf_buf_addf(&buf, "%s=%d", "n", 7), HF_OK);
    assert_int_equal(hf_buf_add(&buf, NULL, 0), HF_OK);
    assert_string_equal(hf_buf_text(&buf), "ab-text-n=7");
    assert_true(hf_slice_is(hf_buf_slice(&buf), "ab-text-n=7"));
}

static void
the_maximum_can_be_reached_and_not_passed(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf buf;

    hf_buf_init(&buf, 5);
    assert_int_equal(hf_buf_add_text(&buf, "12345"), HF_OK);
    assert_int_equal(hf_buf_add(&buf, "6", 1), HF_ELIMIT);
    assert_int_equal(hf_buf_addf(&buf, "%d", 6), HF_ELIMIT);
    assert_int_equal(hf_buf_reserve(&buf, SIZE_MAX), HF_ELIMIT);
    assert_int_equal(hf_buf_reserve(&buf, 0), HF_OK);
    assert_string_equal(hf_buf_text(&buf), "12345");
    assert_int_equal(buf.size, 5);
    assert_true(buf.capacity <= 5);
}

static void
a_buffer_without_room_takes_nothing(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf buf = { 0 };

    assert_int_equal(hf_buf_add(&buf, "x", 1), HF_ELIMIT);
    assert_int_equal(hf_buf_add(&buf, "", 0), HF_OK);
    assert_int_equal(buf.size, 0);
}

static void
it_grows_byte_by_byte_without_losing_one(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(3000);

    for (int i = 0; i < 3000; i++) {
        assert_int_equal(hf_buf_add(&buf, &(char){ (char)i }, 1), HF_OK);
        assert_int_equal(buf.ptr[buf.size], 0);
    }
    for (int i = 0; i < 3000; i++)
        assert_int_equal(buf.ptr[i], (uint8_t)i);
    assert_int_equal(hf_buf_add(&buf, "x", 1), HF_ELIMIT);
}

static void
reset_keeps_the_memory_and_done_keeps_the_maximum(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF(10);

    hf_buf_reset(&buf);
    assert_int_equal(hf_buf_add_text(&buf, "0123456789"), HF_OK);
    uint8_t *memory = buf.ptr;
    hf_buf_reset(&buf);
    assert_string_equal(hf_buf_text(&buf), "");
    assert_int_equal(hf_buf_add_text(&buf, "again"), HF_OK);
    assert_ptr_equal(buf.ptr, memory);
    hf_buf_done(&buf);
    assert_null(buf.ptr);
    assert_int_equal(buf.max, 10);
    assert_int_equal(hf_buf_add_text(&buf, "once more"), HF_OK);
    hf_buf_done(&buf);
    hf_buf_done(&buf);
}

static void
reserved_room_is_there_to_be_written(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(1000);

    assert_int_equal(hf_buf_reserve(&buf, 1000), HF_OK);
    memset(buf.ptr, 'x', 1000);
    assert_int_equal(buf.size, 0);
    assert_true(buf.capacity >= 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_added_stands_there_and_ends_in_nul),
        cmocka_unit_test(the_maximum_can_be_reached_and_not_passed),
        cmocka_unit_test(a_buffer_without_room_takes_nothing),
        cmocka_unit_test(it_grows_byte_by_byte_without_losing_one),
        cmocka_unit_test(reset_keeps_the_memory_and_done_keeps_the_maximum),
        cmocka_unit_test(reserved_room_is_there_to_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
