/* Which bytes are damaged: every byte of the state directory's files has a number. */
#ifndef HOLDFAST_TESTS_CORRUPTION_PLACES_H
#define HOLDFAST_TESTS_CORRUPTION_PLACES_H

#include "tests/corruption/scene.h"

/* clang-format off */
#define KIND_TABLE(X)                                                                              \
    X(KIND_JOURNAL,  "journal",  "journal segment")                                                \
    X(KIND_HELD,     "sealed",   "sealed file, events still in the journal")                       \
    X(KIND_RELEASED, "released", "sealed file, events released")                                   \
    X(KIND_DIGEST,   "digest",   "sealed digest")                                                  \
    X(KIND_LEDGER,   "ledger",   "ledger")                                                         \
    X(KIND_COPY,     "copy",     "ledger.copy")                                                    \
    X(KIND_SETTINGS, "settings", "trail.json, of a trail that drains")                             \
    X(KIND_IDENTITY, "identity", "identity")
/* clang-format on */

#define PLACES_MAX 256

enum place_kind {
#define X(name, word, text) name,
    KIND_TABLE(X)
#undef X
        KINDS
};
const char *kind_word(enum place_kind kind);
const char *kind_text(enum place_kind kind);

struct place_file {
    enum place_kind kind;
    char name[120];               /* below the stage */
    size_t size;                  /* up to the last byte that is not zero, and a little */
    uint64_t first_seq, last_seq; /* of a sealed window; else 0 */
    size_t head;                  /* the first bytes, each of which is tried also in a sample */
};
struct places {
    struct place_file files[PLACES_MAX];
    size_t count;
};
void places_find(const struct scene *scene, struct places *ret_places);

struct place {
    const struct place_file *file;
    size_t at;
};
/* About `most` places of one kind, evenly spread and shifted by the seed, and heads; 0: every
 * byte. The caller frees it. */
struct place *places_choose(const struct places *places, enum place_kind kind, size_t most,
                            unsigned long seed, size_t *ret_count);
/* One bit of that byte, which follows from the place. */
void place_damage(const struct place *place, const struct stage *stage);

#endif
