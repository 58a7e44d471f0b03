#include "agent/intake/thread.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

struct post {
    STAILQ_ENTRY(post) entry;
    void (*call)(void *context);
    void *context;
};

struct hf_thread {
    char name[16];
    pthread_t id;
    struct event_base *loop;
    struct event *posted;
    void (*on_end)(void *context);
    void *on_end_context;
    pthread_mutex_t lock; /* of all that follows, and never held for long */
    pthread_cond_t changed;
    STAILQ_HEAD(posts, post) posts;
    bool started, stopping, ended;
    char doing[256]; /* "": nothing */
    uint64_t doing_since_ms;
    pthread_mutex_t gate; /* held from enter to leave */
    bool given_up;
};

/* ---- on the thread ---- */

static struct post *
next_post(struct hf_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    struct post *post = STAILQ_FIRST(&thread->posts);
    if (post)
        STAILQ_REMOVE_HEAD(&thread->posts, entry);
    pthread_mutex_unlock(&thread->lock);
    return post;
}

static void
on_posted(evutil_socket_t fd, short what, void *context)
{
    struct hf_thread *thread = context;
    struct post *post;
    (void)fd, (void)what;
    while ((post = next_post(thread)) != NULL) {
        post->call(post->context);
        hf_freep(&post);
    }
    if (hf_thread_is_stopping(thread))
        event_base_loopbreak(thread->loop);
}

static void *
run(void *context)
{
    struct hf_thread *thread = context;
    pthread_setname_np(pthread_self(), thread->name);
    event_base_loop(thread->loop, EVLOOP_NO_EXIT_ON_EMPTY);
    hf_thread_doing(thread, NULL);
    hf_thread_enter(thread); /* whom it tells must still be there */
    thread->on_end(thread->on_end_context);
    hf_thread_leave(thread);
    pthread_mutex_lock(&thread->lock);
    thread->ended = true;
    pthread_cond_broadcast(&thread->changed);
    pthread_mutex_unlock(&thread->lock);
    return NULL;
}

/* ---- its life ---- */

static void
free_thread(struct hf_thread *thread)
{
    struct post *post;
    while ((post = next_post(thread)) != NULL)
        hf_freep(&post);
    if (thread->posted)
        event_free(thread->posted);
    if (thread->loop)
        event_base_free(thread->loop);
    pthread_mutex_destroy(&thread->lock);
    pthread_cond_destroy(&thread->changed);
    pthread_mutex_destroy(&thread->gate);
    hf_freep(&thread);
}

enum hf_status
hf_thread_new(const char *name, void (*ended)(void *context), void *context,
              struct hf_thread **ret_thread, struct hf_error *err)
{
    struct hf_thread *thread = hf_alloc(sizeof(*thread));
    snprintf(thread->name, sizeof(thread->name), "%s", name);
    thread->on_end = ended;
    thread->on_end_context = context;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&thread->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&thread->lock, NULL);
    pthread_mutex_init(&thread->gate, NULL);
    STAILQ_INIT(&thread->posts);
    thread->loop = event_base_new();
    thread->posted = thread->loop ? event_new(thread->loop, -1, 0, on_posted, thread) : NULL;
    if (!thread->posted) {
        free_thread(thread);
        return hf_fail(err, HF_EINTERNAL, "an event loop cannot be made");
    }
    *ret_thread = thread;
    return HF_OK;
}

struct event_base *
hf_thread_loop(struct hf_thread *thread)
{
    return thread->loop;
}

/* Signals are the agent's loop's: a thread inherits that they are blocked. */
void
hf_thread_start(struct hf_thread *thread)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    hf_assert(pthread_create(&thread->id, NULL, run, thread) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    thread->started = true;
}

void
hf_thread_post(struct hf_thread *thread, void (*call)(void *context), void *context)
{
    struct post *post = hf_alloc(sizeof(*post));
    *post = (struct post){ .call = call, .context = context };
    pthread_mutex_lock(&thread->lock);
    STAILQ_INSERT_TAIL(&thread->posts, post, entry);
    pthread_mutex_unlock(&thread->lock);
    event_active(thread->posted, EV_READ, 0);
}

struct errand {
    struct hf_thread *thread;
    void (*call)(void *context);
    void *context;
    bool done;
};

static void
run_errand(void *context)
{
    struct errand *errand = context;
    struct hf_thread *thread = errand->thread;
    errand->call(errand->context);
    pthread_mutex_lock(&thread->lock);
    errand->done = true;
    pthread_cond_broadcast(&thread->changed);
    pthread_mutex_unlock(&thread->lock);
}

void
hf_thread_run(struct hf_thread *thread, void (*call)(void *context), void *context)
{
    struct errand errand = { .thread = thread, .call = call, .context = context };
    hf_thread_post(thread, run_errand, &errand);
    pthread_mutex_lock(&thread->lock);
    while (!errand.done)
        pthread_cond_wait(&thread->changed, &thread->lock);
    pthread_mutex_unlock(&thread->lock);
}

void
hf_thread_stop(struct hf_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    thread->stopping = true;
    pthread_cond_broadcast(&thread->changed);
    pthread_mutex_unlock(&thread->lock);
    event_active(thread->posted, EV_READ, 0);
}

bool
hf_thread_is_stopping(struct hf_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    bool stopping = thread->stopping;
    pthread_mutex_unlock(&thread->lock);
    return stopping;
}

bool
hf_thread_ended(struct hf_thread *thread, uint64_t wait_ms)
{
    struct timespec until;
    int failed = 0;
    hf_deadline_in(wait_ms, &until);
    pthread_mutex_lock(&thread->lock);
    while (thread->started && !thread->ended && failed == 0)
        failed = pthread_cond_timedwait(&thread->changed, &thread->lock, &until);
    bool ended = !thread->started || thread->ended;
    pthread_mutex_unlock(&thread->lock);
    return ended;
}

void
hf_thread_free(struct hf_thread *thread)
{
    if (!thread)
        return;
    if (thread->started)
        pthread_join(thread->id, NULL);
    free_thread(thread);
}

/* ---- what it is at ---- */

void
hf_thread_doing(struct hf_thread *thread, const char *what)
{
    pthread_mutex_lock(&thread->lock);
    snprintf(thread->doing, sizeof(thread->doing), "%s", what ? what : "");
    thread->doing_since_ms = hf_boot_ms();
    pthread_mutex_unlock(&thread->lock);
}

bool
hf_thread_hangs(struct hf_thread *thread, uint64_t for_ms, char *ret_what, size_t size,
                uint64_t *ret_ms)
{
    pthread_mutex_lock(&thread->lock);
    uint64_t now_ms = hf_boot_ms(), ms = now_ms - HF_MIN(thread->doing_since_ms, now_ms);
    bool hangs = thread->started && thread->doing[0] && ms >= for_ms;
    if (hangs) {
        snprintf(ret_what, size, "%s", thread->doing);
        *ret_ms = ms;
    }
    pthread_mutex_unlock(&thread->lock);
    return hangs;
}

/* ---- what is shared ---- */

void
hf_thread_enter(struct hf_thread *thread)
{
    pthread_mutex_lock(&thread->gate);
    if (!thread->given_up)
        return;
    pthread_mutex_unlock(&thread->gate);
    for (;;)
        pause();
}

void
hf_thread_leave(struct hf_thread *thread)
{
    pthread_mutex_unlock(&thread->gate);
}

void
hf_thread_give_up(struct hf_thread *thread)
{
    pthread_mutex_lock(&thread->gate);
    thread->given_up = true;
    pthread_mutex_unlock(&thread->gate);
}
