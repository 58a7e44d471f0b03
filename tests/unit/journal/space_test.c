/* Limits, release, reuse and wiping: nothing that is needed is ever given up, and what is not
 * needed makes room. */
#include "help.h"

static uint64_t
fill_until_refused(struct fixture *fixture, enum hf_status *ret_status, struct hf_error *err)
{
    uint64_t last = 0;
    int refused = 0;

    /* A refusal may only mean that a batch waits: it is final when nothing is under way. */
    while (refused < 3) {
        *ret_status = hf_journal_begin(fixture->journal, false, err);
        if (*ret_status == HF_OK) {
            last = append_one(fixture->journal, 0);
            hf_journal_commit(fixture->journal);
            refused = 0;
        } else {
            must_sync(fixture->journal);
            usleep(2000);
            refused++;
        }
    }
    return last;
}

static void
a_full_journal_refuses_and_keeps_everything(void **state)
{
    struct fixture *fixture = *state;
    struct hf_journal_info info;
    struct hf_error err;
    enum hf_status status;
    fixture->options.max_bytes = 6 * SEGMENT;
    fixture_open(fixture);
    uint64_t last = fill_until_refused(fixture, &status, &err);
    assert_int_equal(status, HF_EFULL);
    assert_non_null(strstr(err.text, "max_bytes"));
    hf_journal_info(fixture->journal, &info);
    assert_true(info.full);
    assert_true(info.bytes <= info.max_bytes);
    assert_non_null(strstr(info.reason, "max_bytes"));
    assert_int_equal(info.durable_seq, last);
    assert_int_equal(read_from(fixture->journal, 1).events, last);
    fixture_reopen(fixture);
    assert_int_equal(fixture->recovery.next_seq, last + 1);
    assert_int_equal(read_from(fixture->journal, 1).events, last);
}

static void
release_makes_room_and_says_so(void **state)
{
    struct fixture *fixture = *state;
    struct hf_journal_info info;
    struct hf_error err;
    enum hf_status status;
    fixture->options.max_bytes = 6 * SEGMENT;
    fixture_open(fixture);
    uint64_t last = fill_until_refused(fixture, &status, &err);
    assert_false(atomic_load(&fixture->room));
    hf_journal_release(fixture->journal, last / 2);
    await(atomic_load(&fixture->room));
    append_events(fixture, 10);
    hf_journal_info(fixture->journal, &info);
    assert_false(info.full);
    assert_string_equal(info.reason, "");
    assert_true(info.oldest_seq > 1 && info.oldest_seq <= last / 2 + 1);
    struct readout readout = read_from(fixture->journal, info.oldest_seq);
    assert_int_equal(readout.next, last + 11);
    assert_int_equal(readout.lost, 0);
}

static void *
release_later(void *context)
{
    struct fixture *fixture = context;
    usleep(20000);
    hf_journal_release(fixture->journal, atomic_load(&fixture->durable_seq));
    return NULL;
}

static void
a_waiting_producer_goes_on_when_there_is_room(void **state)
{
    struct fixture *fixture = *state;
    struct hf_error err;
    enum hf_status status;
    pthread_t thread;
    fixture->options.max_bytes = 6 * SEGMENT;
    fixture_open(fixture);
    fill_until_refused(fixture, &status, &err);
    pthread_create(&thread, NULL, release_later, fixture);
    append_events(fixture, 1); /* waits in begin */
    pthread_join(thread, NULL);
}

static void
segments_are_reused_for_ever_in_bounded_space(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.max_bytes = 6 * SEGMENT;
    fixture_open(fixture);
    set_state(fixture, "file/quiet", "12345");
    uint64_t last = 0;
    for (int i = 0; i < 60; i++) {
        append_events(fixture, 200);
        last += 200;
        assert_int_equal(read_from(fixture->journal, last - 99).events >= 100, true);
        hf_journal_release(fixture->journal, last);
        assert_true(count_files(fixture->directory) <= 6);
    }
    /* The quiet key's segment is long gone; the snapshots kept it. */
    fixture_reopen(fixture);
    assert_state(fixture, "file/quiet", "12345");
    assert_int_equal(fixture->recovery.next_seq, last + 1);
    assert_int_equal(fixture->recovery.loss_count, 0);
    assert_true(count_files(fixture->directory) <= 6);
}

/* So many bytes of events that no segment holds them all, as long as no batch is larger than a
 * segment: it would get one of its size. */
static bool
more_than_a_segment(uint64_t last_seq)
{
    size_t bytes = 0;
    for (uint64_t seq = 1; seq <= last_seq; seq++)
        bytes += size_of(seq);
    return bytes > SEGMENT;
}

static void
what_was_released_is_no_loss_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    bool gone = false;
    fixture_open(fixture);
    /* The first release lies inside the first segment: a file that is freed whole may be kept as a
     * spare, and what it held is seen until it is used again. */
    for (int i = 0; i < 60; i++)
        append_batch(fixture, 50);
    assert_true(look_at_held(fixture, 0).last_seq > 100);
    for (uint64_t seq = 100; seq < 3000; seq += 333) {
        hf_journal_release(fixture->journal, seq);
        fixture_reopen(fixture);
        assert_int_equal(fixture->recovery.loss_count, 0);
        assert_int_equal(fixture->recovery.next_seq, 3001);
        assert_true(fixture->recovery.oldest_seq <= seq + 1);
        gone = more_than_a_segment(seq);
        assert_true(fixture->recovery.oldest_seq > (gone ? 1 : 0));
    }
    assert_true(gone);
}

static void
a_reader_of_released_events_is_told_so(void **state)
{
    struct fixture *fixture = *state;
    struct hf_journal_reader *reader;
    struct hf_journal_batch batch;
    struct hf_journal_loss loss;
    struct hf_error err;
    fixture_open(fixture);
    append_events(fixture, 1000);
    assert_int_equal(hf_journal_reader_open(fixture->journal, 1, &reader, &err), HF_OK);
    assert_int_equal(hf_journal_reader_next(reader, &batch, &loss, &err), HF_OK);
    hf_journal_release(fixture->journal, 900);
    append_events(fixture, 1000); /* overwrites or removes it */
    enum hf_status status;
    while ((status = hf_journal_reader_next(reader, &batch, &loss, &err)) == HF_OK)
        ;
    assert_int_equal(status, HF_ENOTFOUND);
    hf_journal_reader_close(reader);
    /* One that is opened there now begins at what is left. */
    assert_int_equal(hf_journal_reader_open(fixture->journal, 1, &reader, &err), HF_OK);
    assert_int_equal(hf_journal_reader_next(reader, &batch, &loss, &err), HF_OK);
    assert_true(batch.first_seq > 1 && batch.first_seq <= 901);
    hf_journal_reader_close(reader);
}

static bool
directory_holds(const char *directory, const char *text)
{
    char **names, path[HF_PATH_MAX];
    size_t count;
    bool found = false;
    struct hf_error err;
    assert_int_equal(hf_fs_list(directory, 10000, &names, &count, &err), HF_OK);
    for (size_t i = 0; i < count; i++) {
        hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(64u << 20);
        hf_path_join(path, sizeof(path), directory, names[i]);
        if (hf_fs_read_file(path, buf.max, &buf, &err) == HF_OK)
            found = found || memmem(buf.ptr, buf.size, text, strlen(text));
    }
    hf_fs_names_free(names, count);
    return found;
}

static void
append_text(struct fixture *fixture, const char *text)
{
    struct hf_error err;
    must_begin(fixture->journal);
    assert_int_equal(hf_journal_append(fixture->journal, 1, 0, hf_slice_text(text), NULL, &err),
                     HF_OK);
    hf_journal_commit(fixture->journal);
    must_sync(fixture->journal);
}

static bool
is_wiped(struct fixture *fixture)
{
    return !directory_holds(fixture->directory, "\"seq\"") &&
           !directory_holds(fixture->directory, "canary");
}

static void
wiping_leaves_no_plaintext_behind(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    hf_journal_set_wipe(fixture->journal, true);
    set_state(fixture, "file/a", "kept");
    append_text(fixture, "{\"secret\":\"canary\"}");
    append_events(fixture, 1500);
    assert_true(directory_holds(fixture->directory, "canary"));
    hf_journal_release(fixture->journal, 1501);
    await(is_wiped(fixture));
    append_events(fixture, 10);
    assert_int_equal(read_from(fixture->journal, 1502).events, 10);
    fixture_reopen(fixture);
    assert_int_equal(fixture->recovery.next_seq, 1512);
    assert_state(fixture, "file/a", "kept");
}

static void
wiping_reaches_segments_freed_before_it_was_asked_for(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    append_events(fixture, 1500);
    hf_journal_release(fixture->journal, 1500);
    await(count_spares(fixture) == 2);
    assert_true(directory_holds(fixture->directory, "\"seq\""));
    hf_journal_set_wipe(fixture->journal, true);
    await(is_wiped(fixture));
    fixture_reopen(fixture);
    assert_int_equal(fixture->recovery.next_seq, 1501);
    assert_int_equal(fixture->recovery.loss_count, 0);
}

static void
a_drained_journal_is_wiped_also_when_it_is_closed_at_once(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    hf_journal_set_wipe(fixture->journal, true);
    append_events(fixture, 20);
    hf_journal_release(fixture->journal, 20);
    fixture_close(fixture);
    assert_true(is_wiped(fixture));
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.next_seq, 21);
    assert_int_equal(fixture->recovery.loss_count, 0);
}

static void
a_huge_record_fits_and_its_memory_is_given_back(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.max_bytes = 64u << 20;
    fixture_open(fixture);
    append_events(fixture, 5);
    must_begin(fixture->journal);
    append_one(fixture->journal, (2u << 20) - 8);
    for (int i = 0; i < 5; i++)
        append_one(fixture->journal, (2u << 20) - 8);
    hf_journal_commit(fixture->journal);
    append_events(fixture, 5);
    append_events(fixture, 300); /* both builders have been used again */
    assert_int_equal(read_from(fixture->journal, 1).events, 316);
    hf_journal_lock(fixture->journal);
    for (int i = 0; i < 2; i++)
        assert_true(fixture->journal->builders[i].payload.capacity <= 4 * HF_JOURNAL_BATCH_BYTES);
    hf_journal_unlock(fixture->journal);
    fixture_reopen(fixture);
    assert_int_equal(fixture->recovery.loss_count, 0);
    assert_int_equal(read_from(fixture->journal, 1).events, 316);
    hf_journal_release(fixture->journal, 316);
    await(total_bytes(fixture) < (1u << 20));
}

static void
a_record_of_a_quarter_of_the_limit_always_gets_through(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.max_bytes = 8 * SEGMENT;
    fixture_open(fixture);
    for (uint64_t i = 1; i <= 12; i++) {
        must_begin(fixture->journal);
        append_one(fixture->journal, 2 * SEGMENT);
        hf_journal_commit(fixture->journal);
        struct hf_error err;
        while (hf_journal_sync(fixture->journal, 2000, &err) != HF_OK)
            hf_journal_release(fixture->journal, i - 1);
        hf_journal_release(fixture->journal, i);
    }
    await(atomic_load(&fixture->durable_seq) == 12);
}

static void
a_large_state_moves_from_segment_to_segment(void **state)
{
    struct fixture *fixture = *state;
    char *value = calloc(1, 100001), key[64];
    struct hf_error err;
    fixture->options.max_bytes = 64u << 20;
    fixture_open(fixture);
    memset(value, 'v', 100000);
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof(key), "file/%d", i);
        set_state(fixture, key, value);
        append_events(fixture, 300);
        hf_journal_release(fixture->journal, (uint64_t)i * 300);
    }
    fixture_reopen(fixture);
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof(key), "file/%d", i);
        assert_state(fixture, key, value);
    }
    must_begin(fixture->journal);
    enum hf_status status = HF_OK;
    for (int i = 20; i < 90 && status == HF_OK; i++) {
        snprintf(key, sizeof(key), "file/%d", i);
        status = hf_journal_set_state(fixture->journal, key, hf_slice(value, 100000), &err);
    }
    assert_int_equal(status, HF_ELIMIT); /* as much as is kept of it beside so many events */
    hf_journal_commit(fixture->journal);
    must_sync(fixture->journal);
    free(value);
}

/* The disk: `blocks` says how much more may be allocated. */
static atomic_int allocations_left;

static int
full_disk(void *context, struct hf_fs_call *call)
{
    (void)context;
    if (strcmp(call->name, "fallocate") == 0 && atomic_fetch_sub(&allocations_left, 1) <= 0)
        return ENOSPC;
    return 0;
}

static void
a_full_disk_refuses_with_nospace_and_intake_returns_by_itself(void **state)
{
    struct fixture *fixture = *state;
    struct hf_journal_info info;
    struct hf_error err;
    enum hf_status status;
    fixture_open(fixture);
    atomic_store(&allocations_left, 3);
    hf_fs_interpose(full_disk, NULL);
    uint64_t last = fill_until_refused(fixture, &status, &err);
    assert_int_equal(status, HF_ENOSPC);
    hf_journal_info(fixture->journal, &info);
    assert_true(info.full);
    assert_true(info.reason[0] != '\0');
    assert_int_equal(read_from(fixture->journal, 1).events, last);
    /* Nothing is released here; the disk has room again, and the writer finds out while somebody
     * waits. */
    atomic_store(&allocations_left, 1000);
    append_events(fixture, 500);
    assert_int_equal(read_from(fixture->journal, 1).events, last + 500);
}

static void
a_journal_on_a_full_disk_opens_delivers_and_recovers(void **state)
{
    struct fixture *fixture = *state;
    struct hf_error err;
    fixture_open(fixture);
    set_state(fixture, "file/a", "1");
    append_events(fixture, 1000);
    fixture_close(fixture);
    atomic_store(&allocations_left, 0);
    hf_fs_interpose(full_disk, NULL);
    /* A spare that lies there is used; without one there is no current segment at all. */
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.next_seq, 1001);
    assert_state(fixture, "file/a", "1");
    assert_int_equal(read_from(fixture->journal, 1).events, 1000);
    hf_journal_release(fixture->journal, 1000);
    enum hf_status status = hf_journal_begin(fixture->journal, false, &err);
    for (int i = 0; status != HF_OK && i < 5000; i++) {
        assert_true(status == HF_ENOSPC || status == HF_EFULL);
        usleep(1000);
        if (i == 100)
            atomic_store(&allocations_left, 1000);
        status = hf_journal_begin(fixture->journal, false, &err);
    }
    assert_int_equal(status, HF_OK);
    append_one(fixture->journal, 0);
    hf_journal_commit(fixture->journal);
    must_sync(fixture->journal);
    hf_fs_interpose(NULL, NULL);
    fixture_reopen(fixture);
    assert_int_equal(fixture->recovery.next_seq, 1002);
    assert_int_equal(fixture->recovery.loss_count, 0);
    assert_state(fixture, "file/a", "1");
}

static void
restarts_do_not_eat_the_limit(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.max_bytes = 4u << 20;
    fixture->options.segment_bytes = 1u << 20;
    fixture_open(fixture);
    for (int i = 0; i < 40; i++) {
        append_events(fixture, 1);
        fixture_reopen(fixture);
    }
    struct hf_journal_info info;
    hf_journal_info(fixture->journal, &info);
    assert_true(info.bytes <= (1u << 20) + 40 * 3 * 4096);
    append_events(fixture, 1);
    assert_int_equal(read_from(fixture->journal, 1).events, 41);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_journal_refuses_and_keeps_everything),
        TEST(release_makes_room_and_says_so),
        TEST(a_waiting_producer_goes_on_when_there_is_room),
        TEST(segments_are_reused_for_ever_in_bounded_space),
        TEST(what_was_released_is_no_loss_after_a_restart),
        TEST(a_reader_of_released_events_is_told_so),
        TEST(wiping_leaves_no_plaintext_behind),
        TEST(wiping_reaches_segments_freed_before_it_was_asked_for),
        TEST(a_drained_journal_is_wiped_also_when_it_is_closed_at_once),
        TEST(a_huge_record_fits_and_its_memory_is_given_back),
        TEST(a_record_of_a_quarter_of_the_limit_always_gets_through),
        TEST(a_large_state_moves_from_segment_to_segment),
        TEST(a_full_disk_refuses_with_nospace_and_intake_returns_by_itself),
        TEST(a_journal_on_a_full_disk_opens_delivers_and_recovers),
        TEST(restarts_do_not_eat_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
