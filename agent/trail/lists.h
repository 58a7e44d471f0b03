/* What the next digest will list: objects with a receipt, losses, foreign keys. */
#ifndef HOLDFAST_TRAIL_LISTS_H
#define HOLDFAST_TRAIL_LISTS_H

#include <holdfast/digest.h>

#define GAPS_MOST 1000 /* losses in one digest, which then comes early */
/* What a digest may have of each, so that its 16 MiB hold them whatever the names are. */
#define LISTS_BYTES_MOST   (7u << 20) /* past it the digest comes early */
#define PENDING_BYTES_MOST (6u << 20) /* past it no window is sealed */
/* One object with the longest names, and a key that it left. */
#define LISTED_BYTES_MOST 6144u

struct lists {
    struct hf_digest_object *objects;
    size_t object_count, object_room;
    struct hf_digest_loss *losses;
    size_t loss_count;
    char **foreign; /* keys under which other bytes were found */
    size_t foreign_count;
    struct { /* by lists_bytes(); these were looked at */
        size_t objects, losses, foreign, bytes;
    } counted;
};

/* A zeroed one at the end; its texts become the list's. Valid until the next one is added. */
struct hf_digest_object *lists_add_object(struct lists *lists);
void lists_add_loss(struct lists *lists, uint64_t first_seq, uint64_t last_seq, const char *reason);
/* A loss of unknown sequences. What is too much for one digest stands in the records all the
 * same, and one line says so. */
void lists_add_gap(struct lists *lists, const char *reason);
void lists_add_foreign(struct lists *lists, const char *key);
/* The most that all of it takes in a digest, where an object stands in two lists. */
size_t lists_bytes(struct lists *lists);
/* The most that a window takes which is announced under this key. */
size_t lists_pending_bytes(const char *key);
bool lists_have_loss(const struct lists *lists, uint64_t first_seq, uint64_t last_seq);
/* All of it becomes the digest's, which had none, and the lists are empty. */
void lists_move(struct lists *lists, struct hf_digest *digest);
/* The other way round, before what has come since: nobody has seen that digest. */
void lists_take_back(struct lists *lists, struct hf_digest *digest);
void lists_done(struct lists *lists);

#endif
