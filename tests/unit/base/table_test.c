#include "tests/support/test.h"

#include "agent/base/base_impl.h"

#include <stdio.h>

#define ITEMS 20000

struct item {
    struct hf_table_link link;
    uint64_t number;
    bool wanted;
};

static struct item *
item_of(struct hf_table_link *link)
{
    return link ? hf_container_of(link, struct item, link) : NULL;
}

static bool
is_number(const struct hf_table_link *link, struct hf_slice key)
{
    const struct item *item = hf_container_of(link, const struct item, link);
    return memcmp(&item->number, key.ptr, sizeof(item->number)) == 0;
}

static struct hf_slice
key_of(const uint64_t *number)
{
    return hf_slice(number, sizeof(*number));
}

/* The authors' vectors: key 00 01 .. 0f, input 00 01 .. of each length. */
static void
siphash_is_that_of_its_authors(void **state)
{
    static const uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
    static const struct {
        size_t size;
        uint64_t hash;
    } rows[] = {
        { 0, 0x726fdb47dd0e0e31 }, { 1, 0x74f839c593dc67fd },  { 7, 0xab0200f58b01d137 },
        { 8, 0x93f5f5799a932462 }, { 15, 0xa129ca6149be45e5 },
    };
    uint8_t input[16];
    (void)state;
    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (uint8_t)i;
    for (size_t i = 0; i < HF_COUNT(rows); i++)
        assert_true(hf_siphash(key, hf_slice(input, rows[i].size)) == rows[i].hash);
}

static void
what_is_in_is_found_and_nothing_else(void **state)
{
    struct hf_table table;
    struct item *items = hf_alloc(ITEMS * sizeof(*items));
    uint64_t random = 88172645463325252;
    (void)state;
    hf_table_init(&table, ITEMS, is_number);
    for (uint64_t i = 0; i < ITEMS; i++)
        items[i].number = i;
    for (size_t round = 0; round < 10 * ITEMS; round++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        struct item *item = &items[random % ITEMS];
        assert_ptr_equal(item_of(hf_table_find(&table, key_of(&item->number))),
                         item->wanted ? item : NULL);
        if (item->wanted)
            hf_table_remove(&table, &item->link);
        else
            assert_true(hf_table_add(&table, key_of(&item->number), &item->link));
        item->wanted = !item->wanted;
    }
    size_t wanted = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        assert_ptr_equal(item_of(hf_table_find(&table, key_of(&items[i].number))),
                         items[i].wanted ? &items[i] : NULL);
        wanted += items[i].wanted;
    }
    assert_int_equal(table.count, wanted);
    hf_table_done(&table);
    free(items);
}

static void
items_with_one_key_are_all_found(void **state)
{
    struct hf_table table;
    struct item items[5] = { { .number = 7 }, { .number = 7 }, { .number = 8 }, { .number = 7 } };
    uint64_t key = 7;
    size_t found = 0;
    (void)state;
    hf_table_init(&table, 100, is_number);
    for (size_t i = 0; i < 4; i++)
        assert_true(hf_table_add(&table, key_of(&items[i].number), &items[i].link));
    hf_table_remove(&table, &items[1].link);
    hf_table_remove(&table, &items[1].link); /* in none any more */
    hf_table_remove(&table, &items[4].link); /* never was */
    for (struct hf_table_link *link = hf_table_find(&table, key_of(&key)); link;
         link = hf_table_find_next(&table, link, key_of(&key))) {
        assert_int_equal(item_of(link)->number, 7);
        assert_ptr_not_equal(item_of(link), &items[1]);
        found++;
    }
    assert_int_equal(found, 2);
    hf_table_done(&table);
}

static void
a_full_table_takes_no_more(void **state)
{
    struct hf_table table;
    struct item items[4] = { { .number = 0 }, { .number = 1 }, { .number = 2 }, { .number = 3 } };
    (void)state;
    hf_table_init(&table, 3, is_number);
    for (size_t i = 0; i < 3; i++)
        assert_true(hf_table_add(&table, key_of(&items[i].number), &items[i].link));
    assert_false(hf_table_add(&table, key_of(&items[3].number), &items[3].link));
    assert_null(hf_table_find(&table, key_of(&items[3].number)));
    hf_table_remove(&table, &items[0].link);
    assert_true(hf_table_add(&table, key_of(&items[3].number), &items[3].link));
    hf_table_done(&table);
}

/* Whatever the names are: those here would all stand in one slot under a hash that adds, or that
 * looks at the last bytes. */
static void
finding_does_not_walk(void **state)
{
    struct hf_table table;
    struct item *items = hf_alloc(ITEMS * sizeof(*items));
    (void)state;
    hf_table_init(&table, ITEMS, is_number);
    for (uint64_t i = 0; i < ITEMS; i++) {
        items[i].number = i << 32 | (0xffffffff - i);
        assert_true(hf_table_add(&table, key_of(&items[i].number), &items[i].link));
    }
    table.looks = 0;
    for (size_t i = 0; i < ITEMS; i++)
        assert_ptr_equal(item_of(hf_table_find(&table, key_of(&items[i].number))), &items[i]);
    assert_true(table.looks < 2 * ITEMS); /* 1.3 of each on average: the slots are half full */
    for (size_t i = 0; i < ITEMS; i++)
        hf_table_remove(&table, &items[i].link);
    assert_true(table.looks < 3 * ITEMS);
    hf_table_done(&table);
    free(items);
}

/* Two tables of one process, and two runs, hash differently: nobody can try names out. */
static void
each_table_has_a_key_of_its_own(void **state)
{
    struct hf_table a, b;
    (void)state;
    hf_table_init(&a, 1, is_number);
    hf_table_init(&b, 1, is_number);
    assert_memory_not_equal(a.key, b.key, sizeof(a.key));
    hf_table_done(&a);
    hf_table_done(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_is_that_of_its_authors),
        cmocka_unit_test(what_is_in_is_found_and_nothing_else),
        cmocka_unit_test(items_with_one_key_are_all_found),
        cmocka_unit_test(a_full_table_takes_no_more),
        cmocka_unit_test(finding_does_not_walk),
        cmocka_unit_test(each_table_has_a_key_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
