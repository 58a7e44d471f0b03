#include "tests/unit/ledger/ledger_test.h"

static struct hf_ledger *ledger;
static struct replayed replayed;
static uint64_t torn;

static void
make_ledger(const char *path, uint64_t count)
{
    assert_int_equal(reopen(path, &ledger, &replayed, &torn), HF_OK);
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
    assert_int_equal(reopen(place->path, &ledger, &replayed, &torn), HF_OK);
    assert_int_equal(replayed.count, 0);
    assert_int_equal(torn, 0);
    assert_int_equal(hf_ledger_bytes(ledger), 0);
    assert_int_equal(stat(place->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    hf_ledger_close(ledger);
}

static void
steps_come_back_in_order(void **state)
{
    struct place *place = *state;
    make_ledger(place->path, 30);
    assert_int_equal(reopen(place->path, &ledger, &replayed, &torn), HF_OK);
    assert_replayed(&replayed, 0, 30);
    assert_int_equal(torn, 0);
    assert_int_equal(add(ledger, 30), HF_OK);
    hf_ledger_close(ledger); /* without a sync: the process ends, the machine does not */
    assert_int_equal(reopen(place->path, &ledger, &replayed, &torn), HF_OK);
    assert_replayed(&replayed, 0, 31);
    struct stat info;
    assert_int_equal(stat(place->path, &info), 0);
    assert_int_equal(hf_ledger_bytes(ledger), info.st_size);
    hf_ledger_close(ledger);
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
        assert_int_equal(reopen(place->path, &ledger, &replayed, &torn), HF_OK);
        size_t kept = replayed.count;
        assert_true(kept < 6);
        assert_int_equal(hf_ledger_bytes(ledger) + torn, size);
        assert_int_equal(add(ledger, kept), HF_OK);
        assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
        hf_ledger_close(ledger);
        assert_int_equal(reopen(place->path, &ledger, &replayed, &torn), HF_OK);
        assert_replayed(&replayed, 0, kept + 1);
        assert_int_equal(torn, 0);
        hf_ledger_close(ledger);
    }
}

static void
damage_is_told_with_its_place_and_the_file_stays_as_it_is(void **state)
{
    struct place *place = *state;
    struct hf_error err;
    make_ledger(place->path, 6);
    hf_owned(hf_buf_done) struct hf_buf bytes = HF_BUF(0), after = HF_BUF(0);
    assert_int_equal(reopen(place->path, &ledger, &replayed, &torn), HF_OK);
    uint64_t where = hf_ledger_bytes(ledger);
    assert_int_equal(add(ledger, 6), HF_OK);
    assert_int_equal(add(ledger, 7), HF_OK);
    hf_ledger_close(ledger);
    make_ledger(place->path, 0);
    read_bytes(place->path, &bytes);
    bytes.ptr[40] ^= 1; /* in the first frame */
    write_bytes(place->path, bytes.ptr, bytes.size);
    struct replayed none = { .answer = HF_OK };
    assert_int_equal(hf_ledger_open(place->path, collect, &none, &ledger, &torn, &err),
                     HF_ECORRUPT);
    assert_non_null(strstr(err.text, place->path));
    assert_non_null(strstr(err.text, "byte 0,"));
    read_bytes(place->path, &after);
    assert_true(hf_slice_equal(hf_buf_slice(&bytes), hf_buf_slice(&after)));
    assert_true(where < bytes.size);
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
    assert_int_equal(reopen(place->path, &ledger, &replayed, &torn), HF_OK);
    assert_int_equal(add(ledger, 3), HF_OK);
    hf_ledger_close(ledger);
    order[0] = '\0';
    hf_fs_interpose(record_order, NULL);
    assert_int_equal(reopen(place->path, &ledger, &replayed, &torn), HF_OK);
    hf_fs_interpose(NULL, NULL);
    assert_string_equal(order, "pwrite fsync ");
    assert_replayed(&replayed, 0, 4);
    hf_ledger_close(ledger);
}

static void
sync_without_anything_new_costs_nothing(void **state)
{
    struct place *place = *state;
    assert_int_equal(reopen(place->path, &ledger, &replayed, &torn), HF_OK);
    assert_int_equal(add(ledger, 0), HF_OK);
    order[0] = '\0';
    hf_fs_interpose(record_order, NULL);
    assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
    assert_int_equal(hf_ledger_sync(ledger, NULL), HF_OK);
    hf_fs_interpose(NULL, NULL);
    assert_string_equal(order, "fdatasync ");
    hf_ledger_close(ledger);
}

static void
open_fails_or_works_whichever_call_fails_and_harms_nothing(void **state)
{
    struct place *place = *state;
    hf_owned(hf_buf_done) struct hf_buf whole = HF_BUF(0);
    make_ledger(place->path, 6);
    read_bytes(place->path, &whole);
    enum hf_status status = HF_EIO;
    for (int n = 1; status != HF_OK; n++) {
        struct fault fault = { .fail_at = n };
        write_bytes(place->path, whole.ptr, whole.size - 5);
        fault_begin(&fault);
        status = reopen(place->path, &ledger, &replayed, &torn);
        fault_end();
        if (status == HF_OK)
            hf_ledger_close(ledger);
        assert_true(n < 100);
        assert_int_equal(reopen(place->path, &ledger, &replayed, &torn), HF_OK);
        assert_replayed(&replayed, 0, 5);
        hf_ledger_close(ledger);
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
        fault_begin(&fault);
        status = reopen(place->path, &ledger, &replayed, &torn);
        fault_end();
        if (status == HF_OK)
            hf_ledger_close(ledger);
        assert_true(n < 100);
        make_ledger(place->path, 2);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(new_ledger_is_empty_and_private),
        TEST(steps_come_back_in_order),
        TEST(torn_tail_is_cut_counted_and_written_over),
        TEST(damage_is_told_with_its_place_and_the_file_stays_as_it_is),
        TEST(steps_that_may_not_be_on_the_disk_are_written_again_before_they_count),
        TEST(sync_without_anything_new_costs_nothing),
        TEST(open_fails_or_works_whichever_call_fails_and_harms_nothing),
        TEST(making_a_ledger_fails_or_works_whichever_call_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
