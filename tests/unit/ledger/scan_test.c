/* What a crash or a bad disk may leave, as bytes. */
#include "tests/unit/ledger/ledger_test.h"

#define FRAMES 8

/* A file of FRAMES steps; the first `synced` of them were on the disk when the others were written.
 */
struct file {
    struct hf_buf bytes;
    size_t at[FRAMES + 1];
};

static void
make_file(struct file *file, uint64_t synced)
{
    file->bytes = HF_BUF(1u << 16);
    for (uint64_t i = 0; i < FRAMES; i++) {
        hf_owned(hf_doc_freep) json_t *doc = doc_of(i);
        file->at[i] = file->bytes.size;
        assert_int_equal(
            frame_encode(step_of(i), i + 1, HF_MIN(i, synced), doc, &file->bytes, NULL), HF_OK);
    }
    file->at[FRAMES] = file->bytes.size;
}

static enum hf_status
scan(struct hf_slice bytes, struct replayed *ret_replayed, size_t *ret_valid)
{
    struct hf_error err;
    *ret_replayed = (struct replayed){ .answer = HF_OK };
    return hf_ledger_scan(bytes, collect, ret_replayed, ret_valid, &err);
}

static size_t
frames_within(const struct file *file, size_t size)
{
    size_t count = 0;
    while (count < FRAMES && file->at[count + 1] <= size)
        count++;
    return count;
}

static void
tail_torn_at_any_byte_leaves_the_whole_frames(void **state)
{
    (void)state;
    struct file file;
    make_file(&file, FRAMES);
    for (size_t size = 0; size <= file.bytes.size; size++) {
        uint8_t *exact = hf_alloc(size);
        struct replayed replayed;
        size_t valid;
        memcpy(exact, file.bytes.ptr, size);
        assert_int_equal(scan(hf_slice(exact, size), &replayed, &valid), HF_OK);
        assert_replayed(&replayed, 0, frames_within(&file, size));
        assert_int_equal(valid, file.at[replayed.count]);
        free(exact);
    }
    hf_buf_done(&file.bytes);
}

static void
zeros_behind_a_torn_frame_are_part_of_the_tail(void **state)
{
    (void)state;
    struct file file;
    make_file(&file, FRAMES);
    for (size_t size = 0; size < file.bytes.size; size++) {
        hf_owned(hf_freep) uint8_t *bytes = hf_alloc(file.bytes.size + 4096);
        struct replayed replayed;
        size_t valid;
        memcpy(bytes, file.bytes.ptr, size);
        assert_int_equal(scan(hf_slice(bytes, file.bytes.size + 4096), &replayed, &valid), HF_OK);
        /* A cut that took only padding or zeros of a document's last byte took nothing. */
        assert_in_range(replayed.count, frames_within(&file, size), frames_within(&file, size) + 1);
        assert_replayed(&replayed, 0, replayed.count);
    }
    hf_buf_done(&file.bytes);
}

static bool
is_padding(const struct file *file, size_t at)
{
    size_t i = frames_within(file, at);
    return at >= file->at[i] + FRAME_HEADER + hf_get_le32(file->bytes.ptr + file->at[i] + 24);
}

/* Every frame but the last is known to be durable by one behind it: a flipped bit there is damage,
 * and is never taken for a tail. */
static void
every_flipped_bit_before_the_last_frame_is_told(void **state)
{
    (void)state;
    struct file file;
    make_file(&file, FRAMES);
    for (size_t bit = 0; bit < 8 * file.bytes.size; bit++) {
        struct replayed replayed;
        size_t valid = SIZE_MAX;
        bool last = bit / 8 >= file.at[FRAMES - 1];
        file.bytes.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum hf_status status = scan(hf_buf_slice(&file.bytes), &replayed, &valid);
        if (is_padding(&file, bit / 8)) {
            assert_int_equal(status, HF_OK);
            assert_replayed(&replayed, 0, FRAMES);
        } else {
            assert_int_equal(status, last ? HF_OK : HF_ECORRUPT);
            assert_replayed(&replayed, 0, frames_within(&file, bit / 8));
            assert_true(last == (valid == file.at[FRAMES - 1]));
        }
        file.bytes.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    hf_buf_done(&file.bytes);
}

/* Of frames that were never synced a power loss may keep any: the first that is missing ends the
 * file. */
static void
hole_among_unsynced_frames_is_the_torn_tail(void **state)
{
    (void)state;
    for (uint64_t synced = 0; synced < FRAMES; synced++) {
        for (size_t hole = 0; hole < FRAMES; hole++) {
            struct file file;
            struct replayed replayed;
            size_t valid;
            make_file(&file, synced);
            memset(file.bytes.ptr + file.at[hole], 0, file.at[hole + 1] - file.at[hole]);
            enum hf_status status = scan(hf_buf_slice(&file.bytes), &replayed, &valid);
            bool was_durable = hole < synced && hole + 1 < FRAMES;
            assert_int_equal(status, was_durable ? HF_ECORRUPT : HF_OK);
            assert_replayed(&replayed, 0, hole);
            if (status == HF_OK)
                assert_int_equal(valid, file.at[hole]);
            hf_buf_done(&file.bytes);
        }
    }
}

static void
repeated_or_skipped_number_ends_the_file(void **state)
{
    (void)state;
    for (uint64_t second = 1; second <= 3; second += 2) {
        hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(4096);
        hf_owned(hf_doc_freep) json_t *doc = doc_of(0);
        struct replayed replayed;
        size_t valid;
        assert_int_equal(frame_encode(step_of(0), 1, 0, doc, &bytes, NULL), HF_OK);
        size_t first_size = bytes.size;
        assert_int_equal(frame_encode(step_of(0), second, 0, doc, &bytes, NULL), HF_OK);
        assert_int_equal(scan(hf_buf_slice(&bytes), &replayed, &valid), HF_OK);
        assert_replayed(&replayed, 0, 1);
        assert_int_equal(valid, first_size);
    }
}

static void
step_of_a_later_version_is_refused_and_not_cut_off(void **state)
{
    (void)state;
    const unsigned steps[] = { 0, HF_STEP_LAST + 1, 77 };
    for (size_t i = 0; i < HF_COUNT(steps); i++) {
        hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(4096);
        hf_owned(hf_doc_freep) json_t *doc = doc_of(0);
        struct replayed replayed;
        size_t valid;
        assert_int_equal(frame_encode((enum hf_step)steps[i], 1, 0, doc, &bytes, NULL), HF_OK);
        assert_int_equal(scan(hf_buf_slice(&bytes), &replayed, &valid), HF_EVERSION);
        assert_int_equal(replayed.count, 0);
    }
}

static void
visitor_that_refuses_ends_the_scan_with_its_status(void **state)
{
    (void)state;
    struct file file;
    struct replayed replayed = { .answer = HF_ECONFIG };
    struct hf_error err;
    size_t valid = 77;
    make_file(&file, FRAMES);
    assert_int_equal(hf_ledger_scan(hf_buf_slice(&file.bytes), collect, &replayed, &valid, &err),
                     HF_ECONFIG);
    assert_int_equal(replayed.count, 1);
    assert_int_equal(valid, 77);
    hf_buf_done(&file.bytes);
}

static void
document_that_is_no_json_is_corrupt(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(4096);
    hf_owned(hf_doc_freep) json_t *doc = json_pack("{s:i}", "a", 5);
    struct replayed replayed;
    size_t valid;
    assert_int_equal(frame_encode(HF_STEP_CUT, 1, 0, doc, &bytes, NULL), HF_OK);
    bytes.ptr[FRAME_HEADER + 6] = ']';
    hf_put_le32(bytes.ptr + 28,
                hf_crc32c(hf_crc32c(0, bytes.ptr, 28), bytes.ptr + FRAME_HEADER, 7));
    assert_int_equal(scan(hf_buf_slice(&bytes), &replayed, &valid), HF_ECORRUPT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tail_torn_at_any_byte_leaves_the_whole_frames),
        cmocka_unit_test(zeros_behind_a_torn_frame_are_part_of_the_tail),
        cmocka_unit_test(every_flipped_bit_before_the_last_frame_is_told),
        cmocka_unit_test(hole_among_unsynced_frames_is_the_torn_tail),
        cmocka_unit_test(repeated_or_skipped_number_ends_the_file),
        cmocka_unit_test(step_of_a_later_version_is_refused_and_not_cut_off),
        cmocka_unit_test(visitor_that_refuses_ends_the_scan_with_its_status),
        cmocka_unit_test(document_that_is_no_json_is_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
