/* A struct and its JSON document: one table says what stands in it, for writing and for reading. */
#ifndef HOLDFAST_TRAIL_DOCUMENT_H
#define HOLDFAST_TRAIL_DOCUMENT_H

#include <holdfast/base.h>
#include <holdfast/window.h>
#include <jansson.h>

enum field_kind {
    TEXT,      /* const char *; in a struct that was read it lives as long as the document */
    HASH,      /* the same, of 64 characters */
    U64,       /* uint64_t, at most INT64_MAX */
    U64_END,   /* uint64_t; UINT64_MAX, which is left out, is no end */
    TIME,      /* int64_t, from 1970 to the end of 9999 */
    SIGNED,    /* int64_t: an event's time may lie before 1970 */
    UINT,      /* unsigned */
    FLAG,      /* bool; false is left out */
    SELECTION, /* struct hf_selection; null selects all */
    RANGES,    /* struct hf_journal_loss *, without reasons: [[first, last], ...] */
    TEXTS,     /* const char ** */
    LIST,      /* structs, each by the table `of` */
    PART,      /* a struct by the table `of`; left out while its first member, a number, is 0 */
};

enum field_need {
    MUST,   /* HF_EFORMAT without it */
    MAY,    /* always written; what an earlier version wrote may lack it: 0, NULL or none */
    SPARSE, /* left out while it is 0, NULL or empty */
};

struct table;
struct field {
    const char *name;
    enum field_kind kind;
    enum field_need need;
    size_t at, count_at;    /* in the struct; of RANGES, TEXTS and LIST: pointer and count */
    uint64_t most;          /* of a number, or of a text's length; 0: no bound of its own */
    const struct table *of; /* of LIST and PART */
};
struct table {
    const struct field *fields;
    size_t count;
    size_t size; /* of the struct */
    /* what fields alone do not say of one that was read; NULL: nothing */
    enum hf_status (*settle)(void *said, struct hf_error *err);
};

json_t *document_write(const struct table *table, const void *said);
/* Whatever it fails with, nothing has to be freed then. HF_EFORMAT: a member is missing or of
 * another type; HF_ECORRUPT: it is out of its bounds. Memory for what stands in it, not for what
 * it only claims: a list grows as its items are read. */
enum hf_status document_read(const struct table *table, const json_t *doc, void *ret_said,
                             struct hf_error *err) hf_must_check;
void document_done(const struct table *table, void *said); /* of what was read: its lists */
bool selection_is_none(const struct hf_selection *selection);

#endif
