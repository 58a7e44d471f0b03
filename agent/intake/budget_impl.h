/* Inside of the budget. Everything here needs its lock. */
#ifndef HOLDFAST_INTAKE_BUDGET_IMPL_H
#define HOLDFAST_INTAKE_BUDGET_IMPL_H

#include "agent/intake/budget.h"

#include <pthread.h>
#include <sys/queue.h>

#define EPOCHS 128
#define POOLS  3 /* the first kinds are counted here, the others by those who hold them */

struct charge {
    struct hf_owner *owner;
    uint64_t bytes;
};

struct epoch {
    uint64_t last_seq, bytes;
    struct charge *charges; /* one for each owner in it */
    size_t count, room;
};

struct refused {             /* of one kind */
    uint64_t count, last_ms; /* 0: none since it was told that it ended */
    bool now;                /* the last answer was no */
    bool told;               /* that it began */
    char name[HF_OWNER_SIZE];
};

struct hf_owner {
    struct hf_table_link link;
    LIST_ENTRY(hf_owner) entry; /* of its account's */
    LIST_ENTRY(hf_owner) refused_entry;
    bool is_refused; /* stands among those of the budget */
    struct hf_account *account;
    size_t refs;
    uint64_t held[POOLS];
    uint64_t epoch; /* where its newest charge stands */
    size_t charge;
    struct refused refused[HF_BUDGET_KINDS];
    uint64_t told_ms; /* 0: never */
    char name[HF_OWNER_SIZE];
};

struct hf_account {
    LIST_ENTRY(hf_account) entry;
    struct hf_budget *budget;
    size_t refs; /* its owners, too */
    char *source;
    LIST_HEAD(, hf_owner) owners;
    size_t owner_count;
    struct {
        uint64_t held;
        size_t owners; /* that hold something */
    } pools[POOLS];
    uint64_t refusals;
    uint64_t waits; /* how often one began to wait for the journal */
};

struct hf_budget {
    pthread_mutex_t lock;
    struct hf_journal *journal;
    struct hf_table owners;
    LIST_HEAD(, hf_account) accounts;
    LIST_HEAD(, hf_owner) refused;
    struct {
        uint64_t max, held;
        size_t sources; /* that hold something */
    } pools[POOLS];
    struct { /* a ring: those from `first` on, the newest grows */
        struct epoch items[EPOCHS];
        uint64_t first, end; /* numbers; item = number % EPOCHS */
    } epochs;
    void (*begins)(void *context);
    void *begins_context;
    struct hf_owner *before; /* holds what was there at the start */
};

bool hf_budget_refuses(const struct hf_owner *owner, enum hf_budget_kind kind);
void hf_budget_hold(struct hf_owner *owner, enum hf_budget_kind kind, int64_t bytes);
void hf_owner_unref(struct hf_owner *owner);

/* budget_epochs.c */
void hf_epochs_add(struct hf_budget *budget, struct hf_owner *owner, uint64_t bytes,
                   uint64_t last_seq);
void hf_epochs_release(struct hf_budget *budget, uint64_t released_seq);
void hf_epochs_done(struct hf_budget *budget);

#endif
