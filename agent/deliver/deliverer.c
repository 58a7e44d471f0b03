/* The deliverer's thread: takes what was submitted, begins what may begin, waits.
 *
 * What other threads touch is in deliverer->locked, under deliverer->lock; the clock is one atomic
 * number. Everything else is the thread's own. It waits in one of two places: in hf_s3_run() while
 * requests are under way, which hf_s3_wakeup() ends, else for the bell, a queue with room for one
 * ring. */
#include "agent/deliver/deliver_impl.h"

#include <stdlib.h>

/* Longest wait for a time: its clock stands still in suspend, boot time does not. Who waits for
 * nothing but a job sleeps until the bell. */
#define SLEEP_MAX_MS 60000

/* ---- jobs ---- */

static void
give_back(struct hf_delivery *delivery, enum hf_status status, const struct hf_error *error)
{
    delivery->status = status;
    delivery->error = *error;
    delivery->error.status = status;
    delivery->done(delivery->context, delivery);
}

void
work_done(struct work *work)
{
    struct hf_delivery *delivery = work->delivery;
    struct hf_error error = work->error;
    enum hf_status status = work->status;

    work->deliverer->active--;
    work->deliverer->worked = true;
    hf_memory_note_use();
    hf_buf_done(&work->document);
    free(work);
    if (status == HF_OK)
        error = (struct hf_error){ .status = HF_OK };
    give_back(delivery, status, &error);
}

static void
stop_work(struct work *work)
{
    struct hf_delivery *delivery = work->delivery;
    struct hf_error error;

    hf_fail(&error, HF_ESTOPPED, "the agent stopped before this was begun");
    delivery->unknown = delivery->kind == HF_JOB_PUT && delivery->maybe_there;
    free(work);
    give_back(delivery, HF_ESTOPPED, &error);
}

static void
on_reply(void *context, struct hf_s3_reply *reply)
{
    struct work *work = context;

    clock_learn(work->deliverer, reply);
    work->answered(work, reply);
}

enum hf_status
work_send(struct work *work, const struct hf_s3_request *request, struct hf_error *err)
{
    return hf_s3_start(work->deliverer->s3, request, on_reply, work, err);
}

/* ---- beginning ---- */

static enum hf_status
open_s3(struct hf_deliverer *deliverer, struct hf_error *err)
{
    struct hf_s3_options options;

    if (deliverer->s3)
        return HF_OK;
    hf_s3_options_of(&deliverer->store, &options);
    enum hf_status status = hf_s3_open(&options, &deliverer->s3, err);
    if (status != HF_OK)
        return status;
    pthread_mutex_lock(&deliverer->lock);
    deliverer->locked.s3 = deliverer->s3;
    pthread_mutex_unlock(&deliverer->lock);
    return HF_OK;
}

static void
begin(struct hf_deliverer *deliverer, struct work *work)
{
    bool is_put = work->delivery->kind == HF_JOB_PUT;

    deliverer->active++;
    work->delivery->unknown = is_put && work->delivery->maybe_there;
    work->delivery->newest_digest_key[0] = '\0';
    hf_freep(&work->delivery->newest_signature);
    work->delivery->chain_unseen = false;
    if (deliverer->store.kind == HF_STORE_DIR) {
        dir_job_run(work);
        return;
    }
    work->status = open_s3(deliverer, &work->error);
    if (work->status != HF_OK) {
        hf_while(&work->error, work->status, "store '%s'", deliverer->store.name);
        work_done(work);
    } else if (is_put) {
        carry_begin(work);
    } else {
        check_begin(work);
    }
}

static int64_t
begins_at(const struct work *work)
{
    return work->delivery->kind == HF_JOB_PUT ? work->delivery->not_before_boot_ms : 0;
}

/* The first one whose time has come. */
static struct work *
take_ready(struct hf_deliverer *deliverer)
{
    int64_t now_ms = (int64_t)hf_boot_ms();

    for (struct work **at = &deliverer->waiting; *at; at = &(*at)->next) {
        struct work *work = *at;
        if (begins_at(work) > now_ms)
            continue;
        *at = work->next;
        if (!*at)
            deliverer->waiting_end = at;
        work->next = NULL;
        return work;
    }
    return NULL;
}

/* ---- the loop ---- */

struct orders {
    bool stopping;
    int64_t deadline_boot_ms;
};

static struct orders
take_arrived(struct hf_deliverer *deliverer)
{
    pthread_mutex_lock(&deliverer->lock);
    struct orders orders = { deliverer->locked.stopping, deliverer->locked.deadline_boot_ms };
    if (deliverer->locked.arrived) {
        *deliverer->waiting_end = deliverer->locked.arrived;
        deliverer->waiting_end = deliverer->locked.arrived_end;
        deliverer->locked.arrived = NULL;
        deliverer->locked.arrived_end = &deliverer->locked.arrived;
    }
    pthread_mutex_unlock(&deliverer->lock);
    return orders;
}

/* Until the next job may begin, or the deadline; SLEEP_MAX_MS when neither is near; -1 when there
 * is neither. */
static int
sleep_ms(const struct hf_deliverer *deliverer, struct orders orders)
{
    int64_t now_ms = (int64_t)hf_boot_ms(), until_ms = INT64_MAX;

    for (const struct work *work = deliverer->waiting; work; work = work->next)
        if (begins_at(work) > now_ms)
            until_ms = HF_MIN(until_ms, begins_at(work));
    if (orders.stopping)
        until_ms = HF_MIN(until_ms, orders.deadline_boot_ms);
    if (until_ms == INT64_MAX)
        return -1;
    return (int)HF_MIN(HF_MAX(until_ms - now_ms, 0), SLEEP_MAX_MS);
}

/* Nothing is under way. Once after the last job the memory that it took goes back. */
static void
rest(struct hf_deliverer *deliverer, struct orders orders)
{
    int wait_ms = sleep_ms(deliverer, orders);
    bool gives_back = deliverer->worked && (wait_ms < 0 || wait_ms > HF_MEMORY_QUIET_MS);

    if (hf_queue_take(deliverer->bell, gives_back ? HF_MEMORY_QUIET_MS : wait_ms) || !gives_back)
        return;
    deliverer->worked = false;
    (void)hf_memory_give_back_if_quiet();
}

static void
carry_on(struct hf_deliverer *deliverer, struct orders orders)
{
    int wait_ms = sleep_ms(deliverer, orders);

    hf_s3_run(deliverer->s3, wait_ms < 0 ? SLEEP_MAX_MS : wait_ms);
}

/* Nothing under way, and nothing that could begin before the deadline. */
static bool
is_idle(const struct hf_deliverer *deliverer, struct orders orders)
{
    for (const struct work *work = deliverer->waiting; work; work = work->next)
        if (begins_at(work) < orders.deadline_boot_ms)
            return false;
    return deliverer->active == 0;
}

/* Under the lock, so that a job that arrives now is either seen here or given back by
 * hf_deliverer_submit(). */
static bool
close_if_idle(struct hf_deliverer *deliverer, struct orders orders)
{
    bool past = orders.stopping && (int64_t)hf_boot_ms() >= orders.deadline_boot_ms;

    if (!orders.stopping || (!past && !is_idle(deliverer, orders)))
        return false;
    pthread_mutex_lock(&deliverer->lock);
    bool closed = past || !deliverer->locked.arrived;
    deliverer->locked.closed = closed;
    if (closed)
        deliverer->locked.s3 = NULL;
    pthread_mutex_unlock(&deliverer->lock);
    return closed;
}

static void
abandon_rest(struct hf_deliverer *deliverer)
{
    /* Runs the callbacks of what is under way with HF_ESTOPPED; their jobs come back through
     * work_done(). */
    hf_s3_close(deliverer->s3);
    deliverer->s3 = NULL;
    (void)take_arrived(deliverer);
    while (deliverer->waiting) {
        struct work *work = deliverer->waiting;
        deliverer->waiting = work->next;
        stop_work(work);
    }
    deliverer->waiting_end = &deliverer->waiting;
    hf_assert(deliverer->active == 0);
}

static void *
run(void *context)
{
    struct hf_deliverer *deliverer = context;
    (void)pthread_setname_np(pthread_self(), "hf-deliver");
    unsigned at_once = deliverer->store.kind == HF_STORE_DIR
                           ? 1
                           : (unsigned)HF_MAX(deliverer->store.connections, 1);

    for (;;) {
        struct orders orders = take_arrived(deliverer);
        if (close_if_idle(deliverer, orders))
            break;
        struct work *work = deliverer->active < at_once ? take_ready(deliverer) : NULL;
        if (work)
            begin(deliverer, work);
        else if (deliverer->active > 0)
            carry_on(deliverer, orders);
        else
            rest(deliverer, orders);
    }
    abandon_rest(deliverer);
    return NULL;
}

/* ---- the other threads' side ---- */

static void
wake_locked(struct hf_deliverer *deliverer)
{
    (void)hf_queue_try_put(deliverer->bell, deliverer); /* full: it rings already */
    if (deliverer->locked.s3)
        hf_s3_wakeup(deliverer->locked.s3);
}

struct hf_deliverer *
hf_deliverer_start(const struct hf_config_store *store)
{
    struct hf_deliverer *deliverer = hf_alloc(sizeof(*deliverer));

    hf_config_store_copy(store, &deliverer->store);
    deliverer->locked.arrived_end = &deliverer->locked.arrived;
    deliverer->waiting_end = &deliverer->waiting;
    clock_init(deliverer);
    deliverer->bell = hf_queue_new("deliverer", 1);
    hf_assert(pthread_mutex_init(&deliverer->lock, NULL) == 0);
    hf_assert(pthread_create(&deliverer->thread, NULL, run, deliverer) == 0);
    return deliverer;
}

void
hf_deliverer_submit(struct hf_deliverer *deliverer, struct hf_delivery *delivery)
{
    struct work *work = hf_alloc(sizeof(*work));

    work->deliverer = deliverer;
    work->delivery = delivery;
    work->body_fd = -1;
    pthread_mutex_lock(&deliverer->lock);
    bool closed = deliverer->locked.closed;
    if (!closed) {
        *deliverer->locked.arrived_end = work;
        deliverer->locked.arrived_end = &work->next;
        wake_locked(deliverer);
    }
    pthread_mutex_unlock(&deliverer->lock);
    if (closed)
        stop_work(work);
}

void
hf_deliverer_stop(struct hf_deliverer *deliverer, int64_t wait_ms)
{
    if (!deliverer)
        return;
    pthread_mutex_lock(&deliverer->lock);
    deliverer->locked.stopping = true;
    deliverer->locked.deadline_boot_ms = (int64_t)hf_boot_ms() + HF_MAX(wait_ms, 0);
    wake_locked(deliverer);
    pthread_mutex_unlock(&deliverer->lock);
    hf_assert(pthread_join(deliverer->thread, NULL) == 0);
    hf_queue_free(deliverer->bell);
    pthread_mutex_destroy(&deliverer->lock);
    hf_config_store_done(&deliverer->store);
    free(deliverer);
}
