/* Messages to the trails' thread. */
#ifndef HOLDFAST_TRAIL_INBOX_H
#define HOLDFAST_TRAIL_INBOX_H

#include "agent/trail/trail_impl.h"

enum message_kind { MESSAGE_SEALED, MESSAGE_DELIVERED, MESSAGE_CALL };
struct message {
    struct message *next;
    enum message_kind kind;
    struct trail *trail; /* SEALED, DELIVERED: it does not go while either is under way */
    struct window *window;
    enum hf_status status;
    struct hf_sealed *sealed;
    struct hf_journal_loss loss;
    struct hf_error error;
    struct hf_delivery *delivery;
    void (*call)(struct hf_trails *trails, void *argument);
    void *argument;
};

struct inbox *inbox_new(void);
void inbox_run(struct hf_trails *trails, void *(*run)(void *trails)); /* the thread */
void inbox_stop(struct inbox *inbox); /* after what lies in it is handled */
void inbox_free(struct inbox *inbox);
/* Waits for a message, for the journal (at its pace), or for the next timer at `wake_ms` of boot
 * time; takes all messages. */
struct message *inbox_take(struct inbox *inbox, int64_t wake_ms, bool *ret_stop);

/* From any thread. */
void message_send(struct hf_trails *trails, struct message *message); /* takes it */
void inbox_send_call(struct hf_trails *trails,
                     void (*call)(struct hf_trails *trails, void *argument), void *argument);
void inbox_call(struct hf_trails *trails, void (*call)(struct hf_trails *trails, void *argument),
                void *argument);                                     /* waits until it was made */
void message_delivered(void *context, struct hf_delivery *delivery); /* context: the trail */
void message_sealed(void *context, enum hf_status status, struct hf_sealed *sealed,
                    const struct hf_journal_loss *loss,
                    const struct hf_error *err); /* context: the window */

#endif
