/* Disks that fail: no acknowledgement without durability, nothing twice, nothing lost that was
 * acknowledged. */
#include "help.h"

struct fault {
    const char *name; /* of the call */
    atomic_int skip;  /* so many succeed first */
    atomic_int count; /* then so many fail */
    int error;
    atomic_int seen; /* failures */
};

static int
fail_call(void *context, struct hf_fs_call *call)
{
    struct fault *fault = context;
    if (strcmp(call->name, fault->name) != 0 || atomic_fetch_sub(&fault->skip, 1) > 0)
        return 0;
    if (atomic_fetch_sub(&fault->count, 1) <= 0)
        return 0;
    atomic_fetch_add(&fault->seen, 1);
    return fault->error;
}

static void
commit_one(struct fixture *fixture)
{
    must_begin(fixture->journal);
    append_one(fixture->journal, 0);
    hf_journal_commit(fixture->journal);
}

static void
a_failed_sync_acknowledges_nothing_and_moves_to_another_segment(void **state)
{
    struct fixture *fixture = *state;
    struct fault fault = { .name = "fdatasync", .count = 1, .error = EIO };
    fixture_open(fixture);
    set_state(fixture, "file/a", "1");
    append_events(fixture, 10);
    struct hf_segment before = look_at_current(fixture);
    hf_fs_interpose(fail_call, &fault);
    append_events(fixture, 10);
    assert_int_equal(atomic_load(&fault.seen), 1);
    assert_true(look_at_current(fixture).order > before.order);
    assert_int_equal(look_at_held(fixture, 0).end, before.end); /* nothing more was written there */
    assert_int_equal(read_from(fixture->journal, 1).events, 20);
    hf_fs_interpose(NULL, NULL);
    fixture_reopen(fixture);
    assert_int_equal(fixture->recovery.next_seq, 21);
    assert_int_equal(fixture->recovery.loss_count, 0);
    struct readout readout = read_from(fixture->journal, 1);
    assert_int_equal(readout.events, 20);
    assert_int_equal(readout.lost, 0);
    assert_state(fixture, "file/a", "1");
}

static void
every_call_may_fail_once_without_loss_or_double(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = { "fdatasync", "pwrite", "fsync", "open", "fallocate" };
    for (size_t k = 0; k < HF_COUNT(names); k++) {
        for (int n = 0; n < 40; n += 3) {
            struct fault fault = {
                .name = names[k], .skip = n, .count = 1, .error = k % 2 ? ENOSPC : EIO
            };
            empty_directory(fixture->directory);
            fixture_open(fixture);
            hf_fs_interpose(fail_call, &fault);
            append_events(fixture, 400);
            hf_journal_release(fixture->journal, 200);
            append_events(fixture, 100);
            hf_fs_interpose(NULL, NULL);
            assert_int_equal(read_from(fixture->journal, 201).next, 501);
            fixture_reopen(fixture);
            assert_int_equal(fixture->recovery.next_seq, 501);
            assert_int_equal(fixture->recovery.loss_count, 0);
            struct readout readout = read_from(fixture->journal, 201);
            assert_int_equal(readout.lost, 0);
            assert_int_equal(readout.next, 501);
            fixture_close(fixture);
        }
    }
}

static void
a_disk_that_stays_broken_refuses_intake_and_recovers_by_itself(void **state)
{
    struct fixture *fixture = *state;
    struct fault fault = { .name = "fdatasync", .count = 1000000, .error = EIO };
    struct hf_journal_info info;
    struct hf_error err;
    fixture_open(fixture);
    append_events(fixture, 10);
    hf_fs_interpose(fail_call, &fault);
    commit_one(fixture);
    assert_int_equal(hf_journal_sync(fixture->journal, 10000, &err), HF_EIO);
    assert_int_equal(hf_journal_begin(fixture->journal, false, &err), HF_EFULL);
    await(atomic_load(&fixture->durable_seq) == 10);
    assert_false(atomic_load(&fixture->room));
    hf_journal_info(fixture->journal, &info);
    assert_true(info.reason[0] != '\0');
    assert_int_equal(info.durable_seq, 10);
    assert_true(info.floor_ns <= hf_wall_ns());
    assert_int_equal(read_from(fixture->journal, 1).events, 10);
    atomic_store(&fault.count, 0);
    append_events(fixture, 10); /* waits for the retry */
    await(atomic_load(&fixture->durable_seq) == 21);
    hf_journal_info(fixture->journal, &info);
    assert_string_equal(info.reason, "");
    fixture_reopen(fixture);
    assert_int_equal(read_from(fixture->journal, 1).events, 21);
    assert_int_equal(fixture->recovery.loss_count, 0);
}

static void
closing_on_a_broken_disk_ends(void **state)
{
    struct fixture *fixture = *state;
    struct fault fault = { .name = "fdatasync", .count = 1000000, .error = EIO };
    fixture_open(fixture);
    append_events(fixture, 10);
    hf_fs_interpose(fail_call, &fault);
    commit_one(fixture);
    fixture_close(fixture);
    hf_fs_interpose(NULL, NULL);
    fixture_open(fixture);
    assert_true(fixture->recovery.next_seq == 11 || fixture->recovery.next_seq == 12);
    assert_int_equal(fixture->recovery.loss_count, 0);
    struct readout readout = read_from(fixture->journal, 1);
    assert_int_equal(readout.next, fixture->recovery.next_seq);
    assert_int_equal(readout.lost, 0);
}

/* ---- what a crash leaves, made by hand ---- */

static void
segment_path(struct fixture *fixture, uint64_t number, char path[HF_PATH_MAX])
{
    hf_segment_path(fixture->directory, number, path);
}

static void
damage(struct fixture *fixture, uint64_t number, uint64_t offset, size_t size)
{
    char path[HF_PATH_MAX];
    uint8_t bytes[256];
    segment_path(fixture, number, path);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0 && size <= sizeof(bytes));
    assert_int_equal(pread(fd, bytes, size, (off_t)offset), size);
    for (size_t i = 0; i < size; i++)
        bytes[i] ^= 0x55;
    assert_int_equal(pwrite(fd, bytes, size, (off_t)offset), size);
    close(fd);
}

static void
a_torn_tail_is_cut_and_counted(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    append_batch(fixture, 5);
    append_batch(fixture, 5);
    append_batch(fixture, 5);
    struct hf_segment current = look_at_current(fixture);
    uint64_t number = current.number, end = current.end;
    fixture_close(fixture);
    damage(fixture, number, end - 10, 1); /* in the last batch */
    damage(fixture, number, end, 20);     /* the mark that close() wrote */
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.next_seq, 11);
    assert_int_equal(fixture->recovery.loss_count, 0);
    assert_true(fixture->recovery.torn_bytes > 5 * 40);
    append_events(fixture, 3);
    fixture_reopen(fixture);
    assert_int_equal(fixture->recovery.torn_bytes, 0);
    assert_int_equal(fixture->recovery.next_seq, 14);
    assert_int_equal(read_from(fixture->journal, 1).events, 13);
}

/* A crash in the middle of a segment's second snapshot, and a start or two later. */
static void
a_torn_snapshot_is_no_loss_at_any_later_start(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    append_events(fixture, 5);
    must_begin(fixture->journal);
    struct hf_error err;
    assert_int_equal(
        hf_journal_set_state(fixture->journal, "file/a", HF_SLICE_LITERAL("one"), &err), HF_OK);
    hf_journal_commit(fixture->journal);
    fixture_reopen(fixture);
    struct hf_segment current = look_at_current(fixture);
    uint64_t number = current.number, end = current.end;
    fixture_close(fixture);
    damage(fixture, number, end - 10, 1);
    fixture_open(fixture);
    assert_true(fixture->recovery.torn_bytes > 0);
    for (int start = 0; start < 3; start++) {
        hf_owned(hf_buf_done) struct hf_buf value = HF_BUF(16);
        assert_int_equal(fixture->recovery.loss_count, 0);
        assert_int_equal(fixture->recovery.next_seq, 6);
        assert_int_equal(hf_journal_get_state(fixture->journal, "file/a", &value), HF_OK);
        assert_string_equal(hf_buf_text(&value), "one");
        fixture_reopen(fixture);
    }
}

static void
damage_that_a_mark_covers_is_a_loss(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    append_batch(fixture, 5);
    append_batch(fixture, 5);
    struct hf_segment current = look_at_current(fixture);
    uint64_t number = current.number, end = current.end;
    fixture_close(fixture); /* writes the mark */
    damage(fixture, number, end - 10, 1);
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.next_seq, 11);
    assert_int_equal(fixture->recovery.torn_bytes, 0);
    assert_int_equal(fixture->recovery.loss_count, 1);
    assert_int_equal(fixture->recovery.losses[0].first_seq, 6);
    assert_int_equal(fixture->recovery.losses[0].last_seq, 10);
    struct readout readout = read_from(fixture->journal, 1);
    assert_int_equal(readout.events, 5);
    assert_int_equal(readout.lost, 5);
    hf_journal_release(fixture->journal, 10);
    append_events(fixture, 1);
    fixture_reopen(fixture);
    assert_int_equal(fixture->recovery.loss_count, 0); /* released: nobody misses it any more */
}

static void
a_missing_segment_is_an_exact_loss(void **state)
{
    struct fixture *fixture = *state;
    char path[HF_PATH_MAX];
    fixture_open(fixture);
    append_events(fixture, 1500);
    struct hf_segment segment = look_at_held(fixture, 2);
    uint64_t first = segment.first_seq, last = segment.last_seq;
    segment_path(fixture, segment.number, path);
    fixture_close(fixture);
    unlink(path);
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.loss_count, 1);
    assert_int_equal(fixture->recovery.losses[0].first_seq, first);
    assert_int_equal(fixture->recovery.losses[0].last_seq, last);
    struct readout readout = read_from(fixture->journal, 1);
    assert_int_equal(readout.lost, last - first + 1);
    assert_int_equal(readout.next, 1501);
}

static void
a_missing_first_segment_is_an_exact_loss(void **state)
{
    struct fixture *fixture = *state;
    char path[HF_PATH_MAX];
    fixture_open(fixture);
    append_events(fixture, 1500);
    uint64_t last = look_at_held(fixture, 0).last_seq;
    segment_path(fixture, look_at_held(fixture, 0).number, path);
    fixture_close(fixture);
    unlink(path);
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.loss_count, 1);
    assert_int_equal(fixture->recovery.losses[0].first_seq, 1);
    assert_int_equal(fixture->recovery.losses[0].last_seq, last);
    assert_int_equal(read_from(fixture->journal, 1).lost, last);
}

static void
a_damaged_header_copy_costs_no_event_and_is_reported(void **state)
{
    struct fixture *fixture = *state;
    for (uint64_t copy = 0; copy < 2; copy++) {
        empty_directory(fixture->directory);
        fixture_open(fixture);
        append_events(fixture, 10);
        uint64_t number = look_at_current(fixture).number;
        fixture_close(fixture);
        damage(fixture, number, copy * HF_SEGMENT_BLOCK + 30, 1);
        fixture_open(fixture);
        assert_int_equal(fixture->recovery.next_seq, 11);
        assert_int_equal(fixture->recovery.loss_count, 1);
        assert_int_equal(fixture->recovery.losses[0].last_seq + 1,
                         fixture->recovery.losses[0].first_seq);
        assert_int_equal(read_from(fixture->journal, 1).events, 10);
        fixture_close(fixture);
    }
}

static void
a_lost_header_is_an_exact_loss_and_its_sequences_are_not_given_again(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    append_events(fixture, 1500);
    uint64_t first = look_at_current(fixture).first_seq, number = look_at_current(fixture).number;
    fixture_close(fixture);
    damage(fixture, number, 30, 1);
    damage(fixture, number, HF_SEGMENT_BLOCK + 30, 1);
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.next_seq, 1501);
    assert_int_equal(fixture->recovery.loss_count, 1);
    assert_int_equal(fixture->recovery.losses[0].first_seq, first);
    assert_int_equal(fixture->recovery.losses[0].last_seq, 1500);
    append_events(fixture, 5);
    assert_int_equal(read_from(fixture->journal, 1).next, 1506);
    fixture_reopen(fixture); /* still known, now from the gap */
    assert_int_equal(fixture->recovery.loss_count, 1);
    assert_int_equal(fixture->recovery.losses[0].first_seq, first);
    assert_int_equal(fixture->recovery.losses[0].last_seq, 1500);
}

static void
state_survives_a_damaged_snapshot(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    set_state(fixture, "file/a", "offset 7");
    fixture_reopen(fixture); /* now it stands in a snapshot */
    uint64_t number = look_at_current(fixture).number;
    append_events(fixture, 3);
    fixture_close(fixture);
    damage(fixture, number, HF_SEGMENT_DATA + HF_BATCH_HEAD + 3, 1);
    fixture_open(fixture);
    assert_state(fixture, "file/a", "offset 7");
    assert_int_equal(fixture->recovery.next_seq, 4);
    assert_int_equal(fixture->recovery.loss_count, 1);
    assert_int_equal(read_from(fixture->journal, 1).events, 3);
}

static void
an_empty_or_garbage_file_is_reclaimed(void **state)
{
    struct fixture *fixture = *state;
    char path[HF_PATH_MAX], junk[SEGMENT];
    fixture_open(fixture);
    append_events(fixture, 10);
    fixture_close(fixture);
    segment_path(fixture, 77, path);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    segment_path(fixture, 78, path);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    memset(junk, 'x', sizeof(junk));
    assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
    close(fd);
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.next_seq, 11);
    assert_int_equal(fixture->recovery.loss_count, 0);
    append_events(fixture, 500);
    segment_path(fixture, 77, path);
    await(access(path, F_OK) != 0);
    assert_int_equal(read_from(fixture->journal, 1).events, 510);
}

static void
rewrite_head(struct fixture *fixture, uint64_t number, void (*change)(struct hf_disk_segment *))
{
    char path[HF_PATH_MAX];
    struct hf_disk_segment disk;
    segment_path(fixture, number, path);
    int fd = open(path, O_RDWR);
    for (off_t at = 0; at < HF_SEGMENT_DATA; at += HF_SEGMENT_BLOCK) {
        assert_int_equal(pread(fd, &disk, sizeof(disk), at), sizeof(disk));
        change(&disk);
        disk.crc = hf_crc32c(0, &disk, offsetof(struct hf_disk_segment, crc));
        assert_int_equal(pwrite(fd, &disk, sizeof(disk), at), sizeof(disk));
    }
    close(fd);
}

static void
next_version(struct hf_disk_segment *disk)
{
    disk->version++;
}

static void
previous_version_with_a_new_need(struct hf_disk_segment *disk)
{
    disk->version--;
    disk->incompatible |= 4;
}

static void
with_a_new_nicety(struct hf_disk_segment *disk)
{
    disk->incompatible = 0;
    disk->compatible |= 8;
}

static void
a_later_version_is_refused_and_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct hf_journal *journal;
    struct hf_journal_recovery recovery;
    struct hf_error err;
    fixture_open(fixture);
    append_events(fixture, 10);
    uint64_t number = look_at_current(fixture).number;
    fixture_close(fixture);
    size_t files = count_files(fixture->directory);
    rewrite_head(fixture, number, next_version);
    assert_int_equal(hf_journal_open(&fixture->options, &journal, &recovery, &err), HF_EVERSION);
    assert_non_null(strstr(err.text, "later version"));
    rewrite_head(fixture, number, previous_version_with_a_new_need);
    assert_int_equal(hf_journal_open(&fixture->options, &journal, &recovery, &err), HF_EVERSION);
    assert_int_equal(count_files(fixture->directory), files);
    rewrite_head(fixture, number, with_a_new_nicety);
    fixture_open(fixture);
    assert_int_equal(read_from(fixture->journal, 1).events, 10);
}

/* The header of a next use of file `number`, as far as it came before the crash. */
static void
begin_by_hand(struct fixture *fixture, uint64_t number, uint64_t order, uint64_t first_seq,
              uint64_t released_seq, unsigned copies)
{
    char path[HF_PATH_MAX];
    struct hf_disk_segment disk;
    struct hf_segment_head head = {
        .generation = 4711,
        .order = order,
        .first_seq = first_seq,
        .released_seq = released_seq,
        .file_bytes = SEGMENT,
    };
    segment_path(fixture, number, path);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(ftruncate(fd, SEGMENT), 0);
    for (unsigned i = 0; i < copies; i++) {
        hf_segment_head_encode(&head, i, &disk);
        assert_int_equal(pwrite(fd, &disk, sizeof(disk), i * HF_SEGMENT_BLOCK), sizeof(disk));
    }
    close(fd);
}

/* The next segment came as far as `copies` of its header, which says that nothing at or before
 * `released` is needed any more. */
static void
assert_begun_segment_costs_nothing(struct fixture *fixture, uint64_t released, unsigned copies,
                                   const char *state)
{
    uint64_t order = look_at_current(fixture).order;
    fixture_close(fixture);
    begin_by_hand(fixture, 50, order + 1, 11, released, copies);
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.next_seq, 11);
    assert_int_equal(fixture->recovery.loss_count, 0);
    assert_state(fixture, "file/a", state);
    fixture_reopen(fixture);
    assert_state(fixture, "file/a", state);
}

static void
open_with_state_and_events(struct fixture *fixture)
{
    empty_directory(fixture->directory);
    fixture_open(fixture);
    set_state(fixture, "file/a", "1");
    append_events(fixture, 10);
}

static void
a_crash_while_a_segment_is_begun_costs_nothing(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned copies = 0; copies <= 2; copies++) {
        open_with_state_and_events(fixture);
        assert_begun_segment_costs_nothing(fixture, 0, copies, "1");
        append_events(fixture, 500);
        assert_int_equal(read_from(fixture->journal, 1).events, 510);
        fixture_close(fixture);
    }
}

/* Its header says that nothing of the segments before is needed. Their events are not; but the
 * state stands nowhere else yet. */
static void
a_header_without_its_snapshot_does_not_cost_the_state(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned copies = 1; copies <= 2; copies++) {
        open_with_state_and_events(fixture);
        assert_begun_segment_costs_nothing(fixture, 10, copies, "1");
        fixture_close(fixture);
    }
}

/* The one before has no events either: both begin at the same sequence. */
static void
a_header_without_its_snapshot_does_not_cost_the_state_of_an_empty_segment(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned copies = 1; copies <= 2; copies++) {
        open_with_state_and_events(fixture);
        hf_journal_release(fixture->journal, 10);
        fixture_reopen(fixture); /* its segment has a snapshot and nothing else */
        set_state(fixture, "file/a", "2");
        assert_begun_segment_costs_nothing(fixture, 10, copies, "2");
        fixture_close(fixture);
    }
}

static void
a_crash_after_a_failed_sync_drops_what_was_not_acknowledged(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    set_state(fixture, "file/a", "1");
    append_batch(fixture, 5);
    append_batch(
        fixture,
        5); /* say that its sync failed, and that the next segment came as far as its header */
    set_state(fixture, "file/a", "2");
    uint64_t order = look_at_current(fixture).order;
    fixture_close(fixture);
    begin_by_hand(fixture, 50, order + 1, 6, 0, 2);
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.next_seq, 6);
    assert_int_equal(fixture->recovery.loss_count, 0);
    assert_state(fixture, "file/a", "1");
    append_events(fixture, 3); /* under the same sequences */
    fixture_reopen(fixture);
    struct readout readout = read_from(fixture->journal, 1);
    assert_int_equal(readout.events, 8);
    assert_int_equal(readout.lost, 0);
    assert_state(fixture, "file/a", "1");
}

static uint64_t settled_bytes;

static int
count_settled(void *context, struct hf_fs_call *call)
{
    (void)context;
    if (strcmp(call->name, "pwrite") == 0)
        settled_bytes += call->size;
    return strcmp(call->name, "fdatasync") == 0 ? EIO : 0;
}

static void
an_uncovered_batch_is_written_again_before_it_counts(void **state)
{
    struct fixture *fixture = *state;
    struct hf_journal *journal;
    struct hf_journal_recovery recovery;
    struct hf_error err;
    fixture_open(fixture);
    append_batch(fixture, 5);
    append_batch(fixture, 5);
    struct hf_segment current = look_at_current(fixture);
    fixture_close(fixture);
    damage(fixture, current.number, current.end,
           20); /* no mark: it crashed right after the batch */
    settled_bytes = 0;
    hf_fs_interpose(count_settled, NULL);
    assert_int_equal(hf_journal_open(&fixture->options, &journal, &recovery, &err), HF_EIO);
    hf_fs_interpose(NULL, NULL);
    assert_true(settled_bytes > 5 * 40);
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.next_seq, 11);
    assert_int_equal(read_from(fixture->journal, 1).events, 10);
}

/* Reads of one place of one file fail: a bad sector. */
static int
bad_sector(void *context, struct hf_fs_call *call)
{
    uint64_t at = *(uint64_t *)context;
    if (strcmp(call->name, "pread") != 0)
        return 0;
    return (uint64_t)call->offset <= at && at < (uint64_t)call->offset + call->size ? EIO : 0;
}

static void
a_bad_sector_costs_its_batch_only(void **state)
{
    struct fixture *fixture = *state;
    fixture_open(fixture);
    for (int i = 0; i < 4; i++)
        append_batch(fixture, 40); /* about 10 KiB each */
    uint64_t at = look_at_held(fixture, 0).end / 2;
    hf_fs_interpose(bad_sector, &at);
    struct readout readout = read_from(fixture->journal, 1);
    assert_int_equal(readout.lost, 40);
    assert_int_equal(readout.events, 120);
    fixture_reopen(fixture);
    assert_int_equal(fixture->recovery.next_seq, 161);
    assert_int_equal(fixture->recovery.loss_count, 1);
    assert_int_equal(
        fixture->recovery.losses[0].last_seq - fixture->recovery.losses[0].first_seq + 1, 40);
    hf_fs_interpose(NULL, NULL);
    readout =
        read_from(fixture->journal, 1); /* the disk was only moody: all of it is still there */
    assert_int_equal(readout.lost, 0);
    assert_int_equal(readout.events, 160);
}

static void
a_copied_segment_is_not_read_twice(void **state)
{
    struct fixture *fixture = *state;
    char from[HF_PATH_MAX], to[HF_PATH_MAX];
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(1 << 20);
    struct hf_error err;
    fixture_open(fixture);
    append_events(fixture, 1000);
    segment_path(fixture, look_at_held(fixture, 1).number, from);
    fixture_close(fixture);
    segment_path(fixture, 500, to);
    assert_int_equal(hf_fs_read_file(from, buf.max, &buf, &err), HF_OK);
    assert_int_equal(hf_fs_replace(to, buf.ptr, buf.size, 0600, &err), HF_OK);
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.next_seq, 1001);
    assert_int_equal(fixture->recovery.loss_count, 0);
    assert_int_equal(read_from(fixture->journal, 1).events, 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_failed_sync_acknowledges_nothing_and_moves_to_another_segment),
        TEST(every_call_may_fail_once_without_loss_or_double),
        TEST(a_disk_that_stays_broken_refuses_intake_and_recovers_by_itself),
        TEST(closing_on_a_broken_disk_ends),
        TEST(a_torn_tail_is_cut_and_counted),
        TEST(a_torn_snapshot_is_no_loss_at_any_later_start),
        TEST(damage_that_a_mark_covers_is_a_loss),
        TEST(a_missing_segment_is_an_exact_loss),
        TEST(a_missing_first_segment_is_an_exact_loss),
        TEST(a_damaged_header_copy_costs_no_event_and_is_reported),
        TEST(a_lost_header_is_an_exact_loss_and_its_sequences_are_not_given_again),
        TEST(state_survives_a_damaged_snapshot),
        TEST(an_empty_or_garbage_file_is_reclaimed),
        TEST(a_later_version_is_refused_and_left_alone),
        TEST(a_crash_while_a_segment_is_begun_costs_nothing),
        TEST(a_header_without_its_snapshot_does_not_cost_the_state),
        TEST(a_header_without_its_snapshot_does_not_cost_the_state_of_an_empty_segment),
        TEST(a_crash_after_a_failed_sync_drops_what_was_not_acknowledged),
        TEST(an_uncovered_batch_is_written_again_before_it_counts),
        TEST(a_bad_sector_costs_its_batch_only),
        TEST(a_copied_segment_is_not_read_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
