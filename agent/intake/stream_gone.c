/* What is remembered of streams that were forgotten: enough to answer GONE instead of taking their
 * lines a second time. */
#include "agent/intake/stream.h"

#include <holdfast/crypto.h>
#include <string.h>

#define HASH_BYTES 8
#define KEY_GONE   "stream-gone"

struct value { /* as it stands in the journal: where the next one goes, and the hashes */
    uint8_t next[4];
    uint8_t count[4];
    uint8_t hashes[HF_STREAMS_GONE][HASH_BYTES];
};
_Static_assert(sizeof(struct value) == 8 + HF_STREAMS_GONE * HASH_BYTES, "as in the journal");

struct place { /* of the hash at the same index */
    struct hf_table_link link;
    const uint8_t *hash;
};

struct hf_gone {
    struct value value;
    struct place places[HF_STREAMS_GONE];
    struct hf_table table;
};

static bool
is_hash(const struct hf_table_link *link, struct hf_slice hash)
{
    return memcmp(hf_container_of(link, struct place, link)->hash, hash.ptr, HASH_BYTES) == 0;
}

static void
put_in_table(struct hf_gone *gone, uint32_t i)
{
    struct place *place = &gone->places[i];
    place->hash = gone->value.hashes[i];
    hf_assert(hf_table_add(&gone->table, hf_slice(place->hash, HASH_BYTES), &place->link));
}

static void
hash_of(const char *uuid, uint8_t ret_hash[HASH_BYTES])
{
    uint8_t hash[HF_SHA256_SIZE];
    hf_sha256(uuid, strlen(uuid), hash);
    memcpy(ret_hash, hash, HASH_BYTES);
}

struct hf_gone *
hf_gone_load(struct hf_journal *journal)
{
    struct hf_gone *gone = hf_alloc(sizeof(*gone));
    hf_owned(hf_buf_done) struct hf_buf value = HF_BUF(sizeof(gone->value));
    hf_table_init(&gone->table, HF_STREAMS_GONE, is_hash);
    if (hf_journal_get_state(journal, KEY_GONE, &value) != HF_OK || value.size < 8)
        return gone;
    memcpy(&gone->value, value.ptr, value.size);
    uint32_t count = hf_get_le32(gone->value.count), next = hf_get_le32(gone->value.next);
    if (count > HF_STREAMS_GONE || next >= HF_STREAMS_GONE ||
        value.size != 8 + (size_t)count * HASH_BYTES) {
        memset(&gone->value, 0, sizeof(gone->value));
        count = 0;
    }
    for (uint32_t i = 0; i < count; i++)
        put_in_table(gone, i);
    return gone;
}

void
hf_gone_free(struct hf_gone *gone)
{
    if (gone)
        hf_table_done(&gone->table);
    hf_freep(&gone);
}

void
hf_gone_add(struct hf_gone *gone, const char *uuid)
{
    struct value *value = &gone->value;
    uint32_t next = hf_get_le32(value->next), count = hf_get_le32(value->count);
    hf_table_remove(&gone->table, &gone->places[next].link);
    hash_of(uuid, value->hashes[next]);
    put_in_table(gone, next);
    hf_put_le32(value->next, (next + 1) % HF_STREAMS_GONE);
    if (count < HF_STREAMS_GONE)
        hf_put_le32(value->count, count + 1);
}

bool
hf_gone_has(struct hf_gone *gone, const char *uuid)
{
    uint8_t hash[HASH_BYTES];
    hash_of(uuid, hash);
    return hf_table_find(&gone->table, hf_slice(hash, HASH_BYTES)) != NULL;
}

struct hf_slice
hf_gone_value(const struct hf_gone *gone)
{
    return hf_slice(&gone->value, 8 + (size_t)hf_get_le32(gone->value.count) * HASH_BYTES);
}

static int
hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
hf_uuid_valid(struct hf_slice text)
{
    if (text.size != HF_UUID_SIZE - 1)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.ptr[i] != '-' : hex_digit(text.ptr[i]) < 0)
            return false;
    }
    return true;
}

int64_t
hf_uuid_made_s(const char *uuid)
{
    int64_t ms = 0;
    if (uuid[14] != '7')
        return -1;
    for (size_t i = 0; i < 13; i++)
        if (i != 8)
            ms = ms * 16 + hex_digit((uint8_t)uuid[i]);
    return ms / 1000;
}
