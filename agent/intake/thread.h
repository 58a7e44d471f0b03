/* A source's own thread, with an event loop of its own: what it reads from may hang (a mount whose
 * server does not answer), and then it hangs alone.
 *
 *   new ──▶ start ──▶ ( post, doing )* ──▶ stop ──▶ ended ──▶ free
 *                                              └──▶ it hangs, and the agent ends: give up
 */
#ifndef HOLDFAST_INTAKE_THREAD_H
#define HOLDFAST_INTAKE_THREAD_H

#include <holdfast/base.h>

struct event_base;
struct hf_thread;

/* `ended` is called on the thread as the last thing that it does. */
enum hf_status hf_thread_new(const char *name, void (*ended)(void *context), void *context,
                             struct hf_thread **ret_thread, struct hf_error *err) hf_must_check;
struct event_base *hf_thread_loop(struct hf_thread *thread);
void hf_thread_start(struct hf_thread *thread);
/* From any thread: `call` runs on it, after those that were posted before. */
void hf_thread_post(struct hf_thread *thread, void (*call)(void *context), void *context);
/* The same, and waits until it has run: for those who know that it does not hang. */
void hf_thread_run(struct hf_thread *thread, void (*call)(void *context), void *context);
void hf_thread_stop(struct hf_thread *thread); /* asks it to end after what it is at */
bool hf_thread_is_stopping(struct hf_thread *thread);
/* Waits for its end, at most so long; one that was never started has ended. */
bool hf_thread_ended(struct hf_thread *thread, uint64_t wait_ms);
void hf_thread_free(struct hf_thread *thread); /* an ended one; NULL is fine */

/* On the thread: what it does next, for those who ask why it does not answer. NULL: nothing, it
 * waits for events. */
void hf_thread_doing(struct hf_thread *thread, const char *what);
/* From any thread: it has been at the same thing for so long. */
bool hf_thread_hangs(struct hf_thread *thread, uint64_t for_ms, char *ret_what, size_t size,
                     uint64_t *ret_ms);

/* What others share is touched between these two. After hf_thread_give_up() enter() does not return
 * any more: what was shared is gone, and the process about to end. Such a thread is not freed. */
void hf_thread_enter(struct hf_thread *thread);
void hf_thread_leave(struct hf_thread *thread);
void hf_thread_give_up(struct hf_thread *thread);

#endif
