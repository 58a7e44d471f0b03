/* Many windows at once, on several threads. */
#include "tests/unit/seal/seal_test.h"

#include <pthread.h>

#define JOBS 40

struct outcome {
    struct hf_seal_job job;
    char path[300], window[16];
    enum hf_status status;
    struct hf_sealed *sealed;
    struct hf_journal_loss loss;
    char text[512];
    char thread[16];
    int calls;
};

static struct outcome outcomes[JOBS];

static void
note(void *context, enum hf_status status, struct hf_sealed *sealed,
     const struct hf_journal_loss *loss, const struct hf_error *err)
{
    struct outcome *outcome = context;
    outcome->status = status;
    outcome->sealed = sealed;
    outcome->loss = *loss;
    if (status != HF_OK)
        snprintf(outcome->text, sizeof(outcome->text), "%s", err->text);
    pthread_getname_np(pthread_self(), outcome->thread, sizeof(outcome->thread));
    outcome->calls++;
}

/* Job i: records 10 i + 1 to 10 i + 10. */
static void
make_job(size_t i)
{
    struct outcome *outcome = &outcomes[i];
    *outcome = (struct outcome){ .job = f->job };
    snprintf(outcome->path, sizeof(outcome->path), "%.255s/sealed/w%zu", f->folder, i);
    snprintf(outcome->window, sizeof(outcome->window), "w%zu", i);
    outcome->job.path = outcome->path;
    outcome->job.window = outcome->window;
}

static void
make_jobs(void)
{
    for (uint64_t i = 0; i < JOBS; i++)
        add_batch(10 * i + 1, 10 * i + 10, 1);
    for (uint64_t i = 0; i < JOBS; i++) {
        cut(10 * i + 1, 10 * i + 10);
        make_job(i);
    }
}

static void
everything_submitted_is_done_once_before_stop_returns(void **state)
{
    (void)state;
    make_jobs();
    struct hf_sealers *sealers = hf_sealers_start(f->journal, 3);
    for (size_t i = 0; i < JOBS; i++)
        assert_true(hf_sealers_submit(sealers, &outcomes[i].job, note, &outcomes[i]));
    hf_sealers_stop(sealers);
    assert_int_equal(sealed_files(), JOBS);
    for (uint64_t i = 0; i < JOBS; i++) {
        struct outcome *outcome = &outcomes[i];
        assert_int_equal(outcome->calls, 1);
        assert_int_equal(outcome->status, HF_OK);
        assert_true(hf_starts_with(outcome->thread, "hf-seal-"));
        assert_string_equal(outcome->sealed->window, outcome->window);
        snprintf(f->path, sizeof(f->path), "%s", outcome->path);
        assert_object(outcome->sealed, 10 * i + 1, 10 * i + 10, NULL);
        hf_sealed_free(outcome->sealed);
    }
}

static void
each_job_gets_its_own_outcome(void **state)
{
    (void)state;
    make_jobs();
    damage_record(5);   /* job 0 */
    damage_record(103); /* job 10 */
    outcomes[20].job.path = "/nonexistent/folder/w";
    struct hf_sealers *sealers = hf_sealers_start(f->journal, 2);
    for (size_t i = 0; i < JOBS; i++)
        assert_true(hf_sealers_submit(sealers, &outcomes[i].job, note, &outcomes[i]));
    hf_sealers_stop(sealers);
    for (uint64_t i = 0; i < JOBS; i++) {
        struct outcome *outcome = &outcomes[i];
        if (i == 0 || i == 10) {
            assert_int_equal(outcome->status, HF_ECORRUPT);
            assert_int_equal(outcome->loss.first_seq, 10 * i + 1);
            assert_int_equal(outcome->loss.last_seq, 10 * i + 10);
            assert_non_null(strstr(outcome->text, outcome->window));
        } else {
            assert_int_equal(outcome->status, i == 20 ? HF_ENOTFOUND : HF_OK);
        }
        assert_true((outcome->status == HF_OK) == (outcome->sealed != NULL));
        hf_sealed_free(outcome->sealed);
    }
}

static void
stopping_without_jobs_ends_every_thread(void **state)
{
    (void)state;
    hf_sealers_stop(NULL);
    for (unsigned threads = 1; threads < 20; threads++)
        hf_sealers_stop(hf_sealers_start(f->journal, threads));
}

/* Each job submits the next one from its own end, until the pool takes no more. */
static struct hf_sealers *chain_sealers;
static int chain_accepted;

static void
note_and_submit_next(void *context, enum hf_status status, struct hf_sealed *sealed,
                     const struct hf_journal_loss *loss, const struct hf_error *err)
{
    struct outcome *next = (struct outcome *)context + 1;
    note(context, status, sealed, loss, err);
    if (next < outcomes + JOBS &&
        hf_sealers_submit(chain_sealers, &next->job, note_and_submit_next, next))
        chain_accepted++;
}

static void
what_is_accepted_while_stopping_is_done_and_nothing_else(void **state)
{
    (void)state;
    make_jobs();
    chain_sealers = hf_sealers_start(f->journal, 2);
    chain_accepted = 1;
    assert_true(
        hf_sealers_submit(chain_sealers, &outcomes[0].job, note_and_submit_next, &outcomes[0]));
    hf_sealers_stop(chain_sealers);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(outcomes[i].calls, i < chain_accepted);
        hf_sealed_free(outcomes[i].sealed);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_submitted_is_done_once_before_stop_returns),
        TEST(each_job_gets_its_own_outcome),
        TEST(stopping_without_jobs_ends_every_thread),
        TEST(what_is_accepted_while_stopping_is_done_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
