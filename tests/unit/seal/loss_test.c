/* Journal bytes that went bad: told with exact sequences, never left out in silence, and the rest
 * still gets out. */
#include "tests/unit/seal/seal_test.h"

static struct hf_journal_loss loss;
static struct hf_error err;

static enum hf_status
try_seal(struct hf_sealed **ret_sealed)
{
    loss = (struct hf_journal_loss){ 0 };
    return hf_seal_window(f->journal, &f->job, &f->memory, ret_sealed, &loss, &err);
}

static void
assert_lost(uint64_t first_seq, uint64_t last_seq)
{
    struct hf_sealed *sealed = NULL;
    assert_int_equal(try_seal(&sealed), HF_ECORRUPT);
    assert_null(sealed);
    assert_int_equal(loss.first_seq, first_seq);
    assert_int_equal(loss.last_seq, last_seq);
    assert_true(loss.reason[0] != '\0');
    assert_int_equal(sealed_files(), 0);
}

static bool
not_6_to_9(uint64_t seq)
{
    return seq < 6 || seq > 9;
}

static void
damaged_payload_is_told_with_its_sequences(void **state)
{
    (void)state;
    add_batch(1, 5, 1);
    add_batch(6, 9, 1);
    add_batch(10, 12, 1);
    cut(1, 12);
    damage_record(7);
    assert_lost(6, 9);
    f->job.skip_corrupt = true;
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL;
    assert_int_equal(try_seal(&sealed), HF_OK);
    assert_int_equal(sealed->count, 8);
    assert_int_equal(sealed->first_seq, 1);
    assert_int_equal(sealed->last_seq, 12);
    assert_object(sealed, 1, 12, not_6_to_9);
}

static void
damaged_table_is_told_with_its_sequences(void **state)
{
    (void)state;
    add_batch(1, 5, 1);
    add_batch(6, 9, 1);
    add_batch(10, 12, 1);
    cut(1, 12);
    damage_table_before(6);
    assert_lost(6, 9);
    f->job.skip_corrupt = true;
    f->job.skip_corrupt_to = 9;
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL;
    assert_int_equal(try_seal(&sealed), HF_OK);
    assert_object(sealed, 1, 12, not_6_to_9);
}

/* The part of a batch that belongs to the window beside this one is that window's loss. */
static void
loss_is_cut_to_the_window(void **state)
{
    (void)state;
    add_batch(1, 5, 1);
    add_batch(6, 20, 1);
    add_batch(21, 25, 1);
    cut(1, 8);
    damage_record(15);
    assert_lost(6, 8);
    f->job.range = (struct hf_window){ .first_seq = 9, .last_seq = 12, .count = 4, .bytes = 400 };
    assert_lost(9, 12);
    f->job.range =
        (struct hf_window){ .first_seq = 13, .last_seq = 25, .count = 13, .bytes = 1000 };
    assert_lost(13, 20);
}

static void
second_loss_is_told_when_the_first_is_known(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= 30; seq += 5)
        add_batch(seq, seq + 4, 1);
    cut(2, 29);
    damage_record(7);
    damage_table_before(16);
    damage_record(28);
    assert_lost(6, 10);
    f->job.skip_corrupt = true;
    f->job.skip_corrupt_to = 10;
    assert_lost(16, 20);
    f->job.skip_corrupt_to = 20;
    assert_lost(26, 29);
    f->job.skip_corrupt_to = 29;
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL;
    assert_int_equal(try_seal(&sealed), HF_OK);
    assert_int_equal(sealed->count, 4 + 5 + 5);
    assert_int_equal(sealed->oldest_s, 1800000002);
    assert_int_equal(sealed->newest_s, 1800000025);
}

/* It was told then, and the window was counted without it. */
static void
loss_that_was_there_at_the_cut_is_no_error(void **state)
{
    (void)state;
    add_batch(1, 5, 1);
    add_batch(6, 9, 1);
    add_batch(10, 12, 1);
    damage_table_before(6);
    cut(1, 12);
    assert_int_equal(f->job.range.count, 8);
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL;
    assert_int_equal(try_seal(&sealed), HF_OK);
    assert_object(sealed, 1, 12, not_6_to_9);
}

static void
damage_in_what_is_not_selected_does_not_matter(void **state)
{
    (void)state;
    struct hf_selection one = { 0 };
    add_batch(1, 5, 1);
    add_batch(6, 9, 2);
    add_batch(10, 12, 1);
    hf_selection_add(&one, 1);
    f->job.selection = &one;
    cut(1, 12);
    damage_record(7);
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL;
    assert_int_equal(try_seal(&sealed), HF_OK);
    assert_object(sealed, 1, 12, not_6_to_9);
}

static void
window_that_is_lost_as_a_whole_becomes_an_empty_object(void **state)
{
    (void)state;
    add_batch(1, 5, 1);
    add_batch(6, 6, 1);
    cut(1, 5);
    damage_record(3);
    assert_lost(1, 5);
    f->job.skip_corrupt = true;
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL;
    assert_int_equal(try_seal(&sealed), HF_OK);
    assert_int_equal(sealed->count, 0);
    assert_int_equal(sealed->oldest_s, 0);
    assert_object(sealed, 1, 0, NULL);
}

/* A disk that confirmed a write and lost it: the ledger knows of events that the journal has no
 * more. */
static void
window_beyond_the_journals_end_is_told_as_lost(void **state)
{
    (void)state;
    add_batch(1, 5, 1);
    cut(3, 5);
    f->job.range.last_seq = 9;
    f->job.range.count = 7;
    f->job.range.bytes = 1000;
    assert_lost(6, 9);
    f->job.range.first_seq = 100;
    f->job.range.last_seq = 110;
    assert_lost(100, 110);
}

/* ---- a disk that cannot read ---- */

struct bad_disk {
    int reads, good_after;
};

static int
bad_disk_interpose(void *context, struct hf_fs_call *call)
{
    struct bad_disk *disk = context;
    if (strcmp(call->name, "pread") != 0 || call->size < 1000)
        return 0;
    return ++disk->reads > disk->good_after ? 0 : EIO;
}

static void
read_error_that_passes_is_no_loss(void **state)
{
    (void)state;
    struct bad_disk disk = { .good_after = 2 };
    add_batch(1, 50, 1);
    add_batch(51, 52, 1);
    cut(1, 52);
    hf_fs_interpose(bad_disk_interpose, &disk);
    hf_owned(hf_sealed_freep) struct hf_sealed *sealed = NULL;
    enum hf_status status = try_seal(&sealed);
    hf_fs_interpose(NULL, NULL);
    assert_int_equal(status, HF_OK);
    assert_true(disk.reads > 2);
    assert_object(sealed, 1, 52, NULL);
}

static void
disk_that_stays_unreadable_is_a_loss(void **state)
{
    (void)state;
    struct bad_disk disk = { .good_after = 1000 };
    add_batch(1, 50, 1);
    add_batch(51, 52, 1);
    cut(1, 52);
    hf_fs_interpose(bad_disk_interpose, &disk);
    struct hf_sealed *sealed = NULL;
    enum hf_status status = try_seal(&sealed);
    hf_fs_interpose(NULL, NULL);
    assert_int_equal(status, HF_ECORRUPT);
    assert_int_equal(loss.first_seq, 1);
    assert_int_equal(loss.last_seq, 52);
    assert_true(disk.reads < 100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(damaged_payload_is_told_with_its_sequences),
        TEST(damaged_table_is_told_with_its_sequences),
        TEST(loss_is_cut_to_the_window),
        TEST(second_loss_is_told_when_the_first_is_known),
        TEST(loss_that_was_there_at_the_cut_is_no_error),
        TEST(damage_in_what_is_not_selected_does_not_matter),
        TEST(window_that_is_lost_as_a_whole_becomes_an_empty_object),
        TEST(window_beyond_the_journals_end_is_told_as_lost),
        TEST(read_error_that_passes_is_no_loss),
        TEST(disk_that_stays_unreadable_is_a_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
