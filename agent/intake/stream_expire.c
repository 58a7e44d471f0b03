/* Streams that were quiet for a day are forgotten; and the longest quiet ones when there are too
 * many. */
#include "agent/intake/stream.h"

#include <stdlib.h>
#include <string.h>

#define KEY_GONE "stream-gone"
/* when there are too many: so many that it is not done for each new one */
#define FORGET_AT_ONCE 1024

struct quiet {
    char uuid[HF_UUID_SIZE];
    int64_t last_s;
};

struct quiet_list {
    struct hf_streams *streams;
    struct quiet *items;
    size_t count;
};

static void
list_one(void *context, const char *key, struct hf_slice value)
{
    struct quiet_list *list = context;
    struct hf_stored_stream stored = { 0 };
    const char *uuid = key + strlen(HF_STREAM_PREFIX);
    if (strlen(uuid) != HF_UUID_SIZE - 1 || hf_stream_find(list->streams, uuid) ||
        !hf_stream_decode(value, &stored))
        return;
    list->items = hf_realloc(list->items, (list->count + 1) * sizeof(*list->items));
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

/* The oldest `count` of the list, in one unit with the memory of them. */
static void
forget(struct hf_streams *streams, const struct quiet *items, size_t count)
{
    struct hf_error err = { .status = HF_OK };
    struct hf_journal *journal = streams->intake->journal;
    if (count == 0 || hf_journal_begin(journal, false, &err) != HF_OK)
        return; /* the next expiry tries again */
    enum hf_status status = HF_OK;
    for (size_t i = 0; i < count && status == HF_OK; i++) {
        char key[HF_STREAM_KEY_SIZE];
        hf_stream_key(items[i].uuid, key);
        hf_gone_add(streams->gone, items[i].uuid);
        status = hf_journal_set_state(journal, key, hf_slice(NULL, 0), &err);
    }
    if (status == HF_OK)
        status = hf_journal_set_state(journal, KEY_GONE, hf_gone_value(streams->gone), &err);
    if (status == HF_OK) {
        hf_journal_commit(journal);
        streams->stored -= HF_MIN(count, streams->stored);
    } else {
        hf_journal_abandon(
            journal); /* that they are remembered all the same does no harm: they are tried again */
        hf_log_warn("streams.expire", HF_ERR(&err));
    }
}

void
hf_streams_expire(struct hf_streams *streams)
{
    struct quiet_list list = { .streams = streams };
    size_t count = 0;
    int64_t now_s = hf_wall_s();
    hf_journal_each_state(streams->intake->journal, HF_STREAM_PREFIX, list_one, &list);
    if (list.count > 1)
        qsort(list.items, list.count, sizeof(*list.items), by_age);
    while (count < list.count && now_s - list.items[count].last_s > HF_STREAM_S)
        count++;
    if (streams->stored >= HF_STREAMS_MAX)
        count = HF_MAX(count, HF_MIN((size_t)FORGET_AT_ONCE, list.count));
    forget(streams, list.items, count);
    hf_freep(&list.items);
}
