#include "tests/support/test.h"

#include <holdfast/base.h>

#include <pthread.h>

#define PRODUCERS 3
#define CONSUMERS 3
#define ITEMS     2000 /* of each producer */

static void
items_come_out_in_order_and_the_limit_holds(void **state)
{
    (void)state;
    struct hf_queue *queue = hf_queue_new("test", 3);
    int items[4];

    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++)
            assert_true(hf_queue_try_put(queue, &items[i]));
        assert_false(hf_queue_try_put(queue, &items[3]));
        assert_int_equal(hf_queue_size(queue), 3);
        for (int i = 0; i < 3; i++)
            assert_ptr_equal(hf_queue_take(queue, -1), &items[i]);
        /* Moves the ring's first place on, so that each round wraps elsewhere. */
        assert_true(hf_queue_put(queue, &items[0]));
        assert_ptr_equal(hf_queue_take(queue, 0), &items[0]);
    }
    hf_queue_free(queue);
    hf_queue_free(NULL);
}

static void
taking_from_an_empty_queue_ends_in_time(void **state)
{
    (void)state;
    struct hf_queue *queue = hf_queue_new("test", 1);

    assert_null(hf_queue_take(queue, 0));
    uint64_t before_ms = hf_boot_ms();
    assert_null(hf_queue_take(queue, 20));
    assert_true(hf_boot_ms() - before_ms >= 19);
    hf_queue_free(queue);
}

static void
a_closed_queue_gives_what_it_has_and_takes_nothing(void **state)
{
    (void)state;
    struct hf_queue *queue = hf_queue_new("test", 2);
    int item;

    assert_true(hf_queue_put(queue, &item));
    hf_queue_close(queue);
    hf_queue_close(queue);
    assert_false(hf_queue_put(queue, &item));
    assert_false(hf_queue_try_put(queue, &item));
    assert_ptr_equal(hf_queue_take(queue, -1), &item);
    assert_null(hf_queue_take(queue, -1));
    assert_null(hf_queue_take(queue, 1000000));
    hf_queue_free(queue);
}

struct waiter {
    struct hf_queue *queue;
    void *item;
    bool put;
};

static void *
wait_to_take(void *argument)
{
    struct waiter *waiter = argument;

    waiter->item = hf_queue_take(waiter->queue, -1);
    return NULL;
}

static void *
wait_to_put(void *argument)
{
    struct waiter *waiter = argument;

    waiter->put = hf_queue_put(waiter->queue, waiter);
    return NULL;
}

/* Whether the thread is waiting already or comes later, the outcome is the same: there is nothing
 * to sleep for. */
static void
those_who_wait_are_woken(void **state)
{
    (void)state;
    struct waiter waiter = { .queue = hf_queue_new("test", 1) };
    pthread_t thread;
    int item;

    assert_int_equal(pthread_create(&thread, NULL, wait_to_take, &waiter), 0);
    assert_true(hf_queue_put(waiter.queue, &item));
    pthread_join(thread, NULL);
    assert_ptr_equal(waiter.item, &item);

    assert_true(hf_queue_put(waiter.queue, &item));
    assert_int_equal(pthread_create(&thread, NULL, wait_to_put, &waiter), 0);
    assert_ptr_equal(hf_queue_take(waiter.queue, -1), &item);
    assert_ptr_equal(hf_queue_take(waiter.queue, -1), &waiter);
    pthread_join(thread, NULL);
    assert_true(waiter.put);
    hf_queue_free(waiter.queue);
}

static void
closing_wakes_all_who_wait(void **state)
{
    (void)state;
    struct hf_queue *empty = hf_queue_new("empty", 1);
    struct hf_queue *full = hf_queue_new("full", 1);
    struct waiter takers[2] = { { .queue = empty, .item = &takers },
                                { .queue = empty, .item = &takers } };
    struct waiter putters[2] = { { .queue = full, .put = true }, { .queue = full, .put = true } };
    pthread_t threads[4];
    int item;

    assert_true(hf_queue_put(full, &item));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, wait_to_take, &takers[i]), 0);
        assert_int_equal(pthread_create(&threads[2 + i], NULL, wait_to_put, &putters[i]), 0);
    }
    hf_queue_close(empty);
    hf_queue_close(full);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; i++) {
        assert_null(takers[i].item);
        assert_false(putters[i].put);
    }
    hf_queue_free(empty);
    hf_queue_free(full);
}

struct item {
    int producer;
    int number;
};

struct crowd {
    struct hf_queue *queue;
    struct item items[PRODUCERS][ITEMS];
    int taken[PRODUCERS]
             [ITEMS]; /* each place is written by whoever took that item, and by nobody twice */
    bool in_order[CONSUMERS];
};

struct member {
    struct crowd *crowd;
    int number;
};

static void *
produce(void *argument)
{
    struct member *member = argument;

    for (int i = 0; i < ITEMS; i++) {
        struct item *item = &member->crowd->items[member->number][i];
        *item = (struct item){ .producer = member->number, .number = i };
        if (i % 2 == 0 ? !hf_queue_put(member->crowd->queue, item) : false)
            return NULL;
        while (i % 2 == 1 && !hf_queue_try_put(member->crowd->queue, item))
            sched_yield();
    }
    return NULL;
}

static void *
consume(void *argument)
{
    struct member *member = argument;
    struct crowd *crowd = member->crowd;
    int last[PRODUCERS];
    struct item *item;

    memset(last, -1, sizeof(last));
    crowd->in_order[member->number] = true;
    while ((item = hf_queue_take(crowd->queue, member->number == 0 ? -1 : 60000)) != NULL) {
        crowd->taken[item->producer][item->number]++;
        if (item->number <= last[item->producer])
            crowd->in_order[member->number] = false;
        last[item->producer] = item->number;
    }
    return NULL;
}

static void
a_crowd_loses_nothing_doubles_nothing_and_keeps_the_order(void **state)
{
    (void)state;
    struct crowd *crowd = hf_alloc(sizeof(*crowd));
    struct member producers[PRODUCERS];
    struct member consumers[CONSUMERS];
    pthread_t producing[PRODUCERS];
    pthread_t consuming[CONSUMERS];

    crowd->queue = hf_queue_new("crowd", 7);
    for (int i = 0; i < CONSUMERS; i++) {
        consumers[i] = (struct member){ crowd, i };
        assert_int_equal(pthread_create(&consuming[i], NULL, consume, &consumers[i]), 0);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct member){ crowd, i };
        assert_int_equal(pthread_create(&producing[i], NULL, produce, &producers[i]), 0);
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(producing[i], NULL);
    hf_queue_close(crowd->queue);
    for (int i = 0; i < CONSUMERS; i++)
        pthread_join(consuming[i], NULL);

    for (int i = 0; i < PRODUCERS; i++)
        for (int k = 0; k < ITEMS; k++)
            assert_int_equal(crowd->taken[i][k], 1);
    for (int i = 0; i < CONSUMERS; i++)
        assert_true(crowd->in_order[i]);
    assert_int_equal(hf_queue_size(crowd->queue), 0);
    hf_queue_free(crowd->queue);
    hf_freep(&crowd);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order_and_the_limit_holds),
        cmocka_unit_test(taking_from_an_empty_queue_ends_in_time),
        cmocka_unit_test(a_closed_queue_gives_what_it_has_and_takes_nothing),
        cmocka_unit_test(those_who_wait_are_woken),
        cmocka_unit_test(closing_wakes_all_who_wait),
        cmocka_unit_test(a_crowd_loses_nothing_doubles_nothing_and_keeps_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
