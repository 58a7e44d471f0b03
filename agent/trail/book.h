/* The trail's ledger: a step is written and applied in one go; the whole is written anew when it
 * has grown long, when something changed that has no step, and after a write that failed. */
#ifndef HOLDFAST_TRAIL_BOOK_H
#define HOLDFAST_TRAIL_BOOK_H

#include "agent/trail/state.h"

#define LEDGER_COMPACT_BYTES (1u << 20)

struct book {
    const char *trail; /* its name, for the log; borrowed */
    struct hf_ledger *ledger;
    uint64_t compact_bytes; /* size of the ledger after it was last written anew */
    uint64_t repairs;       /* steps that were damaged in one of its files at the start */
    /* its ledger cannot be read: nothing is done, nothing released, until a start finds it
     * mended */
    bool damaged;
    bool behind; /* the file lags behind memory: nothing leaves until it was written anew */
    enum hf_status trouble; /* of this host, said in the log */
};

/* Opens or makes FOLDER/ledger and applies its steps. */
enum hf_status book_open(struct book *book, const struct state *state, const char *folder,
                         struct hf_error *err) hf_must_check;
/* The first step of a new trail: its STATE, durable before anything else. */
enum hf_status book_begin(struct book *book, const struct state *state,
                          struct hf_error *err) hf_must_check;
void book_close(struct book *book);
/* Writes the step and applies it. It is durable only after book_sync(); a failure makes the book
 * fall behind. */
void book_take(struct book *book, const struct state *state, const struct step *step);
bool book_sync(struct book *book); /* false: the book is behind */
/* All of it from memory: old or new, whatever fails. The book is as far as memory then; after a
 * failure it stays where it was. */
enum hf_status book_rewrite(struct book *book, const struct state *state,
                            struct hf_error *err) hf_must_check;
bool book_is_long(const struct book *book); /* it is worth to be written anew */
/* Trouble of this host that is tried again every second: said when it begins and when its kind
 * changes. `window` NULL for none. */
void book_say(struct book *book, const char *event, const char *window, const struct hf_error *err);

#endif
