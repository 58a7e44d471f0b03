/* Streams that were quiet for a day are forgotten; and the longest quiet ones of whoever has more than
 * his share of them when there are too many. */
#include "agent/intake/stream.h"

#include <stdlib.h>
#include <string.h>

#define KEY_GONE "stream-gone"
/* when there are too many: so many that it is not done for each new one */
#define FORGET_AT_ONCE 1024

struct item {
    struct hf_table_link by_uuid;
    TAILQ_ENTRY(item) entry;
    struct share *share;
    int64_t last_s;
    char uuid[HF_UUID_SIZE];
};

struct share {
    LIST_ENTRY(share) entry;
    struct hf_owner *owner;        /* NULL: from before the start */
    TAILQ_HEAD(items, item) items; /* the longest quiet one first */
    size_t count;
};

struct hf_kept {
    struct hf_table by_uuid;
    LIST_HEAD(shares, share) shares;
    size_t share_count;
};

static bool
is_uuid(const struct hf_table_link *link, struct hf_slice uuid)
{
    return hf_slice_is(uuid, hf_container_of(link, struct item, by_uuid)->uuid);
}

/* ---- shares ---- */

static struct share *
find_share(struct hf_kept *kept, const struct hf_owner *owner)
{
    struct share *share;
    LIST_FOREACH(share, &kept->shares, entry)
    if (share->owner == owner)
        break;
    return share;
}

static struct share *
share_of(struct hf_kept *kept, struct hf_owner *owner)
{
    struct share *share = find_share(kept, owner);
    if (share)
        return share;
    share = hf_alloc(sizeof(*share));
    share->owner = owner ? hf_owner_again(owner) : NULL;
    TAILQ_INIT(&share->items);
    LIST_INSERT_HEAD(&kept->shares, share, entry);
    kept->share_count++;
    return share;
}

static void
leave_share(struct hf_kept *kept, struct item *item)
{
    struct share *share = item->share;
    TAILQ_REMOVE(&share->items, item, entry);
    if (--share->count > 0)
        return;
    LIST_REMOVE(share, entry);
    kept->share_count--;
    hf_owner_put(share->owner);
    hf_freep(&share);
}

static void
join_share(struct share *share, struct item *item)
{
    item->share = share;
    TAILQ_INSERT_TAIL(&share->items, item, entry);
    share->count++;
}

static void
drop(struct hf_kept *kept, struct item *item)
{
    hf_table_remove(&kept->by_uuid, &item->by_uuid);
    leave_share(kept, item);
    hf_freep(&item);
}

static struct item *
add(struct hf_kept *kept, struct share *share, const char *uuid, int64_t last_s)
{
    struct item *item = hf_alloc(sizeof(*item));
    item->last_s = last_s;
    memcpy(item->uuid, uuid, HF_UUID_SIZE);
    hf_assert(hf_table_add(&kept->by_uuid, hf_slice_text(item->uuid), &item->by_uuid));
    join_share(share, item);
    return item;
}

size_t
hf_kept_count(const struct hf_kept *kept)
{
    return kept->by_uuid.count;
}

void
hf_kept_use(struct hf_kept *kept, const char *uuid, struct hf_owner *owner, int64_t now_s)
{
    struct share *share = share_of(kept, owner);
    struct hf_table_link *link = hf_table_find(&kept->by_uuid, hf_slice_text(uuid));
    if (!link) {
        add(kept, share, uuid, now_s);
        return;
    }
    struct item *item = hf_container_of(link, struct item, by_uuid);
    share->count++; /* it stays while its only one is moved */
    leave_share(kept, item);
    join_share(share, item);
    share->count--;
    item->last_s = now_s;
}

/* ---- loading ---- */

struct quiet {
    char uuid[HF_UUID_SIZE];
    int64_t last_s;
};

struct quiet_list {
    struct quiet *items;
    size_t count, room;
};

/* One that cannot be read stays. */
static void
list_one(void *context, const char *key, struct hf_slice value)
{
    struct quiet_list *list = context;
    struct hf_stored_stream stored = { 0 };
    const char *uuid = key + strlen(HF_STREAM_PREFIX);
    if (strlen(uuid) != HF_UUID_SIZE - 1 || !hf_stream_decode(value, &stored))
        return;
    if (list->count == list->room) {
        list->room = HF_MAX(64, 2 * list->room);
        list->items = hf_realloc(list->items, list->room * sizeof(*list->items));
    }
    struct quiet *item = &list->items[list->count++];
    memcpy(item->uuid, uuid, HF_UUID_SIZE);
    item->last_s = (int64_t)stored.last_s;
}

static int
by_age(const void *a, const void *b)
{
    const struct quiet *x = a, *y = b;
    return (x->last_s > y->last_s) - (x->last_s < y->last_s);
}

struct hf_kept *
hf_kept_load(struct hf_journal *journal)
{
    struct hf_kept *kept = hf_alloc(sizeof(*kept));
    struct quiet_list list = { .items = NULL };
    hf_table_init(&kept->by_uuid, SIZE_MAX, is_uuid);
    LIST_INIT(&kept->shares);
    hf_journal_each_state(journal, HF_STREAM_PREFIX, list_one, &list);
    if (list.count > 1)
        qsort(list.items, list.count, sizeof(*list.items), by_age);
    for (size_t i = 0; i < list.count; i++)
        add(kept, share_of(kept, NULL), list.items[i].uuid, list.items[i].last_s);
    hf_freep(&list.items);
    return kept;
}

void
hf_kept_free(struct hf_kept *kept)
{
    if (!kept)
        return;
    for (struct share *share; (share = LIST_FIRST(&kept->shares)) != NULL;)
        drop(kept, TAILQ_FIRST(&share->items));
    hf_table_done(&kept->by_uuid);
    hf_freep(&kept);
}

/* ---- forgetting ---- */

struct forgotten {
    struct item *items[FORGET_AT_ONCE];
    size_t count;
};

/* In one unit with the memory of them. */
static bool
forget(struct hf_streams *streams, const struct forgotten *forgotten)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_journal *journal = streams->intake->journal;
    if (forgotten->count == 0 || hf_journal_begin(journal, false, &err) != HF_OK)
        return false; /* the next expiry tries again */
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < forgotten->count && status == HF_OK; i++) {
        char key[HF_STREAM_KEY_SIZE];
        hf_stream_key(forgotten->items[i]->uuid, key);
        hf_gone_add(streams->gone, forgotten->items[i]->uuid);
        status = hf_journal_set_state(journal, key, hf_slice(NULL, 0), &err);
    }
    if (status == HF_OK)
        status = hf_journal_set_state(journal, KEY_GONE, hf_gone_value(streams->gone), &err);
    if (status != HF_OK) {
        hf_journal_abandon(
            journal); /* that they are remembered all the same does no harm: they are tried again */
        hf_log_warn("streams.expire", HF_ERR(&err));
        return false;
    }
    hf_journal_commit(journal);
    for (size_t i = 0; i < forgotten->count; i++)
        drop(streams->kept, forgotten->items[i]);
    return true;
}

/* The longest quiet ones of a share, at most so many, whose last line is not after `until_s`. Those
 * that somebody is connected for stay. */
static void
choose(struct hf_streams *streams, struct share *share, size_t most, int64_t until_s,
       struct forgotten *forgotten)
{
    struct item *item;
    most = HF_MIN(most, HF_COUNT(forgotten->items));
    TAILQ_FOREACH(item, &share->items, entry)
    {
        if (forgotten->count == most || item->last_s > until_s)
            break;
        if (!hf_stream_find(streams, item->uuid))
            forgotten->items[forgotten->count++] = item;
    }
}

void
hf_streams_expire(struct hf_streams *streams)
{
    struct forgotten forgotten;
    do {
        struct share *share;
        forgotten.count = 0;
        LIST_FOREACH(share, &streams->kept->shares, entry)
        choose(streams, share, HF_COUNT(forgotten.items), hf_wall_s() - HF_STREAM_S - 1,
               &forgotten);
    } while (forget(streams, &forgotten) && forgotten.count == HF_COUNT(forgotten.items));
}

/* Who has his share already pays with his own; else it is whoever has most. */
void
hf_streams_make_room(struct hf_streams *streams, struct hf_owner *owner)
{
    struct hf_kept *kept = streams->kept;
    struct share *own = find_share(kept, owner), *pays = own, *share;
    struct forgotten forgotten = { .count = 0 };
    size_t fair = HF_STREAMS_MAX / (kept->share_count + !own);
    if (!own || own->count < fair)
        LIST_FOREACH(share, &kept->shares, entry)
    if (!pays || share->count > pays->count)
        pays = share;
    if (!pays)
        return;
    if (pays->owner)
        hf_budget_note_refusal(pays->owner, HF_BUDGET_STREAMS, TAILQ_FIRST(&pays->items)->uuid);
    choose(streams, pays, HF_MAX(pays->count / 8, (size_t)1), INT64_MAX, &forgotten);
    (void)forget(streams, &forgotten);
}
