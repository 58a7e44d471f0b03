/* State directories from before there were wide batches: their segments, made by the program of that
 * time, stand in golden/. They are taken over in place, and read as they were; what is written now
 * stands beside them.
 *
 *   closed.seg                  1 to 12 in three batches, file/a set to "1", then "2"; closed
 *   killed-1.seg, killed-2.seg  1 to 6 and file/a "1", closed; 7 to 12 and file/a "2", killed: nothing
 *                               proves the last batch durable
 */
#include "help.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define OLD_EVENTS 12
#define NEW_EVENTS 4
#define SECTOR     512u
#define CLASS      0xabcd

static const char *golden; /* the folder */

struct bytes {
    uint8_t data[4 * SEGMENT];
    size_t size;
};

static void
read_whole(const char *path, struct bytes *ret_bytes)
{
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t got = read(fd, ret_bytes->data, sizeof(ret_bytes->data));
    assert_true(got >= 0 && (size_t)got < sizeof(ret_bytes->data));
    ret_bytes->size = (size_t)got;
    close(fd);
}

static void
write_whole(const char *path, const struct bytes *bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes->data, bytes->size), bytes->size);
    close(fd);
}

static void
read_golden(const char *name, struct bytes *ret_bytes)
{
    char path[HF_PATH_MAX];
    hf_path_join(path, sizeof(path), golden, name);
    read_whole(path, ret_bytes);
}

static void
put_bytes(struct fixture *fixture, uint64_t number, const struct bytes *bytes)
{
    char path[HF_PATH_MAX];
    hf_segment_path(fixture->directory, number, path);
    write_whole(path, bytes);
}

static void
put_golden(struct fixture *fixture, uint64_t number, const char *name)
{
    static struct bytes bytes;
    read_golden(name, &bytes);
    put_bytes(fixture, number, &bytes);
}

static void
put_killed(struct fixture *fixture)
{
    empty_directory(fixture->directory);
    put_golden(fixture, 1, "killed-1.seg");
    put_golden(fixture, 2, "killed-2.seg");
}

static struct hf_journal_entry
entry_of(struct hf_journal *journal, uint64_t seq)
{
    struct hf_journal_reader *reader;
    struct hf_journal_batch batch;
    struct hf_journal_loss loss;
    struct hf_error err;
    assert_int_equal(hf_journal_reader_open(journal, seq, &reader, &err), HF_OK);
    assert_int_equal(hf_journal_reader_next(reader, &batch, &loss, &err), HF_OK);
    assert_true(seq >= batch.first_seq && seq - batch.first_seq < batch.count);
    struct hf_journal_entry entry = batch.entries[seq - batch.first_seq];
    hf_journal_reader_close(reader);
    return entry;
}

/* One unit of events that say more than the old ones could. */
static void
append_new(struct fixture *fixture)
{
    char text[1000];
    struct hf_error err;
    must_begin(fixture->journal);
    for (int i = 0; i < NEW_EVENTS; i++) {
        uint64_t seq = hf_journal_next_seq(fixture->journal);
        size_t size = make_payload(seq, size_of(seq), text, sizeof(text));
        struct hf_journal_entry entry = { .source = (uint16_t)(seq % 7),
                                          .class = CLASS,
                                          .event_time_s = (int64_t)seq,
                                          .appended = (uint16_t)(1 + seq) };
        const struct hf_slice halves[] = { hf_slice(text, size / 2),
                                           hf_slice(text + size / 2, size - size / 2) };
        assert_int_equal(hf_journal_append_entry(fixture->journal, &entry, halves, 2, NULL, &err),
                         HF_OK);
    }
    hf_journal_commit(fixture->journal);
    must_sync(fixture->journal);
}

static void
check_entries(struct hf_journal *journal, uint64_t next_seq)
{
    for (uint64_t seq = 1; seq < next_seq; seq++) {
        struct hf_journal_entry entry = entry_of(journal, seq);
        bool is_new = seq > OLD_EVENTS;
        assert_int_equal(entry.source, seq % 7);
        assert_int_equal(entry.event_time_s, seq);
        assert_int_equal(entry.class, is_new ? CLASS : 0);
        assert_int_equal(entry.appended, is_new ? 1 + seq : 0);
        assert_int_equal(entry.flags, 0);
    }
}

static void
check_told(struct fixture *fixture, uint64_t next_seq)
{
    assert_int_equal(fixture->recovery.next_seq, next_seq);
    assert_int_equal(fixture->recovery.oldest_seq, 1);
    struct readout readout = read_from(fixture->journal, 1);
    assert_int_equal(readout.events, next_seq - 1);
    assert_int_equal(readout.lost, 0);
    check_entries(fixture->journal, next_seq);
    assert_state(fixture, "file/a", "2");
}

static void
check_all(struct fixture *fixture, uint64_t next_seq)
{
    for (size_t i = 0; i < fixture->recovery.loss_count; i++)
        fail_msg("a loss: %s", fixture->recovery.losses[i].reason);
    check_told(fixture, next_seq);
}

static void
assert_begins_as_golden(struct fixture *fixture, uint64_t number, const char *name)
{
    static struct bytes was, is;
    char path[HF_PATH_MAX];
    read_golden(name, &was);
    hf_segment_path(fixture->directory, number, path);
    read_whole(path, &is);
    assert_true(is.size <= was.size);
    assert_memory_equal(is.data, was.data, is.size);
    while (was.size > is.size) /* only zeros were given back */
        assert_int_equal(was.data[--was.size], 0);
}

static void
what_was_written_before_is_read_as_it_was(void **state)
{
    struct fixture *fixture = *state;
    put_golden(fixture, 1, "closed.seg");
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.torn_bytes, 0);
    check_all(fixture, OLD_EVENTS + 1);
    assert_begins_as_golden(fixture, 1, "closed.seg");
}

static void
the_newest_old_batch_is_settled_and_kept(void **state)
{
    struct fixture *fixture = *state;
    static struct bytes bytes;
    put_killed(fixture);
    fixture_open(fixture);
    assert_int_equal(fixture->recovery.torn_bytes, 0);
    check_all(fixture, OLD_EVENTS + 1);
    assert_begins_as_golden(fixture, 2, "killed-2.seg");
    fixture_close(fixture);
    /* The same, torn one byte before its last event ends: cut, and 1 to 6 are there. */
    put_killed(fixture);
    read_golden("killed-2.seg", &bytes);
    uint8_t *end = memmem(bytes.data, bytes.size, "\"},\x06", 4);
    assert_non_null(end);
    memset(end + 1, 0, bytes.size - (size_t)(end + 1 - bytes.data));
    put_bytes(fixture, 2, &bytes);
    fixture_open(fixture);
    assert_true(fixture->recovery.torn_bytes > 0);
    assert_int_equal(fixture->recovery.loss_count, 0);
    assert_int_equal(fixture->recovery.next_seq, 7);
    assert_int_equal(read_from(fixture->journal, 1).events, 6);
    assert_state(fixture, "file/a", "1");
}

static void
new_segments_stand_beside_old_ones(void **state)
{
    struct fixture *fixture = *state;
    put_killed(fixture);
    fixture_open(fixture);
    append_new(fixture);
    check_entries(fixture->journal, OLD_EVENTS + NEW_EVENTS + 1);
    for (int i = 0; i < 3; i++) {
        fixture_reopen(fixture);
        check_all(fixture, OLD_EVENTS + NEW_EVENTS + 1);
    }
    assert_begins_as_golden(fixture, 1, "killed-1.seg");
    assert_begins_as_golden(fixture, 2, "killed-2.seg");
    /* What was old goes as it always did, and its files become new ones. */
    hf_journal_release(fixture->journal, OLD_EVENTS + NEW_EVENTS);
    await(count_held(fixture) == 1);
    append_new(fixture);
    fixture_reopen(fixture);
    assert_int_equal(fixture->recovery.loss_count, 0);
    assert_int_equal(read_from(fixture->journal, OLD_EVENTS + NEW_EVENTS + 1).events, NEW_EVENTS);
    assert_state(fixture, "file/a", "2");
}

static void
an_older_program_is_told_by_the_flag(void **state)
{
    struct fixture *fixture = *state;
    static struct bytes bytes;
    struct hf_disk_segment disk;
    char path[HF_PATH_MAX];
    fixture_open(fixture);
    for (uint64_t copy = 0; copy < 2; copy++) {
        hf_segment_path(fixture->directory, look_at_current(fixture).number, path);
        read_whole(path, &bytes);
        memcpy(&disk, bytes.data + copy * sizeof(disk), sizeof(disk));
        assert_int_equal(disk.version, 1);
        assert_int_equal(disk.incompatible, 1);
    }
    read_golden("closed.seg", &bytes);
    memcpy(&disk, bytes.data, sizeof(disk));
    assert_int_equal(disk.version, 1);
    assert_int_equal(disk.incompatible, 0);
}

static void
what_cannot_have_been_appended_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct hf_journal_entry entry = { .source = 1, .appended = 2 };
    struct hf_slice record = HF_SLICE_LITERAL("{}");
    char large[HF_JOURNAL_APPENDED_MAX + 2] = { 0 };
    struct hf_slice most = hf_slice(large, sizeof(large));
    struct hf_error err;
    memset(large, '7', sizeof(large));
    fixture_open(fixture);
    must_begin(fixture->journal);
    assert_int_equal(hf_journal_append_entry(fixture->journal, &entry, &record, 1, NULL, &err),
                     HF_EUSAGE);
    entry.appended = HF_JOURNAL_APPENDED_MAX + 1;
    assert_int_equal(hf_journal_append_entry(fixture->journal, &entry, &most, 1, NULL, &err),
                     HF_EUSAGE);
    entry.flags = 1;
    entry.appended = 1;
    assert_int_equal(hf_journal_append_entry(fixture->journal, &entry, &record, 1, NULL, &err),
                     HF_EUSAGE);
    entry.flags = 0;
    assert_int_equal(hf_journal_append_entry(fixture->journal, &entry, &record, 1, NULL, &err),
                     HF_OK);
    entry.appended = HF_JOURNAL_APPENDED_MAX;
    assert_int_equal(hf_journal_append_entry(fixture->journal, &entry, &most, 1, NULL, &err),
                     HF_OK);
    hf_journal_commit(fixture->journal);
    must_sync(fixture->journal);
    assert_int_equal(entry_of(fixture->journal, 1).appended, 1);
    assert_int_equal(entry_of(fixture->journal, 2).appended, HF_JOURNAL_APPENDED_MAX);
    assert_int_equal(entry_of(fixture->journal, 2).size, sizeof(large));
}

/* ---- every bit ---- */

static void
a_flipped_bit_of_an_old_segment_is_detected(void **state)
{
    struct fixture *fixture = *state;
    static struct bytes bytes;
    read_golden("closed.seg", &bytes);
    for (size_t at = 0; at < bytes.size; at++) {
        /* All eight bits where the header's numbers stand, one in each byte elsewhere; its zeros
         * are as good as each other. */
        size_t in_block = at % HF_SEGMENT_BLOCK;
        bool numbers = at < HF_SEGMENT_DATA && in_block < 72;
        if (at < HF_SEGMENT_DATA && !numbers && in_block < 4092 && at % 256)
            continue;
        for (unsigned bit = numbers ? 0 : at % 8; bit < 8; bit += numbers ? 1 : 8) {
            bytes.data[at] ^= (uint8_t)(1u << bit);
            empty_directory(fixture->directory);
            put_bytes(fixture, 1, &bytes);
            bytes.data[at] ^= (uint8_t)(1u << bit);
            fixture_open(fixture);
            assert_int_equal(fixture->recovery.next_seq, OLD_EVENTS + 1);
            struct readout readout = read_from(fixture->journal, 1);
            if (readout.events + readout.lost != OLD_EVENTS || readout.lost > 4)
                fail_msg("byte %zu: %llu events, %llu lost", at, (unsigned long long)readout.events,
                         (unsigned long long)readout.lost);
            assert_true(fixture->recovery.loss_count + fixture->recovery.torn_bytes > 0);
            assert_state(fixture, "file/a", "2");
            fixture_close(fixture);
        }
    }
}

/* ---- a crash at each call while it is taken over ---- */

struct written {
    uint64_t offset, size;
};

struct watch { /* shared with the child that is killed */
    atomic_uint calls, kill_at;
    _Atomic uint64_t durable_seq;
    /* Of the one new segment: what was written and not synced, and whether its name was. */
    atomic_bool syncing, named;
    atomic_uint count;
    struct written written[64];
};

static struct watch *watch;

static bool
is_new_segment(const struct hf_fs_call *call)
{
    char link[64], path[HF_PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", call->fd);
    ssize_t size = call->fd >= 0 ? readlink(link, path, sizeof(path) - 1) : -1;
    if (size < 14)
        return false;
    path[size] = '\0';
    return strcmp(path + size - 14, "0000000003.seg") == 0;
}

static int
note_call(void *context, struct hf_fs_call *call)
{
    (void)context;
    if (atomic_exchange(&watch->syncing, false))
        atomic_store(&watch->count, 0);
    if (atomic_fetch_add(&watch->calls, 1) + 1 == atomic_load(&watch->kill_at))
        kill(getpid(), SIGKILL);
    if (is_new_segment(call)) {
        if (strcmp(call->name, "pwrite") == 0) {
            unsigned at = atomic_load(&watch->count);
            watch->written[at] = (struct written){ (uint64_t)call->offset, call->size };
            atomic_store(&watch->count, at + 1);
        }
        atomic_store(&watch->syncing, strstr(call->name, "sync") != NULL);
        if (strcmp(call->name, "pwrite") == 0)
            atomic_store(&watch->named, true); /* its folder is synced before it is written */
    }
    return 0;
}

static void
note_durable(void *context, uint64_t durable_seq, bool room)
{
    (void)context, (void)room;
    atomic_store(&watch->durable_seq, durable_seq);
}

/* True: it was killed at that call; false: it made fewer. */
static bool
take_over_until(struct fixture *fixture, unsigned call)
{
    put_killed(fixture);
    memset(watch, 0, sizeof(*watch));
    atomic_store(&watch->durable_seq, OLD_EVENTS);
    atomic_store(&watch->kill_at, call);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        fixture->options.on_commit = note_durable;
        hf_fs_interpose(note_call, NULL);
        fixture_open(fixture);
        append_new(fixture);
        fixture_close(fixture);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    return WIFSIGNALED(status);
}

/* Everything old is there, and the new unit whole or not at all; what comes now is kept too. A header
 * or a snapshot that the power loss tore is told as damage that cost no event. */
static void
check_after_crash(struct fixture *fixture)
{
    fixture_open(fixture);
    for (size_t i = 0; i < fixture->recovery.loss_count; i++)
        assert_true(fixture->recovery.losses[i].last_seq < fixture->recovery.losses[i].first_seq);
    uint64_t next_seq = fixture->recovery.next_seq;
    assert_true(next_seq == OLD_EVENTS + 1 || next_seq == OLD_EVENTS + NEW_EVENTS + 1);
    assert_true(next_seq > atomic_load(&watch->durable_seq));
    check_told(fixture, next_seq);
    append_new(fixture);
    fixture_reopen(fixture);
    check_told(fixture, next_seq + NEW_EVENTS);
    fixture_close(fixture);
}

static void
killed_while_it_takes_over_it_has_lost_nothing(void **state)
{
    struct fixture *fixture = *state;
    unsigned call = 0;
    while (take_over_until(fixture, ++call))
        check_after_crash(fixture);
    check_after_crash(fixture);
    assert_true(call > 20); /* else it was not looked at */
}

/* The new segment's file after a power loss: of what was written and not synced each sector arrived
 * or did not; its name did not have to, while the folder was not synced. */
static void
lose_power(struct fixture *fixture, const struct bytes *was, unsigned *seed)
{
    static struct bytes bytes;
    char path[HF_PATH_MAX];
    hf_segment_path(fixture->directory, 3, path);
    *seed = *seed * 1103515245u + 12345u;
    if (!atomic_load(&watch->named) && *seed >> 31) {
        unlink(path);
        return;
    }
    bytes = *was;
    for (unsigned i = 0; i < atomic_load(&watch->count); i++) {
        const struct written *written = &watch->written[i];
        for (uint64_t at = written->offset / SECTOR * SECTOR; at < written->offset + written->size;
             at += SECTOR) {
            *seed = *seed * 1103515245u + 12345u;
            uint64_t from = HF_MAX(at, written->offset);
            uint64_t to = HF_MIN(HF_MIN(at + SECTOR, written->offset + written->size), bytes.size);
            if (*seed >> 31 && from < to)
                memset(bytes.data + from, 0, to - from);
        }
    }
    write_whole(path, &bytes);
}

static void
a_power_loss_while_it_takes_over_loses_nothing(void **state)
{
    struct fixture *fixture = *state;
    static struct bytes was;
    char path[HF_PATH_MAX];
    unsigned seed = 20261128, losses = 0;
    hf_segment_path(fixture->directory, 3, path);
    for (unsigned call = 1; take_over_until(fixture, call); call++) {
        if (access(path, F_OK) != 0)
            continue;
        read_whole(path, &was);
        for (int i = 0; i < 12; i++, losses++) {
            put_killed(fixture);
            lose_power(fixture, &was, &seed);
            check_after_crash(fixture);
        }
    }
    assert_true(losses > 100);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_before_is_read_as_it_was),
        TEST(the_newest_old_batch_is_settled_and_kept),
        TEST(new_segments_stand_beside_old_ones),
        TEST(an_older_program_is_told_by_the_flag),
        TEST(what_cannot_have_been_appended_is_refused),
        TEST(a_flipped_bit_of_an_old_segment_is_detected),
        TEST(killed_while_it_takes_over_it_has_lost_nothing),
        TEST(a_power_loss_while_it_takes_over_loses_nothing),
    };
    if (argc != 2)
        return 2;
    golden = argv[1];
    watch = mmap(NULL, sizeof(*watch), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (watch == MAP_FAILED)
        return 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
