/* What the next digest will list. */
#include "agent/trail/lists.h"

#include <string.h>

struct hf_digest_object *
lists_add_object(struct lists *lists)
{
    if (lists->object_count == lists->object_room) {
        lists->object_room = lists->object_room ? 2 * lists->object_room : 16;
        lists->objects = hf_realloc(lists->objects, lists->object_room * sizeof(*lists->objects));
    }
    struct hf_digest_object *object = &lists->objects[lists->object_count++];
    *object = (struct hf_digest_object){ 0 };
    return object;
}

void
lists_add_loss(struct lists *lists, uint64_t first_seq, uint64_t last_seq, const char *reason)
{
    lists->losses = hf_realloc(lists->losses, (lists->loss_count + 1) * sizeof(*lists->losses));
    lists->losses[lists->loss_count++] = (struct hf_digest_loss){ .first_seq = first_seq,
                                                                  .last_seq = last_seq,
                                                                  .reason = hf_strdup(reason) };
}

void
lists_add_gap(struct lists *lists, const char *reason)
{
    if (lists->loss_count == GAPS_MOST)
        reason = "further SourceGap records stand in the objects of this digest";
    if (lists->loss_count <= GAPS_MOST)
        lists_add_loss(lists, 0, 0, reason);
}

void
lists_add_foreign(struct lists *lists, const char *key)
{
    lists->foreign =
        hf_realloc(lists->foreign, (lists->foreign_count + 1) * sizeof(*lists->foreign));
    lists->foreign[lists->foreign_count++] = hf_strdup(key);
}

/* Quotes and backslashes take two bytes; a prefix may have the first. */
static size_t
text_bytes(const char *text)
{
    size_t bytes = text ? strlen(text) : 0;
    for (const char *at = text; at && (at = strpbrk(at, "\"\\")); at++)
        bytes++;
    return bytes;
}

/* Names and braces of the members, hashes, numbers and times at their longest: 700 for an object,
 * 100 for a loss or a window. */
static size_t
object_bytes(const struct hf_digest_object *object)
{
    return 700 + text_bytes(object->bucket) + text_bytes(object->key) +
           text_bytes(object->version_id);
}

size_t
lists_bytes(struct lists *lists)
{
    size_t *bytes = &lists->counted.bytes;
    while (lists->counted.objects < lists->object_count)
        *bytes += object_bytes(&lists->objects[lists->counted.objects++]);
    while (lists->counted.losses < lists->loss_count)
        *bytes += 100 + text_bytes(lists->losses[lists->counted.losses++].reason);
    while (lists->counted.foreign < lists->foreign_count)
        *bytes += 4 + text_bytes(lists->foreign[lists->counted.foreign++]);
    return *bytes;
}

size_t
lists_pending_bytes(const char *key)
{
    return 100 + text_bytes(key);
}

bool
lists_have_loss(const struct lists *lists, uint64_t first_seq, uint64_t last_seq)
{
    for (size_t i = 0; i < lists->loss_count; i++) {
        if (lists->losses[i].first_seq == first_seq && lists->losses[i].last_seq == last_seq)
            return true;
    }
    return false;
}

void
lists_move(struct lists *lists, struct hf_digest *digest)
{
    digest->objects = lists->objects;
    digest->object_count = lists->object_count;
    digest->losses = lists->losses;
    digest->loss_count = lists->loss_count;
    digest->foreign = lists->foreign;
    digest->foreign_count = lists->foreign_count;
    *lists = (struct lists){ 0 };
}

/* `ours` behind `theirs`, in memory of its own; NULL for none of either. */
static void *
joined(void *theirs, size_t their_count, void *ours, size_t our_count, size_t size)
{
    if (!their_count && !our_count)
        return NULL;
    char *all = hf_alloc((their_count + our_count) * size);
    if (their_count)
        memcpy(all, theirs, their_count * size);
    if (our_count)
        memcpy(all + their_count * size, ours, our_count * size);
    return all;
}

void
lists_take_back(struct lists *lists, struct hf_digest *digest)
{
    struct lists all = { .object_count = digest->object_count + lists->object_count,
                         .loss_count = digest->loss_count + lists->loss_count,
                         .foreign_count = digest->foreign_count + lists->foreign_count };
    all.object_room = all.object_count;
    all.objects = joined(digest->objects, digest->object_count, lists->objects, lists->object_count,
                         sizeof(*all.objects));
    all.losses = joined(digest->losses, digest->loss_count, lists->losses, lists->loss_count,
                        sizeof(*all.losses));
    all.foreign = joined(digest->foreign, digest->foreign_count, lists->foreign,
                         lists->foreign_count, sizeof(*all.foreign));
    hf_freep(&lists->objects); /* what they point to lives on in `all` */
    hf_freep(&lists->losses);
    hf_freep(&lists->foreign);
    hf_freep(&digest->objects);
    hf_freep(&digest->losses);
    hf_freep(&digest->foreign);
    digest->object_count = digest->loss_count = digest->foreign_count = 0;
    *lists = all;
}

void
lists_done(struct lists *lists)
{
    struct hf_digest digest = { 0 };
    lists_move(lists, &digest);
    hf_digest_done(&digest);
}
