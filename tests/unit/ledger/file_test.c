#include "tests/unit/ledger/ledger_test.h"

static struct hf_ledger *ledger;
static struct replayed replayed;
static struct hf_ledger_recovery recovery;

static void
make_ledger(const char *path, uint64_t count)
{
    assert_int_equal(reopen(path, &ledger, &replayed, &recovery), HF_OK);
    for (uint64_t i = 0; i < count; i++)
        assert_int_equal(add(ledger, i), HF_OK);
    assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
    hf_ledger_close(hf_take(ledger));
}

static void
new_ledger_is_empty_and_private(void **state)
{
    struct place *place = *state;
    struct stat info;
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    assert_int_equal(replayed.count, 0);
    assert_true(nothing_was_wrong(&recovery));
    assert_int_equal(hf_ledger_bytes(ledger), 0);
    assert_int_equal(stat(place->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(stat(place->copy, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    hf_ledger_close(ledger);
}

static void
steps_come_back_in_order(void **state)
{
    struct place *place = *state;
    make_ledger(place->path, 30);
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    assert_replayed(&replayed, 0, 30);
    assert_true(nothing_was_wrong(&recovery));
    assert_int_equal(add(ledger, 30), HF_OK);
    hf_ledger_close(ledger); /* without a sync: the process ends, the machine does not */
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    assert_replayed(&replayed, 0, 31);
    struct stat info;
    assert_int_equal(stat(place->path, &info), 0);
    assert_int_equal(hf_ledger_bytes(ledger), info.st_size);
    hf_ledger_close(ledger);
    assert_same_files(place);
}

static void
torn_tail_is_cut_counted_and_written_over(void **state)
{
    struct place *place = *state;
    make_ledger(place->path, 6);
    hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(0);
    read_bytes(place->path, &whole);
    for (size_t size = 1; size < whole.size; size++) {
        write_bytes(place->path, whole.ptr, size);
        write_bytes(place->copy, whole.ptr, size);
        assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
        size_t kept = replayed.count;
        assert_true(kept < 6);
        assert_int_equal(hf_ledger_bytes(ledger) + recovery.torn_bytes, size);
        assert_int_equal(add(ledger, kept), HF_OK);
        assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
        hf_ledger_close(ledger);
        assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
        assert_replayed(&replayed, 0, kept + 1);
        assert_true(nothing_was_wrong(&recovery));
        hf_ledger_close(ledger);
    }
}

/* ---- what is done on the disk ---- */

static char order[1024];

static int
record_order(void *context, struct hf_fs_call *call)
{
    (void)context;
    size_t used = strlen(order);
    if (strcmp(call->name, "pwrite") == 0 || strstr(call->name, "sync") ||
        strstr(call->name, "truncate"))
        snprintf(order + used, sizeof(order) - used, "%s ", call->name);
    return 0;
}

/* kill -9 between add and sync: the steps can be read, and a power loss could still take them. */
static void
steps_that_may_not_be_on_the_disk_are_written_again_before_they_count(void **state)
{
    struct place *place = *state;
    make_ledger(place->path, 3);
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    assert_int_equal(add(ledger, 3), HF_OK);
    hf_ledger_close(ledger);
    order[0] = '\0';
    hf_fs_interpose(record_order, NULL);
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    hf_fs_interpose(NULL, NULL);
    assert_string_equal(order, "pwrite fsync pwrite fsync ");
    assert_replayed(&replayed, 0, 4);
    hf_ledger_close(ledger);
}

static void
sync_without_anything_new_costs_nothing(void **state)
{
    struct place *place = *state;
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    assert_int_equal(add(ledger, 0), HF_OK);
    order[0] = '\0';
    hf_fs_interpose(record_order, NULL);
    assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
    assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
    hf_fs_interpose(NULL, NULL);
    assert_string_equal(order, "fdatasync fdatasync ");
    hf_ledger_close(ledger);
}

/* What the files are before an open whose n-th call fails. */
enum before { TORN_BOTH, SHORT_COPY, DAMAGED_FILE, MISSING_COPY, BEFORE_COUNT };

static void
prepare(const struct place *place, enum before before, struct hf_buf *whole)
{
    write_bytes(place->path, whole->ptr, whole->size - (before == TORN_BOTH ? 5 : 0));
    write_bytes(place->copy, whole->ptr, whole->size - (before <= SHORT_COPY ? 5 : 0));
    if (before == MISSING_COPY)
        assert_int_equal(unlink(place->copy), 0);
    if (before == DAMAGED_FILE) {
        whole->ptr[60] ^= 4;
        write_bytes(place->path, whole->ptr, whole->size);
        whole->ptr[60] ^= 4;
    }
}

static void
open_fails_or_works_whichever_call_fails_and_harms_nothing(void **state)
{
    struct place *place = *state;
    hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(0);
    make_ledger(place->path, 6);
    read_bytes(place->path, &whole);
    for (int before = 0; before < BEFORE_COUNT; before++) {
        bool worked_unhurt = false; /* a read that fails is no failure: there is the other file */
        for (int n = 1; !worked_unhurt; n++) {
            struct fault fault = { .fail_at = n };
            prepare(place, (enum before)before, &whole);
            fault_begin(&fault);
            enum hf_status status = reopen(place->path, &ledger, &replayed, &recovery);
            fault_end();
            worked_unhurt = fault.count < n;
            assert_true(status == HF_OK || !worked_unhurt);
            size_t count = before == TORN_BOTH ? 5 : 6;
            if (status == HF_OK) {
                /* The last step stands in one file only, and that one could not be read. */
                if (before == SHORT_COPY && recovery.file.unreadable)
                    count = 5;
                assert_replayed(&replayed, 0, count);
                hf_ledger_close(ledger);
                assert_same_files(place);
            }
            assert_true(n < 200);
            assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
            assert_replayed(&replayed, 0, count);
            hf_ledger_close(ledger);
        }
    }
}

static void
making_a_ledger_fails_or_works_whichever_call_fails(void **state)
{
    struct place *place = *state;
    enum hf_status status = HF_EIO;
    for (int n = 1; status != HF_OK; n++) {
        struct fault fault = { .fail_at = n };
        (void)unlink(place->path);
        (void)unlink(place->copy);
        fault_begin(&fault);
        status = reopen(place->path, &ledger, &replayed, &recovery);
        fault_end();
        if (status == HF_OK)
            hf_ledger_close(ledger);
        assert_true(n < 100);
        make_ledger(place->path, 2);
    }
}

/* One of the two has the step when the n-th call fails; it may be there at the next start or not,
 * and what was synced before is. */
static void
adding_keeps_what_was_synced_whichever_call_fails(void **state)
{
    struct place *place = *state;
    bool worked = false, taken = false, dropped = false;
    for (int n = 1; !worked; n++) {
        struct fault fault = { .fail_at = n };
        assert_true(n < 100);
        (void)unlink(place->path);
        (void)unlink(place->copy);
        make_ledger(place->path, 3);
        assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
        fault_begin(&fault);
        bool counts = add(ledger, 3) == HF_OK && hf_ledger_sync(ledger, NULL) == HF_OK;
        fault_end();
        worked = fault.count < n;
        hf_ledger_close(ledger);
        assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
        assert_in_range(replayed.count, counts ? 4 : 3, 4);
        assert_replayed(&replayed, 0, replayed.count);
        taken = taken || (!counts && replayed.count == 4);
        dropped = dropped || (!counts && replayed.count == 3);
        hf_ledger_close(ledger);
        assert_same_files(place);
    }
    assert_true(taken && dropped);
}

static int
no_room_in_the_copy(void *context, struct hf_fs_call *call)
{
    int *files = context;
    bool wants_room = strcmp(call->name, "fallocate") == 0;
    return wants_room && ++*files % 2 == 0 ? ENOSPC : 0;
}

/* Else the next start on the full disk could not make the files the same. */
static void
step_without_room_in_both_files_is_in_neither(void **state)
{
    struct place *place = *state;
    int files = 0;
    hf_fs_interpose(no_room_in_the_copy, &files);
    assert_int_equal(reopen(place->path, &ledger, &replayed, &recovery), HF_OK);
    hf_owned(hf_doc_freep) json_t *doc = doc_of(0);
    assert_int_equal(hf_ledger_add(ledger, HF_STEP_STATE, doc, NULL), HF_ENOSPC);
    hf_fs_interpose(NULL, NULL);
    hf_ledger_close(ledger);
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(0);
    read_bytes(place->path, &bytes);
    assert_int_equal(bytes.size, 0);
    assert_same_files(place);
}

static void
removing_leaves_nothing(void **state)
{
    struct place *place = *state;
    struct stat info;
    make_ledger(place->path, 2);
    assert_int_equal(hf_ledger_remove(place->path, NULL), HF_OK);
    assert_int_not_equal(stat(place->path, &info), 0);
    assert_int_not_equal(stat(place->copy, &info), 0);
    assert_int_equal(hf_ledger_remove(place->path, NULL), HF_ENOTFOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(new_ledger_is_empty_and_private),
        TEST(steps_come_back_in_order),
        TEST(torn_tail_is_cut_counted_and_written_over),
        TEST(steps_that_may_not_be_on_the_disk_are_written_again_before_they_count),
        TEST(sync_without_anything_new_costs_nothing),
        TEST(open_fails_or_works_whichever_call_fails_and_harms_nothing),
        TEST(making_a_ledger_fails_or_works_whichever_call_fails),
        TEST(adding_keeps_what_was_synced_whichever_call_fails),
        TEST(step_without_room_in_both_files_is_in_neither),
        TEST(removing_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
