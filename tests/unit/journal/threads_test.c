/* Many producers, readers and a releaser at once. */
#include "help.h"

#define PRODUCERS 3
#define UNITS     1500

static struct fixture *shared;
static _Atomic uint64_t read_seq[2]; /* how far each reader has come */
static atomic_bool done;

static void *
produce(void *context)
{
    unsigned id = (unsigned)(uintptr_t)context;
    struct hf_error err;
    char key[32], value[32];

    snprintf(key, sizeof(key), "file/%u", id);
    for (unsigned i = 0; i < UNITS; i++) {
        enum hf_status status;
        while ((status = hf_journal_begin(shared->journal, i % 2, &err)) != HF_OK) {
            assert_int_equal(status, HF_EFULL);
            sched_yield();
        }
        for (unsigned n = 0; n < 1 + i % 5; n++)
            append_one(shared->journal, 0);
        snprintf(value, sizeof(value), "%u", i);
        assert_int_equal(hf_journal_set_state(shared->journal, key, hf_slice_text(value), &err),
                         HF_OK);
        if (i % 50 == 49)
            hf_journal_abandon(shared->journal);
        else
            hf_journal_commit(shared->journal);
        if (i % 20 == 0)
            must_sync(shared->journal);
    }
    return NULL;
}

static void *
consume(void *context)
{
    _Atomic uint64_t *progress = context;
    hf_owned(hf_buf_done) struct hf_buf buf = HF_BUF(16u << 20);
    struct hf_journal_reader *reader;
    struct hf_journal_batch batch;
    struct hf_journal_loss loss;
    struct hf_error err;
    uint64_t next = 1;

    assert_int_equal(hf_journal_reader_open(shared->journal, 1, &reader, &err), HF_OK);
    for (;;) {
        bool last_round = atomic_load(&done);
        enum hf_status status = hf_journal_reader_next(reader, &batch, &loss, &err);
        if (status == HF_EFULL) {
            if (last_round)
                break;
            usleep(500);
            continue;
        }
        assert_int_equal(status, HF_OK);
        assert_int_equal(batch.first_seq, next);
        hf_buf_reset(&buf);
        assert_int_equal(hf_journal_reader_payload(reader, &buf, &err), HF_OK);
        check_batch(&batch, &buf, 0);
        next += batch.count;
        atomic_store(progress, next - 1);
        struct hf_journal_info info;
        hf_journal_info(shared->journal, &info);
        assert_true(info.durable_seq >= next - 1);
    }
    hf_journal_reader_close(reader);
    return NULL;
}

static void *
release(void *context)
{
    (void)context;
    while (!atomic_load(&done)) {
        hf_journal_release(shared->journal,
                           HF_MIN(atomic_load(&read_seq[0]), atomic_load(&read_seq[1])));
        usleep(2000);
    }
    return NULL;
}

static void
readers_follow_producers_through_reused_segments(void **state)
{
    struct fixture *fixture = *state;
    pthread_t producers[PRODUCERS], readers[2], releaser;

    fixture->options.max_bytes = 8 * SEGMENT;
    fixture_open(fixture);
    hf_journal_set_wipe(fixture->journal, true);
    shared = fixture;
    atomic_store(&done, false);
    for (uintptr_t i = 0; i < PRODUCERS; i++)
        pthread_create(&producers[i], NULL, produce, (void *)i);
    for (size_t i = 0; i < 2; i++)
        pthread_create(&readers[i], NULL, consume, &read_seq[i]);
    pthread_create(&releaser, NULL, release, NULL);
    for (size_t i = 0; i < PRODUCERS; i++)
        pthread_join(producers[i], NULL);
    must_sync(fixture->journal);
    atomic_store(&done, true);
    for (size_t i = 0; i < 2; i++)
        pthread_join(readers[i], NULL);
    pthread_join(releaser, NULL);

    uint64_t durable = atomic_load(&read_seq[0]);
    assert_int_equal(atomic_load(&read_seq[1]), durable);
    fixture_reopen(fixture);
    assert_int_equal(fixture->recovery.next_seq, durable + 1);
    assert_int_equal(fixture->recovery.loss_count, 0);
    assert_state(fixture, "file/0", "1498");
}

static void *
close_soon(void *context)
{
    struct hf_error err;
    (void)context;
    enum hf_status status = hf_journal_begin(shared->journal, true, &err);
    if (status == HF_OK)
        hf_journal_abandon(shared->journal);
    else
        assert_int_equal(status, HF_ESTOPPED);
    return NULL;
}

static void
names_asked_for_at_once_get_one_id_each(void **state)
{
    struct fixture *fixture = *state;
    struct hf_error err;
    uint16_t ids[50];
    pthread_t thread;
    char name[32];

    fixture_open(fixture);
    shared = fixture;
    pthread_create(&thread, NULL, close_soon, NULL);
    for (unsigned i = 0; i < HF_COUNT(ids); i++) {
        snprintf(name, sizeof(name), "s%u", i);
        assert_int_equal(hf_journal_source(fixture->journal, name, &ids[i], &err), HF_OK);
        for (unsigned k = 0; k < i; k++)
            assert_true(ids[k] != ids[i]);
    }
    pthread_join(thread, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(readers_follow_producers_through_reused_segments),
        TEST(names_asked_for_at_once_get_one_id_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
