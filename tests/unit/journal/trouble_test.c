/* Calls that fail once, room that is kept for others, files that come
 * and go: an error is told, nothing is called lost that is there, and a retry finds it. */
#include "help.h"

/* ---- the n-th call of a name fails ---- */

static struct {
    const char *name;
    int error;
    atomic_int skip, count;
    atomic_uint failed;
} fault;

static int
fail_call(void *context, struct hf_fs_call *call)
{
    (void)context;
    if (strcmp(call->name, fault.name) != 0 || atomic_fetch_sub(&fault.skip, 1) > 0 ||
        atomic_fetch_sub(&fault.count, 1) <= 0)
        return 0;
    atomic_fetch_add(&fault.failed, 1);
    return fault.error;
}

static void
fail_from(const char *name, int skip, int count, int error)
{
    fault.name = name;
    fault.error = error;
    atomic_store(&fault.skip, skip);
    atomic_store(&fault.count, count);
    atomic_store(&fault.failed, 0);
    hf_fs_interpose(fail_call, NULL);
}

static void
expect_events(struct fixture *fixture, uint64_t count)
{
    assert_int_equal(fixture->recovery.next_seq, count + 1);
    assert_int_equal(fixture->recovery.loss_count, 0);
    struct readout readout = read_from(fixture->journal, 1);
    assert_int_equal(readout.events, count);
    assert_int_equal(readout.lost, 0);
    assert_state(fixture, "file/a", "1");
}

/* Several segments, and something in the newest. */
static void
make_long(struct fixture *fixture, uint64_t events)
{
    fixture_open(fixture);
    set_state(fixture, "file/a", "1");
    append_events(fixture, events);
    assert_true(count_held(fixture) > 3);
}

static void
whichever_call_of_an_opening_fails_nothing_is_lost_by_it(void **state)
{
    static const char *const names[] = { "readdir", "open", "fstat" };
    struct fixture *fixture = *state;
    make_long(fixture, 1000);
    for (size_t i = 0; i < HF_COUNT(names); i++) {
        unsigned failed = 1, refused = 0;
        for (int n = 0; failed > 0 && n < 200; n++) {
            struct hf_error err;
            fixture_close(fixture);
            fail_from(names[i], n, 1, EIO);
            enum hf_status status =
                hf_journal_open(&fixture->options, &fixture->journal, &fixture->recovery, &err);
            hf_fs_interpose(NULL, NULL);
            failed = atomic_load(&fault.failed);
            if (status != HF_OK) {
                assert_int_equal(status, HF_EIO);
                refused++;
                fixture_open(fixture);
            }
            expect_events(fixture, 1000);
        }
        assert_int_equal(failed, 0); /* each was tried */
        assert_true(refused > 0 || strcmp(names[i], "fstat") == 0);
    }
}

/* What a reader says with one failed call somewhere, asked again after each: a disk that was gone
 * for a moment is no loss. */
static void
read_all(struct fixture *fixture, uint64_t count, unsigned *ret_errors)
{
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(16u << 20);
    struct hf_journal_reader *reader;
    struct hf_journal_batch batch;
    struct hf_journal_loss loss;
    struct hf_error err;
    uint64_t next = 1;
    assert_int_equal(hf_journal_reader_open(fixture->journal, 1, &reader, &err), HF_OK);
    for (;;) {
        enum hf_status status = hf_journal_reader_next(reader, &batch, &loss, &err);
        if (status == HF_EFULL)
            break;
        if (status != HF_OK) {
            assert_int_equal(status, HF_EIO); /* never a loss */
            ++*ret_errors;
            continue;
        }
        assert_int_equal(batch.first_seq, next);
        next += batch.count;
        hf_buf_reset(&buf);
        while ((status = hf_journal_reader_payload(reader, &buf, &err)) == HF_EIO)
            ++*ret_errors;
        assert_int_equal(status, HF_OK);
        check_batch(&batch, &buf, 0);
    }
    assert_int_equal(next, count + 1);
    hf_journal_reader_close(reader);
}

static void
whichever_call_of_a_reader_fails_it_reads_on_from_there(void **state)
{
    struct fixture *fixture = *state;
    make_long(fixture, 600);
    fixture_reopen(fixture);
    static const char *const names[] = { "open", "pread" };
    for (size_t i = 0; i < HF_COUNT(names); i++) {
        unsigned all = 0;
        for (int n = 0; n == 0 || atomic_load(&fault.failed) > 0; n += i ? 7 : 1) {
            unsigned errors = 0;
            fail_from(names[i], n, 1, EIO);
            read_all(fixture, 600, &errors);
            hf_fs_interpose(NULL, NULL);
            assert_true(errors <= atomic_load(&fault.failed)); /* the writer's are its own */
            all += errors;
        }
        assert_true(all > 0);
    }
}

/* ---- files that come and go ---- */

static void
put_file(struct fixture *fixture, const char *name)
{
    char path[HF_PATH_MAX];
    hf_path_join(path, sizeof(path), fixture->directory, name);
    assert_int_equal(hf_fs_replace(path, "somebody's", 10, 0600, NULL), HF_OK);
}

static void
files_of_others_in_its_folder_are_left_alone(void **state)
{
    static const char *const names[] = { "README", "12.seg", "lost+found.seg" };
    struct fixture *fixture = *state;
    make_long(fixture, 1000);
    for (size_t i = 0; i < HF_COUNT(names); i++)
        put_file(fixture, names[i]);
    fixture_reopen(fixture);
    expect_events(fixture, 1000);
    for (size_t i = 0; i < HF_COUNT(names); i++) {
        char path[HF_PATH_MAX];
        hf_path_join(path, sizeof(path), fixture->directory, names[i]);
        assert_int_equal(access(path, F_OK), 0);
    }
}

static void
segment_path(struct fixture *fixture, size_t at, char ret_path[HF_PATH_MAX])
{
    struct hf_segment held = look_at_held(fixture, at);
    hf_segment_path(fixture->directory, held.number, ret_path);
}

static void
segment_that_somebody_took_away_is_lost_and_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    char path[HF_PATH_MAX];
    make_long(fixture, 1000);
    fixture_reopen(fixture);
    struct hf_segment gone = look_at_held(fixture, 1), behind = look_at_held(fixture, 2);
    segment_path(fixture, 1, path);
    assert_int_equal(unlink(path), 0);
    struct readout readout = read_from(fixture->journal, 1);
    assert_int_equal(readout.lost, behind.first_seq - gone.first_seq);
    assert_int_equal(readout.events + readout.lost, 1000);
}

static void
segment_that_somebody_cut_short_is_lost_from_there_and_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    char path[HF_PATH_MAX];
    make_long(fixture, 1000);
    fixture_reopen(fixture);
    struct hf_segment cut = look_at_held(fixture, 1), behind = look_at_held(fixture, 2);
    segment_path(fixture, 1, path);
    assert_int_equal(truncate(path, (off_t)cut.end / 2), 0);
    struct readout readout = read_from(fixture->journal, 1);
    assert_in_range(readout.lost, 1, behind.first_seq - cut.first_seq);
    assert_int_equal(readout.events + readout.lost, 1000);
}

/* ---- limits ---- */

static void
path_that_is_too_long_is_refused(void **state)
{
    struct fixture *fixture = *state;
    hf_owned(hf_freep) char *path = hf_alloc(HF_PATH_MAX + 1);
    struct hf_journal_options options = fixture->options;
    struct hf_journal *journal;
    struct hf_error err;
    memset(path, '/', HF_PATH_MAX);
    options.directory = path;
    assert_int_equal(hf_journal_open(&options, &journal, &fixture->recovery, &err), HF_EUSAGE);
    assert_non_null(strstr(err.text, "too long"));
}

static void
payload_that_does_not_fit_is_refused_and_stays_there(void **state)
{
    struct fixture *fixture = *state;
    hf_owned(hf_buf_done) struct hf_buf small = HF_BUF(16), large = HF_BUF(1u << 20);
    struct hf_journal_reader *reader;
    struct hf_journal_batch batch;
    struct hf_journal_loss loss;
    struct hf_error err;
    fixture_open(fixture);
    append_batch(fixture, 3);
    assert_int_equal(hf_journal_reader_open(fixture->journal, 1, &reader, &err), HF_OK);
    assert_int_equal(hf_journal_reader_next(reader, &batch, &loss, &err), HF_OK);
    assert_int_equal(hf_journal_reader_payload(reader, &small, &err), HF_ELIMIT);
    assert_int_equal(small.size, 0);
    assert_int_equal(hf_journal_reader_payload(reader, &large, &err), HF_OK);
    check_batch(&batch, &large, 0);
    hf_journal_reader_close(reader);
}

/* What is in the state under its name and cannot be the id of a source is as if it were not there. */
static void
source_without_a_possible_id_gets_one(void **state)
{
    static const char *const values[] = { "x", "\xff\xff", "longer" };
    struct fixture *fixture = *state;
    uint16_t one, other, again;
    struct hf_error err;
    for (size_t i = 0; i < HF_COUNT(values); i++) {
        empty_directory(fixture->directory);
        fixture_open(fixture);
        assert_int_equal(hf_journal_source(fixture->journal, "one", &one, &err), HF_OK);
        set_state(fixture, "source/other", values[i]);
        fixture_reopen(fixture);
        assert_int_equal(hf_journal_source(fixture->journal, "other", &other, &err), HF_OK);
        assert_int_not_equal(other, one);
        assert_int_not_equal(other, HF_SOURCE_SELF);
        assert_int_equal(hf_journal_sync(fixture->journal, 20000, &err), HF_OK);
        fixture_reopen(fixture);
        assert_int_equal(hf_journal_source(fixture->journal, "other", &again, &err), HF_OK);
        assert_int_equal(again, other);
        fixture_close(fixture);
    }
    fixture_open(fixture);
}

/* ---- room that is kept for others ---- */

static void
while_room_is_held_no_file_is_made_and_then_it_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct hf_error err;
    enum hf_status status;
    uint64_t last = 0;
    fixture_open(fixture);
    append_events(fixture, 1);
    hf_journal_hold_room(fixture->journal, true);
    size_t files = count_files(fixture->directory);
    for (int refused = 0; refused < 3;) {
        status = hf_journal_begin(fixture->journal, false, &err);
        if (status == HF_OK) {
            last = append_one(fixture->journal, 0);
            hf_journal_commit(fixture->journal);
            refused = 0;
            continue;
        }
        (void)!hf_journal_sync(fixture->journal, 1000, &err);
        usleep(2000);
        refused++;
        status = hf_journal_begin(fixture->journal, false, &err);
        if (status == HF_OK) {
            last = append_one(fixture->journal, 0);
            hf_journal_commit(fixture->journal);
            refused = 0;
        }
    }
    assert_int_equal(status, HF_ENOSPC);
    assert_non_null(strstr(err.text, "the room that is left is kept for delivery"));
    assert_in_range(count_files(fixture->directory), 1, files + 1);
    hf_journal_hold_room(fixture->journal, false);
    append_events(fixture, 500);
    assert_int_equal(read_from(fixture->journal, 1).events, last + 500);
}

/* ---- the writer ---- */

static atomic_bool disk_stands;

static int
stand(void *context, struct hf_fs_call *call)
{
    (void)context;
    while (strcmp(call->name, "fdatasync") == 0 && atomic_load(&disk_stands))
        usleep(1000);
    return 0;
}

static void
disk_that_does_not_answer_is_said_so_in_time(void **state)
{
    struct fixture *fixture = *state;
    struct hf_error err;
    fixture_open(fixture);
    append_events(fixture, 1);
    atomic_store(&disk_stands, true);
    hf_fs_interpose(stand, NULL);
    must_begin(fixture->journal);
    append_one(fixture->journal, 0);
    hf_journal_commit(fixture->journal);
    assert_int_equal(hf_journal_sync(fixture->journal, 20, &err), HF_ETIMEOUT);
    assert_non_null(strstr(err.text, "has not answered yet"));
    atomic_store(&disk_stands, false);
    must_sync(fixture->journal);
    hf_fs_interpose(NULL, NULL);
    assert_int_equal(read_from(fixture->journal, 1).events, 2);
}

/* The mark covers the last batch; without it the next goes to another segment. */
static void
mark_that_cannot_be_written_costs_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    set_state(fixture, "file/a", "1");
    append_events(fixture, 10);
    fail_from("pwrite", 0, 1, EIO);
    await(atomic_load(&fault.failed) == 1);
    hf_fs_interpose(NULL, NULL);
    append_events(fixture, 10);
    fixture_reopen(fixture);
    expect_events(fixture, 20);
}

static bool
holds_text(struct fixture *fixture, const char *text)
{
    char **names, path[HF_PATH_MAX];
    size_t count;
    bool found = false;
    assert_int_equal(hf_fs_list(fixture->directory, 10000, &names, &count, NULL), HF_OK);
    for (size_t i = 0; i < count; i++) {
        hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(64u << 20);
        hf_path_join(path, sizeof(path), fixture->directory, names[i]);
        if (hf_fs_read_file(path, buf.max, &buf, NULL) == HF_OK)
            found = found || memmem(buf.ptr, buf.size, text, strlen(text));
    }
    hf_fs_names_free(names, count);
    return found;
}

static bool
has_left(struct fixture *fixture, uint64_t number)
{
    hf_journal_lock(fixture->journal);
    const struct hf_segment *current = fixture->journal->files.current;
    bool left = current && current->number != number;
    hf_journal_unlock(fixture->journal);
    return left;
}

/* No plaintext stays because a fresh segment could not be begun at once. */
static void
drained_segment_is_left_as_soon_as_the_disk_lets_it(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    hf_journal_set_wipe(fixture->journal, true);
    append_events(fixture, 10);
    uint64_t number = look_at_current(fixture).number;
    usleep(50000); /* its mark is written */
    fail_from("pwrite", 0, 2, EIO);
    hf_journal_release(fixture->journal, 10);
    await(atomic_load(&fault.failed) == 2);
    hf_fs_interpose(NULL, NULL);
    await(has_left(fixture, number) && !holds_text(fixture, "\"seq\":1,"));
    append_events(fixture, 10);
    assert_int_equal(read_from(fixture->journal, 11).events, 10);
}

static void
file_that_cannot_be_removed_stays_and_goes_with_the_next_start(void **state)
{
    struct fixture *fixture = *state;
    struct hf_journal_info info;
    make_long(fixture, 2000);
    uint64_t before = total_bytes(fixture);
    fail_from("unlink", 0, 1000, EIO);
    hf_journal_release(fixture->journal, 1900);
    append_events(fixture, 10);
    await(atomic_load(&fault.failed) > 0);
    hf_fs_interpose(NULL, NULL);
    assert_int_equal(read_from(fixture->journal, 1901).next, 2011);
    fixture_reopen(fixture);
    append_events(fixture, 1);
    hf_journal_info(fixture->journal, &info);
    assert_int_equal(info.next_seq, 2012);
    await(total_bytes(fixture) < before);
    assert_int_equal(read_from(fixture->journal, 1901).lost, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whichever_call_of_an_opening_fails_nothing_is_lost_by_it),
        TEST(whichever_call_of_a_reader_fails_it_reads_on_from_there),
        TEST(files_of_others_in_its_folder_are_left_alone),
        TEST(segment_that_somebody_took_away_is_lost_and_nothing_else),
        TEST(segment_that_somebody_cut_short_is_lost_from_there_and_nothing_else),
        TEST(path_that_is_too_long_is_refused),
        TEST(payload_that_does_not_fit_is_refused_and_stays_there),
        TEST(source_without_a_possible_id_gets_one),
        TEST(while_room_is_held_no_file_is_made_and_then_it_goes_on),
        TEST(disk_that_does_not_answer_is_said_so_in_time),
        TEST(mark_that_cannot_be_written_costs_nothing),
        TEST(drained_segment_is_left_as_soon_as_the_disk_lets_it),
        TEST(file_that_cannot_be_removed_stays_and_goes_with_the_next_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
