/* The state as others see it, and the ids of sources, which are kept in it. */
#include "agent/journal/journal_impl.h"

#include <stdio.h>
#include <string.h>

#define SOURCE_PREFIX  "source/"
#define NAME_MAX_BYTES 1024

enum hf_status
hf_journal_get_state(struct hf_journal *journal, const char *key, struct hf_buf *ret_value)
{
    enum hf_status status = HF_ENOTFOUND;

    hf_journal_lock(journal);
    const struct hf_state_item *item = hf_state_map_find(&journal->state, key);
    if (item) {
        hf_buf_reset(ret_value);
        status = hf_buf_add(ret_value, item->value.ptr, item->value.size);
    }
    hf_journal_unlock(journal);
    return status;
}

void
hf_journal_each_state(struct hf_journal *journal, const char *prefix,
                      void (*visit)(void *context, const char *key, struct hf_slice value),
                      void *context)
{
    hf_journal_lock(journal);
    for (size_t i = hf_state_map_from(&journal->state, prefix); i < journal->state.count; i++) {
        const struct hf_state_item *item = &journal->state.items[i];
        if (!hf_starts_with(item->key, prefix))
            break;
        visit(context, item->key, item->value);
    }
    hf_journal_unlock(journal);
}

void
hf_journal_load_sources(struct hf_journal *journal)
{
    for (size_t i = hf_state_map_from(&journal->state, SOURCE_PREFIX); i < journal->state.count;
         i++) {
        const struct hf_state_item *item = &journal->state.items[i];
        if (!hf_starts_with(item->key, SOURCE_PREFIX))
            break;
        uint16_t id = item->value.size == 2 ? hf_get_le16(item->value.ptr) : 0;
        if (id == HF_SOURCE_SELF || id >= HF_SOURCES_MAX || journal->sources[id])
            continue;
        journal->sources[id] = hf_strdup(item->key + strlen(SOURCE_PREFIX));
    }
}

static uint16_t
find_source(const struct hf_journal *journal, const char *name)
{
    for (uint16_t id = 1; id < HF_SOURCES_MAX; id++)
        if (journal->sources[id] && strcmp(journal->sources[id], name) == 0)
            return id;
    return 0;
}

/* The id counts from the moment it is given out: no event with it can become durable before the key
 * does. */
static enum hf_status
add_source(struct hf_journal *journal, const char *name, uint16_t *ret_id, struct hf_error *err)
{
    char key[sizeof(SOURCE_PREFIX) + NAME_MAX_BYTES];
    uint8_t value[2];
    uint16_t id = 1;

    while (id < HF_SOURCES_MAX && journal->sources[id])
        id++;
    if (id == HF_SOURCES_MAX)
        return hf_fail(err, HF_ELIMIT, "source '%.100s' is one more than the %d a journal knows",
                       name, HF_SOURCES_MAX - 1);
    snprintf(key, sizeof(key), "%s%s", SOURCE_PREFIX, name);
    hf_put_le16(value, id);
    journal->unit.open = true;
    enum hf_status status = hf_journal_set_state(journal, key, hf_slice(value, sizeof(value)), err);
    journal->unit.open = false;
    if (status != HF_OK)
        return status;
    journal->sources[id] = hf_strdup(name);
    pthread_cond_signal(&journal->work);
    *ret_id = id;
    return HF_OK;
}

/* Not refused for lack of room: it is small, waits in memory if it must, and a full journal must
 * not stop a start. */
enum hf_status
hf_journal_source(struct hf_journal *journal, const char *name, uint16_t *ret_id,
                  struct hf_error *err)
{
    size_t name_bytes = strnlen(name, NAME_MAX_BYTES + 1);

    if (name_bytes == 0 || name_bytes > NAME_MAX_BYTES)
        return hf_fail(err, HF_EUSAGE, "a source's name has 1 to %d bytes", NAME_MAX_BYTES);
    hf_journal_lock(journal);
    enum hf_status status = HF_OK;
    uint16_t id = find_source(journal, name);
    if (id)
        *ret_id = id;
    else
        status = add_source(journal, name, ret_id, err);
    hf_journal_unlock(journal);
    return status;
}
