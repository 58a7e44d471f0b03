/* A hash table whose links lie in the items: finding, adding and removing one costs the same
 * whatever else is in it.
 *
 * The hash is SipHash-2-4 under a key drawn at random for each table. The keys are names that
 * strangers choose (paths, inodes, streams): under a hash without a secret, such as those of uthash
 * (Jenkins) and of GLib (times 33), ten thousand names that fall into one slot are made in a
 * second, and each look-up is the walk that the table is there to avoid. With the key unknown
 * nobody can aim (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). */
#include "agent/base/base_impl.h"

#include <string.h>
#include <sys/random.h>

#define SLOTS_FIRST 16

/* ---- SipHash-2-4 ---- */

static uint64_t
rotate(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static void
sip_rounds(uint64_t v[4], int count)
{
    while (count-- > 0) {
        v[0] += v[1], v[1] = rotate(v[1], 13) ^ v[0], v[0] = rotate(v[0], 32);
        v[2] += v[3], v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3], v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1], v[1] = rotate(v[1], 17) ^ v[2], v[2] = rotate(v[2], 32);
    }
}

static void
sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_rounds(v, 2);
    v[0] ^= word;
}

uint64_t
hf_siphash(const uint64_t key[2], struct hf_slice bytes)
{
    uint64_t v[4] = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                      key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573 };
    uint8_t last[8] = { 0 };
    size_t whole = bytes.size / 8 * 8;
    for (size_t at = 0; at < whole; at += 8)
        sip_word(v, hf_get_le64(bytes.ptr + at));
    if (bytes.size > whole)
        memcpy(last, bytes.ptr + whole, bytes.size - whole);
    last[7] = (uint8_t)bytes.size;
    sip_word(v, hf_get_le64(last));
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- the table ---- */

void
hf_table_init(struct hf_table *table, size_t most, hf_table_is is)
{
    *table = (struct hf_table){ .most = most, .is = is };
    hf_assert(getrandom(table->key, sizeof(table->key), 0) == (ssize_t)sizeof(table->key));
}

void
hf_table_done(struct hf_table *table)
{
    hf_freep(&table->slots);
    table->slot_count = table->count = 0;
}

static struct hf_table_link **
slot_of(const struct hf_table *table, uint64_t hash)
{
    return &table->slots[hash & (table->slot_count - 1)];
}

static void
grow(struct hf_table *table)
{
    struct hf_table old = *table;
    table->slot_count = old.slot_count ? 2 * old.slot_count : SLOTS_FIRST;
    table->slots = hf_alloc(table->slot_count * sizeof(*table->slots));
    for (size_t i = 0; i < old.slot_count; i++) {
        for (struct hf_table_link *link = old.slots[i], *next; link; link = next) {
            struct hf_table_link **slot = slot_of(table, link->hash);
            next = link->next;
            link->next = *slot;
            *slot = link;
        }
    }
    hf_freep(&old.slots);
}

bool
hf_table_add(struct hf_table *table, struct hf_slice key, struct hf_table_link *link)
{
    if (table->count >= table->most)
        return false;
    if (table->count >= table->slot_count)
        grow(table);
    link->hash = hf_siphash(table->key, key);
    struct hf_table_link **slot = slot_of(table, link->hash);
    link->next = *slot;
    link->in = true;
    *slot = link;
    table->count++;
    return true;
}

void
hf_table_remove(struct hf_table *table, struct hf_table_link *link)
{
    if (!link->in)
        return;
    struct hf_table_link **at = slot_of(table, link->hash);
    while (*at != link) {
        hf_assert(*at);
        at = &(*at)->next;
        table->looks++;
    }
    *at = link->next;
    *link = (struct hf_table_link){ .next = NULL };
    table->count--;
}

static struct hf_table_link *
next_that_is(struct hf_table *table, struct hf_table_link *link, uint64_t hash, struct hf_slice key)
{
    for (; link; link = link->next) {
        table->looks++;
        if (link->hash == hash && table->is(link, key))
            return link;
    }
    return NULL;
}

struct hf_table_link *
hf_table_find(struct hf_table *table, struct hf_slice key)
{
    if (table->count == 0)
        return NULL;
    uint64_t hash = hf_siphash(table->key, key);
    return next_that_is(table, *slot_of(table, hash), hash, key);
}

struct hf_table_link *
hf_table_find_next(struct hf_table *table, struct hf_table_link *link, struct hf_slice key)
{
    return next_that_is(table, link->next, link->hash, key);
}
