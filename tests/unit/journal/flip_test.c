/* Every bit of a segment flipped in turn: never an event that was not appended, never one missing
 * without a word. */
#include "help.h"

#define EVENTS 12

static uint8_t *
read_segment(const char *path, size_t *ret_size)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    uint8_t *bytes = malloc((size_t)info.st_size);
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, bytes, (size_t)info.st_size), info.st_size);
    close(fd);
    *ret_size = (size_t)info.st_size;
    return bytes;
}

static void
write_segment(const char *path, const uint8_t *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

static bool
in_losses(const struct hf_journal_recovery *recovery, uint64_t seq)
{
    for (size_t i = 0; i < recovery->loss_count; i++)
        if (seq >= recovery->losses[i].first_seq && seq <= recovery->losses[i].last_seq)
            return true;
    return false;
}

/* What recovery says and what a reader finds agree; the reader's helper checks each event's bytes.
 */
static void
check(struct fixture *fixture, uint64_t offset)
{
    const struct hf_journal_recovery *recovery = &fixture->recovery;
    uint64_t lost = 0;

    /* All batches are covered by the mark: nothing may look like a torn tail but the mark itself.
     */
    if (recovery->next_seq != EVENTS + 1)
        fail_msg("byte %llu: next sequence is %llu", (unsigned long long)offset,
                 (unsigned long long)recovery->next_seq);
    for (uint64_t seq = 1; seq <= EVENTS; seq++)
        lost += in_losses(recovery, seq);
    struct readout readout = read_from(fixture->journal, 1);
    if (readout.events + readout.lost != EVENTS || readout.lost != lost)
        fail_msg("byte %llu: %llu events, %llu lost, recovery said %llu",
                 (unsigned long long)offset, (unsigned long long)readout.events,
                 (unsigned long long)readout.lost, (unsigned long long)lost);
    assert_true(recovery->loss_count + recovery->torn_bytes > 0);
    assert_true(lost <= 4);
    /* Each change stands in two batches: else a source would go back to an older place. */
    hf_owned(hf_buf_done) struct hf_buf value = HF_BUF(16);
    assert_int_equal(hf_journal_get_state(fixture->journal, "file/a", &value), HF_OK);
    assert_string_equal(hf_buf_text(&value), "2");
}

static void
a_flipped_bit_is_detected_wherever_it_is(void **state)
{
    struct fixture *fixture = *state;
    char path[HF_PATH_MAX];
    size_t size;

    fixture_open(fixture);
    set_state(fixture, "file/a", "1");
    for (int i = 0; i < 3; i++)
        append_batch(fixture, EVENTS / 3);
    set_state(fixture, "file/a", "2");
    hf_segment_path(fixture->directory, look_at_current(fixture).number, path);
    fixture_close(fixture); /* with the mark that repeats the last change */

    uint8_t *bytes = read_segment(path, &size);
    uint64_t end = size;
    while (bytes[end - 1] == 0)
        end--;
    end = (end + 7) & ~7ull;
    for (uint64_t offset = 0; offset < end; offset++) {
        /* One bit of each byte, all eight where the numbers stand; the header's zeros are as good
         * as each other. */
        unsigned step = offset < HF_SEGMENT_DATA ? 8 : 1;
        if (offset < HF_SEGMENT_DATA && offset % HF_SEGMENT_BLOCK > 80 &&
            offset % HF_SEGMENT_BLOCK < 4080 && offset % 64)
            continue;
        for (unsigned bit = offset % 8 % step; bit < 8; bit += step) {
            if (offset >= HF_SEGMENT_DATA && bit % 3 != offset % 3)
                continue;
            bytes[offset] ^= (uint8_t)(1u << bit);
            empty_directory(fixture->directory);
            write_segment(path, bytes, (size_t)end);
            bytes[offset] ^= (uint8_t)(1u << bit);
            fixture_open(fixture);
            check(fixture, offset);
            fixture_close(fixture);
        }
    }
    free(bytes);
}

static void
a_segment_cut_at_any_byte_loses_only_what_was_cut(void **state)
{
    struct fixture *fixture = *state;
    char path[HF_PATH_MAX];
    size_t size;

    fixture_open(fixture);
    for (int i = 0; i < 3; i++)
        append_batch(fixture, EVENTS / 3);
    hf_segment_path(fixture->directory, look_at_current(fixture).number, path);
    uint64_t end = look_at_current(fixture).end;
    fixture_close(fixture);
    uint8_t *bytes = read_segment(path, &size);
    uint64_t before = 0;
    for (uint64_t cut = 0; cut <= end; cut += cut < HF_SEGMENT_DATA ? 512 : 3) {
        empty_directory(fixture->directory);
        write_segment(path, bytes, (size_t)cut);
        fixture_open(fixture);
        struct readout readout = read_from(fixture->journal, 1);
        assert_int_equal(readout.events, fixture->recovery.next_seq - 1);
        assert_int_equal(readout.lost, 0);
        assert_true(readout.events >= before && readout.events % (EVENTS / 3) == 0);
        before = readout.events;
        append_events(fixture, 1);
        fixture_close(fixture);
    }
    assert_true(before >= EVENTS - EVENTS / 3);
    free(bytes);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_flipped_bit_is_detected_wherever_it_is),
        TEST(a_segment_cut_at_any_byte_loses_only_what_was_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
