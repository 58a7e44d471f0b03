/* The set of those positions whose files sleep: found by path and by how they begin, and queued by
 * what is to be done about them. */
#include "agent/intake/file/orphans.h"

#include <string.h>

static bool
is_path(const struct hf_table_link *link, struct hf_slice key)
{
    const struct hf_orphan *orphan = hf_container_of(link, struct hf_orphan, sleep.by_path);
    return hf_slice_is(key, orphan->position.path);
}

static bool
is_head(const struct hf_table_link *link, struct hf_slice key)
{
    const struct hf_orphan *orphan = hf_container_of(link, struct hf_orphan, sleep.by_head);
    return memcmp(orphan->position.print.head, key.ptr, HF_PRINT_HASH) == 0;
}

void
hf_sleepers_init(struct hf_file_source *source)
{
    hf_table_init(&source->orphans->asleep.by_path, SIZE_MAX, is_path);
    hf_table_init(&source->orphans->asleep.by_head, SIZE_MAX, is_head);
    for (int i = 0; i < HF_SLEEPERS_QUEUES; i++)
        TAILQ_INIT(&source->orphans->asleep.queues[i]);
}

void
hf_sleepers_done(struct hf_file_source *source)
{
    hf_table_done(&source->orphans->asleep.by_path);
    hf_table_done(&source->orphans->asleep.by_head);
}

size_t
hf_sleepers_count(const struct hf_file_source *source)
{
    return source->orphans->asleep.count;
}

bool
hf_is_asleep(const struct hf_orphan *orphan)
{
    return orphan->sleep.is;
}

/* ---- by how they begin: thousands may begin alike, and one of them stands in the table ---- */

static struct hf_slice
head_of(const struct hf_orphan *orphan)
{
    return hf_slice(orphan->position.print.head, HF_PRINT_HASH);
}

static struct hf_orphan *
find_head(struct hf_file_source *source, struct hf_slice head)
{
    struct hf_table_link *link = hf_table_find(&source->orphans->asleep.by_head, head);
    return link ? hf_container_of(link, struct hf_orphan, sleep.by_head) : NULL;
}

static void
join_alike(struct hf_file_source *source, struct hf_orphan *orphan)
{
    orphan->sleep.next_alike = orphan->sleep.last_alike = orphan;
    if (orphan->position.print.offset == 0)
        return;
    struct hf_orphan *first = find_head(source, head_of(orphan));
    if (!first) {
        hf_assert(hf_table_add(&source->orphans->asleep.by_head, head_of(orphan),
                               &orphan->sleep.by_head));
        return;
    }
    orphan->sleep.last_alike = first;
    orphan->sleep.next_alike = first->sleep.next_alike;
    first->sleep.next_alike->sleep.last_alike = orphan;
    first->sleep.next_alike = orphan;
}

static void
leave_alike(struct hf_file_source *source, struct hf_orphan *orphan)
{
    struct hf_orphan *next = orphan->sleep.next_alike;
    bool first = orphan->sleep.by_head.in;
    hf_table_remove(&source->orphans->asleep.by_head, &orphan->sleep.by_head);
    next->sleep.last_alike = orphan->sleep.last_alike;
    orphan->sleep.last_alike->sleep.next_alike = next;
    if (first && next != orphan)
        hf_assert(
            hf_table_add(&source->orphans->asleep.by_head, head_of(next), &next->sleep.by_head));
}

struct hf_orphan *
hf_sleeper_alike(struct hf_file_source *source, const uint8_t *head, size_t size)
{
    uint8_t hash[HF_PRINT_HASH];
    if (size == 0 || source->orphans->asleep.count == 0)
        return NULL;
    hf_head_hash(head, HF_MIN(size, (size_t)HF_PRINT_BYTES), hash);
    return find_head(source, hf_slice(hash, sizeof(hash)));
}

/* ---- by their path ---- */

struct hf_orphan *
hf_orphan_by_path(struct hf_file_source *source, const char *path)
{
    struct hf_table_link *link =
        hf_table_find(&source->orphans->asleep.by_path, hf_slice_text(path));
    return link ? hf_container_of(link, struct hf_orphan, sleep.by_path) : NULL;
}

/* A path leads to the one that was seen there last. */
static void
link_path(struct hf_file_source *source, struct hf_orphan *orphan)
{
    struct hf_orphan *older = hf_orphan_by_path(source, orphan->position.path);
    if (older)
        hf_table_remove(&source->orphans->asleep.by_path, &older->sleep.by_path);
    hf_assert(hf_table_add(&source->orphans->asleep.by_path, hf_slice_text(orphan->position.path),
                           &orphan->sleep.by_path));
}

void
hf_orphan_set_path(struct hf_file_source *source, struct hf_orphan *orphan, const char *path)
{
    hf_table_remove(&source->orphans->asleep.by_path, &orphan->sleep.by_path);
    hf_freep(&orphan->position.path);
    orphan->position.path = hf_strdup(path);
    link_path(source, orphan);
}

/* ---- what they are ---- */

static void
leave_queue(struct hf_file_source *source, struct hf_orphan *orphan)
{
    if (orphan->sleep.queued)
        TAILQ_REMOVE(&source->orphans->asleep.queues[orphan->sleep.queue], orphan, sleep.entry);
    orphan->sleep.queued = false;
}

static void
wake(struct hf_file_source *source, struct hf_orphan *orphan)
{
    if (!orphan->sleep.is)
        return;
    leave_alike(source, orphan);
    orphan->sleep.is = false;
    source->orphans->asleep.count--;
}

void
hf_orphan_queue(struct hf_file_source *source, struct hf_orphan *orphan, enum hf_sleepers queue)
{
    struct hf_sleeper_queue *head = &source->orphans->asleep.queues[queue];
    bool sleeps = queue == HF_SLEEPERS_SEEN || queue == HF_SLEEPERS_WAKING;
    leave_queue(source, orphan);
    if (!sleeps)
        wake(source, orphan);
    if (queue == HF_SLEEPERS_UNSAVED)
        hf_table_remove(&source->orphans->asleep.by_path, &orphan->sleep.by_path);
    if (queue == HF_SLEEPERS_SEEN && orphan->sleep.seen_by != source->scans)
        TAILQ_INSERT_HEAD(head, orphan, sleep.entry);
    else
        TAILQ_INSERT_TAIL(head, orphan, sleep.entry);
    orphan->sleep.queue = queue;
    orphan->sleep.queued = true;
}

struct hf_orphan *
hf_orphan_in(struct hf_file_source *source, enum hf_sleepers queue)
{
    return TAILQ_FIRST(&source->orphans->asleep.queues[queue]);
}

void
hf_orphan_sleep(struct hf_file_source *source, struct hf_orphan *orphan)
{
    orphan->sleep.is = true;
    source->orphans->asleep.count++;
    join_alike(source, orphan);
    link_path(source, orphan);
    hf_orphan_queue(source, orphan, HF_SLEEPERS_SEEN);
}

void
hf_orphan_end_sleep(struct hf_file_source *source, struct hf_orphan *orphan)
{
    leave_queue(source, orphan);
    wake(source, orphan);
    hf_table_remove(&source->orphans->asleep.by_path, &orphan->sleep.by_path);
}
