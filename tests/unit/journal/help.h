/* What the journal's tests share: a directory of their own, a journal with an oracle of what was
 * reported durable, and a reader that collects every event and every loss. */
#ifndef HOLDFAST_TESTS_JOURNAL_HELP_H
#define HOLDFAST_TESTS_JOURNAL_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/journal/journal_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEGMENT 65536u

struct fixture {
    char directory[256];
    struct hf_journal *journal;
    struct hf_journal_recovery recovery;
    struct hf_journal_options options;
    _Atomic uint64_t durable_seq; /* as reported */
    atomic_bool room;
    atomic_uint reports;
};

static inline void
note_commit(void *context, uint64_t durable_seq, bool room)
{
    struct fixture *fixture = context;
    atomic_store(&fixture->durable_seq, durable_seq);
    atomic_store(&fixture->room, room);
    atomic_fetch_add(&fixture->reports, 1);
}

static inline void
fixture_open(struct fixture *fixture)
{
    struct hf_error err;
    enum hf_status status =
        hf_journal_open(&fixture->options, &fixture->journal, &fixture->recovery, &err);
    if (status != HF_OK)
        fail_msg("%s: %s", hf_status_name(status), err.text);
}

static inline void
fixture_close(struct fixture *fixture)
{
    hf_journal_close(fixture->journal);
    fixture->journal = NULL;
    hf_journal_recovery_done(&fixture->recovery);
}

static inline void
fixture_reopen(struct fixture *fixture)
{
    fixture_close(fixture);
    fixture_open(fixture);
}

static inline void
empty_directory(const char *directory)
{
    char **names, path[HF_PATH_MAX];
    size_t count;
    struct hf_error err;
    if (hf_fs_list(directory, 10000, &names, &count, &err) != HF_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        hf_path_join(path, sizeof(path), directory, names[i]);
        unlink(path);
    }
    hf_fs_names_free(names, count);
}

static inline int
fixture_setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    snprintf(fixture->directory, sizeof(fixture->directory), "%s/hf-journal-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(fixture->directory))
        return -1;
    fixture->options = (struct hf_journal_options){
        .directory = fixture->directory,
        .max_bytes = 64 * SEGMENT,
        .segment_bytes = SEGMENT,
        .on_commit = note_commit,
        .context = fixture,
    };
    *state = fixture;
    return 0;
}

static inline int
fixture_teardown(void **state)
{
    struct fixture *fixture = *state;
    hf_fs_interpose(NULL, NULL);
    if (fixture->journal)
        fixture_close(fixture);
    empty_directory(fixture->directory);
    rmdir(fixture->directory);
    free(fixture);
    return 0;
}

/* The payload of a sequence number: its content says which one it is, its size varies. */
static inline size_t
make_payload(uint64_t seq, size_t size, char *ret_text, size_t capacity)
{
    int head = snprintf(ret_text, capacity, "{\"seq\":%llu,\"pad\":\"", (unsigned long long)seq);
    size_t at = (size_t)head;
    for (; at + 2 < size && at + 3 < capacity; at++)
        ret_text[at] = (char)('a' + (seq + at) % 26);
    ret_text[at++] = '"';
    ret_text[at++] = '}';
    return at;
}

static inline size_t
size_of(uint64_t seq)
{
    return 40 + seq * 7919 % 400;
}

static inline uint64_t
append_one(struct hf_journal *journal, size_t size)
{
    static __thread char text[2 << 20];
    struct hf_error err;
    uint64_t seq = hf_journal_next_seq(journal), got = 0;
    size_t bytes = make_payload(seq, size ? size : size_of(seq), text, sizeof(text));
    enum hf_status status = hf_journal_append(journal, (uint16_t)(seq % 7), (int64_t)seq,
                                              hf_slice(text, bytes), &got, &err);
    if (status != HF_OK)
        fail_msg("append: %s", err.text);
    assert_int_equal(got, seq);
    return seq;
}

static inline void
must_begin(struct hf_journal *journal)
{
    struct hf_error err;
    enum hf_status status = hf_journal_begin(journal, true, &err);
    if (status != HF_OK)
        fail_msg("begin: %s", err.text);
}

static inline void
must_sync(struct hf_journal *journal)
{
    struct hf_error err;
    enum hf_status status = hf_journal_sync(journal, 20000, &err);
    if (status != HF_OK)
        fail_msg("sync: %s", err.text);
}

/* `count` events, each in a unit of its own, then durable. */
static inline void
append_events(struct fixture *fixture, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        must_begin(fixture->journal);
        append_one(fixture->journal, 0);
        hf_journal_commit(fixture->journal);
    }
    must_sync(fixture->journal);
}

/* One batch of `count` events. */
static inline void
append_batch(struct fixture *fixture, uint64_t count)
{
    must_begin(fixture->journal);
    for (uint64_t i = 0; i < count; i++)
        append_one(fixture->journal, 0);
    hf_journal_commit(fixture->journal);
    must_sync(fixture->journal);
}

static inline void
set_state(struct fixture *fixture, const char *key, const char *value)
{
    struct hf_error err;
    must_begin(fixture->journal);
    assert_int_equal(hf_journal_set_state(fixture->journal, key, hf_slice_text(value), &err),
                     HF_OK);
    hf_journal_commit(fixture->journal);
    must_sync(fixture->journal);
}

static inline void
assert_state(struct fixture *fixture, const char *key, const char *value)
{
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(1 << 20);
    enum hf_status status = hf_journal_get_state(fixture->journal, key, &buf);
    if (!value) {
        assert_int_equal(status, HF_ENOTFOUND);
        return;
    }
    assert_int_equal(status, HF_OK);
    assert_string_equal(hf_buf_text(&buf), value);
}

/* Everything a reader says from `from` on, checked as it comes: each sequence once, as an event
 * with its right bytes or in a loss. */
struct readout {
    uint64_t first, next; /* sequences [first, next) were told of */
    uint64_t events, lost;
    bool gone; /* it was released */
};

static inline void
check_batch(const struct hf_journal_batch *batch, const struct hf_buf *buf, size_t start)
{
    static __thread char text[2 << 20];
    size_t at = start;
    for (uint32_t i = 0; i < batch->count; i++) {
        uint64_t seq = batch->first_seq + i;
        size_t size = batch->entries[i].size;
        size_t bytes = make_payload(seq, size, text, sizeof(text));
        if (bytes != size || memcmp(text, buf->ptr + at, size) != 0 || buf->ptr[at + size] != ',')
            fail_msg("event %llu is not what was appended", (unsigned long long)seq);
        assert_int_equal(batch->entries[i].source, seq % 7);
        assert_int_equal(batch->entries[i].event_time_s, seq);
        at += size + 1;
    }
    assert_int_equal(at, buf->size);
}

static inline struct readout
read_from(struct hf_journal *journal, uint64_t from)
{
    struct readout readout = { .first = from, .next = from };
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(256u << 20);
    struct hf_journal_reader *reader;
    struct hf_journal_batch batch;
    struct hf_journal_loss loss;
    struct hf_error err;

    assert_int_equal(hf_journal_reader_open(journal, from, &reader, &err), HF_OK);
    for (;;) {
        enum hf_status status = hf_journal_reader_next(reader, &batch, &loss, &err);
        if (status == HF_EFULL)
            break;
        if (status == HF_ENOTFOUND) {
            readout.gone = true;
            break;
        }
        if (status == HF_EIO)
            continue;
        if (status == HF_ECORRUPT) {
            assert_true(loss.first_seq <= loss.last_seq);
            assert_int_equal(loss.first_seq, readout.next);
            readout.lost += loss.last_seq - loss.first_seq + 1;
            readout.next = loss.last_seq + 1;
            continue;
        }
        if (status != HF_OK)
            fail_msg("reader: %s", err.text);
        if (readout.events + readout.lost == 0 && batch.first_seq <= from)
            readout.next = batch.first_seq;
        assert_int_equal(batch.first_seq, readout.next);
        readout.next += batch.count;
        hf_buf_reset(&buf);
        do
            status = hf_journal_reader_payload(reader, &buf, &err);
        while (status == HF_EIO);
        if (status == HF_ECORRUPT) {
            readout.lost += batch.count;
            continue;
        }
        assert_int_equal(status, HF_OK);
        check_batch(&batch, &buf, 0);
        readout.events += batch.count;
    }
    hf_journal_reader_close(reader);
    return readout;
}

static inline size_t
count_files(const char *directory)
{
    char **names;
    size_t count;
    struct hf_error err;
    assert_int_equal(hf_fs_list(directory, 10000, &names, &count, &err), HF_OK);
    hf_fs_names_free(names, count);
    return count;
}

/* Waits until `condition` holds; the writer thread makes it so, and nothing tells when it did. */
#define await(condition)                                                                           \
    do {                                                                                           \
        int await_left_ = 20000;                                                                   \
        while (!(condition) && await_left_-- > 0)                                                  \
            usleep(1000);                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

/* The current segment as it is now: the writer may put a mark into it at any time. */
static inline struct hf_segment
look_at_current(struct fixture *fixture)
{
    hf_journal_lock(fixture->journal);
    assert_non_null(fixture->journal->files.current);
    struct hf_segment current = *fixture->journal->files.current;
    hf_journal_unlock(fixture->journal);
    return current;
}

static inline struct hf_segment
look_at_held(struct fixture *fixture, size_t at)
{
    hf_journal_lock(fixture->journal);
    assert_true(at < fixture->journal->files.held.count);
    struct hf_segment held = *fixture->journal->files.held.items[at];
    hf_journal_unlock(fixture->journal);
    return held;
}

static inline size_t
count_held(struct fixture *fixture)
{
    hf_journal_lock(fixture->journal);
    size_t count = fixture->journal->files.held.count;
    hf_journal_unlock(fixture->journal);
    return count;
}

static inline size_t
count_spares(struct fixture *fixture)
{
    hf_journal_lock(fixture->journal);
    size_t count = fixture->journal->files.spares.count;
    hf_journal_unlock(fixture->journal);
    return count;
}

static inline uint64_t
total_bytes(struct fixture *fixture)
{
    hf_journal_lock(fixture->journal);
    uint64_t bytes = hf_journal_total_bytes(fixture->journal);
    hf_journal_unlock(fixture->journal);
    return bytes;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
