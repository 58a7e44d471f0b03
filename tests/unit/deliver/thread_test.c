/* Many threads submit, somebody watches the clock, somebody stops it all: every delivery comes back
 * exactly once. */
#include "tests/unit/deliver/deliver_test.h"

#include <pthread.h>

#define SUBMITTERS 4
#define EACH       25

struct submitter {
    struct hf_deliverer *deliverer;
    struct hf_delivery deliveries[EACH];
    struct hf_sealed sealed[EACH];
    char keys[EACH][64];
    unsigned done; /* atomic */
    unsigned stopped;
};

static void
count_done(void *context, struct hf_delivery *delivery)
{
    struct submitter *submitter = context;

    if (delivery->status == HF_ESTOPPED)
        __atomic_add_fetch(&submitter->stopped, 1, __ATOMIC_RELAXED);
    else
        assert_int_equal(delivery->status, HF_OK);
    __atomic_add_fetch(&submitter->done, 1, __ATOMIC_RELEASE);
}

static void *
submit_all(void *context)
{
    struct submitter *submitter = context;

    for (size_t i = 0; i < EACH; i++) {
        hf_deliverer_submit(submitter->deliverer, &submitter->deliveries[i]);
        (void)hf_deliverer_now_s(submitter->deliverer);
        (void)hf_deliverer_skew_s(submitter->deliverer);
    }
    return NULL;
}

static void
prepare(struct submitter *submitter, struct fixture *fixture, int number)
{
    for (int i = 0; i < EACH; i++) {
        snprintf(submitter->keys[i], sizeof(submitter->keys[i]), "many/%d/%d.json.gz", number, i);
        submitter->sealed[i] = fixture->sealed;
        submitter->sealed[i].key = submitter->keys[i];
        submitter->deliveries[i] = fixture->delivery;
        submitter->deliveries[i].sealed = &submitter->sealed[i];
        submitter->deliveries[i].done = count_done;
        submitter->deliveries[i].context = submitter;
    }
    submitter->deliverer = fixture->deliverer;
}

static void
run_submitters(struct fixture *fixture, struct submitter *submitters)
{
    pthread_t threads[SUBMITTERS];

    for (int i = 0; i < SUBMITTERS; i++) {
        prepare(&submitters[i], fixture, i);
        assert_int_equal(pthread_create(&threads[i], NULL, submit_all, &submitters[i]), 0);
    }
    for (int i = 0; i < SUBMITTERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void
use_directory(struct fixture *fixture, char url[300])
{
    char bucket[300];

    snprintf(url, 300, "dir://%s", fixture->root);
    snprintf(bucket, sizeof(bucket), "%s/logs", fixture->root);
    assert_int_equal(mkdir(bucket, 0700), 0);
    fixture->store.url = url;
    hf_config_store_derive(&fixture->store);
}

static void
what_many_threads_submit_is_all_delivered(void **state)
{
    struct fixture *fixture = *state;
    struct submitter *submitters = calloc(SUBMITTERS, sizeof(*submitters));
    char url[300];

    assert_non_null(submitters);
    use_directory(fixture, url);
    fixture->deliverer = hf_deliverer_start(&fixture->store);
    run_submitters(fixture, submitters);
    hf_deliverer_stop(fixture->deliverer, 60000);
    fixture->deliverer = NULL;
    for (int i = 0; i < SUBMITTERS; i++) {
        assert_int_equal(submitters[i].done, EACH);
        assert_int_equal(submitters[i].stopped, 0);
    }
    free(submitters);
}

static void
what_is_not_done_when_time_is_up_comes_back_stopped(void **state)
{
    struct fixture *fixture = *state;
    struct submitter *submitters = calloc(SUBMITTERS, sizeof(*submitters));
    char url[300];

    assert_non_null(submitters);
    use_directory(fixture, url);
    fixture->deliverer = hf_deliverer_start(&fixture->store);
    run_submitters(fixture, submitters);
    hf_deliverer_stop(fixture->deliverer, 0);
    fixture->deliverer = NULL;
    for (int i = 0; i < SUBMITTERS; i++)
        assert_int_equal(submitters[i].done, EACH);
    free(submitters);
}

static void
a_put_under_way_is_aborted_and_unknown(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    add_step(fixture, "PUT", NULL, HF_SCRIPT_STALL);
    begin_server(fixture);
    fixture->deliverer = hf_deliverer_start(&fixture->store);
    hf_deliverer_submit(fixture->deliverer, &fixture->delivery);
    while (hf_script_played(fixture->server) < 2)
        usleep(1000);
    fixture_stop(fixture);
    await(fixture);
    assert_int_equal(fixture->delivery.status, HF_ESTOPPED);
    assert_true(fixture->delivery.unknown);
}

static void
what_waits_for_its_time_does_not_hold_up_the_end(void **state)
{
    struct fixture *fixture = *state;
    uint64_t begin_ms = hf_boot_ms();

    answer_head_missing(fixture);
    begin_server(fixture);
    fixture->delivery.not_before_boot_ms = (int64_t)begin_ms + 3600000;
    fixture->delivery.maybe_there = true;
    fixture->deliverer = hf_deliverer_start(&fixture->store);
    hf_deliverer_submit(fixture->deliverer, &fixture->delivery);
    hf_deliverer_stop(fixture->deliverer, 60000);
    fixture->deliverer = NULL;
    await(fixture);
    assert_int_equal(fixture->delivery.status, HF_ESTOPPED);
    assert_true(fixture->delivery.unknown);
    assert_int_equal(hf_script_played(fixture->server), 0);
    assert_true(hf_boot_ms() - begin_ms < 30000);
}

static void
stop_lets_what_is_under_way_finish(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    answer_put(fixture, "v1");
    answer_head(fixture, (struct shown){ .version_id = "v1", .lock_until = LATER_TEXT });
    fixture->steps[2].drip_ms = 1;
    begin_server(fixture);
    fixture->deliverer = hf_deliverer_start(&fixture->store);
    hf_deliverer_submit(fixture->deliverer, &fixture->delivery);
    hf_deliverer_stop(fixture->deliverer, 60000);
    fixture->deliverer = NULL;
    await(fixture);
    assert_int_equal(fixture->delivery.status, HF_OK);
}

static void
submit_once_more(void *context, struct hf_delivery *delivery)
{
    struct fixture *fixture = context;

    delivery->done = on_done;
    delivery->context = fixture->done;
    delivery->maybe_there = true;
    hf_deliverer_submit(fixture->deliverer, delivery);
}

static void
done_may_submit_again(void **state)
{
    struct fixture *fixture = *state;

    answer_head_missing(fixture);
    answer(fixture, "PUT", "503 Slow Down", "", "");
    answer_head(fixture, (struct shown){ .version_id = "v1", .lock_until = LATER_TEXT });
    begin_server(fixture);
    fixture->delivery.done = submit_once_more;
    fixture->delivery.context = fixture;
    fixture->deliverer = hf_deliverer_start(&fixture->store);
    hf_deliverer_submit(fixture->deliverer, &fixture->delivery);
    await(fixture);
    assert_int_equal(fixture->delivery.status, HF_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_many_threads_submit_is_all_delivered),
        T(what_is_not_done_when_time_is_up_comes_back_stopped),
        T(a_put_under_way_is_aborted_and_unknown),
        T(what_waits_for_its_time_does_not_hold_up_the_end),
        T(stop_lets_what_is_under_way_finish),
        T(done_may_submit_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
