/* What a crash or a bad disk may leave of two files, as bytes. */
#include "tests/unit/ledger/ledger_test.h"

#define FRAMES 8

/* A file of FRAMES steps; the first `synced` of them were on the disk when the others were
 * written. */
struct file {
    struct hf_buf bytes;
    size_t at[FRAMES + 1];
};

static void
file_done(struct file *file)
{
    hf_buf_done(&file->bytes);
}

static void
make_file(struct file *file, uint64_t epoch, uint64_t synced)
{
    file->bytes = HF_BUF(1u << 16);
    for (uint64_t i = 0; i < FRAMES; i++) {
        hf_owned(hf_doc_freep) json_t *doc = doc_of(i);
        struct frame_stamp stamp = { .epoch = epoch,
                                     .number = i + 1,
                                     .durable = HF_MIN(i, synced) };
        file->at[i] = file->bytes.size;
        assert_int_equal(frame_encode(step_of(i), &stamp, doc, &file->bytes, NULL), HF_OK);
    }
    file->at[FRAMES] = file->bytes.size;
}

/* The outcome of merging two files, with the steps replayed. */
struct outcome {
    enum hf_status status;
    size_t whole_bytes;
    struct replayed replayed;
    struct hf_error err;
    bool stale[2];
};

static struct outcome
merge(struct hf_slice file, struct hf_slice copy)
{
    struct hf_slice files[LEDGER_FILES] = { file, copy };
    hf_owned(merged_done) struct merged merged = { 0 };
    struct outcome outcome = { .replayed = { .answer = HF_OK } };
    outcome.status = ledger_merge(files, &merged, &outcome.err);
    if (outcome.status == HF_OK)
        outcome.status =
            ledger_visit(hf_buf_slice(&merged.bytes), collect, &outcome.replayed, &outcome.err);
    outcome.whole_bytes = merged.bytes.size;
    memcpy(outcome.stale, merged.is_stale, sizeof(outcome.stale));
    return outcome;
}

static struct outcome
merge_alone(struct hf_slice file)
{
    return merge(file, hf_slice(NULL, 0));
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
tail_torn_at_any_byte_of_both_leaves_the_whole_frames(void **state)
{
    (void)state;
    hf_owned(file_done) struct file file;
    make_file(&file, 1, FRAMES);
    for (size_t size = 0; size <= file.bytes.size; size++) {
        hf_owned(hf_freep) uint8_t *exact = hf_alloc(size);
        memcpy(exact, file.bytes.ptr, size);
        for (int two = 0; two < 2; two++) {
            struct hf_slice cut = hf_slice(exact, size);
            struct outcome outcome = two ? merge(cut, cut) : merge_alone(cut);
            assert_int_equal(outcome.status, HF_OK);
            assert_replayed(&outcome.replayed, 0, frames_within(&file, size));
            assert_int_equal(outcome.whole_bytes, file.at[outcome.replayed.count]);
        }
    }
}

/* The first write has been made, the second one not, or only a part of it: the step is taken. Both
 * files have it, synced, before anything is done on its strength (file_test.c). */
static void
files_torn_at_any_two_bytes_give_the_longer(void **state)
{
    (void)state;
    hf_owned(file_done) struct file file;
    make_file(&file, 1, 2);
    for (size_t a = file.at[2]; a <= file.bytes.size; a += 3) {
        for (size_t b = file.at[2]; b <= file.bytes.size; b += 5) {
            struct outcome outcome =
                merge(hf_slice(file.bytes.ptr, a), hf_slice(file.bytes.ptr, b));
            assert_int_equal(outcome.status, HF_OK);
            assert_replayed(&outcome.replayed, 0, frames_within(&file, HF_MAX(a, b)));
        }
    }
}

static void
zeros_behind_a_torn_frame_are_part_of_the_tail(void **state)
{
    (void)state;
    hf_owned(file_done) struct file file;
    make_file(&file, 1, FRAMES);
    for (size_t size = 0; size < file.bytes.size; size++) {
        hf_owned(hf_freep) uint8_t *bytes = hf_alloc(file.bytes.size + 4096);
        memcpy(bytes, file.bytes.ptr, size);
        struct outcome outcome = merge_alone(hf_slice(bytes, file.bytes.size + 4096));
        assert_int_equal(outcome.status, HF_OK);
        /* A cut that took only padding took nothing. */
        assert_in_range(outcome.replayed.count, frames_within(&file, size),
                        frames_within(&file, size) + 1);
        assert_replayed(&outcome.replayed, 0, outcome.replayed.count);
    }
}

static bool
is_padding(const struct file *file, size_t at)
{
    struct frame frame;
    size_t i = frames_within(file, at);
    assert_true(frame_decode(hf_buf_slice(&file->bytes), file->at[i], &frame));
    return at >= file->at[i] + frame.used;
}

/* Every frame but the last is known to be durable by one behind it: a flipped bit there is damage,
 * and is never taken for a tail. */
static void
every_flipped_bit_before_the_last_frame_of_an_only_file_is_told(void **state)
{
    (void)state;
    hf_owned(file_done) struct file file;
    make_file(&file, 1, FRAMES);
    for (size_t bit = 0; bit < 8 * file.bytes.size; bit++) {
        bool last = bit / 8 >= file.at[FRAMES - 1], padding = is_padding(&file, bit / 8);
        file.bytes.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct outcome outcome = merge_alone(hf_buf_slice(&file.bytes));
        if (padding) {
            assert_int_equal(outcome.status, HF_OK);
            assert_replayed(&outcome.replayed, 0, FRAMES);
        } else if (last) {
            assert_int_equal(outcome.status, HF_OK);
            assert_replayed(&outcome.replayed, 0, FRAMES - 1);
        } else {
            assert_int_equal(outcome.status, HF_ECORRUPT);
            assert_int_equal(outcome.replayed.count, 0);
        }
        file.bytes.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void
flipped_bit_in_either_file_changes_nothing(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        struct file files[2];
        make_file(&files[0], 1, FRAMES);
        make_file(&files[1], 1, FRAMES);
        struct hf_buf *flipped = &files[which].bytes;
        for (size_t bit = 0; bit < 8 * flipped->size; bit++) {
            flipped->ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct outcome outcome =
                merge(hf_buf_slice(&files[0].bytes), hf_buf_slice(&files[1].bytes));
            assert_int_equal(outcome.status, HF_OK);
            assert_replayed(&outcome.replayed, 0, FRAMES);
            assert_int_equal(outcome.whole_bytes, flipped->size);
            flipped->ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        file_done(&files[0]);
        file_done(&files[1]);
    }
}

static void
damage_is_mended_unless_it_hits_the_same_step_in_both(void **state)
{
    (void)state;
    for (size_t a = 0; a < FRAMES; a++) {
        for (size_t b = 0; b < FRAMES; b++) {
            struct file files[2];
            make_file(&files[0], 1, FRAMES);
            make_file(&files[1], 1, FRAMES);
            files[0].bytes.ptr[files[0].at[a] + 9] ^= 1;
            files[1].bytes.ptr[files[1].at[b] + 40] ^= 1;
            struct outcome outcome =
                merge(hf_buf_slice(&files[0].bytes), hf_buf_slice(&files[1].bytes));
            if (a == b && a + 1 < FRAMES) {
                char byte[32];
                snprintf(byte, sizeof(byte), "byte %zu of both", files[0].at[a]);
                assert_int_equal(outcome.status, HF_ECORRUPT);
                assert_non_null(strstr(outcome.err.text, byte));
            } else {
                assert_int_equal(outcome.status, HF_OK);
                assert_replayed(&outcome.replayed, 0, a == b ? FRAMES - 1 : FRAMES);
            }
            file_done(&files[0]);
            file_done(&files[1]);
        }
    }
}

/* Of frames that were never synced a power loss may keep any: the first that is missing ends the
 * file. */
static void
hole_among_unsynced_frames_is_the_torn_tail(void **state)
{
    (void)state;
    for (uint64_t synced = 0; synced < FRAMES; synced++) {
        for (size_t hole = 0; hole < FRAMES; hole++) {
            hf_owned(file_done) struct file file;
            make_file(&file, 1, synced);
            memset(file.bytes.ptr + file.at[hole], 0, file.at[hole + 1] - file.at[hole]);
            struct hf_slice bytes = hf_buf_slice(&file.bytes);
            struct outcome outcome = merge(bytes, bytes);
            bool was_durable = hole < synced && hole + 1 < FRAMES;
            assert_int_equal(outcome.status, was_durable ? HF_ECORRUPT : HF_OK);
            if (!was_durable) {
                assert_replayed(&outcome.replayed, 0, hole);
                assert_int_equal(outcome.whole_bytes, file.at[hole]);
            }
        }
    }
}

static void
newer_epoch_counts_alone(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        hf_owned(file_done) struct file older, newer;
        make_file(&older, 4, FRAMES);
        make_file(&newer, 5, FRAMES);
        struct hf_slice old = hf_buf_slice(&older.bytes);
        for (size_t frames = 1; frames <= FRAMES; frames++) {
            struct hf_slice new = hf_slice(newer.bytes.ptr, newer.at[frames]);
            struct outcome outcome = which ? merge(old, new) : merge(new, old);
            assert_int_equal(outcome.status, HF_OK);
            assert_replayed(&outcome.replayed, 0, frames);
            assert_int_equal(outcome.whole_bytes, newer.at[frames]);
            assert_true(outcome.stale[!which]);
            assert_false(outcome.stale[which]);
        }
    }
}

/* Nobody makes such files, but a checksum can be right by chance, and a hand can copy. */
static void
two_whole_frames_of_one_number_that_differ_are_refused(void **state)
{
    (void)state;
    hf_owned(file_done) struct file one, other;
    make_file(&one, 1, FRAMES);
    make_file(&other, 1, 2);
    struct outcome outcome = merge(hf_buf_slice(&one.bytes), hf_buf_slice(&other.bytes));
    assert_int_equal(outcome.status, HF_ECORRUPT);
    assert_non_null(strstr(outcome.err.text, "differ in step 4"));
}

static void
encode(struct hf_buf *bytes, unsigned step, uint64_t number)
{
    hf_owned(hf_doc_freep) json_t *doc = doc_of(0);
    struct frame_stamp stamp = { .epoch = 1, .number = number };
    assert_int_equal(frame_encode((enum hf_step)step, &stamp, doc, bytes, NULL), HF_OK);
}

static void
repeated_or_skipped_number_ends_the_file(void **state)
{
    (void)state;
    for (uint64_t second = 1; second <= 3; second += 2) {
        hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(4096);
        encode(&bytes, HF_STEP_STATE, 1);
        size_t first_size = bytes.size;
        encode(&bytes, HF_STEP_STATE, second);
        struct outcome outcome = merge_alone(hf_buf_slice(&bytes));
        assert_int_equal(outcome.status, HF_OK);
        assert_replayed(&outcome.replayed, 0, 1);
        assert_int_equal(outcome.whole_bytes, first_size);
    }
}

static void
refresh_crc(struct hf_buf *bytes, size_t at)
{
    uint32_t size = hf_get_le32(bytes->ptr + at + 24);
    hf_put_le32(bytes->ptr + at + 28,
                hf_crc32c(hf_crc32c(0, bytes->ptr + at, 28), bytes->ptr + at + FRAME_PREFIX, size));
}

/* In either file, at whatever place: behind it may stand what only that version could tell. */
static void
step_of_a_later_version_is_refused(void **state)
{
    (void)state;
    const unsigned steps[] = { 0, 10, HF_STEP_LAST + 1, 77, HF_STEP_CUT };
    for (size_t i = 0; i < HF_COUNT(steps); i++) {
        for (uint64_t number = 1; number <= 3; number++) {
            hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(4096), known = HF_BUF(4096);
            encode(&bytes, HF_STEP_STATE, 1);
            encode(&known, HF_STEP_STATE, 1);
            size_t at = bytes.size;
            encode(&bytes, steps[i], number);
            if (steps[i] == HF_STEP_CUT) {
                hf_put_le16(bytes.ptr + at + 6, FRAME_VERSION + 1);
                refresh_crc(&bytes, at);
            }
            struct outcome outcome = merge(hf_buf_slice(&known), hf_buf_slice(&bytes));
            assert_int_equal(outcome.status, HF_EVERSION);
            outcome = merge(hf_buf_slice(&bytes), hf_buf_slice(&known));
            assert_int_equal(outcome.status, HF_EVERSION);
            assert_int_equal(outcome.replayed.count, 0);
        }
    }
}

static void
visitor_that_refuses_ends_it_with_its_status(void **state)
{
    (void)state;
    hf_owned(file_done) struct file file;
    struct replayed replayed = { .answer = HF_ECONFIG };
    struct hf_error err;
    make_file(&file, 1, FRAMES);
    assert_int_equal(ledger_visit(hf_buf_slice(&file.bytes), collect, &replayed, &err), HF_ECONFIG);
    assert_int_equal(replayed.count, 1);
}

static void
document_that_is_no_json_is_corrupt(void **state)
{
    (void)state;
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(4096);
    encode(&bytes, HF_STEP_CUT, 1);
    bytes.ptr[FRAME_HEADER] = ']';
    refresh_crc(&bytes, 0);
    assert_int_equal(merge_alone(hf_buf_slice(&bytes)).status, HF_ECORRUPT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tail_torn_at_any_byte_of_both_leaves_the_whole_frames),
        cmocka_unit_test(files_torn_at_any_two_bytes_give_the_longer),
        cmocka_unit_test(zeros_behind_a_torn_frame_are_part_of_the_tail),
        cmocka_unit_test(every_flipped_bit_before_the_last_frame_of_an_only_file_is_told),
        cmocka_unit_test(flipped_bit_in_either_file_changes_nothing),
        cmocka_unit_test(damage_is_mended_unless_it_hits_the_same_step_in_both),
        cmocka_unit_test(hole_among_unsynced_frames_is_the_torn_tail),
        cmocka_unit_test(newer_epoch_counts_alone),
        cmocka_unit_test(two_whole_frames_of_one_number_that_differ_are_refused),
        cmocka_unit_test(repeated_or_skipped_number_ends_the_file),
        cmocka_unit_test(step_of_a_later_version_is_refused),
        cmocka_unit_test(visitor_that_refuses_ends_it_with_its_status),
        cmocka_unit_test(document_that_is_no_json_is_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
