/* Whole objects in parallel: each worker seals one window at a time with buffers of its own. */
#include "agent/seal/seal_impl.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>

#define WAITING_MAX 1024u /* jobs; whoever submits more waits for room */
/* From this size on memory is the kernel's again as soon as it is freed. Without it the C library
 * raises the limit to the largest buffer it has seen, and keeps a window's memory for good. */
#define GIVE_BACK_BYTES (1 << 20)
#define LINGER_MS       1000

struct hf_sealers {
    struct hf_journal *journal;
    struct hf_queue *tasks;
    unsigned count;
    pthread_t *threads;
};

struct task {
    const struct hf_seal_job *job;
    void (*done)(void *context, enum hf_status status, struct hf_sealed *sealed,
                 const struct hf_journal_loss *loss, const struct hf_error *err);
    void *context;
};

/* The memory is given back when nothing has come for a while: windows follow each other closely
 * while there is much to do. */
static struct task *
next_task(struct hf_sealers *sealers, struct hf_seal_memory *memory)
{
    struct task *task =
        memory->plain.capacity > 0 ? hf_queue_take(sealers->tasks, LINGER_MS) : NULL;
    if (task)
        return task;
    hf_seal_memory_done(memory);
    return hf_queue_take(sealers->tasks, -1);
}

static void *
seal_tasks(void *argument)
{
    struct hf_sealers *sealers = argument;
    hf_owned(hf_seal_memory_done) struct hf_seal_memory memory = hf_seal_memory();
    struct task *task;
    while ((task = next_task(sealers, &memory)) != NULL) {
        struct hf_sealed *sealed = NULL;
        struct hf_journal_loss loss = { 0 };
        struct hf_error err = { 0 };
        struct task now = *task;
        hf_freep(&task);
        enum hf_status status =
            hf_seal_window(sealers->journal, now.job, &memory, &sealed, &loss, &err);
        now.done(now.context, status, sealed, &loss, &err);
    }
    return NULL;
}

struct hf_sealers *
hf_sealers_start(struct hf_journal *journal, unsigned threads)
{
    hf_assert(threads > 0);
    struct hf_sealers *sealers = hf_alloc(sizeof(*sealers));
    *sealers = (struct hf_sealers){ .journal = journal,
                                    .tasks = hf_queue_new("seal", WAITING_MAX),
                                    .count = threads,
                                    .threads = hf_alloc(threads * sizeof(pthread_t)) };
    (void)mallopt(M_MMAP_THRESHOLD, GIVE_BACK_BYTES);
    for (unsigned i = 0; i < threads; i++) {
        char name[16];
        int failed = pthread_create(&sealers->threads[i], NULL, seal_tasks, sealers);
        hf_assert(failed == 0);
        snprintf(name, sizeof(name), "hf-seal-%u", i % 1000);
        (void)pthread_setname_np(sealers->threads[i], name);
    }
    return sealers;
}

bool
hf_sealers_submit(struct hf_sealers *sealers, const struct hf_seal_job *job,
                  void (*done)(void *context, enum hf_status status, struct hf_sealed *sealed,
                               const struct hf_journal_loss *loss, const struct hf_error *err),
                  void *context)
{
    struct task *task = hf_alloc(sizeof(*task));
    *task = (struct task){ .job = job, .done = done, .context = context };
    if (hf_queue_put(sealers->tasks, task))
        return true;
    hf_freep(&task);
    return false;
}

void
hf_sealers_stop(struct hf_sealers *sealers)
{
    if (!sealers)
        return;
    hf_queue_close(sealers->tasks);
    for (unsigned i = 0; i < sealers->count; i++)
        pthread_join(sealers->threads[i], NULL);
    hf_queue_free(sealers->tasks);
    hf_freep(&sealers->threads);
    hf_freep(&sealers);
}
