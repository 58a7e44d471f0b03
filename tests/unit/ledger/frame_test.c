#include "tests/unit/ledger/ledger_test.h"

static void
encode(struct hf_buf *buf, uint64_t number, uint64_t value)
{
    hf_owned(hf_doc_freep) json_t *doc = doc_of(value);
    struct frame_stamp stamp = { .epoch = 3, .number = number, .durable = number - 1 };
    assert_int_equal(frame_encode(step_of(value), &stamp, doc, buf, NULL), HF_OK);
}

static void
frame_comes_back_as_it_went(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < 40; value++) {
        hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(4096);
        struct frame frame;
        encode(&buf, 7, value);
        assert_int_equal(buf.size % 8, 0);
        assert_true(frame_decode(hf_buf_slice(&buf), 0, &frame));
        assert_int_equal(frame.step, step_of(value));
        assert_int_equal(frame.version, FRAME_VERSION);
        assert_int_equal(frame.epoch, 3);
        assert_int_equal(frame.number, 7);
        assert_int_equal(frame.durable, 6);
        assert_int_equal(frame.size, buf.size);
        hf_owned(hf_doc_freep) json_t *doc = NULL, *expected = doc_of(value);
        assert_int_equal(hf_doc_parse(frame.doc, 4096, "doc", &doc, NULL), HF_OK);
        assert_true(json_equal(doc, expected));
    }
}

/* The layout is a promise to files that exist. */
static void
bytes_are_those_of_the_drawing(void **state)
{
    (void)state;
    static const uint8_t prefix[28] = { 'H', 'L', 'G', 'F', 2, 0, 1, 0, 9, 0, 0,  0, 0, 0,
                                        0,   0,   4,   0,   0, 0, 0, 0, 0, 0, 15, 0, 0, 0 };
    static const uint8_t rest[16] = { 6, 5, 0, 0, 0, 0, 0, 0, '{', '"', 'a', '"', ':', '5', '}' };
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(4096);
    hf_owned(hf_doc_freep) json_t *doc = json_pack("{s:i}", "a", 5);
    struct frame_stamp stamp = { .epoch = 0x506, .number = 9, .durable = 4 };
    assert_int_equal(frame_encode(HF_STEP_CUT, &stamp, doc, &buf, NULL), HF_OK);
    assert_int_equal(buf.size, 48);
    assert_memory_equal(buf.ptr, prefix, sizeof(prefix));
    assert_int_equal(hf_get_le32(buf.ptr + 28),
                     hf_crc32c(hf_crc32c(0, prefix, sizeof(prefix)), rest, 15));
    assert_memory_equal(buf.ptr + 32, rest, sizeof(rest));
}

/* What stands in ledgers that were written before there were two files. */
static void
frame_of_version_0_has_no_epoch(void **state)
{
    (void)state;
    uint8_t bytes[40] = { 'H', 'L', 'G', 'F', 2, 0, 0,   0,   9,   0,   0,   0,   0,
                          0,   0,   0,   4,   0, 0, 0,   0,   0,   0,   0,   7,   0,
                          0,   0,   0,   0,   0, 0, '{', '"', 'a', '"', ':', '5', '}' };
    struct frame frame;
    hf_put_le32(bytes + 28, hf_crc32c(hf_crc32c(0, bytes, 28), bytes + 32, 7));
    assert_true(frame_decode(hf_slice(bytes, sizeof(bytes)), 0, &frame));
    assert_int_equal(frame.version, 0);
    assert_int_equal(frame.step, HF_STEP_CUT);
    assert_int_equal(frame.epoch, 0);
    assert_int_equal(frame.number, 9);
    assert_int_equal(frame.size, 40);
    assert_true(hf_slice_equal(frame.doc, hf_slice_text("{\"a\":5}")));
}

static void
every_flipped_bit_but_padding_makes_it_no_frame(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(4096);
    struct frame frame;
    encode(&buf, 3, 5);
    assert_true(frame_decode(hf_buf_slice(&buf), 0, &frame));
    size_t used = frame.used;
    for (size_t bit = 0; bit < 8 * used; bit++) {
        buf.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(frame_decode(hf_buf_slice(&buf), 0, &frame));
        buf.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void
shorter_bytes_hold_no_frame(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(4096);
    struct frame frame;
    encode(&buf, 3, 5);
    for (size_t size = 0; size < buf.size; size++) {
        uint8_t *exact = hf_alloc(size); /* so that reading past the end is seen */
        memcpy(exact, buf.ptr, size);
        assert_false(frame_decode(hf_slice(exact, size), 0, &frame));
        free(exact);
    }
    assert_false(frame_decode(hf_buf_slice(&buf), buf.size, &frame));
    assert_false(frame_decode(hf_buf_slice(&buf), buf.size + 1, &frame));
    assert_false(frame_decode(hf_buf_slice(&buf), SIZE_MAX, &frame));
}

static void
document_over_the_limit_is_refused(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(64u << 20);
    hf_owned(hf_doc_freep) json_t *doc = json_array();
    hf_owned(hf_freep) char *text = hf_alloc(FRAME_DOC_MAX);
    struct hf_error err;
    memset(text, 'x', FRAME_DOC_MAX - 1);
    json_array_append_new(doc, json_string(text));
    struct frame_stamp stamp = { .epoch = 1, .number = 1 };
    assert_int_equal(frame_encode(HF_STEP_CUT, &stamp, doc, &buf, &err), HF_ELIMIT);
    assert_non_null(strstr(err.text, "cut step"));
    assert_int_equal(buf.size, 0);
}

static void
frame_that_finds_no_room_is_refused(void **state)
{
    (void)state;
    hf_owned(hf_doc_freep) json_t *doc = doc_of(5);
    struct frame_stamp stamp = { .epoch = 1, .number = 1 };
    for (size_t room = 0; room < 48; room += 8) { /* before, within and behind the prefix */
        hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(room + 1);
        struct hf_error err;
        assert_int_equal(frame_encode(HF_STEP_CUT, &stamp, doc, &buf, &err), HF_ELIMIT);
        assert_non_null(strstr(err.text, "the ledger would be larger"));
    }
}

/* What a later version has there is for it to say; that nothing is there is damage. */
static void
frame_without_room_for_its_epoch_is_none(void **state)
{
    (void)state;
    uint8_t bytes[40] = { 'H', 'L', 'G', 'F', 2, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 4 };
    struct frame frame;
    hf_put_le32(bytes + 24, 3);
    hf_put_le32(bytes + 28, hf_crc32c(hf_crc32c(0, bytes, 28), bytes + 32, 3));
    assert_false(frame_decode(hf_slice(bytes, sizeof(bytes)), 0, &frame));
    bytes[6] = 0; /* of version 0 it would be one */
    hf_put_le32(bytes + 28, hf_crc32c(hf_crc32c(0, bytes, 28), bytes + 32, 3));
    assert_true(frame_decode(hf_slice(bytes, sizeof(bytes)), 0, &frame));
}

static void
every_step_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = HF_STEP_STATE; a <= HF_STEP_LAST; a++) {
        bool is_known = strcmp(hf_step_name((enum hf_step)a), "unknown") != 0;
        assert_int_equal(is_known, a != 10); /* which a later version may give a meaning */
        for (int b = HF_STEP_STATE; b < a; b++)
            assert_string_not_equal(hf_step_name((enum hf_step)a), hf_step_name((enum hf_step)b));
    }
    assert_string_equal(hf_step_name((enum hf_step)0), "unknown");
    assert_string_equal(hf_step_name((enum hf_step)(HF_STEP_LAST + 1)), "unknown");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_comes_back_as_it_went),
        cmocka_unit_test(bytes_are_those_of_the_drawing),
        cmocka_unit_test(frame_of_version_0_has_no_epoch),
        cmocka_unit_test(every_flipped_bit_but_padding_makes_it_no_frame),
        cmocka_unit_test(shorter_bytes_hold_no_frame),
        cmocka_unit_test(document_over_the_limit_is_refused),
        cmocka_unit_test(frame_that_finds_no_room_is_refused),
        cmocka_unit_test(frame_without_room_for_its_epoch_is_none),
        cmocka_unit_test(every_step_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
