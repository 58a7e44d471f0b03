/* kill -9 at random moments: what was reported durable is there afterwards, each event once,
 * nothing else. */
#include "help.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

struct oracle { /* shared with the child */
    _Atomic uint64_t durable_seq;
    _Atomic uint64_t released_seq;
};

static struct oracle *oracle;

static void
note_durable(void *context, uint64_t durable_seq, bool room)
{
    (void)context;
    (void)room;
    atomic_store(&oracle->durable_seq, durable_seq);
}

static unsigned
next_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

/* Appends for ever. The state key of a unit says which event was its last. */
static void
child(struct fixture *fixture, unsigned seed)
{
    struct hf_error err;
    char value[32];

    fixture->options.on_commit = note_durable;
    if (hf_journal_open(&fixture->options, &fixture->journal, &fixture->recovery, &err) != HF_OK)
        _exit(3);
    hf_journal_set_wipe(fixture->journal, seed % 2);
    for (;;) {
        uint64_t last = 0;
        if (hf_journal_begin(fixture->journal, true, &err) != HF_OK)
            _exit(4);
        for (unsigned n = 1 + next_random(&seed) % 20; n > 0; n--)
            last = append_one(fixture->journal, 0);
        snprintf(value, sizeof(value), "%llu", (unsigned long long)last);
        if (hf_journal_set_state(fixture->journal, "stream/one", hf_slice_text(value), &err) !=
            HF_OK)
            _exit(5);
        hf_journal_commit(fixture->journal);
        if (next_random(&seed) % 30 == 0) {
            uint64_t durable = atomic_load(&oracle->durable_seq);
            uint64_t to = durable > 300 ? durable - 300 : 0;
            atomic_store(&oracle->released_seq, HF_MAX(to, atomic_load(&oracle->released_seq)));
            hf_journal_release(fixture->journal, to);
        }
        if (next_random(&seed) % 10 == 0)
            usleep(next_random(&seed) % 1000);
    }
}

static void
check_after_crash(struct fixture *fixture)
{
    hf_owned(hf_buf_done) struct hf_buf value = HF_BUF(100);
    uint64_t durable = atomic_load(&oracle->durable_seq),
             released = atomic_load(&oracle->released_seq), last = 0;

    fixture_open(fixture);
    for (size_t i = 0; i < fixture->recovery.loss_count; i++)
        fail_msg("sequences %llu to %llu are called lost, %llu was durable, %llu released: %s",
                 (unsigned long long)fixture->recovery.losses[i].first_seq,
                 (unsigned long long)fixture->recovery.losses[i].last_seq,
                 (unsigned long long)durable, (unsigned long long)released,
                 fixture->recovery.losses[i].reason);
    assert_true(fixture->recovery.next_seq > durable);
    assert_true(fixture->recovery.oldest_seq <= released + 1);
    struct readout readout = read_from(fixture->journal, released + 1);
    assert_int_equal(readout.lost, 0);
    assert_int_equal(readout.next, fixture->recovery.next_seq);
    if (hf_journal_get_state(fixture->journal, "stream/one", &value) == HF_OK)
        assert_true(hf_parse_u64(hf_buf_text(&value), 0, UINT64_MAX, &last));
    assert_int_equal(last, fixture->recovery.next_seq -
                               1); /* units are whole, and their state is theirs */
    fixture_close(fixture);
}

static void
killed_at_any_moment_it_keeps_what_it_acknowledged(void **state)
{
    struct fixture *fixture = *state;
    unsigned seed = 20261122;

    fixture->options.max_bytes = 10 * SEGMENT;
    oracle = mmap(NULL, sizeof(*oracle), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int round = 0; round < 60; round++) {
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0)
            child(fixture, seed + (unsigned)round);
        assert_true(pid > 0);
        usleep(500 + next_random(&seed) % 30000);
        kill(pid, SIGKILL);
        int status;
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        check_after_crash(fixture);
    }
    assert_true(atomic_load(&oracle->durable_seq) > 1000);
    munmap(oracle, sizeof(*oracle));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(killed_at_any_moment_it_keeps_what_it_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
