/* Budgets: what is scarce is shared among those who write to us, because whoever may is a stranger,
 * and each could otherwise take what belongs to all. Who is counted is an owner: of files, the
 * folder below the fixed part of the source's pattern and within it the user; of clients, user and
 * control group. See owner.h.
 *
 *   the journal ├────────── half ──────────┼────── 7/8 ──────┼─ 15/16 ─┤
 *               everybody                   owners up to      the same, and   the same, of
 *                                           their fair share  a 64th at most  sources up to
 *                                                                             theirs
 *
 * The fair share of a source is 7/8 divided by the sources that hold something, that of an owner the
 * share of its source divided by the owners there. So whoever fills the journal alone stops where
 * another who comes later still finds room; a source whose owners can be multiplied (folders below a
 * folder that somebody may write to) fills less than all; and the last of it is for other sources.
 * Who is refused waits alone: its files stay unread, its connections are told FULL.
 *
 *   unit ──▶ hf_budget_ask() ──▶ journal ──▶ hf_budget_charge(): an epoch ──┐
 *                                                   released as a whole ◀───┘ when every trail has
 *                                                                             sealed all of it
 *
 * Memory is bounded: so many owners of a source have an account, all further ones share one; and a
 * 128th of the journal goes into an epoch. All functions from any thread.
 */
#ifndef HOLDFAST_INTAKE_BUDGET_H
#define HOLDFAST_INTAKE_BUDGET_H

#include <holdfast/journal.h>

#define HF_OWNER_SIZE        160  /* of what it is called */
#define HF_OWNERS_MAX        1024 /* of one source, and one more for the rest */
#define HF_OWNERS_MAX_IN_ALL 8192
#define HF_FILES_OF_SOURCE   8192

enum hf_budget_kind {
    HF_BUDGET_JOURNAL, /* bytes of records that are not released yet */
    HF_BUDGET_STATE,   /* bytes of the journal's state: positions */
    HF_BUDGET_FILES,   /* that are open: descriptors */
    HF_BUDGET_CONNECTIONS,
    HF_BUDGET_STREAMS,
    HF_BUDGET_KINDS,
};
const char *hf_budget_kind_text(enum hf_budget_kind kind); /* "journal", ... */

struct hf_budget;
struct hf_account; /* of a source, by its name: it outlives the source */
struct hf_owner;

struct hf_budget *hf_budget_new(struct hf_journal *journal);
void hf_budget_free(struct hf_budget *budget); /* all accounts and owners were given back */

struct hf_account *hf_account_get(struct hf_budget *budget, const char *source);
void hf_account_put(struct hf_account *account); /* NULL is fine */
/* The owner of this name; more than HF_OWNERS_MAX: all further ones are one. */
struct hf_owner *hf_owner_get(struct hf_account *account, const char *name);
struct hf_owner *hf_owner_again(struct hf_owner *owner); /* to be given back once more */
void hf_owner_put(struct hf_owner *owner);               /* NULL is fine */

/* ---- the journal's bytes ---- */

/* Before a unit, and not inside one. HF_ELIMIT: this owner waits. `name` is what is refused: a path, or NULL. */
enum hf_status hf_budget_ask(struct hf_owner *owner, const char *name,
                             struct hf_error *err) hf_must_check;
/* The same without a trace, for those who only look whether to try. */
bool hf_budget_would_refuse(struct hf_owner *owner);
/* After the commit of a unit: in the order of the sequences. */
void hf_budget_charge(struct hf_owner *owner, uint64_t bytes, uint64_t last_seq);

bool hf_budget_is_nearly_full(struct hf_budget *budget); /* about 7/8 */

/* ---- files: a descriptor, and the bytes of a position ---- */

/* Of all descriptors so many are for journal, store, control and clients. */
#define HF_FILES_RESERVE 1536
size_t hf_budget_connections(void); /* at most, of one source */
size_t hf_budget_files(void); /* open in one source before those that were read give way: so many
                                       that nobody is refused by then */

/* To open one that is not known yet. HF_ELIMIT as above; else it is charged. */
enum hf_status hf_budget_ask_file(struct hf_owner *owner, const char *name, uint64_t state_bytes,
                                  struct hf_error *err) hf_must_check;
/* One that is known is opened in any case: its position is there. */
void hf_budget_take_file(struct hf_owner *owner, uint64_t state_bytes);
void hf_budget_drop_file(struct hf_owner *owner, uint64_t state_bytes);
/* Positions of files that are not open. Where it is short of room for more, those that are settled
 * give way. */
void hf_budget_charge_state(struct hf_owner *owner, int64_t bytes);
bool hf_budget_state_is_short(struct hf_owner *owner);

/* ---- who was refused ---- */

/* Of the other kinds the one who counts tells. */
void hf_budget_note_refusal(struct hf_owner *owner, enum hf_budget_kind kind, const char *name);

/* `begins` is called, on whatever thread, when there is one more to tell. */
void hf_budget_on_refusal(struct hf_budget *budget, void (*begins)(void *context), void *context);
bool hf_budget_has_refusals(struct hf_budget *budget); /* that did not end, or were not told yet */

struct hf_refusal {
    enum hf_budget_kind kind;
    bool ends;                                                   /* no more for a while */
    uint64_t count;                                              /* since it began */
    char source[256], owner[HF_OWNER_SIZE], name[HF_OWNER_SIZE]; /* name: the first, "" */
};
/* The next one to be recorded, at most one of an owner in a minute; it is recorded when
 * hf_budget_told() follows. */
bool hf_budget_to_tell(struct hf_budget *budget, uint64_t now_ms, struct hf_refusal *ret_refusal);
void hf_budget_told(struct hf_budget *budget, const struct hf_refusal *refusal, uint64_t now_ms);

struct hf_account_status {
    uint64_t owners_refused; /* not longer ago than a moment */
    bool waits;              /* one is still over his share of the journal */
    uint64_t refusals;       /* since the start */
    uint64_t waits_begun;    /* of these, that one was let in to the journal before */
    struct hf_refusal first; /* of those now */
};
void hf_account_status(struct hf_account *account, struct hf_account_status *ret_status);

/* For tests. */
struct hf_budget_sums {
    uint64_t max, used, owners, epochs;
};
struct hf_budget_sums hf_budget_sums(struct hf_budget *budget, enum hf_budget_kind kind);
const char *hf_owner_name(const struct hf_owner *owner);
uint64_t hf_owner_held(struct hf_owner *owner, enum hf_budget_kind kind);

#endif
